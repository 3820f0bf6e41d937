//! `Conversation`: which conversation a connection is in.

use crate::auth::Auth;

/// Which conversation the connection is in, as far as the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conversation {
    /// The server sends no openers (2023), or none has come yet.
    Unknown {
        /// The id that was asked for; none where a new one was.
        asked: Option<i64>,
    },
    /// A new conversation, as asked. -1 for anonymous: it is not stored and cannot be resumed.
    New {
        /// Its id.
        id: i64,
    },
    /// The conversation that was asked for.
    Resumed {
        /// Its id.
        id: i64,
    },
    /// Another conversation than the one asked for: the server does not know it, or not for this token.
    Replaced {
        /// The id that was asked for.
        asked: i64,
        /// The id that the server opened.
        got: i64,
    },
}

impl Conversation {
    /// What is known on a connection that authenticates with `auth`, before an opener has come.
    pub(crate) fn of(auth: &Auth) -> Self {
        Conversation::Unknown { asked: (!auth.starts_new()).then_some(auth.conversation) }
    }

    /// What is known after an opener that says `got`, on a connection that authenticated with `auth`.
    pub(crate) fn opened(self, auth: &Auth, got: i64) -> Self {
        let asked = match self {
            Conversation::Unknown { asked: Some(asked) } if asked == got || auth.share.is_none() => asked,
            // A share that the server knows starts a new conversation, whatever id was asked for.
            Conversation::Unknown { .. } => return Conversation::New { id: got },
            Conversation::New { id } if id == got => return self,
            Conversation::New { id: asked } | Conversation::Resumed { id: asked } => asked,
            Conversation::Replaced { asked, .. } => asked,
        };
        if asked == got { Conversation::Resumed { id: got } } else { Conversation::Replaced { asked, got } }
    }

    /// The id that the server opened, if it said one.
    pub fn id(self) -> Option<i64> {
        match self {
            Conversation::Unknown { .. } => None,
            Conversation::New { id } | Conversation::Resumed { id } | Conversation::Replaced { got: id, .. } => {
                Some(id)
            }
        }
    }

    /// The id that was asked for, when connecting or by a reconnect; `None` for a new conversation.
    pub fn asked(self) -> Option<i64> {
        match self {
            Conversation::Unknown { asked } => asked,
            Conversation::New { .. } => None,
            Conversation::Resumed { id: asked } | Conversation::Replaced { asked, .. } => Some(asked),
        }
    }
}
