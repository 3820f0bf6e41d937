//! `Event`: what a session tells its host.

use alloc::boxed::Box;
use alloc::string::String;

use crate::answer::Answer;
use crate::chunk::Chunk;
use crate::conversation::Conversation;
use crate::malformed::Malformed;
use crate::quota::Quota;

/// What happened. It borrows from the message and from the [`EventStorage`] that the host gave with it, never from the
/// session, which can be used on while the event is looked at.
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
        /// What the turn has cost so far.
        quota: Quota<'a>,
        /// The frame.
        chunk: Chunk<'a>,
    },
    /// A piece of the answer.
    Delta {
        /// The turn's number.
        turn: u64,
        /// The piece's text; may be empty.
        text: &'a str,
        /// What the turn has cost so far: a running total, also where the frame does not say it.
        quota: Quota<'a>,
        /// The frame.
        chunk: Chunk<'a>,
    },
    /// The turn has ended: exactly one for every chat and restart that was sent.
    End(End<'a>),
    /// A frame that belongs to no running turn: the second end that a stop leaves behind, or what an interrupted
    /// turn still sends (protocol.md, R5.7 and R5.11). Nothing to do. Where it shows that the server answers what was not
    /// asked (R5.13), the session is [closed](crate::State::Closed) with it: reconnect.
    Stray {
        /// The frame's text; may be empty.
        text: &'a str,
        /// The frame.
        chunk: Chunk<'a>,
    },
    /// A message that could not be read. It was skipped and counted; the turn and the session go on.
    Malformed {
        /// What is wrong with it.
        error: Malformed,
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

/// The end of a turn: its last piece and its answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct End<'a> {
    /// The whole answer; its `outcome` is set.
    pub answer: Box<Answer>,
    /// The last piece of the answer; usually empty. It is in the answer's text already. Where the answer breaks off in
    /// the middle of a character, U+FFFD.
    pub text: &'a str,
    /// The frame that ended the turn; `None` when a deadline, a message over the limit or a close did.
    pub chunk: Option<Chunk<'a>>,
}

impl End<'_> {
    /// The turn's number.
    pub fn turn(&self) -> u64 {
        self.answer.turn
    }
}

impl From<Box<Answer>> for Event<'_> {
    /// The end of a turn whose last frame, if there was one, is gone.
    fn from(answer: Box<Answer>) -> Self {
        Event::End(End { answer, text: "", chunk: None })
    }
}

/// Room for what an event borrows from beside the message. Its contents are replaced by each event, and its memory is
/// used again; what one long message has taken is given back when the next comes.
#[derive(Debug, Default)]
pub struct EventStorage {
    /// A message that the host does not hold itself.
    pub(crate) message: String,
    /// A text that had to be unescaped.
    pub(crate) text: String,
    /// A running total that the frame does not say.
    pub(crate) quota: String,
}

/// What is beyond this is given back when the next message comes.
const KEEP: usize = 64 * 1024;

impl EventStorage {
    /// Room for nothing yet; it grows as needed.
    pub const fn new() -> Self {
        EventStorage { message: String::new(), text: String::new(), quota: String::new() }
    }

    /// The place of a message that the host does not hold itself, for
    /// [`Session::receive_stored`](crate::Session::receive_stored).
    #[inline]
    pub fn message_mut(&mut self) -> &mut String {
        if self.message.capacity() > KEEP {
            self.shrink_to(KEEP);
        }
        &mut self.message
    }

    /// Gives back what one long message has taken, where the next lies elsewhere.
    #[inline(always)]
    pub(crate) fn trim(&mut self) {
        if self.text.capacity() > KEEP || self.message.capacity() > KEEP {
            self.shrink_to(KEEP);
        }
    }

    /// Gives memory beyond `bytes` back, which one long message has taken.
    #[cold]
    pub fn shrink_to(&mut self, bytes: usize) {
        for part in [&mut self.message, &mut self.text, &mut self.quota] {
            part.clear();
            part.shrink_to(bytes);
        }
    }

    /// About how many bytes are held.
    pub fn memory(&self) -> usize {
        self.message.capacity() + self.text.capacity() + self.quota.capacity()
    }
}
