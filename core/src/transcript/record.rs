//! Recording a transcript: the debugging aid of a project without logging.

use alloc::string::{String, ToString};
use core::fmt;
use zeroize::Zeroizing;

use super::sent::{self, Sent};
use super::{Entry, Frame, Transcript};
use crate::json::push_string;

/// What a token becomes in a transcript.
const REDACTED: &str = "sk-...";

/// Tokens shorter than this are taken for words: replacing them everywhere would garble the text.
const SECRET_LEN: usize = 8;

/// Records what goes over a connection as a [`Transcript`].
///
/// Tokens are replaced by `sk-...`: the one of an authentication always, and wherever else in a message it shows
/// up, if it has at least 8 bytes. `anonymous` is none.
///
/// ```
/// use chatnio_core::transcript::Recorder;
///
/// let mut recorder = Recorder::new(Some("wss://api.chatnio.net/chat"));
/// recorder.sent(r#"{"token":"sk-secret","id":-1}"#);
/// recorder.received("{\"message\":\"hi\"}\n");
/// assert!(recorder.transcript().to_string().contains(r#"> SEND {"token":"sk-...","id":-1}"#));
/// ```
#[derive(Default)]
pub struct Recorder {
    transcript: Transcript,
    /// The token, plain and as it stands in JSON.
    secrets: [Zeroizing<String>; 2],
}

impl Recorder {
    /// A recorder for a connection to `url`.
    pub fn new(url: Option<&str>) -> Self {
        Recorder { transcript: Transcript { url: url.map(one_line), ..Transcript::default() }, ..Recorder::default() }
    }

    /// A message was sent.
    pub fn sent(&mut self, message: &str) {
        let redacted = match sent::parse(message) {
            Ok(Sent::Auth(auth)) if !auth.is_anonymous() => {
                // What the server takes for the token, too, is without these.
                let token = auth.token().trim();
                let token = token.strip_prefix("Bearer ").unwrap_or(token).trim();
                // Sized so that growing leaves no copy behind.
                let mut escaped = Zeroizing::new(String::with_capacity(6 * token.len() + 2));
                push_string(&mut escaped, token);
                escaped.pop();
                escaped.remove(0);
                self.secrets = [Zeroizing::new(token.to_string()), escaped];
                auth.with_token(REDACTED).encode(0).ok().map(|message| message.to_string())
            }
            _ => None,
        };
        let text = redacted.unwrap_or_else(|| self.redact(message));
        self.push(Frame::Send(text));
    }

    /// A message was received.
    pub fn received(&mut self, message: &str) {
        let text = self.redact(message);
        self.push(Frame::Receive(text));
    }

    /// The server closed the connection.
    pub fn closed(&mut self) {
        self.push(Frame::Closed);
    }

    /// What was recorded so far. The lines are numbered as its text form has them.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    fn push(&mut self, frame: Frame) {
        let heading = if self.transcript.url.is_some() { 2 } else { 0 };
        let line = heading + self.transcript.entries.len() + 1;
        self.transcript.entries.push(Entry { line, frame });
    }

    fn redact(&self, message: &str) -> String {
        let mut text = one_line(message);
        for secret in &self.secrets {
            if secret.len() >= SECRET_LEN && text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        text
    }
}

/// A message as one line: in JSON a line break can only be white space.
fn one_line(message: &str) -> String {
    message.trim().replace(['\n', '\r'], " ")
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("transcript", &self.transcript).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_can_be_read() {
        let mut recorder = Recorder::new(Some("ws://h/chat"));
        recorder.sent("{\"token\":\"anonymous\",\"id\":-1}");
        recorder.received("{\"message\":\n\"x\"}\n");
        recorder.closed();
        let text = recorder.transcript().to_string();
        assert_eq!(
            text,
            "WEBSOCKET ws://h/chat\n\n> SEND {\"token\":\"anonymous\",\"id\":-1}\n< RECV {\"message\": \"x\"}\n! CLOSED\n"
        );
        assert_eq!(&Transcript::parse(&text).unwrap(), recorder.transcript());
    }

    #[test]
    fn the_token_shows_nowhere() {
        for token in ["sk-0123456789", "Bearer sk-0123456789", " sk-0123456789\\n", "quo\\\"ted-\\u0001-token", "short"]
        {
            let mut recorder = Recorder::new(None);
            recorder.sent(&alloc::format!("{{\"token\":\"{token}\",\"id\":3,\"ref\":\"r\"}}"));
            recorder.sent("{\"message\":\"my key is sk-0123456789, ok?\"}");
            recorder.received("{\"message\":\"bad key quo\\\"ted-\\u0001-token\",\"end\":true}");
            let text = recorder.transcript().to_string();
            assert!(text.starts_with("> SEND {\"token\":\"sk-...\",\"id\":3,\"ref\":\"r\"}"), "{text}");
            assert_eq!(text.contains("0123456789"), !token.contains("0123456789"), "{text}");
            assert_eq!(text.contains("quo"), !token.contains("quo"), "{text}");
            assert!(!alloc::format!("{recorder:?}").contains("token: "), "{text}");
        }
    }
}
