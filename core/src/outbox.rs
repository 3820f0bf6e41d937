//! `Outbox`: the messages that wait to be sent.

use alloc::collections::VecDeque;

use crate::message::Message;

/// Messages in the order in which they go out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    messages: VecDeque<Message>,
    /// The bytes of all of them.
    len: usize,
}

impl Outbox {
    pub(crate) fn push(&mut self, message: Message) {
        self.len += message.len();
        self.messages.push_back(message);
    }

    pub(crate) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.len -= message.len();
        Some(message)
    }

    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
