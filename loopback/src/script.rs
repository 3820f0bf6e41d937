//! Playing back a recorded transcript (protocol.md, section 8).

use core::str::FromStr;
use std::sync::Arc;

use chatnio_core::transcript::{EntryKind, Transcript, TranscriptError};

use crate::expectation::Expectation;
use crate::form::{PING, RequestForm, has_token};
use crate::generation::Generation;

/// A transcript made ready for playback. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What the server says before anything is sent.
    greeting: Arc<[Reply]>,
    turns: Arc<[Turn]>,
    /// The requests, as they were sent, without those that no client may send.
    asks: Arc<[String]>,
}

impl Script {
    /// What it asks, for a test to compare with what was asked.
    #[must_use]
    pub fn expectation(&self) -> Expectation {
        Expectation::new(Arc::clone(&self.asks))
    }
}

/// One SEND of the client and what the server answered it with.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    kind: Kind,
    replies: Vec<Reply>,
}

/// What was sent, as far as it matters for finding it again.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Auth,
    Stop,
    /// Any other request: its type, and whether it is an empty chat, which no client may send.
    Request {
        kind: String,
        empty_chat: bool,
    },
}

impl Kind {
    /// Whether the server answers it.
    fn is_question(&self) -> bool {
        matches!(self, Self::Request { kind, empty_chat: false } if kind == "chat" || kind == "restart")
    }
}

/// One thing the server did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A text message, its newline included.
    Frame(String),
    /// It closed the socket.
    Closed,
}

impl From<&Transcript> for Script {
    fn from(transcript: &Transcript) -> Self {
        let mut greeting = Vec::new();
        let mut turns: Vec<Turn> = Vec::new();
        let mut asks = Vec::new();
        for entry in &transcript.entries {
            let reply = match &entry.kind {
                // A ping begins no turn: what follows it belongs to the turn before.
                EntryKind::Send(message) => {
                    let kind = classify(message);
                    if matches!(kind, Some(Kind::Request { empty_chat: false, .. })) {
                        asks.push(message.clone());
                    }
                    turns.extend(kind.map(|kind| Turn { kind, replies: Vec::new() }));
                    continue;
                }
                EntryKind::Receive(message) => Reply::Frame(format!("{message}\n")),
                _ => Reply::Closed,
            };
            turns.last_mut().map_or(&mut greeting, |turn| &mut turn.replies).push(reply);
        }
        Self { greeting: greeting.into(), turns: turns.into(), asks: asks.into() }
    }
}

impl FromStr for Script {
    type Err = TranscriptError;

    /// Reads a transcript's text.
    fn from_str(text: &str) -> Result<Self, TranscriptError> {
        Ok(Self::from(&Transcript::parse(text)?))
    }
}

fn classify(json: &str) -> Option<Kind> {
    if has_token(json) {
        return Some(Kind::Auth);
    }
    let Ok(form) = RequestForm::parse(Generation::G2026, json) else {
        return Some(Kind::Request { kind: String::new(), empty_chat: false });
    };
    match form.kind.as_str() {
        // Recordings may have written the ping with a space; clients send it exactly.
        "ping" => None,
        "stop" => Some(Kind::Stop),
        _ => {
            let empty_chat = form.kind == "chat" && form.message.is_empty();
            Some(Kind::Request { kind: form.kind, empty_chat })
        }
    }
}

/// How far one connection has come in a script.
pub(crate) struct Playback {
    script: Script,
    /// The next turn.
    next: usize,
}

impl Playback {
    /// Starts a script; what the server says unasked goes to `out`.
    pub(crate) fn start(script: Script, out: &mut Vec<Reply>) -> Self {
        out.extend_from_slice(&script.greeting);
        Self { script, next: 0 }
    }

    /// Answers a message with what the recorded server answered.
    ///
    /// Messages are matched by their order and kind, not by their text. Pings, and stops and
    /// authentications that are not due, change nothing. A request skips what the client left out:
    /// a stop is skipped together with its replies, which are the end of the answer before, and so
    /// are requests that the client cannot have sent. A question that nothing is left for ends the
    /// connection: whoever waited for an answer would wait for long. A script without any question
    /// says nothing to one.
    pub(crate) fn receive(&mut self, text: &str, out: &mut Vec<Reply>) {
        if text == PING {
            return;
        }
        let Some(kind) = classify(text) else { return };
        let turns = Arc::clone(&self.script.turns);
        let rest = &turns[self.next..];
        let matched = match &kind {
            Kind::Auth | Kind::Stop => rest.first().filter(|turn| turn.kind == kind).map(|_| 0),
            Kind::Request { .. } => rest.iter().position(|turn| turn.kind == kind).or_else(|| {
                // A chat may stand for a restart and the other way round; the rest has no answer.
                let next = rest.iter().position(|turn| turn.kind.is_question());
                next.filter(|_| kind.is_question())
            }),
        };
        let Some(matched) = matched else {
            if kind.is_question() && turns.iter().any(|turn| turn.kind.is_question()) {
                out.push(Reply::Closed);
            }
            return;
        };
        for skipped in &rest[..matched] {
            if skipped.kind == Kind::Stop {
                out.extend_from_slice(&skipped.replies);
            }
        }
        out.extend_from_slice(&rest[matched].replies);
        self.next += matched + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: &str = r#"{"type":"chat","message":"hi"}"#;

    /// Plays `sent` against a script and joins what comes back, one string for each message sent.
    fn play(script: &str, sent: &[&str]) -> Vec<String> {
        let mut out = Vec::new();
        let mut playback = Playback::start(script.parse().unwrap(), &mut out);
        sent.iter()
            .map(|text| {
                playback.receive(text, &mut out);
                out.drain(..)
                    .map(|reply| match reply {
                        Reply::Frame(text) => text.replace('\n', ""),
                        Reply::Closed => "closed".to_owned(),
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn replies_follow_their_sends_verbatim() {
        let script = "WEBSOCKET wss://h/chat // x\n\n> SEND {\"token\":\"sk-...\",\"id\":-1} // c\n> SEND {\"type\":\"chat\",\"message\":\"hi\"}\n< RECV { \"message\": \"a // b\" } // c\n// c\n! CLOSED // c\n";
        let sent = [r#"{"token":"x","id":3}"#, r#"{"message":"other"}"#, CHAT];
        assert_eq!(play(script, &sent), ["", "{ \"message\": \"a // b\" }closed", "closed"]);
    }

    #[test]
    fn pings_and_extra_stops_change_nothing() {
        let script = "> SEND {\"message\":\"a\"}\n< RECV {\"n\":1}\n> SEND {\"type\": \"ping\"}\n< RECV {\"n\":2}\n> SEND {\"type\":\"stop\"}\n< RECV {\"n\":3}\n> SEND {\"message\":\"b\"}\n< RECV {\"n\":4}\n";
        let (ping, stop) = (PING, r#"{"type":"stop"}"#);
        let sent = [r#"{"token":"x"}"#, stop, ping, CHAT, stop, ping, stop, CHAT, stop, CHAT];
        assert_eq!(
            play(script, &sent),
            ["", "", "", "{\"n\":1}{\"n\":2}", "{\"n\":3}", "", "", "{\"n\":4}", "", "closed"]
        );
        // A client that never stops gets the end all the same.
        assert_eq!(play(script, &[CHAT, CHAT]), ["{\"n\":1}{\"n\":2}", "{\"n\":3}{\"n\":4}"]);
    }

    #[test]
    fn a_question_too_many_ends_the_connection() {
        let script = "> SEND {\"message\":\"a\"}\n< RECV {\"n\":1}\n";
        assert_eq!(play(script, &[CHAT, CHAT]), ["{\"n\":1}", "closed"]);
        assert_eq!(play("> SEND {\"token\":\"sk-...\",\"id\":-1}\n", &[CHAT]), [""]);
    }

    #[test]
    fn requests_that_no_client_sends_are_skipped() {
        let script = "> SEND {\"message\":\"\"}\n> SEND {\"message\":\"a\",\"web\":\"false\"}\n< RECV {\"n\":9}\n> SEND {\"type\":\"mask\",\"message\":\"[]\"}\n> SEND {\"message\":\"b\"}\n< RECV {\"n\":1}\n> SEND {\"type\":\"restart\"}\n< RECV {\"n\":2}\n";
        assert_eq!(play(script, &[CHAT, CHAT]), ["{\"n\":1}", "{\"n\":2}"]);
        let share = r#"{"type":"share","message":"x"}"#;
        assert_eq!(play(script, &[share, CHAT]), ["", "{\"n\":1}"]);
    }
}
