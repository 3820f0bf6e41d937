//! `Message`: a text message for the server, and the kinds that there are.

use alloc::string::String;
use core::fmt;
use core::ops::Deref;
use zeroize::Zeroizing;

use crate::names::names;

/// The keep-alive. The server compares it byte by byte (protocol.md, R2.36).
pub(crate) const PING: &str = r#"{"type":"ping"}"#;

/// A stop, as a request encodes it.
const STOP: &str = r#"{"type":"stop"}"#;

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

/// The kinds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestKind {
    /// A question.
    Chat,
    /// The last question again.
    Restart,
    /// End the running answer.
    Stop,
    /// Put a shared conversation before this one.
    Share,
    /// Put messages before this conversation.
    Mask,
    /// Change a stored message.
    Edit,
    /// Remove a stored message.
    Remove,
}

names! {
    impl RequestKind {
        /// Every kind.
        pub ALL;
        /// The name that the protocol gives it.
        pub name;
        Chat => "chat",
        Restart => "restart",
        Stop => "stop",
        Share => "share",
        Mask => "mask",
        Edit => "edit",
        Remove => "remove",
    }
}

impl RequestKind {
    /// Whether the server answers it, so that it begins a turn.
    pub fn begins_turn(self) -> bool {
        matches!(self, RequestKind::Chat | RequestKind::Restart)
    }
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Message {
    pub(crate) fn new(text: Zeroizing<String>, kind: MessageKind) -> Self {
        Message { text, kind }
    }

    pub(crate) fn stop() -> Self {
        let text = Zeroizing::new(STOP.into());
        Message::new(text, MessageKind::Request(RequestKind::Stop))
    }

    pub(crate) fn ping() -> Self {
        Message::new(Zeroizing::new(PING.into()), MessageKind::Ping)
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity()
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
