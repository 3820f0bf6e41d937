//! `Backlog`: frames that have come and were not told yet.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;

use crate::chunk::Chunk;

/// How many frames, or events, go at most before whatever else is due: a deadline, or another's turn. A host that was busy finds
/// out what came meanwhile; a server that never pauses, or puts millions of frames into one message, puts nothing off.
pub const MOST_AT_ONCE: usize = 1000;

/// What waits behind the first frame of a message that holds several: the rest of that message, then the messages that came
/// after it. Nearly always empty.
#[derive(Debug, Default)]
pub(crate) struct Backlog(Option<Box<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<String>,
    /// How much of the first was told.
    told: usize,
    /// The bytes of all of them.
    len: usize,
    /// How many frames were told since something is late.
    since_late: usize,
}

impl Backlog {
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many bytes it holds.
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |waiting| waiting.len)
    }

    #[cold]
    pub(crate) fn push(&mut self, message: String) {
        let waiting = self.0.get_or_insert_default();
        waiting.len += message.len();
        waiting.messages.push_back(message);
    }

    /// Whether what is due comes next, if something `is_late`, and not a frame.
    pub(crate) fn makes_way(&mut self, is_late: bool) -> bool {
        let Some(waiting) = self.0.as_mut() else { return true };
        waiting.since_late = if is_late { waiting.since_late + 1 } else { 0 };
        waiting.since_late > MOST_AT_ONCE
    }

    /// Takes the next frame out, into `message`; what cannot be taken apart is taken as a whole.
    pub(crate) fn pop(&mut self, message: &mut String) -> Option<()> {
        let waiting = self.0.as_mut()?;
        let first = waiting.messages.front()?;
        let rest = first.get(waiting.told..)?;
        let (frame, rest) = Chunk::split_first(rest).unwrap_or((rest, ""));
        message.clear();
        message.push_str(frame);
        waiting.told = first.len() - rest.len();
        if rest.is_empty() {
            waiting.len -= first.len();
            waiting.told = 0;
            waiting.messages.pop_front();
        }
        if waiting.messages.is_empty() {
            self.0 = None;
        }
        Some(())
    }
}
