//! The wire against a server in memory: tungstenite's server role, rustls' server, simulated time.

mod certificates;
mod close;
mod keepalive;
mod logs;
mod messages;
mod proxies;
mod refusals;
pub(crate) mod tls;

use std::time::Duration;

use super::{Incoming, Wire};
use crate::config::ConnectionConfig;
use crate::end::ConnectionEnd;
use crate::endpoint::Endpoint;
use crate::error::WireError;
use crate::random::Random;
use crate::test_peer::Peer;

/// What came, with its text.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Open,
    Text(String),
    Binary,
    Closed(ConnectionEnd),
}

/// A wire and its server.
struct Link {
    wire: Wire,
    peer: Peer,
    now: Duration,
}

impl Link {
    fn plain() -> Self {
        Self::new("ws://localhost/chat", &ConnectionConfig::default(), Peer::plain())
    }

    fn new(url: &str, config: &ConnectionConfig, peer: Peer) -> Self {
        // Not zero, so that a deadline without its start shows.
        let now = Duration::from_secs(1000);
        let wire =
            Wire::new(now, &Endpoint::parse(url).unwrap(), config, &chatnio_core::Auth::anonymous(), Random::system())
                .unwrap();
        Self { wire, peer, now }
    }

    /// A link whose WebSocket is open.
    fn open_with(url: &str, config: &ConnectionConfig, peer: Peer) -> Self {
        let mut link = Self::new(url, config, peer);
        assert_eq!(link.shake_hands(), [Got::Open]);
        link
    }

    fn open() -> Self {
        Self::open_with("ws://localhost/chat", &ConnectionConfig::default(), Peer::plain())
    }

    /// Both handshakes; gives what the wire says.
    fn shake_hands(&mut self) -> Vec<Got> {
        let mut events = self.exchange();
        if self.peer.has_request() {
            self.peer.accept();
            events.extend(self.exchange());
        }
        events
    }

    /// Moves bytes both ways until none is left.
    fn exchange(&mut self) -> Vec<Got> {
        let mut events = Vec::new();
        for _ in 0..20 {
            self.send_all();
            let bytes = self.peer.output();
            if bytes.is_empty() {
                return events;
            }
            events.extend(self.receive(&bytes));
        }
        panic!("the two never fall silent");
    }

    fn send_all(&mut self) {
        while let Some(bytes) = self.wire.poll_transmit() {
            let n = bytes.len();
            self.peer.receive(bytes);
            self.wire.transmitted(n);
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Vec<Got> {
        self.wire.receive(self.now, bytes);
        self.events()
    }

    fn eof(&mut self) -> Vec<Got> {
        self.wire.handle_eof(self.now);
        self.events()
    }

    fn events(&mut self) -> Vec<Got> {
        let mut message = String::new();
        let next = || {
            Some(match self.wire.next(self.now, &mut message)? {
                Incoming::Open => Got::Open,
                Incoming::Text => Got::Text(message.clone()),
                Incoming::Binary => Got::Binary,
                Incoming::Closed(end) => Got::Closed(end),
            })
        };
        std::iter::from_fn(next).collect()
    }

    /// Lets time pass until the deadline; gives the time that passed.
    fn wait(&mut self) -> Duration {
        let deadline = self.wire.next_deadline().expect("a deadline");
        assert!(deadline > self.now, "a deadline that does not move is a busy loop");
        let passed = deadline - self.now;
        self.wire.handle_timeout(deadline - Duration::from_nanos(1));
        assert_eq!(self.wire.next_deadline(), Some(deadline), "nothing happens before the deadline");
        self.now = deadline;
        self.wire.handle_timeout(deadline);
        passed
    }
}

/// Settings that limit the length of a message.
fn limited(max_message: usize) -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.session.max_message = max_message;
    config
}

fn text(text: &str) -> Got {
    Got::Text(text.into())
}

fn lost(error: WireError) -> Vec<Got> {
    vec![Got::Closed(ConnectionEnd::Lost(error))]
}

fn clean() -> Vec<Got> {
    vec![Got::Closed(ConnectionEnd::Clean)]
}

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
