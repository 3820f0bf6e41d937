//! `chatnio_error`: what a constructor that failed has to say.

use std::mem::MaybeUninit;

use crate::boundary::{Health, Object, boundary, free, guarded, hand_over, put};
use crate::status::Failure;
use crate::status::chatnio_status::CHATNIO_OK;
use crate::view::chatnio_text;

/// Why something could not be made. Free it with `chatnio_error_free()`.
pub struct chatnio_error {
    health: Health,
    status: i32,
    text: String,
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
        hand_over(error, chatnio_error { health: Health::new(), status, text: failure.text.into_owned() });
    }
    status
}
