//! Connecting, and connecting anew.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatnio_core::{Answer, Auth, Event, EventStorage};

use super::look_up::look_up;
use super::patience::Patience;
use super::race::race;
use super::shared::{Inner, Shared};
use super::stopper::Stopper;
use super::tries::Tries;
use super::{Client, ClientError};
use crate::config::ConnectionConfig;
use crate::connection::{Connection, StartError};
use crate::end::ConnectionEnd;
use crate::endpoint::Endpoint;
use crate::hop::Hop;
use crate::os::{Mutex, TcpStream, is_stream, send_at_once};

/// The way to the server.
#[derive(Debug)]
pub(super) enum Route {
    LookUp,
    Addresses(Vec<SocketAddr>),
    /// A stream that the host has connected.
    Given,
}

impl Route {
    /// Connects to the server, or to the proxy on the way there, within `limit`, if that is not zero.
    fn connect(
        &self,
        endpoint: &Endpoint,
        config: &mut ConnectionConfig,
        limit: Duration,
        stopper: &Stopper,
    ) -> Result<TcpStream, ClientError> {
        let patience = Patience::new(limit, stopper);
        if let Some(proxy) = config.proxy.as_mut().filter(|proxy| proxy.wants_target()) {
            let target = look_up(endpoint.host(), endpoint.port(), endpoint.host(), &patience)?;
            if let Some(address) = target.first() {
                *proxy = proxy.clone().with_target(address.ip());
            }
        }
        let hop = Hop::new(endpoint, config.proxy.as_ref());
        let found;
        let addresses = match self {
            Route::LookUp => {
                found = look_up(hop.host(), hop.port(), &hop.name_to_look_up(), &patience)?;
                &found
            }
            Route::Addresses(addresses) => addresses,
            Route::Given => return Err(ClientError::GivenStream),
        };
        // The roots of TLS take some milliseconds. Why they cannot be had, the connection will say.
        race(&hop.name(), addresses, &patience, || {
            if endpoint.is_tls() {
                let _ = config.tls.load();
            }
        })
    }
}

/// The tries of one connect, waited for.
struct Waiting<'s> {
    patience: Patience<'s>,
    tries: Tries,
}

impl<'s> Waiting<'s> {
    fn new(config: &ConnectionConfig, stopper: &'s Stopper) -> Self {
        // The limit is the tries' own.
        Waiting { patience: Patience::new(Duration::ZERO, stopper), tries: Tries::new(config) }
    }

    /// Waits for a place among the connects of this process, if the host has asked for that. Returns how long the
    /// try may connect.
    fn begin(&self, endpoint: &Endpoint) -> Result<Duration, ClientError> {
        self.patience.sleep_until(self.tries.place(self.patience.now()))?;
        self.tries.connect(self.patience.now(), &endpoint.address())
    }

    /// After a try that has failed: waits for the next one, or gives up with what it failed by.
    fn next(&mut self, error: ClientError) -> Result<(), ClientError> {
        let at = self.tries.failed(self.patience.now(), error)?;
        self.patience.sleep_until(at)
    }

    fn left(&self) -> Option<Duration> {
        self.tries.left(self.patience.now())
    }
}

impl Client {
    /// Connects to `url` (see [`Endpoint::parse`]) and waits until the WebSocket is open.
    ///
    /// What fails before it is open is tried again, [`ConnectionConfig::connect_retries`] times at most.
    ///
    /// # Errors
    /// [`ClientError`]; within [`ConnectionConfig::connect`] and [`ConnectionConfig::handshake`] together.
    pub fn connect(url: &str, auth: Auth, config: &ConnectionConfig) -> Result<Self, ClientError> {
        Self::connect_with(url, auth, config, &Stopper::new())
    }

    /// [`connect`](Self::connect) with a stopper that is there before the client: its [`close`](Stopper::close) ends the
    /// connect at once, and afterwards it is one of the client's stoppers. Each client takes one of its own.
    ///
    /// # Errors
    /// As [`connect`](Self::connect); [`ClientError::Ended`] when the stopper has closed it.
    pub fn connect_with(
        url: &str,
        auth: Auth,
        config: &ConnectionConfig,
        stopper: &Stopper,
    ) -> Result<Self, ClientError> {
        let endpoint = Endpoint::parse(url)?;
        Self::by_route(Route::LookUp, &endpoint, auth, config, stopper)
    }

    /// Connects to `endpoint` by these addresses, without looking its name up; with a proxy they are the
    /// proxy's. A reconnect uses them again.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_to(
        addresses: &[SocketAddr],
        endpoint: &Endpoint,
        auth: Auth,
        config: &ConnectionConfig,
    ) -> Result<Self, ClientError> {
        Self::by_route(Route::Addresses(addresses.into()), endpoint, auth, config, &Stopper::new())
    }

    /// Uses a stream that is connected already, to `endpoint` or, if the settings name a proxy, to that one, and waits until
    /// the WebSocket is open. The stream may also be a socket of Unix that was put into a `TcpStream`. Its time-outs are
    /// changed. To reconnect it takes another: [`reconnect_stream`](Self::reconnect_stream).
    ///
    /// # Errors
    /// As [`connect`](Self::connect); [`ClientError::NotAStream`].
    pub fn from_stream(
        socket: TcpStream,
        endpoint: &Endpoint,
        auth: Auth,
        config: &ConnectionConfig,
    ) -> Result<Self, ClientError> {
        let stopper = Stopper::new();
        Self::over(socket, Route::Given, endpoint, auth, config, &stopper, None)
    }

    fn by_route(
        route: Route,
        endpoint: &Endpoint,
        auth: Auth,
        config: &ConnectionConfig,
        stopper: &Stopper,
    ) -> Result<Self, ClientError> {
        // What the settings forbid is not worth a look-up.
        Connection::check(endpoint, &auth, config)?;
        let mut tries = Waiting::new(config, stopper);
        let mut route = Some(route);
        loop {
            let limit = tries.begin(endpoint)?;
            // With what this try finds out.
            let mut config = config.clone();
            let way = route.take().unwrap_or(Route::Given);
            let tried = way.connect(endpoint, &mut config, limit, stopper).map(|socket| (socket, config));
            let error = match tried {
                Ok((socket, config)) => {
                    let made = Self::over(socket, Route::Given, endpoint, auth.clone(), &config, stopper, tries.left());
                    match made {
                        Ok(mut client) => {
                            client.route = way;
                            return Ok(client);
                        }
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            route = Some(way);
            tries.next(error)?;
        }
    }

    fn over(
        socket: TcpStream,
        route: Route,
        endpoint: &Endpoint,
        auth: Auth,
        config: &ConnectionConfig,
        stopper: &Stopper,
        limit: Option<Duration>,
    ) -> Result<Self, ClientError> {
        let origin = Instant::now();
        let connection = Connection::new(endpoint, auth, config, Duration::ZERO)?;
        let writer = prepare(&socket)?;
        let inner = Mutex::new(Inner { connection, socket: writer, is_unwanted: false });
        let shared = Arc::new(Shared { origin, inner });
        if !stopper.bind(&shared) {
            return Err(ConnectionEnd::Clean.into());
        }
        let mut client = Client {
            route,
            shared,
            stopper: stopper.clone(),
            socket,
            input: Self::input(),
            storage: EventStorage::new(),
            now: Duration::ZERO,
            pending: None,
            failed: None,
            abandoned: false,
            interruptible: false,
            // What was never open wants no goodbye; the socket may be the host's as well.
            polite: false,
        };
        client.open(limit)?;
        client.polite = true;
        Ok(client)
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
        let stopper = self.stopper.clone();
        let mut tries = Waiting::new(&config, &stopper);
        let opened = loop {
            let tried = tries.begin(&endpoint).and_then(|limit| {
                let socket = self.route.connect(&endpoint, &mut config.clone(), limit, &stopper)?;
                self.reopen(socket, tries.left())
            });
            match tried {
                Ok(()) => break Ok(()),
                Err(error) => {
                    if let Err(error) = tries.next(error) {
                        break Err(error);
                    }
                }
            }
        };
        self.arrive(opened)
    }

    /// [`reconnect`](Self::reconnect) over a stream that the host has connected anew.
    ///
    /// # Errors
    /// As [`reconnect`](Self::reconnect); [`ClientError::NotAStream`], after which nothing has changed.
    pub fn reconnect_stream(&mut self, socket: TcpStream) -> Result<Option<Box<Answer>>, ClientError> {
        if !is_stream(&socket) {
            return Err(ClientError::NotAStream);
        }
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
        let opened = connect().map_err(ClientError::from).and_then(|socket| self.reopen(socket, None));
        self.arrive(opened)
    }

    /// Ends the connection for another one. What a stopper closes from now on is that.
    pub(super) fn leave(&mut self) -> (Endpoint, ConnectionConfig) {
        let now = self.shared.now();
        let mut inner = self.shared.lock();
        inner.is_unwanted = false;
        self.stopper.reopen();
        let end = inner.connection.leave(now);
        self.pending = self.pending.take().or(end);
        let _ = inner.socket.shutdown(Shutdown::Both);
        (inner.connection.endpoint().clone(), inner.connection.config().clone())
    }

    /// Goes on over a new connection, if there is one.
    pub(super) fn arrive(&mut self, opened: Result<(), ClientError>) -> Result<Option<Box<Answer>>, ClientError> {
        self.abandoned = false;
        // Of how it has ended itself, the connection tells.
        self.failed = opened.as_ref().err().filter(|error| !matches!(error, ClientError::Ended(_))).cloned();
        opened?;
        Ok(match self.pending.take() {
            Some(Event::End(end)) => Some(end.answer),
            _ => None,
        })
    }

    pub(super) fn reopen(&mut self, socket: TcpStream, limit: Option<Duration>) -> Result<(), ClientError> {
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
        self.open(limit)
    }

    /// Waits for the WebSocket to open, at most `limit` long.
    fn open(&mut self, limit: Option<Duration>) -> Result<(), ClientError> {
        let until = limit.and_then(|limit| Instant::now().checked_add(limit));
        // Nothing but a keep-alive and the end can arrive before.
        self.uninterrupted(|client| {
            let left = || until.map(|until| until.saturating_duration_since(Instant::now()));
            while client.drive(left(), Connection::is_open)?.is_some() {}
            Ok::<(), ClientError>(())
        })?;
        let mut inner = self.shared.lock();
        if inner.connection.is_open() {
            return Ok(());
        }
        // A stopper may have closed it, open or not.
        if inner.connection.end().is_none() && !inner.is_unwanted {
            let host = inner.connection.endpoint().address();
            inner.connection.close(self.shared.now());
            return Err(ClientError::ConnectTimeout { host, limit: limit.unwrap_or_default() });
        }
        Err(ConnectionEnd::Clean.into())
    }
}

/// Sets a socket up, and clones it to write to.
fn prepare(socket: &TcpStream) -> Result<TcpStream, ClientError> {
    if !is_stream(socket) {
        return Err(ClientError::NotAStream);
    }
    send_at_once(socket)?;
    socket.set_nonblocking(false)?;
    Ok(socket.try_clone()?)
}
