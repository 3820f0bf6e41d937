//! How long a connect may wait.

use std::thread;
use std::time::{Duration, Instant};

use super::ClientError;
use super::stopper::Stopper;
use crate::end::ConnectionEnd;

/// The longest wait before a stopper is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// The time for one connect, and who may break it off.
#[derive(Debug)]
pub(super) struct Patience<'s> {
    started: Instant,
    /// Off when it is zero.
    limit: Duration,
    stopper: &'s Stopper,
}

impl<'s> Patience<'s> {
    pub(super) fn new(limit: Duration, stopper: &'s Stopper) -> Self {
        Patience { started: Instant::now(), limit, stopper }
    }

    /// The time since the start.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// How long to wait before asking again.
    ///
    /// # Errors
    /// When the time is over, or a stopper has closed what is being connected.
    pub(super) fn tick(&self, host: &str) -> Result<Duration, ClientError> {
        if self.stopper.is_closed() {
            return Err(ConnectionEnd::Clean.into());
        }
        if self.limit.is_zero() {
            return Ok(LOOK);
        }
        let left = self.limit.saturating_sub(self.now());
        if left.is_zero() { Err(self.timed_out(host)) } else { Ok(left.min(LOOK)) }
    }

    pub(super) fn timed_out(&self, host: &str) -> ClientError {
        ClientError::ConnectTimeout { host: host.to_owned(), limit: self.limit }
    }

    /// Sleeps until `at`, counted from the start.
    pub(super) fn sleep_until(&self, at: Duration) -> Result<(), ClientError> {
        loop {
            if self.stopper.is_closed() {
                return Err(ConnectionEnd::Clean.into());
            }
            match at.checked_sub(self.now()) {
                None | Some(Duration::ZERO) => return Ok(()),
                Some(left) => thread::sleep(left.min(LOOK)),
            }
        }
    }
}
