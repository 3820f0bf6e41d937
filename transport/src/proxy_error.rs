//! `ProxyError`: why a proxy did not let a connection through.

use std::time::Duration;

use chatnio_core::RetryCause;
use thiserror::Error;

use crate::http_refusal::when;

/// Why a proxy did not let a connection through.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The proxy wants a user name and a password, or others than were given (HTTP 407 is one of these).
    #[error("the proxy {proxy} {}{}", if *.given { "does not take this user name and password" } else { "wants a user name and a password" }, wanted.as_ref().map_or(String::new(), |wanted| format!(" ({wanted})")))]
    Authentication {
        /// The proxy, without its secrets.
        proxy: String,
        /// Whether some were given.
        given: bool,
        /// The authentication that an HTTP proxy asks for with its 407, without the user name and the password where it
        /// repeats them; only "Basic" is known here.
        wanted: Option<String>,
    },
    /// An HTTP proxy refused with another status.
    #[error("the proxy {proxy} answered HTTP {status}: {}", http_hint(*.status, *.retry_after))]
    Refused {
        /// The proxy, without its secrets.
        proxy: String,
        /// The HTTP status; 429 is throttling, as by a server.
        status: u16,
        /// After how long to try again, by `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// A SOCKS proxy refused, or could not reach the server.
    #[error("the proxy {proxy} did not connect: {problem}")]
    Failed {
        /// The proxy, without its secrets.
        proxy: String,
        /// The proxy's answer in words.
        problem: &'static str,
    },
    /// What answered is not such a proxy.
    #[error("{proxy} does not answer as a proxy of this kind: check the proxy's URL ({problem})")]
    NotAProxy {
        /// The proxy, without its secrets.
        proxy: String,
        /// What was wrong.
        problem: String,
    },
}

impl ProxyError {
    /// The status of an HTTP proxy's answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            ProxyError::Refused { status, .. } => Some(*status),
            ProxyError::Authentication { wanted: Some(_), .. } => Some(407),
            _ => None,
        }
    }

    /// Why connecting may be tried again, if it may: as for a gateway's answer with the same status.
    pub(crate) fn retry_cause(&self) -> Option<RetryCause> {
        match self {
            ProxyError::Refused { status: 429, .. } => Some(RetryCause::Throttled),
            ProxyError::Refused { status: 502..=504, .. } => Some(RetryCause::Unavailable),
            _ => None,
        }
    }

    /// After how long an HTTP proxy wants to be asked again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            ProxyError::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn http_hint(status: u16, retry_after: Option<Duration>) -> String {
    match status {
        403 => "it does not let connections to this host or port through".to_owned(),
        404 | 405 | 501 => "it does not know CONNECT: is it a proxy?".to_owned(),
        429 => format!("it takes no more connections of this address for now: try again {}", when(retry_after)),
        500 => {
            "it cannot reach the server, or has a problem: check the server's URL, or ask the proxy's owner".to_owned()
        }
        502..=504 => format!("it cannot reach the server: check the server's URL, or try again {}", when(retry_after)),
        _ => "ask its owner".to_owned(),
    }
}
