//! `Outbox`: the messages that wait to be sent.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::message::Message;

/// Messages in the order in which they go out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Each with the time from which on it may go.
    messages: VecDeque<(Duration, Message)>,
    /// How many pings go before them.
    pings: usize,
    /// The bytes of all of them.
    len: usize,
}

impl Outbox {
    /// Adds a message that is held until `from`; what is added behind it waits, too. Returns from when on it may go.
    pub(crate) fn push(&mut self, from: Duration, message: Message) -> Duration {
        let from = self.messages.back().map_or(from, |(before, _)| from.max(*before));
        self.len += message.len();
        self.messages.push_back((from, message));
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
        let (_, message) = self.messages.pop_front_if(|(from, _)| *from <= now)?;
        self.len -= message.len();
        Some(message)
    }

    /// Holds nothing any more.
    pub(crate) fn release(&mut self) {
        self.messages.iter_mut().for_each(|(from, _)| *from = Duration::ZERO);
    }

    /// When the next message may go that is held at `now`.
    pub(crate) fn held_until(&self, now: Duration) -> Option<Duration> {
        self.messages.front().map(|(from, _)| *from).filter(|from| *from > now)
    }

    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
