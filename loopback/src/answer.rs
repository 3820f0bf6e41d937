//! The answer that a connection's request loop is busy with.

use core::time::Duration;

use crate::generation::Generation;
use crate::plan::{Ending, Piece, Plan};
use crate::quota;

/// Where an answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The web is searched; the opener has not been sent.
    Searching,
    /// The model answers.
    Answering,
    /// A stop was seen between two pieces (2026); the first of two ends is due.
    Stopping,
    /// The user is charged; the usual end is due.
    Closing,
}

/// A running answer. It knows what comes next and when; [`crate::Chat`] does it.
pub(crate) struct Answer {
    /// Tells the answers of a connection apart.
    pub(crate) number: u64,
    /// Whether a restart asked for it.
    pub(crate) restart: bool,
    pub(crate) phase: Phase,
    /// When the next step is due; never when nothing more comes.
    pub(crate) due: Option<Duration>,
    /// The text so far.
    pub(crate) text: String,
    plan: Plan,
    generation: Generation,
    /// Whether nothing is charged.
    free: bool,
    /// The cost of the messages that went to the model.
    input: f32,
    /// Pieces of text so far.
    pieces: usize,
    /// Rounds that are complete.
    round: usize,
    /// The next piece of the running round.
    index: usize,
}

/// What an answer does next.
#[derive(Debug)]
pub(crate) enum Step {
    Piece(Piece),
    Ending(Ending),
}

impl Answer {
    /// An answer that waits for the web search, or starts at once.
    pub(crate) fn new(number: u64, generation: Generation, restart: bool, due: Duration) -> Self {
        Self {
            number,
            restart,
            phase: Phase::Searching,
            due: Some(due),
            text: String::new(),
            plan: Plan::text(Duration::ZERO, [""; 0]),
            generation,
            free: true,
            input: 0.0,
            pieces: 0,
            round: 0,
            index: 0,
        }
    }

    /// Hands the answer to the model; returns how long its first step takes.
    pub(crate) fn ask(&mut self, plan: Plan, input: Option<f32>) -> Duration {
        self.phase = Phase::Answering;
        self.plan = plan;
        self.free = input.is_none();
        self.input = input.unwrap_or(0.0);
        self.wait()
    }

    /// The time that passes before the next step.
    pub(crate) fn wait(&self) -> Duration {
        self.current().map_or(self.plan.ending_after, |(after, _)| *after)
    }

    /// What the next step is.
    pub(crate) fn step(&self) -> Step {
        match self.current() {
            Some((_, piece)) => Step::Piece(piece.clone()),
            None => Step::Ending(self.plan.ending.clone()),
        }
    }

    /// Goes on to the step after the next.
    pub(crate) fn advance(&mut self) {
        self.index += 1;
        if self.index == self.plan.pieces.len() {
            self.index = 0;
            self.round += 1;
        }
    }

    /// Takes a piece of text in: it is charged from here on.
    pub(crate) fn write(&mut self, text: &str) {
        self.text.push_str(text);
        self.pieces += 1;
    }

    /// The cost so far.
    pub(crate) fn quota(&self) -> f32 {
        if self.free { 0.0 } else { self.input + quota::output(self.generation, self.pieces) }
    }

    /// Whether the frames say that a subscription paid.
    pub(crate) fn subscription(&self) -> bool {
        self.plan.subscription
    }

    fn current(&self) -> Option<&(Duration, Piece)> {
        if self.round < self.plan.rounds { self.plan.pieces.get(self.index) } else { None }
    }
}
