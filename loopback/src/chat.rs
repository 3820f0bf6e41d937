//! One connection's server at the level of messages: text in, frames out, time as an argument.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::answer::Answer;
use crate::conversation::Conversation;
use crate::form::PING;
use crate::frame::Frame;
use crate::options::Options;
use crate::queue::Queue;
use crate::script::{Playback, Reply};
use crate::storage::Storage;
use crate::world::World;

mod requests;
mod running;

/// How often 2026 looks for a stop (protocol.md, R3.16).
const TICK: Duration = Duration::from_millis(100);

/// Frames that may wait for the host. With as many the model stands still, as a real server does when
/// the socket takes no more (protocol.md, R2.40).
const WAITING: usize = 32;

/// What the server does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send this text message: a frame with its trailing newline, or what a plan or script put in its
    /// place.
    Frame(String),
    /// Send this binary message. Only plans with [`Piece::Binary`](crate::Piece::Binary) ask for it.
    Binary(Vec<u8>),
    /// Cut the connection now, after what was handed out before. Nothing follows.
    Drop,
}

/// The server's side of one connection, between the WebSocket and the world.
///
/// It reads no clock: `now` is the time since an origin of the host's choice, the same in all calls; a
/// `now` that goes back counts as the latest one. Events are carried out in the order of their time:
/// at each call first what was due up to `now`, then what the call brings. After any call the host
/// takes outputs until there are none, and calls [`Chat::handle_timeout`] when
/// [`Chat::next_deadline`] has come.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use chatnio_loopback::{Chat, Generation, Options, Output, World};
///
/// let mut chat = Chat::new(World::new(), Arc::new(Options::new(Generation::G2024)));
/// let mut now = Duration::ZERO;
/// chat.receive(now, r#"{"token":"anonymous","id":-1}"#);
/// chat.receive(now, r#"{"type":"chat","message":"hi"}"#);
/// let mut frames = 0;
/// loop {
///     while let Some(output) = chat.poll_output(now) {
///         assert!(matches!(output, Output::Frame(_)));
///         frames += 1;
///     }
///     let Some(deadline) = chat.next_deadline() else { break };
///     now = deadline;
///     chat.handle_timeout(now);
/// }
/// assert!(frames > 3);
/// ```
pub struct Chat {
    world: World,
    /// Which connection of the world it is, for whoever hears the requests of all.
    number: u64,
    options: Arc<Options>,
    /// The time of the event that is being carried out; the latest `now` between calls.
    now: Duration,
    stage: Stage,
    conversation: Conversation,
    queue: Queue,
    /// The request loop has ended, while the connection may stay.
    loop_ended: bool,
    storage: Storage,
    /// When the request loop has stored what it is storing. Until then it takes no request.
    stored: Duration,
    answer: Option<Answer>,
    answers: u64,
    /// The pollers for a stop (2026): the running answer's, and those of answers that ended before
    /// their next tick.
    pollers: Vec<Poller>,
    outputs: VecDeque<Output>,
    playback: Option<Playback>,
    /// The authentication came: what follows are requests.
    hears_requests: bool,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The authentication is awaited.
    New,
    /// Requests are read.
    Open,
    /// The socket is open, but nobody reads it any more (2023 after a bad authentication: protocol.md, R1.9).
    Deaf,
    /// The socket is closed. A running answer goes on until its next piece.
    Dropped,
}

/// Looks for a stop every [`TICK`] (2026). It learns of its answer's end only at its next tick, and
/// has taken a stop from the queue by then (protocol.md, R5.3).
struct Poller {
    answer: u64,
    tick: Duration,
    /// What it found out while the socket took no more.
    unread: u8,
}

/// An event that time brings.
enum Event {
    Answer,
    /// The request loop has stored what it was storing, and a request waits for it.
    Stored,
    Tick(usize),
}

impl Chat {
    /// A fresh connection to a world.
    #[must_use]
    pub fn new(world: World, options: Arc<Options>) -> Self {
        let mut chat = Self {
            number: world.next_chat(),
            world,
            now: Duration::ZERO,
            stage: Stage::New,
            conversation: Conversation::default(),
            queue: Queue::default(),
            loop_ended: false,
            storage: Storage::new(&options),
            stored: Duration::ZERO,
            answer: None,
            answers: 0,
            pollers: Vec::new(),
            outputs: VecDeque::new(),
            playback: None,
            hears_requests: false,
            options,
        };
        if let Some(script) = &chat.options.script {
            let mut replies = Vec::new();
            chat.playback = Some(Playback::start(script.clone(), &mut replies));
            chat.play(replies);
        }
        chat
    }

    /// Takes in a message of the client; real servers treat binary messages as text (protocol.md, R2.12).
    pub fn receive(&mut self, now: Duration, text: &str) {
        self.run(now);
        match self.stage {
            Stage::Deaf | Stage::Dropped => return,
            Stage::New | Stage::Open => {}
        }
        if text != PING
            && std::mem::replace(&mut self.hears_requests, true)
            && let Some(hearer) = &self.options.hearer
        {
            hearer(self.number, text);
        }
        // Never queued, and allowed at any time (protocol.md, R2.36 and R2.37).
        if text == PING {
            self.world.count(|stats| stats.pings += 1);
        } else if let Some(playback) = &mut self.playback {
            let mut replies = Vec::new();
            playback.receive(text, &mut replies);
            self.play(replies);
        } else if self.stage == Stage::New {
            self.authenticate(text);
        } else {
            self.enqueue(text);
        }
        self.run(now);
    }

    /// The client closed its side, by a Close frame or the end of stream.
    pub fn handle_eof(&mut self, now: Duration) {
        self.run(now);
        self.drop_socket();
        self.run(now);
    }

    /// Carries out what is due at `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.run(now);
    }

    /// What the server does next, if there is something at `now`.
    pub fn poll_output(&mut self, now: Duration) -> Option<Output> {
        self.run(now);
        self.outputs.pop_front()
    }

    /// When [`Chat::handle_timeout`] is to be called next. May change with every call. After
    /// [`Output::Drop`] it says when the lost connection's answer will have been stored.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let (due, event) = self.next_event()?;
        // A tick finds nothing in an empty queue, so nobody needs to wake up for it.
        match event {
            Event::Tick(_) if self.queue.is_empty() => self.answer_due(),
            _ => Some(due),
        }
    }

    /// Whether the socket is open but nothing is read from it any more, not even pings: 2023 after an
    /// authentication of a wrong type (protocol.md, R1.9).
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.stage == Stage::Deaf
    }

    /// Carries out, in the order of their time, all events that are due.
    fn run(&mut self, now: Duration) {
        let now = now.max(self.now);
        loop {
            self.serve();
            let Some((due, event)) = self.next_event().filter(|(due, _)| *due <= now) else {
                break;
            };
            self.now = self.now.max(due);
            match event {
                Event::Answer => self.step(),
                Event::Stored => {}
                Event::Tick(poller) => self.tick(poller),
            }
        }
        self.now = now;
    }

    fn next_event(&self) -> Option<(Duration, Event)> {
        let answer = self.answer_due().map(|due| (due, Event::Answer));
        let stored = self.stored_due().map(|due| (due, Event::Stored));
        let tick = self.pollers.iter().enumerate().min_by_key(|(_, poller)| poller.tick);
        let tick = tick.map(|(index, poller)| (poller.tick, Event::Tick(index)));
        [answer, stored, tick].into_iter().flatten().min_by_key(|(due, _)| *due)
    }

    /// When the request loop takes the next of the requests that wait for it.
    fn stored_due(&self) -> Option<Duration> {
        let waits = self.answer.is_none() && !self.loop_ended && !self.is_blocked() && !self.queue.is_empty();
        waits.then_some(self.stored)
    }

    /// When the running answer goes on, unless too many frames wait.
    fn answer_due(&self) -> Option<Duration> {
        if self.is_blocked() { None } else { self.answer.as_ref()?.due }
    }

    fn is_blocked(&self) -> bool {
        self.stage != Stage::Dropped && self.outputs.len() >= WAITING
    }

    // The writer.

    /// Ends the answer with a text of the server's own.
    fn send_end(&mut self, message: &str) {
        self.send(&Frame { message, end: true, ..Frame::default() });
    }

    fn send(&mut self, frame: &Frame<'_>) {
        if self.stage != Stage::Dropped {
            let text = frame.encode(self.options.generation);
            self.world.count(|stats| {
                stats.frames += 1;
                stats.ends += u64::from(frame.end);
            });
            self.outputs.push_back(Output::Frame(text));
        }
    }

    fn push(&mut self, output: Output) {
        if self.stage != Stage::Dropped {
            self.world.count(|stats| stats.frames += 1);
            self.outputs.push_back(output);
        }
    }

    fn play(&mut self, replies: Vec<Reply>) {
        for reply in replies {
            match reply {
                Reply::Frame(text) => self.push(Output::Frame(text)),
                Reply::Closed => self.drop_socket(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
