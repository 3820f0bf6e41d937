//! What one batch of chunks took.

use std::ops::AddAssign;
use std::time::Instant;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// What one batch took. Programs of other languages write it as a line of JSON.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Sample {
    /// Processor time, in nanoseconds.
    pub cpu: f64,
    /// The time that passed, in nanoseconds.
    pub elapsed: f64,
    /// How many chunks (or other things) it were.
    pub chunks: usize,
}

impl Sample {
    /// Runs `body`, which works on `chunks` chunks, on this thread.
    pub fn take(chunks: usize, body: impl FnOnce()) -> Self {
        let (cpu, began) = (thread_time(), Instant::now());
        body();
        Sample { cpu: thread_time() - cpu, elapsed: began.elapsed().as_secs_f64() * 1e9, chunks }
    }

    /// Processor time a chunk, in nanoseconds.
    pub fn per_chunk(&self) -> f64 {
        self.cpu / self.chunks as f64
    }
}

impl AddAssign for Sample {
    fn add_assign(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.elapsed += other.elapsed;
        self.chunks += other.chunks;
    }
}

/// The processor time of this thread, in nanoseconds.
fn thread_time() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock of this thread");
    time.tv_sec() as f64 * 1e9 + time.tv_nsec() as f64
}
