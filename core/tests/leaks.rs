//! What comes leaves nothing behind: as the allocator counts it, whatever the session says of its own memory.

use std::alloc::System;
use std::time::Duration;

use chatnio_core::{Auth, CloseReason, Config, EventStorage, Request, Session, State};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const NOW: Duration = Duration::ZERO;

/// The longest message that is taken.
const LIMIT: usize = 1000;

/// What nobody can read.
const MALFORMED: [&str; 4] = ["not JSON", r#"{"message":5}"#, r#"{"message":"a"} junk"#, "\"\u{e9}"];

/// A session and what it is used with.
struct Host {
    session: Session,
    storage: EventStorage,
    too_long: String,
}

impl Host {
    fn new() -> Self {
        let mut config = Config::default();
        config.max_message = LIMIT;
        config.settle = Duration::ZERO;
        let session = Session::new(Auth::new("sk-0123456789"), config, NOW).unwrap();
        Host { session, storage: EventStorage::new(), too_long: "x".repeat(LIMIT + 1) }
    }

    fn receive(&mut self, message: &str) {
        assert!(self.session.receive(NOW, message, &mut self.storage).is_some(), "{message}");
        while self.session.handle_timeout(NOW, &mut self.storage).is_some() {}
    }

    fn ask(&mut self) {
        self.session.request(NOW, &Request::chat("hi")).unwrap();
        while self.session.poll_transmit().is_some() {}
    }

    /// What is malformed, in each form.
    fn malformed(&mut self) {
        MALFORMED.iter().for_each(|message| self.receive(message));
        drop(self.session.receive_binary(NOW));
    }

    fn malformed_while_idle(&mut self) {
        self.malformed();
        assert_eq!(self.session.state(), State::Idle);
    }

    fn malformed_in_an_answer(&mut self) {
        if self.session.state() == State::Idle {
            self.ask();
            self.receive(r#"{"message":"a"}"#);
        }
        self.malformed();
        assert_eq!(self.session.state(), State::Answering);
    }

    fn strays(&mut self) {
        self.receive(r#"{"message":"a stray"}"#);
        self.receive(r#"{"message":"some"}{"message":"strays \u0061nd"}{"message":1}"#);
        assert_eq!(self.session.state(), State::Idle);
    }

    /// Each ends the connection.
    fn ends_that_cannot_be(&mut self) {
        self.receive(r#"{"message":"a stray"}"#);
        self.receive(r#"{"message":"","end":true,"quota":0.1}"#);
        assert_eq!(self.session.state(), State::Closed);
        drop(self.session.reconnect(NOW));
    }

    fn turns(&mut self) {
        self.ask();
        self.receive(r#"{"message":"an \u0061nswer","quota":0.1}"#);
        self.receive(r#"{"message":"","end":true,"quota":0.1}"#);
        assert_eq!(self.session.state(), State::Idle);
    }

    fn refusals(&mut self) {
        if self.session.state() == State::Idle {
            self.ask();
        }
        assert!(self.session.request(NOW, &Request::chat("hi")).is_err());
    }

    /// Each ends with a turn that runs, frames that wait and a request that was not sent.
    fn connections(&mut self) {
        self.session.request(NOW, &Request::chat("hi")).unwrap();
        drop(self.session.receive(NOW, r#"{"message":"a"}{"message":"b"}"#, &mut self.storage));
        assert!(self.session.holds_frames());
        drop(self.session.reconnect(NOW));
    }

    fn losses(&mut self) {
        self.ask();
        drop(self.session.closed(CloseReason::Lost));
        drop(self.session.reconnect(NOW));
    }

    /// Each ends the connection.
    fn too_long(&mut self) {
        self.ask();
        assert!(self.session.receive(NOW, &self.too_long, &mut self.storage).is_some());
        drop(self.session.reconnect(NOW));
    }
}

/// What is done again and again.
type Round = fn(&mut Host);

/// How many bytes more are held after `rounds`.
fn grown(host: &mut Host, round: Round, rounds: usize) -> isize {
    let region = Region::new(ALLOCATOR);
    (0..rounds).for_each(|_| round(host));
    let change = region.change();
    change.bytes_allocated.wrapping_sub(change.bytes_deallocated) as isize
}

// One test, because the counter is the process's.
#[test]
fn nothing_grows_with_what_came() {
    let rounds: [(&str, Round); 9] = [
        ("malformed while idle", Host::malformed_while_idle),
        ("malformed in an answer", Host::malformed_in_an_answer),
        ("strays", Host::strays),
        ("ends that cannot be", Host::ends_that_cannot_be),
        ("turns", Host::turns),
        ("refusals", Host::refusals),
        ("connections", Host::connections),
        ("losses", Host::losses),
        ("too long", Host::too_long),
    ];
    for (what, round) in rounds {
        let mut host = Host::new();
        grown(&mut host, round, 10);
        let grown = grown(&mut host, round, 5000);
        assert!(grown < 5000, "{what}: {grown} bytes more after 5000 rounds");
    }
    // That a byte for each would show.
    let mut kept = Vec::new();
    let region = Region::new(ALLOCATOR);
    (0..5000).for_each(|_| kept.push(Box::new(0_u8)));
    let change = region.change();
    assert!(change.bytes_allocated - change.bytes_deallocated >= 5000);
}
