//! The table, read.

use std::time::Duration;

use super::{Fault, TABLE};

/// What `by` says of a row that no limit ends.
const AT_ONCE: &str = "at once";

/// What an unused cell says.
const NONE: &str = "-";

/// The limits that no row names: longer than anything may take, so that what ends by one of them is late.
const OTHERS: Duration = Duration::from_secs(60);

/// How much longer than its limit a row may take, on a machine that has much else to do.
const BUSY: Duration = Duration::from_secs(30);

/// By how much a limit may be over early for who reads a clock of whole milliseconds, as clients may, twice.
const CLOCKS: Duration = Duration::from_millis(2);

/// What a client is to make of a fault, plain or over TLS.
#[derive(Debug, Clone)]
pub struct Row {
    /// The fault.
    pub fault: Fault,
    /// Whether it is over TLS.
    pub tls: bool,
    /// The limit that ends the last question, by the name of its setting; `at once` for none.
    pub by: String,
    /// What the caller gets of a question.
    pub first: Got,
    /// What it then gets of a second one on the same connection, where the fault comes behind the end of the first; elsewhere
    /// none is asked.
    pub second: Option<Got>,
}

/// What a caller gets of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// How the answer ended, or why there is none: see [`faults`](super).
    pub status: String,
    /// The text of the answer that is kept, without white space at its end, at most 40 characters.
    pub text: String,
}

impl Row {
    /// How long the limit of a name is to be: short if the row ends by it, and otherwise longer than the row may take.
    #[must_use]
    pub fn limit(&self, name: &str) -> Duration {
        if self.by == name { self.named().unwrap_or(OTHERS) } else { OTHERS }
    }

    /// The row's questions take this long at least, connecting counted: the limit that ends them has passed.
    #[must_use]
    pub fn least(&self) -> Duration {
        self.named().map_or(Duration::ZERO, |limit| limit.saturating_sub(CLOCKS))
    }

    /// And this long at most: shorter than any limit that the row does not name.
    #[must_use]
    pub fn most(&self) -> Duration {
        self.named().unwrap_or_default() + BUSY
    }

    /// How long the limit is that the row names.
    fn named(&self) -> Option<Duration> {
        match &*self.by {
            AT_ONCE => None,
            // Some of what the server says is to come within it, on a busy machine and over TLS, too.
            "handshake" | "answer_within" => Some(Duration::from_secs(3)),
            "first_frame" => Some(Duration::from_secs(1)),
            _ => Some(Duration::from_millis(300)),
        }
    }
}

/// The table's rows, one for each way that a fault is played.
///
/// # Panics
/// When it is none: that it is one is tested.
#[must_use]
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut faults = Fault::all().into_iter();
    for line in TABLE.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, by, plain, over_tls, text, second, second_over_tls, second_text] = cells[..] else {
            panic!("eight columns: {line:?}")
        };
        let fault = faults.next().filter(|fault| fault.name == name);
        let fault = fault.unwrap_or_else(|| panic!("{name} is not the next fault"));
        for tls in [false, true] {
            if fault.is_played(tls) {
                let got = |plain: &str, over_tls: &str, text| {
                    let status = if tls && over_tls != NONE { over_tls } else { plain };
                    Got { status: status.to_owned(), text: unescaped(text) }
                };
                let first = got(plain, over_tls, text);
                let second = (second != NONE).then(|| got(second, second_over_tls, second_text));
                rows.push(Row { fault: fault.clone(), tls, by: by.to_owned(), first, second });
            }
        }
    }
    rows
}

/// A text with each `\u{..}` as the character that it stands for.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('}').unwrap_or_else(|| panic!("no end of an escape: {text}"));
        let code = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
        plain.push(code.unwrap_or_else(|| panic!("no character: {text}")));
        plain += rest;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many there are: one that goes with its fault would show nowhere else.
    const ROWS: usize = 600;

    /// The limits that rows may name.
    const LIMITS: [&str; 5] = ["connect", "handshake", "first_frame", "next_frame", "answer_within"];

    #[test]
    fn every_fault_has_its_rows() {
        let rows = rows();
        assert_eq!(rows.len(), ROWS);
        for row in &rows {
            for got in [Some(&row.first), row.second.as_ref()].into_iter().flatten() {
                let text = &got.text;
                assert!(got.status != NONE && text.chars().count() <= 40 && text.trim_end() == text, "{row:?}");
            }
        }
        for fault in Fault::all() {
            let count = usize::from(fault.is_played(false)) + usize::from(fault.is_played(true));
            assert_eq!(rows.iter().filter(|row| row.fault.name == fault.name).count(), count, "{fault:?}");
        }
    }

    /// What the table asks of time can be told apart: a row's own limit, none, and any other one.
    #[test]
    fn a_row_ends_by_its_limit_and_no_other() {
        for row in rows() {
            let limits = LIMITS.map(|name| row.limit(name));
            let own = limits.iter().filter(|limit| **limit != OTHERS).count();
            assert_eq!(own, usize::from(row.by != AT_ONCE), "{row:?}");
            let (least, most) = (row.least(), row.most());
            assert!(most < OTHERS && limits.iter().all(|limit| *limit > least), "{row:?}");
            assert_eq!(least.is_zero(), own == 0, "{row:?}");
            assert!(limits.iter().all(|limit| *limit == OTHERS || *limit + BUSY == most), "{row:?}");
        }
    }

    #[test]
    fn escapes_are_read() {
        assert_eq!(unescaped(r"a\u{0}b\u{1f600}"), "a\0b\u{1f600}");
    }
}
