//! `chatnio_retry`: when a connect that has failed is tried again, for hosts that connect by themselves.

use std::mem::MaybeUninit;
use std::time::Duration;

use chatnio_core::RetryCause;
use chatnio_transport::Tries;

use crate::boundary::{Health, Object, boundary, free, hand_over, put};
use crate::config::{Settings, chatnio_config};
use crate::failure::Failure;
use crate::time::{deadline_ms, time};

/// When a connect that has failed is tried again: one connect with all its tries, as `chatnio_client_new()` makes them by
/// itself. It neither connects nor waits: a host with a socket of its own asks it when to, and connects and waits by itself.
/// Only for what comes before `CHATNIO_EVENT_OPEN`: a question that was sent is never to be sent again.
///
/// `chatnio_retry_begin()` before each try says when it is to begin, `chatnio_retry_failed()` after one that has failed when
/// the next one is, if there is to be one, and `chatnio_retry_deadline()` when all of them are to be over.
pub struct chatnio_retry {
    health: Health,
    tries: Tries,
    begun: Duration,
}

impl Object for chatnio_retry {
    fn health(&self) -> &Health {
        &self.health
    }
}

impl chatnio_retry {
    fn new(tries: Tries, now: u64) -> Self {
        chatnio_retry { health: Health::new(), tries, begun: time(now) }
    }

    /// The tries count from when they began.
    fn since(&self, now: u64) -> Duration {
        time(now).saturating_sub(self.begun)
    }

    /// On the host's clock.
    fn at(&self, since: Duration) -> u64 {
        deadline_ms(self.begun.checked_add(since))
    }
}

/// Why connecting may be tried again.
#[repr(C)]
pub enum chatnio_retry_cause {
    /// The server, or a gateway in front of it, throttles this address.
    CHATNIO_RETRY_THROTTLED = 1,
    /// A gateway, or a proxy, cannot reach the server behind it.
    CHATNIO_RETRY_UNAVAILABLE = 2,
    /// The connection was refused, or lost before the WebSocket was open.
    CHATNIO_RETRY_LOST = 3,
}

use chatnio_retry_cause::{CHATNIO_RETRY_LOST, CHATNIO_RETRY_THROTTLED, CHATNIO_RETRY_UNAVAILABLE};

const THROTTLED: i32 = CHATNIO_RETRY_THROTTLED as i32;
const UNAVAILABLE: i32 = CHATNIO_RETRY_UNAVAILABLE as i32;
const LOST: i32 = CHATNIO_RETRY_LOST as i32;

/// Writes a cause (`chatnio_retry_cause`), if there is one.
pub(crate) fn put_cause(out: Option<&mut MaybeUninit<i32>>, cause: Option<RetryCause>) -> Result<(), Failure> {
    let out = out.ok_or(Failure::invalid("the out-parameter is NULL"))?;
    out.write(match cause.ok_or_else(Failure::absent)? {
        RetryCause::Throttled => THROTTLED,
        RetryCause::Unavailable => UNAVAILABLE,
        RetryCause::Lost => LOST,
        _ => LOST,
    });
    Ok(())
}

fn cause_of(number: i32) -> Result<RetryCause, Failure> {
    Ok(match number {
        THROTTLED => RetryCause::Throttled,
        UNAVAILABLE => RetryCause::Unavailable,
        LOST => RetryCause::Lost,
        _ => return Err(Failure::invalid("")),
    })
}

/// Makes one for a connect that begins at `now`. Of `config`, which may be NULL for the defaults, count
/// `chatnio_config_set_connect_retries()`, `chatnio_config_set_connects_per_second()`, `chatnio_config_set_connect()` and
/// `chatnio_config_set_handshake()`. `now` is the time in milliseconds on a monotonic clock of the host's, as in all calls.
///
/// Errors: `CHATNIO_INVALID` when `out` is NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_retry_new(
    config: Option<&chatnio_config>,
    now: u64,
    out: Option<&mut MaybeUninit<*mut chatnio_retry>>,
) -> i32 {
    boundary!({
        let out = out.ok_or(Failure::invalid(""))?;
        let tries = |settings: Settings| Ok(Tries::new(&settings.transport.connection));
        hand_over(out, chatnio_retry::new(chatnio_config::used(config, |_| Ok(()), tries)?, now));
        Ok(())
    })
}

/// Makes one for a companion call that begins at `now` and may take `limit` milliseconds in all, with its answer; 0 for no
/// limit. Of `config`, which may be NULL for the defaults, count `chatnio_config_set_connect_retries()` and
/// `chatnio_config_set_connects_per_second()`. Only for calls that `chatnio_rest_call_is_repeatable()`.
///
/// Errors: `CHATNIO_INVALID` when `out` is NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_retry_new_within(
    config: Option<&chatnio_config>,
    limit: u64,
    now: u64,
    out: Option<&mut MaybeUninit<*mut chatnio_retry>>,
) -> i32 {
    boundary!({
        let limit = Some(time(limit)).filter(|limit| !limit.is_zero());
        let tries = |settings: Settings| Ok(Tries::within(&settings.transport.connection, limit));
        let out = out.ok_or(Failure::invalid(""))?;
        hand_over(out, chatnio_retry::new(chatnio_config::used(config, |_| Ok(()), tries)?, now));
        Ok(())
    })
}

/// Gets when to begin a try that is at hand at `now`: at once, or when all clients and retries with this configuration
/// together may (`chatnio_config_set_connects_per_second()`). Each call takes a place among those. Never later than
/// `chatnio_retry_deadline()`; then all is over, and the host gives up.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_retry_begin(
    retry: Option<&mut chatnio_retry>,
    now: u64,
    at: Option<&mut MaybeUninit<u64>>,
) -> i32 {
    boundary!(retry => {
        let out = at.ok_or(Failure::invalid(""))?;
        out.write(retry.at(retry.tries.place(retry.since(now))));
        Ok(())
    })
}

/// Says that a try has failed at `now`, and gets when the next one is to follow: never sooner than 1.1 s after a throttling,
/// nor than the server has asked for, and later the more have failed, with some jitter.
///
/// `cause` (`chatnio_retry_cause`) is that of `chatnio_connection_retry_cause()` or `chatnio_rest_call_retry_cause()`, or
/// `CHATNIO_RETRY_LOST` where the host's own socket was refused; `retry_after` that of `chatnio_connection_retry_after()`, in
/// milliseconds, or 0.
///
/// Errors: `CHATNIO_ABSENT` when it is not to be tried again: it was often enough, there is no time left, or the server has
/// asked for more than 60 s. Then what it failed by is the outcome. `CHATNIO_INVALID` for NULL or an unknown constant.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_retry_failed(
    retry: Option<&mut chatnio_retry>,
    now: u64,
    cause: i32,
    retry_after: u64,
    at: Option<&mut MaybeUninit<u64>>,
) -> i32 {
    boundary!(retry => {
        let out = at.ok_or(Failure::invalid(""))?;
        let (cause, since) = (cause_of(cause)?, retry.since(now));
        let again = retry.tries.again(since, cause, Some(time(retry_after)));
        out.write(retry.at(again.ok_or_else(Failure::absent)?));
        Ok(())
    })
}

/// Gets when all tries are to be over, look-ups and handshakes included: `chatnio_config_set_connect()` and
/// `chatnio_config_set_handshake()` after the begin, or the limit of a call; `UINT64_MAX`, for never, when one of them is off.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_retry_deadline(
    retry: Option<&chatnio_retry>,
    deadline: Option<&mut MaybeUninit<u64>>,
) -> i32 {
    boundary!(retry => put(deadline, retry.tries.limit().map_or(u64::MAX, |limit| retry.at(limit))))
}

/// Frees it; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_retry_free(retry: Option<Box<chatnio_retry>>) {
    free(retry);
}
