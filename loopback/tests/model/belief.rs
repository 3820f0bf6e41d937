//! `Belief`: what a client may believe of a connection by the rules alone (protocol.md, R5.9, R5.10 and R5.13), and whether a
//! frame can be. It knows nothing of how the session decides that.

use serde_json::Value;

/// What a frame says, as far as it decides whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) is_opener: bool,
    pub(crate) is_end: bool,
    /// An end with words of its own.
    has_words: bool,
    costs: bool,
}

impl Frame {
    /// The first of a message.
    pub(crate) fn read(message: &str) -> Self {
        let first = serde_json::Deserializer::from_str(message).into_iter::<Value>().next();
        let value = first.expect("a message has a frame").expect("the server sends JSON");
        let text = value["message"].as_str().unwrap_or_default();
        let is_end = value["end"] == true;
        Frame {
            is_opener: value["conversation"].as_i64().is_some_and(|id| id != 0),
            is_end,
            has_words: is_end && !text.is_empty() && text != "empty response",
            costs: value["quota"].as_f64().is_some_and(|quota| quota > 0.0),
        }
    }

    fn is_notice(self) -> bool {
        self.has_words && !self.costs
    }
}

/// Of one connection.
#[derive(Debug, Default)]
pub(crate) struct Belief {
    /// It has shown an opener; a turn has come without one.
    opens: bool,
    comes_without: bool,
    /// The opener of the turn that is awaited has come.
    pub(crate) has_opened: bool,
    /// A stopped turn has left no second end so far.
    owes_end: bool,
    /// A frame has come that cannot be.
    pub(crate) is_betrayed: bool,
}

impl Belief {
    pub(crate) fn begin(&mut self) {
        self.has_opened = false;
    }

    /// The server has ended the turn.
    pub(crate) fn ended(&mut self, was_stopped: bool) {
        self.owes_end |= was_stopped;
    }

    /// A frame comes; `is_awaited`: before the end of a turn.
    pub(crate) fn frame(&mut self, frame: Frame, is_awaited: bool) {
        let is_second_end = frame.is_end && !frame.has_words && self.owes_end && self.opens;
        let is_before_the_opener = self.opens && !self.has_opened;
        let can_be = match (is_awaited, frame.is_opener) {
            (false, _) => is_second_end,
            (true, true) => !self.has_opened && !self.comes_without,
            (true, false) => !is_before_the_opener || is_second_end || frame.is_notice(),
        };
        self.is_betrayed |= !can_be;
        if is_awaited && frame.is_opener {
            (self.opens, self.has_opened, self.owes_end) = (true, true, false);
        } else if is_second_end && !(is_awaited && self.has_opened) {
            self.owes_end = false;
        } else if is_awaited && !self.opens && !frame.is_notice() {
            self.comes_without = true;
        }
    }
}
