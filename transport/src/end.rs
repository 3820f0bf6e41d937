//! `ConnectionEnd`: how a connection ended.

use std::time::Duration;

use chatnio_core::RetryCause;
use thiserror::Error;

use crate::error::WireError;
use crate::http_refusal::HttpRefusal;

/// How a connection ended.
///
/// What a server or a proxy said stands in it without the secrets that it repeats whole: the token has become `sk-...`, and the
/// values of the handshake's headers and of the URL's query, and a proxy's user name and password, `...`, each if it has at
/// least four bytes.
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
        /// The reason in it, often empty. The server's words, without secrets: a terminal wants control characters filtered.
        reason: String,
    },
    /// It could not be opened, or it was lost.
    #[error(transparent)]
    Lost(#[from] WireError),
}

impl ConnectionEnd {
    /// The code of the server's Close, or the status of the HTTP answer that came instead of a WebSocket, from the server or
    /// from a proxy; `None` where there was neither.
    pub fn code(&self) -> Option<u16> {
        match self {
            ConnectionEnd::ByServer { code, .. } => *code,
            ConnectionEnd::Lost(error) => error.http_status(),
            ConnectionEnd::Clean => None,
        }
    }

    /// Why connecting may be tried again, and after how long the server wants that; `None` where trying again brings the same,
    /// and where the connection was open: what was asked may have been charged.
    #[must_use]
    pub fn retry_cause(&self) -> Option<(RetryCause, Option<Duration>)> {
        match self {
            ConnectionEnd::Lost(error) => error.retry_cause(),
            _ => None,
        }
    }

    /// Whether the same may go well when it is tried again, connected anew: see [`WireError::is_retryable`].
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            ConnectionEnd::Clean => false,
            ConnectionEnd::ByServer { .. } => true,
            ConnectionEnd::Lost(error) => error.is_retryable(),
        }
    }

    /// After how long the server, or a gateway or a proxy on the way there, wants to be asked again; `None` where it has not
    /// said.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            ConnectionEnd::Lost(error) => error.retry_after(),
            _ => None,
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
