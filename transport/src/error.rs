//! What can go wrong below the session.

use std::time::Duration;

use chatnio_core::{Interruption, RetryCause};
use thiserror::Error;

use crate::http_refusal::HttpRefusal;
use crate::proxy_error::ProxyError;
use crate::tls_error::TlsError;

/// Why a connection could not be opened, or how it was lost.
///
/// No variant holds a secret: see [`ConnectionEnd`](crate::ConnectionEnd). Texts that come from the server
/// (`reason`, `body`, `problem`) are bounded, but otherwise as the server sent them: a terminal
/// wants control characters filtered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WireError {
    /// The system gave no random bytes, which the handshake's key and every WebSocket frame's mask need.
    #[error("the system's random number generator failed: nothing can be sent safely")]
    NoRandom,
    /// TLS failed.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The proxy did not let the connection through.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The server, or a gateway in front of it (HTTP 429), refuses new connections from this address for now
    /// (protocol.md, R6.1).
    #[error("the server throttles this address, wait before the next connection: {0}")]
    Throttled(Box<HttpRefusal>),
    /// The server answered HTTP 200 with a refusal instead of opening the WebSocket (protocol.md,
    /// R6.1).
    #[error("the server refused the connection: {0}")]
    Refused(Box<HttpRefusal>),
    /// A gateway answered that the server behind it is away or overloaded (HTTP 502, 503 or 504): trying again later helps.
    #[error("{0}")]
    Unavailable(Box<HttpRefusal>),
    /// The server answered with another HTTP status than 101. A redirect (3xx) is one of these:
    /// none is ever followed.
    #[error("{0}")]
    Http(Box<HttpRefusal>),
    /// The server answered HTTP 101, but not as the WebSocket protocol wants it.
    #[error("the server's WebSocket handshake is wrong: {0}; is this really a chat server's URL?")]
    Upgrade(#[from] UpgradeError),
    /// What the server sent in the handshake is not HTTP/1.1.
    #[error("the server does not speak HTTP/1.1 ({problem}): check the URL's host, port and scheme")]
    BadHttp {
        /// What was wrong.
        problem: String,
    },
    /// The head of the server's handshake answer is larger than anything sensible.
    #[error("the head of the server's handshake answer is over {limit} bytes")]
    HeadTooLarge {
        /// The largest accepted size in bytes.
        limit: usize,
    },
    /// The handshake's deadline passed.
    #[error("{}", late(*.step))]
    HandshakeTimeout {
        /// Where it had got to.
        step: Step,
    },
    /// The server ended the stream, or closed TLS, without a WebSocket Close.
    #[error("{}", ended(*.step))]
    EndOfStream {
        /// Where it had got to.
        step: Step,
    },
    /// The stream failed: the host says so by [`Connection::handle_error`](crate::Connection::handle_error).
    #[error("the connection failed during {step}{}", io_hint(*.kind))]
    Io {
        /// What the operating system said; `Other` for nothing in particular.
        kind: std::io::ErrorKind,
        /// Where it had got to.
        step: Step,
    },
    /// The stream ended without TLS's closing message: whoever cut it, it need not have been the
    /// server.
    #[error("the encrypted connection was cut during {step} (no TLS close_notify)")]
    Truncated {
        /// Where it had got to.
        step: Step,
    },
    /// The server broke the WebSocket protocol; it was told so by a Close with code 1002.
    #[error("the server broke the WebSocket protocol: {problem}")]
    Protocol {
        /// What was wrong.
        problem: String,
    },
    /// The server answered what was not asked (protocol.md, R5.13); it was told so by a Close with code 1002.
    #[error("the server answered what was not asked, and which answer is whose cannot be known any more: reconnect")]
    Unasked,
    /// A text message or a Close reason was not UTF-8; the server was told so by a Close with code
    /// 1007.
    #[error("the server sent text that is not UTF-8")]
    InvalidUtf8,
    /// A message was over the limit; the server was told so by a Close with code 1009.
    #[error("the server sent a message of over {limit} bytes: raise the message limit if that is expected")]
    MessageTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// Nothing came in answer to a WebSocket ping: the connection is only half open.
    #[error("the connection is dead: nothing came for {} s, not even in answer to a ping", .silence.as_secs())]
    Unresponsive {
        /// How long nothing at all had come.
        silence: Duration,
    },
    /// The server neither answered our Close nor ended the stream in time.
    #[error("the server did not answer the closing of the connection in time")]
    CloseTimeout,
    /// There is no open WebSocket to send on: before the handshake is done, or after the close
    /// began. Nothing was changed by the call.
    #[error("the connection is not open: send after it opened and before it is closed")]
    NotOpen,
}

impl WireError {
    /// The HTTP answer that came instead of a WebSocket, if that is what happened.
    #[must_use]
    pub fn refusal(&self) -> Option<&HttpRefusal> {
        match self {
            Self::Throttled(refusal) | Self::Refused(refusal) | Self::Unavailable(refusal) | Self::Http(refusal) => {
                Some(refusal)
            }
            _ => None,
        }
    }

    /// The status of that answer, or of the one by which an HTTP proxy refused.
    pub(crate) fn http_status(&self) -> Option<u16> {
        match self {
            Self::Proxy(error) => error.status(),
            error => Some(error.refusal()?.status),
        }
    }

    /// What the running answer is told of it, once the WebSocket was open.
    pub(crate) fn interruption(&self) -> Interruption {
        match self {
            Self::MessageTooLong { limit } => Interruption::MessageTooLong { limit: *limit },
            Self::Protocol { .. } | Self::Unasked => Interruption::ProtocolBroken,
            Self::InvalidUtf8 => Interruption::InvalidUtf8,
            Self::Unresponsive { .. } => Interruption::Unresponsive,
            Self::Tls(_) => Interruption::TlsFailed,
            Self::EndOfStream { .. }
            | Self::Truncated { .. }
            | Self::Io { .. }
            | Self::NoRandom
            // These come before it was open, or after it was closed.
            | Self::Proxy(_)
            | Self::Throttled(_)
            | Self::Refused(_)
            | Self::Unavailable(_)
            | Self::Http(_)
            | Self::Upgrade(_)
            | Self::BadHttp { .. }
            | Self::HeadTooLarge { .. }
            | Self::HandshakeTimeout { .. }
            | Self::CloseTimeout
            | Self::NotOpen => Interruption::ConnectionLost,
        }
    }

    /// Why connecting may be tried again, and after how long the server wants that; `None` where trying again brings the
    /// same. Only for what comes before the WebSocket is open.
    #[must_use]
    pub fn retry_cause(&self) -> Option<(RetryCause, Option<Duration>)> {
        let cause = match self {
            Self::Throttled(_) => RetryCause::Throttled,
            Self::Unavailable(_) => RetryCause::Unavailable,
            Self::Proxy(error) => error.retry_cause()?,
            Self::EndOfStream { step } | Self::Truncated { step } | Self::Io { step, .. } if *step != Step::Session => {
                RetryCause::Lost
            }
            _ => return None,
        };
        Some((cause, self.retry_after()))
    }

    /// Whether the same may go well when it is tried again, connected anew: nothing is to be corrected before, and it is not this
    /// program that has ended it. What was asked may have been charged all the same.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoRandom
            | Self::Tls(TlsError::NoRandom)
            | Self::Throttled(_)
            | Self::Unavailable(_)
            | Self::HandshakeTimeout { .. }
            | Self::EndOfStream { .. }
            | Self::Truncated { .. }
            | Self::Io { .. }
            | Self::Protocol { .. }
            | Self::Unasked
            | Self::InvalidUtf8
            | Self::Unresponsive { .. } => true,
            Self::Proxy(error) => error.retry_cause().is_some(),
            Self::Tls(_)
            | Self::Refused(_)
            | Self::Http(_)
            | Self::Upgrade(_)
            | Self::BadHttp { .. }
            | Self::HeadTooLarge { .. }
            | Self::MessageTooLong { .. }
            | Self::CloseTimeout
            | Self::NotOpen => false,
        }
    }

    /// After how long the server, or a gateway or a proxy on the way there, wants to be asked again, by `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Proxy(error) => error.retry_after(),
            error => error.refusal()?.retry_after,
        }
    }
}

/// What a connection was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The way through the proxy.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// The HTTP request and answer that open the WebSocket.
    Upgrade,
    /// The WebSocket is open.
    Session,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Proxy => "the way through the proxy",
            Self::Tls => "the TLS handshake",
            Self::Upgrade => "the WebSocket handshake",
            Self::Session => "the session",
        })
    }
}

/// Who was too late, and with what.
fn late(step: Step) -> String {
    match step {
        Step::Proxy => "the proxy did not connect to the server in time: check both URLs, or allow more time".into(),
        step => format!("the server did not complete {step} in time: check the URL, or allow more time"),
    }
}

/// Who has ended the stream, and when.
fn ended(step: Step) -> String {
    match step {
        Step::Proxy => "the proxy ended the connection before it had connected to the server".into(),
        step => format!("the server ended the connection during {step}"),
    }
}

/// What was wrong with an HTTP 101 answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// No `Upgrade: websocket`.
    #[error("the header `Upgrade: websocket` is missing")]
    Upgrade,
    /// No `Connection: Upgrade`.
    #[error("the header `Connection: Upgrade` is missing")]
    Connection,
    /// `Sec-WebSocket-Accept` is missing, or one of its values is not made from this handshake's key.
    #[error("the header `Sec-WebSocket-Accept` is missing or does not fit the request")]
    Accept,
    /// The server chose a sub-protocol, and none was offered.
    #[error("the server chose a sub-protocol, and none was offered")]
    Subprotocol,
    /// The server switched an extension on, and none was offered.
    #[error("the server switched an extension on, and none was offered")]
    Extension,
}

fn io_hint(kind: std::io::ErrorKind) -> String {
    if kind == std::io::ErrorKind::Other { String::new() } else { format!(": {kind}") }
}
