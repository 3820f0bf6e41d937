//! `ClientError`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use chatnio_core::{Interruption, Outcome, RequestError, RequestKind, RetryCause};
use thiserror::Error;

use crate::connection::StartError;
use crate::end::ConnectionEnd;
use crate::endpoint::EndpointError;
use crate::os_words::os_words;

/// Why a [`Client`](super::Client) failed.
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
    #[error("cannot look up {host}: {}", os_words(source))]
    Resolve {
        /// The host.
        host: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// No address of the host can be connected to.
    #[error("cannot connect to {host}: {}", os_words(source))]
    Connect {
        /// The host and its port, or the proxy.
        host: String,
        /// Why the last address failed.
        source: Arc<io::Error>,
    },
    /// Name look-up and connect took longer than [`ConnectionConfig::connect`](crate::ConnectionConfig::connect), or all
    /// tries longer than that and [`handshake`](crate::ConnectionConfig::handshake) together.
    #[error("cannot connect to {host} within {} s", limit.as_secs_f32())]
    ConnectTimeout {
        /// The host, as a rule with its port, or the proxy.
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
    /// [`reconnect_stream`](super::Client::reconnect_stream).
    #[error("this client was given its socket: connect another one, and reconnect over that")]
    GivenStream,
    /// What was given is no socket of a stream: it could not carry a connection.
    #[error("what was given is no stream socket: connect one of TCP, or of Unix, and give that")]
    NotAStream,
    /// [`Client::ask`](super::Client::ask) is for requests that are answered: chats and restarts. Nothing was sent.
    #[error("`{kind}` has no answer: send it with `request`")]
    NotAnswered {
        /// The request's kind.
        kind: RequestKind,
    },
    /// A request that is answered was made where nobody would take its answer. Nothing was sent. Of clients whose answers
    /// come as a stream alone.
    #[error("`{kind}` is answered: ask it, and take the answer")]
    Answered {
        /// The request's kind.
        kind: RequestKind,
    },
    /// The request was refused; nothing was sent.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A signal came while waiting, and the client is [interruptible](super::Client::set_interruptible). Nothing is lost:
    /// wait again.
    #[error("a signal came while waiting")]
    Signal,
    /// The operating system has no more of what a connection needs: threads, descriptors or memory, of this process or of
    /// the machine.
    #[error("the system has no {what} left: {}", os_words(source))]
    Exhausted {
        /// What it lacks.
        what: &'static str,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The operating system failed in setting the socket up.
    #[error("socket: {}", os_words(.0))]
    Socket(#[source] Arc<io::Error>),
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        ClientError::Socket(Arc::new(error))
    }
}

impl ClientError {
    /// No address of `host` could be connected to; `source` is why the last one failed. Tells the system's own exhaustion
    /// apart. For clients of another kind than [`Client`](super::Client).
    #[must_use]
    pub fn unconnected(host: &str, source: io::Error) -> Self {
        let is_exhausted = is_exhaustion(&source);
        let source = Arc::new(source);
        match is_exhausted {
            true => ClientError::Exhausted { what: "socket", source },
            false => ClientError::Connect { host: host.to_owned(), source },
        }
    }

    /// Why an answer did not come to its end; `None` where it did. `end` is how its connection has ended, if it has. For
    /// clients of another kind than [`Client`](super::Client).
    #[must_use]
    pub fn of_outcome(outcome: Option<Outcome>, end: Option<&ConnectionEnd>) -> Option<Self> {
        let Some(Outcome::Interrupted(why)) = outcome else { return None };
        // If the connection was the reason, it knows more.
        Some(match end {
            None | Some(ConnectionEnd::Clean) => ClientError::Interrupted(why),
            Some(end) => ClientError::Ended(end.clone()),
        })
    }

    /// Why connecting may be tried again, and after how long the server wants that; `None` where trying again brings the
    /// same. Only for errors of connecting: what fails later may have reached the server.
    #[must_use]
    pub fn retry_cause(&self) -> Option<(RetryCause, Option<Duration>)> {
        match self {
            ClientError::Connect { .. } => Some((RetryCause::Lost, None)),
            ClientError::Ended(end) => end.retry_cause(),
            _ => None,
        }
    }

    /// Whether the same may go well when it is tried again, connected anew: see [`WireError::is_retryable`](crate::WireError::is_retryable).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            ClientError::Resolve { .. }
            | ClientError::Connect { .. }
            | ClientError::ConnectTimeout { .. }
            | ClientError::Exhausted { .. }
            | ClientError::Socket(_) => true,
            ClientError::Ended(end) => end.is_retryable(),
            // The connection holds, and takes the next question once the server has sent its end.
            ClientError::Interrupted(why) => why.is_retryable(),
            ClientError::Start(StartError::Wire(error)) => error.is_retryable(),
            ClientError::Endpoint(_)
            | ClientError::Start(_)
            | ClientError::GivenStream
            | ClientError::NotAStream
            | ClientError::NotAnswered { .. }
            | ClientError::Answered { .. }
            | ClientError::Request(_)
            | ClientError::Signal => false,
        }
    }

    /// After how long the server, or a gateway or a proxy on the way there, wants to be asked again; `None` where it has not
    /// said.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            ClientError::Ended(end) => end.retry_after(),
            _ => None,
        }
    }
}

/// Whether the system has run out of something of its own.
fn is_exhaustion(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let ours = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        error.raw_os_error().is_some_and(|code| ours.iter().any(|errno| errno.raw_os_error() == code))
    }
    #[cfg(not(unix))]
    {
        error.kind() == io::ErrorKind::OutOfMemory
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn what_the_system_lacks_is_named() {
        let unconnected = |errno: Errno| ClientError::unconnected("h", errno.into());
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
            let error = unconnected(errno);
            assert!(matches!(error, ClientError::Exhausted { .. }), "{error:?}");
            assert!(error.to_string().starts_with("the system has no socket left: "), "{error}");
            assert_eq!(error.retry_cause(), None);
        }
        assert!(matches!(unconnected(Errno::CONNREFUSED), ClientError::Connect { .. }));
    }
}
