//! What a command says: the answer on stdout, everything else on stderr.

mod markdown;

use std::borrow::Cow;
use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal, Stdout, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use chatnio::transcript::{EventLog, Replayed};
use chatnio::{Answer, Event, Outcome};

use crate::args::OutputArgs;
use crate::status::Status;
use crate::trace::{self, Trace};
use crate::{terminal, words};
use markdown::Markdown;

/// How many writes have begun and ended, of all that this process says.
static BEGUN: AtomicU64 = AtomicU64::new(0);
static ENDED: AtomicU64 = AtomicU64::new(0);

/// A writer whose writes count: see [`under_way`].
pub(crate) struct Counted<W>(pub(crate) W);

impl<W: Write> Counted<W> {
    fn count<T>(&mut self, write: impl FnOnce(&mut W) -> T) -> T {
        BEGUN.fetch_add(1, Ordering::SeqCst);
        let written = write(&mut self.0);
        ENDED.fetch_add(1, Ordering::SeqCst);
        written
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.count(|to| to.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.count(Write::flush)
    }
}

/// While something is being written: a number that is another one as soon as a write has ended. One that stays the same
/// tells that nobody reads.
pub(crate) fn under_way() -> Option<u64> {
    let ended = ENDED.load(Ordering::SeqCst);
    (BEGUN.load(Ordering::SeqCst) != ended).then_some(ended)
}

/// Says something on stderr. A stderr that is closed cannot be told so.
///
/// Control characters are dropped: much of what is said are a server's words, and those must not drive the terminal.
pub(crate) fn say(what: &str, message: &str) {
    let _ = writeln!(Counted(io::stderr()), "{what}: {}", printable(message));
}

/// A text without the control characters that could drive a terminal: all but line breaks and tabs.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let drives = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(drives) { text.chars().filter(|c| !drives(*c)).collect() } else { text.into() }
}

/// Where the first API key in a text begins, as servers make them. It stands behind no letter: there is none in
/// "task-list". Letters are those that have cases, as there is no space between a Chinese word and a key.
pub(crate) fn find_key(text: &str) -> Option<usize> {
    let is_letter = |c: char| c.is_lowercase() || c.is_uppercase();
    text.match_indices("sk-").map(|(at, _)| at).find(|at| !text[..*at].ends_with(is_letter))
}

/// A text with `sk-...` for each API key in it: it may have been typed in the wrong place.
pub(crate) fn without_keys(text: &str) -> String {
    let mut rest = text;
    let mut clean = String::new();
    while let Some(at) = find_key(rest) {
        let (before, key) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = key.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).unwrap_or(key.len());
        if end > 0 {
            clean.push_str("...");
        }
        rest = &key[end..];
    }
    clean + rest
}

/// Writes something that is no answer to stdout; on a terminal without what could drive it.
pub(crate) fn write(text: &str) -> io::Result<()> {
    if io::stdout().is_terminal() { put(&printable(text)) } else { put(text) }
}

fn put(text: &str) -> io::Result<()> {
    let mut out = Counted(io::stdout());
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

/// Writes traces, in colour on a terminal and cut to its width.
pub(crate) fn write_trace(traces: &[Trace]) -> io::Result<()> {
    let is_terminal = io::stdout().is_terminal();
    let width = if is_terminal { terminal::size().0 } else { 0 };
    let mut text = String::new();
    for trace in traces {
        trace::print(trace, is_terminal && !is_without_colour(), width, &mut text);
    }
    put(&text)
}

/// Whether a terminal is to show plain text.
fn is_without_colour() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    is_set("NO_COLOR") || env::var_os("TERM").is_none_or(|term| term == "dumb")
}

/// Prints events, and keeps the status that they lead to.
pub(crate) struct Printer {
    out: Counted<Stdout>,
    view: View,
    /// What an event makes to print, reused.
    text: String,
    status: Status,
}

/// How answers are shown.
enum View {
    /// Not at all.
    Nothing,
    /// As they are; on a terminal without what drives it. Whether the last piece left its line open.
    Plain { is_terminal: bool, is_open: bool },
    /// As Markdown on a terminal.
    Markdown(Box<Markdown>),
    /// As JSON lines.
    Json { log: EventLog, is_terminal: bool },
}

impl View {
    fn plain_or_json(json: bool) -> Self {
        let is_terminal = io::stdout().is_terminal();
        if json {
            View::Json { log: EventLog::new(), is_terminal }
        } else {
            View::Plain { is_terminal, is_open: false }
        }
    }
}

impl Printer {
    /// For answers as they come; `plain` is what the configuration says.
    pub(crate) fn new(args: &OutputArgs, plain: bool) -> Self {
        let is_plain = args.plain || plain || is_without_colour() || !io::stdout().is_terminal();
        Self::with(if args.record.as_deref() == Some(Path::new("-")) {
            View::Nothing
        } else if args.json || is_plain {
            View::plain_or_json(args.json)
        } else {
            View::Markdown(Box::new(Markdown::new()))
        })
    }

    /// For transcripts.
    pub(crate) fn for_replay(json: bool) -> Self {
        Self::with(View::plain_or_json(json))
    }

    fn with(view: View) -> Self {
        Printer { out: Counted(io::stdout()), view, text: String::new(), status: Status::Done }
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
        if let View::Json { log, .. } = &mut self.view {
            *log = EventLog::new();
        }
    }

    /// Prints an event.
    ///
    /// # Errors
    /// When stdout takes nothing more.
    pub(crate) fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        if let View::Json { log, .. } = &mut self.view {
            match event {
                Event::Malformed { error, .. } => log.warning(None, error, &mut self.text),
                event => log.event(event, &mut self.text),
            }
            self.print()?;
        }
        match event {
            Event::Delta { text, .. } => self.piece(text)?,
            Event::End(end) => {
                self.piece(end.text)?;
                self.end_answer()?;
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
            Replayed::Event { line, event: Event::Malformed { error, .. } } => {
                self.raise(Status::Malformed);
                self.warning(line.unwrap_or_default(), error, &words::received(error), file)
            }
            Replayed::Event { event, .. } => {
                if let (Event::Stray { text, .. }, View::Plain { .. }) = (event, &self.view) {
                    say("stray", &format!("{file}: a frame that belongs to no turn: {text:?}"));
                }
                self.event(event)
            }
            Replayed::Warning { line, message } => self.warning(*line, message, message, file),
            _ => Ok(()),
        }
    }

    /// A log has it in the library's words, as in every language.
    fn warning(&mut self, line: usize, logged: &dyn Display, said: &str, file: &dyn Display) -> io::Result<()> {
        if let View::Json { log, .. } = &mut self.view {
            log.warning(Some(line), logged, &mut self.text);
            return self.print();
        }
        say("warning", &format!("{file}: line {line}: {said}"));
        Ok(())
    }

    fn piece(&mut self, piece: &str) -> io::Result<()> {
        if piece.is_empty() {
            return Ok(());
        }
        match &mut self.view {
            View::Nothing | View::Json { .. } => return Ok(()),
            View::Plain { is_open, .. } => {
                *is_open = !piece.ends_with('\n');
                self.text.push_str(piece);
            }
            View::Markdown(markdown) => markdown.push(&printable(piece), &mut self.text),
        }
        self.print()
    }

    /// Closes what the last piece left open.
    fn end_answer(&mut self) -> io::Result<()> {
        match &mut self.view {
            View::Plain { is_open, .. } => {
                if std::mem::take(is_open) {
                    self.text.push('\n');
                }
            }
            View::Markdown(markdown) => markdown.end(&mut self.text),
            View::Nothing | View::Json { .. } => {}
        }
        self.print()
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
            Some(Outcome::Stopped) => say("note", "stopped"),
            // Such as an answer that only calls tools: nothing on the screen looks like a program that failed.
            Some(Outcome::Complete) if answer.text.is_empty() => say("note", "the answer is empty"),
            Some(Outcome::Notice) => self.raise(Status::Notice),
            Some(Outcome::Interrupted(why)) => {
                self.raise(Status::Connection);
                say("interrupted", &words::interruption(why));
            }
            _ => {}
        }
    }

    /// Prints what has been made.
    fn print(&mut self) -> io::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let text = match self.view {
            View::Plain { is_terminal: true, .. } | View::Json { is_terminal: true, .. } => printable(&self.text),
            _ => Cow::Borrowed(&*self.text),
        };
        let printed = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        drop(text);
        self.text.clear();
        printed
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

    #[test]
    fn keys_are_hidden() {
        assert_eq!(without_keys("a sk-abc_D-3, sk- and \"sk-x\""), "a sk-..., sk- and \"sk-...\"");
        assert_eq!(
            without_keys("密钥sk-abc，key=sk-abc %20sk-a/-sk-a_sk-a"),
            "密钥sk-...，key=sk-... %20sk-.../-sk-..."
        );
        for text in ["nothing", "what is a task-list?", "Desk-jobs, DISK: disk-usage", "fläsk-", "task-sk-"] {
            assert_eq!(without_keys(text), text);
        }
    }
}
