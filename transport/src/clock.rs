//! Wall time, for the check of certificates.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// Where the check of certificates gets wall time from: the only use of wall time in this crate.
///
/// Deadlines never look at it; they go by the `now` that the host passes in.
#[derive(Clone, Default)]
pub struct WallClock(Source);

#[derive(Clone, Default)]
enum Source {
    #[default]
    System,
    Fixed(Duration),
    Callback(Arc<dyn Fn() -> Duration + Send + Sync>),
}

impl WallClock {
    /// The system's clock (the default).
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Always the same time, as the time since 1970-01-01 00:00:00 UTC.
    #[must_use]
    pub fn fixed(since_unix_epoch: Duration) -> Self {
        Self(Source::Fixed(since_unix_epoch))
    }

    /// Asks the host for the time since 1970-01-01 00:00:00 UTC, a few times for each TLS handshake, on
    /// the thread that drives the connection.
    #[must_use]
    pub fn from_fn(since_unix_epoch: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Source::Callback(Arc::new(since_unix_epoch)))
    }
}

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(match &self.0 {
            Source::System => UnixTime::now(),
            Source::Fixed(time) => UnixTime::since_unix_epoch(*time),
            Source::Callback(ask) => UnixTime::since_unix_epoch(ask()),
        })
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::System => f.write_str("System"),
            Source::Fixed(time) => f.debug_tuple("Fixed").field(time).finish(),
            Source::Callback(_) => f.write_str("Callback"),
        }
    }
}
