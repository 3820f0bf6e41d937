//! `Client`: blocking, over a std `TcpStream`.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, PoisonError, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use chatnio_core::transcript::Transcript;
use chatnio_core::{
    Answer, Auth, Conversation, Counters, Event, Interruption, Outcome, Request, RequestError, RequestKind, Session,
    State,
};
use thiserror::Error;

use crate::config::ConnectionConfig;
use crate::connection::{Arrival, Connection, ConnectionEnd, EventStorage, StartError};
use crate::endpoint::{Endpoint, EndpointError};
use crate::os::{Mutex, MutexGuard, TcpStream, read_within};

/// The longest that one write waits, and the longest that one read waits for a turn that a stopper may stop: it then has
/// deadlines that a thread which waits already does not know of.
const TICK: Duration = Duration::from_millis(100);

/// How many events of a draining turn are passed over at once: its server may never pause.
const LOOKED_AT: usize = 1000;

/// How long a client that is dropped mid-answer waits for the server to have read its stop.
const GOODBYE: Duration = Duration::from_millis(250);

/// A blocking client: a std `TcpStream` and a [`Connection`], nothing else.
///
/// ```no_run
/// use chatnio::{Auth, Client, ConnectionConfig, Request};
///
/// let mut client = Client::connect("wss://api.chatnio.net", Auth::new("sk-..."), &ConnectionConfig::default())?;
/// let mut pieces = client.ask(&Request::chat("hi").model("gpt-4"))?;
/// for piece in &mut pieces {
///     print!("{}", piece?);
/// }
/// println!("{:?}", pieces.answer());
/// # Ok::<(), chatnio::ClientError>(())
/// ```
///
/// Nothing is sent or received while no call is under way: a client that idles for long is kept alive by
/// [`next_within`](Self::next_within), or reconnects.
pub struct Client {
    route: Route,
    shared: Arc<Shared>,
    /// Read from without the lock.
    socket: TcpStream,
    input: Box<[u8]>,
    /// What the last event borrows from.
    storage: EventStorage,
    /// When the last arrival was found.
    now: Duration,
    /// An event that no call could return.
    pending: Option<Event<'static>>,
    /// Why the last reconnect failed, where the connection itself cannot tell.
    failed: Option<ClientError>,
    /// Whether an answer was left before its end, which nobody waits for.
    abandoned: bool,
    /// Whether a signal ends a wait.
    interruptible: bool,
    /// Whether to say goodbye when dropped.
    polite: bool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("route", &self.route)
            .field("connection", &self.shared.lock().connection)
            .finish_non_exhaustive()
    }
}

/// What the client shares with its stoppers.
#[derive(Debug)]
struct Shared {
    origin: Instant,
    inner: Mutex<Inner>,
}

/// Locked only to change state and to write, never while reading.
#[derive(Debug)]
struct Inner {
    connection: Connection,
    /// The same socket, to write to.
    socket: TcpStream,
    /// Whether a stopper has closed the client since the last reconnect began.
    is_unwanted: bool,
}

/// The way to the server.
#[derive(Debug)]
enum Route {
    LookUp,
    Addresses(Vec<SocketAddr>),
    /// A stream that the host has connected.
    Given,
}

impl Route {
    fn connect(&self, endpoint: &Endpoint, config: &ConnectionConfig) -> Result<TcpStream, ClientError> {
        let started = Instant::now();
        let found;
        let addresses = match self {
            Route::LookUp => {
                found = look_up(endpoint, config.connect)?;
                &found
            }
            Route::Addresses(addresses) => addresses,
            Route::Given => return Err(ClientError::GivenStream),
        };
        connect_any(endpoint, addresses, started, config.connect)
    }
}

/// Why a [`Client`] failed.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The URL is not one of a chat server.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The connection cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The host's name cannot be looked up.
    #[error("cannot look up {host}: {source}")]
    Resolve {
        /// The host.
        host: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// No address of the host can be connected to.
    #[error("cannot connect to {host}: {source}")]
    Connect {
        /// The host.
        host: String,
        /// Why the last address failed.
        source: Arc<io::Error>,
    },
    /// Name look-up and connect took longer than [`ConnectionConfig::connect`].
    #[error("cannot connect to {host} within {} s", limit.as_secs_f32())]
    ConnectTimeout {
        /// The host.
        host: String,
        /// The limit.
        limit: Duration,
    },
    /// The connection was refused, lost, or closed by the server. The running turn's end came before this.
    #[error(transparent)]
    Ended(#[from] ConnectionEnd),
    /// The answer did not come to its end, though the connection holds.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
    /// The client was given its stream: only the host can make another, for
    /// [`reconnect_stream`](Client::reconnect_stream).
    #[error("this client was given its socket: connect another one, and reconnect over that")]
    GivenStream,
    /// [`Client::ask`] is for requests that are answered: chats and restarts. Nothing was sent.
    #[error("`{kind}` has no answer: send it with `request`")]
    NotAnswered {
        /// The request's kind.
        kind: RequestKind,
    },
    /// The request was refused; nothing was sent.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A signal came while waiting, and the client is [interruptible](Client::set_interruptible). Nothing is lost:
    /// wait again.
    #[error("a signal came while waiting")]
    Signal,
    /// The operating system failed in setting the socket up.
    #[error("socket: {0}")]
    Socket(#[source] Arc<io::Error>),
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        ClientError::Socket(Arc::new(error))
    }
}

impl Client {
    /// Connects to `url` (see [`Endpoint::parse`]) and waits until the WebSocket is open.
    ///
    /// # Errors
    /// [`ClientError`]; within [`ConnectionConfig::connect`] and [`ConnectionConfig::handshake`].
    pub fn connect(url: &str, auth: Auth, config: &ConnectionConfig) -> Result<Self, ClientError> {
        let endpoint = Endpoint::parse(url)?;
        Self::by_route(Route::LookUp, &endpoint, auth, config)
    }

    /// Connects to `endpoint` by these addresses, without looking its name up; each is tried within the time that
    /// is left. A reconnect uses them again.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_to(
        addresses: &[SocketAddr],
        endpoint: &Endpoint,
        auth: Auth,
        config: &ConnectionConfig,
    ) -> Result<Self, ClientError> {
        Self::by_route(Route::Addresses(addresses.into()), endpoint, auth, config)
    }

    /// Uses a stream that is connected to `endpoint` already, through a proxy for instance, and waits until the
    /// WebSocket is open. The stream's time-outs are changed. To reconnect it takes another:
    /// [`reconnect_stream`](Self::reconnect_stream).
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn from_stream(
        socket: TcpStream,
        endpoint: &Endpoint,
        auth: Auth,
        config: &ConnectionConfig,
    ) -> Result<Self, ClientError> {
        Self::over(socket, Route::Given, endpoint, auth, config)
    }

    fn by_route(route: Route, endpoint: &Endpoint, auth: Auth, config: &ConnectionConfig) -> Result<Self, ClientError> {
        // What the settings forbid is not worth a look-up.
        Connection::check(endpoint, &auth, config)?;
        let socket = route.connect(endpoint, config)?;
        Self::over(socket, route, endpoint, auth, config)
    }

    fn over(
        socket: TcpStream,
        route: Route,
        endpoint: &Endpoint,
        auth: Auth,
        config: &ConnectionConfig,
    ) -> Result<Self, ClientError> {
        let origin = Instant::now();
        let connection = Connection::new(endpoint, auth, config, Duration::ZERO)?;
        let writer = prepare(&socket)?;
        let inner = Mutex::new(Inner { connection, socket: writer, is_unwanted: false });
        let mut client = Client {
            route,
            shared: Arc::new(Shared { origin, inner }),
            socket,
            input: vec![0; 16 * 1024].into(),
            storage: EventStorage::default(),
            now: Duration::ZERO,
            pending: None,
            failed: None,
            abandoned: false,
            interruptible: false,
            // What was never open wants no goodbye; the socket may be the host's as well.
            polite: false,
        };
        client.open()?;
        client.polite = true;
        Ok(client)
    }

    /// Asks, and iterates over the pieces of the answer as they come. An answer that was left before its end is
    /// drained first: its stop was sent when it was left, so that is bounded by
    /// [`Config::after_stop`](chatnio_core::Config::after_stop).
    ///
    /// # Errors
    /// [`ClientError::Request`], and [`ClientError::Ended`] when the connection is gone.
    pub fn ask(&mut self, request: &Request) -> Result<Pieces<'_>, ClientError> {
        let kind = request.kind();
        if !kind.begins_turn() {
            return Err(ClientError::NotAnswered { kind });
        }
        self.request(request)?;
        Ok(Pieces { turn: self.turn(), client: self, answer: None })
    }

    /// Sends a request without waiting for its answer; [`next`](Self::next) then brings its events. As for
    /// [`ask`](Self::ask), an answer that was left before its end is drained first.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn request(&mut self, request: &Request) -> Result<(), ClientError> {
        while self.abandoned && self.next()?.is_some() && self.state() == State::Stopping {}
        self.abandoned = false;
        self.look_for_end()?;
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let now = self.shared.now();
        let mut inner = self.shared.lock();
        let sent = inner.connection.request(now, request);
        if let (Err(RequestError::Closed), Some(end)) = (&sent, inner.connection.end())
            && *end != ConnectionEnd::Clean
        {
            return Err(end.clone().into());
        }
        sent?;
        inner.write();
        Ok(())
    }

    /// Takes in what a draining turn waits for: its end may be here, and nobody else looks.
    fn look_for_end(&mut self) -> Result<(), ClientError> {
        if self.state() != State::Draining {
            return Ok(());
        }
        // The last event's storage belongs to whoever has it; what is passed over here nobody sees.
        let storage = mem::take(&mut self.storage);
        let found = self.uninterrupted(|client| {
            for _ in 0..LOOKED_AT {
                if client.state() != State::Draining || client.next_within(Duration::ZERO)?.is_none() {
                    break;
                }
            }
            Ok(())
        });
        self.storage = storage;
        found
    }

    /// Whether a signal that this thread handles ends a wait, with [`ClientError::Signal`]: for hosts whose handlers
    /// only set a flag, and that look at it between two waits. Off. Connecting, closing and sending are bounded, and not
    /// interrupted.
    pub fn set_interruptible(&mut self, on: bool) {
        self.interruptible = on;
    }

    fn uninterrupted<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        let interruptible = mem::replace(&mut self.interruptible, false);
        let result = body(self);
        self.interruptible = interruptible;
        result
    }

    /// Waits for the running turn's next event; `None` when no turn runs (what an interrupted one still sends is taken
    /// in by [`next_within`](Self::next_within)). The turn's deadlines bound the wait.
    ///
    /// # Errors
    /// [`ClientError::Ended`] when the connection was lost or closed by the server, from then on at every call; the
    /// running turn's end came before. After a [`reconnect`](Self::reconnect) that has failed, what that returned. When
    /// this side has closed it: `Ok(None)`.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Event<'_>>, ClientError> {
        let over = |connection: &Connection| matches!(connection.session().state(), State::Idle | State::Draining);
        let arrival = self.wait(None, over)?;
        Ok(arrival.map(|arrival| self.event(arrival)))
    }

    /// Waits for any event, at most `timeout` long, also while no turn runs: an idle connection is kept alive by it.
    /// `None` when there was none.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn next_within(&mut self, timeout: Duration) -> Result<Option<Event<'_>>, ClientError> {
        let arrival = self.wait(Some(timeout), |_| false)?;
        Ok(arrival.map(|arrival| self.event(arrival)))
    }

    /// Stops the running answer: see [`Session::stop`](chatnio_core::Session::stop). Its end comes by
    /// [`next`](Self::next).
    ///
    /// # Errors
    /// [`ClientError::Request`] when the connection is gone.
    pub fn stop(&mut self) -> Result<bool, ClientError> {
        Ok(self.shared.stop()?)
    }

    /// A handle that stops the answer or closes the connection from another thread.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::downgrade(&self.shared))
    }

    /// Closes the connection in an orderly way, bounded by [`ConnectionConfig::close`]. Returns the running turn's
    /// answer so far, interrupted, if one ran. Afterwards the client can only [`reconnect`](Self::reconnect).
    ///
    /// # Errors
    /// [`ClientError::Ended`] when the connection was lost instead, and no turn ran.
    pub fn close(&mut self) -> Result<Option<Box<Answer>>, ClientError> {
        self.uninterrupted(Self::close_now)
    }

    fn close_now(&mut self) -> Result<Option<Box<Answer>>, ClientError> {
        {
            let now = self.shared.now();
            let mut inner = self.shared.lock();
            inner.connection.close(now);
            inner.write();
        }
        let mut answer = None;
        loop {
            match self.wait(None, |_| false) {
                Ok(Some(arrival)) => {
                    if let Event::End(end) = self.event(arrival) {
                        answer = Some(end.answer);
                    }
                }
                Ok(None) => return Ok(answer),
                // Nothing that was received is lost for it.
                Err(_) if answer.is_some() => return Ok(answer),
                Err(error) => return Err(error),
            }
        }
    }

    /// Drops the client without a word to the server: no stop, no Close, no I/O but the closing of its descriptors. For
    /// a forked child, which shares the connection with its parent.
    pub fn abandon(mut self) {
        self.polite = false;
    }

    /// Connects anew and goes on in the same conversation: see [`Session::reconnect`](chatnio_core::Session::reconnect).
    /// Returns the running turn's answer so far, interrupted, if one ran. Stoppers stay valid.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and [`ClientError::GivenStream`], after which nothing has changed. Otherwise the
    /// client has no connection any more: its calls return that error until `reconnect`, which may be tried again, has
    /// succeeded. If a turn had ended by then, its end is the next event.
    pub fn reconnect(&mut self) -> Result<Option<Box<Answer>>, ClientError> {
        if matches!(self.route, Route::Given) {
            return Err(ClientError::GivenStream);
        }
        let (endpoint, config) = self.leave();
        let connected = self.route.connect(&endpoint, &config);
        self.arrive(connected)
    }

    /// [`reconnect`](Self::reconnect) over a stream that the host has connected anew.
    ///
    /// # Errors
    /// As [`reconnect`](Self::reconnect).
    pub fn reconnect_stream(&mut self, socket: TcpStream) -> Result<Option<Box<Answer>>, ClientError> {
        self.reconnect_by(|| Ok(socket))
    }

    /// [`reconnect`](Self::reconnect) over a stream that `connect` makes, by a proxy for instance. The old connection is
    /// left before.
    ///
    /// # Errors
    /// As [`reconnect`](Self::reconnect); [`ClientError::Socket`] when `connect` fails.
    pub fn reconnect_by(
        &mut self,
        connect: impl FnOnce() -> io::Result<TcpStream>,
    ) -> Result<Option<Box<Answer>>, ClientError> {
        self.leave();
        self.arrive(connect().map_err(ClientError::from))
    }

    /// Ends the connection for another one. What a stopper closes from now on is that.
    fn leave(&mut self) -> (Endpoint, ConnectionConfig) {
        let now = self.shared.now();
        let mut inner = self.shared.lock();
        inner.is_unwanted = false;
        let end = inner.connection.leave(now);
        self.pending = self.pending.take().or(end);
        let _ = inner.socket.shutdown(Shutdown::Both);
        (inner.connection.endpoint().clone(), inner.connection.config().clone())
    }

    /// Goes on over a new socket, if there is one.
    fn arrive(&mut self, connected: Result<TcpStream, ClientError>) -> Result<Option<Box<Answer>>, ClientError> {
        self.abandoned = false;
        let opened = connected.and_then(|socket| self.reopen(socket));
        // Of how it has ended itself, the connection tells.
        self.failed = opened.as_ref().err().filter(|error| !matches!(error, ClientError::Ended(_))).cloned();
        opened?;
        Ok(match self.pending.take() {
            Some(Event::End(end)) => Some(end.answer),
            _ => None,
        })
    }

    fn reopen(&mut self, socket: TcpStream) -> Result<(), ClientError> {
        let writer = prepare(&socket)?;
        let now = self.shared.now();
        {
            let mut inner = self.shared.lock();
            if inner.is_unwanted {
                return Err(ConnectionEnd::Clean.into());
            }
            // The turn has ended with the old connection.
            let _ = inner.connection.reconnect(now).map_err(StartError::from)?;
            inner.socket = writer;
        }
        self.socket = socket;
        self.open()
    }

    /// How the connection has ended; `None` while it has not. [`ConnectionEnd::Clean`] also where a reconnect never came
    /// to a new one.
    pub fn end(&self) -> Option<ConnectionEnd> {
        self.shared.lock().connection.end().cloned()
    }

    /// What the session is doing.
    pub fn state(&self) -> State {
        self.shared.lock().connection.session().state()
    }

    /// Which conversation the connection is in, as far as the server has said.
    pub fn conversation(&self) -> Conversation {
        self.shared.lock().connection.session().conversation()
    }

    /// What the session has counted.
    pub fn counters(&self) -> Counters {
        self.shared.lock().connection.session().counters()
    }

    /// Looks at the session: the running answer, for instance. Stoppers wait meanwhile.
    pub fn with_session<T>(&self, look: impl FnOnce(&Session) -> T) -> T {
        look(self.shared.lock().connection.session())
    }

    /// About how many bytes are held: see [`Connection::memory`].
    pub fn memory(&self) -> usize {
        self.shared.lock().connection.memory() + self.input.len() + self.storage.memory()
    }

    /// A copy of what was sent and received so far, without tokens, if [`ConnectionConfig::record`] is on.
    /// Of this connection: a reconnect begins a new one.
    pub fn transcript(&self) -> Option<Transcript> {
        self.shared.lock().connection.transcript().cloned()
    }

    /// The number of the running turn.
    fn turn(&self) -> Option<u64> {
        self.shared.lock().connection.session().answer().map(|answer| answer.turn)
    }

    /// Waits for the WebSocket to open.
    fn open(&mut self) -> Result<(), ClientError> {
        // Nothing but a keep-alive and the end can arrive before.
        self.uninterrupted(|client| {
            while client.drive(None, Connection::is_open)?.is_some() {}
            Ok::<(), ClientError>(())
        })?;
        if self.shared.lock().connection.is_open() { Ok(()) } else { Err(ConnectionEnd::Clean.into()) }
    }

    /// What could not be handed out before, or else what [`drive`](Self::drive) brings.
    fn wait(
        &mut self,
        timeout: Option<Duration>,
        done: impl Fn(&Connection) -> bool,
    ) -> Result<Option<Arrival>, ClientError> {
        match (self.pending.take(), &self.failed) {
            (Some(event), _) => Ok(Some(Arrival::Event(event))),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => self.drive(timeout, done),
        }
    }

    /// Drives the connection until something arrives; `None` when `timeout` is over, when `done` says that nothing
    /// will, or when this side has closed it.
    fn drive(
        &mut self,
        timeout: Option<Duration>,
        done: impl Fn(&Connection) -> bool,
    ) -> Result<Option<Arrival>, ClientError> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut has_read = false;
        loop {
            let now = self.shared.now();
            self.now = now;
            let mut limit;
            {
                let mut inner = self.shared.lock();
                let arrival = inner.connection.advance(now);
                inner.write();
                match arrival {
                    None | Some(Arrival::Open | Arrival::Closed(_)) => {}
                    arrival => return Ok(arrival),
                }
                if let Some(end) = inner.connection.end() {
                    // Or the server would wait for ours, for as long as the client is held.
                    let _ = inner.socket.shutdown(Shutdown::Both);
                    return if *end == ConnectionEnd::Clean { Ok(None) } else { Err(end.clone().into()) };
                }
                if done(&inner.connection) {
                    return Ok(None);
                }
                limit = longest_wait(&inner.connection, now);
            }
            if let Some(until) = until {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() && has_read {
                    return Ok(None);
                }
                limit = limit.min(left);
            }
            self.read(limit)?;
            has_read = true;
        }
    }

    /// Waits for input, at most `limit`, and takes it in; then does what is due. A stopper that closes ends the wait: it
    /// shuts the socket down.
    fn read(&mut self, limit: Duration) -> Result<(), ClientError> {
        let read = read_within(&self.socket, &mut self.input, limit);
        let now = self.shared.now();
        let mut inner = self.shared.lock();
        let connection = &mut inner.connection;
        match read {
            Ok(0) => connection.handle_eof(now),
            Ok(n) => connection.receive(now, &self.input[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted && self.interruptible => {
                return Err(ClientError::Signal);
            }
            Err(error) if is_tick(&error) || error.kind() == ErrorKind::Interrupted => {}
            Err(error) => connection.handle_error(now, error.kind()),
        }
        if connection.next_deadline().is_some_and(|deadline| deadline <= now) {
            connection.handle_timeout(now);
        }
        Ok(())
    }

    /// The event that an arrival is.
    fn event(&mut self, arrival: Arrival) -> Event<'_> {
        let now = self.now;
        let mut inner = self.shared.lock();
        match arrival {
            // Kept by the client, so that the event need not keep the lock.
            Arrival::Text(text) => inner.connection.receive_in(now, text, &mut self.storage),
            Arrival::Binary => inner.connection.receive_binary(now),
            Arrival::Event(event) => event,
            Arrival::Open | Arrival::Closed(_) => unreachable!("wait keeps them"),
        }
    }
}

impl Drop for Client {
    /// Says goodbye as well as is possible at once. An answer that is still running is stopped first, and the server
    /// is given a moment to read that: a socket closed on unread input takes back what was sent last.
    fn drop(&mut self) {
        if !self.polite {
            return;
        }
        let now = self.shared.now();
        {
            let mut inner = self.shared.lock();
            let stopped = inner.connection.session().answer().is_some();
            let _ = inner.connection.stop(now);
            inner.connection.close(now);
            inner.write();
            let _ = inner.socket.shutdown(Shutdown::Write);
            if !stopped {
                return;
            }
        }
        let until = Instant::now() + GOODBYE;
        while let Ok(1..) = read_within(&self.socket, &mut self.input, until.saturating_duration_since(Instant::now()))
        {
            if Instant::now() >= until {
                break;
            }
        }
    }
}

impl Shared {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held; if something did, a broken connection would say so itself.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) -> Result<bool, RequestError> {
        let now = self.now();
        let mut inner = self.lock();
        let sent = inner.connection.stop(now)?;
        inner.write();
        Ok(sent)
    }
}

impl Inner {
    /// Writes what is to be written, as far as the socket takes it within about a [`TICK`]; the rest goes out later.
    /// Plain writes: a vectored one to a closed peer would raise SIGPIPE in a C host.
    fn write(&mut self) {
        let mut started = None;
        while let Some(bytes) = self.connection.poll_transmit() {
            // A peer that reads slowly lets each write make a little progress: the lock is not held for all of them.
            if started.get_or_insert_with(Instant::now).elapsed() >= TICK {
                break;
            }
            match self.socket.write(bytes) {
                Ok(n) => self.connection.transmitted(n),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // If the socket is broken, reading from it tells.
                Err(_) => break,
            }
        }
    }
}

/// Stops a [`Client`]'s answer, or closes it, from another thread. It may outlive the client and then does nothing.
#[derive(Debug, Clone)]
pub struct Stopper(Weak<Shared>);

impl Stopper {
    /// Stops the running answer at once; its end comes to the thread that reads. Returns whether a stop was sent:
    /// not when no turn runs, it has had its stop, or the client is gone.
    pub fn stop(&self) -> bool {
        self.0.upgrade().is_some_and(|shared| shared.stop().unwrap_or(false))
    }

    /// Closes the connection at once. A thread that reads gets the running turn's end, and then `None`; one that
    /// reconnects gets [`ClientError::Ended`], after the name look-up or connect that it is in.
    pub fn close(&self) {
        if let Some(shared) = self.0.upgrade() {
            let now = shared.now();
            let mut inner = shared.lock();
            inner.is_unwanted = true;
            inner.connection.close(now);
            inner.write();
            // Wakes the thread that reads.
            let _ = inner.socket.shutdown(Shutdown::Both);
        }
    }
}

/// The pieces of one answer as they come, by [`Client::ask`]; each is owned and not empty. At its end the whole
/// [`answer`](Self::answer) is there.
///
/// An answer that did not come to its end yields an error last; what came of it is kept. A notice (the server answered
/// instead of the model) has no pieces: see [`Answer::notice`].
///
/// Dropping it before the end stops the answer, so that nobody pays for text that was thrown away.
#[derive(Debug)]
pub struct Pieces<'c> {
    client: &'c mut Client,
    /// The turn that it waits for; `None` once that has ended.
    turn: Option<u64>,
    answer: Option<Box<Answer>>,
}

impl Pieces<'_> {
    /// The whole answer; `None` before its end.
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_deref()
    }

    /// Waits for the end and returns the whole answer, whatever its outcome.
    ///
    /// # Errors
    /// [`ClientError`] when there is no answer.
    pub fn into_answer(mut self) -> Result<Box<Answer>, ClientError> {
        let mut failed = None;
        for piece in self.by_ref() {
            failed = piece.err().or(failed);
        }
        self.answer.take().ok_or_else(|| failed.unwrap_or(ClientError::Ended(ConnectionEnd::Clean)))
    }

    /// Why the answer did not come to its end, if it did not.
    fn interruption(&self, outcome: Option<Outcome>) -> Option<ClientError> {
        let Some(Outcome::Interrupted(why)) = outcome else { return None };
        // If the connection was the reason, it knows more.
        Some(match self.client.shared.lock().connection.end() {
            None | Some(ConnectionEnd::Clean) => ClientError::Interrupted(why),
            Some(end) => ClientError::Ended(end.clone()),
        })
    }
}

impl Drop for Pieces<'_> {
    fn drop(&mut self) {
        if self.turn.is_some() {
            self.client.abandoned = true;
            let _ = self.client.stop();
        }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Result<String, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(turn) = self.turn {
            let (piece, answer) = match self.client.next() {
                Ok(Some(Event::Delta { turn: of, text, .. })) if of == turn => (text.to_owned(), None),
                Ok(Some(Event::End(end))) if end.turn() == turn => (end.text().to_owned(), Some(end.answer)),
                Ok(Some(_)) => continue,
                over => {
                    self.turn = None;
                    return over.err().map(Err);
                }
            };
            if let Some(answer) = answer {
                self.turn = None;
                let outcome = answer.outcome;
                self.answer = Some(answer);
                if piece.is_empty() {
                    return self.interruption(outcome).map(Err);
                }
            }
            if !piece.is_empty() {
                return Some(Ok(piece));
            }
        }
        None
    }
}

/// How long a read may wait without being told what has changed meanwhile.
fn longest_wait(connection: &Connection, now: Duration) -> Duration {
    if connection.poll_transmit().is_some() {
        return Duration::ZERO;
    }
    let longest = match connection.session().state() {
        State::Asking | State::Answering => TICK,
        // Nobody else changes anything but by closing.
        _ => Duration::MAX,
    };
    let due = connection.next_deadline().map_or(Duration::MAX, |deadline| deadline.saturating_sub(now));
    longest.min(due)
}

/// Whether an I/O error only says that the time is over (the second is Windows').
fn is_tick(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Sets a socket up, and clones it to write to.
fn prepare(socket: &TcpStream) -> io::Result<TcpStream> {
    // Requests are small, and each is to go out at once. It also tells what is no TCP socket, before anything is changed.
    socket.set_nodelay(true)?;
    socket.set_nonblocking(false)?;
    socket.set_write_timeout(Some(TICK))?;
    socket.try_clone()
}

/// The addresses of a host, within `limit`. A look-up cannot be broken off: at the deadline its thread is left behind.
fn look_up(endpoint: &Endpoint, limit: Duration) -> Result<Vec<SocketAddr>, ClientError> {
    if let Ok(address) = endpoint.host().parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, endpoint.port())]);
    }
    // Never asked of anybody: the answer decides where a token may go without TLS.
    if endpoint.is_loopback() {
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        return Ok(loopback.map(|address| SocketAddr::new(address, endpoint.port())).into());
    }
    let host = endpoint.host().to_owned();
    let target = (host.clone(), endpoint.port());
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().name("chatnio-look-up".into()).spawn(move || {
        let _ = sender.send(target.to_socket_addrs().map(Vec::from_iter));
    })?;
    let found = if limit.is_zero() {
        receiver.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected)
    } else {
        receiver.recv_timeout(limit)
    };
    match found {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(source)) => Err(ClientError::Resolve { host, source: Arc::new(source) }),
        Err(_) => Err(ClientError::ConnectTimeout { host, limit }),
    }
}

/// Connects to the first address that answers. Each gets an even share of the time that is left.
fn connect_any(
    endpoint: &Endpoint,
    addresses: &[SocketAddr],
    started: Instant,
    limit: Duration,
) -> Result<TcpStream, ClientError> {
    let host = || endpoint.host().to_owned();
    let mut failure = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for (i, address) in addresses.iter().enumerate() {
        let connected = if limit.is_zero() {
            TcpStream::connect(address)
        } else {
            let left = limit.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(ClientError::ConnectTimeout { host: host(), limit });
            }
            let share = left / u32::try_from(addresses.len() - i).unwrap_or(u32::MAX);
            TcpStream::connect_timeout(address, share.max(Duration::from_millis(1)))
        };
        match connected {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = error,
        }
    }
    if is_tick(&failure) {
        return Err(ClientError::ConnectTimeout { host: host(), limit });
    }
    Err(ClientError::Connect { host: host(), source: Arc::new(failure) })
}

#[cfg(all(test, shuttle))]
mod interleavings;
#[cfg(test)]
mod tests;
