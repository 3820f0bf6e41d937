//! Connecting, and connecting anew.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chatnio::{Auth, ClientError, Connection, ConnectionConfig, ConnectionEnd, Endpoint, StartError, Tries};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use crate::client::Client;
use crate::clock::Clock;
use crate::dial::{Route, dial};
use crate::drive::{drive, spawn};
use crate::shared::{Handle, Shared};

impl Client {
    /// Connects to `url` (see [`Endpoint::parse`]) and waits until the WebSocket is open. What fails before it is open is
    /// tried again, [`ConnectionConfig::connect_retries`] times at most; the addresses of the host are raced (RFC 8305).
    ///
    /// # Errors
    /// [`ClientError`]; within [`ConnectionConfig::connect`] and [`ConnectionConfig::handshake`] together.
    ///
    /// # Panics
    /// As everything of tokio's does outside of a runtime with I/O and time.
    pub async fn connect(url: &str, auth: Auth, config: &ConnectionConfig) -> Result<Self, ClientError> {
        Self::by_route(Route::LookUp, &Endpoint::parse(url)?, auth, config).await
    }

    /// Connects to `endpoint` by these addresses, without looking its name up; with a proxy they are the proxy's. A
    /// reconnect uses them again.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_to(
        addresses: &[SocketAddr],
        endpoint: &Endpoint,
        auth: Auth,
        config: &ConnectionConfig,
    ) -> Result<Self, ClientError> {
        Self::by_route(Route::Addresses(addresses.into()), endpoint, auth, config).await
    }

    /// Uses a stream that is connected already, to `endpoint` or, if the settings name a proxy, to that one, and waits
    /// until the WebSocket is open. To reconnect it takes another: [`reconnect_stream`](Self::reconnect_stream).
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn from_stream(
        stream: TcpStream,
        endpoint: &Endpoint,
        auth: Auth,
        config: &ConnectionConfig,
    ) -> Result<Self, ClientError> {
        Self::over(stream, Route::Given, endpoint, auth, config, None).await
    }

    async fn by_route(
        route: Route,
        endpoint: &Endpoint,
        auth: Auth,
        config: &ConnectionConfig,
    ) -> Result<Self, ClientError> {
        // What the settings forbid is not worth a look-up.
        Connection::check(endpoint, &auth, config)?;
        let mut waiting = Waiting::new(config);
        loop {
            let limit = waiting.begin(endpoint).await?;
            // With what this try finds out.
            let mut config = config.clone();
            let tried = match dial(&route, endpoint, &mut config, limit).await {
                Ok(stream) => Self::over(stream, route.clone(), endpoint, auth.clone(), &config, waiting.left()).await,
                Err(error) => Err(error),
            };
            match tried {
                Ok(client) => return Ok(client),
                Err(error) => waiting.next(error).await?,
            }
        }
    }

    async fn over(
        stream: TcpStream,
        route: Route,
        endpoint: &Endpoint,
        auth: Auth,
        config: &ConnectionConfig,
        limit: Option<Duration>,
    ) -> Result<Self, ClientError> {
        let clock = Clock::new();
        let connection = Connection::new(endpoint, auth, config, clock.now())?;
        let shared = Arc::new(Shared::new(connection, clock));
        open(&shared, stream, limit).await?;
        Ok(Client { route, handle: Handle::new(shared) })
    }

    /// Connects anew and goes on in the same conversation: see [`Session::reconnect`](chatnio::Session::reconnect). A running
    /// answer ends interrupted, and its stream says so. Stoppers stay valid.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and [`ClientError::GivenStream`], after which nothing has changed. Otherwise the
    /// client has no connection any more: its calls return that error until `reconnect`, which may be tried again, has
    /// succeeded.
    pub async fn reconnect(&mut self) -> Result<(), ClientError> {
        if matches!(self.route, Route::Given) {
            return Err(ClientError::GivenStream);
        }
        let shared = self.handle.shared().clone();
        let leaving = Leaving::begin(&shared)?;
        leaving.arrive(self.go_again(&shared)).await
    }

    async fn go_again(&self, shared: &Arc<Shared>) -> Result<(), ClientError> {
        let (endpoint, config) = {
            let inner = shared.lock();
            (inner.connection.endpoint().clone(), inner.connection.config().clone())
        };
        let mut waiting = Waiting::new(&config);
        loop {
            let limit = waiting.begin(&endpoint).await?;
            let tried = match dial(&self.route, &endpoint, &mut config.clone(), limit).await {
                Ok(stream) => reopen(shared, stream, waiting.left()).await,
                Err(error) => Err(error),
            };
            match tried {
                Ok(()) => return Ok(()),
                Err(error) => waiting.next(error).await?,
            }
        }
    }

    /// [`reconnect`](Self::reconnect) over a stream that the host has connected anew.
    ///
    /// # Errors
    /// As [`reconnect`](Self::reconnect).
    pub async fn reconnect_stream(&mut self, stream: TcpStream) -> Result<(), ClientError> {
        let shared = self.handle.shared().clone();
        let leaving = Leaving::begin(&shared)?;
        leaving.arrive(reopen(&shared, stream, None)).await
    }
}

/// The tries of one connect, waited for.
struct Waiting {
    started: Instant,
    tries: Tries,
}

impl Waiting {
    fn new(config: &ConnectionConfig) -> Self {
        Waiting { started: Instant::now(), tries: Tries::new(config) }
    }

    /// Waits for a place among the connects of this process, if the host has asked for that. Returns how long the
    /// try may connect.
    async fn begin(&self, endpoint: &Endpoint) -> Result<Duration, ClientError> {
        let now = self.started.elapsed();
        let at = self.tries.place(now);
        if at > now {
            sleep_until(self.started + at).await;
        }
        self.tries.connect(self.started.elapsed(), &endpoint.address())
    }

    /// After a try that has failed: waits for the next one, or gives up with what it failed by.
    async fn next(&mut self, error: ClientError) -> Result<(), ClientError> {
        let at = self.tries.failed(self.started.elapsed(), error)?;
        sleep_until(self.started + at).await;
        Ok(())
    }

    /// How long the handshake may take, unless it has its own limit before.
    fn left(&self) -> Option<Duration> {
        self.tries.left(self.started.elapsed())
    }
}

/// Waits for the WebSocket to open, at most `limit` long, and then has a task drive the connection.
async fn open(shared: &Arc<Shared>, stream: TcpStream, limit: Option<Duration>) -> Result<(), ClientError> {
    // Requests are small, and each is to go out at once.
    stream.set_nodelay(true)?;
    let socket = Arc::new(stream);
    shared.lock().socket = Some(socket.clone());
    let opened = drive(shared, &socket, Connection::is_open);
    let is_late = match limit {
        Some(limit) => timeout(limit, opened).await.is_err(),
        None => {
            opened.await;
            false
        }
    };
    {
        let inner = shared.lock();
        if is_late && !inner.connection.is_open() {
            let host = inner.connection.endpoint().address();
            return Err(ClientError::ConnectTimeout { host, limit: limit.unwrap_or_default() });
        }
        if !inner.connection.is_open() {
            return Err(inner.connection.end().cloned().unwrap_or(ConnectionEnd::Clean).into());
        }
    }
    spawn(shared, socket);
    Ok(())
}

async fn reopen(shared: &Arc<Shared>, stream: TcpStream, limit: Option<Duration>) -> Result<(), ClientError> {
    {
        let mut inner = shared.lock();
        let now = inner.clock.now();
        // The turn has ended with the old connection. The time of the handshake begins here.
        let _ = inner.connection.reconnect(now).map_err(StartError::from)?;
    }
    open(shared, stream, limit).await
}

/// A reconnect that is under way. Dropped before it has arrived, it leaves no connection.
struct Leaving<'s> {
    shared: &'s Shared,
    has_arrived: bool,
}

impl<'s> Leaving<'s> {
    /// Leaves the old connection, without a word to the server.
    fn begin(shared: &'s Shared) -> Result<Self, ClientError> {
        let mut inner = shared.lock();
        inner.resume();
        let now = inner.clock.now();
        let end = inner.connection.reconnect(now).map_err(StartError::from)?;
        inner.has_more = false;
        inner.ended(end);
        inner.abandon();
        inner.failed = None;
        inner.is_closing = false;
        drop(inner);
        shared.changed();
        Ok(Leaving { shared, has_arrived: false })
    }

    /// Waits for the new one, unless it is closed meanwhile.
    async fn arrive(mut self, opened: impl Future<Output = Result<(), ClientError>>) -> Result<(), ClientError> {
        let mut opened = pin!(opened);
        let mut closed = pin!(self.shared.until(|inner| inner.is_closing));
        let opened = std::future::poll_fn(|context| {
            if closed.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(ConnectionEnd::Clean.into()));
            }
            opened.as_mut().poll(context)
        })
        .await;
        self.has_arrived = opened.is_ok();
        // Of how it has ended itself, the connection tells.
        self.shared.lock().failed =
            opened.as_ref().err().filter(|error| !matches!(error, ClientError::Ended(_))).cloned();
        opened
    }
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if !self.has_arrived {
            let mut inner = self.shared.lock();
            let now = inner.clock.now();
            // At once: it is not open.
            inner.connection.close(now);
            inner.abandon();
            inner.pump_all();
            drop(inner);
            self.shared.changed();
        }
    }
}
