//! What the calls answer.
//!
//! Every type keeps the fields that this library does not know in `other`. Written out by serde, a value is the JSON that
//! all languages share: the known fields under the names that they have here, then the others.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Error;
use super::fields::{Fields, list, text};
use crate::auth::REDACTED;

/// A JSON object of fields that this library does not know.
pub type Object = Map<String, Value>;

/// A stored conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Conversation {
    /// Its id, for [`Auth::conversation`](crate::Auth::conversation).
    pub id: i64,
    /// Its name: the first question's beginning, or what it was renamed to.
    pub name: String,
    /// The model that was asked last; empty where the server does not say.
    pub model: String,
    /// Its messages, oldest first; `None` in a list, which brings none.
    pub messages: Option<Vec<Message>>,
    /// Whether its last question searched the web.
    pub web: bool,
    /// Whether a share was put in front of it.
    pub shared: bool,
    /// How many messages went to the model with the last question; 0 is the server's default.
    pub context: i64,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Message {
    /// Who says it: `user`, `assistant`, `system`.
    pub role: String,
    /// What is said. Content that is no text is its JSON.
    pub content: String,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// A conversation that somebody shares.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SharedConversation {
    /// Whose it is.
    pub username: String,
    /// The conversation's name.
    pub name: String,
    /// Its messages, oldest first.
    pub messages: Vec<Message>,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// A share of one's own.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Share {
    /// What [`Auth::share`](crate::Auth::share) and [`Request::share`](crate::Request::share) take.
    pub hash: String,
    /// The id of the conversation that it shows.
    pub conversation_id: i64,
    /// That conversation's name.
    pub name: String,
    /// When it was made, as the server writes it: `2026-11-28T11:31:29Z`.
    pub time: String,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// A stored mask: messages to put before a conversation.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Mask {
    /// Its id; -1 to save a new one.
    pub id: i64,
    /// Its picture, as the server's web page takes it.
    pub avatar: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its messages.
    pub context: Vec<Message>,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// A subscription. Without one all is empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Subscription {
    /// Whether there is one.
    pub is_subscribed: bool,
    /// Whether it is one for enterprises.
    pub enterprise: bool,
    /// Its level; 0 is none.
    pub level: i64,
    /// The days until it ends.
    pub expired: i64,
    /// When it ends, as the server writes it; empty on servers that do not say.
    pub expired_at: String,
    /// The days until its usage begins anew; 0 on servers that do not say.
    pub refresh: i64,
    /// When its usage begins anew, as the server writes it; empty on servers that do not say.
    pub refresh_at: String,
    /// What was used of it, by the name of what it includes.
    pub usage: BTreeMap<String, Usage>,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// What was used of one part of a subscription.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// How often it was used.
    pub used: f64,
    /// How often it may be used; -1 is no limit.
    pub total: f64,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// The packages of an account.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Package {
    /// Whether it is certified.
    pub cert: bool,
    /// Whether it is that of a teenager.
    pub teenager: bool,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Model {
    /// Its id, for [`Request::model`](crate::Request::model).
    pub id: String,
    /// Whose it is; empty where the server does not say.
    pub owned_by: String,
    /// When it was made, in seconds since 1970; 0 where the server does not say.
    pub created: i64,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// The price of models.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Charge {
    /// Its id.
    pub id: i64,
    /// How it counts: `token-billing`, `times-billing` or `non-billing`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The models that it is for.
    pub models: Vec<String>,
    /// The quota for 1000 tokens of the question.
    pub input: f64,
    /// The quota for 1000 tokens of the answer; for one question with `times-billing`.
    pub output: f64,
    /// Whether the models answer without an account, too.
    pub anonymous: bool,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct User {
    /// The user's name.
    pub name: String,
    /// Whether it is an administrator.
    pub admin: bool,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Info {
    /// Its title.
    pub title: String,
    /// The URL of its logo.
    pub logo: String,
    /// The URL of its file service.
    pub file: String,
    /// The URL of its documentation.
    pub docs: String,
    /// What it announces.
    pub announcement: String,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// What was spent, in OpenAI's shape.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BillingUsage {
    /// All that was used.
    pub total_usage: f64,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// What may be spent, in OpenAI's shape.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BillingLimits {
    /// The quota that is left.
    pub soft_limit: f64,
    /// The quota that there was.
    pub hard_limit: f64,
    /// Further fields.
    #[serde(flatten)]
    pub other: Object,
}

/// An API key: a secret. `Debug` does not show it, and it is zeroized when it is dropped; the body that it came in is
/// the host's to wipe.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// The key itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({REDACTED})")
    }
}

impl Serialize for ApiKey {
    /// The key itself, unlike `Debug`: who writes it out wants it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Message {
    /// A message for a [`Mask`].
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Message { role: role.into(), content: content.into(), other: Object::new() }
    }

    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "a message")?;
        Ok(Message { role: fields.text("role")?, content: fields.text_or_json("content"), other: fields.rest() })
    }
}

impl Mask {
    /// A new mask, to be saved.
    pub fn new(name: impl Into<String>, context: Vec<Message>) -> Self {
        Mask { id: -1, name: name.into(), context, ..Mask::default() }
    }

    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "a mask")?;
        Ok(Mask {
            id: fields.needed_integer("id")?,
            avatar: fields.text("avatar")?,
            name: fields.text("name")?,
            description: fields.text("description")?,
            context: fields.list("context", Message::read)?,
            other: fields.rest(),
        })
    }
}

impl Conversation {
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "a conversation")?;
        Ok(Conversation {
            id: fields.needed_integer("id")?,
            name: fields.text("name")?,
            model: fields.text("model")?,
            messages: fields.optional_list("message", Message::read)?,
            web: fields.flag("enable_web")?,
            shared: fields.flag("shared")?,
            context: fields.integer("context")?,
            other: fields.rest(),
        })
    }

    /// One that was loaded: no messages are none.
    pub(crate) fn read_loaded(value: Value) -> Result<Self, Error> {
        let mut conversation = Conversation::read(value)?;
        conversation.messages.get_or_insert_default();
        Ok(conversation)
    }
}

impl SharedConversation {
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "a shared conversation")?;
        Ok(SharedConversation {
            username: fields.text("username")?,
            name: fields.text("name")?,
            messages: fields.list("messages", Message::read)?,
            other: fields.rest(),
        })
    }
}

impl Share {
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "a share")?;
        Ok(Share {
            hash: fields.needed_text("hash")?,
            conversation_id: fields.integer("conversation_id")?,
            name: fields.text("name")?,
            time: fields.text("time")?,
            other: fields.rest(),
        })
    }
}

impl Subscription {
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "a subscription")?;
        fields.take("status");
        let usage = match fields.take("usage") {
            None => BTreeMap::new(),
            Some(value) => {
                let parts = Fields::new(value, "the field `usage`")?.rest().into_iter();
                parts.map(|(name, value)| Ok((name, Usage::read(value)?))).collect::<Result<_, Error>>()?
            }
        };
        Ok(Subscription {
            is_subscribed: fields.flag("is_subscribed")?,
            enterprise: fields.flag("enterprise")?,
            level: fields.integer("level")?,
            expired: fields.integer("expired")?,
            expired_at: fields.text("expired_at")?,
            refresh: fields.integer("refresh")?,
            refresh_at: fields.text("refresh_at")?,
            usage,
            other: fields.rest(),
        })
    }
}

impl Usage {
    fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "a part of `usage`")?;
        Ok(Usage { used: fields.number("used")?, total: fields.number("total")?, other: fields.rest() })
    }
}

impl Package {
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "the field `data`")?;
        Ok(Package { cert: fields.flag("cert")?, teenager: fields.flag("teenager")?, other: fields.rest() })
    }
}

impl Model {
    /// An object, or (2023) a bare id.
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        if let Value::String(id) = value {
            return Ok(Model { id, owned_by: String::new(), created: 0, other: Object::new() });
        }
        let mut fields = Fields::new(value, "a model")?;
        Ok(Model {
            id: fields.needed_text("id")?,
            owned_by: fields.text("owned_by")?,
            created: fields.integer("created")?,
            other: fields.rest(),
        })
    }

    /// The models of an answer: a list within an object, or (2023) a plain one.
    pub(crate) fn read_all(value: Value) -> Result<Vec<Self>, Error> {
        match value {
            Value::Object(_) => Fields::new(value, "the answer")?.list("data", Model::read),
            value => list(value, "the answer", Model::read),
        }
    }
}

impl Charge {
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "a price")?;
        Ok(Charge {
            id: fields.integer("id")?,
            kind: fields.text("type")?,
            models: fields.list("models", text)?,
            input: fields.number("input")?,
            output: fields.number("output")?,
            anonymous: fields.flag("anonymous")?,
            other: fields.rest(),
        })
    }
}

impl User {
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "the answer")?;
        fields.take("status");
        Ok(User { name: fields.needed_text("user")?, admin: fields.flag("admin")?, other: fields.rest() })
    }
}

impl Info {
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "the answer")?;
        Ok(Info {
            title: fields.text("title")?,
            logo: fields.text("logo")?,
            file: fields.text("file")?,
            docs: fields.text("docs")?,
            announcement: fields.text("announcement")?,
            other: fields.rest(),
        })
    }
}

impl BillingUsage {
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "the answer")?;
        Ok(BillingUsage { total_usage: fields.needed_number("total_usage")?, other: fields.rest() })
    }
}

impl BillingLimits {
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "the answer")?;
        Ok(BillingLimits {
            soft_limit: fields.number("soft_limit")?,
            hard_limit: fields.needed_number("hard_limit")?,
            other: fields.rest(),
        })
    }
}

impl ApiKey {
    pub(crate) fn read(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::new(value, "the answer")?;
        // Moved, not copied.
        fields.needed_text("key").map(|key| ApiKey(Zeroizing::new(key)))
    }
}
