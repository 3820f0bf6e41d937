//! `Message`: a text message for the server.

use alloc::string::String;
use core::fmt;
use core::ops::Deref;
use zeroize::Zeroizing;

use crate::request::RequestKind;

/// The keep-alive. The server compares it byte by byte (protocol.md, section 2).
pub(crate) const PING: &str = r#"{"type":"ping"}"#;

/// A text message to send to the server, handed out exactly once by
/// [`Session::poll_transmit`](crate::Session::poll_transmit).
///
/// It derefs to the text. The first one holds the token, so `Debug` shows only kind and length, and the text is
/// zeroized on drop: send it and let it go.
pub struct Message {
    text: Zeroizing<String>,
    kind: MessageKind,
}

/// What a [`Message`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageKind {
    /// The authentication: it holds the token.
    Auth,
    /// A request.
    Request(RequestKind),
    /// A keep-alive.
    Ping,
}

impl Message {
    pub(crate) fn new(text: Zeroizing<String>, kind: MessageKind) -> Self {
        Message { text, kind }
    }

    pub(crate) fn ping() -> Self {
        Message::new(Zeroizing::new(PING.into()), MessageKind::Ping)
    }

    /// What it is.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }
}

impl Deref for Message {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({:?}, {} bytes)", self.kind, self.text.len())
    }
}
