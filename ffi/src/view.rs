//! Bytes that pass the boundary: what the caller gives, and what it is shown.

use std::ffi::c_char;
use std::ptr;

use crate::failure::Failure;
use crate::status::chatnio_status::CHATNIO_NOT_UTF8;

/// A text that is shown to the caller: UTF-8, not NUL-terminated, in memory of the library. How long it lives, the
/// function says that gave it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct chatnio_text {
    /// The first byte. NULL when the text is absent; not NULL when it is there and empty.
    pub data: *const c_char,
    /// Its length in bytes.
    pub len: usize,
}

/// Bytes that are shown to the caller, in memory of the library. How long they live, the function says that gave
/// them.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct chatnio_bytes {
    /// The first byte.
    pub data: *const u8,
    /// How many there are.
    pub len: usize,
}

impl chatnio_text {
    pub(crate) const ABSENT: Self = chatnio_text { data: ptr::null(), len: 0 };

    pub(crate) fn new(text: &str) -> Self {
        chatnio_text { data: text.as_ptr().cast(), len: text.len() }
    }

    pub(crate) fn optional(text: Option<&str>) -> Self {
        text.map_or(Self::ABSENT, Self::new)
    }
}

#[cfg(feature = "connection")]
impl From<&std::ffi::CStr> for chatnio_text {
    fn from(text: &std::ffi::CStr) -> Self {
        chatnio_text { data: text.as_ptr(), len: text.count_bytes() }
    }
}

#[cfg(feature = "connection")]
impl chatnio_bytes {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        chatnio_bytes { data: bytes.as_ptr(), len: bytes.len() }
    }
}

/// `(NULL, 0)` is empty, `(NULL, n)` is refused.
///
/// # Safety
/// Unless `data` is NULL, `len` items can be read there for as long as the slice is used.
pub(crate) unsafe fn slice<'a, T>(data: *const T, len: usize) -> Result<&'a [T], Failure> {
    if data.is_null() {
        return if len == 0 { Ok(&[]) } else { Err(Failure::invalid("the data is NULL, its length is not 0")) };
    }
    // A longer one cannot exist; the language demands that none is claimed.
    if len > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(Failure::invalid("the length is larger than any memory"));
    }
    // SAFETY: not NULL and not too long; the rest is this function's condition.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// As [`slice()`], and UTF-8.
///
/// # Safety
/// As [`slice()`].
// What a page loads has it once.
#[cfg_attr(not(target_family = "wasm"), inline)]
pub(crate) unsafe fn text<'a>(data: *const c_char, len: usize) -> Result<&'a str, Failure> {
    // SAFETY: this function's condition.
    let bytes = unsafe { slice(data.cast::<u8>(), len) }?;
    // The quick one does not say where.
    simdutf8::basic::from_utf8(bytes).or_else(|_| no_text(bytes))
}

#[cold]
fn no_text(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|error| {
        Failure::new(CHATNIO_NOT_UTF8, format!("the text is not UTF-8 from byte {}", error.valid_up_to()))
    })
}
