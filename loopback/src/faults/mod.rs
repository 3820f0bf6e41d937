//! Servers that do one thing wrong, by name: for tests of what a client makes of it.
//!
//! What each client is to make of each is in `loopback/faults.tsv`, one line a fault; [`TABLE`] is its text. Its columns:
//!
//! | column | what it says |
//! | --- | --- |
//! | `fault` | the name: [`Fault::named`], `chatnio serve --fault NAME` |
//! | `by` | the limit that ends the last question, by the name of its setting; `at once` for none |
//! | `status` | what the caller gets: how the answer ended, or why it was interrupted, or the status of the C library that says why there is no connection any more, without its prefix, `HTTP` and `CLOSED_BY_SERVER` with their code; `-` where the fault is one of TLS |
//! | `tls` | the same over TLS, `-` where it does not differ |
//! | `text` | the text of the answer that is kept, without white space at its end, at most 40 characters |
//! | `second`, `second_tls`, `second_text` | the same of a second question on the connection, where the fault comes behind the end of the first one's answer; `-` where none is asked |
//!
//! Within which time a row ends follows from `by` ([`Row::limit`], [`Row::least`] and [`Row::most`]): not before that limit is
//! over, and before any other could be, which are all long; `at once` without any.
//!
//! [`rows`] reads it. Who tests a client in another language starts `chatnio serve --fault all`, which plays all faults and
//! prints where each is, with what is to come of it.
//!
//! ```
//! use chatnio_loopback::faults::{Fault, FaultServer};
//!
//! let fault = Fault::named("fin-mid-answer").expect("a fault of the table");
//! let server = FaultServer::start(&fault, false)?;
//! println!("{}: {}", server.url(), fault.what);
//! # std::io::Result::Ok(())
//! ```

use std::fmt;

mod certificates;
mod close;
mod connecting;
mod frames;
mod handshake;
mod json;
mod play;
mod protocol;
mod row;
mod step;
mod tls;
mod transport;

use certificates::Certificate;
pub use play::FaultServer;
pub use row::{Got, Row, rows};
use step::Step;

/// What each client is to make of each fault: tab-separated, the first line names the columns.
pub const TABLE: &str = include_str!("../../faults.tsv");

/// One thing that a server does wrong.
#[derive(Clone)]
pub struct Fault {
    /// Its name, unique, of small letters, digits and dashes.
    pub name: String,
    /// What the server does.
    pub what: String,
    over: Over,
    steps: Vec<Step>,
}

/// Over what a fault is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Plain, and over TLS with a good certificate.
    Both,
    /// TLS, with this certificate.
    Tls(Certificate),
    /// What should be TLS is just these bytes.
    InPlaceOfTls,
    /// Nothing: nobody listens where the client connects to.
    Nobody,
    /// Nothing: somebody listens, and takes no more connections.
    Full,
    /// Nothing: this is where the client connects to.
    Elsewhere(&'static str),
}

impl Fault {
    /// All faults, by stage.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let stages = [
            connecting::faults(),
            tls::faults(),
            transport::faults(),
            handshake::faults(),
            frames::faults(),
            close::faults(),
            json::faults(),
            protocol::faults(),
        ];
        stages.into_iter().flatten().collect()
    }

    /// The fault of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|fault| fault.name == name)
    }

    fn new(name: impl Into<String>, what: impl Into<String>, steps: impl IntoIterator<Item = Step>) -> Self {
        Self { name: name.into(), what: what.into(), over: Over::Both, steps: steps.into_iter().collect() }
    }

    fn over(self, over: Over) -> Self {
        Self { over, ..self }
    }

    /// Whether it is one over TLS, or of a plain connection: most are both.
    #[must_use]
    pub fn is_played(&self, tls: bool) -> bool {
        match self.over {
            Over::Both | Over::Nobody | Over::Full => true,
            Over::Tls(_) | Over::InPlaceOfTls | Over::Elsewhere(_) => tls,
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault").field("name", &self.name).field("what", &self.what).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_one_line_for_each_fault_in_their_order() {
        let mut lines = TABLE.lines();
        assert_eq!(lines.next(), Some("fault\tby\tstatus\ttls\ttext\tsecond\tsecond_tls\tsecond_text"));
        let named: Vec<&str> = lines.map(|line| line.split('\t').next().unwrap_or_default()).collect();
        let faults = Fault::all();
        let names: Vec<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
        assert_eq!(named, names);
        for fault in &faults {
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(fault.name.chars().all(good) && !fault.what.is_empty(), "{fault:?}");
            assert_eq!(names.iter().filter(|name| **name == fault.name).count(), 1, "{fault:?}");
        }
    }
}
