//! How long a server's database takes.

use core::time::Duration;

use fastrand::Rng;

use crate::options::Options;

/// The database as one connection sees it.
pub(crate) struct Storage {
    write_time: Duration,
    /// Where writes differ.
    random: Option<Rng>,
}

impl Storage {
    pub(crate) fn new(options: &Options) -> Self {
        Self { write_time: options.paced(options.write_time), random: options.seed.map(Rng::with_seed) }
    }

    /// What so many writes take, one after the other.
    pub(crate) fn time(&mut self, writes: u32) -> Duration {
        (0..writes).map(|_| self.write()).fold(Duration::ZERO, Duration::saturating_add)
    }

    fn write(&mut self) -> Duration {
        let Some(random) = &mut self.random else { return self.write_time };
        // Exponentially distributed: most are short, a few long, as where writers wait for each other.
        let seconds = self.write_time.as_secs_f64() * -(1.0 - random.f64()).ln();
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(millis: u64, seed: Option<u64>) -> Storage {
        Storage::new(&Options { write_time: Duration::from_millis(millis), seed, ..Options::default() })
    }

    #[test]
    fn writes_take_the_time_that_was_given_and_with_a_seed_that_in_the_mean() {
        assert_eq!(storage(5, None).time(3), Duration::from_millis(15));
        assert_eq!(storage(0, Some(1)).time(3), Duration::ZERO);
        let mean = storage(5, Some(1)).time(100_000) / 100_000;
        assert!((4900..5100).contains(&mean.as_micros()), "{mean:?}");
        let run = |seed| {
            let mut storage = storage(5, Some(seed));
            [storage.time(1), storage.time(1), storage.time(2)]
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }
}
