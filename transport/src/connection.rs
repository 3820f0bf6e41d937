//! `Connection`: the chat protocol over bytes, for hosts that have a socket and an event loop.

use std::fmt;
use std::io;
use std::time::Duration;

use chatnio_core::transcript::{Recorder, Transcript};
use chatnio_core::{
    Answer, Auth, AuthError, Chunk, CloseReason, Event, ReceiveError, Request, RequestError, RequestKind, Session,
};
use thiserror::Error;
use tungstenite::Utf8Bytes;

use crate::config::ConnectionConfig;
use crate::endpoint::Endpoint;
use crate::error::WireError;
use crate::http_refusal::HttpRefusal;
use crate::tls::TlsSession;
use crate::wire::{Closed, Incoming, Wire};

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
/// use chatnio::{Auth, Connection, ConnectionConfig, ConnectionEvent, Endpoint, Event, Request};
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
///     let mut buffer = [0; 16 * 1024];
///     while !connection.is_finished() {
///         while let Some(event) = connection.poll_event(origin.elapsed()) {
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
///             Ok(n) => connection.receive(origin.elapsed(), &buffer[..n]),
///             Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
///             Err(error) => connection.handle_error(origin.elapsed(), error.kind()),
///         }
///         let now = origin.elapsed();
///         if connection.next_deadline().is_some_and(|deadline| deadline <= now) {
///             connection.handle_timeout(now);
///         }
///     }
///     Ok(())
/// }
/// ```
pub struct Connection {
    endpoint: Endpoint,
    config: ConnectionConfig,
    wire: Wire,
    session: Session,
    recorder: Option<Recorder>,
    /// What the last event borrows from.
    message: Utf8Bytes,
    /// Whether the session's timers are to be looked at, once the input is drained.
    timer_ran_out: bool,
    /// Whether the host has closed it.
    closing: bool,
    is_open: bool,
    /// How it ended.
    end: Option<ConnectionEnd>,
    /// Whether that is still to be handed out, behind the running turn's end.
    end_is_due: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("endpoint", &self.endpoint)
            .field("session", &self.session)
            .field("is_open", &self.is_open)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// What an event of [`Connection::poll_event_in`] borrows from, instead of the connection. Used again, it spares
/// allocations.
#[derive(Debug, Default)]
pub struct EventStorage {
    message: Utf8Bytes,
    /// A text that had to be unescaped.
    scratch: String,
}

impl EventStorage {
    /// About how many bytes are held.
    pub fn memory(&self) -> usize {
        self.message.len() + self.scratch.capacity()
    }
}

/// What happened on a [`Connection`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectionEvent<'a> {
    /// The WebSocket is open.
    Open,
    /// An event of the session. A message that could not be read is an [`Event::Malformed`].
    Session(Event<'a>),
    /// The connection is over: the last event. The running turn's end came before it.
    Closed(ConnectionEnd),
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectionEnd {
    /// As the host wanted it.
    #[error("the connection was closed")]
    Clean,
    /// The server closed it, in an orderly way.
    #[error("the server closed the connection ({}{}{reason})", code.map_or("no code".into(), |code| code.to_string()), if reason.is_empty() { "" } else { ": " })]
    ByServer {
        /// The code of its Close, if it gave one.
        code: Option<u16>,
        /// The reason in it, often empty. The server's words: a terminal wants control characters filtered.
        reason: String,
    },
    /// It could not be opened, or it was lost.
    #[error(transparent)]
    Lost(#[from] WireError),
}

impl ConnectionEnd {
    /// The code of the server's Close, or the status of the HTTP answer that came instead of a WebSocket; `None` where
    /// there was neither.
    pub fn code(&self) -> Option<u16> {
        match self {
            ConnectionEnd::ByServer { code, .. } => *code,
            ConnectionEnd::Lost(error) => error.refusal().map(|refusal| refusal.status),
            ConnectionEnd::Clean => None,
        }
    }

    /// The HTTP answer that came instead of a WebSocket; `None` where there was none.
    pub fn refusal(&self) -> Option<&HttpRefusal> {
        match self {
            ConnectionEnd::Lost(error) => error.refusal(),
            _ => None,
        }
    }
}

/// Why a connection cannot even be started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The authentication cannot be sent.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A token must not go over plain `ws://` to a host that is not loopback:
    /// [`ConnectionConfig::allow_token_over_plain_ws`].
    #[error("refusing to send a token to {host} without TLS: use wss://, or allow it (allow_token_over_plain_ws)")]
    PlainToken {
        /// The host.
        host: String,
    },
    /// The handshake cannot be started: no random numbers, or no usable TLS roots.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// What [`Connection::advance`] came upon.
pub(crate) enum Arrival {
    Open,
    Text(Utf8Bytes),
    Binary,
    Event(Event<'static>),
    Closed(ConnectionEnd),
}

impl Connection {
    /// Starts the handshake: the first bytes to send are there at once.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn new(endpoint: &Endpoint, auth: Auth, config: &ConnectionConfig, now: Duration) -> Result<Self, StartError> {
        Self::check(endpoint, &auth, config)?;
        let session = Session::new(auth, config.session.clone(), now)?;
        let mut connection = Connection {
            wire: Wire::new(now, endpoint, &config.wire())?,
            endpoint: endpoint.clone(),
            config: config.clone(),
            session,
            recorder: None,
            message: Utf8Bytes::default(),
            timer_ran_out: false,
            closing: false,
            is_open: false,
            end: None,
            end_is_due: false,
        };
        connection.start_recording();
        Ok(connection)
    }

    /// Whether the settings allow such a connection at all.
    pub(crate) fn check(endpoint: &Endpoint, auth: &Auth, config: &ConnectionConfig) -> Result<(), StartError> {
        Session::new(auth.clone(), config.session.clone(), Duration::ZERO)?;
        let is_exposed = !endpoint.is_tls() && !endpoint.is_loopback();
        if is_exposed && !auth.is_anonymous() && !config.allow_token_over_plain_ws {
            return Err(StartError::PlainToken { host: endpoint.host().to_owned() });
        }
        Ok(())
    }

    /// Sends a request: see [`Session::request`].
    ///
    /// # Errors
    /// [`RequestError`]; nothing was sent and nothing has changed.
    pub fn request(&mut self, now: Duration, request: &Request) -> Result<(), RequestError> {
        if self.closing {
            return Err(RequestError::Closed);
        }
        if self.is_open && request.kind() != RequestKind::Stop {
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
        if self.closing {
            return Err(RequestError::Closed);
        }
        let sent = self.session.stop(now)?;
        self.send();
        Ok(sent)
    }

    /// Closes the connection in an orderly way, bounded by [`ConnectionConfig::close`]; at once when it is not open
    /// yet. What still comes is handed out, and a running turn ends interrupted. A repeated call does nothing.
    pub fn close(&mut self, now: Duration) {
        self.closing = true;
        self.wire.close(now);
    }

    /// Takes bytes from the server, split in any way.
    pub fn receive(&mut self, now: Duration, bytes: &[u8]) {
        self.wire.receive(now, bytes);
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

    /// What happened, one thing at a time; `None` until there is more input. The event is valid until the next call
    /// that changes the connection.
    pub fn poll_event(&mut self, now: Duration) -> Option<ConnectionEvent<'_>> {
        Some(match self.advance(now)? {
            Arrival::Open => ConnectionEvent::Open,
            Arrival::Text(text) => {
                self.message = text;
                let event = self.session.receive_decoded(now, Chunk::decode(&self.message));
                let malformed = |error| Event::Malformed { error, raw: Some(&self.message) };
                ConnectionEvent::Session(event.unwrap_or_else(malformed))
            }
            Arrival::Binary => ConnectionEvent::Session(self.receive_binary(now)),
            Arrival::Event(event) => ConnectionEvent::Session(event),
            Arrival::Closed(end) => ConnectionEvent::Closed(end),
        })
    }

    /// [`poll_event`](Self::poll_event) for a host that holds several events at once: the event borrows from `storage`,
    /// and the connection can be used on.
    pub fn poll_event_in<'s>(&mut self, now: Duration, storage: &'s mut EventStorage) -> Option<ConnectionEvent<'s>> {
        Some(match self.advance(now)? {
            Arrival::Open => ConnectionEvent::Open,
            Arrival::Text(text) => ConnectionEvent::Session(self.receive_in(now, text, storage)),
            Arrival::Binary => ConnectionEvent::Session(self.receive_binary(now)),
            Arrival::Event(event) => ConnectionEvent::Session(event),
            Arrival::Closed(end) => ConnectionEvent::Closed(end),
        })
    }

    /// The host to connect to, and its port: the server, or the proxy on the way there.
    pub fn peer(&self) -> (&str, u16) {
        match &self.config.proxy {
            Some(proxy) => (proxy.host(), proxy.port()),
            None => (self.endpoint.host(), self.endpoint.port()),
        }
    }

    /// What the server has shown in its TLS handshake; `None` before that is over, and without TLS.
    pub fn tls(&self) -> Option<TlsSession> {
        self.wire.tls()
    }

    /// The bytes to send next; `None` when there are none. Call [`transmitted`](Self::transmitted) with what was
    /// sent of them.
    pub fn poll_transmit(&self) -> Option<&[u8]> {
        self.wire.poll_transmit()
    }

    /// The first `n` of the bytes to send were sent.
    pub fn transmitted(&mut self, n: usize) {
        self.wire.transmitted(n);
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; `None` for never.
    pub fn next_deadline(&self) -> Option<Duration> {
        // While it closes nothing of the session's is sent any more.
        let session = if self.closing { None } else { self.session.next_deadline() };
        [self.wire.next_deadline(), session].into_iter().flatten().min()
    }

    /// Whether the connection is over, its events are handed out and nothing is left to send: close the socket.
    pub fn is_finished(&self) -> bool {
        self.end.is_some() && !self.end_is_due && self.wire.is_finished()
    }

    /// Whether the WebSocket is open.
    pub fn is_open(&self) -> bool {
        self.is_open
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
        let wire = Wire::new(now, &self.endpoint, &self.config.wire())?;
        let end = self.leave(now);
        self.wire = wire;
        // A second time: a connection that was left is closed.
        let _ = self.session.reconnect(now);
        self.closing = false;
        self.end = None;
        self.start_recording();
        Ok(end)
    }

    /// Ends the connection for another one, which [`reconnect`](Self::reconnect) then begins, without a word to the
    /// server. Returns the running turn's end, as that would.
    pub(crate) fn leave(&mut self, now: Duration) -> Option<Event<'static>> {
        let ended = self.take_rest(now);
        let end = self.session.reconnect(now);
        let _ = self.session.closed(CloseReason::Host);
        self.wire.abandon();
        self.timer_ran_out = false;
        self.is_open = false;
        self.end = Some(ConnectionEnd::Clean);
        self.end_is_due = false;
        ended.map(Event::ended).or(end)
    }

    /// Takes in what came and was not polled; the answer that it ended, if it did.
    fn take_rest(&mut self, now: Duration) -> Option<Box<Answer>> {
        let mut storage = EventStorage::default();
        let mut ended = None;
        while let Some(arrival) = self.advance(now) {
            let event = match arrival {
                Arrival::Text(text) => self.receive_in(now, text, &mut storage),
                Arrival::Binary => self.receive_binary(now),
                Arrival::Event(event) => event,
                Arrival::Open | Arrival::Closed(_) => continue,
            };
            if let Event::End(end) = event {
                ended = Some(end.answer);
            }
        }
        ended
    }

    /// About how many bytes are held in buffers, the answer so far and the recording included.
    pub fn memory(&self) -> usize {
        let recorded = self.recorder.as_ref().map_or(0, Recorder::len);
        self.wire.memory() + self.session.memory() + self.message.len() + recorded
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

    /// What was sent and received so far, without tokens, if [`ConnectionConfig::record`] is on; up to
    /// [`ConnectionConfig::max_recording`]. Of this connection: a reconnect begins a new one.
    pub fn transcript(&self) -> Option<&Transcript> {
        self.recorder.as_ref().map(Recorder::transcript)
    }

    /// The next thing that came, not yet seen by the session where it is a message.
    pub(crate) fn advance(&mut self, now: Duration) -> Option<Arrival> {
        // What the session had to say about the last message.
        self.send();
        if std::mem::take(&mut self.end_is_due) {
            return self.end.clone().map(Arrival::Closed);
        }
        match self.wire.next(now) {
            Some(Incoming::Open) => {
                self.is_open = true;
                self.send();
                Some(Arrival::Open)
            }
            Some(Incoming::Text(text)) => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.received(&text);
                }
                Some(Arrival::Text(text))
            }
            Some(Incoming::Binary { len }) => {
                // A transcript has text only; a JSON string is as malformed as a binary message.
                if let Some(recorder) = &mut self.recorder {
                    recorder.received(&format!("\"(a binary message of {len} bytes)\""));
                }
                Some(Arrival::Binary)
            }
            Some(Incoming::Closed(closed)) => Some(self.closed(closed)),
            None if self.timer_ran_out && !self.closing => {
                let event = self.session.handle_timeout(now);
                self.timer_ran_out = event.is_some();
                self.send();
                event.map(Arrival::Event)
            }
            None => None,
        }
    }

    /// The event of a text message, which `storage` keeps.
    pub(crate) fn receive_in<'s>(
        &mut self,
        now: Duration,
        text: Utf8Bytes,
        storage: &'s mut EventStorage,
    ) -> Event<'s> {
        storage.message = text;
        let chunk = Chunk::decode(&storage.message);
        let read = chunk.as_ref().ok().copied();
        match (self.session.receive_decoded(now, chunk), read) {
            (Ok(event), Some(chunk)) => event.detach(chunk, &mut storage.scratch),
            (Err(error), _) => Event::Malformed { error, raw: Some(&storage.message) },
            // There is no event without a frame.
            (Ok(_), None) => Event::Malformed { error: ReceiveError::Closed, raw: None },
        }
    }

    pub(crate) fn receive_binary(&mut self, now: Duration) -> Event<'static> {
        let error = self.session.receive_binary(now).err().unwrap_or(ReceiveError::Closed);
        Event::Malformed { error, raw: None }
    }

    /// Moves the session's messages into the wire, once it is open.
    pub(crate) fn send(&mut self) {
        if !self.is_open || self.closing {
            return;
        }
        while let Some(message) = self.session.poll_transmit() {
            match self.wire.send_text(&message) {
                Ok(()) => {
                    if let Some(recorder) = &mut self.recorder {
                        recorder.sent(&message);
                    }
                }
                // The wire is over, and says so itself.
                Err(_) => break,
            }
        }
    }

    /// Ends the session with the wire: the running turn's end first, if there is one.
    fn closed(&mut self, closed: Closed) -> Arrival {
        self.is_open = false;
        // A recording says what the server did.
        let by_server = match &closed {
            Closed::ByServer { .. } => true,
            Closed::Lost(error) => {
                matches!(error, WireError::EndOfStream { .. } | WireError::Truncated { .. } | WireError::Io { .. })
            }
            Closed::Clean => false,
        };
        if let Some(recorder) = self.recorder.as_mut().filter(|_| by_server) {
            recorder.closed();
        }
        let (reason, end) = match closed {
            Closed::Clean => (CloseReason::Host, ConnectionEnd::Clean),
            Closed::ByServer { code, reason } => (CloseReason::Server, ConnectionEnd::ByServer { code, reason }),
            Closed::Lost(error) => {
                let reason = match error {
                    WireError::MessageTooLong { limit } => CloseReason::TooLong { limit },
                    // Whatever became of the goodbye.
                    _ if self.closing => CloseReason::Host,
                    _ => CloseReason::Lost,
                };
                (reason, ConnectionEnd::Lost(error))
            }
        };
        self.end = Some(end.clone());
        match self.session.closed(reason) {
            Some(event) => {
                self.end_is_due = true;
                Arrival::Event(event)
            }
            None => Arrival::Closed(end),
        }
    }

    fn start_recording(&mut self) {
        let recorder = || Recorder::new(Some(&self.endpoint.to_string())).limit(self.config.max_recording);
        self.recorder = self.config.record.then(recorder);
    }
}

#[cfg(test)]
mod tests;
