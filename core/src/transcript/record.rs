//! Recording a transcript: the debugging aid of a project without logging.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use zeroize::Zeroizing;

use super::{Entry, EntryKind, Transcript, first_word, is_json, split_comment};
use crate::auth::{ANONYMOUS, Auth, REDACTED, bare};
use crate::chunk::string_field;
use crate::json::push_string;

/// Tokens shorter than this are taken for words: replacing them everywhere would garble the text.
const SECRET_LEN: usize = 8;

/// Records what goes over a connection as a [`Transcript`].
///
/// Tokens are replaced by `sk-...`: the one of an authentication always, and wherever else in a message it shows
/// up, if it has at least 8 bytes. `anonymous` is none.
///
/// A line holds one message, so white space around JSON and line breaks in it are not kept. A message that is not JSON
/// and would not survive being a line is written as a JSON string: as malformed as it was, and readable.
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
    /// The token, as it is and as JSON has it; one that another begins with comes behind it.
    secrets: Vec<Zeroizing<String>>,
    /// When it is, if the host says so.
    now: Option<Duration>,
    /// How many bytes are recorded, and how many may be; 0 is no limit.
    len: usize,
    limit: usize,
    full: bool,
}

/// A token as servers write it in JSON: as Go does, with what JSON demands, and as it is. What else a text may be written in
/// (see [`Secrets`](crate::Secrets)) is rare in a message of the chat, and to look for it costs each of them.
fn in_json(token: &str) -> Vec<Zeroizing<String>> {
    // Sized so that growing leaves no copy behind.
    let sized = || Zeroizing::new(String::with_capacity(6 * token.len() + 2));
    let (mut plain, mut json, mut by_go) = (sized(), sized(), sized());
    plain.push_str(token);
    push_string(&mut json, token);
    json.pop();
    json.remove(0);
    for sign in json.chars() {
        match sign {
            '&' => by_go.push_str("\\u0026"),
            '<' => by_go.push_str("\\u003c"),
            '>' => by_go.push_str("\\u003e"),
            sign => by_go.push(sign),
        }
    }
    let mut forms = vec![by_go, json, plain];
    forms.dedup();
    forms
}

impl Recorder {
    /// A recorder for a connection to `url`, of which the first word is kept: a URL is one.
    pub fn new(url: Option<&str>) -> Self {
        let url = url.and_then(first_word).map(ToString::to_string);
        Recorder { transcript: Transcript { url, ..Transcript::default() }, ..Recorder::default() }
    }

    /// Records so many bytes at most; what comes after is left out. 0, and no limit by default.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// What is recorded from now on bears this time: see [`Entry::at`].
    pub fn at(&mut self, now: Duration) {
        self.now = Some(Duration::from_millis(now.as_millis().try_into().unwrap_or(u64::MAX)));
    }

    /// A message was sent.
    pub fn sent(&mut self, message: &str) {
        let token = string_field(message, "token").filter(|token| token.to_str() != ANONYMOUS);
        let Some(token) = token else { return self.push(message, EntryKind::Send) };
        self.learn(&token.to_str());
        // Whatever the message is otherwise: what it calls a token is one, however short.
        let quoted = Zeroizing::new(alloc::format!("\"{}\"", token.raw()));
        let redacted = Zeroizing::new(message.replace(quoted.as_str(), &alloc::format!("\"{REDACTED}\"")));
        self.push(&redacted, EntryKind::Send);
    }

    /// A message was received.
    pub fn received(&mut self, message: &str) {
        self.push(message, EntryKind::Receive);
    }

    /// The server closed the connection.
    pub fn closed(&mut self) {
        self.push_entry(EntryKind::Closed, 0);
    }

    /// What was recorded so far. The lines are numbered as its text form has them.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Whether the limit was reached, so that something was left out.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// About how many bytes are recorded.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.transcript.entries.is_empty()
    }

    /// Hides the token of an authentication that was not sent yet.
    pub(crate) fn hide(&mut self, auth: &Auth) {
        if !auth.is_anonymous() {
            self.learn(auth.token());
        }
    }

    /// Remembers a token, wherever it may show up.
    fn learn(&mut self, token: &str) {
        let token = bare(token);
        self.secrets = if token.len() < SECRET_LEN { Vec::new() } else { in_json(token) };
    }

    fn push(&mut self, message: &str, kind: impl FnOnce(String) -> EntryKind) {
        let mut text = one_line(message);
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        let len = text.len();
        self.push_entry(kind(text), len);
    }

    fn push_entry(&mut self, kind: EntryKind, len: usize) {
        // Not even an empty message is free.
        let len = self.len.saturating_add(len + size_of::<Entry>());
        // Once full it stays so: what came after a gap would look as if there were none.
        self.full |= self.limit != 0 && len > self.limit;
        if self.full {
            return;
        }
        self.len = len;
        let heading = if self.transcript.url.is_some() { 2 } else { 0 };
        let line = heading + self.transcript.entries.len() + 1;
        self.transcript.entries.push(Entry { line, at: self.now, kind });
    }
}

/// A message as one line that is read back as the same.
fn one_line(message: &str) -> String {
    let trimmed = message.trim_matches([' ', '\t', '\r', '\n']);
    if is_json(trimmed) {
        // In JSON a line break can only be white space.
        return trimmed.replace(['\n', '\r'], " ");
    }
    if trimmed.trim() == trimmed && !trimmed.contains(['\n', '\r']) && split_comment(trimmed).0 == trimmed {
        return trimmed.to_string();
    }
    let mut string = String::new();
    push_string(&mut string, message);
    string
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
    fn what_is_no_url_does_not_make_it_unreadable() {
        for (url, kept) in
            [("", None), (" \n", None), ("// none", None), ("a b", Some("a")), ("a\nWEBSOCKET b", Some("a"))]
        {
            let mut recorder = Recorder::new(Some(url));
            recorder.received("{}");
            let again = Transcript::parse(&recorder.transcript().to_string()).unwrap();
            assert_eq!((&again, again.url.as_deref()), (recorder.transcript(), kept), "{url:?}");
        }
    }

    #[test]
    fn the_token_shows_nowhere() {
        for token in
            ["sk-0123456789", "Bearer sk-0123456789", "\\t sk-0123456789 \\n", "quo\\\"ted-\\u0001-token", "short"]
        {
            let mut recorder = Recorder::new(None);
            recorder.sent(&alloc::format!("{{\"token\":\"{token}\",\"id\":3,\"ref\":\"r\"}}"));
            recorder.sent("{\"message\":\"my key is sk-0123456789, ok?\"}");
            recorder.received("{\"message\":\"bad key quo\\\"ted-\\u0001-token\",\"end\":true}");
            let text = recorder.transcript().to_string();
            assert!(text.starts_with("> SEND {\"token\":\"sk-...\",\"id\":3,\"ref\":\"r\"}"), "{text}");
            assert_eq!(text.contains("0123456789"), !token.contains("0123456789"), "{text}");
            assert_eq!(text.contains("quo"), !token.contains("quo"), "{text}");
            assert!(!alloc::format!("{recorder:?}").contains("secrets"), "{text}");
        }
    }

    #[test]
    fn a_token_is_one_whatever_else_the_message_says() {
        for rest in [",\"id\":0", ",\"id\":\"5\"", ",\"id\":1.5", "", ",\"type\":\"chat\""] {
            let mut recorder = Recorder::new(None);
            recorder.sent(&alloc::format!("{{\"Token\":\"sk-secret&more\"{rest}}}"));
            recorder.received("{\"message\":\"no such key: sk-secret\\u0026more\"}");
            let text = recorder.transcript().to_string();
            assert!(!text.contains("secret") && text.matches("sk-...").count() == 2, "{text}");
        }
    }

    #[test]
    fn what_was_malformed_stays_so() {
        for message in ["{\"message\":\"a\nb\"}", "{} // c", "{}//c", "\u{a0}{}", "x\ry", "  spaces  \n", "\u{feff}{}"]
        {
            let mut recorder = Recorder::new(None);
            recorder.received(message);
            let again = Transcript::parse(&recorder.transcript().to_string()).unwrap();
            assert_eq!(&again, recorder.transcript(), "{message}");
            let [Entry { kind: EntryKind::Receive(read), .. }] = &*again.entries else { panic!("{message}") };
            assert!(crate::Chunk::decode(read).is_err(), "{message}: {read}");
        }
    }

    #[test]
    fn a_recording_stops_at_its_limit() {
        let mut recorder = Recorder::new(None).limit(1000);
        assert!(recorder.is_empty());
        for _ in 0..100 {
            recorder.received("{}");
        }
        recorder.received("");
        assert!(recorder.len() <= 1000 && recorder.is_full());
        let entries = recorder.transcript().entries.len();
        assert!(entries > 3 && entries < 100, "{entries}");
        let mut tiny = Recorder::new(None).limit(1);
        tiny.received("{}");
        tiny.closed();
        assert!(tiny.is_empty() && tiny.is_full());
    }
}
