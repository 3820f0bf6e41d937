//! `Malformed`: why a message could not be read.

use core::fmt;

use crate::json::SyntaxError;

/// A message from the server that could not be read. It ends neither the turn nor the session; the session
/// and the running [`Answer`](crate::Answer) count it, so that a hole is never silent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct Malformed {
    /// The known field at fault; `None` when the message as a whole is.
    pub field: Option<&'static str>,
    /// Where in the message, in bytes: the value at fault, or where the JSON breaks.
    pub offset: usize,
    /// What is wrong.
    pub reason: Reason,
}

impl Malformed {
    /// A binary message: the protocol has text messages only.
    pub(crate) const BINARY: Malformed = Malformed { field: None, offset: 0, reason: Reason::Binary };

    pub(crate) fn too_long(len: usize, limit: usize) -> Self {
        Malformed { field: None, offset: 0, reason: Reason::TooLong { len, limit } }
    }
}

impl From<SyntaxError> for Malformed {
    fn from(error: SyntaxError) -> Self {
        Malformed { field: None, offset: error.offset, reason: Reason::Syntax }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Reason::TooLong { .. } = self.reason {
            return fmt::Display::fmt(&self.reason, f);
        }
        f.write_str("malformed message: ")?;
        if let Some(field) = self.field {
            write!(f, "`{field}`: ")?;
        }
        write!(f, "{} at byte {}", self.reason, self.offset)
    }
}

/// What is wrong with a [`Malformed`] message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The message is not a JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// The message is not valid JSON.
    #[error("invalid JSON")]
    Syntax,
    /// A known field has another type than the protocol gives it.
    #[error("expected {expected}")]
    WrongType {
        /// What was expected in its place.
        expected: &'static str,
    },
    /// A known number does not fit: a quota over the range of a double or longer than any is, a conversation over the range of an
    /// int64.
    #[error("number out of range")]
    OutOfRange,
    /// A binary message; the protocol has text messages only.
    #[error("binary message")]
    Binary,
    /// The message is over [`Config::max_message`](crate::Config::max_message), and no turn runs. (A running turn is
    /// interrupted instead: [`Interruption::MessageTooLong`](crate::Interruption::MessageTooLong).)
    #[error("the message has {len} bytes, over the limit of {limit} (max_message)")]
    TooLong {
        /// The message's length, in bytes.
        len: usize,
        /// The limit, in bytes.
        limit: usize,
    },
}
