//! `RequestError`: why a request was not sent.

use crate::message::RequestKind;

/// A request that was not sent. Nothing has changed: what was received is kept, and another call may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A turn runs or is being drained. The same request is fine once its end has come.
    #[error("busy: the server takes nothing but `stop` until the running turn ({turn}) has ended")]
    Busy {
        /// The number of the turn that runs.
        turn: u64,
    },
    /// The question is empty or only white space: it would never be answered.
    #[error("the message is empty: it would never be answered")]
    EmptyMessage,
    /// The share's hash is empty.
    #[error("the share's hash is empty")]
    EmptyShare,
    /// A mask is a non-empty list of messages by `system`, `user` or `assistant`.
    #[error(
        "not a mask: a mask is a JSON array of {{\"role\":\"system|user|assistant\",\"content\":\"...\"}}, not empty"
    )]
    InvalidMask,
    /// A parameter is NaN or infinite, which JSON cannot carry.
    #[error("`{parameter}` must be a finite number")]
    NotFinite {
        /// The parameter's name.
        parameter: &'static str,
    },
    /// The name of an extra field is one of the protocol's, which has a method of its own.
    #[error("`{name}` is no extra field: the client sends it by itself")]
    KnownField {
        /// The field as the protocol spells it.
        name: &'static str,
    },
    /// The value of an extra field is not one whole JSON value.
    #[error("the value of an extra field must be one whole JSON value")]
    InvalidExtra,
    /// Only `chat` and `restart` take parameters.
    #[error("`{kind}` takes no parameters: only chat and restart do")]
    UnexpectedParameters {
        /// The request's kind.
        kind: RequestKind,
    },
    /// The encoded request is over [`Config::max_request`](crate::Config::max_request).
    #[error("the request has {len} bytes, over the limit of {limit} (max_request)")]
    TooLong {
        /// The length of the encoded request, in bytes.
        len: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// What was requested before is not sent yet: more than [`Config::max_request`](crate::Config::max_request)
    /// allows. The same request is fine once that went out.
    #[error("{waiting} bytes wait to be sent, over the limit of {limit} (four times max_request): send them first")]
    Unsent {
        /// How many bytes wait.
        waiting: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// This session has no question yet, and was neither resumed nor started from a share: a server might never
    /// answer.
    #[error("nothing to restart: no question was asked in this session, and it continues no conversation")]
    NothingToRestart,
    /// The session is closed. [`Session::reconnect`](crate::Session::reconnect) makes it usable again.
    #[error("the session is closed: reconnect first")]
    Closed,
}

impl RequestError {
    /// Whether the same request may succeed later, on this session as it is.
    pub fn is_retryable(&self) -> bool {
        matches!(self, RequestError::Busy { .. } | RequestError::Unsent { .. })
    }
}
