//! When a connect that has failed is tried again.

use core::time::Duration;

/// The first wait after a throttled or refused connect: throttling looks back a second, and counts what it refuses, too
/// (protocol.md, R6.5).
const AFTER_THROTTLING: Duration = Duration::from_millis(1100);

/// The first wait after any other failure; it doubles with each further one.
const FIRST: Duration = Duration::from_millis(500);

/// The longest wait between two tries that the server did not ask for.
const LONGEST: Duration = Duration::from_secs(8);

/// The longest wait that the server may ask for. Who wants more has given up for now, and says so to the user.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

/// Why a connect may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryCause {
    /// The server, or a gateway in front of it, throttles this address (HTTP 429 is one of these).
    Throttled,
    /// A gateway cannot reach the server behind it (HTTP 502, 503, 504).
    Unavailable,
    /// The connection was refused, or lost before the WebSocket was open.
    Lost,
}

/// When a connect that has failed is tried again, for one connect with all its tries: without I/O, a clock or random
/// numbers of its own. Only for what comes before the WebSocket is open: a question that was sent is never sent again.
///
/// ```
/// use chatnio_core::{Retry, RetryCause};
/// use std::time::Duration;
///
/// let mut retry = Retry::new(2, Some(Duration::from_secs(20)));
/// // The first try was throttled after 100 ms: wait until this time, and try again.
/// let at = retry.failed(Duration::from_millis(100), RetryCause::Throttled, None, 0);
/// assert_eq!(at, Some(Duration::from_millis(1200)));
/// ```
#[derive(Debug, Clone)]
pub struct Retry {
    left: u32,
    failures: u32,
    deadline: Option<Duration>,
}

impl Retry {
    /// At most so many tries after the first, none of them begun at or after `deadline`; times count from an origin of the
    /// host's choice.
    #[must_use]
    pub fn new(retries: u32, deadline: Option<Duration>) -> Self {
        Retry { left: retries, failures: 0, deadline }
    }

    /// A try has failed at `now`: when to try again; `None` for not at all.
    ///
    /// `retry_after` is what the server asked for, by `Retry-After`. It is never shortened: what does not fit before the
    /// deadline, or is over 60 s, is given up at once. `jitter` is random, from the host, and makes the wait up to a half
    /// longer, so that many clients do not come back together.
    pub fn failed(
        &mut self,
        now: Duration,
        cause: RetryCause,
        retry_after: Option<Duration>,
        jitter: u32,
    ) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let asked = retry_after.unwrap_or_default();
        if asked > LONGEST_ASKED {
            return None;
        }
        let first = match cause {
            RetryCause::Throttled => AFTER_THROTTLING,
            RetryCause::Unavailable | RetryCause::Lost => FIRST,
        };
        let doubled = first.saturating_mul(1 << self.failures.min(8)).min(LONGEST);
        self.failures += 1;
        let wait = doubled.max(asked);
        // In thousandths: there is no floating point to be had everywhere.
        let longer = wait / 2 / 1000 * (jitter / (u32::MAX / 1000)).min(1000);
        let at = now.saturating_add(wait).saturating_add(longer);
        match self.deadline {
            // The jitter alone is no reason to give up.
            Some(deadline) if at >= deadline => Some(now.saturating_add(wait)).filter(|at| *at < deadline),
            _ => Some(at),
        }
    }
}

/// Spaces the connects of many clients of one program, so that the server does not throttle their address: without I/O or
/// a clock of its own.
///
/// ```
/// use chatnio_core::ConnectLimiter;
/// use std::time::Duration;
///
/// let mut limiter = ConnectLimiter::new(4);
/// assert_eq!(limiter.reserve(Duration::ZERO), Duration::ZERO);
/// assert_eq!(limiter.reserve(Duration::ZERO), Duration::from_millis(250));
/// ```
#[derive(Debug, Clone)]
pub struct ConnectLimiter {
    spacing: Duration,
    next: Duration,
}

impl ConnectLimiter {
    /// At most so many connects a second, evenly spaced; at least one.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        ConnectLimiter { spacing: Duration::from_secs(1) / per_second.max(1), next: Duration::ZERO }
    }

    /// Takes the next place: the time at which to connect, which is `now` or later.
    pub fn reserve(&mut self, now: Duration) -> Duration {
        let at = self.next.max(now);
        self.next = at.saturating_add(self.spacing);
        at
    }
}

impl Default for ConnectLimiter {
    /// Four a second: servers throttle at five (protocol.md, R6.1).
    fn default() -> Self {
        Self::new(4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn waits_grow_and_end() {
        let mut retry = Retry::new(3, None);
        assert_eq!(retry.failed(ms(0), RetryCause::Lost, None, 0), Some(ms(500)));
        assert_eq!(retry.failed(ms(500), RetryCause::Unavailable, None, 0), Some(ms(1500)));
        assert_eq!(retry.failed(ms(1500), RetryCause::Throttled, None, 0), Some(ms(1500 + 4400)));
        assert_eq!(retry.failed(ms(9000), RetryCause::Lost, None, 0), None);
        assert_eq!(Retry::new(0, None).failed(ms(0), RetryCause::Lost, None, 0), None);
        let mut retry = Retry::new(100, None);
        for _ in 0..99 {
            let at = retry.failed(ms(0), RetryCause::Throttled, None, u32::MAX).unwrap();
            assert!(at >= ms(1100) && at <= ms(12_000), "{at:?}");
        }
    }

    #[test]
    fn never_sooner_than_throttling_allows() {
        for jitter in [0, 1, u32::MAX / 2, u32::MAX] {
            let at = Retry::new(1, None).failed(ms(10), RetryCause::Throttled, None, jitter).unwrap();
            assert!(at >= ms(1110) && at <= ms(1660), "{at:?}");
        }
    }

    #[test]
    fn what_the_server_asks_for_counts_within_the_deadline() {
        let after = |seconds| Some(Duration::from_secs(seconds));
        let mut retry = Retry::new(9, Some(ms(20_000)));
        assert_eq!(retry.failed(ms(0), RetryCause::Unavailable, after(7), 0), Some(ms(7000)));
        assert_eq!(retry.failed(ms(7000), RetryCause::Unavailable, after(0), 0), Some(ms(8000)));
        assert_eq!(retry.failed(ms(8000), RetryCause::Unavailable, after(12), 0), None, "not before it asks for");
        let mut retry = Retry::new(9, Some(ms(1200)));
        assert_eq!(retry.failed(ms(0), RetryCause::Throttled, None, u32::MAX), Some(ms(1100)), "jitter gives way");
        let mut retry = Retry::new(9, Some(ms(1100)));
        assert_eq!(retry.failed(ms(0), RetryCause::Throttled, None, 0), None);
    }

    #[test]
    fn without_a_deadline_a_server_keeps_nobody_for_longer_than_a_minute() {
        let asked = |ms| Retry::new(9, None).failed(Duration::ZERO, RetryCause::Throttled, Some(ms), 0);
        assert_eq!(asked(ms(60_000)), Some(ms(60_000)));
        assert_eq!(asked(ms(60_001)), None);
        assert_eq!(asked(Duration::MAX), None);
    }

    #[test]
    fn a_limiter_spaces_evenly_and_saves_nothing_up() {
        let mut limiter = ConnectLimiter::default();
        let times: [u64; 4] = core::array::from_fn(|_| limiter.reserve(ms(1000)).as_millis() as u64);
        assert_eq!(times, [1000, 1250, 1500, 1750]);
        assert_eq!(limiter.reserve(ms(60_000)), ms(60_000));
        assert_eq!(limiter.reserve(ms(60_000)), ms(60_250));
    }
}
