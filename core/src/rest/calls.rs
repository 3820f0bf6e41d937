//! The calls that there are (rest.md).

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{
    ApiKey, BillingLimits, BillingUsage, Charge, Conversation, Info, Mask, Model, Object, Package, Share,
    SharedConversation, Subscription, User,
};
use super::decode::decode;
use super::fields::{Fields, list, malformed, object};
use super::request::{json as body, query};
use super::{Error, Method, Request, RequestError};
use crate::Auth;

/// One call: what is asked, and how its answer is read. Reusable, and without a secret of its own: the key comes with
/// [`request`](Self::request).
#[derive(Clone)]
pub struct Call<T> {
    name: &'static str,
    method: Method,
    path: Cow<'static, str>,
    body: Option<String>,
    repeatable: bool,
    read: fn(Value) -> Result<T, Error>,
}

impl<T> Call<T> {
    fn get(name: &'static str, path: impl Into<Cow<'static, str>>, read: fn(Value) -> Result<T, Error>) -> Self {
        Call { name, method: Method::Get, path: path.into(), body: None, repeatable: true, read }
    }

    fn post(
        name: &'static str,
        path: &'static str,
        form: &impl Serialize,
        read: fn(Value) -> Result<T, Error>,
    ) -> Self {
        Call { name, method: Method::Post, path: path.into(), body: Some(body(form)), repeatable: false, read }
    }

    /// What changes something: sent twice, it is done twice, or says that it is not there any more.
    fn once(self) -> Self {
        Call { repeatable: false, ..self }
    }

    /// The call's name, the same in every language: that of the function that makes it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it may be sent again when nobody knows whether it has arrived: it only reads. Never so for a delete or a
    /// purchase.
    pub fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    /// The request to send, for the server whose calls are under `prefix`: empty, or `/api` as a rule where the server
    /// also serves its web page ([`prefix_of`](super::prefix_of) gives that of a chat's path). Of `auth` only the token
    /// counts; an anonymous one sends none.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn request(&self, auth: &Auth, prefix: &str) -> Result<Request, RequestError> {
        Request::new(self.method, &self.path, self.body.clone(), auth, prefix)
    }

    /// Reads the answer: its HTTP status and its whole body.
    ///
    /// # Errors
    /// [`Error`]: whatever says that there is no result.
    pub fn decode(&self, status: u16, body: &[u8]) -> Result<T, Error> {
        self.decode_redacted(status, body, &str::to_owned)
    }

    /// As [`decode`](Self::decode). What an error keeps of the answer's own words has gone through `redact`: some gateways
    /// repeat what they were asked, and with it the secrets of a URL's query.
    ///
    /// # Errors
    /// [`Error`], as `decode`.
    pub fn decode_redacted(&self, status: u16, body: &[u8], redact: &dyn Fn(&str) -> String) -> Result<T, Error> {
        decode(status, body, redact).and_then(self.read)
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} {})", self.method, self.path)
    }
}

/// Nothing but that it worked, which the server has to say.
fn done(value: Value) -> Result<(), Error> {
    if value.get("status") == Some(&Value::Bool(true)) {
        Ok(())
    } else {
        Err(malformed("it does not say whether it worked"))
    }
}

/// The field `data`.
fn data(value: Value) -> Result<Value, Error> {
    Ok(Fields::new(value, "the answer")?.take("data").unwrap_or_default())
}

fn in_quota(value: Value) -> Result<f64, Error> {
    Fields::new(value, "the answer")?.needed_number("quota")
}

/// The stored conversations, newest first, at most the last 100; without their messages.
pub fn conversations() -> Call<Vec<Conversation>> {
    Call::get("conversations", "/conversation/list", |value| list(data(value)?, "data", Conversation::read))
}

/// A stored conversation with its messages.
pub fn conversation(id: i64) -> Call<Conversation> {
    Call::get("conversation", format!("/conversation/load?id={id}"), |value| Conversation::read_loaded(data(value)?))
}

/// Deletes a conversation, for good.
pub fn delete_conversation(id: i64) -> Call<()> {
    Call::get("delete_conversation", format!("/conversation/delete?id={id}"), done).once()
}

/// Renames a conversation. Not on servers of 2023.
pub fn rename_conversation(id: i64, name: &str) -> Call<()> {
    Call::post("rename_conversation", "/conversation/rename", &json!({ "id": id, "name": name }), done)
}

/// Shares messages of a conversation, by their indexes from 0; -1 is all of them. The result is the hash that
/// [`Auth::share`] takes. A server gives a hash also for a conversation that does not exist (rest.md).
pub fn share_conversation(id: i64, messages: &[i64]) -> Call<String> {
    Call::post("share_conversation", "/conversation/share", &json!({ "id": id, "refs": messages }), |value| {
        Fields::new(value, "the answer")?.needed_text("data")
    })
}

/// The quota that is left. The cheapest way to find out whether a key is good: the chat never says.
pub fn quota() -> Call<f64> {
    Call::get("quota", "/quota", in_quota)
}

/// The subscription.
pub fn subscription() -> Call<Subscription> {
    Call::get("subscription", "/subscription", Subscription::read)
}

/// The packages; `None` where the server has none.
pub fn package() -> Call<Option<Package>> {
    Call::get("package", "/package", |value| match data(value)? {
        Value::Null => Ok(None),
        data => Package::read(data).map(Some),
    })
}

/// Buys so much quota.
pub fn buy(quota: i64) -> Call<()> {
    Call::post("buy", "/buy", &json!({ "quota": quota }), done)
}

/// Subscribes to a level, for so many months.
pub fn subscribe(level: i64, months: i64) -> Call<()> {
    Call::post("subscribe", "/subscribe", &json!({ "level": level, "month": months }), done)
}

/// The models. Needs no key, but a wrong one is refused.
pub fn models() -> Call<Vec<Model>> {
    Call::get("models", "/v1/models", Model::read_all)
}

/// What models cost. Needs no key. Not on servers of 2023.
pub fn charges() -> Call<Vec<Charge>> {
    Call::get("charges", "/v1/charge", |value| list(value, "the answer", Charge::read))
}

/// The conversation behind a share's hash.
pub fn shared_conversation(hash: &str) -> Call<SharedConversation> {
    Call::get("shared_conversation", query("/conversation/view", "hash", hash), |value| {
        SharedConversation::read(data(value)?)
    })
}

/// One's own shares.
pub fn shares() -> Call<Vec<Share>> {
    Call::get("shares", "/conversation/share/list", |value| list(data(value)?, "data", Share::read))
}

/// Ends a share.
pub fn delete_share(hash: &str) -> Call<()> {
    Call::get("delete_share", query("/conversation/share/delete", "hash", hash), done).once()
}

/// The stored masks. Not on servers of 2023.
pub fn masks() -> Call<Vec<Mask>> {
    Call::get("masks", "/conversation/mask/view", |value| list(data(value)?, "data", Mask::read))
}

/// Stores a mask: a new one ([`Mask::new`]), or over the one with its id. Not on servers of 2023.
pub fn save_mask(mask: &Mask) -> Call<()> {
    Call::post("save_mask", "/conversation/mask/save", mask, done)
}

/// Deletes a stored mask. Not on servers of 2023.
pub fn delete_mask(id: i64) -> Call<()> {
    Call::post("delete_mask", "/conversation/mask/delete", &json!({ "id": id }), done)
}

/// Whether the key is good, and whose it is.
pub fn user() -> Call<User> {
    let call = Call::post("user", "/state", &json!({}), User::read);
    Call { repeatable: true, ..call }
}

/// What the server says of itself. Needs no key. Not on servers of 2023.
pub fn info() -> Call<Info> {
    Call::get("info", "/info", Info::read)
}

/// The models that the server advertises, each as the server describes it. Needs no key. Not on servers of 2023.
pub fn market() -> Call<Vec<Object>> {
    Call::get("market", "/v1/market", |value| list(value, "the answer", object))
}

/// The subscriptions that the server offers, each as the server describes it. Needs no key. Not on servers of 2023.
pub fn plans() -> Call<Vec<Object>> {
    Call::get("plans", "/v1/plans", |value| list(value, "the answer", object))
}

/// What was spent, in OpenAI's shape.
pub fn billing_usage() -> Call<BillingUsage> {
    Call::get("billing_usage", "/dashboard/billing/usage", BillingUsage::read)
}

/// What may be spent, in OpenAI's shape.
pub fn billing_limits() -> Call<BillingLimits> {
    Call::get("billing_limits", "/dashboard/billing/subscription", BillingLimits::read)
}

/// The API key of the account, for those who came by a login token. Its answer is a secret.
pub fn api_key() -> Call<ApiKey> {
    Call::get("api_key", "/apikey", ApiKey::read)
}

/// Takes an invitation up; the result is the quota that it brought.
pub fn invite(code: &str) -> Call<f64> {
    Call::get("invite", query("/invite", "code", code), in_quota).once()
}

/// Redeems a code; the result is the quota that it brought.
pub fn redeem(code: &str) -> Call<f64> {
    Call::get("redeem", query("/redeem", "code", code), in_quota).once()
}
