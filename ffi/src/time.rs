//! Time: milliseconds on a clock of the host's.

use std::ffi::c_int;
use std::time::Duration;

use crate::boundary::without_handle;

/// No deadline.
const NEVER: u64 = u64::MAX;

pub(crate) fn time(now: u64) -> Duration {
    Duration::from_millis(now)
}

/// Rounded up: a timer that runs out early would find nothing due.
pub(crate) fn deadline_ms(deadline: Option<Duration>) -> u64 {
    // Not as nanoseconds: 128 bits are divided by code that the WebAssembly module would carry for this alone.
    let up = |deadline: Duration| {
        let whole = deadline.as_secs().checked_mul(1000)?;
        whole.checked_add(deadline.subsec_nanos().div_ceil(1_000_000).into())
    };
    deadline.and_then(up).unwrap_or(NEVER)
}

/// Turns a deadline into the time-out that poll(2) and its like take: -1 for `UINT64_MAX`, 0 when it has passed, and
/// otherwise the milliseconds until then, at most `INT_MAX`.
///
/// Any thread, at any time; any numbers are fine.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_timeout_ms(deadline: u64, now: u64) -> c_int {
    let mut timeout = -1;
    without_handle(|| {
        if deadline != NEVER {
            timeout = c_int::try_from(deadline.saturating_sub(now)).unwrap_or(c_int::MAX);
        }
        Ok(())
    });
    timeout
}
