//! Transcripts: recorded frames as readable text, to replay and to record (protocol.md, R8.1 and R8.3).
//!
//! ```text
//! WEBSOCKET wss://api.chatnio.net/chat
//!
//! > SEND {"token":"sk-...","id":-1}
//! > SEND {"type":"chat","message":"hi"}  // a comment
//! < RECV {"message":"Hello","quota":0.1,"end":false}
//! ! CLOSED
//! ```

mod log;
mod record;
mod replay;
mod sent;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::json::Scanner;

pub use log::EventLog;
pub use record::Recorder;
pub use replay::{Replay, Replayed, Step};

/// The frames of one connection, in their order.
///
/// `Display` writes the same form that [`parse`](Self::parse) reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transcript {
    /// The URL of the `WEBSOCKET` line.
    pub url: Option<String>,
    /// What was sent and received.
    pub entries: Vec<Entry>,
}

/// One line of a [`Transcript`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line's number, from 1.
    pub line: usize,
    /// When that was, since whatever the recorder counts from, in whole milliseconds; `None` where the line does not say. In
    /// the text it is a comment, `// +1.234 s`.
    pub at: Option<Duration>,
    /// What was sent or received, or that the connection ended.
    pub kind: EntryKind,
}

/// What an [`Entry`] tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// The client sent this message.
    Send(String),
    /// The client received this message.
    Receive(String),
    /// The server closed the socket.
    Closed,
}

/// A text that is no transcript.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct TranscriptError {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line of a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The line has none of the known beginnings.
    #[error("expected `WEBSOCKET url`, `> SEND {{json}}`, `< RECV {{json}}`, `! CLOSED` or a `// comment`")]
    UnknownLine,
    /// A `WEBSOCKET` line without a URL.
    #[error("`WEBSOCKET` needs a URL")]
    MissingUrl,
    /// A `WEBSOCKET` line that is not the first: a transcript holds one connection.
    #[error("`WEBSOCKET` must come first, and once: a transcript holds one connection")]
    MisplacedUrl,
    /// Something after `! CLOSED`.
    #[error("nothing can follow `! CLOSED`")]
    AfterClosed,
}

impl Transcript {
    /// Reads a transcript. Blank lines and comments (`//`, on a line of their own or behind a frame) are ignored.
    ///
    /// The messages are not decoded: a recording may hold malformed ones.
    ///
    /// # Errors
    /// [`TranscriptError`], with the line.
    pub fn parse(text: &str) -> Result<Self, TranscriptError> {
        let mut transcript = Transcript::default();
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.trim();
            if content.is_empty() || content.starts_with("//") {
                continue;
            }
            let fail = |problem| Err(TranscriptError { line, problem });
            let (word, rest) = content.split_once(char::is_whitespace).unwrap_or((content, ""));
            let mut at = None;
            let mut message = |rest| {
                let (message, comment) = split_comment(rest);
                at = time(comment);
                message.to_string()
            };
            let kind = if word == "WEBSOCKET" {
                if transcript.url.is_some() || !transcript.entries.is_empty() {
                    return fail(Problem::MisplacedUrl);
                }
                let Some(url) = first_word(rest) else { return fail(Problem::MissingUrl) };
                transcript.url = Some(url.to_string());
                continue;
            } else if let Some(rest) = directive(content, ">", "SEND") {
                EntryKind::Send(message(rest))
            } else if let Some(rest) = directive(content, "<", "RECV") {
                EntryKind::Receive(message(rest))
            } else if let Some(rest) = directive(content, "!", "CLOSED").filter(|rest| is_comment(rest)) {
                at = time(rest);
                EntryKind::Closed
            } else {
                return fail(Problem::UnknownLine);
            };
            if let Some(Entry { kind: EntryKind::Closed, .. }) = transcript.entries.last() {
                return fail(Problem::AfterClosed);
            }
            transcript.entries.push(Entry { line, at, kind });
        }
        Ok(transcript)
    }
}

/// What follows `mark word` on a line that begins so.
fn directive<'a>(line: &'a str, mark: &str, word: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(mark)?.trim_start().strip_prefix(word)?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim_start())
}

/// The URL that a line names, whatever follows it; `None` where a comment or nothing does.
fn first_word(rest: &str) -> Option<&str> {
    rest.split_whitespace().next().filter(|word| !word.starts_with("//"))
}

/// A message, and the comment behind it. Only a JSON value shows where a message ends and a comment begins; anything else
/// is taken whole (protocol.md, R8.2).
fn split_comment(message: &str) -> (&str, &str) {
    let mut scanner = Scanner::new(message);
    if scanner.value().is_err() {
        return (message, "");
    }
    let (value, rest) = message.split_at(scanner.offset());
    let rest = rest.trim_start();
    if is_comment(rest) { (value, rest) } else { (message, "") }
}

fn is_json(text: &str) -> bool {
    let mut scanner = Scanner::new(text);
    scanner.value().is_ok() && scanner.finish().is_ok()
}

/// Whether nothing more stands there.
fn is_comment(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with("//")
}

/// The time that a comment tells: `// +1.234 s`.
fn time(comment: &str) -> Option<Duration> {
    let (seconds, millis) = comment.strip_prefix("// +")?.strip_suffix(" s")?.split_once('.')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if millis.len() != 3 || !is_number(millis) || !is_number(seconds) {
        return None;
    }
    Some(Duration::new(seconds.parse().ok()?, millis.parse::<u32>().ok()? * 1_000_000))
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(url) = &self.url {
            writeln!(f, "WEBSOCKET {url}\n")?;
        }
        for entry in &self.entries {
            let takes_comment = match &entry.kind {
                EntryKind::Send(message) => write!(f, "> SEND {message}").map(|()| is_json(message))?,
                EntryKind::Receive(message) => write!(f, "< RECV {message}").map(|()| is_json(message))?,
                EntryKind::Closed => write!(f, "! CLOSED").map(|()| true)?,
            };
            match entry.at {
                Some(at) if takes_comment => writeln!(f, " // +{}.{:03} s", at.as_secs(), at.subsec_millis())?,
                _ => writeln!(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_form_is_read_with_its_comments() {
        let text = "WEBSOCKET wss://h/chat // here\n\n> SEND {\"a\":\"// no comment\"} // one\n//two\n< RECV {}//3\r\n<  RECV not json // x\n! CLOSED // end\n";
        let transcript = Transcript::parse(text).unwrap();
        assert_eq!(transcript.url.as_deref(), Some("wss://h/chat"));
        let kinds: Vec<_> = transcript.entries.iter().map(|entry| (entry.line, entry.kind.clone())).collect();
        assert_eq!(
            kinds,
            [
                (3, EntryKind::Send("{\"a\":\"// no comment\"}".into())),
                (5, EntryKind::Receive("{}".into())),
                (6, EntryKind::Receive("not json // x".into())),
                (7, EntryKind::Closed),
            ]
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text =
            "WEBSOCKET ws://h/chat\n\n> SEND {\"token\":\"sk-...\",\"id\":-1}\n< RECV {\"message\":\"x\"}\n! CLOSED\n";
        assert_eq!(Transcript::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn times_are_comments() {
        let text = concat!(
            "> SEND {\"a\":1} // +0.000 s\n< RECV {} // +1.234 s\n< RECV {} // one\n< RECV {} // +1.2 s\n",
            "< RECV {}\n! CLOSED // +18446744073.009 s\n"
        );
        let transcript = Transcript::parse(text).unwrap();
        let at: Vec<_> = transcript.entries.iter().map(|entry| entry.at).collect();
        let time = |millis| Some(Duration::from_millis(millis));
        assert_eq!(at, [time(0), time(1234), None, None, None, time(18_446_744_073_009)]);
        let again = Transcript::parse(&transcript.to_string()).unwrap();
        assert_eq!(again.entries.len(), 6);
        assert!(again.entries.iter().zip(&transcript.entries).all(|(again, entry)| again.at == entry.at));
    }

    #[test]
    fn errors_name_the_line() {
        for (text, line, problem) in [
            ("\n\nhello", 3, Problem::UnknownLine),
            ("> RECV {}", 1, Problem::UnknownLine),
            ("< RECVX {}", 1, Problem::UnknownLine),
            ("! CLOSED now", 1, Problem::UnknownLine),
            ("WEBSOCKET", 1, Problem::MissingUrl),
            ("WEBSOCKET // none", 1, Problem::MissingUrl),
            ("WEBSOCKET a\nWEBSOCKET b", 2, Problem::MisplacedUrl),
            ("> SEND {}\nWEBSOCKET b", 2, Problem::MisplacedUrl),
            ("! CLOSED\n\n< RECV {}", 3, Problem::AfterClosed),
        ] {
            assert_eq!(Transcript::parse(text), Err(TranscriptError { line, problem }), "{text}");
        }
    }
}
