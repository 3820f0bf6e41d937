//! `chatnio_rest_answer`: what a companion call has brought.

use std::mem::MaybeUninit;

use chatnio_core::rest::{Charge, Conversation, Message, Model, Share, Subscription};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::boundary::{Health, Object, boundary, free, put};
use crate::failure::Failure;
use crate::growing::{Growing, Target};
use crate::view::chatnio_text;

/// The result of a companion call. All that its getters show lives until `chatnio_rest_answer_free()`.
pub struct chatnio_rest_answer {
    health: Health,
    json: Zeroizing<Vec<u8>>,
    data: Data,
}

impl Object for chatnio_rest_answer {
    fn health(&self) -> &Health {
        &self.health
    }
}

/// What there is beside the JSON.
pub(crate) enum Data {
    Nothing,
    Number(f64),
    /// One may be an API key.
    Text(Zeroizing<String>),
    Conversations(Vec<Conversation>),
    Conversation(Conversation),
    Messages(Vec<Message>),
    Models(Vec<Model>),
    Charges(Vec<Charge>),
    Shares(Vec<Share>),
    Subscription(Subscription),
}

impl Data {
    /// All is in the JSON.
    pub(crate) fn nothing<T>(_: T) -> Self {
        Data::Nothing
    }

    pub(crate) fn text(text: String) -> Self {
        Data::Text(text.into())
    }

    /// The messages of a conversation.
    fn messages(&self) -> Option<&[Message]> {
        match self {
            Data::Messages(messages) => Some(messages),
            Data::Conversation(conversation) => conversation.messages.as_deref(),
            _ => None,
        }
    }
}

impl chatnio_rest_answer {
    /// `body_len` is that of the body it was read from.
    pub(crate) fn new(result: &impl Serialize, body_len: usize) -> Self {
        // It may hold a key, and a buffer that grew would leave copies behind: 6 is the longest that a byte gets escaped.
        let mut json = Zeroizing::new(Vec::with_capacity(if body_len < 4096 { 6 * body_len + 256 } else { body_len }));
        // Memory takes everything, and every result can be written.
        let _ = serde_json::to_writer(&mut *json, result);
        chatnio_rest_answer { health: Health::new(), json, data: Data::Nothing }
    }

    pub(crate) fn with(self, data: Data) -> Self {
        chatnio_rest_answer { data, ..self }
    }
}

/// A stored conversation. The caller sets `size`, the library fills the rest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_rest_conversation {
    /// As in `chatnio_event`.
    pub size: usize,
    /// Its id, for `chatnio_auth_set_conversation()`.
    pub id: i64,
    /// Its name: the first question's beginning, or what it was renamed to.
    pub name: chatnio_text,
    /// The model that was asked last; empty where the server does not say.
    pub model: chatnio_text,
    /// How many messages there are to get; 0 in a list, which brings none.
    pub messages: usize,
    /// Whether its last question searched the web.
    pub web: bool,
    /// Whether a share was put in front of it.
    pub shared: bool,
    /// How many messages went to the model with the last question; 0 is the server's default.
    pub context: i64,
}

/// A message of a conversation. The caller sets `size`, the library fills the rest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_rest_message {
    /// As in `chatnio_event`.
    pub size: usize,
    /// Who says it: `user`, `assistant`, `system`.
    pub role: chatnio_text,
    /// What is said. Content that is no text is its JSON.
    pub content: chatnio_text,
}

/// A model. The caller sets `size`, the library fills the rest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_rest_model {
    /// As in `chatnio_event`.
    pub size: usize,
    /// Its id, for `chatnio_request_set_model()`.
    pub id: chatnio_text,
    /// Whose it is; empty where the server does not say.
    pub owned_by: chatnio_text,
    /// When it was made, in seconds since 1970; 0 where the server does not say.
    pub created: i64,
}

/// The price of models. The caller sets `size`, the library fills the rest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_rest_charge {
    /// As in `chatnio_event`.
    pub size: usize,
    /// Its id.
    pub id: i64,
    /// How it counts: `token-billing`, `times-billing` or `non-billing`.
    pub kind: chatnio_text,
    /// The quota for 1000 tokens of the question.
    pub input: f64,
    /// The quota for 1000 tokens of the answer; for one question with `times-billing`.
    pub output: f64,
    /// For how many models it is: `chatnio_rest_answer_charge_model()` names them.
    pub models: usize,
    /// Whether the models answer without an account, too.
    pub anonymous: bool,
}

/// A share of one's own. The caller sets `size`, the library fills the rest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_rest_share {
    /// As in `chatnio_event`.
    pub size: usize,
    /// What `chatnio_auth_set_share()` takes.
    pub hash: chatnio_text,
    /// The id of the conversation that it shows.
    pub conversation_id: i64,
    /// That conversation's name.
    pub name: chatnio_text,
    /// When it was made, as the server writes it: `2026-11-28T11:31:29Z`.
    pub time: chatnio_text,
}

/// A subscription; what was used of it is in the JSON. The caller sets `size`, the library fills the rest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_rest_subscription {
    /// As in `chatnio_event`.
    pub size: usize,
    /// Whether there is one.
    pub is_subscribed: bool,
    /// Whether it is one for enterprises.
    pub enterprise: bool,
    /// Its level; 0 is none.
    pub level: i64,
    /// The days until it ends.
    pub expired: i64,
    /// When it ends, as the server writes it; empty on servers that do not say.
    pub expired_at: chatnio_text,
    /// The days until its usage begins anew; 0 on servers that do not say.
    pub refresh: i64,
    /// When its usage begins anew, as the server writes it; empty on servers that do not say.
    pub refresh_at: chatnio_text,
}

macro_rules! growing {
    ($($name:ty)*) => {$(
        // SAFETY: `repr(C)`, and `size` is the first field.
        unsafe impl Growing for $name {
            const V1: usize = size_of::<Self>();
        }
    )*};
}

growing! {
    chatnio_rest_conversation chatnio_rest_message chatnio_rest_model chatnio_rest_charge chatnio_rest_share
    chatnio_rest_subscription
}

fn absent<T>() -> Result<T, Failure> {
    Err(Failure::absent())
}

/// The item of that index.
fn item<T>(items: &[T], index: usize) -> Result<&T, Failure> {
    items.get(index).map_or_else(absent, Ok)
}

/// Gets the whole result as JSON, the same in every language: also the fields that no struct has and those that this
/// library does not know. `null` where there is no result but that it worked. A secret when the call was for one.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_json(
    answer: Option<&chatnio_rest_answer>,
    json: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(answer => put(json, chatnio_text { data: answer.json.as_ptr().cast(), len: answer.json.len() }))
}

/// Gets the number that the result is: a quota, or what was spent.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when it is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_number(
    answer: Option<&chatnio_rest_answer>,
    number: Option<&mut MaybeUninit<f64>>,
) -> i32 {
    boundary!(answer => {
        let number = number.ok_or(Failure::invalid("number is NULL"))?;
        let Data::Number(value) = answer.data else { return absent() };
        number.write(value);
        Ok(())
    })
}

/// Gets the text that the result is: a share's hash, a user's name, an API key.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when it is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_text(
    answer: Option<&chatnio_rest_answer>,
    text: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(answer => {
        let text = text.ok_or(Failure::invalid("text is NULL"))?;
        let Data::Text(value) = &answer.data else { return absent() };
        text.write(chatnio_text::new(value));
        Ok(())
    })
}

/// Gets how many items the result has: conversations, models, prices, shares; of one conversation, its messages. 0 for
/// any other result.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_count(
    answer: Option<&chatnio_rest_answer>,
    count: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    boundary!(answer => put(count, match &answer.data {
        Data::Conversations(list) => list.len(),
        Data::Models(list) => list.len(),
        Data::Charges(list) => list.len(),
        Data::Shares(list) => list.len(),
        data => data.messages().map_or(0, <[_]>::len),
    }))
}

/// Gets a conversation by `index`, from 0: one of a list, or (0) the one that was asked for.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_ABSENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_conversation(
    answer: Option<&chatnio_rest_answer>,
    index: usize,
    conversation: *mut chatnio_rest_conversation,
) -> i32 {
    boundary!(answer => {
        let target = Target::new(conversation)?;
        let found = match &answer.data {
            Data::Conversations(list) => item(list, index)?,
            Data::Conversation(one) => item(std::slice::from_ref(one), index)?,
            _ => return absent(),
        };
        target.fill(chatnio_rest_conversation {
            size: size_of::<chatnio_rest_conversation>(),
            id: found.id,
            name: chatnio_text::new(&found.name),
            model: chatnio_text::new(&found.model),
            messages: found.messages.as_ref().map_or(0, Vec::len),
            web: found.web,
            shared: found.shared,
            context: found.context,
        });
        Ok(())
    })
}

/// Gets a message of a conversation, or of a shared one, by `index`, from 0: the oldest.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_ABSENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_message(
    answer: Option<&chatnio_rest_answer>,
    index: usize,
    message: *mut chatnio_rest_message,
) -> i32 {
    boundary!(answer => {
        let target = Target::new(message)?;
        let found = item(answer.data.messages().unwrap_or_default(), index)?;
        target.fill(chatnio_rest_message {
            size: size_of::<chatnio_rest_message>(),
            role: chatnio_text::new(&found.role),
            content: chatnio_text::new(&found.content),
        });
        Ok(())
    })
}

/// Gets a model by `index`, from 0.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_ABSENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_model(
    answer: Option<&chatnio_rest_answer>,
    index: usize,
    model: *mut chatnio_rest_model,
) -> i32 {
    boundary!(answer => {
        let target = Target::new(model)?;
        let Data::Models(list) = &answer.data else { return absent() };
        let found = item(list, index)?;
        target.fill(chatnio_rest_model {
            size: size_of::<chatnio_rest_model>(),
            id: chatnio_text::new(&found.id),
            owned_by: chatnio_text::new(&found.owned_by),
            created: found.created,
        });
        Ok(())
    })
}

/// Gets a price by `index`, from 0.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_ABSENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_charge(
    answer: Option<&chatnio_rest_answer>,
    index: usize,
    charge: *mut chatnio_rest_charge,
) -> i32 {
    boundary!(answer => {
        let target = Target::new(charge)?;
        let Data::Charges(list) = &answer.data else { return absent() };
        let found = item(list, index)?;
        target.fill(chatnio_rest_charge {
            size: size_of::<chatnio_rest_charge>(),
            id: found.id,
            kind: chatnio_text::new(&found.kind),
            input: found.input,
            output: found.output,
            models: found.models.len(),
            anonymous: found.anonymous,
        });
        Ok(())
    })
}

/// Gets the id of a model that the price of that `index` is for; both `index` and `nth` from 0.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_ABSENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_charge_model(
    answer: Option<&chatnio_rest_answer>,
    index: usize,
    nth: usize,
    model: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(answer => {
        let model = model.ok_or(Failure::invalid("model is NULL"))?;
        let Data::Charges(list) = &answer.data else { return absent() };
        model.write(chatnio_text::new(item(&item(list, index)?.models, nth)?));
        Ok(())
    })
}

/// Gets a share by `index`, from 0.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_ABSENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_share(
    answer: Option<&chatnio_rest_answer>,
    index: usize,
    share: *mut chatnio_rest_share,
) -> i32 {
    boundary!(answer => {
        let target = Target::new(share)?;
        let Data::Shares(list) = &answer.data else { return absent() };
        let found = item(list, index)?;
        target.fill(chatnio_rest_share {
            size: size_of::<chatnio_rest_share>(),
            hash: chatnio_text::new(&found.hash),
            conversation_id: found.conversation_id,
            name: chatnio_text::new(&found.name),
            time: chatnio_text::new(&found.time),
        });
        Ok(())
    })
}

/// Gets the subscription.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_ABSENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_subscription(
    answer: Option<&chatnio_rest_answer>,
    subscription: *mut chatnio_rest_subscription,
) -> i32 {
    boundary!(answer => {
        let target = Target::new(subscription)?;
        let Data::Subscription(found) = &answer.data else { return absent() };
        target.fill(chatnio_rest_subscription {
            size: size_of::<chatnio_rest_subscription>(),
            is_subscribed: found.is_subscribed,
            enterprise: found.enterprise,
            level: found.level,
            expired: found.expired,
            expired_at: chatnio_text::new(&found.expired_at),
            refresh: found.refresh,
            refresh_at: chatnio_text::new(&found.refresh_at),
        });
        Ok(())
    })
}

/// Wipes and frees an answer; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_answer_free(answer: Option<Box<chatnio_rest_answer>>) {
    free(answer);
}
