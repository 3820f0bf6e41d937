//! `Outbox`: the messages that wait to be sent.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::message::Message;

/// Messages in the order in which they go out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    messages: VecDeque<Waiting>,
    /// How many pings go before them.
    pings: usize,
    /// The bytes of all of them.
    len: usize,
    /// A question was not handed out, so that what has come before it is told first.
    is_withheld: bool,
    /// When the question was asked that is held.
    held_since: Option<Duration>,
}

#[derive(Debug)]
struct Waiting {
    /// From when on it may go.
    from: Duration,
    is_question: bool,
    message: Message,
}

impl Outbox {
    /// Adds a message that is held until `from`; what is added behind it waits, too. Returns from when on it may go.
    pub(crate) fn push(&mut self, from: Duration, message: Message) -> Duration {
        self.add(from, message, false)
    }

    /// Adds the message that begins a turn, at `now`.
    pub(crate) fn push_question(&mut self, now: Duration, from: Duration, message: Message) -> Duration {
        let from = self.add(from, message, true);
        self.is_withheld = false;
        self.held_since = (from > now).then_some(now);
        from
    }

    fn add(&mut self, from: Duration, message: Message, is_question: bool) -> Duration {
        let from = self.messages.back().map_or(from, |before| from.max(before.from));
        self.len += message.len();
        self.messages.push_back(Waiting { from, is_question, message });
        from
    }

    /// Adds a ping, which may go at any time (protocol.md, R2.37): nothing holds it up.
    pub(crate) fn push_ping(&mut self) {
        self.pings += 1;
    }

    /// The next message that may go at `now`.
    #[inline]
    pub(crate) fn pop(&mut self, now: Duration) -> Option<Message> {
        if self.pings > 0 {
            self.pings -= 1;
            return Some(Message::ping());
        }
        self.is_withheld = false;
        let next = self.messages.pop_front_if(|next| next.from <= now)?;
        self.len -= next.message.len();
        if next.is_question {
            self.held_since = None;
        }
        Some(next.message)
    }

    /// Withholds a question if the next message is one, or is held itself and one is behind it. Returns whether that is so.
    #[inline]
    pub(crate) fn withhold_question(&mut self, now: Duration) -> bool {
        let is_next = |next: &Waiting| next.is_question || next.from > now;
        let withholds = self.pings == 0
            && self.messages.front().is_some_and(is_next)
            && self.messages.iter().any(|waiting| waiting.is_question);
        self.is_withheld |= withholds;
        withholds
    }

    pub(crate) fn is_withheld(&self) -> bool {
        self.is_withheld
    }

    /// Whether the server cannot have heard the last question yet when something comes at `now`. Where a recording is played
    /// time stands still, and nothing that is held goes.
    #[inline(always)]
    pub(crate) fn is_unheard(&self, now: Duration) -> bool {
        self.is_withheld || self.held_since.is_some_and(|since| since < now)
    }

    /// Holds nothing any more.
    pub(crate) fn release(&mut self) {
        (self.is_withheld, self.held_since) = (false, None);
        for waiting in &mut self.messages {
            (waiting.from, waiting.is_question) = (Duration::ZERO, false);
        }
    }

    /// When the next message may go that is held at `now`.
    pub(crate) fn held_until(&self, now: Duration) -> Option<Duration> {
        self.messages.front().map(|next| next.from).filter(|from| *from > now)
    }

    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
