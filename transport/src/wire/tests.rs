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

use super::{Closed, Incoming, Wire, WireConfig};
use crate::endpoint::Endpoint;
use crate::error::WireError;
use crate::test_peer::Peer;

/// A wire and its server.
struct Link {
    wire: Wire,
    peer: Peer,
    now: Duration,
}

impl Link {
    fn plain() -> Self {
        Self::new("ws://localhost/chat", &WireConfig::default(), Peer::plain())
    }

    fn new(url: &str, config: &WireConfig, peer: Peer) -> Self {
        // Not zero, so that a deadline without its start shows.
        let now = Duration::from_secs(1000);
        let wire = Wire::new(now, &Endpoint::parse(url).unwrap(), config).unwrap();
        Self { wire, peer, now }
    }

    /// A link whose WebSocket is open.
    fn open_with(url: &str, config: &WireConfig, peer: Peer) -> Self {
        let mut link = Self::new(url, config, peer);
        assert_eq!(link.shake_hands(), [Incoming::Open]);
        link
    }

    fn open() -> Self {
        Self::open_with("ws://localhost/chat", &WireConfig::default(), Peer::plain())
    }

    /// Both handshakes; gives what the wire says.
    fn shake_hands(&mut self) -> Vec<Incoming> {
        let mut events = self.exchange();
        if self.peer.has_request() {
            self.peer.accept();
            events.extend(self.exchange());
        }
        events
    }

    /// Moves bytes both ways until none is left.
    fn exchange(&mut self) -> Vec<Incoming> {
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

    fn receive(&mut self, bytes: &[u8]) -> Vec<Incoming> {
        self.wire.receive(self.now, bytes);
        self.events()
    }

    fn eof(&mut self) -> Vec<Incoming> {
        self.wire.handle_eof(self.now);
        self.events()
    }

    fn events(&mut self) -> Vec<Incoming> {
        std::iter::from_fn(|| self.wire.next(self.now)).collect()
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

fn text(text: &str) -> Incoming {
    Incoming::Text(text.into())
}

fn lost(error: WireError) -> Vec<Incoming> {
    vec![Incoming::Closed(Closed::Lost(error))]
}

fn clean() -> Vec<Incoming> {
    vec![Incoming::Closed(Closed::Clean)]
}

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
