//! What this library is.

use std::ffi::{CStr, c_char};

/// The levels that a library was built with, as bits.
#[repr(C)]
pub enum chatnio_feature {
    /// `chatnio_session_*`.
    CHATNIO_FEATURE_SESSION = 1,
    /// `chatnio_connection_*`.
    CHATNIO_FEATURE_CONNECTION = 2,
    /// `chatnio_client_*` and `chatnio_stopper_*`.
    CHATNIO_FEATURE_CLIENT = 4,
    /// `chatnio_rest_*`.
    CHATNIO_FEATURE_REST = 8,
}

use chatnio_feature::*;

/// As the header's `CHATNIO_VERSION`.
const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("the version holds a NUL"),
};

/// The version of the library that runs, such as "0.1.0". The header's is `CHATNIO_VERSION`.
///
/// NUL-terminated and never freed. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The version of the library that runs as one number, to compare: major, minor and patch in eight bits each, as in
/// `CHATNIO_VERSION_NUMBER`.
///
/// Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_version_number() -> u32 {
    const fn number(text: &str) -> u32 {
        let (mut value, mut at) = (0, 0);
        while at < text.len() {
            value = value * 10 + (text.as_bytes()[at] - b'0') as u32;
            at += 1;
        }
        value
    }
    const NUMBER: u32 = (number(env!("CARGO_PKG_VERSION_MAJOR")) << 16)
        | (number(env!("CARGO_PKG_VERSION_MINOR")) << 8)
        | number(env!("CARGO_PKG_VERSION_PATCH"));
    NUMBER
}

/// The levels that the library that runs was built with: bits of `chatnio_feature`. A function of a level that was not
/// built is not there to be linked.
///
/// Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_features() -> u32 {
    let bit = |built: bool, feature: chatnio_feature| if built { feature as u32 } else { 0 };
    bit(cfg!(feature = "session"), CHATNIO_FEATURE_SESSION)
        | bit(cfg!(feature = "connection"), CHATNIO_FEATURE_CONNECTION)
        | bit(cfg!(feature = "client"), CHATNIO_FEATURE_CLIENT)
        | bit(cfg!(feature = "rest"), CHATNIO_FEATURE_REST)
}
