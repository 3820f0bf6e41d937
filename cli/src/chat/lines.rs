//! The lines that a user types or a pipe brings.

use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use super::editor::Editor;
use crate::status::{Failure, Status};
use crate::words;

/// How many lines from a pipe wait while an answer runs; what brings more has to wait itself.
pub(super) const WAITING: usize = 64;

/// What a chat is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its end; one that was edited may hold line breaks.
    Text(String),
    /// A line that is not valid UTF-8.
    NotUtf8,
    /// A line that no question can hold.
    TooLong,
    /// There is no more.
    End,
    /// No more can be read, and why.
    Failed(String),
    /// The chat is to look whether it is to go.
    Woken,
}

/// Where the lines come from. A thread of its own reads them, so that the connection is looked after meanwhile.
pub(super) struct Lines {
    lines: Receiver<Line>,
    sender: SyncSender<Line>,
    /// Asks the thread to edit a line; only on a terminal.
    prompts: Option<SyncSender<()>>,
}

impl Lines {
    /// On a terminal `editor` edits them. From a pipe no line is longer than `longest` bytes; 0 is for no limit.
    pub(super) fn new(editor: impl FnOnce() -> rustyline::Result<Editor>, longest: usize) -> Result<Self, Failure> {
        let (sender, lines) = mpsc::sync_channel(WAITING);
        let reader = sender.clone();
        let prompts = if io::stdin().is_terminal() {
            let mut editor = editor().map_err(|error| {
                Failure::new(Status::Output, format!("cannot use the terminal: {}", words::system(&error)))
            })?;
            let (prompts, asked) = mpsc::sync_channel(1);
            thread::spawn(move || while asked.recv().is_ok() && reader.send(editor.edit()).is_ok() {});
            Some(prompts)
        } else {
            let longest = if longest == 0 { u64::MAX } else { longest as u64 };
            thread::spawn(move || read(io::stdin().lock(), longest, &reader));
            None
        };
        Ok(Lines { lines, sender, prompts })
    }

    /// What makes [`next`](Self::next) return. Lines that wait do so already.
    pub(super) fn waker(&self) -> impl Fn() + Send + 'static {
        let sender = self.sender.clone();
        move || drop(sender.try_send(Line::Woken))
    }

    /// Waits for the next line, with a prompt on a terminal; calls `meanwhile` every `interval`.
    pub(super) fn next(&mut self, interval: Duration, mut meanwhile: impl FnMut()) -> Line {
        if let Some(prompts) = &self.prompts {
            let _ = prompts.send(());
        }
        loop {
            match self.lines.recv_timeout(interval) {
                Ok(line) => return line,
                Err(RecvTimeoutError::Timeout) => meanwhile(),
                Err(RecvTimeoutError::Disconnected) => return Line::End,
            }
        }
    }

    /// The lines that a pipe has brought since, without waiting, up to `most`. What is typed waits for the prompt.
    pub(super) fn arrived(&mut self, most: usize) -> impl Iterator<Item = Line> {
        self.lines.try_iter().take(most)
    }
}

/// Reads lines as they come.
fn read(mut input: impl BufRead, longest: u64, lines: &SyncSender<Line>) {
    loop {
        let mut bytes = Vec::new();
        let read = match input.by_ref().take(longest).read_until(b'\n', &mut bytes) {
            Ok(0) => Line::End,
            Ok(_) if bytes.len() as u64 == longest && !bytes.ends_with(b"\n") => match skip_line(&mut input) {
                Ok(()) => Line::TooLong,
                Err(error) => failed(&error),
            },
            Ok(_) => line(bytes),
            Err(error) => failed(&error),
        };
        let ended = matches!(read, Line::End | Line::Failed(_));
        if lines.send(read).is_err() || ended {
            return;
        }
    }
}

/// Passes over what is left of a line, without keeping it.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (n, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(n);
        if ended {
            return Ok(());
        }
    }
}

fn failed(error: &io::Error) -> Line {
    Line::Failed(format!("cannot read from standard input: {}", words::system(error)))
}

fn line(mut bytes: Vec<u8>) -> Line {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    String::from_utf8(bytes).map_or(Line::NotUtf8, Line::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_ends_and_keep_the_rest() {
        let (sender, lines) = mpsc::sync_channel(WAITING);
        read(&b"one\r\n\n two \nb\xffd\n12345678901\nlast"[..], 10, &sender);
        drop(sender);
        let text = |text: &str| Line::Text(text.to_owned());
        assert_eq!(
            lines.iter().collect::<Vec<_>>(),
            [text("one"), text(""), text(" two "), Line::NotUtf8, Line::TooLong, text("last"), Line::End]
        );
    }
}
