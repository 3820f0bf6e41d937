//! `Contender`: whoever is measured, in this process or in one of its own.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::sample::Sample;

/// Whoever is measured.
pub enum Contender {
    /// In this process: it works on a batch of chunks and says what that took.
    Here(Box<dyn FnMut() -> Sample>),
    /// A process of its own.
    Apart(Process),
}

/// A program that works on one batch for each line of its input, writes a [`Sample`] as a line of JSON, and ends with
/// its input.
pub struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Contender {
    /// One in this process.
    pub fn here(batch: impl FnMut() -> Sample + 'static) -> Self {
        Contender::Here(Box::new(batch))
    }

    /// Starts a program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn apart(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let missing = || io::Error::other("a child without a pipe");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Contender::Apart(Process { child, input, output }))
    }

    /// Has it work on a batch.
    ///
    /// # Errors
    /// When its process has failed.
    pub fn batch(&mut self) -> io::Result<Sample> {
        match self {
            Contender::Here(batch) => Ok(batch()),
            Contender::Apart(process) => process.batch(),
        }
    }

    /// The most memory that its process has held, in KiB; `None` for one in this process.
    pub fn peak_memory(&self) -> Option<u64> {
        let Contender::Apart(process) = self else { return None };
        memory_of(process.child.id(), "VmHWM:")
    }
}

/// A line of what the system says of a process, in KiB.
pub fn memory_of(process: u32, what: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what))?;
    line.split_whitespace().next()?.parse().ok()
}

impl Process {
    fn batch(&mut self) -> io::Result<Sample> {
        writeln!(self.input)?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(|_| io::Error::other(format!("it ended, or said {line:?}")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It is told once more what it knows: not every program ends with its input.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Works as such a program, by `batch`.
///
/// # Errors
/// When its output is gone.
pub fn serve(mut batch: impl FnMut() -> Sample) -> io::Result<()> {
    for line in io::stdin().lines() {
        line?;
        let sample = serde_json::to_string(&batch())?;
        println!("{sample}");
    }
    Ok(())
}
