//! What time it is for a connection whose reader may be slow.

use std::time::Duration;

use tokio::time::Instant;

/// Time that never goes back. It stands still while a reader is slow: what is late then is not the server's fault.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// Since when it stands still, if it does.
    stopped_at: Option<Instant>,
    /// How long it has stood still so far.
    behind: Duration,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Clock { origin: Instant::now(), stopped_at: None, behind: Duration::ZERO }
    }

    pub(crate) fn now(&self) -> Duration {
        let at = self.stopped_at.unwrap_or_else(Instant::now);
        at.saturating_duration_since(self.origin).saturating_sub(self.behind)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped_at.is_some()
    }

    pub(crate) fn stop(&mut self) {
        self.stopped_at = self.stopped_at.or_else(|| Some(Instant::now()));
    }

    pub(crate) fn go_on(&mut self) {
        if let Some(since) = self.stopped_at.take() {
            self.behind += since.elapsed();
        }
    }

    /// When it will be `at`, if it does not stand still; `None` beyond all time.
    pub(crate) fn instant(&self, at: Duration) -> Option<Instant> {
        self.origin.checked_add(at.checked_add(self.behind)?)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_stands_still_while_it_is_stopped() {
        let ms = Duration::from_millis;
        let mut clock = Clock::new();
        advance(ms(100)).await;
        assert_eq!(clock.now(), ms(100));
        clock.stop();
        advance(ms(1000)).await;
        clock.stop();
        assert_eq!(clock.now(), ms(100));
        clock.go_on();
        clock.go_on();
        advance(ms(10)).await;
        assert_eq!(clock.now(), ms(110));
        let then = clock.instant(ms(150)).unwrap();
        advance(ms(40)).await;
        assert_eq!((then, clock.now()), (Instant::now(), ms(150)));
        assert_eq!(clock.instant(Duration::MAX), None);
    }
}
