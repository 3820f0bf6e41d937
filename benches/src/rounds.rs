//! Measuring several contenders in turns, and what comes of it.

use std::io;

use crate::contender::Contender;
use crate::sample::Sample;

/// What was measured of one contender.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Its batches, one a round.
    pub samples: Vec<Sample>,
    /// The most memory that its process has held, in KiB.
    pub peak_memory: Option<u64>,
}

impl Measured {
    /// The least processor time that a chunk took, in nanoseconds.
    pub fn least(&self) -> f64 {
        self.samples.iter().map(Sample::per_chunk).fold(f64::INFINITY, f64::min)
    }

    /// What it took of what `reference` took in the same round.
    pub fn ratio_to(&self, reference: &Measured) -> Ratio {
        let pairs = self.samples.iter().zip(&reference.samples);
        Ratio::of(pairs.map(|(mine, other)| mine.per_chunk() / other.per_chunk()).collect())
    }
}

/// A ratio of two contenders, over all rounds.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Ratio {
    /// The median of the rounds.
    pub median: f64,
    /// The least of them.
    pub least: f64,
}

impl Ratio {
    /// Of these ratios, pair by pair.
    pub fn of(mut pairs: Vec<f64>) -> Self {
        pairs.sort_by(f64::total_cmp);
        let middle = pairs.len() / 2;
        let median = match pairs.len() {
            0 => f64::NAN,
            length if length % 2 == 1 => pairs[middle],
            _ => f64::midpoint(pairs[middle - 1], pairs[middle]),
        };
        Ratio { median, least: pairs.first().copied().unwrap_or(f64::NAN) }
    }
}

/// How long each contender works in a round, at least, in nanoseconds: what disturbs it for a moment is then little.
const ENOUGH: f64 = 2e6;

/// Has each contender work for a while in each round, one right after the other; once more before, to warm up. What is
/// measured of one machine whose clock changes then compares, pair by pair. In a single round each works on one batch.
///
/// # Errors
/// When one has failed.
pub fn run(contenders: &mut [Contender], rounds: usize) -> io::Result<Vec<Measured>> {
    let enough = if rounds > 1 { ENOUGH } else { 0.0 };
    let mut measured = vec![Measured::default(); contenders.len()];
    for round in 0..=rounds {
        // In each direction as often: nobody is always behind the same other one.
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for which in order {
            let mut sample = contenders[which].batch()?;
            while sample.cpu < enough {
                sample += contenders[which].batch()?;
            }
            if round > 0 {
                measured[which].samples.push(sample);
            }
        }
    }
    for (measured, contender) in measured.iter_mut().zip(contenders.iter()) {
        measured.peak_memory = contender.peak_memory();
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(times: &[f64]) -> Measured {
        let sample = |cpu: &f64| Sample { cpu: *cpu, elapsed: 0.0, chunks: 10 };
        Measured { samples: times.iter().map(sample).collect(), peak_memory: None }
    }

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        let ratio = measured(&[10.0, 40.0, 90.0]).ratio_to(&measured(&[20.0, 40.0, 30.0]));
        assert_eq!(ratio, Ratio { median: 1.0, least: 0.5 });
        assert_eq!(Ratio::of(vec![4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert_eq!(measured(&[30.0, 20.0]).least(), 2.0);
    }

    #[test]
    fn the_first_batch_only_warms_up() {
        let all = run(&mut [counting(ENOUGH)], 2).unwrap();
        assert_eq!(all[0].samples.iter().map(|sample| sample.chunks).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn short_batches_are_repeated_except_in_a_single_round() {
        let all = run(&mut [counting(ENOUGH / 2.0)], 2).unwrap();
        assert_eq!(all[0].samples.iter().map(|sample| sample.chunks).collect::<Vec<_>>(), [3 + 4, 5 + 6]);
        assert_eq!(run(&mut [counting(1.0)], 1).unwrap()[0].samples[0].chunks, 2);
    }

    /// The number of its call is its number of chunks.
    fn counting(cpu: f64) -> Contender {
        let mut chunks = 0;
        Contender::here(move || {
            chunks += 1;
            Sample { cpu, elapsed: 0.0, chunks }
        })
    }
}
