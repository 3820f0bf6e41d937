//! `chatnio_request`: what is asked of the server.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::time::Duration;

use chatnio_core::{MaskMessage, Request};

use crate::boundary::{Health, Object, boundary, free, hand_over, input, put};
use crate::event::type_of;
use crate::failure::Failure;
use crate::status::chatnio_status::CHATNIO_BAD_PARAMETERS;

/// The types of requests.
#[repr(C)]
pub enum chatnio_request_type {
    /// A question: needs a message. Begins a turn.
    CHATNIO_REQUEST_CHAT = 1,
    /// The last question again, with the parameters of this request. Begins a turn.
    CHATNIO_REQUEST_RESTART = 2,
    /// Ends the running answer, as the `_stop` functions do.
    CHATNIO_REQUEST_STOP = 3,
    /// Puts a shared conversation before this one: its message is the share's hash. Not answered.
    CHATNIO_REQUEST_SHARE = 4,
    /// Puts messages at the front of the conversation: its message is a JSON array, or see
    /// `chatnio_request_add_mask()`. Not answered.
    CHATNIO_REQUEST_MASK = 5,
    /// Replaces the text of a stored message: needs an index, and a message. Not answered, unknown to servers of 2023.
    CHATNIO_REQUEST_EDIT = 6,
    /// Removes a stored message: needs an index. Not answered, unknown to servers of 2023.
    CHATNIO_REQUEST_REMOVE = 7,
}

use chatnio_request_type::*;

const CHAT: i32 = CHATNIO_REQUEST_CHAT as i32;
const RESTART: i32 = CHATNIO_REQUEST_RESTART as i32;
const STOP: i32 = CHATNIO_REQUEST_STOP as i32;
const SHARE: i32 = CHATNIO_REQUEST_SHARE as i32;
const MASK: i32 = CHATNIO_REQUEST_MASK as i32;
const EDIT: i32 = CHATNIO_REQUEST_EDIT as i32;
const REMOVE: i32 = CHATNIO_REQUEST_REMOVE as i32;

/// A request: made once, sent any number of times, on any handle. What is not set is left out, and takes the server's
/// default.
pub struct chatnio_request {
    health: Health,
    request_type: i32,
    message: Option<String>,
    index: Option<u32>,
    mask: Vec<MaskMessage>,
    /// The parameters alone.
    parameters: Request,
    /// A request that a replay gave, as it is.
    ready: Option<Request>,
}

impl Object for chatnio_request {
    fn health(&self) -> &Health {
        &self.health
    }
}

impl chatnio_request {
    fn new(request_type: i32, ready: Option<Request>) -> Self {
        chatnio_request {
            health: Health::new(),
            request_type,
            message: None,
            index: None,
            mask: Vec::new(),
            parameters: Request::restart(),
            ready,
        }
    }

    /// One of a replay.
    pub(crate) fn ready(request: Request) -> Self {
        Self::new(type_of(request.kind()), Some(request))
    }

    /// The request that a call was given.
    pub(crate) fn given(request: Option<&chatnio_request>) -> Result<Request, Failure> {
        let request = request.ok_or(Failure::invalid("the request is NULL"))?;
        request.health.check()?;
        request.build()
    }

    /// The request that its parts make.
    ///
    /// # Errors
    /// When its type does not take a part that was set, or needs one that was not; the rest is said when it is sent.
    fn build(&self) -> Result<Request, Failure> {
        if let Some(ready) = &self.ready {
            return Ok(ready.clone());
        }
        let bad = |text| Err(Failure::new(CHATNIO_BAD_PARAMETERS, text));
        let message = self.message.clone();
        if self.index.is_some() && !matches!(self.request_type, EDIT | REMOVE) {
            return bad("only edit and remove take an index");
        }
        if message.is_some() && matches!(self.request_type, RESTART | STOP | REMOVE) {
            return bad("restart, stop and remove take no message");
        }
        if !self.mask.is_empty() && (self.request_type != MASK || message.is_some()) {
            return bad("only a mask takes messages of a mask, and then no other message");
        }
        let request = match (self.request_type, self.index) {
            (CHAT, _) => Request::chat(message.unwrap_or_default()),
            (RESTART, _) => Request::restart(),
            (STOP, _) => Request::stop(),
            (SHARE, _) => Request::share(message.unwrap_or_default()),
            (MASK, _) => match message {
                Some(json) => Request::mask_json(&json)?,
                None => Request::mask(self.mask.clone()),
            },
            (EDIT, Some(index)) => match message {
                Some(text) => Request::edit(index, text),
                None => return bad("edit needs a message"),
            },
            (REMOVE, Some(index)) => Request::remove(index),
            _ => return bad("edit and remove need an index"),
        };
        Ok(request.parameters_of(&self.parameters))
    }

    /// Sets a parameter.
    fn set(&mut self, set: impl FnOnce(Request) -> Request) -> Result<(), Failure> {
        self.parameters = set(std::mem::replace(&mut self.parameters, Request::restart()));
        Ok(())
    }
}

/// Makes a request of a type (`chatnio_request_type`).
///
/// Errors: `CHATNIO_INVALID` for NULL or a number that is no type.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_new(
    request_type: i32,
    out: Option<&mut MaybeUninit<*mut chatnio_request>>,
) -> i32 {
    boundary!({
        let out = out.ok_or(Failure::invalid("out is NULL"))?;
        if !(CHAT..=REMOVE).contains(&request_type) {
            return Err(Failure::invalid("no such type of request"));
        }
        hand_over(out, chatnio_request::new(request_type, None));
        Ok(())
    })
}

/// Gets a request's type (`chatnio_request_type`), also of one that a replay gave: chats and restarts are answered.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_get_type(
    request: Option<&chatnio_request>,
    request_type: Option<&mut MaybeUninit<i32>>,
) -> i32 {
    boundary!(request => put(request_type, request.request_type))
}

/// Sets the message: the question of a chat, the hash of a share, the JSON of a mask
/// (`[{"role":"system","content":"..."}]`), the new text of an edit. Copied.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`. What cannot be sent is refused when it is sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_message(
    request: Option<&mut chatnio_request>,
    message: *const c_char,
    message_len: usize,
) -> i32 {
    boundary!(request => {
        request.message = Some(input!(text message, message_len)?.to_owned());
        Ok(())
    })
}

/// Adds a message to a mask, by `role` (`system`, `user` or `assistant`). Both texts are copied.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`. Another role is refused when the mask is sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_add_mask(
    request: Option<&mut chatnio_request>,
    role: *const c_char,
    role_len: usize,
    content: *const c_char,
    content_len: usize,
) -> i32 {
    boundary!(request => {
        let message = MaskMessage::new(input!(text role, role_len)?, input!(text content, content_len)?);
        request.mask.push(message);
        Ok(())
    })
}

/// Sets the index of an edit or a remove, from 0. Each chat has stored two messages (question; answer or notice), a
/// restart one, masks and shares theirs at the front; one out of range is ignored by the server.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_index(request: Option<&mut chatnio_request>, index: u32) -> i32 {
    boundary!(request => {
        request.index = Some(index);
        Ok(())
    })
}

/// Sets the model's id, of a chat or a restart. Left out: `gpt-3.5-turbo`, also on a restart. Copied.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_model(
    request: Option<&mut chatnio_request>,
    model: *const c_char,
    model_len: usize,
) -> i32 {
    boundary!(request => {
        let model = input!(text model, model_len)?;
        request.set(|parameters| parameters.model(model))
    })
}

/// Searches the web first, which can make the first frame late. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_web(request: Option<&mut chatnio_request>, on: bool) -> i32 {
    boundary!(request => request.set(|parameters| parameters.web(on)))
}

/// Answers without the conversation so far. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_ignore_context(request: Option<&mut chatnio_request>, on: bool) -> i32 {
    boundary!(request => request.set(|parameters| parameters.ignore_context(on)))
}

/// Sets how many messages go to the model, the question included; 0 or negative is the server's default of 8. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_context(request: Option<&mut chatnio_request>, messages: i64) -> i32 {
    boundary!(request => request.set(|parameters| parameters.context(messages)))
}

/// Sets the most tokens that the model may answer with. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_max_tokens(request: Option<&mut chatnio_request>, tokens: i64) -> i32 {
    boundary!(request => request.set(|parameters| parameters.max_tokens(tokens)))
}

/// Sets the sampling temperature. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL. NaN and infinity are refused when the request is sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_temperature(request: Option<&mut chatnio_request>, value: f32) -> i32 {
    boundary!(request => request.set(|parameters| parameters.temperature(value)))
}

/// Sets nucleus sampling: the share of probability to sample from. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL. NaN and infinity are refused when the request is sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_top_p(request: Option<&mut chatnio_request>, value: f32) -> i32 {
    boundary!(request => request.set(|parameters| parameters.top_p(value)))
}

/// Samples from so many of the likeliest tokens only. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_top_k(request: Option<&mut chatnio_request>, value: i64) -> i32 {
    boundary!(request => request.set(|parameters| parameters.top_k(value)))
}

/// Sets the penalty on tokens that have occurred. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL. NaN and infinity are refused when the request is sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_presence_penalty(
    request: Option<&mut chatnio_request>,
    value: f32,
) -> i32 {
    boundary!(request => request.set(|parameters| parameters.presence_penalty(value)))
}

/// Sets the penalty on tokens by how often they have occurred. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL. NaN and infinity are refused when the request is sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_frequency_penalty(
    request: Option<&mut chatnio_request>,
    value: f32,
) -> i32 {
    boundary!(request => request.set(|parameters| parameters.frequency_penalty(value)))
}

/// Sets the penalty on repetition. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL. NaN and infinity are refused when the request is sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_repetition_penalty(
    request: Option<&mut chatnio_request>,
    value: f32,
) -> i32 {
    boundary!(request => request.set(|parameters| parameters.repetition_penalty(value)))
}

/// Sets how long the first frame of this request's answer may take, in ms, in place of
/// `chatnio_config_set_first_frame()`. 0 is off. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_first_frame(request: Option<&mut chatnio_request>, ms: u64) -> i32 {
    boundary!(request => request.set(|parameters| parameters.first_frame(Duration::from_millis(ms))))
}

/// Sets how long each further frame of this request's answer may take, in ms, in place of
/// `chatnio_config_set_next_frame()`. 0 is off. For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_next_frame(request: Option<&mut chatnio_request>, ms: u64) -> i32 {
    boundary!(request => request.set(|parameters| parameters.next_frame(Duration::from_millis(ms))))
}

/// Sets how long this request's whole answer may take, in ms, in place of `chatnio_config_set_answer_within()`. 0 is off.
/// For a chat or a restart.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_set_answer_within(request: Option<&mut chatnio_request>, ms: u64) -> i32 {
    boundary!(request => request.set(|parameters| parameters.answer_within(Duration::from_millis(ms))))
}

/// Adds a field that this library does not know to a chat or a restart: its name, and its value as JSON, such as `true`
/// or `"auto"`. Newer servers know `think`, `web_search_mode` and `enable_mcp`, say; others ignore it. It counts towards
/// `chatnio_config_set_max_request()`. Of one name the last stands. Both texts are copied.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`; `CHATNIO_KNOWN_FIELD` for a name of the protocol's own, in whatever case;
/// `CHATNIO_BAD_EXTRA` for what is not one whole JSON value: servers drop a connection that sends it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_add_extra(
    request: Option<&mut chatnio_request>,
    name: *const c_char,
    name_len: usize,
    json: *const c_char,
    json_len: usize,
) -> i32 {
    boundary!(request => {
        let (name, json) = (input!(text name, name_len)?, input!(text json, json_len)?);
        request.parameters = request.parameters.clone().extra(name, json)?;
        Ok(())
    })
}

/// Frees a request; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_request_free(request: Option<Box<chatnio_request>>) {
    free(request);
}
