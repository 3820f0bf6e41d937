//! `ConnectionConfig`: the settings of a connection.

use std::time::Duration;

use chatnio_core::Config;

use crate::frame::Random;
use crate::headers::Headers;
use crate::tls_options::TlsConfig;
use crate::wire::WireConfig;

/// The longest message that a WebSocket buffers, whatever the setting says: it makes room for one as soon as the
/// server announces it.
const MAX_MESSAGE: usize = 256 << 20;

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
    /// Name look-up and TCP connect together. 10 s. Only a [`Client`](crate::Client) connects.
    pub connect: Duration,
    /// TLS and WebSocket handshake together. 10 s.
    pub handshake: Duration,
    /// A WebSocket ping goes out after this long without a byte from the server. 30 s.
    pub ping_after: Duration,
    /// How long the ping's answer, or any other byte, may take before the connection counts as dead. 10 s.
    pub pong_within: Duration,
    /// How long the server may take to answer our Close or to end the stream. 3 s.
    pub close: Duration,
    /// Let a token go over plain `ws://` to a host that is not loopback, where everybody on the way can read it.
    /// Off.
    pub allow_token_over_plain_ws: bool,
    /// Record what is sent and received: see [`Connection::transcript`](crate::Connection::transcript). Off.
    pub record: bool,
    /// How much to record, in bytes; what comes after is left out. 64 MiB; 0 for no limit.
    pub max_recording: usize,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        ConnectionConfig {
            session: Config::default(),
            tls: TlsConfig::default(),
            headers: Headers::new(),
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            ping_after: Duration::from_secs(30),
            pong_within: Duration::from_secs(10),
            close: Duration::from_secs(3),
            allow_token_over_plain_ws: false,
            record: false,
            max_recording: 64 << 20,
        }
    }
}

impl ConnectionConfig {
    pub(crate) fn wire(&self) -> WireConfig {
        WireConfig {
            tls: self.tls.clone(),
            headers: self.headers.clone(),
            max_message: match self.session.max_message {
                0 => MAX_MESSAGE,
                limit => limit.min(MAX_MESSAGE),
            },
            handshake: self.handshake,
            ping_after: self.ping_after,
            pong_within: self.pong_within,
            close: self.close,
            random: Random::system(),
        }
    }
}
