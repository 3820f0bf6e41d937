//! The connection against a server in memory.

mod rules;
mod sequences;
mod transcripts;

use std::time::Duration;

use super::*;
use crate::test_peer::{Ca, Peer};
use crate::wire::tests::tls::trusting;

/// Settings that record.
fn recording() -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.session.record = true;
    config
}

/// A connection and its server.
struct Link {
    connection: Connection,
    peer: Peer,
    now: Duration,
    /// How many bytes the server has sent.
    received: usize,
    /// The server's stream is cut behind so many of its bytes.
    cuts: Vec<usize>,
    /// Whether it comes in single bytes.
    byte_by_byte: bool,
}

/// An event as an owned text: enough to compare.
type Log = Vec<String>;

impl Link {
    fn new(auth: Auth, tls: bool, change: impl FnOnce(&mut ConnectionConfig)) -> Self {
        let mut config = recording();
        let (url, peer) = if tls {
            config.tls = trusting();
            ("wss://localhost/chat", Peer::tls(Ca::get().server()))
        } else {
            ("ws://localhost/chat", Peer::plain())
        };
        change(&mut config);
        // Not zero, so that a deadline without its start shows.
        let now = Duration::from_secs(1000);
        let connection = Connection::new(&Endpoint::parse(url).unwrap(), auth, &config, now).unwrap();
        Link { connection, peer, now, received: 0, cuts: Vec::new(), byte_by_byte: false }
    }

    /// A plain link whose WebSocket is open.
    fn open() -> Self {
        Self::open_with(|_| ())
    }

    fn open_with(change: impl FnOnce(&mut ConnectionConfig)) -> Self {
        let mut link = Self::new(Auth::new("sk-secret-token"), false, change);
        assert_eq!(link.exchange(), ["open"]);
        link
    }

    /// Moves bytes both ways until none is left; says what the connection said.
    fn exchange(&mut self) -> Log {
        let mut log = Log::new();
        self.exchange_with(&mut |event| log.push(describe(event)));
        log
    }

    fn exchange_with(&mut self, on: &mut dyn FnMut(ConnectionEvent<'_>)) {
        loop {
            self.poll(on);
            let mut idle = true;
            while let Some(bytes) = self.connection.poll_transmit() {
                let n = bytes.len();
                self.peer.receive(bytes);
                self.connection.transmitted(n);
                idle = false;
            }
            if self.peer.has_request() {
                self.peer.accept();
            }
            let bytes = self.peer.output();
            if idle && bytes.is_empty() {
                return;
            }
            self.deliver(&bytes, on);
        }
    }

    fn deliver(&mut self, bytes: &[u8], on: &mut dyn FnMut(ConnectionEvent<'_>)) {
        let start = self.received;
        self.received += bytes.len();
        let mut from = 0;
        for to in 1..=bytes.len() {
            if to == bytes.len() || self.byte_by_byte || self.cuts.contains(&(start + to)) {
                self.connection.receive(self.now, &bytes[from..to]).unwrap();
                self.poll(on);
                from = to;
            }
        }
    }

    fn poll(&mut self, on: &mut dyn FnMut(ConnectionEvent<'_>)) {
        let mut storage = EventStorage::new();
        while let Some(event) = self.connection.poll_event(self.now, &mut storage) {
            on(event);
        }
    }

    /// Lets time pass until the deadline.
    fn wait(&mut self) -> Log {
        let deadline = self.connection.next_deadline().expect("a deadline");
        assert!(deadline > self.now, "a deadline that does not move is a busy loop");
        self.now = deadline;
        self.connection.handle_timeout(deadline);
        self.exchange()
    }

    fn eof(&mut self) -> Log {
        self.connection.handle_eof(self.now);
        self.exchange()
    }

    /// The text messages that the server got.
    fn messages(&mut self) -> Vec<String> {
        let messages = self.peer.read();
        messages.iter().filter(|message| message.is_text()).map(|message| message.to_text().unwrap().into()).collect()
    }
}

fn describe(event: ConnectionEvent<'_>) -> String {
    match event {
        ConnectionEvent::Open => "open".into(),
        ConnectionEvent::Session(Event::Opened { conversation, .. }) => format!("opened {conversation:?}"),
        ConnectionEvent::Session(Event::Delta { text, .. }) => format!("delta {text}"),
        ConnectionEvent::Session(Event::End(end)) => {
            format!("end {} {}", end.answer.text, end.answer.outcome.unwrap())
        }
        ConnectionEvent::Session(Event::Stray { text, .. }) => format!("stray {text}"),
        ConnectionEvent::Session(event) => format!("{event:?}"),
        ConnectionEvent::Closed(end) => format!("closed: {end}"),
    }
}
