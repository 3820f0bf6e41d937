//! `chatnio_error`: what a constructor that failed has to say.

use std::mem::MaybeUninit;

use crate::boundary::{Health, Object, boundary, free, guarded, hand_over, put};
use crate::failure::Failure;
use crate::refusal::{BODY, Refusal, put_part, put_retry_after};
use crate::status::chatnio_status::CHATNIO_OK;
use crate::view::chatnio_text;

/// Why something could not be made. Free it with `chatnio_error_free()`.
pub struct chatnio_error {
    health: Health,
    status: i32,
    text: String,
    code: i32,
    refusal: Option<Box<Refusal>>,
}

impl Object for chatnio_error {
    fn health(&self) -> &Health {
        &self.health
    }
}

/// The status that the constructor answered.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_error_status(
    error: Option<&chatnio_error>,
    status: Option<&mut MaybeUninit<i32>>,
) -> i32 {
    boundary!(error => put(status, error.status))
}

/// What happened, in English: what was wrong, where, and what to do. Never holds a token.
///
/// The text lives until `chatnio_error_free()`.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_error_message(
    error: Option<&chatnio_error>,
    message: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(error => put(message, chatnio_text::new(&error.text)))
}

/// The WebSocket's close code or the HTTP status that came with it, as in a connection's `CHATNIO_EVENT_CLOSED`; 0 where
/// there was none. Only of a client that could not be made.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_error_code(error: Option<&chatnio_error>, code: Option<&mut MaybeUninit<i32>>) -> i32 {
    boundary!(error => put(code, error.code))
}

/// The body of the HTTP answer that refused a client's connection: see `chatnio_connection_refusal_body()`.
///
/// The text lives until `chatnio_error_free()`.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_error_body(
    error: Option<&chatnio_error>,
    body: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(error => put_part(body, error.refusal.as_deref(), BODY))
}

/// A part of the HTTP answer that refused a client's connection (`chatnio_refusal_part`): where a redirect points to, for
/// instance.
///
/// The text lives until `chatnio_error_free()`.
///
/// Errors: `CHATNIO_INVALID` for NULL or an unknown constant, `CHATNIO_ABSENT` when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_error_refusal(
    error: Option<&chatnio_error>,
    part: i32,
    text: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(error => put_part(text, error.refusal.as_deref(), part))
}

/// After how many milliseconds the server, or a gateway or a proxy before it, wants to be asked again, by its header
/// `Retry-After`.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when it has not said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_error_retry_after(
    error: Option<&chatnio_error>,
    ms: Option<&mut MaybeUninit<u64>>,
) -> i32 {
    boundary!(error => put_retry_after(ms, error.refusal.as_deref()))
}

/// Frees an error; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_error_free(error: Option<Box<chatnio_error>>) {
    free(error);
}

/// The body of a constructor: makes a value and hands it over, or hands over why not.
pub(crate) fn construct<T>(
    out: Option<&mut MaybeUninit<*mut T>>,
    error: Option<&mut MaybeUninit<*mut chatnio_error>>,
    make: impl FnOnce() -> Result<T, Failure>,
) -> i32 {
    let made = guarded(|| {
        let out = out.ok_or(Failure::invalid("the out-parameter is NULL"))?;
        hand_over(out, make()?);
        Ok(())
    });
    let Err(failure) = made.unwrap_or_else(Err) else { return CHATNIO_OK as i32 };
    let status = failure.status as i32;
    if let Some(error) = error {
        let text = failure.text.into_owned();
        let Failure { code, refusal, .. } = failure;
        hand_over(error, chatnio_error { health: Health::new(), status, text, code, refusal });
    }
    status
}
