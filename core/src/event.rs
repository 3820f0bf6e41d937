//! `Event`: what a session tells its host.

use alloc::boxed::Box;
use alloc::string::String;

use crate::answer::Answer;
use crate::auth::Auth;
use crate::chunk::{Chunk, Malformed};

/// What happened. Borrowed from the session and the message: valid until the next call that changes the session.
///
/// Every event that a frame caused carries the frame as a [`Chunk`], with the raw JSON and the fields that this
/// crate does not know.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The turn's opener came: the server has read the question. 2023 servers send none.
    Opened {
        /// The turn's number.
        turn: u64,
        /// The conversation that the server opened.
        conversation: Conversation,
        /// The frame.
        chunk: Chunk<'a>,
    },
    /// A piece of the answer.
    Delta {
        /// The turn's number.
        turn: u64,
        /// The piece's text; may be empty. A slice of the message, or of the answer where it had to be unescaped.
        text: &'a str,
        /// The frame.
        chunk: Chunk<'a>,
    },
    /// The turn has ended: exactly one for every chat and restart that was sent.
    End(End<'a>),
    /// A frame that belongs to no running turn: the second end that a stop leaves behind, or what an interrupted
    /// turn still sends (protocol.md, section 5). Nothing to do.
    Stray {
        /// The frame's text; may be empty.
        text: &'a str,
        /// The frame.
        chunk: Chunk<'a>,
    },
    /// A message that could not be read; it was skipped and counted. [`Session::receive`](crate::Session::receive)
    /// says this as an error; those above it, whose hosts have not seen the message, by this event.
    Malformed {
        /// What is wrong with it.
        error: ReceiveError,
        /// The message as it was received; `None` for a binary one, and for one over the limit.
        raw: Option<&'a str>,
    },
    /// [`Config::stop_repeats`](crate::Config::stop_repeats): the end has not come, and the stop goes out again.
    StopRepeated {
        /// The number of the turn that is being stopped.
        turn: u64,
    },
    /// [`Config::keep_alive`](crate::Config::keep_alive): the connection was silent, and a keep-alive goes out.
    KeepAlive,
}

impl Event<'_> {
    /// The end of a turn of which only the answer is left: no frame brought it, or nobody has that any more.
    pub fn ended(answer: Box<Answer>) -> Self {
        Event::End(End { answer, chunk: None, piece: Piece::Slice("") })
    }

    /// The same event, no longer borrowed from its session: for a host that keeps the session behind a lock and
    /// hands the event on after unlocking.
    ///
    /// `chunk` is the frame that it was made from, decoded from a message of the host's; `scratch` takes the text
    /// where that had to be unescaped.
    ///
    /// ```
    /// # use chatnio_core::{Auth, Chunk, Config, Event, Request, Session};
    /// # use std::{sync::Mutex, time::Duration};
    /// fn receive<'m>(
    ///     session: &Mutex<Session>,
    ///     now: Duration,
    ///     message: &'m str,
    ///     scratch: &'m mut String,
    /// ) -> Option<Event<'m>> {
    ///     let chunk = Chunk::decode(message).ok()?;
    ///     let mut session = session.lock().unwrap();
    ///     Some(session.receive_decoded(now, Ok(chunk)).ok()?.detach(chunk, scratch))
    /// }
    /// ```
    pub fn detach<'m>(self, chunk: Chunk<'m>, scratch: &'m mut String) -> Event<'m> {
        match self {
            Event::Opened { turn, conversation, .. } => Event::Opened { turn, conversation, chunk },
            Event::Delta { turn, text, .. } => Event::Delta { turn, text: own_text(text, &chunk, scratch), chunk },
            Event::Stray { text, .. } => Event::Stray { text: own_text(text, &chunk, scratch), chunk },
            Event::End(end) => {
                let piece = match end.piece {
                    Piece::InAnswer(start) => Piece::InAnswer(start),
                    Piece::Slice(text) => Piece::Slice(own_text(text, &chunk, scratch)),
                };
                Event::End(End { answer: end.answer, chunk: end.chunk.map(|_| chunk), piece })
            }
            Event::Malformed { error, raw } => Event::Malformed { error, raw: raw.map(|_| chunk.raw()) },
            Event::StopRepeated { turn } => Event::StopRepeated { turn },
            Event::KeepAlive => Event::KeepAlive,
        }
    }
}

/// `text` as a slice of the message that `chunk` was decoded from, or else as a copy in `scratch`.
fn own_text<'m>(text: &str, chunk: &Chunk<'m>, scratch: &'m mut String) -> &'m str {
    match chunk.message.and_then(|message| message.as_plain()) {
        Some(plain) if plain == text => plain,
        _ => {
            scratch.clear();
            scratch.push_str(text);
            scratch
        }
    }
}

/// The end of a turn: its last piece and its answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct End<'a> {
    /// The whole answer; its `outcome` is set.
    pub answer: Box<Answer>,
    /// The frame that ended the turn; `None` when a deadline, a message over the limit or a close did.
    pub chunk: Option<Chunk<'a>>,
    pub(crate) piece: Piece<'a>,
}

/// Where a piece's text lies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// In the message, or in the session's scratch space.
    Slice(&'a str),
    /// In the answer, from this offset to its end.
    InAnswer(usize),
}

impl End<'_> {
    /// The last piece of the answer; usually empty. It is in the answer's text already.
    pub fn text(&self) -> &str {
        match self.piece {
            Piece::Slice(text) => text,
            Piece::InAnswer(start) => self.answer.text.get(start..).unwrap_or(""),
        }
    }

    /// The turn's number.
    pub fn turn(&self) -> u64 {
        self.answer.turn
    }
}

/// A message that [`Session::receive`](crate::Session::receive) did not make an event of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The message could not be read. It was skipped and counted; the turn and the session go on.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// No turn runs, and the message is over [`Config::max_message`](crate::Config::max_message). It was skipped and counted. (A running turn
    /// is interrupted instead: [`Interruption::MessageTooLong`](crate::Interruption::MessageTooLong).)
    #[error("the message has {len} bytes, over the limit of {limit} (max_message)")]
    TooLong {
        /// The message's length, in bytes.
        len: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The session is closed.
    #[error("the session is closed")]
    Closed,
}

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
