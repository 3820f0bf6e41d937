//! `Conversation`: which conversation a connection is in.

use crate::auth::Auth;

/// Which conversation the connection is in, as far as the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conversation {
    /// The server sends no openers (2023), or none has come yet.
    Unknown,
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
    /// What is known after an opener that says `got`, on a connection that authenticated with `auth`.
    pub(crate) fn opened(self, auth: &Auth, got: i64) -> Self {
        match self {
            Conversation::Unknown if got == auth.conversation && !auth.starts_new() => {
                Conversation::Resumed { id: got }
            }
            // A share that the server knows starts a new conversation, whatever id was asked for.
            Conversation::Unknown if auth.starts_new() || auth.share.is_some() => Conversation::New { id: got },
            Conversation::Unknown => Conversation::Replaced { asked: auth.conversation, got },
            known => match known.id() {
                Some(asked) if asked != got => Conversation::Replaced { asked, got },
                _ => known,
            },
        }
    }

    /// The id that the server opened, if it said one.
    pub fn id(self) -> Option<i64> {
        match self {
            Conversation::Unknown => None,
            Conversation::New { id } | Conversation::Resumed { id } | Conversation::Replaced { got: id, .. } => {
                Some(id)
            }
        }
    }
}
