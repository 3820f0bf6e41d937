//! Exit statuses, and the failures that lead to them.

use std::io;

use crate::output::say;
use crate::words;

/// What the process ends with. Of several the highest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// Answered.
    Done = 0,
    /// The output or the recording could not be written.
    Output = 1,
    /// The command line, the environment, the configuration, a file or standard input is wrong.
    Usage = 2,
    /// The server answered instead of the model.
    Notice = 3,
    /// No connection, or an answer without its end.
    Connection = 4,
    /// A message or a transcript that cannot be read.
    Malformed = 5,
    /// SIGHUP; like the two below, what shells expect after that signal.
    HungUp = 129,
    /// Ctrl-C: it stopped the answer of `ask`, or there was nothing left to stop.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl Status {
    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

/// Why a command cannot go on.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    message: String,
}

impl Failure {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Failure { status, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::new(Status::Usage, message)
    }

    /// What is said.
    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Says it on stderr, and gives the status to end with.
    pub(crate) fn report(&self) -> Status {
        say("error", &self.message);
        self.status
    }

    /// What is left of a failure to write an answer: a reader that has gone away is no failure.
    pub(crate) fn output(error: &io::Error) -> Option<Self> {
        (error.kind() != io::ErrorKind::BrokenPipe).then(|| {
            Failure::new(
                Status::Output,
                format!("cannot write the answer to standard output: {}", words::system(&error)),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        assert!(Failure::output(&io::ErrorKind::BrokenPipe.into()).is_none());
        assert!(Failure::output(&io::ErrorKind::StorageFull.into()).is_some());
    }
}
