//! Connecting, and connecting anew.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use chatnio_core::{Answer, Auth, Event};

use super::drive::is_tick;
use super::shared::{Inner, Shared};
use super::{Client, ClientError, TICK};
use crate::config::ConnectionConfig;
use crate::connection::{Connection, ConnectionEnd, EventStorage, StartError};
use crate::endpoint::Endpoint;
use crate::os::{Mutex, TcpStream};

/// The way to the server.
#[derive(Debug)]
pub(super) enum Route {
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
    pub(super) fn leave(&mut self) -> (Endpoint, ConnectionConfig) {
        let now = self.shared.now();
        let mut inner = self.shared.lock();
        inner.is_unwanted = false;
        let end = inner.connection.leave(now);
        self.pending = self.pending.take().or(end);
        let _ = inner.socket.shutdown(Shutdown::Both);
        (inner.connection.endpoint().clone(), inner.connection.config().clone())
    }

    /// Goes on over a new socket, if there is one.
    pub(super) fn arrive(
        &mut self,
        connected: Result<TcpStream, ClientError>,
    ) -> Result<Option<Box<Answer>>, ClientError> {
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

    /// Waits for the WebSocket to open.
    fn open(&mut self) -> Result<(), ClientError> {
        // Nothing but a keep-alive and the end can arrive before.
        self.uninterrupted(|client| {
            while client.drive(None, Connection::is_open)?.is_some() {}
            Ok::<(), ClientError>(())
        })?;
        if self.shared.lock().connection.is_open() { Ok(()) } else { Err(ConnectionEnd::Clean.into()) }
    }
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
