//! `Session`: the state machine of one connection.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use core::time::Duration;

use crate::answer::{Answer, Interruption, Outcome};
use crate::auth::{Auth, AuthError};
use crate::chunk::{Chunk, Malformed};
use crate::config::Config;
use crate::event::{Conversation, End, Event, Piece, ReceiveError};
use crate::message::{Message, RequestKind};
use crate::request::{Request, RequestError};
use crate::turn::{Absorbed, Due, Turn, deadline};

/// The text of the second end that a stopped turn without a piece leaves behind (protocol.md, section 3).
const EMPTY_RESPONSE: &str = "empty response";

/// The chat protocol on one connection, at message level and without I/O.
///
/// Messages go in by [`receive`](Self::receive), time by [`handle_timeout`](Self::handle_timeout) and the host's
/// wishes by [`request`](Self::request) and [`stop`](Self::stop); messages for the server come out of
/// [`poll_transmit`](Self::poll_transmit). Nothing blocks and no clock is read: `now` is the time since an origin
/// of the host's choice. A `now` that goes back counts as standing still.
///
/// **After any call that takes `now`**, send what `poll_transmit` hands out until it returns `None`, and arm the
/// timer with [`next_deadline`](Self::next_deadline) anew.
#[derive(Debug)]
pub struct Session {
    config: Config,
    auth: Auth,
    /// Encoded ahead, so that a session that exists can authenticate; `None` once it is on its way.
    auth_message: Option<Message>,
    now: Duration,
    transmits: VecDeque<Message>,
    /// The bytes of all of them.
    unsent: usize,
    /// When the last message came in or went out.
    last_activity: Duration,
    turn: Option<Turn>,
    turns: u64,
    /// Whether a `restart` can find a question.
    can_restart: bool,
    /// Whether this server opens its turns: once it has shown one opener, nothing before the next opener belongs
    /// to the next turn (protocol.md, section 5).
    has_openers: bool,
    /// Whether the turn before was stopped, so that a second end may still come.
    owes_second_end: bool,
    conversation: Conversation,
    closed: bool,
    counters: Counters,
    /// Holds an unescaped text that has no place in an answer.
    scratch: String,
}

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// No turn runs: any request is welcome.
    Idle,
    /// A request was sent, and no frame of the answer has come.
    Asking,
    /// The answer is coming in: its opener, or its first piece, has come.
    Answering,
    /// A stop was sent, and the end has not come.
    Stopping,
    /// The turn was interrupted by a deadline or a limit, and the server has not ended it: requests are refused as
    /// busy, and its frames are strays. A host that will not wait reconnects.
    Draining,
    /// The connection is gone. Every call is inert until [`Session::reconnect`].
    Closed,
}

/// What a session has counted since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Frames that belonged to no running turn.
    pub strays: u64,
    /// Messages that could not be read, the too long ones included.
    pub malformed: u64,
    /// Stops that were sent again.
    pub repeated_stops: u64,
}

/// Why a session was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The host closed it.
    Host,
    /// The server closed it in an orderly way.
    Server,
    /// The connection was lost.
    Lost,
    /// The server sent a message over the limit, and the transport cannot skip it.
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl Session {
    /// A session for a connection that is open or being opened. Time starts at `now`.
    ///
    /// # Errors
    /// [`AuthError`] when the authentication could not be sent.
    pub fn new(auth: Auth, config: Config, now: Duration) -> Result<Self, AuthError> {
        let mut session = Session {
            auth_message: Some(auth.encode(config.max_request)?),
            can_restart: auth.continues(),
            config,
            auth,
            now,
            transmits: VecDeque::new(),
            unsent: 0,
            last_activity: now,
            turn: None,
            turns: 0,
            has_openers: false,
            owes_second_end: false,
            conversation: Conversation::Unknown,
            closed: false,
            counters: Counters::default(),
            scratch: String::new(),
        };
        if session.config.auth_at_once {
            session.authenticate();
        }
        Ok(session)
    }

    /// Sends a request, the authentication before it if it has not gone out. A chat or a restart begins a turn;
    /// `Request::stop()` is [`stop`](Self::stop); the others are not answered.
    ///
    /// # Errors
    /// [`RequestError`]; then nothing was sent and nothing has changed.
    pub fn request(&mut self, now: Duration, request: &Request) -> Result<(), RequestError> {
        let kind = request.kind();
        if kind == RequestKind::Stop {
            request.encode(0)?;
            return self.stop(now).map(drop);
        }
        if self.closed {
            return Err(RequestError::Closed);
        }
        if let Some(turn) = &self.turn {
            return Err(RequestError::Busy { turn: turn.number() });
        }
        if kind == RequestKind::Restart && !self.can_restart {
            return Err(RequestError::NothingToRestart);
        }
        self.config.check_unsent(self.unsent)?;
        let message = request.encode(self.config.max_request)?;
        self.advance(now);
        self.authenticate();
        self.send(message);
        if matches!(kind, RequestKind::Chat | RequestKind::Share) {
            self.can_restart = true;
        }
        if kind.begins_turn() {
            self.turns += 1;
            self.turn = Some(Turn::new(self.turns, kind, self.now, &self.config));
        }
        Ok(())
    }

    /// Asks the server to end the running answer. Its end, and with it what it cost, still comes; pieces may come
    /// before it. The stop is repeated by itself ([`Config::stop_repeats`]).
    ///
    /// Returns whether a stop was sent: not when no turn runs, nor when this turn has had its stop.
    ///
    /// # Errors
    /// [`RequestError::Closed`].
    pub fn stop(&mut self, now: Duration) -> Result<bool, RequestError> {
        if self.closed {
            return Err(RequestError::Closed);
        }
        self.advance(now);
        Ok(self.begin_stop())
    }

    /// Takes one text message from the server and says what it means: exactly one event, whose texts are slices
    /// of the message or of the answer.
    ///
    /// # Errors
    /// [`ReceiveError`]; the session and a running turn go on.
    pub fn receive<'a>(&'a mut self, now: Duration, message: &'a str) -> Result<Event<'a>, ReceiveError> {
        self.arrived(now)?;
        let limit = self.config.max_message;
        if limit != 0 && message.len() > limit {
            let error = ReceiveError::TooLong { len: message.len(), limit };
            self.count_malformed();
            return match self.interrupt(Interruption::MessageTooLong { limit }) {
                Some(answer) => Ok(Event::ended(answer)),
                None => Err(error),
            };
        }
        self.take_in(Chunk::decode(message))
    }

    /// [`receive`](Self::receive) for a message that the host has decoded itself, with [`Chunk::decode`]. The limit
    /// on its length is then the host's to keep.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_decoded<'a>(
        &'a mut self,
        now: Duration,
        decoded: Result<Chunk<'a>, Malformed>,
    ) -> Result<Event<'a>, ReceiveError> {
        self.arrived(now)?;
        self.take_in(decoded)
    }

    /// Takes a binary message from the server: the protocol has none, so it is malformed.
    ///
    /// # Errors
    /// Always: [`ReceiveError::Malformed`], or that the session is closed.
    pub fn receive_binary(&mut self, now: Duration) -> Result<Event<'_>, ReceiveError> {
        self.receive_decoded(now, Err(Malformed::BINARY))
    }

    /// The next message to send, if any: handed out exactly once.
    pub fn poll_transmit(&mut self) -> Option<Message> {
        let message = self.transmits.pop_front()?;
        self.unsent -= message.len();
        Some(message)
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, on the clock of `now`; `None` for never.
    pub fn next_deadline(&self) -> Option<Duration> {
        if self.closed {
            return None;
        }
        let turn = self.turn.as_ref().and_then(|turn| turn.next_deadline(&self.config));
        [turn, self.keep_alive_due()].into_iter().flatten().min()
    }

    /// Does what is due at `now`. Call it, at or after [`next_deadline`](Self::next_deadline), until it returns
    /// `None`; calling it early does nothing.
    pub fn handle_timeout(&mut self, now: Duration) -> Option<Event<'static>> {
        if self.closed {
            return None;
        }
        self.advance(now);
        match self.turn.as_mut().and_then(|turn| turn.due(self.now, &self.config)) {
            Some(Due::Interruption(why)) => return self.interrupt(why).map(Event::ended),
            Some(Due::StopRepeat { turn }) => {
                self.counters.repeated_stops += 1;
                self.send_stop();
                return Some(Event::StopRepeated { turn });
            }
            None => {}
        }
        if self.keep_alive_due().is_some_and(|at| at <= self.now) {
            self.send(Message::ping());
            return Some(Event::KeepAlive);
        }
        None
    }

    /// Tells the session that its connection is gone. A running turn ends [`Outcome::Interrupted`]: its event is
    /// returned, once. Afterwards every call is inert until [`reconnect`](Self::reconnect).
    #[must_use = "it may hold the running turn's end"]
    pub fn closed(&mut self, reason: CloseReason) -> Option<Event<'static>> {
        if self.closed {
            return None;
        }
        let answer = self.take_answer(match reason {
            CloseReason::Host => Interruption::ClosedByHost,
            CloseReason::Server => Interruption::ClosedByServer,
            CloseReason::Lost => Interruption::ConnectionLost,
            CloseReason::TooLong { limit } => Interruption::MessageTooLong { limit },
        });
        self.closed = true;
        self.turn = None;
        self.auth_message = None;
        self.transmits.clear();
        self.unsent = 0;
        answer.map(Event::ended)
    }

    /// Starts afresh for a new connection, which continues the conversation that the server opened: its id is
    /// sent, and a share no more (an anonymous conversation starts anew, from the same share). Works in any state.
    /// A running turn ends [`Outcome::Interrupted`] first: its event is returned.
    ///
    /// What the server loads is what it saved last: the question, perhaps not the answer (protocol.md, section 7).
    /// Turn numbers and counters go on.
    #[must_use = "it may hold the running turn's end"]
    pub fn reconnect(&mut self, now: Duration) -> Option<Event<'static>> {
        self.advance(now);
        let answer = self.take_answer(Interruption::Reconnected);
        if let Some(id) = self.conversation.id() {
            self.auth.continue_in(id);
        }
        // It was encoded once; the id alone has changed, to one that can be asked for.
        self.auth_message = self.auth.encode(0).ok();
        self.can_restart = self.auth.continues();
        self.turn = None;
        self.transmits.clear();
        self.unsent = 0;
        self.last_activity = self.now;
        self.has_openers = false;
        self.owes_second_end = false;
        self.conversation = Conversation::Unknown;
        self.closed = false;
        if self.config.auth_at_once {
            self.authenticate();
        }
        answer.map(Event::ended)
    }

    /// What the session is doing.
    pub fn state(&self) -> State {
        match &self.turn {
            _ if self.closed => State::Closed,
            None => State::Idle,
            Some(turn) => turn.state(),
        }
    }

    /// The running turn's answer so far; `None` when no turn runs.
    pub fn answer(&self) -> Option<&Answer> {
        self.turn.as_ref()?.answer()
    }

    /// Which conversation the connection is in, as far as the server has said.
    pub fn conversation(&self) -> Conversation {
        self.conversation
    }

    /// What was counted since the session was made.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// About how many bytes are held: the running answer, and what waits to be sent.
    pub fn memory(&self) -> usize {
        let answer = self.answer().map_or(0, |answer| answer.text.capacity());
        answer + self.scratch.capacity() + self.unsent
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    // --- time ---

    fn advance(&mut self, now: Duration) {
        self.now = self.now.max(now);
    }

    fn arrived(&mut self, now: Duration) -> Result<(), ReceiveError> {
        if self.closed {
            return Err(ReceiveError::Closed);
        }
        self.advance(now);
        self.last_activity = self.now;
        Ok(())
    }

    fn keep_alive_due(&self) -> Option<Duration> {
        deadline(self.last_activity, self.config.keep_alive)
    }

    // --- sending ---

    fn send(&mut self, message: Message) {
        self.last_activity = self.now;
        self.unsent += message.len();
        self.transmits.push_back(message);
    }

    fn authenticate(&mut self) {
        if let Some(auth) = self.auth_message.take() {
            self.send(auth);
        }
    }

    fn send_stop(&mut self) {
        if let Ok(message) = Request::stop().encode(0) {
            self.send(message);
        }
    }

    /// Sends the running turn's stop, unless it has had it.
    fn begin_stop(&mut self) -> bool {
        let begun = self.turn.as_mut().is_some_and(|turn| turn.begin_stop(self.now));
        if begun {
            self.send_stop();
        }
        begun
    }

    // --- turns ---

    /// Ends the running turn for the host, if there is one.
    fn take_answer(&mut self, why: Interruption) -> Option<Box<Answer>> {
        self.turn.as_mut()?.take_answer(Outcome::Interrupted(why))
    }

    /// Gives the running turn up, stops it at the server and drains it.
    fn interrupt(&mut self, why: Interruption) -> Option<Box<Answer>> {
        let answer = self.take_answer(why)?;
        self.begin_stop();
        Some(answer)
    }

    fn count_malformed(&mut self) {
        self.counters.malformed += 1;
        if let Some(turn) = &mut self.turn {
            turn.malformed(self.now, &self.config);
        }
    }

    fn take_in<'a>(&'a mut self, decoded: Result<Chunk<'a>, Malformed>) -> Result<Event<'a>, ReceiveError> {
        match decoded {
            Ok(chunk) if self.belongs_to_turn(&chunk) => Ok(self.turn_frame(chunk)),
            Ok(chunk) => Ok(self.stray(chunk)),
            Err(error) => {
                self.count_malformed();
                Err(error.into())
            }
        }
    }

    /// Whether a frame is the running turn's own (protocol.md, section 5). Keeps the books on openers and second
    /// ends.
    fn belongs_to_turn(&mut self, chunk: &Chunk<'_>) -> bool {
        let second_end = self.owes_second_end && is_second_end(chunk);
        let Some(turn) = &mut self.turn else {
            self.owes_second_end &= !second_end;
            return false;
        };
        if turn.open(chunk) {
            self.has_openers = true;
            // The server writes the second end before it reads the next request.
            self.owes_second_end = false;
        }
        if turn.is_opened() || !self.has_openers {
            return true;
        }
        // Before the opener, on a connection that has openers: the second end of the turn before, or else a notice
        // for this turn.
        self.owes_second_end &= !second_end;
        chunk.end && !second_end
    }

    /// A frame of the running turn.
    fn turn_frame<'a>(&'a mut self, chunk: Chunk<'a>) -> Event<'a> {
        if let Some(id) = chunk.opener() {
            self.conversation = self.conversation.opened(&self.auth, id);
        }
        let absorbed =
            self.turn.as_mut().and_then(|turn| turn.absorb(&chunk, self.now, &self.config, &mut self.scratch));
        let Some(Absorbed { turn, plain, start, opened, outcome }) = absorbed else {
            if chunk.end {
                self.end_turn();
            }
            return self.stray(chunk);
        };
        if let Some(outcome) = outcome {
            let answer = self.turn.as_mut().and_then(|turn| turn.take_answer(outcome));
            if chunk.end {
                self.end_turn();
            } else {
                self.begin_stop();
            }
            let Some(answer) = answer else { return self.stray(chunk) };
            let piece = match plain {
                Some(text) => Piece::Slice(text),
                None if self.config.keep_text => Piece::InAnswer(start),
                None => Piece::Slice(&self.scratch),
            };
            return Event::End(End { answer, chunk: Some(chunk), piece });
        }
        if opened {
            return Event::Opened { turn, conversation: self.conversation, chunk };
        }
        let text = plain.unwrap_or_else(|| match self.answer() {
            Some(answer) if self.config.keep_text => &answer.text[start..],
            _ => &self.scratch,
        });
        Event::Delta { turn, text, chunk }
    }

    /// The server has ended the running turn.
    fn end_turn(&mut self) {
        let stopped = self.turn.take().is_some_and(|turn| turn.is_stopped());
        // On connections without openers there is never a second end.
        self.owes_second_end = stopped && self.has_openers;
    }

    fn stray<'a>(&'a mut self, chunk: Chunk<'a>) -> Event<'a> {
        self.counters.strays += 1;
        let text = match chunk.message.map(|text| (text, text.as_plain())) {
            None => "",
            Some((_, Some(plain))) => plain,
            Some((text, None)) => {
                self.scratch.clear();
                text.append_to(&mut self.scratch);
                &self.scratch
            }
        };
        Event::Stray { text, chunk }
    }
}

/// Whether a frame can be the second end that a stopped turn leaves behind (protocol.md, section 5).
fn is_second_end(chunk: &Chunk<'_>) -> bool {
    chunk.end && chunk.message.is_none_or(|text| text.is_empty() || text.as_plain() == Some(EMPTY_RESPONSE))
}
