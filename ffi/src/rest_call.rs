//! `chatnio_rest_call`: one companion call (docs/rest.md): its request as data, and how its answer is read.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use chatnio_core::Auth;
use chatnio_core::rest::{self, Call, Mask, Message, Request};
use serde::Serialize;

use crate::auth::chatnio_auth;
use crate::boundary::{Health, Object, boundary, error_text, free, hand_over, input, put};
use crate::failure::Failure;
use crate::rest_answer::{Data, chatnio_rest_answer};
use crate::status::chatnio_status::CHATNIO_BAD_PARAMETERS;
use crate::view::chatnio_text;

/// The companion calls. A minor version may add more.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum chatnio_rest_type {
    /// The stored conversations, newest first, at most the last 100; without their messages.
    CHATNIO_REST_CONVERSATIONS = 1,
    /// A stored conversation with its messages, by its id.
    CHATNIO_REST_CONVERSATION = 2,
    /// Deletes a conversation for good, by its id. No result.
    CHATNIO_REST_DELETE_CONVERSATION = 3,
    /// Renames a conversation: its id, and the new name as text. No result. Not on servers of 2023.
    CHATNIO_REST_RENAME_CONVERSATION = 4,
    /// Shares a conversation, by its id and the indexes of messages; without any, all of them. The result is a text: the
    /// hash that `chatnio_auth_set_share()` takes.
    CHATNIO_REST_SHARE_CONVERSATION = 5,
    /// The quota that is left, a number. The cheapest way to find out whether a key is good: the chat never says.
    CHATNIO_REST_QUOTA = 6,
    /// The subscription.
    CHATNIO_REST_SUBSCRIPTION = 7,
    /// The packages, as JSON; `null` where the server has none.
    CHATNIO_REST_PACKAGE = 8,
    /// Buys an amount of quota. No result.
    CHATNIO_REST_BUY = 9,
    /// Subscribes to the level that is the amount, for some months. No result.
    CHATNIO_REST_SUBSCRIBE = 10,
    /// The models. Needs no key, but a wrong one is refused.
    CHATNIO_REST_MODELS = 11,
    /// What models cost. Needs no key. Not on servers of 2023.
    CHATNIO_REST_CHARGES = 12,
    /// The conversation behind a share's hash, which is the text.
    CHATNIO_REST_SHARED_CONVERSATION = 13,
    /// One's own shares.
    CHATNIO_REST_SHARES = 14,
    /// Ends the share of a hash, which is the text. No result.
    CHATNIO_REST_DELETE_SHARE = 15,
    /// The stored masks, as JSON. Not on servers of 2023.
    CHATNIO_REST_MASKS = 16,
    /// Stores a mask: its name as text, its messages, and its id to replace one. No result. Not on servers of 2023.
    CHATNIO_REST_SAVE_MASK = 17,
    /// Deletes a stored mask, by its id. No result. Not on servers of 2023.
    CHATNIO_REST_DELETE_MASK = 18,
    /// Whether the key is good, and whose it is: the user's name is the answer's text.
    CHATNIO_REST_USER = 19,
    /// What the server says of itself, as JSON. Needs no key. Not on servers of 2023.
    CHATNIO_REST_INFO = 20,
    /// The models that the server advertises, as JSON. Needs no key. Not on servers of 2023.
    CHATNIO_REST_MARKET = 21,
    /// The subscriptions that the server offers, as JSON. Needs no key. Not on servers of 2023.
    CHATNIO_REST_PLANS = 22,
    /// What was spent, in OpenAI's shape: a number, and JSON.
    CHATNIO_REST_BILLING_USAGE = 23,
    /// What may be spent, in OpenAI's shape: the hard limit as number, and JSON.
    CHATNIO_REST_BILLING_LIMITS = 24,
    /// The API key of the account, for those who came by a login token: a text, which is a secret.
    CHATNIO_REST_API_KEY = 25,
    /// Takes the invitation up whose code is the text; a number, the quota that it brought.
    CHATNIO_REST_INVITE = 26,
    /// Redeems the code that is the text; a number, the quota that it brought.
    CHATNIO_REST_REDEEM = 27,
}

use chatnio_rest_type::*;

/// All of them.
const TYPES: [chatnio_rest_type; 27] = [
    CHATNIO_REST_CONVERSATIONS,
    CHATNIO_REST_CONVERSATION,
    CHATNIO_REST_DELETE_CONVERSATION,
    CHATNIO_REST_RENAME_CONVERSATION,
    CHATNIO_REST_SHARE_CONVERSATION,
    CHATNIO_REST_QUOTA,
    CHATNIO_REST_SUBSCRIPTION,
    CHATNIO_REST_PACKAGE,
    CHATNIO_REST_BUY,
    CHATNIO_REST_SUBSCRIBE,
    CHATNIO_REST_MODELS,
    CHATNIO_REST_CHARGES,
    CHATNIO_REST_SHARED_CONVERSATION,
    CHATNIO_REST_SHARES,
    CHATNIO_REST_DELETE_SHARE,
    CHATNIO_REST_MASKS,
    CHATNIO_REST_SAVE_MASK,
    CHATNIO_REST_DELETE_MASK,
    CHATNIO_REST_USER,
    CHATNIO_REST_INFO,
    CHATNIO_REST_MARKET,
    CHATNIO_REST_PLANS,
    CHATNIO_REST_BILLING_USAGE,
    CHATNIO_REST_BILLING_LIMITS,
    CHATNIO_REST_API_KEY,
    CHATNIO_REST_INVITE,
    CHATNIO_REST_REDEEM,
];

/// A companion call: stored conversations, quota, models and the like, over plain HTTP. The library gives the request as
/// data and reads the answer; the host does the HTTP between, by what it has.
///
/// No redirect is to be followed: the key would go along.
pub struct chatnio_rest_call {
    health: Health,
    rest_type: chatnio_rest_type,
    id: Option<i64>,
    text: Option<String>,
    amount: Option<i64>,
    months: Option<i64>,
    indexes: Vec<i64>,
    mask: Mask,
    /// What `prepare` has made.
    request: Option<Request>,
    /// Whose key is in it.
    auth: Option<Auth>,
    /// What the last answer failed with.
    error: Option<rest::Error>,
}

impl Object for chatnio_rest_call {
    fn health(&self) -> &Health {
        &self.health
    }
}

/// A call, whatever its result is.
trait AnyCall {
    fn request(&self, auth: &Auth, prefix: &str) -> Result<Request, rest::RequestError>;
    fn decode(
        &self,
        status: u16,
        body: &[u8],
        redact: &dyn Fn(&str) -> String,
    ) -> Result<chatnio_rest_answer, rest::Error>;
    fn is_repeatable(&self) -> bool;
}

/// One with its result, and what of that there is beside the JSON.
struct Of<T>(Call<T>, fn(T) -> Data);

impl<T: Serialize> AnyCall for Of<T> {
    fn request(&self, auth: &Auth, prefix: &str) -> Result<Request, rest::RequestError> {
        self.0.request(auth, prefix)
    }

    fn decode(
        &self,
        status: u16,
        body: &[u8],
        redact: &dyn Fn(&str) -> String,
    ) -> Result<chatnio_rest_answer, rest::Error> {
        let result = self.0.decode_redacted(status, body, redact)?;
        Ok(chatnio_rest_answer::new(&result, body.len()).with((self.1)(result)))
    }

    fn is_repeatable(&self) -> bool {
        self.0.is_repeatable()
    }
}

fn of<T: Serialize + 'static>(call: Call<T>, data: fn(T) -> Data) -> Box<dyn AnyCall> {
    Box::new(Of(call, data))
}

impl chatnio_rest_call {
    /// The call that its parts make.
    ///
    /// # Errors
    /// When a part that it needs was not set.
    fn made(&self) -> Result<Box<dyn AnyCall>, Failure> {
        let missing = |what| Failure::new(CHATNIO_BAD_PARAMETERS, what);
        let id = || self.id.ok_or(missing("the call needs an id"));
        let text = || self.text.as_deref().ok_or(missing("the call needs a text"));
        let amount = || self.amount.ok_or(missing("the call needs an amount"));
        Ok(match self.rest_type {
            CHATNIO_REST_CONVERSATIONS => of(rest::conversations(), Data::Conversations),
            CHATNIO_REST_CONVERSATION => of(rest::conversation(id()?), Data::Conversation),
            CHATNIO_REST_DELETE_CONVERSATION => of(rest::delete_conversation(id()?), Data::nothing),
            CHATNIO_REST_RENAME_CONVERSATION => of(rest::rename_conversation(id()?, text()?), Data::nothing),
            CHATNIO_REST_SHARE_CONVERSATION => {
                let indexes = if self.indexes.is_empty() { &[-1] } else { self.indexes.as_slice() };
                of(rest::share_conversation(id()?, indexes), Data::text)
            }
            CHATNIO_REST_QUOTA => of(rest::quota(), Data::Number),
            CHATNIO_REST_SUBSCRIPTION => of(rest::subscription(), Data::Subscription),
            CHATNIO_REST_PACKAGE => of(rest::package(), Data::nothing),
            CHATNIO_REST_BUY => of(rest::buy(amount()?), Data::nothing),
            CHATNIO_REST_SUBSCRIBE => {
                let months = self.months.ok_or(missing("the call needs months"))?;
                of(rest::subscribe(amount()?, months), Data::nothing)
            }
            CHATNIO_REST_MODELS => of(rest::models(), Data::Models),
            CHATNIO_REST_CHARGES => of(rest::charges(), Data::Charges),
            CHATNIO_REST_SHARED_CONVERSATION => {
                of(rest::shared_conversation(text()?), |shared| Data::Messages(shared.messages))
            }
            CHATNIO_REST_SHARES => of(rest::shares(), Data::Shares),
            CHATNIO_REST_DELETE_SHARE => of(rest::delete_share(text()?), Data::nothing),
            CHATNIO_REST_MASKS => of(rest::masks(), Data::nothing),
            CHATNIO_REST_SAVE_MASK => {
                let mut mask = self.mask.clone();
                mask.id = self.id.unwrap_or(-1);
                text()?.clone_into(&mut mask.name);
                of(rest::save_mask(&mask), Data::nothing)
            }
            CHATNIO_REST_DELETE_MASK => of(rest::delete_mask(id()?), Data::nothing),
            CHATNIO_REST_USER => of(rest::user(), |user| Data::text(user.name)),
            CHATNIO_REST_INFO => of(rest::info(), Data::nothing),
            CHATNIO_REST_MARKET => of(rest::market(), Data::nothing),
            CHATNIO_REST_PLANS => of(rest::plans(), Data::nothing),
            CHATNIO_REST_BILLING_USAGE => of(rest::billing_usage(), |usage| Data::Number(usage.total_usage)),
            CHATNIO_REST_BILLING_LIMITS => of(rest::billing_limits(), |limits| Data::Number(limits.hard_limit)),
            CHATNIO_REST_API_KEY => of(rest::api_key(), |key| Data::Text(key.expose().to_owned().into())),
            CHATNIO_REST_INVITE => of(rest::invite(text()?), Data::Number),
            CHATNIO_REST_REDEEM => of(rest::redeem(text()?), Data::Number),
        })
    }

    fn prepared(&self) -> Result<&Request, Failure> {
        self.request.as_ref().ok_or(Failure::invalid("the call has no request yet: chatnio_rest_call_prepare"))
    }
}

/// Makes a call of a type (`chatnio_rest_type`). Set what its type names, prepare its request, send that, and let the
/// call read the answer. It may be used any number of times.
///
/// Errors: `CHATNIO_INVALID` for NULL or a number that is no type.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_new(
    rest_type: i32,
    out: Option<&mut MaybeUninit<*mut chatnio_rest_call>>,
) -> i32 {
    boundary!({
        let out = out.ok_or(Failure::invalid("out is NULL"))?;
        let found = TYPES.into_iter().find(|known| *known as i32 == rest_type);
        let rest_type = found.ok_or(Failure::invalid("no such call"))?;
        hand_over(
            out,
            chatnio_rest_call {
                health: Health::new(),
                rest_type,
                id: None,
                text: None,
                amount: None,
                months: None,
                indexes: Vec::new(),
                mask: Mask::new("", Vec::new()),
                request: None,
                auth: None,
                error: None,
            },
        );
        Ok(())
    })
}

/// Sets the id: of a conversation, or of a mask.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_set_id(call: Option<&mut chatnio_rest_call>, id: i64) -> i32 {
    boundary!(call => {
        call.id = Some(id);
        Ok(())
    })
}

/// Sets the text: a conversation's new name, a share's hash, a code, a mask's name. Copied.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_set_text(
    call: Option<&mut chatnio_rest_call>,
    text: *const c_char,
    text_len: usize,
) -> i32 {
    boundary!(call => {
        call.text = Some(input!(text text, text_len)?.to_owned());
        Ok(())
    })
}

/// Sets the amount: the quota to buy, or the level to subscribe to.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_set_amount(call: Option<&mut chatnio_rest_call>, amount: i64) -> i32 {
    boundary!(call => {
        call.amount = Some(amount);
        Ok(())
    })
}

/// Sets for how many months to subscribe.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_set_months(call: Option<&mut chatnio_rest_call>, months: i64) -> i32 {
    boundary!(call => {
        call.months = Some(months);
        Ok(())
    })
}

/// Adds the index of a message to share, from 0; -1 is every message.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_add_index(call: Option<&mut chatnio_rest_call>, index: i64) -> i32 {
    boundary!(call => {
        call.indexes.push(index);
        Ok(())
    })
}

/// Adds a message to a mask, by `role` (`system`, `user` or `assistant`). Both texts are copied.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_add_mask(
    call: Option<&mut chatnio_rest_call>,
    role: *const c_char,
    role_len: usize,
    content: *const c_char,
    content_len: usize,
) -> i32 {
    boundary!(call => {
        let message = Message::new(input!(text role, role_len)?, input!(text content, content_len)?);
        call.mask.context.push(message);
        Ok(())
    })
}

/// Sets what a mask is for, and its picture as the server's web page takes it. Both texts are copied.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_describe_mask(
    call: Option<&mut chatnio_rest_call>,
    description: *const c_char,
    description_len: usize,
    avatar: *const c_char,
    avatar_len: usize,
) -> i32 {
    boundary!(call => {
        let description = input!(text description, description_len)?.to_owned();
        let avatar = input!(text avatar, avatar_len)?.to_owned();
        call.mask.description = description;
        call.mask.avatar = avatar;
        Ok(())
    })
}

/// Makes the call's request, anew each time: `chatnio_rest_call_method()`, `_target()`, `_body()` and `_header()` show it.
///
/// Of `auth` only the token counts; NULL sends none. The `prefix` goes before the path: empty, or `/api` as a rule where
/// the server also serves its web page; `chatnio_rest_prefix_len()` takes it from a chat's path.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`; `CHATNIO_BAD_PARAMETERS` when something that the call needs was not
/// set; `CHATNIO_EMPTY_TOKEN`, `CHATNIO_BAD_TOKEN`, `CHATNIO_BAD_URL` for the prefix.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_prepare(
    call: Option<&mut chatnio_rest_call>,
    auth: Option<&chatnio_auth>,
    prefix: *const c_char,
    prefix_len: usize,
) -> i32 {
    boundary!(call => {
        let auth = chatnio_auth::given(auth)?;
        let prefix = input!(text prefix, prefix_len)?;
        call.request = Some(call.made()?.request(&auth, prefix)?);
        call.auth = Some(auth);
        Ok(())
    })
}

/// Gets the request's method: `GET` or `POST`. Lives until the call is prepared anew or freed.
///
/// Errors: `CHATNIO_INVALID`, also before `chatnio_rest_call_prepare()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_method(
    call: Option<&chatnio_rest_call>,
    method: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(call => put(method, chatnio_text::new(call.prepared()?.method.name())))
}

/// Gets the request's path, with its prefix, and its query where it has one: what goes behind `https://HOST`. Lives
/// until the call is prepared anew or freed.
///
/// Errors: `CHATNIO_INVALID`, also before `chatnio_rest_call_prepare()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_target(
    call: Option<&chatnio_rest_call>,
    target: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(call => put(target, chatnio_text::new(&call.prepared()?.target)))
}

/// Gets the request's body, which is JSON; absent with GET. Lives until the call is prepared anew or freed.
///
/// Errors: `CHATNIO_INVALID`, also before `chatnio_rest_call_prepare()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_body(
    call: Option<&chatnio_rest_call>,
    body: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(call => put(body, chatnio_text::optional(call.prepared()?.body.as_deref())))
}

/// Gets one of the request's headers by `index`, from 0: the key's among them, whose value is a secret. Beside these
/// only those are to be sent that every HTTP client sets itself (`Host`, `Content-Length`). Both texts live until the
/// call is prepared anew or freed.
///
/// Errors: `CHATNIO_INVALID`, also before `chatnio_rest_call_prepare()`; `CHATNIO_ABSENT` behind the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_header(
    call: Option<&chatnio_rest_call>,
    index: usize,
    name: Option<&mut MaybeUninit<chatnio_text>>,
    value: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(call => {
        let (Some(name), Some(value)) = (name, value) else { return Err(Failure::invalid("name or value is NULL")) };
        let header = call.prepared()?.headers().nth(index);
        let (of, is) = header.ok_or_else(Failure::absent)?;
        name.write(chatnio_text::new(of));
        value.write(chatnio_text::new(is));
        Ok(())
    })
}

/// Reads an answer: its HTTP status and its whole body. The result is to be freed by `chatnio_rest_answer_free()`.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_BAD_PARAMETERS` as when it is prepared; when there is no result
/// `CHATNIO_REST_BAD_KEY`, `CHATNIO_REST_NO_KEY`, `CHATNIO_REST_BLACK_LISTED`, `CHATNIO_REST_THROTTLED`,
/// `CHATNIO_REST_NOT_FOUND`, `CHATNIO_REST_REFUSED`, `CHATNIO_REST_NO_SUCH_CALL`, `CHATNIO_REST_WEB_PAGE`,
/// `CHATNIO_REST_HTTP`, `CHATNIO_REST_MALFORMED`; `chatnio_rest_call_words()` has the server's words then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_decode(
    call: Option<&mut chatnio_rest_call>,
    http_status: i32,
    body: *const u8,
    body_len: usize,
    answer: Option<&mut MaybeUninit<*mut chatnio_rest_answer>>,
) -> i32 {
    boundary!(call => {
        let answer = answer.ok_or(Failure::invalid("answer is NULL"))?;
        let status = u16::try_from(http_status).map_err(|_| Failure::invalid("no such HTTP status"))?;
        let body = input!(bytes body, body_len)?;
        let auth = call.auth.as_ref();
        let redact = |text: &str| auth.map_or_else(|| text.to_owned(), |auth| auth.redact(text));
        let decoded = call.made()?.decode(status, body, &redact);
        call.error = decoded.as_ref().err().cloned();
        hand_over(answer, decoded?);
        Ok(())
    })
}

/// Gets what the server said in the last answer that had no result, in its words, without the key that the call was prepared
/// with; absent where it said nothing. Lives until the next answer is read, or the call is freed.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_words(
    call: Option<&chatnio_rest_call>,
    words: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(call => put(words, chatnio_text::optional(call.error.as_ref().and_then(rest::Error::words))))
}

/// Whether the call may be sent again when nobody knows whether it has arrived: it only reads. Never so for what deletes,
/// buys or changes something.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_BAD_PARAMETERS` as when it is prepared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_is_repeatable(
    call: Option<&chatnio_rest_call>,
    is_repeatable: Option<&mut MaybeUninit<bool>>,
) -> i32 {
    boundary!(call => put(is_repeatable, call.made()?.is_repeatable()))
}

/// Whether a call that may be repeated may go better a second after the last answer: the server throttled, or what it
/// runs on was not there.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_is_retryable(
    call: Option<&chatnio_rest_call>,
    is_retryable: Option<&mut MaybeUninit<bool>>,
) -> i32 {
    boundary!(call => put(is_retryable, call.error.as_ref().is_some_and(rest::Error::is_retryable)))
}

/// Gets why a call that may be repeated may go better when it is made again (`chatnio_retry_cause`), after the last answer:
/// for `chatnio_retry_failed()`, with the answer's header `Retry-After` in milliseconds, or 0 without one.
///
/// Errors: `CHATNIO_ABSENT` when it would bring the same, or must not be repeated. `CHATNIO_INVALID` for NULL.
#[cfg(feature = "connection")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_retry_cause(
    call: Option<&chatnio_rest_call>,
    cause: Option<&mut MaybeUninit<i32>>,
) -> i32 {
    boundary!(call => {
        let is_repeatable = call.made()?.is_repeatable();
        let found = call.error.as_ref().filter(|_| is_repeatable).and_then(rest::Error::retry_cause);
        crate::retry::put_cause(cause, found)
    })
}

/// Copies what the last failure on this call was, in English, into `buffer` as far as it fits, NUL-terminated; `length`,
/// if it is not NULL, gets the whole length without the NUL. Never holds a key. Works after `CHATNIO_PANIC`, too.
///
/// Errors: `CHATNIO_INVALID`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_error(
    call: Option<&chatnio_rest_call>,
    buffer: *mut c_char,
    capacity: usize,
    length: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    error_text(call, buffer, capacity, length)
}

/// Wipes and frees a call; NULL is fine. Its answers live on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_call_free(call: Option<Box<chatnio_rest_call>>) {
    free(call);
}

/// Gets how many bytes at the beginning of a chat's `path` are the prefix of that server's companion calls: of `/chat`
/// none, of `/api/chat` four.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_rest_prefix_len(
    path: *const c_char,
    path_len: usize,
    prefix_len: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    boundary!(put(prefix_len, rest::prefix_of(input!(text path, path_len)?).len()))
}
