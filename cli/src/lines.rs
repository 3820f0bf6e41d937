//! The lines that a user types or a pipe brings.

use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use rustyline::error::ReadlineError;
use rustyline::{
    Behavior, Cmd, ConditionalEventHandler, Config, DefaultEditor, Event, EventContext, EventHandler, KeyEvent,
    Movement, RepeatCount,
};

use crate::output::say;
use crate::status::{Failure, Status};

const PROMPT: &str = "> ";

/// How many lines wait while an answer runs; what brings more has to wait itself.
pub(crate) const WAITING: usize = 64;

/// The longest line, in bytes: a request over 1 MiB is refused anyway.
const LONGEST: u64 = 1 << 20;

/// What a chat is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line, without its end.
    Text(String),
    /// A line that is not valid UTF-8.
    NotUtf8,
    /// A line that no question can hold.
    TooLong,
    /// There is no more.
    End,
}

/// Where the lines come from. A thread of its own reads them, so that the connection is looked after meanwhile.
pub(crate) struct Lines {
    lines: Receiver<Line>,
    /// Asks the thread to edit a line; only on a terminal, where nothing else may read meanwhile.
    prompts: Option<SyncSender<()>>,
    /// What was typed without the editor, up to its last line break.
    #[cfg(unix)]
    typed: Vec<u8>,
}

impl Lines {
    pub(crate) fn new() -> Result<Self, Failure> {
        let (sender, lines) = mpsc::sync_channel(WAITING);
        let prompts = if io::stdin().is_terminal() {
            let editor =
                editor().map_err(|error| Failure::new(Status::Output, format!("cannot use the terminal: {error}")))?;
            let (prompts, asked) = mpsc::sync_channel(1);
            thread::spawn(move || edit(editor, &asked, &sender));
            Some(prompts)
        } else {
            thread::spawn(move || read(io::stdin().lock(), &sender));
            None
        };
        Ok(Lines {
            lines,
            prompts,
            #[cfg(unix)]
            typed: Vec::new(),
        })
    }

    /// Waits for the next line, with a prompt on a terminal; calls `meanwhile` every `interval`.
    pub(crate) fn next(&mut self, interval: Duration, mut meanwhile: impl FnMut()) -> Line {
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

    /// The lines that have come since, without waiting, up to `most` where a pipe brings them.
    pub(crate) fn arrived(&mut self, most: usize) -> Vec<Line> {
        match self.prompts {
            Some(_) => self.typed(),
            None => self.lines.try_iter().take(most).collect(),
        }
    }

    /// What was typed while no line is edited: the terminal itself gathers lines then.
    #[cfg(unix)]
    fn typed(&mut self) -> Vec<Line> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        let stdin = io::stdin();
        let mut lines = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
            match poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
                Ok(1..) => {}
                _ => return lines,
            }
            match rustix::io::read(&stdin, &mut buffer) {
                Ok(n @ 1..) => self.typed.extend_from_slice(&buffer[..n]),
                // Ctrl-D, or a terminal that is gone.
                _ => {
                    lines.push(Line::End);
                    return lines;
                }
            }
            while let Some(at) = self.typed.iter().position(|byte| *byte == b'\n') {
                let rest = self.typed.split_off(at + 1);
                lines.push(line(std::mem::replace(&mut self.typed, rest)));
            }
        }
    }

    /// Elsewhere the console keeps what is typed until the editor reads it.
    #[cfg(not(unix))]
    fn typed(&mut self) -> Vec<Line> {
        Vec::new()
    }
}

/// Reads lines as they come.
fn read(mut input: impl BufRead, lines: &SyncSender<Line>) {
    loop {
        let mut bytes = Vec::new();
        let read = match input.by_ref().take(LONGEST).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => Line::End,
            Ok(_) if bytes.len() as u64 == LONGEST && !bytes.ends_with(b"\n") => match skip_line(&mut input) {
                Ok(()) => Line::TooLong,
                Err(_) => Line::End,
            },
            Ok(_) => line(bytes),
        };
        let ended = read == Line::End;
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

fn line(mut bytes: Vec<u8>) -> Line {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    String::from_utf8(bytes).map_or(Line::NotUtf8, Line::Text)
}

/// Edits one line for each time that it is asked to.
fn edit(mut editor: DefaultEditor, asked: &Receiver<()>, lines: &SyncSender<Line>) {
    while asked.recv().is_ok() {
        let line = match editor.readline(PROMPT) {
            Ok(text) => Line::Text(text),
            // Ctrl-C, which comes only on an empty line, and Ctrl-D.
            Err(ReadlineError::Interrupted | ReadlineError::Eof) => Line::End,
            Err(error) => {
                say("error", &format!("cannot read from the terminal: {error}"));
                Line::End
            }
        };
        if lines.send(line).is_err() {
            return;
        }
    }
}

/// A line editor with a history, which talks to the terminal even where stdout goes elsewhere.
fn editor() -> rustyline::Result<DefaultEditor> {
    let behavior = if io::stdout().is_terminal() { Behavior::Stdio } else { Behavior::PreferTerm };
    let config = Config::builder().behavior(behavior).auto_add_history(true).build();
    let mut editor = DefaultEditor::with_config(config)?;
    editor.bind_sequence(KeyEvent::ctrl('C'), EventHandler::Conditional(Box::new(ClearOrQuit)));
    Ok(editor)
}

/// Ctrl-C: clears the line, and quits on an empty one.
struct ClearOrQuit;

impl ConditionalEventHandler for ClearOrQuit {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        Some(if context.line().is_empty() { Cmd::Interrupt } else { Cmd::Kill(Movement::WholeLine) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_ends_and_keep_the_rest() {
        let (sender, lines) = mpsc::sync_channel(WAITING);
        read(&b"one\r\n\n two \nb\xffd\nlast"[..], &sender);
        drop(sender);
        let text = |text: &str| Line::Text(text.to_owned());
        assert_eq!(
            lines.iter().collect::<Vec<_>>(),
            [text("one"), text(""), text(" two "), Line::NotUtf8, text("last"), Line::End]
        );
    }
}
