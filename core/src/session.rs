//! `Session`: the state machine of one connection.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use crate::answer::{Answer, Interruption, Outcome};
use crate::auth::{Auth, AuthError};
use crate::backlog::Backlog;
use crate::chunk::Chunk;
use crate::config::Config;
use crate::conversation::Conversation;
use crate::event::{End, Event, EventStorage};
use crate::malformed::Malformed;
use crate::message::{Message, RequestKind};
use crate::openers::Openers;
use crate::outbox::Outbox;
use crate::request::Request;
use crate::request_error::RequestError;
use crate::state::{Input, Row, Sends, State, Tells};
use crate::transcript::{Recorder, Transcript};
use crate::turn::{Stop, Turn, deadline};

mod receive;

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
    config: Arc<Config>,
    auth: Auth,
    /// Whether the authentication is on its way.
    is_authenticated: bool,
    state: State,
    /// While one runs: see [`State::runs`].
    turn: Option<Turn>,
    /// The number of the last turn that was begun.
    turns: u64,
    /// While stopping and draining.
    stop: Stop,
    openers: Openers,
    /// Whether a `restart` can find a question.
    can_restart: bool,
    conversation: Conversation,
    outbox: Outbox,
    backlog: Backlog,
    /// Until when the server is left in peace after the last end: see [`Config::settle`].
    settled_at: Duration,
    now: Duration,
    /// When the last message came in or went out.
    last_activity: Duration,
    counters: Counters,
    recorder: Option<Box<Recorder>>,
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
    /// The host leaves it for another connection, which [`Session::reconnect`] then begins.
    Reconnect,
    /// This side gave it up, for this: the server broke the protocol, say, or was silent for too long. A reason that has a
    /// variant of its own above is the same by either: given up for `ConnectionLost` is `Lost`.
    GivenUp(Interruption),
}

impl CloseReason {
    /// What a running turn ends with.
    fn interruption(self) -> Interruption {
        match self {
            CloseReason::Host => Interruption::ClosedByHost,
            CloseReason::Server => Interruption::ClosedByServer,
            CloseReason::Lost => Interruption::ConnectionLost,
            CloseReason::Reconnect => Interruption::Reconnected,
            CloseReason::GivenUp(why) => why,
        }
    }
}

impl Session {
    /// A session for a connection that is open or being opened. Time starts at `now`. Sessions may share their settings,
    /// by an `Arc`.
    ///
    /// # Errors
    /// [`AuthError`] when the authentication could not be sent.
    pub fn new(auth: Auth, config: impl Into<Arc<Config>>, now: Duration) -> Result<Self, AuthError> {
        let config = config.into();
        auth.check(config.max_request)?;
        let mut session = Session {
            is_authenticated: false,
            state: State::Idle,
            turn: None,
            turns: 0,
            stop: Stop::default(),
            openers: Openers::default(),
            can_restart: auth.continues(),
            conversation: Conversation::of(&auth),
            outbox: Outbox::default(),
            backlog: Backlog::default(),
            settled_at: Duration::ZERO,
            now,
            last_activity: now,
            counters: Counters::default(),
            recorder: None,
            config,
            auth,
        };
        session.start_recording(None);
        if session.config.auth_at_once {
            session.authenticate();
        }
        Ok(session)
    }

    /// Names the server in a recording: its first line. The recording starts afresh.
    pub fn record_as(&mut self, url: &str) {
        self.start_recording(Some(url));
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
        let input = if kind.begins_turn() { Input::Ask } else { Input::Tell };
        match self.state.on(input).tells {
            Tells::Closed => return Err(RequestError::Closed),
            Tells::Busy => return Err(RequestError::Busy { turn: self.turns }),
            _ => {}
        }
        if kind == RequestKind::Restart && !self.can_restart {
            return Err(RequestError::NothingToRestart);
        }
        self.config.check_unsent(self.outbox.len())?;
        let message = request.encode(self.config.max_request)?;
        self.advance(now);
        self.authenticate();
        // A plain question after a plain answer is never held.
        let is_held = !kind.begins_turn() || self.stop.was_repeated() || self.openers.may_owe_one();
        let from = if is_held { self.settled_at } else { Duration::ZERO };
        self.last_activity = self.now;
        let goes = if kind.begins_turn() {
            self.outbox.push_question(self.now, from, message)
        } else {
            self.outbox.push(from, message)
        };
        if matches!(kind, RequestKind::Chat | RequestKind::Share) {
            self.can_restart = true;
        }
        self.go(input);
        if kind == RequestKind::Remove {
            self.openers.remove();
        }
        if kind.begins_turn() {
            self.turns += 1;
            self.turn = Some(Turn::new(self.turns, kind, self.now.max(goes), request.deadlines()));
            self.stop = Stop::default();
            self.openers.begin();
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
        if self.state == State::Closed {
            return Err(RequestError::Closed);
        }
        self.advance(now);
        Ok(self.go(Input::Stop).sends == Sends::Stop)
    }

    /// Takes one text message from the server and says what it means: one event, whose texts are slices of the message
    /// or of `storage`. `None` when the session is closed.
    ///
    /// A message may hold several frames, with nothing but white space between: the others are due at once, and come by
    /// [`handle_timeout`](Self::handle_timeout).
    #[inline]
    pub fn receive<'m>(&mut self, now: Duration, message: &'m str, storage: &'m mut EventStorage) -> Option<Event<'m>> {
        if !self.arrived(now, message)? {
            return self.too_long(message.len());
        }
        if self.holds_frames() {
            return self.receive_behind(message.into(), storage);
        }
        storage.trim();
        let EventStorage { text, quota, .. } = storage;
        self.take_in(message, text, quota)
    }

    /// [`receive`](Self::receive) for a message that lies in `storage`, behind [`EventStorage::message_mut`]: the event
    /// then borrows from nothing else.
    #[inline]
    pub fn receive_stored<'m>(&mut self, now: Duration, storage: &'m mut EventStorage) -> Option<Event<'m>> {
        if !self.arrived(now, &storage.message)? {
            return self.too_long(storage.message.len());
        }
        if self.holds_frames() {
            let message = core::mem::take(&mut storage.message);
            return self.receive_behind(message, storage);
        }
        let EventStorage { message, text, quota } = storage;
        self.take_in(message, text, quota)
    }

    /// Takes a binary message from the server. The protocol has none: it is malformed. `None` when the session is closed.
    pub fn receive_binary(&mut self, now: Duration) -> Option<Event<'static>> {
        self.arrived(now, r#""(a binary message)""#)?;
        self.malformed(Malformed::BINARY, None)
    }

    /// The next message to send, if any: handed out exactly once. A question waits until the frames are told that came
    /// before it: what they say is no answer to it.
    #[inline]
    pub fn poll_transmit(&mut self) -> Option<Message> {
        if self.holds_frames() && self.withhold_question() {
            return None;
        }
        let message = self.outbox.pop(self.now)?;
        self.record(|recorder| recorder.sent(&message));
        Some(message)
    }

    /// Withholds a question if one is what is sent next, and returns whether one is. For a host that has bytes which it has not
    /// decoded yet: what came before a question was sent is no answer to it. [`poll_transmit`](Self::poll_transmit) hands it out.
    pub fn withhold_question(&mut self) -> bool {
        self.outbox.withhold_question(self.now)
    }

    /// Whether a question is [withheld](Self::withhold_question).
    pub fn withholds_question(&self) -> bool {
        self.outbox.is_withheld()
    }

    /// Lets what is held ([`Config::settle`]) go at once, when the server may lose it: for a host that closes the connection
    /// and cannot wait for [`next_deadline`](Self::next_deadline).
    pub fn release(&mut self) {
        self.outbox.release();
    }

    /// Until when a request is held ([`Config::settle`]), as it is at `now`; `None` when none is.
    pub fn held_until(&self, now: Duration) -> Option<Duration> {
        self.outbox.held_until(self.now.max(now))
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, on the clock of `now`; `None` for never.
    pub fn next_deadline(&self) -> Option<Duration> {
        if self.state == State::Closed {
            return None;
        }
        if self.holds_frames() {
            return Some(self.now);
        }
        [self.event_at(), self.outbox.held_until(self.now)].into_iter().flatten().min()
    }

    /// Does what is due at `now`: frames that wait behind the first of their message, then what is late. So many frames go
    /// before that as a host may have missed that was busy, and no more: tell the time anew at each call. Call it, at or
    /// after [`next_deadline`](Self::next_deadline), until it returns `None`; calling it early does nothing. What was held
    /// until now is then handed out by [`poll_transmit`](Self::poll_transmit), without an event.
    pub fn handle_timeout<'m>(&mut self, now: Duration, storage: &'m mut EventStorage) -> Option<Event<'m>> {
        if self.state == State::Closed {
            return None;
        }
        self.advance(now);
        let is_late = self.event_at().is_some_and(|at| at <= self.now);
        if !self.backlog.makes_way(is_late) {
            return self.take_waiting(storage);
        }
        let is_due = |at: &Duration| *at <= self.now;
        if let Some((_, why)) = self.late_at().filter(|(at, _)| is_due(at)) {
            return self.interrupt(Input::Late, why);
        }
        if self.repeat_at().as_ref().is_some_and(is_due) {
            self.counters.repeated_stops += 1;
            self.go(Input::Repeat);
            return Some(Event::StopRepeated { turn: self.turns });
        }
        if self.silent_at().as_ref().is_some_and(is_due) {
            self.go(Input::Silence);
            return Some(Event::KeepAlive);
        }
        None
    }

    /// Whether frames wait behind the first of their message: they are due at once.
    #[inline]
    pub fn holds_frames(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Whether [`handle_timeout`](Self::handle_timeout) has an event at `now`.
    pub fn is_due(&self, now: Duration) -> bool {
        let due = self.event_at();
        self.state != State::Closed && (self.holds_frames() || due.is_some_and(|at| at <= self.now.max(now)))
    }

    /// Tells the session that its connection is gone. A running turn ends interrupted: its event is
    /// returned, once. Afterwards every call is inert until [`reconnect`](Self::reconnect).
    ///
    /// Frames that wait behind the first of their message count first, without events of their own: the running answer takes
    /// them in, [`MOST_AT_ONCE`](crate::MOST_AT_ONCE) at most, and may come to its end by them.
    ///
    /// A host that closes the connection itself calls it before, with [`CloseReason::Host`], and sends what
    /// [`poll_transmit`](Self::poll_transmit) then still hands out: what was held ([`Config::settle`]) would be lost with the
    /// connection.
    #[must_use = "it may hold the running turn's end"]
    pub fn closed(&mut self, reason: CloseReason) -> Option<Event<'static>> {
        if self.state == State::Closed {
            return None;
        }
        let why = reason.interruption();
        if matches!(why, Interruption::ClosedByServer | Interruption::ConnectionLost) {
            self.record(Recorder::closed);
        }
        let end = self.give_up(Input::Close, why);
        if why == Interruption::ClosedByHost && self.outbox.held_until(self.now).is_some() {
            self.outbox.release();
        } else {
            self.forget();
        }
        end
    }

    /// Starts afresh for a new connection, which continues the conversation that the server opened: its id is
    /// sent, and a share no more (an anonymous conversation starts anew, from the same share). Works in any state.
    /// A running turn ends interrupted first, as by [`closed`](Self::closed): its event is returned.
    ///
    /// What the server loads is what it saved last: the question, perhaps not the answer (protocol.md, R7.4).
    /// Turn numbers and counters go on. A recording starts afresh.
    #[must_use = "it may hold the running turn's end"]
    pub fn reconnect(&mut self, now: Duration) -> Option<Event<'static>> {
        self.advance(now);
        let end = self.give_up(Input::Reconnect, Interruption::Reconnected);
        if let Some(id) = self.conversation.id() {
            self.auth.continue_in(id);
        }
        self.is_authenticated = false;
        self.can_restart = self.auth.continues();
        self.openers = Openers::default();
        self.conversation = Conversation::of(&self.auth);
        self.forget();
        self.settled_at = Duration::ZERO;
        self.last_activity = self.now;
        let url = self.recorder.as_ref().and_then(|recorder| recorder.transcript().url.clone());
        self.start_recording(url.as_deref());
        if self.config.auth_at_once {
            self.authenticate();
        }
        end
    }

    /// What the session is doing.
    pub fn state(&self) -> State {
        self.state
    }

    /// The running turn's answer so far; `None` when no turn runs.
    pub fn answer(&self) -> Option<&Answer> {
        self.turn.as_ref().map(|turn| &*turn.answer)
    }

    /// Which conversation the connection is in, as far as the server has said.
    pub fn conversation(&self) -> Conversation {
        self.conversation
    }

    /// What was counted since the session was made.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What was sent and received so far, without tokens, if [`Config::record`] is on; up to
    /// [`Config::max_recording`]. Of this connection: a reconnect begins a new one.
    pub fn transcript(&self) -> Option<&Transcript> {
        self.recorder.as_ref().map(|recorder| recorder.transcript())
    }

    /// About how many bytes are held: the running answer, what waits to be sent or taken, and the recording.
    pub fn memory(&self) -> usize {
        let answer = self.answer().map_or(0, |answer| answer.text.capacity());
        let recorded = self.recorder.as_ref().map_or(0, |recorder| recorder.len());
        answer + self.outbox.len() + self.backlog.len() + recorded
    }

    /// The authentication, with the conversation that the next connection continues. It takes its token out of what a server
    /// says: [`Auth::redact`].
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    // --- time ---

    #[inline(always)]
    fn advance(&mut self, now: Duration) {
        self.now = self.now.max(now);
    }

    /// A message has come. Whether it is within the limit, with those that wait before it; `None` when it counts no more.
    #[inline(always)]
    fn arrived(&mut self, now: Duration, message: &str) -> Option<bool> {
        if self.state == State::Closed {
            return None;
        }
        self.advance(now);
        self.last_activity = self.now;
        self.record(|recorder| recorder.received(message));
        let limit = self.config.max_message;
        Some(limit == 0 || self.backlog.len() + message.len() <= limit)
    }

    /// When the next event is due that no frame brings.
    fn event_at(&self) -> Option<Duration> {
        let late = self.late_at().map(|(at, _)| at);
        [late, self.repeat_at(), self.silent_at()].into_iter().flatten().min()
    }

    /// When the running turn is given up, and why.
    fn late_at(&self) -> Option<(Duration, Interruption)> {
        let turn = self.turn.as_ref()?;
        let end = if self.state == State::Stopping { self.stop.end_due(&self.config) } else { None };
        let end = end.map(|at| (at, Interruption::AfterStopDeadline));
        [end, turn.answer_due(&self.config), turn.frame_due(&self.config)]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    /// When the stop goes out again.
    fn repeat_at(&self) -> Option<Duration> {
        let was_sent = matches!(self.state, State::Stopping | State::Draining);
        if was_sent { self.stop.repeat_due(&self.config) } else { None }
    }

    /// When a keep-alive goes out.
    fn silent_at(&self) -> Option<Duration> {
        deadline(self.last_activity, self.config.keep_alive)
    }

    // --- sending ---

    /// Sends a message that waits for nothing but what is before it. Returns from when on it may go.
    fn send(&mut self, message: Message) -> Duration {
        self.last_activity = self.now;
        self.outbox.push(Duration::ZERO, message)
    }

    fn authenticate(&mut self) {
        if !self.is_authenticated {
            self.is_authenticated = true;
            self.send(self.auth.encode());
        }
    }

    // --- turns ---

    /// Whether a frame of a turn may come: the server has heard a question, and not ended its turn.
    #[inline(always)]
    fn is_awaited(&self) -> bool {
        (self.state.runs() || self.state == State::Draining) && !self.outbox.is_unheard(self.now)
    }

    /// Goes where the table says, and sends what it says, except a request, which only its caller has.
    #[inline(always)]
    fn go(&mut self, input: Input) -> Row {
        let row = self.state.on(input);
        if input == Input::End {
            self.settled_at = self.now.saturating_add(self.config.settle);
            let was_bare = self.turn.as_ref().is_some_and(|turn| turn.text_len == 0);
            self.openers.ended(matches!(self.state, State::Stopping | State::Draining), was_bare);
        }
        self.state = row.next;
        match row.sends {
            Sends::Nothing | Sends::Request => {}
            Sends::Stop => self.send_stop(input),
            Sends::Ping => {
                self.last_activity = self.now;
                self.outbox.push_ping();
            }
        }
        row
    }

    #[cold]
    fn send_stop(&mut self, input: Input) {
        let goes = self.send(Message::stop());
        match input {
            Input::Repeat => self.stop.repeated(self.now, &self.config),
            // Behind a question that is held it waits with that.
            _ => self.stop = Stop::new(self.now.max(goes)),
        }
    }

    /// Takes in frames that wait, and interrupts the turn that they do not end. Returns the turn's end.
    fn give_up(&mut self, input: Input, why: Interruption) -> Option<Event<'static>> {
        let ended = self.take_rest();
        let interrupted = self.interrupt(input, why);
        match ended {
            Some(answer) => Some(answer.into()),
            None => interrupted,
        }
    }

    /// Drops what waits to be sent, and what waits to be told.
    #[cold]
    fn forget(&mut self) {
        self.outbox = Outbox::default();
        self.backlog = Backlog::default();
    }

    /// Ends the running turn for the host, if there is one, and goes on.
    fn interrupt(&mut self, input: Input, why: Interruption) -> Option<Event<'static>> {
        self.go(input);
        self.end_turn(Outcome::Interrupted(why), "", None)
    }

    /// The running turn's end; the frame that brings it, if one does, and its text. A half character that still waits for its
    /// other half is given up.
    #[cold]
    #[inline(never)]
    fn end_turn<'m>(&mut self, outcome: Outcome, text: &'m str, chunk: Option<Chunk<'m>>) -> Option<Event<'m>> {
        let Turn { mut answer, half, .. } = self.turn.take()?;
        let text = if half.is_some() { "\u{FFFD}" } else { text };
        if half.is_some() && self.config.keep_text {
            answer.text.push_str(text);
        }
        answer.outcome = Some(outcome);
        Some(Event::End(End { answer, text, chunk }))
    }

    // --- recording ---

    #[inline(always)]
    fn record(&mut self, what: impl FnOnce(&mut Recorder)) {
        if let Some(recorder) = &mut self.recorder {
            if self.config.record_times {
                recorder.at(self.now);
            }
            what(recorder);
        }
    }

    fn start_recording(&mut self, url: Option<&str>) {
        let recorder = || {
            let mut recorder = Recorder::new(url).limit(self.config.max_recording);
            // Before it is sent: a server knows it from the connection before.
            recorder.hide(&self.auth);
            Box::new(recorder)
        };
        self.recorder = self.config.record.then(recorder);
    }
}
