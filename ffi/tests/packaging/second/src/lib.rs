//! Another static library of Rust's, for one program with libchatnio.a.

use std::panic::catch_unwind;

/// Panics inside, and tells whether that was caught.
#[unsafe(no_mangle)]
pub extern "C" fn second_catches_a_panic() -> bool {
    catch_unwind(|| panic!("the second library's, which is expected")).is_err()
}
