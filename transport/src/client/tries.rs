//! `Tries`: when a client's connect is tried, and tried again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use chatnio_core::{Retry, RetryCause};

use super::ClientError;
use crate::config::{ConnectionConfig, Limiter, on};
use crate::{ConnectionEnd, WireError};

/// The tries of one connect and the time for all of them, by the settings: without I/O or a clock. [`Client`](super::Client)
/// goes by it, and so can a client of another kind. Times are those since the connect began.
#[derive(Debug)]
pub struct Tries {
    retry: Retry,
    /// For one try; zero is off.
    connect: Duration,
    /// For all tries together, if they are bounded.
    limit: Option<Duration>,
    limiter: Option<Limiter>,
    /// What the last try failed by that another one follows: it tells more than that the time was over.
    told: Option<ClientError>,
}

impl Tries {
    /// [`ConnectionConfig::connect_retries`] after the first, within `connect` and `handshake` together.
    #[must_use]
    pub fn new(config: &ConnectionConfig) -> Self {
        let limits = on(config.connect).zip(on(config.handshake));
        Self::within(config, limits.map(|(connect, handshake)| connect.saturating_add(handshake)))
    }

    /// The same within another limit, or without one: for a companion call, whose answer counts to it.
    #[must_use]
    pub fn within(config: &ConnectionConfig, limit: Option<Duration>) -> Self {
        Tries {
            retry: Retry::new(config.connect_retries, limit),
            connect: config.connect,
            limit,
            limiter: config.limiter.clone(),
            told: None,
        }
    }

    /// When to begin the next try, if that is at hand at `now`: a place among the connects of this process, see
    /// [`ConnectionConfig::limiter`]. Takes that place. Never later than all tries are to be over.
    #[must_use]
    pub fn place(&self, now: Duration) -> Duration {
        let at = self.limiter.as_ref().map_or(now, |limiter| now.saturating_add(limiter.reserve()));
        self.limit.map_or(at, |limit| at.min(limit))
    }

    /// How long the look-up and connect of a try that begins at `now` may take, as [`ConnectionConfig::connect`] has it: no
    /// longer than all tries together have left.
    ///
    /// # Errors
    /// When nothing is left: what the try before has failed by, or [`ClientError::ConnectTimeout`] where there was none.
    pub fn connect(&self, now: Duration, host: &str) -> Result<Duration, ClientError> {
        match self.limit {
            Some(limit) if now >= limit => Err(self.late(host, limit)),
            Some(limit) => Ok(self.connect.min(limit - now)),
            None => Ok(self.connect),
        }
    }

    /// A try has failed at `now`. Returns when to try again.
    ///
    /// # Errors
    /// `error`, when it is not to be tried again. Where this try only ran out of time, what the try before has failed by: that
    /// says more.
    pub fn failed(&mut self, now: Duration, error: ClientError) -> Result<Duration, ClientError> {
        match error.retry_cause().and_then(|(cause, retry_after)| self.again(now, cause, retry_after)) {
            Some(at) => {
                self.told = Some(error);
                Ok(at)
            }
            None => Err(match (&error, self.limit) {
                (ClientError::ConnectTimeout { host, .. }, Some(limit)) if now >= limit => self.late(host, limit),
                // Both times were over before anybody looked.
                (ClientError::Ended(ConnectionEnd::Lost(WireError::HandshakeTimeout { .. })), Some(limit))
                    if now >= limit =>
                {
                    self.told.clone().unwrap_or(error)
                }
                _ => error,
            }),
        }
    }

    /// The time for all tries is over. What was left for the last one is not the limit that somebody has set.
    fn late(&self, host: &str, limit: Duration) -> ClientError {
        self.told.clone().unwrap_or_else(|| ClientError::ConnectTimeout { host: host.to_owned(), limit })
    }

    /// A try has failed at `now`, for this cause: when to try again; `None` for not at all. See [`Retry::failed`].
    pub fn again(&mut self, now: Duration, cause: RetryCause, retry_after: Option<Duration>) -> Option<Duration> {
        self.retry.failed(now, cause, retry_after, jitter())
    }

    /// The time for all tries together; `None` when there is no limit.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        self.limit
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HttpRefusal, Step};

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn tries(change: impl FnOnce(&mut ConnectionConfig)) -> Tries {
        let mut config = ConnectionConfig::default();
        change(&mut config);
        Tries::new(&config)
    }

    #[test]
    fn all_tries_together_have_one_limit() {
        let mut tries = tries(|config| config.connect_retries = 9);
        assert_eq!(tries.limit(), Some(seconds(20)));
        assert_eq!(tries.connect(seconds(4), "h").unwrap(), seconds(10));
        assert_eq!(tries.connect(seconds(17), "h").unwrap(), seconds(3));
        let late =
            |error| matches!(error, ClientError::ConnectTimeout { host, limit } if host == "h" && limit == seconds(20));
        assert!(late(tries.connect(seconds(20), "h").unwrap_err()));
        // The last try had three seconds, which nobody has asked for.
        let cut = ClientError::ConnectTimeout { host: "h".into(), limit: seconds(3) };
        assert!(late(tries.failed(seconds(20), cut).unwrap_err()));
        let own = ClientError::ConnectTimeout { host: "h".into(), limit: seconds(10) };
        let own = tries.failed(seconds(10), own).unwrap_err();
        assert!(matches!(own, ClientError::ConnectTimeout { limit, .. } if limit == seconds(10)), "{own}");
    }

    #[test]
    fn what_a_try_has_told_is_not_hidden_by_the_end_of_the_time() {
        let refused =
            || ClientError::from(ConnectionEnd::Lost(WireError::Unavailable(HttpRefusal::new(503, "busy").into())));
        let is_told = |error: ClientError| matches!(error, ClientError::Ended(end) if end.code() == Some(503));
        let cut = || ClientError::ConnectTimeout { host: "h".into(), limit: seconds(1) };
        let shaking = || ClientError::from(ConnectionEnd::Lost(WireError::HandshakeTimeout { step: Step::Upgrade }));
        let is_own = |error: ClientError| {
            matches!(error, ClientError::Ended(ConnectionEnd::Lost(WireError::HandshakeTimeout { .. })))
        };
        let mut tries = tries(|config| config.connect_retries = 9);
        assert!(is_own(tries.failed(seconds(20), shaking()).unwrap_err()));
        assert!(tries.failed(seconds(1), refused()).is_ok());
        assert!(is_own(tries.failed(seconds(19), shaking()).unwrap_err()));
        assert!(is_told(tries.failed(seconds(20), shaking()).unwrap_err()));
        assert!(is_told(tries.failed(seconds(20), cut()).unwrap_err()));
        assert!(is_told(tries.connect(seconds(20), "h").unwrap_err()));
        // What it failed by of its own says enough.
        let own = tries.failed(seconds(19), cut()).unwrap_err();
        assert!(matches!(own, ClientError::ConnectTimeout { limit, .. } if limit == seconds(1)), "{own}");
        let resolve = || ClientError::Resolve { host: "h".into(), source: std::io::Error::other("gone").into() };
        assert!(matches!(tries.failed(seconds(20), resolve()), Err(ClientError::Resolve { .. })));
    }

    #[test]
    fn without_a_deadline_there_is_no_limit() {
        for tries in
            [tries(|config| config.connect = Duration::ZERO), tries(|config| config.handshake = Duration::ZERO)]
        {
            assert_eq!((tries.limit(), tries.left(seconds(99))), (None, None));
            assert!(tries.connect(seconds(99), "h").is_ok());
        }
    }

    #[test]
    fn nobody_waits_for_a_place_longer_than_for_a_connection() {
        let tries = tries(|config| config.limiter = Some(Limiter::new(1)));
        assert_eq!(tries.place(seconds(1)), seconds(1));
        let at: Vec<_> = (0..25).map(|_| tries.place(seconds(1))).collect();
        assert!(at.is_sorted() && at[0] > seconds(1) && at[9] > seconds(10), "{at:?}");
        assert_eq!(at[24], seconds(20));
    }
}
