//! What a call can fail with.

use alloc::string::String;
use core::time::Duration;

use crate::retry::RetryCause;

/// Why a call's request cannot be made. Neither shows the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The key is empty.
    #[error("the key is empty: ask with an API key or a login token, or without an account")]
    EmptyKey,
    /// The key holds what no HTTP header can carry, such as a line's end.
    #[error("the key holds a character that no key has: a line's end, a space, or one outside of ASCII")]
    Key,
    /// The prefix is no path.
    #[error(
        "the prefix is not a path such as `/api`: it begins with `/`, and has no `?`, `#`, space or control character"
    )]
    Prefix,
}

/// Why a call has no result. Whatever the server said is in it, bounded, but as it came, unless it was
/// [redacted](super::Call::decode_redacted): a terminal wants control characters filtered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server does not know the key (HTTP 401).
    #[error("the server does not accept the key: {words}")]
    BadKey {
        /// The server's words.
        words: String,
    },
    /// The server takes the call for nobody's: there was no key, or a login token that is over.
    #[error("the call needs a key, and came without one, or with a login token that has run out: {words}")]
    NoKey {
        /// The server's words; empty where it has none.
        words: String,
    },
    /// The server refuses this address, good keys too, after too many bad keys from it.
    #[error("the server has black-listed this address after too many wrong keys, for some 20 minutes: {words}")]
    BlackListed {
        /// The server's words.
        words: String,
    },
    /// Too many calls in one second from this address.
    #[error("the server throttles this address, wait a second: {words}")]
    Throttled {
        /// The server's words.
        words: String,
        /// After how long it is to be asked again, by its header `Retry-After`; only where a client has read that.
        retry_after: Option<Duration>,
    },
    /// There is no such conversation, share or code, or it is somebody else's.
    #[error("the server has not found it: {words}")]
    NotFound {
        /// The server's words.
        words: String,
    },
    /// The server refuses, for a reason of its own.
    #[error("the server refused: {words}")]
    Refused {
        /// The server's words; empty where it has none.
        words: String,
    },
    /// The server has no such call: it is older than the call, or the base is wrong.
    #[error("the server has no such call: it is too old for it, or its URL needs a path such as /api ({words})")]
    NoSuchCall {
        /// The server's words.
        words: String,
    },
    /// A web page came in place of an answer.
    #[error("the server answered with its web page: its calls are elsewhere, often under /api (https://HOST/api)")]
    WebPage,
    /// Another HTTP status, from the server or from something before it.
    #[error("the server answered HTTP {status}{}", hint(*.status))]
    Http {
        /// The HTTP status.
        status: u16,
        /// The body's beginning, at most 64 KiB; what is not UTF-8 became U+FFFD.
        body: String,
        /// After how long it is to be asked again, by its header `Retry-After`; only where a client has read that.
        retry_after: Option<Duration>,
    },
    /// The answer cannot be read.
    #[error("the server's answer cannot be read: {problem}")]
    Malformed {
        /// What is wrong, and where. It repeats nothing of the answer, which may hold a secret.
        problem: String,
    },
}

impl Error {
    /// A short name that never changes, the same in every language: `bad_key`, `throttled`, ...
    pub fn code(&self) -> &'static str {
        match self {
            Error::BadKey { .. } => "bad_key",
            Error::NoKey { .. } => "no_key",
            Error::BlackListed { .. } => "black_listed",
            Error::Throttled { .. } => "throttled",
            Error::NotFound { .. } => "not_found",
            Error::Refused { .. } => "refused",
            Error::NoSuchCall { .. } => "no_such_call",
            Error::WebPage => "web_page",
            Error::Http { .. } => "http",
            Error::Malformed { .. } => "malformed",
        }
    }

    /// What the server said, where it said something in words.
    pub fn words(&self) -> Option<&str> {
        let words = match self {
            Error::BadKey { words }
            | Error::NoKey { words }
            | Error::BlackListed { words }
            | Error::Throttled { words, .. }
            | Error::NotFound { words }
            | Error::Refused { words }
            | Error::NoSuchCall { words } => words.as_str(),
            Error::WebPage | Error::Http { .. } | Error::Malformed { .. } => "",
        };
        (!words.is_empty()).then_some(words)
    }

    /// Whether the same call may go better after a second: the server was not reached, or is busy. Only for calls that
    /// [may be repeated](super::Call::is_repeatable).
    pub fn is_retryable(&self) -> bool {
        self.retry_cause().is_some()
    }

    /// Why the same call may go better after a second, if it may: for [`Retry`](crate::Retry).
    pub fn retry_cause(&self) -> Option<RetryCause> {
        match self {
            Error::Throttled { .. } | Error::Http { status: 429, .. } => Some(RetryCause::Throttled),
            Error::Http { status: 502..=504, .. } => Some(RetryCause::Unavailable),
            _ => None,
        }
    }

    /// After how long to ask again at the soonest, where the answer's header `Retry-After` said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Http { retry_after, .. } | Error::Throttled { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same with what the header `Retry-After` says, which is not among what a call decodes.
    #[must_use]
    pub fn with_retry_after(mut self, after: Option<Duration>) -> Self {
        if let Error::Http { retry_after, .. } | Error::Throttled { retry_after, .. } = &mut self {
            *retry_after = after;
        }
        self
    }
}

/// What a status calls for.
fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => ": a redirect, which is not followed, since the key would go along; use the URL that it points to",
        401 | 403 => ": something before the server refuses; check the URL, and whether a proxy wants a login",
        404 | 405 => ": check the URL, which may need a path such as /api",
        429 => ": too many requests; wait before the next",
        502..=504 => ": the server behind it is not there; try again later",
        500..=599 => ": the server failed",
        _ => "",
    }
}
