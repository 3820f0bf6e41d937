//! `Auth`: the first message of every connection (protocol.md, R1.1).

use alloc::string::String;
use core::fmt::{self, Write};
use zeroize::Zeroizing;

use crate::json::write_string;
use crate::message::{Message, MessageKind};
use crate::secrets::Secrets;

/// The token that asks without an account.
pub(crate) const ANONYMOUS: &str = "anonymous";

/// The conversation id that starts a new conversation.
const NEW: i64 = -1;

/// What stands in the place of a token.
pub(crate) const REDACTED: &str = "sk-...";

/// A token as servers take it, which tolerate a prefix (protocol.md, R1.5).
pub(crate) fn bare(token: &str) -> &str {
    let token = token.trim();
    token.strip_prefix("Bearer ").unwrap_or(token).trim()
}

/// Whether `id` can be that of a stored conversation.
fn is_stored(id: i64) -> bool {
    id > 0
}

/// Who asks, and in which conversation.
///
/// The token is zeroized when the value is dropped and never shows in `Debug`.
///
/// ```
/// use chatnio_core::Auth;
///
/// let auth = Auth::new("sk-secret").conversation(29);
/// assert_eq!(format!("{auth:?}"), r#"Auth { token: "sk-...", conversation: 29, share: None }"#);
/// ```
#[derive(Clone)]
pub struct Auth {
    token: Zeroizing<String>,
    pub(crate) conversation: i64,
    pub(crate) share: Option<String>,
}

impl Auth {
    /// Authenticates with an API key `sk-...` or a login JWT, in a new conversation.
    ///
    /// A server never says whether it accepts a token: with a bad one it goes on as anonymous, and the first
    /// question may be answered by a notice.
    pub fn new(token: impl Into<String>) -> Self {
        Auth { token: Zeroizing::new(token.into()), conversation: NEW, share: None }
    }

    /// Asks without an account, in a new conversation.
    pub fn anonymous() -> Self {
        Auth::new(ANONYMOUS)
    }

    /// Continues the conversation `id`; -1 starts a new one. An id that the server does not know starts a new one
    /// too: the opener's [`Conversation`](crate::Conversation) tells.
    #[must_use]
    pub fn conversation(mut self, id: i64) -> Self {
        self.conversation = id;
        self
    }

    /// Starts a new conversation from a shared one, by the share's hash. A valid hash wins over
    /// [`conversation`](Self::conversation) (protocol.md, R1.6). Only send a hash that the user gave: one of a share that
    /// is broken loses the connection (R2.28).
    #[must_use]
    pub fn share(mut self, hash: impl Into<String>) -> Self {
        self.share = Some(hash.into());
        self
    }

    /// Whether this asks without an account.
    pub fn is_anonymous(&self) -> bool {
        self.token.as_str() == ANONYMOUS
    }

    /// A text from outside without the token, however it is written there (see [`Secrets`]): some servers repeat the key that
    /// they refuse. A token of less than four bytes is no secret, and stays.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut secrets = Secrets::default();
        secrets.add_token(self);
        secrets.redact(text)
    }

    /// The token itself: a secret.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Whether no conversation was asked for by its id.
    pub(crate) fn starts_new(&self) -> bool {
        self.conversation == NEW
    }

    /// Whether a `restart` may find a question to answer again.
    pub(crate) fn continues(&self) -> bool {
        !self.starts_new() || self.share.is_some()
    }

    /// The authentication after `learnt`, the conversation that the server opened: a reconnect continues it.
    /// The share has done its work then. An anonymous conversation (-1) is not stored and starts afresh; so does
    /// what cannot be asked for, lest there be no authentication at all.
    pub(crate) fn continue_in(&mut self, learnt: i64) {
        if is_stored(learnt) {
            self.conversation = learnt;
            self.share = None;
        } else {
            self.conversation = NEW;
        }
    }

    /// Whether it can be sent, in at most `max_request` bytes (0 for no limit).
    ///
    /// # Errors
    /// [`AuthError`].
    pub fn check(&self, max_request: usize) -> Result<(), AuthError> {
        if self.token.trim().is_empty() {
            return Err(AuthError::EmptyToken);
        }
        if !self.starts_new() && !is_stored(self.conversation) {
            return Err(AuthError::InvalidConversation { id: self.conversation });
        }
        if self.share.as_ref().is_some_and(String::is_empty) {
            return Err(AuthError::EmptyShare);
        }
        let mut len = Len(0);
        self.write(&mut len);
        if max_request != 0 && len.0 > max_request {
            return Err(AuthError::TooLong { len: len.0, limit: max_request });
        }
        Ok(())
    }

    /// The message. Its buffer has the right size from the start: one that grew would leave copies of the token behind.
    pub(crate) fn encode(&self) -> Message {
        let mut len = Len(0);
        self.write(&mut len);
        let mut text = Zeroizing::new(String::with_capacity(len.0));
        self.write(&mut *text);
        Message::new(text, MessageKind::Auth)
    }

    fn write(&self, out: &mut impl Write) {
        let _ = out.write_str("{\"token\":");
        write_string(out, &self.token);
        let _ = write!(out, ",\"id\":{}", self.conversation);
        if let Some(share) = &self.share {
            let _ = out.write_str(",\"ref\":");
            write_string(out, share);
        }
        let _ = out.write_str("}");
    }
}

/// Counts what is written.
struct Len(usize);

impl Write for Len {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

impl Secrets {
    /// Adds the token, in whose place `sk-...` stands; that of an anonymous one is no secret.
    pub fn add_token(&mut self, auth: &Auth) {
        if !auth.is_anonymous() {
            self.add_shown(bare(auth.token()), REDACTED);
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("token", if self.is_anonymous() { &ANONYMOUS } else { &REDACTED })
            .field("conversation", &self.conversation)
            .field("share", &self.share)
            .finish()
    }
}

/// An [`Auth`] that cannot be sent. None of these shows the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The token is empty or only white space. To ask without an account use [`Auth::anonymous`].
    #[error("the token is empty; to ask without an account use `anonymous`")]
    EmptyToken,
    /// Conversation ids are positive; -1 starts a new one.
    #[error("{id} is no conversation id: ids are positive, and -1 starts a new conversation")]
    InvalidConversation {
        /// The id that was given.
        id: i64,
    },
    /// The share's hash is empty.
    #[error("the share's hash is empty; leave it out to start without a share")]
    EmptyShare,
    /// The encoded message is over [`Config::max_request`](crate::Config::max_request).
    #[error("the authentication has {len} bytes, over the limit of {limit} (max_request)")]
    TooLong {
        /// The length of the encoded message, in bytes.
        len: usize,
        /// The limit, in bytes.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn encodes_as_recorded() {
        assert_eq!(&*Auth::new("sk-...").encode(), r#"{"token":"sk-...","id":-1}"#);
        assert_eq!(
            &*Auth::anonymous().conversation(7).share("ab\"c").encode(),
            r#"{"token":"anonymous","id":7,"ref":"ab\"c"}"#
        );
    }

    #[test]
    fn refuses_what_a_server_would_take_for_something_else() {
        assert_eq!(Auth::new(" \n").check(0).unwrap_err(), AuthError::EmptyToken);
        for id in [0, -2, i64::MIN] {
            assert_eq!(Auth::new("t").conversation(id).check(0).unwrap_err(), AuthError::InvalidConversation { id });
        }
        assert_eq!(Auth::new("t").share("").check(0).unwrap_err(), AuthError::EmptyShare);
        assert_eq!(Auth::new("token").check(24).unwrap_err(), AuthError::TooLong { len: 25, limit: 24 });
    }

    #[test]
    fn a_text_that_repeats_the_token_is_shown_without() {
        for token in ["sk-secret", " Bearer sk-secret\n"] {
            assert_eq!(Auth::new(token).redact("no sk-secret, sk-secret"), "no sk-..., sk-...");
        }
        assert_eq!(Auth::anonymous().redact("anonymous"), "anonymous");
        assert_eq!(Auth::new("in").redact("in time"), "in time");
    }

    #[test]
    fn the_buffer_never_grows() {
        let token = "\u{1}".repeat(1000);
        let auth = Auth::new(token.as_str()).share(token.as_str()).conversation(i64::MAX);
        let message = auth.encode();
        assert!(message.len() > 12_000 && message.capacity() == message.len());
    }

    #[test]
    fn debug_hides_the_token() {
        let auth = Auth::new("sk-secret");
        assert!(!format!("{auth:?} {:?}", auth.encode()).contains("secret"));
    }
}
