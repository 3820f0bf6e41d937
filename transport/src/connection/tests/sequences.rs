//! Every short sequence of what a host, a server and a network can do, byte by byte, and what must hold after each step: a
//! turn ends once, the connection is over once and then inert, and a close comes to its end, whatever came before it.

use std::time::Duration;

use chatnio_core::RequestKind;

use super::*;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Do {
    Ask,
    Tell,
    Stop,
    Opener,
    Piece,
    End,
    Garbage,
    Empty,
    Binary,
    Fragment,
    Ping,
    ServerClose,
    /// What no WebSocket may send.
    Broken,
    Eof,
    Error,
    /// The deadline passes.
    Wake,
    /// The deadline passes, and the host has a message to take before it looks at its timer.
    WakeWithMessage,
    /// The timer runs out too early.
    Early,
    /// The clock goes back.
    Back,
    Close,
    CloseAtOnce,
    Reconnect,
}

const ALL: [Do; 22] = [
    Do::Ask,
    Do::Tell,
    Do::Stop,
    Do::Opener,
    Do::Piece,
    Do::End,
    Do::Garbage,
    Do::Empty,
    Do::Binary,
    Do::Fragment,
    Do::Ping,
    Do::ServerClose,
    Do::Broken,
    Do::Eof,
    Do::Error,
    Do::Wake,
    Do::WakeWithMessage,
    Do::Early,
    Do::Back,
    Do::Close,
    Do::CloseAtOnce,
    Do::Reconnect,
];

const OPENER: &str = r#"{"conversation":29,"quota":0,"message":"","end":false}"#;
const PIECE: &str = r#"{"conversation":0,"quota":0.1,"message":"caf\u00e9 é","end":false}"#;
const END: &str = r#"{"conversation":0,"quota":0.1,"message":"","end":true}"#;

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, payload.len() as u8], payload].concat()
}

/// How long they are. With 3 it takes ten seconds.
const LEN: u32 = 2;

struct Run {
    link: Link,
    begun: u64,
    ended: u64,
    text: String,
    is_open: bool,
    is_closed: bool,
    done: Vec<Do>,
}

impl Run {
    fn new(change: impl FnOnce(&mut ConnectionConfig)) -> Self {
        let link = Link::new(Auth::new("sk-secret-token"), false, change);
        Run { link, begun: 0, ended: 0, text: String::new(), is_open: false, is_closed: false, done: Vec::new() }
    }

    fn act(&mut self, what: Do) {
        self.done.push(what);
        let now = self.link.now;
        match what {
            Do::Ask => self.request(&Request::chat("hi")),
            Do::Tell => self.request(&Request::remove(0)),
            Do::Stop => drop(self.link.connection.stop(now)),
            Do::Opener => self.text(OPENER),
            Do::Piece => self.text(PIECE),
            Do::End => self.text(END),
            Do::Garbage => self.text("garbage"),
            Do::Empty => self.text(""),
            Do::Binary => self.bytes(&frame(0x82, b"\xff")),
            Do::Fragment => {
                self.bytes(&frame(0x01, &PIECE.as_bytes()[..55]));
                self.bytes(&frame(0x89, b"?"));
                self.bytes(&frame(0x80, &PIECE.as_bytes()[55..]));
            }
            Do::Ping => self.bytes(&frame(0x89, b"?")),
            Do::ServerClose => self.bytes(&frame(0x88, b"\x03\xe9bye")),
            Do::Broken => self.bytes(&frame(0x83, b"")),
            Do::Eof => self.link.connection.handle_eof(now),
            Do::Error => self.link.connection.handle_error(now, io::ErrorKind::ConnectionReset),
            Do::Wake => self.wake(),
            Do::WakeWithMessage => {
                self.link.now = self.link.connection.next_deadline().unwrap_or(now);
                self.text("garbage");
                if self.link.connection.next_deadline().is_some_and(|at| at <= self.link.now) {
                    self.link.connection.handle_timeout(self.link.now);
                }
            }
            Do::Early => self.link.connection.handle_timeout(now),
            Do::Back => {
                self.link.connection.handle_timeout(Duration::ZERO);
                self.link.now = Duration::ZERO;
                self.exchange();
                self.link.now = now;
            }
            Do::Close => self.link.connection.close(now),
            Do::CloseAtOnce => self.link.connection.close_at_once(now),
            Do::Reconnect => {
                let end = self.link.connection.reconnect(now).unwrap();
                let end = end.map(ConnectionEvent::Session);
                (self.is_open, self.is_closed) = (false, false);
                if let Some(event) = end {
                    self.told(event);
                }
                self.link.peer = Peer::plain();
                self.text.clear();
            }
        }
        self.exchange();
        let at = self.link.connection.next_deadline();
        assert!(at.is_none_or(|at| at > self.link.now), "it spins");
        let state = self.link.connection.session().state();
        let runs = matches!(state, State::Asking | State::Answering | State::Stopping);
        assert_eq!(self.begun - self.ended, u64::from(runs), "{state}");
        assert_eq!(self.is_closed, self.link.connection.end().is_some());
        if self.link.connection.is_finished() {
            assert!(at.is_none() && self.link.connection.poll_transmit().is_none());
            assert_eq!(state, State::Closed);
        }
    }

    fn request(&mut self, request: &Request) {
        let result = self.link.connection.request(self.link.now, request);
        self.begun += u64::from(result.is_ok() && request.kind() == RequestKind::Chat);
    }

    fn text(&mut self, text: &str) {
        self.bytes(&frame(0x81, text.as_bytes()));
    }

    /// One byte after the other. Before the WebSocket is open they are no answer to the request for one.
    fn bytes(&mut self, bytes: &[u8]) {
        if self.is_open {
            for byte in bytes {
                self.link.connection.receive(self.link.now, &[*byte]).unwrap();
                self.poll();
            }
        }
    }

    fn wake(&mut self) {
        if let Some(at) = self.link.connection.next_deadline() {
            self.link.now = at;
            self.link.connection.handle_timeout(at);
        }
    }

    fn poll(&mut self) {
        let mut storage = EventStorage::new();
        while let Some(event) = self.link.connection.poll_event(self.link.now, &mut storage) {
            self.told(event);
        }
    }

    /// Moves bytes both ways; the server answers the request for a WebSocket, and nothing else.
    fn exchange(&mut self) {
        self.poll();
        while let Some(bytes) = self.link.connection.poll_transmit() {
            let n = bytes.len();
            self.link.peer.receive(bytes);
            self.link.connection.transmitted(n);
            if self.link.peer.has_request() {
                self.link.peer.accept();
                let bytes = self.link.peer.output();
                for byte in bytes {
                    self.link.connection.receive(self.link.now, &[byte]).unwrap();
                }
                self.poll();
            }
        }
        self.poll();
    }

    fn told(&mut self, event: ConnectionEvent<'_>) {
        assert!(!self.is_closed, "after the end: {event:?}");
        match event {
            ConnectionEvent::Session(Event::Delta { turn, text, .. }) => {
                assert_eq!(turn, self.begun);
                self.text += text;
            }
            ConnectionEvent::Session(Event::End(end)) => {
                self.text += end.text;
                self.ended += 1;
                assert_eq!((end.answer.turn, self.ended), (self.begun, self.begun), "a turn ends once");
                assert_eq!(end.answer.text, std::mem::take(&mut self.text));
            }
            ConnectionEvent::Open => self.is_open = true,
            ConnectionEvent::Closed(_) => {
                assert_eq!(self.begun, self.ended, "the turn's end comes first");
                self.is_closed = true;
            }
            _ => {}
        }
    }

    /// A close comes to its end, where the server says nothing and the host only wakes when it is told to.
    fn finish(&mut self) {
        self.act(Do::Close);
        for _ in 0..10 {
            if self.link.connection.is_finished() {
                return;
            }
            self.act(Do::Wake);
        }
        panic!("a close comes to no end: {:?}, {:?}", self.link.connection, self.link.connection.next_deadline());
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("after {:?}", self.done);
        }
    }
}

fn every_sequence(before: &[Do], len: u32, change: impl Fn(&mut ConnectionConfig)) {
    for number in 0..ALL.len().pow(len) {
        let mut run = Run::new(&change);
        before.iter().for_each(|what| run.act(*what));
        let mut left = number;
        for _ in 0..len {
            run.act(ALL[left % ALL.len()]);
            left /= ALL.len();
        }
        run.finish();
    }
}

/// The only deadline is that of the close, and what the session holds.
fn without_timers(config: &mut ConnectionConfig) {
    config.ping_after = Duration::ZERO;
    config.handshake = Duration::ZERO;
    config.session.keep_alive = Duration::ZERO;
    config.session.first_frame = Duration::ZERO;
    config.session.next_frame = Duration::ZERO;
    config.session.after_stop = Duration::ZERO;
    config.session.stop_repeats.clear();
}

#[test]
fn from_the_start() {
    every_sequence(&[], LEN, |_| {});
}

#[test]
fn while_it_answers() {
    every_sequence(&[Do::Ask, Do::Opener, Do::Piece], LEN, |_| {});
}

#[test]
fn while_something_is_held() {
    every_sequence(&[Do::Ask, Do::Opener, Do::End, Do::Tell], LEN, |_| {});
    every_sequence(&[Do::Ask, Do::Opener, Do::End, Do::Tell], LEN, without_timers);
}

#[test]
fn while_it_closes() {
    every_sequence(&[Do::Ask, Do::Opener, Do::End, Do::Tell, Do::Close], LEN, without_timers);
    every_sequence(&[Do::Ask, Do::Piece, Do::Close], LEN, |_| {});
}
