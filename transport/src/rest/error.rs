//! `rest::ClientError`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use chatnio_core::RetryCause;
use chatnio_core::rest::{Error, RequestError};
use thiserror::Error as ThisError;

use crate::endpoint::EndpointError;
use crate::os_words::os_words;
use crate::proxy_error::ProxyError;
use crate::tls_error::TlsError;

/// Why a client's call has no result. None of these shows the key.
#[derive(Debug, Clone, ThisError)]
#[non_exhaustive]
pub enum ClientError {
    /// The URL is not one of a chat server.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The key cannot be sent, or the URL's path is none.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The key must not go over plain HTTP to another machine, the server's or a proxy's.
    #[error("the key would go to {host} without encryption: use wss:// or https://, or allow it")]
    PlainKey {
        /// The server's host; where that is this machine, the proxy's.
        host: String,
    },
    /// The host's name cannot be looked up.
    #[error("cannot look up {host}")]
    Resolve {
        /// The host.
        host: String,
    },
    /// No address of the host can be connected to.
    #[error("cannot connect to {host} port {port}: {}", os_words(source))]
    Connect {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// Why the last address failed.
        source: Arc<io::Error>,
    },
    /// Name look-up, connect and TLS handshake took too long.
    #[error("cannot connect to {host} port {port} in time")]
    ConnectTimeout {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// The proxy did not open the way to the server.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// TLS failed.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The whole answer did not come in time.
    #[error("the server did not answer within {} s", limit.as_secs_f32())]
    Timeout {
        /// The limit that the client was given.
        limit: Duration,
    },
    /// The connection broke before the whole answer was there.
    #[error("the connection was lost before the answer was complete: {}", os_words(source))]
    Lost {
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// What came is not HTTP.
    #[error("the server does not speak HTTP ({problem}): check the URL's host, port and scheme")]
    BadHttp {
        /// What was wrong.
        problem: String,
    },
    /// The answer is over the limit.
    #[error("the server's answer is over {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: u64,
    },
    /// The server answered, but has no result.
    #[error(transparent)]
    Answer(#[from] Error),
}

impl ClientError {
    /// Whether the same call may go better a second later. Only for calls that
    /// [may be repeated](super::Call::is_repeatable).
    pub fn is_retryable(&self) -> bool {
        let is_late = matches!(
            self,
            ClientError::Resolve { .. } | ClientError::ConnectTimeout { .. } | ClientError::Timeout { .. }
        );
        is_late || self.retry_cause().is_some()
    }

    /// After how long to try again at the soonest, where the server, or a gateway before it, said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            ClientError::Answer(error) => error.retry_after(),
            ClientError::Proxy(error) => error.retry_after(),
            _ => None,
        }
    }

    /// Why a client tries again by itself, if it does: as when the chat connects, and so not after a time-out, for which
    /// nobody waits twice.
    pub(super) fn retry_cause(&self) -> Option<RetryCause> {
        match self {
            ClientError::Connect { .. } | ClientError::Lost { .. } => Some(RetryCause::Lost),
            ClientError::Proxy(error) => error.retry_cause(),
            ClientError::Answer(error) => error.retry_cause(),
            _ => None,
        }
    }
}
