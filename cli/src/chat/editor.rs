//! The line editor of a chat on a terminal: its keys, its history and what Tab completes.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{
    Behavior, Cmd, CompletionType, ConditionalEventHandler, Config, Context, Event, EventContext, EventHandler, Helper,
    KeyCode, KeyEvent, Modifiers, Movement, RepeatCount,
};

use super::command;
use super::lines::Line;
use crate::output::{say, without_keys};
use crate::paths;
use crate::words;

const PROMPT: &str = "> ";

/// How many lines the history keeps.
const REMEMBERED: usize = 1000;

/// Reads lines from a terminal, which it talks to even where stdout goes elsewhere.
pub(super) struct Editor {
    editor: rustyline::Editor<Names, FileHistory>,
    history: Option<PathBuf>,
    ctrl_c: Arc<CtrlC>,
}

impl Editor {
    /// `models` are those to complete, `suspend` is what Ctrl-Z does.
    pub(super) fn new(models: Vec<String>, suspend: impl Fn() + Send + Sync + 'static) -> rustyline::Result<Self> {
        let behavior = if io::stdout().is_terminal() { Behavior::Stdio } else { Behavior::PreferTerm };
        let config = Config::builder()
            .behavior(behavior)
            .completion_type(CompletionType::List)
            .max_history_size(REMEMBERED)?
            .history_ignore_space(true)
            .build();
        let mut editor = rustyline::Editor::with_config(config)?;
        editor.set_helper(Some(Names { models }));
        let ctrl_c = Arc::new(CtrlC::default());
        let clear = ClearOrQuit(Arc::clone(&ctrl_c));
        editor.bind_sequence(KeyEvent::ctrl('C'), EventHandler::Conditional(Box::new(clear)));
        editor.bind_sequence(KeyEvent::ctrl('Z'), EventHandler::Conditional(Box::new(Suspend(suspend))));
        editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), EventHandler::Simple(Cmd::Newline));
        let history = paths::state("history");
        if let Some(file) = &history {
            match editor.load_history(file) {
                Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    say("warning", &format!("cannot read the history {}: {}", file.display(), words::system(&error)))
                }
                Ok(()) => {}
            }
        }
        Ok(Editor { editor, history, ctrl_c })
    }

    /// Says that another Ctrl-C quits where one has come as a signal, and shows the prompt again: what was typed, the
    /// terminal has dropped. False when it was said.
    pub(super) fn explain(&self) -> impl Fn() -> bool + Send + use<> {
        let ctrl_c = Arc::clone(&self.ctrl_c);
        move || {
            let mut out = io::stdout();
            // Behind the `^C` that shows.
            let _ = out.write_all(b"\n").and_then(|()| out.flush());
            let is_told = ctrl_c.tell();
            if is_told {
                let _ = out.write_all(PROMPT.as_bytes()).and_then(|()| out.flush());
            }
            is_told
        }
    }

    /// Edits one line.
    pub(super) fn edit(&mut self) -> Line {
        self.ctrl_c.is_told.store(false, Ordering::SeqCst);
        loop {
            match self.editor.readline(PROMPT) {
                Ok(_) if self.ctrl_c.is_pressed.swap(false, Ordering::SeqCst) => {
                    if !self.ctrl_c.tell() {
                        return Line::End;
                    }
                }
                Ok(text) => {
                    self.remember(&text);
                    return Line::Text(text);
                }
                Err(ReadlineError::Interrupted | ReadlineError::Eof) => return Line::End,
                Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => return Line::NotUtf8,
                Err(error) => return Line::Failed(format!("cannot read from the terminal: {}", words::system(&error))),
            }
        }
    }

    /// Keeps a line in the history, unless there is a key in it.
    fn remember(&mut self, text: &str) {
        if text.trim().is_empty() || without_keys(text) != text || self.editor.add_history_entry(text).is_err() {
            return;
        }
        if let Some(file) = &self.history
            && let Err(error) = append(&mut self.editor, file)
        {
            say("warning", &format!("cannot write the history {}: {}", file.display(), words::system(&error)));
            self.history = None;
        }
    }
}

fn append(editor: &mut rustyline::Editor<Names, FileHistory>, file: &Path) -> rustyline::Result<()> {
    if !file.exists() {
        paths::make_parent(file)?;
        paths::create_private(file)?;
    }
    editor.append_history(file)
}

/// Ctrl-C on an empty line.
#[derive(Default)]
struct CtrlC {
    /// Whether that has ended the line.
    is_pressed: AtomicBool,
    /// Whether it was told that the next one quits; with nothing but Ctrl-C since.
    is_told: AtomicBool,
}

impl CtrlC {
    /// Says that the next one quits, unless that was said.
    fn tell(&self) -> bool {
        let is_new = !self.is_told.swap(true, Ordering::SeqCst);
        if is_new {
            say("note", "Ctrl-C once more quits, as /quit and Ctrl-D do");
        }
        is_new
    }
}

/// Ctrl-C: clears the line, and ends an empty one. That is no interruption for the editor, which would lose what was typed
/// or pasted behind it, such as the second Ctrl-C of somebody in a hurry.
struct ClearOrQuit(Arc<CtrlC>);

impl ConditionalEventHandler for ClearOrQuit {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        if context.line().is_empty() {
            self.0.is_pressed.store(true, Ordering::SeqCst);
            return Some(Cmd::AcceptLine);
        }
        self.0.is_told.store(false, Ordering::SeqCst);
        Some(Cmd::Kill(Movement::WholeBuffer))
    }
}

/// Ctrl-Z.
struct Suspend<F>(F);

impl<F: Fn() + Send + Sync> ConditionalEventHandler for Suspend<F> {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        (self.0)();
        Some(Cmd::Repaint)
    }
}

/// What Tab completes: commands, and models behind `/model`.
struct Names {
    models: Vec<String>,
}

impl Names {
    fn candidates(&self, before: &str) -> (usize, Vec<String>) {
        let matching = |names: &mut dyn Iterator<Item = &str>, start: &str| -> Vec<String> {
            names.filter(|name| name.starts_with(start)).map(str::to_owned).collect()
        };
        if let Some(start) = before.strip_prefix("/model ") {
            let at = before.len() - start.trim_start().len();
            return (at, matching(&mut self.models.iter().map(String::as_str), &before[at..]));
        }
        if before.starts_with('/') {
            return (0, matching(&mut command::NAMES.into_iter(), before));
        }
        (0, Vec::new())
    }
}

impl Completer for Names {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.candidates(&line[..at]))
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}

impl Validator for Names {}

impl Helper for Names {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tab_completes_commands_and_models() {
        let names = Names { models: vec!["gpt-4".into(), "gpt-3.5-turbo".into(), "other".into()] };
        let candidates = |line| names.candidates(line);
        assert_eq!(candidates("/s"), (0, vec!["/stop".to_owned(), "/system".to_owned()]));
        assert_eq!(candidates("/con"), (0, vec!["/conversation".to_owned()]));
        assert_eq!(candidates("/model gpt-4"), (7, vec!["gpt-4".to_owned()]));
        assert_eq!(candidates("/model ").1.len(), 3);
        assert_eq!(candidates("what"), (0, Vec::new()));
    }
}
