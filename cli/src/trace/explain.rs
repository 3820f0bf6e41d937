//! Why what happens happens (protocol.md has the facts).

use std::fmt::Write;

use chatnio::{Answer, Conversation, Event, Outcome, RequestKind, State};
use serde_json::Value;

use crate::words;

/// What the host is told, and why.
pub(super) struct Told {
    pub(super) event: String,
    pub(super) why: String,
}

impl Told {
    pub(super) fn new(event: impl Into<String>, why: impl Into<String>) -> Self {
        Told { event: event.into(), why: why.into() }
    }
}

/// A text as it stands in JSON: what could drive a terminal is escaped.
fn quoted(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap_or_default();
    // JSON lets U+007F to U+009F stand.
    if !json.contains(char::is_control) {
        return json;
    }
    json.chars().fold(String::new(), |mut escaped, c| {
        if c.is_control() {
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
        escaped
    })
}

pub(super) fn request(kind: RequestKind, turn: Option<u64>) -> Told {
    let why = match (kind, turn) {
        (RequestKind::Chat, Some(turn)) => format!("a question: turn {turn} begins"),
        (RequestKind::Restart, Some(turn)) => format!("the last question again: turn {turn} begins"),
        (RequestKind::Stop, Some(turn)) => format!("turn {turn} is to end; pieces go on coming until its end does"),
        (RequestKind::Stop, None) => "no turn runs: there is nothing to stop".to_owned(),
        (kind, _) => format!("`{kind}` has no answer"),
    };
    Told::new("", why)
}

/// A message that is sent beside the requests.
pub(super) fn silent(message: &str) -> Told {
    let message: Value = serde_json::from_str(message).unwrap_or_default();
    if message.get("token").is_some() {
        Told::new("", "the authentication: it goes out before the first request and is not answered")
    } else {
        Told::new("", "a keep-alive: it is not answered")
    }
}

/// `stopped` is whether the turn before was.
pub(super) fn event(event: &Event<'_>, before: State, after: State, stopped: bool) -> Told {
    match event {
        Event::Opened { turn, conversation, .. } => Told::new(
            format!("opened: {}", which(*conversation)),
            format!("the opener: the server has read the question of turn {turn}"),
        ),
        Event::Delta { turn, text: "", .. } => {
            Told::new("delta, empty", format!("turn {turn} goes on; the frame has no text"))
        }
        Event::Delta { turn, text, .. } => {
            Told::new(format!("delta {}", quoted(text)), format!("a piece of the answer of turn {turn}"))
        }
        Event::End(end) => self::end(&end.answer, end.chunk.is_some()),
        Event::Stray { chunk, .. } => {
            let why = match before {
                _ if after == State::Closed => {
                    "the server answers what was not asked: which answer is whose nobody knows any more, and the session ends"
                }
                State::Draining => "the turn was given up before: what its server still sends is passed over",
                _ if chunk.end && stopped => "the second end that a stop leaves behind: it must not end the next turn",
                State::Asking => "it comes before the opener, and so belongs to no turn that is known",
                _ => "no turn runs",
            };
            Told::new("stray", why)
        }
        Event::Malformed { error, .. } => Told::new("malformed", words::received(error)),
        Event::StopRepeated { .. } => Told::new("stop repeated", "the end did not come"),
        Event::KeepAlive => Told::new("keep-alive", "the connection was silent"),
        _ => Told::new("", ""),
    }
}

fn end(answer: &Answer, has_frame: bool) -> Told {
    let turn = answer.turn;
    let cost = words::cost(answer.quota());
    match answer.outcome {
        Some(Outcome::Complete) => Told::new(
            format!("end: complete, cost {cost}"),
            format!("`end` is true: the answer of turn {turn} is whole"),
        ),
        Some(Outcome::Stopped) => Told::new(
            format!("end: stopped, cost {cost}"),
            format!("the end of turn {turn}, after its stop: the text so far is kept"),
        ),
        Some(Outcome::Notice) => Told::new(
            format!("end: notice {}", quoted(answer.notice.as_deref().unwrap_or_default())),
            format!("text on an end that costs nothing is the server's, not the model's: turn {turn} has no answer"),
        ),
        Some(Outcome::Interrupted(why)) if has_frame => {
            Told::new("end: interrupted", format!("turn {turn}: {}", words::interruption(why)))
        }
        Some(Outcome::Interrupted(why)) => Told::new(
            "end: interrupted",
            format!("turn {turn} is ended here, with the text so far: {}", words::interruption(why)),
        ),
        _ => Told::new("end", ""),
    }
}

fn which(conversation: Conversation) -> String {
    match conversation {
        Conversation::New { id: id @ 1.. } => format!("the new conversation {id}"),
        Conversation::New { .. } => "an anonymous conversation".to_owned(),
        Conversation::Resumed { id } => format!("conversation {id}, as asked for"),
        Conversation::Replaced { asked, got } => format!("the new conversation {got}, instead of {asked}"),
        _ => "a conversation".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drives_a_terminal_is_escaped() {
        assert_eq!(quoted("a\u{1b}[m\u{7f}\u{9b}m \u{a0}é"), "\"a\\u001b[m\\u007f\\u009bm \u{a0}é\"");
        assert_eq!(quoted("plain ✓"), "\"plain ✓\"");
    }
}
