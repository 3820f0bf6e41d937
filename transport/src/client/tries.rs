//! `Tries`: when a client's connect is tried, and tried again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use chatnio_core::Retry;

use super::ClientError;
use crate::config::{ConnectionConfig, Limiter};

/// The tries of one connect and the time for all of them, by the settings: without I/O or a clock. [`Client`](super::Client)
/// goes by it, and so can a client of another kind. Times are those since the connect began.
#[derive(Debug)]
pub struct Tries {
    retry: Retry,
    /// For all tries together, if they are bounded.
    limit: Option<Duration>,
    limiter: Option<Limiter>,
}

impl Tries {
    /// [`ConnectionConfig::connect_retries`] after the first, within `connect` and `handshake` together.
    #[must_use]
    pub fn new(config: &ConnectionConfig) -> Self {
        let is_bounded = !config.connect.is_zero() && !config.handshake.is_zero();
        let limit = is_bounded.then(|| config.connect.saturating_add(config.handshake));
        Tries { retry: Retry::new(config.connect_retries, limit), limit, limiter: config.limiter.clone() }
    }

    /// How long to wait before the next try, for a place among the connects of this process: see
    /// [`ConnectionConfig::limiter`]. Takes that place.
    #[must_use]
    pub fn wait(&self) -> Duration {
        self.limiter.as_ref().map_or(Duration::ZERO, Limiter::reserve)
    }

    /// A try has failed at `now`: when to try again; `None` for not at all.
    pub fn failed(&mut self, now: Duration, error: &ClientError) -> Option<Duration> {
        let (cause, retry_after) = error.retry_cause()?;
        self.retry.failed(now, cause, retry_after, jitter())
    }

    /// How much time is left at `now`; `None` when there is no limit.
    #[must_use]
    pub fn left(&self, now: Duration) -> Option<Duration> {
        self.limit.map(|limit| limit.saturating_sub(now))
    }
}

/// A random number: the standard library's only ones.
#[expect(clippy::cast_possible_truncation, reason = "any of its bits are as good")]
pub(crate) fn jitter() -> u32 {
    RandomState::new().build_hasher().finish() as u32
}
