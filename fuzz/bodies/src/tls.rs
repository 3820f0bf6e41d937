//! A connection over TLS: what comes from its server may be split, changed, left out and cut, and nothing but the answer is
//! ever taken for the answer.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chatnio::{
    Auth, Connection, ConnectionConfig, ConnectionEvent, Endpoint, Event, EventStorage, Outcome, Request, TlsConfig,
    TlsOptions, Trust,
};
use chatnio_loopback::{Certificate, Generation, Options, Peer, Plan, Tls, World};

use crate::input::Input;

/// Flags; the sizes of the pieces; what is done to the server's bytes.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    let sizes: Vec<usize> = input.bytes().iter().map(|size| usize::from(*size) * 8 + 1).collect();
    // From the front of all that the server sends, or of what it sends once the question is asked.
    let is_later = flags & 1 != 0;
    let at = usize::from(input.short());
    let what = match input.byte() % 5 {
        0 => None,
        1 => Some(What::Change(input.byte())),
        2 => Some(What::Insert(input.bytes().to_vec())),
        3 => Some(What::Remove(usize::from(input.byte()) + 1)),
        _ => Some(What::Cut),
    };
    Link::new(sizes, what.map(|what| Damage { at, what }), is_later).outcome();
}

/// What is done to the server's bytes, once.
struct Damage {
    at: usize,
    what: What,
}

enum What {
    Change(u8),
    Insert(Vec<u8>),
    Remove(usize),
    Cut,
}

const TOKEN: &str = "sk-0123456789";
const PIECES: [&str; 4] = ["one ", "two ", "\u{1f600} ", "four"];

struct Sides {
    tls: Tls,
    options: Arc<Options>,
    trust: TlsConfig,
}

/// Keys and certificates are made once.
static SIDES: LazyLock<Sides> = LazyLock::new(|| {
    let tls = Tls::new(Certificate::Valid).expect("a certificate");
    let mut options = Options { pace: 0.0, ..Options::new(Generation::G2026) };
    options.plans.insert("m".into(), Plan::text(Duration::from_millis(1), PIECES));
    let trust =
        TlsOptions::new().trust(Trust::GivenOnly).roots_pem(tls.ca_pem().as_bytes()).and_then(TlsOptions::build);
    Sides { tls, options: Arc::new(options), trust: trust.expect("it is trusted") }
});

struct Link {
    server: Peer,
    connection: Connection,
    storage: EventStorage,
    now: Duration,
    sizes: Vec<usize>,
    /// How many pieces there were.
    pieces: usize,
    damage: Option<Damage>,
    /// How many of the server's bytes are to pass before those that `damage` counts.
    passes: Option<usize>,
    /// How many have passed.
    passed: usize,
    /// The client sees no more of the server.
    is_cut: bool,
    text: String,
    outcome: Option<Outcome>,
    received: usize,
}

impl Link {
    fn new(sizes: Vec<usize>, damage: Option<Damage>, is_later: bool) -> Self {
        let Sides { tls, options, trust } = &*SIDES;
        let mut config = ConnectionConfig::default();
        config.tls = trust.clone();
        let endpoint = Endpoint::parse("wss://localhost").expect("an endpoint");
        let connection = Connection::new(&endpoint, Auth::new(TOKEN), &config, Duration::ZERO).expect("it starts");
        Link {
            server: Peer::new(World::new(), Arc::clone(options), Some(tls), None).expect("TLS starts"),
            connection,
            storage: EventStorage::new(),
            now: Duration::ZERO,
            sizes,
            pieces: 0,
            damage,
            passes: if is_later { None } else { Some(0) },
            passed: 0,
            is_cut: false,
            text: String::new(),
            outcome: None,
            received: 0,
        }
    }

    /// Asks once, and lets time go by until the answer has ended, whatever it takes.
    fn outcome(mut self) -> Outcome {
        self.connection.request(self.now, &Request::chat("hi").model("m")).expect("it waits for the WebSocket");
        // All deadlines are behind it by then.
        for _ in 0..10_000 {
            self.exchange();
            if let Some(outcome) = self.outcome {
                self.check(outcome);
                return outcome;
            }
            let next = [self.connection.next_deadline(), self.server.next_deadline()].into_iter().flatten().min();
            self.now = self.now.max(next.expect("somebody waits for something while an answer is owed"));
            self.server.handle_timeout(self.now);
            self.connection.handle_timeout(self.now);
        }
        panic!("the answer never ends");
    }

    fn check(&self, outcome: Outcome) {
        let whole = PIECES.concat();
        assert!(whole.starts_with(&self.text), "{:?} is not what the server has said", self.text);
        if outcome == Outcome::Complete {
            assert_eq!(self.text, whole);
        } else {
            assert!(self.damage.is_some(), "nothing was wrong: {outcome:?}");
        }
    }

    /// Moves bytes until none move.
    fn exchange(&mut self) {
        loop {
            let mut moves = self.take_events();
            while let Some(bytes) = self.connection.poll_transmit() {
                let len = bytes.len();
                assert!(!bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()), "the token is readable");
                self.server.receive(self.now, bytes);
                self.connection.transmitted(len);
                moves = true;
            }
            let mut bytes = Vec::new();
            while let Some(more) = self.server.poll_transmit() {
                let len = more.len();
                bytes.extend_from_slice(more);
                self.server.transmitted(len);
            }
            if bytes.is_empty() && !moves {
                break;
            }
            self.pass(bytes);
        }
        if self.server.finished() && !self.is_cut {
            self.is_cut = true;
            self.connection.handle_eof(self.now);
            self.take_events();
        }
    }

    /// Does to the server's bytes what is to be done, and hands them on in pieces.
    fn pass(&mut self, mut bytes: Vec<u8>) {
        if self.is_cut {
            return;
        }
        let start = self.passed;
        self.passed += bytes.len();
        let mut ends = false;
        if let (Some(Damage { at, what }), Some(passes)) = (&self.damage, self.passes)
            && let Some(at) = (passes + at).checked_sub(start).filter(|at| *at < bytes.len())
        {
            match what {
                What::Change(by) => bytes[at] ^= by,
                What::Insert(more) => drop(bytes.splice(at..at, more.iter().copied())),
                What::Remove(count) => drop(bytes.drain(at..bytes.len().min(at + count))),
                What::Cut => {
                    bytes.truncate(at);
                    ends = true;
                }
            }
        }
        let mut rest = &*bytes;
        while !rest.is_empty() {
            let size = match &*self.sizes {
                [] => rest.len(),
                sizes => sizes[self.pieces % sizes.len()].min(rest.len()),
            };
            self.pieces += 1;
            let (piece, behind) = rest.split_at(size);
            self.received += size;
            self.connection.receive(self.now, piece).expect("all that came before was taken");
            self.take_events();
            rest = behind;
        }
        if ends {
            self.is_cut = true;
            self.connection.handle_eof(self.now);
            self.take_events();
            self.server.handle_eof(self.now);
        }
    }

    /// Whether there was one.
    fn take_events(&mut self) -> bool {
        let mut any = false;
        while let Some(event) = self.connection.poll_event(self.now, &mut self.storage) {
            any = true;
            match event {
                // The handshake is behind it: the question is next.
                ConnectionEvent::Open => self.passes = self.passes.or(Some(self.passed)),
                ConnectionEvent::Session(Event::Delta { text, .. }) => self.text.push_str(text),
                ConnectionEvent::Session(Event::End(end)) => {
                    assert!(self.outcome.is_none(), "a turn ends once");
                    self.text.push_str(end.text);
                    assert_eq!(end.answer.text, self.text, "the pieces make the answer");
                    self.outcome = end.answer.outcome;
                }
                _ => {}
            }
        }
        let memory = self.connection.memory();
        assert!(memory <= 3 * self.received + (128 << 10), "{memory} bytes are held, and {} came", self.received);
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_of_a_frame_can_be_changed_and_none_cut_off_unnoticed() {
        let outcome = |what, at, is_later| Link::new(vec![100, 1], Some(Damage { at, what }), is_later).outcome();
        for at in (0..700).step_by(3) {
            outcome(What::Change(1 << (at % 8)), at, false);
            assert_ne!(outcome(What::Cut, at, false), Outcome::Complete, "cut at {at}");
        }
        // Behind the head of the record with the first frame: what the head says of type and version is not authentic.
        for at in 5..100 {
            assert_ne!(outcome(What::Change(1 << (at % 8)), at, true), Outcome::Complete, "changed at {at}");
        }
    }
}
