//! What stands between C and the rest: no panic passes, every failure becomes a status and a text.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use crate::failure::Failure;
use crate::status::chatnio_status::{CHATNIO_OK, CHATNIO_PANIC};

/// What every opaque type has beside its value.
pub(crate) struct Health {
    /// A panic was caught in a call on it.
    panicked: AtomicBool,
    /// The text of the last failure.
    error: Mutex<String>,
}

impl Health {
    pub(crate) fn new() -> Self {
        #[cfg(feature = "testing")]
        crate::testing::handle_made();
        Health { panicked: AtomicBool::new(false), error: Mutex::default() }
    }

    /// # Errors
    /// After a panic: nothing is to be made of what it left behind.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.panicked.load(Ordering::Relaxed) {
            return Err(Failure::new(
                CHATNIO_PANIC,
                "an earlier call on this handle, or on one it was given, has failed",
            ));
        }
        Ok(())
    }

    /// Keeps what a call has come to, and answers its status.
    #[inline]
    fn settle(&self, result: Result<Result<(), Failure>, Failure>) -> i32 {
        match result {
            Ok(Ok(())) => CHATNIO_OK as i32,
            Ok(Err(failure)) => self.keep(failure),
            Err(panic) => {
                self.panicked.store(true, Ordering::Relaxed);
                self.keep(panic)
            }
        }
    }

    /// Once for all functions, not in each.
    #[inline(never)]
    fn keep(&self, failure: Failure) -> i32 {
        if !failure.text.is_empty() {
            *self.error.lock().unwrap_or_else(PoisonError::into_inner) = failure.text.into_owned();
        }
        failure.status as i32
    }

    pub(crate) fn text(&self) -> String {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(feature = "testing")]
impl Drop for Health {
    fn drop(&mut self) {
        crate::testing::handle_freed();
    }
}

/// An opaque type.
pub(crate) trait Object {
    fn health(&self) -> &Health;
}

/// The body of a function that is exported: runs it so that no panic leaves, and answers its status.
///
/// `boundary!(handle => body)` takes a handle that may be NULL or broken by an earlier panic, `boundary!(body)` none.
macro_rules! boundary {
    ($handle:ident => $body:expr) => {
        $crate::boundary::with_handle($handle, |$handle| $body)
    };
    ($body:expr) => {
        $crate::boundary::without_handle(|| $body)
    };
}
pub(crate) use boundary;

/// Turns the (data, length) that a caller gave into a slice or a `&str`, as [`crate::view`] says.
macro_rules! input {
    (text $data:expr, $len:expr) => {{
        // SAFETY: the caller vouches that `len` bytes can be read at `data` during the call (README.md, "Arguments").
        unsafe { $crate::view::text($data, $len) }
    }};
    (bytes $data:expr, $len:expr) => {{
        // SAFETY: the caller vouches that `len` items can be read at `data` during the call (README.md, "Arguments").
        unsafe { $crate::view::slice($data, $len) }
    }};
}
pub(crate) use input;

pub(crate) fn with_handle<H, T>(handle: Option<H>, body: impl FnOnce(&mut H) -> Result<(), Failure>) -> i32
where
    H: Deref<Target = T>,
    T: Object,
{
    let Some(mut handle) = handle else {
        return Failure::invalid("").status as i32;
    };
    if handle.health().check().is_err() {
        return CHATNIO_PANIC as i32;
    }
    let result = guarded(|| body(&mut handle));
    handle.health().settle(result)
}

pub(crate) fn without_handle(body: impl FnOnce() -> Result<(), Failure>) -> i32 {
    match guarded(body).unwrap_or_else(Err) {
        Ok(()) => CHATNIO_OK as i32,
        Err(failure) => failure.status as i32,
    }
}

/// Drops what a handle held. A panic in it has nowhere to go: what was not freed by then leaks.
pub(crate) fn free<T>(handle: Option<Box<T>>) {
    let _ = guarded(move || {
        drop(handle);
        Ok(())
    });
}

/// Runs `body`, and gives what it gave; a panic becomes the outer failure, which says what and where.
pub(crate) fn guarded(body: impl FnOnce() -> Result<(), Failure>) -> Result<Result<(), Failure>, Failure> {
    // In a WebAssembly module a panic traps, and its host catches that.
    if cfg!(not(panic = "unwind")) {
        return Ok(body());
    }
    hush();
    let body = || {
        #[cfg(feature = "testing")]
        crate::testing::panic_if_asked();
        body()
    };
    // What a panic left half-changed is never looked at again: its handle answers nothing from then on.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => Ok(result),
        Err(payload) => Err(caught(payload)),
    }
}

/// What a panic has left to say.
#[inline(never)]
fn caught(payload: Box<dyn Any + Send>) -> Failure {
    let what = PANIC.try_with(|text| text.take()).unwrap_or_default();
    // Dropping a payload may panic too; what that one brings is left alone.
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    dropped.unwrap_or_else(std::mem::forget);
    Failure::new(CHATNIO_PANIC, format!("the library failed in itself, please report this: {what}"))
}

thread_local! {
    /// What the last panic on this thread said, and where.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what a panic says for the error text, instead of writing it to the host's stderr. The hook is that of the
/// library's own standard library: a host in Rust has another.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let text = info.to_string();
            let _ = PANIC.try_with(|kept| kept.replace(text));
        }));
    });
}

/// Writes an out-parameter.
pub(crate) fn put<T>(out: Option<&mut MaybeUninit<T>>, value: T) -> Result<(), Failure> {
    out.ok_or(Failure::invalid("the out-parameter is NULL"))?.write(value);
    Ok(())
}

/// Writes an out-parameter that the caller may leave out.
pub(crate) fn put_optional<T>(out: Option<&mut MaybeUninit<T>>, value: T) {
    if let Some(out) = out {
        out.write(value);
    }
}

/// Hands a new handle over to the caller.
pub(crate) fn hand_over<T>(out: &mut MaybeUninit<*mut T>, value: T) {
    out.write(Box::into_raw(Box::new(value)));
}

/// The body of the `X_error` functions, which also work after a panic: the text as far as it fits, NUL-terminated,
/// and its whole length.
pub(crate) fn error_text<T: Object>(
    handle: Option<&T>,
    buffer: *mut c_char,
    capacity: usize,
    length: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    without_handle(|| {
        let handle = handle.ok_or(Failure::invalid(""))?;
        if buffer.is_null() && capacity > 0 {
            return Err(Failure::invalid(""));
        }
        let text = handle.health().text();
        copy_text(&text, buffer, capacity);
        put_optional(length, text.len());
        Ok(())
    })
}

fn copy_text(text: &str, buffer: *mut c_char, capacity: usize) {
    if let Some(room) = capacity.checked_sub(1) {
        let fits = (0..=room.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        // SAFETY: the caller vouches for `capacity` bytes at `buffer`, and `fits` is less.
        unsafe { text.as_ptr().cast::<c_char>().copy_to(buffer, fits) };
        // SAFETY: as above: `fits` is an offset in it.
        let end = unsafe { buffer.add(fits) };
        // SAFETY: as above.
        unsafe { end.write(0) };
    }
}
