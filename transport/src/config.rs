//! `ConnectionConfig`: the settings of a connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chatnio_core::{Config, ConnectLimiter};

use crate::headers::Headers;
use crate::proxy::Proxy;
use crate::tls_options::TlsConfig;

/// The longest message that a WebSocket buffers, whatever the setting says, as its bytes come.
pub(crate) const MAX_MESSAGE: usize = 256 << 20;

/// Spaces connects: the places of a [`ConnectLimiter`], by the system's clock. Clones share them, on any thread.
#[derive(Debug, Clone)]
pub struct Limiter(Arc<(Instant, Mutex<ConnectLimiter>)>);

impl Limiter {
    /// At most so many connects a second; servers throttle at five (protocol.md, R6.1).
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Limiter(Arc::new((Instant::now(), Mutex::new(ConnectLimiter::new(per_second)))))
    }

    /// Takes the next place: how long to wait for it.
    #[must_use]
    pub fn reserve(&self) -> Duration {
        let (origin, limiter) = &*self.0;
        let now = origin.elapsed();
        limiter.lock().unwrap_or_else(PoisonError::into_inner).reserve(now).saturating_sub(now)
    }
}

/// The settings of a connection. Every deadline is off when it is zero.
///
/// Cheap to clone; the TLS roots in it are loaded once and shared.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// The chat session: its deadlines and limits. [`Config::max_message`] also bounds what the WebSocket buffers,
    /// and a longer message ends the connection: its rest cannot be skipped. Here it is 256 MiB at most, also when
    /// it is off.
    pub session: Config,
    /// Whom to trust, for `wss`.
    pub tls: TlsConfig,
    /// Extra headers of the WebSocket handshake's request. The token is never among them by itself.
    pub headers: Headers,
    /// The proxy to go through. None. Over `wss` the token cannot be read there; over plain `ws` it goes through a proxy on this
    /// machine alone.
    pub proxy: Option<Proxy>,
    /// Name look-up and TCP connect together. 10 s. Only a [`Client`](crate::Client) connects.
    pub connect: Duration,
    /// How often a [`Client`](crate::Client)'s connect is tried again after it was throttled, refused or lost before the
    /// WebSocket was open, or a gateway's server was away: see [`Retry`](chatnio_core::Retry). All tries together are within
    /// `connect` and `handshake` together, and none follows where the server asks for more than 60 s. 2, as the SDKs that
    /// users know have it; 0 for never.
    pub connect_retries: u32,
    /// Spaces the connects of all [`Client`](crate::Client)s that share it. None.
    pub limiter: Option<Limiter>,
    /// The way through the proxy, TLS and WebSocket handshake together. 10 s.
    pub handshake: Duration,
    /// A WebSocket ping goes out after this long without a byte from the server. 30 s. It keeps open what a gateway closes
    /// when it is silent (nginx after 60 s), such as the connection of a video job.
    pub ping_after: Duration,
    /// How long the ping's answer, or any other byte, may take before the connection counts as dead. 10 s.
    pub pong_within: Duration,
    /// How long the server may take to answer our Close or to end the stream. 3 s.
    pub close: Duration,
    /// Let a token go over plain `ws://` to another machine, be it the server's or the proxy's, where everybody on the way
    /// can read it. Off.
    pub allow_token_over_plain_ws: bool,
}

/// A deadline of the settings, which is off when it is zero.
pub(crate) fn on(limit: Duration) -> Option<Duration> {
    Some(limit).filter(|limit| !limit.is_zero())
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        ConnectionConfig {
            session: Config::default(),
            tls: TlsConfig::default(),
            headers: Headers::new(),
            proxy: None,
            connect_retries: 2,
            limiter: None,
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            ping_after: Duration::from_secs(30),
            pong_within: Duration::from_secs(10),
            close: Duration::from_secs(3),
            allow_token_over_plain_ws: false,
        }
    }
}

impl ConnectionConfig {
    /// The longest message that the WebSocket buffers, in bytes.
    pub(crate) fn max_message(&self) -> usize {
        match self.session.max_message {
            0 => MAX_MESSAGE,
            limit => limit.min(MAX_MESSAGE),
        }
    }
}
