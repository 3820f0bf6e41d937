//! The message level.

use std::hint::black_box;
use std::time::Duration;

use chatnio_core::{Auth, Chunk, Config, Event, EventStorage, Request, Session};

use crate::messages::{END, OPENER};

/// The time does not pass: reading a clock is the host's.
const NOW: Duration = Duration::from_secs(1);

/// Decodes one message; the length of its text as it stands there.
#[inline]
pub fn decode(message: &str) -> usize {
    let chunk = Chunk::decode(black_box(message)).expect("a good message");
    black_box(&chunk).message.map_or(0, |text| text.as_plain().map_or(1, str::len))
}

/// A session whose question is being answered.
pub struct Answering(Session, EventStorage);

impl Answering {
    /// It has asked, and its opener has come.
    pub fn new() -> Self {
        let mut answering = Idle::new().ask("hi");
        answering.receive(OPENER);
        answering
    }

    /// Takes one message; the length of its piece.
    #[inline]
    pub fn receive(&mut self, message: &str) -> usize {
        match self.0.receive(NOW, black_box(message), &mut self.1) {
            Some(Event::Delta { text, .. }) => black_box(text).len(),
            Some(Event::Malformed { error, .. }) => panic!("{error}"),
            _ => 0,
        }
    }

    /// The same for bytes that nobody has looked at, as a host of C has them.
    #[inline]
    pub fn receive_bytes(&mut self, message: &[u8]) -> usize {
        self.receive(std::str::from_utf8(black_box(message)).expect("UTF-8"))
    }

    /// Takes the end.
    pub fn end(mut self) -> Idle {
        self.receive(END);
        Idle(self.0)
    }
}

impl Default for Answering {
    fn default() -> Self {
        Self::new()
    }
}

/// A session that waits for a question.
pub struct Idle(Session);

impl Idle {
    /// Without an account.
    pub fn new() -> Self {
        Idle(Session::new(Auth::anonymous(), Config::default(), NOW).expect("a session"))
    }

    /// With a token of this length.
    pub fn with_token(length: usize) -> Self {
        Idle(Session::new(Auth::new("t".repeat(length)), Config::default(), NOW).expect("a session"))
    }

    /// Asks, and takes what is to be sent.
    pub fn ask(mut self, question: &str) -> Answering {
        let request = Request::chat(black_box(question)).model("gpt-4");
        self.0.request(NOW, &request).expect("an idle session");
        while let Some(message) = self.0.poll_transmit() {
            black_box(message);
        }
        Answering(self.0, EventStorage::new())
    }
}

impl Default for Idle {
    fn default() -> Self {
        Self::new()
    }
}
