//! `Session`: the state machine of one connection.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use core::time::Duration;

use crate::answer::{Answer, Interruption, Outcome};
use crate::auth::{Auth, AuthError};
use crate::chunk::{Chunk, Malformed};
use crate::config::Config;
use crate::event::{Conversation, End, Event, Piece};
use crate::message::Message;
use crate::request::{Request, RequestError, RequestKind};

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

/// A message that [`Session::receive`] did not make an event of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The message could not be read. It was skipped and counted; the turn and the session go on.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// No turn runs, and the message is over [`Config::max_message`]. It was skipped and counted. (A running turn
    /// is interrupted instead: [`Interruption::MessageTooLong`].)
    #[error("the message has {len} bytes, over the limit of {limit} (Config::max_message)")]
    TooLong {
        /// The message's length, in bytes.
        len: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The session is closed.
    #[error("the session is closed")]
    Closed,
}

#[derive(Debug)]
struct Turn {
    number: u64,
    /// `None` once the turn was interrupted: then it only drains.
    answer: Option<Box<Answer>>,
    /// Whether its opener has come.
    opened: bool,
    /// When the next frame is due; `None` when the deadline is off.
    frame_deadline: Option<Duration>,
    /// Whether a frame has come, so that `frame_deadline` is the next one's, not the first's.
    answering: bool,
    stop: Option<Stop>,
    /// How much text has come, in bytes.
    text_len: usize,
}

#[derive(Debug)]
struct Stop {
    since: Duration,
    /// How many of [`Config::stop_repeats`] are behind it.
    repeats: usize,
}

/// What a frame has added to the running turn.
struct Absorbed<'a> {
    turn: u64,
    /// The frame's piece of the answer, where it lies in the message as it is.
    plain: Option<&'a str>,
    /// Where the piece begins in the answer's text, otherwise.
    start: usize,
    /// Whether it is the opener and nothing else.
    opened: bool,
    /// How it ends the turn, if it does.
    outcome: Option<Outcome>,
}

/// When something that takes `span` from `since` is over; never, when the span is zero (off) or beyond all time.
fn deadline(since: Duration, span: Duration) -> Option<Duration> {
    if span.is_zero() { None } else { since.checked_add(span) }
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
            return Err(RequestError::Busy { turn: turn.number });
        }
        if kind == RequestKind::Restart && !self.can_restart {
            return Err(RequestError::NothingToRestart);
        }
        let message = request.encode(self.config.max_request)?;
        self.advance(now);
        self.authenticate();
        self.send(message);
        if matches!(kind, RequestKind::Chat | RequestKind::Share) {
            self.can_restart = true;
        }
        if kind.begins_turn() {
            self.turns += 1;
            self.turn = Some(Turn {
                number: self.turns,
                answer: Some(Box::new(Answer::new(self.turns, kind))),
                opened: false,
                frame_deadline: deadline(self.now, self.config.first_frame),
                answering: false,
                stop: None,
                text_len: 0,
            });
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
        if self.turn.as_ref().is_none_or(|turn| turn.stop.is_some()) {
            return Ok(false);
        }
        self.begin_stop();
        Ok(true)
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
            self.counters.malformed += 1;
            let why = Interruption::MessageTooLong { limit };
            return match self.interrupt(why) {
                Some(answer) => Ok(Event::ended(answer)),
                None => Err(ReceiveError::TooLong { len: message.len(), limit }),
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
        self.transmits.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, on the clock of `now`; `None` for never.
    pub fn next_deadline(&self) -> Option<Duration> {
        if self.closed {
            return None;
        }
        let (interruption, repeat) = match &self.turn {
            Some(turn) => (self.interruption_due(turn).map(|(at, _)| at), self.stop_repeat_due(turn)),
            None => (None, None),
        };
        [interruption, repeat, self.keep_alive_due()].into_iter().flatten().min()
    }

    /// Does what is due at `now`. Call it, at or after [`next_deadline`](Self::next_deadline), until it returns
    /// `None`; calling it early does nothing.
    pub fn handle_timeout(&mut self, now: Duration) -> Option<Event<'static>> {
        if self.closed {
            return None;
        }
        self.advance(now);
        if let Some(turn) = &self.turn {
            let number = turn.number;
            if let Some((_, why)) = self.interruption_due(turn).filter(|(at, _)| *at <= self.now) {
                return self.interrupt(why).map(Event::ended);
            }
            if self.stop_repeat_due(turn).is_some_and(|at| at <= self.now) {
                self.repeat_stop();
                return Some(Event::StopRepeated { turn: number });
            }
        }
        if self.keep_alive_due().is_some_and(|at| at <= self.now) {
            self.send(Message::ping());
            return Some(Event::KeepAlive);
        }
        None
    }

    /// Tells the session that its connection is gone. A running turn ends [`Outcome::Interrupted`]: its event is
    /// returned, once. Afterwards every call is inert until [`reconnect`](Self::reconnect).
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
        answer.map(Event::ended)
    }

    /// Starts afresh for a new connection, which continues the conversation that the server opened: its id is
    /// sent, and a share no more (an anonymous conversation starts anew, from the same share). Works in any state.
    /// A running turn ends [`Outcome::Interrupted`] first: its event is returned.
    ///
    /// What the server loads is what it saved last: the question, perhaps not the answer (protocol.md, section 7).
    /// Turn numbers and counters go on.
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
            Some(Turn { answer: None, .. }) => State::Draining,
            Some(Turn { stop: Some(_), .. }) => State::Stopping,
            Some(Turn { answering: true, .. }) => State::Answering,
            Some(_) => State::Asking,
        }
    }

    /// The running turn's answer so far; `None` when no turn runs.
    pub fn answer(&self) -> Option<&Answer> {
        self.turn.as_ref()?.answer.as_deref()
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
        answer + self.scratch.capacity() + self.transmits.iter().map(|message| message.len()).sum::<usize>()
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

    /// When and why a running turn is given up.
    fn interruption_due(&self, turn: &Turn) -> Option<(Duration, Interruption)> {
        turn.answer.as_ref()?;
        let stop = turn.stop.as_ref().and_then(|stop| deadline(stop.since, self.config.after_stop));
        let frame = if turn.answering { Interruption::NextFrameDeadline } else { Interruption::FirstFrameDeadline };
        let stop = stop.map(|at| (at, Interruption::AfterStopDeadline));
        let frame = turn.frame_deadline.map(|at| (at, frame));
        [stop, frame].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn stop_repeat_due(&self, turn: &Turn) -> Option<Duration> {
        let stop = turn.stop.as_ref()?;
        stop.since.checked_add(*self.config.stop_repeats.get(stop.repeats)?)
    }

    // --- sending ---

    fn send(&mut self, message: Message) {
        self.last_activity = self.now;
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

    fn begin_stop(&mut self) {
        if let Some(turn) = &mut self.turn
            && turn.stop.is_none()
        {
            turn.stop = Some(Stop { since: self.now, repeats: 0 });
            self.send_stop();
        }
    }

    fn repeat_stop(&mut self) {
        let Some(stop) = self.turn.as_mut().and_then(|turn| turn.stop.as_mut()) else { return };
        let elapsed = self.now.saturating_sub(stop.since);
        // A host that comes late sends one stop, not all that it has missed.
        stop.repeats = self.config.stop_repeats.iter().filter(|after| **after <= elapsed).count().max(stop.repeats + 1);
        self.counters.repeated_stops += 1;
        self.send_stop();
    }

    // --- turns ---

    /// Ends the running turn for the host, as far as there is one.
    fn take_answer(&mut self, why: Interruption) -> Option<Box<Answer>> {
        let mut answer = self.turn.as_mut()?.answer.take()?;
        answer.outcome = Some(Outcome::Interrupted(why));
        Some(answer)
    }

    /// Gives the running turn up, stops it at the server and drains it.
    fn interrupt(&mut self, why: Interruption) -> Option<Box<Answer>> {
        let answer = self.take_answer(why)?;
        self.begin_stop();
        Some(answer)
    }

    fn malformed(&mut self, error: Malformed) -> ReceiveError {
        self.counters.malformed += 1;
        if let Some(answer) = self.turn.as_mut().and_then(|turn| turn.answer.as_mut()) {
            answer.malformed += 1;
        }
        self.frame_came();
        ReceiveError::Malformed(error)
    }

    /// The server is alive: the running turn's next frame has its full time again.
    fn frame_came(&mut self) {
        if let Some(turn) = &mut self.turn
            && turn.answering
        {
            turn.frame_deadline = deadline(self.now, self.config.next_frame);
        }
    }

    fn take_in<'a>(&'a mut self, decoded: Result<Chunk<'a>, Malformed>) -> Result<Event<'a>, ReceiveError> {
        match decoded {
            Ok(chunk) if self.belongs_to_turn(&chunk) => Ok(self.turn_frame(chunk)),
            Ok(chunk) => Ok(self.stray(chunk)),
            Err(error) => Err(self.malformed(error)),
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
        if !turn.opened && chunk.opener().is_some() {
            turn.opened = true;
            self.has_openers = true;
            // The server writes the second end before it reads the next request.
            self.owes_second_end = false;
        }
        if turn.opened || !self.has_openers {
            return true;
        }
        // Before the opener, on a connection that has openers: the second end of the turn before, or else a notice
        // for this turn.
        self.owes_second_end &= !second_end;
        chunk.end && !second_end
    }

    /// A frame of the running turn.
    fn turn_frame<'a>(&'a mut self, chunk: Chunk<'a>) -> Event<'a> {
        let Some(Absorbed { turn, plain, start, opened, outcome }) = self.absorb(&chunk) else {
            if chunk.end {
                self.end_turn();
            }
            return self.stray(chunk);
        };
        if let Some(outcome) = outcome {
            let answer = self.turn.as_mut().and_then(|turn| turn.answer.take());
            if chunk.end {
                self.end_turn();
            } else {
                self.begin_stop();
            }
            let Some(mut answer) = answer else { return self.stray(chunk) };
            answer.outcome = Some(outcome);
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

    /// Takes a frame of the running turn into its answer; `None` when the turn only drains.
    fn absorb<'a>(&mut self, chunk: &Chunk<'a>) -> Option<Absorbed<'a>> {
        let turn = self.turn.as_mut()?;
        turn.answering = true;
        turn.frame_deadline = deadline(self.now, self.config.next_frame);
        if let Some(id) = chunk.opener() {
            self.conversation = self.conversation.opened(&self.auth, id);
        }
        let answer = turn.answer.as_mut()?;

        // Text on an end frame that costs nothing is the server's own, not the model's (protocol.md, section 4).
        let costs = chunk.quota.is_some_and(|quota| quota.value() > 0.0);
        let notice = chunk.message.filter(|text| chunk.end && !costs && !text.is_empty());
        let text = chunk.message.filter(|text| notice.is_none() && !text.is_empty());
        let opened = text.is_none() && answer.conversation.is_none() && chunk.opener().is_some();
        answer.update(chunk, notice);

        let keep = self.config.keep_text;
        let buffer = if keep { &mut answer.text } else { &mut self.scratch };
        if !keep {
            buffer.clear();
        }
        let start = buffer.len();
        let mut plain = text.map_or(Some(""), |text| text.as_plain());
        if let Some(text) = text.filter(|_| keep || plain.is_none()) {
            text.append_to(buffer);
        }
        turn.text_len += plain.map_or(buffer.len() - start, str::len);
        let limit = self.config.max_answer;
        let outcome = if limit != 0 && turn.text_len > limit {
            buffer.truncate(start);
            plain = Some("");
            Some(Outcome::Interrupted(Interruption::AnswerTooLong { limit }))
        } else {
            answer.chunks += u64::from(text.is_some());
            chunk.end.then_some(match notice {
                _ if turn.stop.is_some() => Outcome::Stopped,
                Some(_) => Outcome::Notice,
                None => Outcome::Complete,
            })
        };
        Some(Absorbed { turn: turn.number, plain, start, opened, outcome })
    }

    /// The server has ended the running turn.
    fn end_turn(&mut self) {
        let stopped = self.turn.take().is_some_and(|turn| turn.stop.is_some());
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
