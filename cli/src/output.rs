//! What a command says: the answer on stdout, everything else on stderr.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Stdout, Write};

use chatnio::transcript::{EventLog, Replayed};
use chatnio::{Answer, Conversation, Event, Outcome};

use crate::status::Status;

/// Says something on stderr. A stderr that is closed cannot be told so.
///
/// Control characters are dropped: much of what is said are a server's words, and those must not drive the terminal.
pub(crate) fn say(what: &str, message: &str) {
    let _ = writeln!(io::stderr(), "{what}: {}", printable(message));
}

/// A text without the control characters that could drive a terminal: all but line breaks and tabs.
fn printable(text: &str) -> Cow<'_, str> {
    let drives = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(drives) { text.chars().filter(|c| !drives(*c)).collect() } else { text.into() }
}

/// Prints events, as text or as JSON lines, and keeps the status that they lead to.
pub(crate) struct Printer {
    out: Stdout,
    is_terminal: bool,
    /// With `--json`.
    log: Option<EventLog>,
    /// The JSON lines of an event.
    lines: String,
    /// Whether the last piece left its line open.
    line_is_open: bool,
    status: Status,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        let out = io::stdout();
        Printer {
            is_terminal: out.is_terminal(),
            out,
            log: json.then(EventLog::new),
            lines: String::new(),
            line_is_open: false,
            status: Status::Done,
        }
    }

    /// The highest status so far.
    pub(crate) fn status(&self) -> Status {
        self.status
    }

    pub(crate) fn raise(&mut self, status: Status) {
        self.status = self.status.max(status);
    }

    /// Begins a new transcript.
    pub(crate) fn begin(&mut self) {
        self.log = self.log.as_ref().map(|_| EventLog::new());
    }

    /// Prints an event.
    ///
    /// # Errors
    /// When stdout takes nothing more.
    pub(crate) fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        if let Some(log) = &mut self.log {
            match event {
                Event::Malformed { error, .. } => log.warning(None, error, &mut self.lines),
                event => log.event(event, &mut self.lines),
            }
            self.print_lines()?;
        }
        match event {
            Event::Opened { conversation: Conversation::Replaced { asked, got }, .. } => say(
                "warning",
                &format!("the server has no conversation {asked} for this token: this is the new conversation {got}"),
            ),
            Event::Delta { text, .. } => self.piece(text)?,
            Event::End(end) => {
                self.piece(end.text())?;
                self.end_line()?;
                self.end(&end.answer);
            }
            Event::Malformed { .. } => self.raise(Status::Malformed),
            _ => {}
        }
        Ok(())
    }

    /// Prints what a replay tells.
    ///
    /// # Errors
    /// When stdout takes nothing more.
    pub(crate) fn replayed(&mut self, replayed: &Replayed<'_>, file: &dyn Display) -> io::Result<()> {
        match replayed {
            Replayed::Event(event) => {
                if let (Event::Stray { text, .. }, None) = (event, &self.log) {
                    say("stray", &format!("{file}: a frame that belongs to no turn: {text:?}"));
                }
                self.event(event)
            }
            Replayed::Malformed { line, error } => {
                self.raise(Status::Malformed);
                self.warning(*line, error, file)
            }
            Replayed::Warning { line, message } => self.warning(*line, message, file),
            _ => Ok(()),
        }
    }

    fn warning(&mut self, line: usize, message: &dyn Display, file: &dyn Display) -> io::Result<()> {
        if let Some(log) = &mut self.log {
            log.warning(Some(line), message, &mut self.lines);
            return self.print_lines();
        }
        say("warning", &format!("{file}: line {line}: {message}"));
        Ok(())
    }

    /// Closes the line of a piece that was the last.
    fn end_line(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.line_is_open) { self.write("\n") } else { Ok(()) }
    }

    fn piece(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() || self.log.is_some() {
            return Ok(());
        }
        self.line_is_open = !text.ends_with('\n');
        self.write(text)
    }

    /// What there is to say at an answer's end, beside its text.
    fn end(&mut self, answer: &Answer) {
        if answer.malformed > 0 {
            say(
                "warning",
                &format!("{} messages could not be read and were skipped: the answer may have holes", answer.malformed),
            );
        }
        if let Some(notice) = &answer.notice {
            say("notice", notice);
        }
        match answer.outcome {
            Some(Outcome::Notice) => self.raise(Status::Notice),
            Some(Outcome::Interrupted(why)) => {
                self.raise(Status::Connection);
                say("interrupted", &why.to_string());
            }
            _ => {}
        }
    }

    fn print_lines(&mut self) -> io::Result<()> {
        let lines = std::mem::take(&mut self.lines);
        let printed = if lines.is_empty() { Ok(()) } else { self.write(&lines) };
        self.lines = lines;
        self.lines.clear();
        printed
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        let text = if self.is_terminal { printable(text) } else { text.into() };
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drives_a_terminal_is_dropped() {
        assert_eq!(printable("a\x1b[31m\rb\u{9b}1m\x7f\n\tc\0"), "a[31mb1m\n\tc");
        assert!(matches!(printable("plain ✓\n"), Cow::Borrowed(_)));
    }
}
