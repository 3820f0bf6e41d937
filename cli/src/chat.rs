//! `chatnio chat`: question after question, in one conversation.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use chatnio::{Client, ClientError, Conversation, Event, Request, State};

use crate::args::{ChatArgs, RequestArgs, chat_help};
use crate::connect::{self, Target};
use crate::interrupt::Interrupts;
use crate::lines::{Line, Lines, WAITING};
use crate::output::{Printer, say};
use crate::status::{Failure, Status};

/// How long a line that comes during an answer may go unnoticed.
const TICK: Duration = Duration::from_millis(50);

/// How often an idle connection is looked after: its keep-alives are many seconds apart.
const IDLE: Duration = Duration::from_secs(1);

/// How many events are taken in at once while no answer runs: a server that never pauses must not keep the user
/// from typing.
const LOOKED_AT: usize = 1000;

pub(crate) fn run(args: &ChatArgs) -> Result<Status, Failure> {
    let mut target = Target::new(&args.connection)?;
    let model = connect::model(&args.request)?;
    target.check(None)?;
    let interrupts = Interrupts::install()?;
    let client = target.connect()?;
    let mut chat = Chat {
        client,
        lines: Lines::new()?,
        printer: Printer::new(false),
        interrupts,
        parameters: &args.request,
        model,
        conversation: None,
        held: VecDeque::new(),
    };
    let talked = chat.talk();
    if let Err(Some(failure)) = talked.map_err(|error| Failure::output(&error)) {
        chat.printer.raise(failure.report());
    }
    if chat.interrupts.leaving() {
        chat.printer.raise(Status::Quit);
    }
    Ok(chat.printer.status())
}

struct Chat<'a> {
    client: Client,
    lines: Lines,
    printer: Printer,
    interrupts: Interrupts,
    parameters: &'a RequestArgs,
    model: String,
    /// The id that was last told.
    conversation: Option<i64>,
    /// Lines that came while an answer ran.
    held: VecDeque<Line>,
}

impl Chat<'_> {
    /// Takes lines until there are no more, or one says to quit.
    ///
    /// # Errors
    /// When stdout takes nothing more.
    fn talk(&mut self) -> io::Result<()> {
        while !self.interrupts.leaving() {
            let text = match self.next_line() {
                Line::Text(text) => text,
                Line::End => break,
                Line::NotUtf8 => {
                    self.refuse("the line is not valid UTF-8 and was skipped");
                    continue;
                }
                Line::TooLong => {
                    self.refuse("the line is over 1 MiB and was skipped");
                    continue;
                }
            };
            let (word, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
            match (word, rest.trim()) {
                ("", _) => {}
                ("/quit", "") => break,
                ("/help", "") => say("help", chat_help()),
                ("/stop", "") => say("note", "no answer is running"),
                ("/model", "") => say("model", &self.model),
                ("/model", name) => name.clone_into(&mut self.model),
                ("/restart", "") => self.ask(Request::restart())?,
                (word, _) if word.starts_with('/') && text.starts_with('/') => {
                    self.refuse(&format!("{word}: no such command, see /help; a space before it makes it a question"));
                }
                _ => self.ask(Request::chat(text))?,
            }
        }
        Ok(())
    }

    fn next_line(&mut self) -> Line {
        if let Some(line) = self.held.pop_front() {
            return line;
        }
        let (client, printer) = (&mut self.client, &mut self.printer);
        self.lines.next(IDLE, || look_after(client, printer))
    }

    /// Says that a line makes no sense.
    fn refuse(&mut self, why: &str) {
        say("error", why);
        self.printer.raise(Status::Usage);
    }

    /// Asks, and prints the answer as it comes.
    fn ask(&mut self, request: Request) -> io::Result<()> {
        let request = connect::with_parameters(request, self.parameters, &self.model);
        let asked = self.ready().and_then(|()| self.client.request(&request));
        if let Err(error) = asked {
            self.failed(error);
            return Ok(());
        }
        self.interrupts.watch(self.client.stopper());
        let answered = self.answer();
        self.interrupts.unwatch();
        match answered {
            Err(Trouble::Client(error)) => self.failed(error),
            Err(Trouble::Output(error)) => {
                let _ = self.client.stop();
                return Err(error);
            }
            Ok(()) => {}
        }
        Ok(())
    }

    /// Connects anew where the connection is gone, or still owes the end of an answer that nobody waits for.
    fn ready(&mut self) -> Result<(), ClientError> {
        look_after(&mut self.client, &mut self.printer);
        let why = match self.client.state() {
            State::Idle => return Ok(()),
            State::Closed => "the connection was lost",
            _ => "the answer before still has no end",
        };
        say("note", &format!("{why}: connecting anew, in the same conversation"));
        self.client.reconnect().map(drop)
    }

    /// Prints the running answer, and takes notice of lines meanwhile.
    fn answer(&mut self) -> Result<(), Trouble> {
        loop {
            for line in self.lines.arrived(WAITING.saturating_sub(self.held.len())) {
                match line {
                    Line::Text(text) if text.trim() == "/stop" => {
                        // A connection that is gone says so itself, after the answer's end.
                        let _ = self.client.stop();
                    }
                    line => self.held.push_back(line),
                }
            }
            let Some(event) = self.client.next_within(TICK)? else {
                if self.client.state() == State::Closed {
                    return Ok(());
                }
                continue;
            };
            self.printer.event(&event).map_err(Trouble::Output)?;
            match event {
                Event::Opened { conversation: Conversation::New { id: id @ 1.. }, .. }
                    if self.conversation.replace(id) != Some(id) =>
                {
                    say("note", &format!("conversation {id}"));
                }
                Event::End(end) => {
                    say("quota", end.answer.quota_text());
                    break;
                }
                _ => {}
            }
        }
        if self.client.state() == State::Closed {
            // It knows more than the answer does about why.
            self.client.next()?;
        }
        Ok(())
    }

    fn failed(&mut self, error: ClientError) {
        self.printer.raise(Failure::from(error).report());
    }
}

/// Keeps an idle connection alive, and takes in what came meanwhile. That it is lost is said with the next question,
/// not into the prompt.
fn look_after(client: &mut Client, printer: &mut Printer) {
    for _ in 0..LOOKED_AT {
        match client.next_within(Duration::ZERO) {
            Ok(Some(Event::Malformed { error, .. })) => {
                say("warning", &error.to_string());
                printer.raise(Status::Malformed);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => break,
        }
    }
}

/// Why an answer is not printed to its end.
enum Trouble {
    Client(ClientError),
    Output(io::Error),
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        Trouble::Client(error)
    }
}
