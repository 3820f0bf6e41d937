//! A conversation as one connection holds it: its messages and the last request's settings.

use crate::channel::Parameters;
use crate::form::{Message, RequestForm};
use crate::generation::Generation;

/// The model of a request that names none, also on restart (protocol.md, R2.3).
pub(crate) const DEFAULT_MODEL: &str = "gpt-3.5-turbo";

/// How many messages go to the model when a request does not say (2024, 2026: protocol.md, R2.6).
const DEFAULT_CONTEXT: usize = 8;

/// How many messages go to the model in 2023, which cannot be told (protocol.md, R2.8).
const CONTEXT_2023: usize = 12;

/// The id of every anonymous conversation (protocol.md, R3.11).
pub(crate) const ANONYMOUS_ID: i64 = -1;

/// One connection's copy; [`crate::world::World`] holds what was saved.
#[derive(Default, Clone)]
pub(crate) struct Conversation {
    /// The key it belongs to; nobody's when anonymous.
    pub(crate) owner: Option<String>,
    pub(crate) id: i64,
    pub(crate) messages: Vec<Message>,
    pub(crate) model: String,
    pub(crate) web: bool,
    pub(crate) parameters: Parameters,
    /// Whether a share was put in front: only a connection's first counts (protocol.md, R2.20).
    pub(crate) shared: bool,
    /// 0 is the generation's default.
    context: usize,
    /// Only the question goes to the model (protocol.md, R2.5).
    ignore_context: bool,
}

impl Conversation {
    pub(crate) fn new(owner: Option<String>, id: i64, messages: Vec<Message>) -> Self {
        Self { owner, id, messages, model: DEFAULT_MODEL.to_owned(), ..Self::default() }
    }

    /// Takes over a request's model and settings.
    pub(crate) fn apply(&mut self, form: &RequestForm) {
        DEFAULT_MODEL.clone_into(&mut self.model);
        if !form.model.is_empty() {
            self.model.clone_from(&form.model);
        }
        self.web = form.web;
        self.parameters.clone_from(&form.parameters);
        self.context = usize::try_from(form.context).unwrap_or(0);
        self.ignore_context = form.ignore_context;
    }

    pub(crate) fn add(&mut self, role: &str, content: String) {
        self.messages.push(Message { role: role.to_owned(), content });
    }

    pub(crate) fn insert_front(&mut self, messages: Vec<Message>) {
        self.messages.splice(0..0, messages);
    }

    /// Replaces one message's text; an index out of range is ignored (protocol.md, R2.25 and R2.26).
    pub(crate) fn edit(&mut self, index: i64, text: &str) {
        let message = usize::try_from(index).ok().and_then(|index| self.messages.get_mut(index));
        if let Some(message) = message {
            text.clone_into(&mut message.content);
        }
    }

    /// Removes one message; an index out of range is ignored.
    pub(crate) fn remove(&mut self, index: i64) {
        if let Ok(index) = usize::try_from(index)
            && index < self.messages.len()
        {
            self.messages.remove(index);
        }
    }

    /// What goes to the model. On restart (2024, 2026) the answers after the last question are left
    /// out, though they stay in the history (protocol.md, R2.15 and R2.16).
    pub(crate) fn segment(&self, generation: Generation, restart: bool) -> &[Message] {
        let mut messages = self.messages.as_slice();
        if generation == Generation::G2023 {
            let length = if self.ignore_context { 1 } else { CONTEXT_2023 };
            return &messages[messages.len().saturating_sub(length)..];
        }
        if restart {
            let question = messages.iter().rposition(|message| message.role != "assistant");
            if let Some(question) = question {
                messages = &messages[..=question];
            }
        }
        let length = match self.context {
            _ if self.ignore_context => 1,
            0 => DEFAULT_CONTEXT,
            context => context,
        };
        &messages[messages.len().saturating_sub(length)..]
    }
}

/// Reads the `INDEX:NEW TEXT` of an edit (protocol.md, R2.22).
pub(crate) fn parse_edit(message: &str) -> Option<(i64, &str)> {
    let (index, text) = message.split_once(':')?;
    Some((parse_index(index)?, text))
}

/// Reads the `INDEX` of a remove (protocol.md, R2.23): decimal digits with at most one sign, nothing else.
pub(crate) fn parse_index(text: &str) -> Option<i64> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(roles: &str) -> Conversation {
        let mut conversation = Conversation::new(None, 1, Vec::new());
        for (at, role) in roles.chars().enumerate() {
            let role = if role == 'u' { "user" } else { "assistant" };
            conversation.add(role, at.to_string());
        }
        conversation
    }

    fn texts(messages: &[Message]) -> String {
        messages.iter().map(|message| message.content.as_str()).collect()
    }

    #[test]
    fn the_context_is_counted_in_messages() {
        let mut conversation = conversation("uauauauauau");
        let count = |conversation: &Conversation, generation| conversation.segment(generation, false).len();
        assert_eq!(count(&conversation, Generation::G2026), 8);
        assert_eq!(count(&conversation, Generation::G2023), 11);
        conversation.apply(&RequestForm { context: -4, ..RequestForm::default() });
        assert_eq!(count(&conversation, Generation::G2024), 8);
        conversation.apply(&RequestForm { context: 1, ..RequestForm::default() });
        assert_eq!(count(&conversation, Generation::G2024), 1);
        assert_eq!(count(&conversation, Generation::G2023), 11);
        conversation.apply(&RequestForm { ignore_context: true, ..RequestForm::default() });
        assert_eq!(count(&conversation, Generation::G2026), 1);
        assert_eq!(count(&conversation, Generation::G2023), 1);
    }

    #[test]
    fn a_restart_leaves_out_the_answers_after_the_last_question() {
        let conversation = conversation("uauaa");
        assert_eq!(texts(conversation.segment(Generation::G2024, true)), "012");
        assert_eq!(texts(&conversation.messages), "01234");
    }

    #[test]
    fn indexes_out_of_range_are_ignored_and_malformed_ones_refused() {
        let mut conversation = conversation("ua");
        for index in [-1, 2, i64::MAX] {
            conversation.edit(index, "x");
            conversation.remove(index);
        }
        assert_eq!(texts(&conversation.messages), "01");
        conversation.edit(1, "x");
        conversation.remove(0);
        assert_eq!(texts(&conversation.messages), "x");
        assert_eq!(parse_edit("+1:a:b"), Some((1, "a:b")));
        assert_eq!(parse_edit("-1:"), Some((-1, "")));
        for bad in ["", "1", ":x", "x:y", " 1:x", "1 :x", "1.0:x"] {
            assert_eq!(parse_edit(bad), None, "{bad}");
        }
        assert_eq!(parse_index("-0"), Some(0));
        assert_eq!(parse_index("1:"), None);
    }
}
