//! `Event`: what happened, owned.

use chatnio::{Answer, Chunk, Conversation, Malformed};

/// What happened: a [`chatnio::Event`] that owns what it holds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The turn's opener came: the server has read the question. 2023 servers send none.
    Opened {
        /// The turn's number.
        turn: u64,
        /// The conversation that the server opened.
        conversation: Conversation,
        /// What the turn has cost so far.
        quota: Quota,
        /// The frame.
        frame: Frame,
    },
    /// A piece of the answer.
    Delta {
        /// The turn's number.
        turn: u64,
        /// The piece's text; may be empty.
        text: String,
        /// What the turn has cost so far: a running total, also where the frame does not say it.
        quota: Quota,
        /// The frame.
        frame: Frame,
    },
    /// The turn has ended: the last event of its stream.
    End {
        /// The whole answer; its `outcome` is set.
        answer: Box<Answer>,
        /// The last piece of the answer; usually empty. It is in the answer's text already.
        text: String,
        /// The frame that ended the turn; `None` when a deadline, a message over the limit or a close did.
        frame: Option<Frame>,
    },
    /// A frame that belongs to no running turn. Nothing to do.
    Stray {
        /// The frame's text; may be empty.
        text: String,
        /// The frame.
        frame: Frame,
    },
    /// A message that could not be read. It was skipped and counted; the turn goes on.
    Malformed {
        /// What is wrong with it.
        error: Malformed,
        /// The message as it was received; `None` for a binary one, and for one over the limit.
        raw: Option<String>,
    },
    /// The end has not come, and the stop goes out again.
    StopRepeated {
        /// The number of the turn that is being stopped.
        turn: u64,
    },
    /// The connection was silent, and a keep-alive goes out.
    KeepAlive,
}

/// A frame from the server, as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame(String);

impl Frame {
    /// The message as it was received.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The raw JSON of the field called `name`, known or unknown: see [`Chunk::field`].
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        // It was decoded before, so it can be.
        Chunk::decode(&self.0).ok()?.field(name)
    }
}

impl From<&Chunk<'_>> for Frame {
    fn from(chunk: &Chunk<'_>) -> Self {
        Frame(chunk.raw().to_owned())
    }
}

/// A quota: what an answer costs, in the server's own unit.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Quota {
    /// The nearest double.
    pub value: f64,
    /// The number's text as received.
    pub text: String,
}

impl From<chatnio::Quota<'_>> for Quota {
    fn from(quota: chatnio::Quota<'_>) -> Self {
        Quota { value: quota.value(), text: quota.text().to_owned() }
    }
}

impl Event {
    /// The event with what it holds; `None` for one that is newer than this crate.
    pub(crate) fn from_borrowed(event: chatnio::Event<'_>) -> Option<Self> {
        Some(match event {
            chatnio::Event::Opened { turn, conversation, quota, chunk } => {
                Event::Opened { turn, conversation, quota: quota.into(), frame: (&chunk).into() }
            }
            chatnio::Event::Delta { turn, text, quota, chunk } => {
                Event::Delta { turn, text: text.to_owned(), quota: quota.into(), frame: (&chunk).into() }
            }
            chatnio::Event::End(end) => {
                let frame = end.chunk.as_ref().map(Frame::from);
                Event::End { answer: end.answer, text: end.text.to_owned(), frame }
            }
            chatnio::Event::Stray { text, chunk } => Event::Stray { text: text.to_owned(), frame: (&chunk).into() },
            chatnio::Event::Malformed { error, raw } => Event::Malformed { error, raw: raw.map(str::to_owned) },
            chatnio::Event::StopRepeated { turn } => Event::StopRepeated { turn },
            chatnio::Event::KeepAlive => Event::KeepAlive,
            _ => return None,
        })
    }

    /// About how many bytes of the server's it holds.
    pub(crate) fn len(&self) -> usize {
        match self {
            Event::Opened { frame, .. } => frame.0.len(),
            Event::Delta { text, frame, .. } | Event::Stray { text, frame } => text.len() + frame.0.len(),
            Event::Malformed { raw, .. } => raw.as_ref().map_or(0, String::len),
            _ => 0,
        }
    }
}
