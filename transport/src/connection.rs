//! `Connection`: the chat protocol over bytes, for hosts that have a socket and an event loop.

use std::fmt;
use std::io;
use std::time::Duration;

use chatnio_core::transcript::Transcript;
use chatnio_core::{
    Answer, Auth, AuthError, CloseReason, Event, EventStorage, Interruption, MOST_AT_ONCE, Request, RequestError,
    RequestKind, Session, State,
};
use thiserror::Error;

use crate::config::{ConnectionConfig, MAX_MESSAGE, on};
use crate::end::ConnectionEnd;
use crate::endpoint::Endpoint;
use crate::error::WireError;
use crate::hop::Hop;
use crate::random::Random;
use crate::secrets::all_of;
use crate::tls::TlsSession;
use crate::wire::{Incoming, Wire};

/// So much input is taken before its events are, whatever the longest message is.
const MIN_UNDRAINED: usize = 1 << 20;

/// The chat protocol on one connection, at byte level and without I/O: TLS, WebSocket and a [`Session`] in one
/// machine. It opens no socket and reads no clock; `now` is the time since an origin of the host's choice, and one
/// that goes back counts as standing still.
///
/// # The loop
/// | after | do |
/// | --- | --- |
/// | any call that takes `now` | [`poll_event`](Self::poll_event) until `None`, send what [`poll_transmit`](Self::poll_transmit) has, then arm the timer with [`next_deadline`](Self::next_deadline) anew |
/// | bytes came | [`receive`](Self::receive); to push back, do not read the socket |
/// | the stream ended | [`handle_eof`](Self::handle_eof) |
/// | connecting or reading failed | [`handle_error`](Self::handle_error) |
/// | some bytes were sent | [`transmitted`](Self::transmitted) |
/// | the timer ran out, also while bytes keep coming | [`handle_timeout`](Self::handle_timeout), after what the socket had was received |
/// | [`is_finished`](Self::is_finished) | close the socket |
///
/// Requests may be made at once: they wait until the WebSocket is open.
///
/// ```
/// use chatnio::{Auth, Connection, ConnectionConfig, ConnectionEvent, Endpoint, Event, EventStorage, Request};
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
/// use std::time::Instant;
///
/// fn ask(url: &str, question: &str) -> Result<(), Box<dyn std::error::Error>> {
///     let endpoint = Endpoint::parse(url)?;
///     let mut socket = TcpStream::connect((endpoint.host(), endpoint.port()))?;
///     let origin = Instant::now();
///     let config = ConnectionConfig::default();
///     let mut connection = Connection::new(&endpoint, Auth::anonymous(), &config, origin.elapsed())?;
///     connection.request(origin.elapsed(), &Request::chat(question))?;
///     let mut storage = EventStorage::new();
///     let mut buffer = [0; 16 * 1024];
///     while !connection.is_finished() {
///         while let Some(event) = connection.poll_event(origin.elapsed(), &mut storage) {
///             match event {
///                 ConnectionEvent::Session(Event::Delta { text, .. }) => print!("{text}"),
///                 ConnectionEvent::Session(Event::End(_)) => return Ok(()),
///                 ConnectionEvent::Closed(end) => println!("{end}"),
///                 _ => {}
///             }
///         }
///         while let Some(bytes) = connection.poll_transmit() {
///             let n = socket.write(bytes)?;
///             connection.transmitted(n);
///         }
///         let now = origin.elapsed();
///         let deadline = connection.next_deadline();
///         let timeout = deadline.map(|at| at.saturating_sub(now).max(std::time::Duration::from_millis(1)));
///         socket.set_read_timeout(timeout)?;
///         match socket.read(&mut buffer) {
///             Ok(0) => connection.handle_eof(origin.elapsed()),
///             Ok(n) => connection.receive(origin.elapsed(), &buffer[..n])?,
///             Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
///             Err(error) => connection.handle_error(origin.elapsed(), error.kind()),
///         }
///         connection.handle_due(origin.elapsed());
///     }
///     Ok(())
/// }
/// ```
pub struct Connection {
    endpoint: Endpoint,
    config: ConnectionConfig,
    wire: Wire,
    session: Session,
    stage: Stage,
    /// How it ended, once it is over.
    end: Option<ConnectionEnd>,
    /// Whether that was handed out, behind the running turn's end.
    is_told: bool,
    /// Whether the session's timers are to be looked at, once the input is drained.
    timer_ran_out: bool,
    /// How much was handed out since something is late.
    since_late: usize,
    /// How much input was given since its events were taken.
    undrained: usize,
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The handshakes are under way.
    Opening,
    /// The WebSocket is open.
    Open,
    /// The host has closed it, and something is held that goes before.
    Leaving,
    /// The host has closed it.
    Closing,
    Over,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("endpoint", &self.endpoint)
            .field("session", &self.session)
            .field("stage", &self.stage)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// What happened on a [`Connection`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectionEvent<'a> {
    /// The WebSocket is open.
    Open,
    /// An event of the session.
    Session(Event<'a>),
    /// The connection is over: the last event. The running turn's end came before it.
    Closed(ConnectionEnd),
}

/// Why a connection cannot even be started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The authentication cannot be sent.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A token must not go over plain `ws://` to another machine, the server's or a proxy's:
    /// [`ConnectionConfig::allow_token_over_plain_ws`].
    #[error("refusing to send a token to {host} without TLS: use wss://, or allow it (allow_token_over_plain_ws)")]
    PlainToken {
        /// The server's host; where that is this machine, the proxy's.
        host: String,
    },
    /// The handshake cannot be started: no random numbers, or no usable TLS roots.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// More input than a connection takes before its events are taken: nothing of it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("input waits: take its events before more is given")]
#[non_exhaustive]
pub struct Undrained;

/// What there is to say next. Where it is a message, the storage has it, and the session has not seen it.
pub(crate) enum Taken {
    Open,
    Text,
    /// What the session finds due.
    Due,
    Binary,
    Event(Event<'static>),
    Closed,
}

impl Connection {
    /// Starts the handshake: the first bytes to send are there at once.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn new(endpoint: &Endpoint, auth: Auth, config: &ConnectionConfig, now: Duration) -> Result<Self, StartError> {
        let mut session = Session::new(auth, config.session.clone(), now)?;
        Self::check_exposure(endpoint, session.auth(), config)?;
        session.record_as(&endpoint.to_string());
        Ok(Connection {
            wire: Wire::new(now, endpoint, config, session.auth(), Random::system())?,
            endpoint: endpoint.clone(),
            config: config.clone(),
            session,
            stage: Stage::Opening,
            end: None,
            is_told: false,
            timer_ran_out: false,
            since_late: 0,
            undrained: 0,
        })
    }

    /// Whether the settings allow such a connection at all: before anything is looked up or connected for it.
    ///
    /// # Errors
    /// [`StartError`], as [`new`](Self::new) gives it.
    pub fn check(endpoint: &Endpoint, auth: &Auth, config: &ConnectionConfig) -> Result<(), StartError> {
        auth.check(config.session.max_request)?;
        Self::check_exposure(endpoint, auth, config)
    }

    fn check_exposure(endpoint: &Endpoint, auth: &Auth, config: &ConnectionConfig) -> Result<(), StartError> {
        match endpoint.exposed_to(config.proxy.as_ref()) {
            Some(host) if !auth.is_anonymous() && !config.allow_token_over_plain_ws => {
                Err(StartError::PlainToken { host: host.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// Sends a request: see [`Session::request`].
    ///
    /// # Errors
    /// [`RequestError`]; nothing was sent and nothing has changed.
    pub fn request(&mut self, now: Duration, request: &Request) -> Result<(), RequestError> {
        self.check_not_closed()?;
        if self.stage == Stage::Open && request.kind() != RequestKind::Stop {
            self.config.session.check_unsent(self.poll_transmit().map_or(0, <[u8]>::len))?;
        }
        self.session.request(now, request)?;
        self.send();
        Ok(())
    }

    /// Stops the running answer: see [`Session::stop`].
    ///
    /// # Errors
    /// [`RequestError::Closed`], also once [`close`](Self::close) was called.
    pub fn stop(&mut self, now: Duration) -> Result<bool, RequestError> {
        self.check_not_closed()?;
        let sent = self.session.stop(now)?;
        self.send();
        Ok(sent)
    }

    fn check_not_closed(&self) -> Result<(), RequestError> {
        let is_closed = matches!(self.stage, Stage::Leaving | Stage::Closing);
        if is_closed { Err(RequestError::Closed) } else { Ok(()) }
    }

    /// Closes the connection in an orderly way, bounded by [`ConnectionConfig::close`]; at once when it is not open
    /// yet. What still comes is handed out, and a running turn ends interrupted. Requests that have no answer and are held
    /// ([`Config::settle`](chatnio_core::Config::settle)) go out before: at their time, or now if that is further away than
    /// the bound. A repeated call does nothing.
    pub fn close(&mut self, now: Duration) {
        let is_idle = self.stage == Stage::Open && self.session.state() == State::Idle;
        let is_soon = |at: Duration| on(self.config.close).is_none_or(|limit| at <= now.saturating_add(limit));
        if is_idle && self.session.held_until(now).is_some_and(is_soon) {
            self.stage = Stage::Leaving;
        } else if self.stage != Stage::Leaving {
            self.close_at_once(now);
        }
    }

    /// [`close`](Self::close) for who does not wait: what is held goes out now, when the server may lose it.
    pub fn close_at_once(&mut self, now: Duration) {
        if self.stage != Stage::Over {
            self.session.release();
            self.send();
            self.stage = Stage::Closing;
            self.wire.close(now);
        }
    }

    /// Takes bytes from the server, split in any way.
    ///
    /// # Errors
    /// [`Undrained`] when input waits for its events to be taken already, and would be more than
    /// [`Config::max_message`](chatnio_core::Config::max_message) with this (but at least 1 MiB, and at most 256 MiB).
    /// When none waits, after [`poll_event`](Self::poll_event) has given `None`, any size is taken; once the connection is over,
    /// what comes is passed over.
    pub fn receive(&mut self, now: Duration, bytes: &[u8]) -> Result<(), Undrained> {
        if self.stage == Stage::Over {
            return Ok(());
        }
        // What comes alone is taken whatever its size: no event that is taken would make room for it.
        let limit = self.config.max_message().clamp(MIN_UNDRAINED, MAX_MESSAGE);
        if self.undrained > 0 && self.undrained.saturating_add(bytes.len()) > limit {
            return Err(Undrained);
        }
        self.undrained += bytes.len();
        self.wire.receive(now, bytes);
        Ok(())
    }

    /// The stream has ended: the server closed it. A repeated call does nothing.
    pub fn handle_eof(&mut self, now: Duration) {
        self.wire.handle_eof(now);
    }

    /// The stream has failed: connecting or reading did, or writing in a way that reading will not tell. A repeated call
    /// does nothing.
    pub fn handle_error(&mut self, now: Duration, kind: io::ErrorKind) {
        self.wire.handle_error(now, kind);
    }

    /// Does what is due at `now`; what comes of it is handed out by [`poll_event`](Self::poll_event).
    pub fn handle_timeout(&mut self, now: Duration) {
        self.wire.handle_timeout(now);
        self.timer_ran_out = true;
    }

    /// [`handle_timeout`](Self::handle_timeout), if anything is due: for who looks at the clock between reads.
    pub fn handle_due(&mut self, now: Duration) {
        if self.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.handle_timeout(now);
        }
    }

    /// What happened, one thing at a time; `None` until there is more input. The event borrows from `storage`, and the
    /// connection can be used on.
    pub fn poll_event<'s>(&mut self, now: Duration, storage: &'s mut EventStorage) -> Option<ConnectionEvent<'s>> {
        let taken = self.take(now, storage)?;
        self.event(now, taken, storage)
    }

    /// The host to connect to, and its port: the server, or the proxy on the way there.
    pub fn peer(&self) -> (&str, u16) {
        let hop = Hop::new(&self.endpoint, self.config.proxy.as_ref());
        (hop.host(), hop.port())
    }

    /// What the server has shown in its TLS handshake; `None` before that is over, and without TLS.
    pub fn tls(&self) -> Option<TlsSession> {
        self.wire.tls()
    }

    /// The bytes to send next; `None` when there are none. Call [`transmitted`](Self::transmitted) with what was
    /// sent of them.
    #[inline]
    pub fn poll_transmit(&self) -> Option<&[u8]> {
        self.wire.poll_transmit()
    }

    /// The first `n` of the bytes to send were sent.
    pub fn transmitted(&mut self, n: usize) {
        self.wire.transmitted(n);
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; `None` for never.
    pub fn next_deadline(&self) -> Option<Duration> {
        if self.holds_input() && self.session.withholds_question() {
            return Some(Duration::ZERO);
        }
        // While it closes nothing of the session's is sent any more.
        let session = if self.stage == Stage::Closing { None } else { self.session.next_deadline() };
        [self.wire.next_deadline(), session].into_iter().flatten().min()
    }

    /// Whether the connection is over, its events are handed out and nothing is left to send: close the socket.
    pub fn is_finished(&self) -> bool {
        self.stage == Stage::Over && self.is_told && self.wire.is_finished()
    }

    /// Whether the WebSocket is open.
    pub fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Starts afresh on a new socket, which the host connects to the same endpoint: see [`Session::reconnect`]. What was
    /// received before and not polled counts first: the running answer takes it in, and may come to its end by it.
    /// Returns the running turn's end, if there was one. A recording starts afresh too.
    ///
    /// # Errors
    /// [`WireError`], as in [`new`](Self::new); nothing has changed then.
    #[must_use = "it may hold the running turn's end"]
    pub fn reconnect(&mut self, now: Duration) -> Result<Option<Event<'static>>, WireError> {
        let now = now.max(self.wire.now());
        let wire = Wire::new(now, &self.endpoint, &self.config, self.session.auth(), Random::system())?;
        let end = self.leave(now);
        self.wire = wire;
        // The turn has ended when the old connection was left.
        let _ = self.session.reconnect(now);
        self.stage = Stage::Opening;
        self.end = None;
        Ok(end)
    }

    /// Ends the connection for another one, which [`reconnect`](Self::reconnect) then begins, without a word to the
    /// server. Returns the running turn's end, as that would.
    pub(crate) fn leave(&mut self, now: Duration) -> Option<Event<'static>> {
        let ended = self.take_rest(now);
        let end = self.session.closed(CloseReason::Reconnect);
        self.wire.abandon();
        self.timer_ran_out = false;
        self.since_late = 0;
        self.undrained = 0;
        self.stage = Stage::Over;
        self.end = Some(ConnectionEnd::Clean);
        self.is_told = true;
        ended.map(Event::from).or(end)
    }

    /// Takes in what came and was not polled; the answer that it ended, if it did.
    fn take_rest(&mut self, now: Duration) -> Option<Box<Answer>> {
        let mut storage = EventStorage::new();
        let mut ended = None;
        while let Some(event) = self.poll_event(now, &mut storage) {
            if let ConnectionEvent::Session(Event::End(end)) = event {
                ended = Some(end.answer);
            }
        }
        ended
    }

    /// About how many bytes are held in buffers, the answer so far and the recording included.
    pub fn memory(&self) -> usize {
        self.wire.memory() + self.session.memory()
    }

    /// The session: state, running answer, conversation, counters.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Where it is connected to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The settings.
    pub fn config(&self) -> &ConnectionConfig {
        &self.config
    }

    /// How it ended; `None` while it has not.
    pub fn end(&self) -> Option<&ConnectionEnd> {
        self.end.as_ref()
    }

    /// What was sent and received so far: see [`Session::transcript`].
    pub fn transcript(&self) -> Option<&Transcript> {
        self.session.transcript()
    }

    /// Takes out what there is to say next, for [`event`](Self::event). Two steps, because a client that looks again and
    /// again can keep no event while it does.
    #[inline]
    pub(crate) fn take(&mut self, now: Duration, storage: &mut EventStorage) -> Option<Taken> {
        if self.stage == Stage::Over {
            return (!std::mem::replace(&mut self.is_told, true)).then_some(Taken::Closed);
        }
        if self.timer_ran_out
            && let Some(taken) = self.take_late(now)
        {
            return Some(taken);
        }
        if self.session.holds_frames() {
            return Some(Taken::Due);
        }
        match self.wire.next(now, storage.message_mut()) {
            Some(Incoming::Text) => Some(Taken::Text),
            Some(Incoming::Binary) => Some(Taken::Binary),
            Some(Incoming::Open) => {
                // A close may have come before: then the wire has said that instead.
                self.stage = Stage::Open;
                self.send();
                Some(Taken::Open)
            }
            Some(Incoming::Closed(end)) => Some(self.closed(end)),
            None => {
                if std::mem::take(&mut self.undrained) > 0 {
                    self.send();
                }
                if self.stage == Stage::Closing {
                    return None;
                }
                if self.timer_ran_out {
                    if self.session.is_due(now) {
                        return Some(Taken::Due);
                    }
                    // What was held until now goes out.
                    let _ = self.session.handle_timeout(now, storage);
                    self.timer_ran_out = false;
                    self.since_late = 0;
                    self.send();
                }
                // A message that came at that time has let it go, too, and then no timer is left.
                if self.stage == Stage::Leaving && self.session.held_until(now).is_none() {
                    self.close_at_once(now);
                }
                None
            }
        }
    }

    /// What is late. What has come goes first, since that may be late no longer then; but not all of it: it may be so much, of
    /// which nothing is a sign of life, that a deadline would be none.
    #[cold]
    fn take_late(&mut self, now: Duration) -> Option<Taken> {
        let closes = self.stage == Stage::Closing;
        let is_late = if closes { self.wire.is_late_to_close() } else { self.session.is_due(now) };
        self.since_late = if is_late { self.since_late + 1 } else { 0 };
        if self.since_late <= MOST_AT_ONCE {
            return None;
        }
        if closes { self.wire.give_up_closing().map(|end| self.closed(end)) } else { Some(Taken::Due) }
    }

    /// What was taken out, as an event. What follows from it is ready to be sent.
    #[inline]
    pub(crate) fn event<'s>(
        &mut self,
        now: Duration,
        taken: Taken,
        storage: &'s mut EventStorage,
    ) -> Option<ConnectionEvent<'s>> {
        match taken {
            Taken::Open => Some(ConnectionEvent::Open),
            Taken::Closed => self.end.clone().map(ConnectionEvent::Closed),
            taken => self.session_event(now, taken, storage).map(ConnectionEvent::Session),
        }
    }

    /// [`event`](Self::event), where it is the session's; none is when it is not.
    #[inline(always)]
    pub(crate) fn session_event<'s>(
        &mut self,
        now: Duration,
        taken: Taken,
        storage: &'s mut EventStorage,
    ) -> Option<Event<'s>> {
        let event = match taken {
            Taken::Text => self.session.receive_stored(now, storage),
            Taken::Due => self.session.handle_timeout(now, storage),
            Taken::Binary => self.session.receive_binary(now),
            Taken::Event(event) => Some(event),
            Taken::Open | Taken::Closed => None,
        };
        self.send();
        if let Some(Event::End(_)) = event {
            self.wire.trim();
        }
        if event.is_some() && self.session.state() == State::Closed {
            self.refuse();
        }
        event
    }

    /// Whether there is input whose events are not taken. Half a message is none.
    #[inline]
    fn holds_input(&self) -> bool {
        self.undrained > 0 && self.wire.holds_input()
    }

    /// Moves the session's messages into the wire, once it is open. A question waits until the input that was there before it
    /// is taken.
    #[inline]
    fn send(&mut self) {
        if !matches!(self.stage, Stage::Open | Stage::Leaving) {
            return;
        }
        while !(self.holds_input() && self.session.withhold_question())
            && let Some(message) = self.session.poll_transmit()
        {
            // A wire that is over says so itself.
            if self.wire.send_text(&message).is_err() {
                break;
            }
        }
    }

    /// Ends the wire with the session, if that did by itself.
    fn refuse(&mut self) {
        if self.stage != Stage::Over {
            self.wire.refuse(WireError::Unasked);
            self.stage = Stage::Over;
            self.end = Some(ConnectionEnd::Lost(WireError::Unasked));
            self.is_told = false;
        }
    }

    /// Ends the session with the wire: the running turn's end first, if there is one.
    fn closed(&mut self, mut end: ConnectionEnd) -> Taken {
        if let ConnectionEnd::ByServer { reason, .. } = &mut end {
            let ConnectionConfig { headers, proxy, .. } = &self.config;
            *reason = all_of(&self.endpoint, headers, proxy.as_ref(), self.session.auth()).redact(reason);
        }
        let reason = match &end {
            ConnectionEnd::Clean => CloseReason::Host,
            ConnectionEnd::ByServer { .. } => CloseReason::Server,
            // The host wanted it closed, whether or not its goodbye got through.
            ConnectionEnd::Lost(_) if self.stage == Stage::Closing => CloseReason::Host,
            ConnectionEnd::Lost(_) if self.stage == Stage::Opening => CloseReason::GivenUp(Interruption::NotConnected),
            ConnectionEnd::Lost(error) => match error.interruption() {
                Interruption::ConnectionLost => CloseReason::Lost,
                why => CloseReason::GivenUp(why),
            },
        };
        self.stage = Stage::Over;
        self.end = Some(end);
        let event = self.session.closed(reason);
        self.is_told = event.is_none();
        event.map_or(Taken::Closed, Taken::Event)
    }
}

#[cfg(test)]
mod tests;
