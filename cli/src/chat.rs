//! `chatnio chat`: question after question, in one conversation.

mod command;
mod editor;
mod lines;

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use chatnio::{Client, ClientError, Conversation, Event, MOST_AT_ONCE, MaskMessage, Request, State, Stopper};

use crate::args::{ChatArgs, chat_help};
use crate::conversation::{Conversations, Told};
use crate::interrupt::Interrupts;
use crate::output::{Printer, say};
use crate::record::Recording;
use crate::settings::{Settings, System};
use crate::status::{Failure, Status};
use crate::target::Target;
use crate::words;
use command::Command;
use editor::Editor;
use lines::{Line, Lines, WAITING};

/// How long a line that comes during an answer may go unnoticed.
const TICK: Duration = Duration::from_millis(50);

/// How often an idle connection is looked after: its keep-alives are many seconds apart.
const IDLE: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &ChatArgs) -> Result<Status, Failure> {
    let interrupts = Interrupts::install()?;
    let settings = Settings::new(&args.connection, &args.question, &interrupts)?;
    let mut target = Target::new(&args.connection, &settings)?.in_conversation(&args.conversation, &settings)?;
    if args.output.record.is_some() {
        target.record();
    }
    target.check(None)?;
    let recording = args.output.record.as_deref().map(Recording::create).transpose()?;
    let stopper = Stopper::new();
    interrupts.watch(stopper.clone());
    let client = match target.connect(&stopper) {
        Err(_) if interrupts.leaving() => return Ok(interrupts.status().unwrap_or(Status::Interrupted)),
        connected => connected?,
    };
    interrupts.unwatch();
    let mut models = settings.models.clone();
    models.push(settings.model.clone());
    models.sort();
    models.dedup();
    let editor = || {
        let editor = Editor::new(models, interrupts.suspend())?;
        interrupts.explain_by(editor.explain());
        Ok(editor)
    };
    let lines = Lines::new(editor, target.max_request())?;
    interrupts.wake_by(lines.waker());
    let system_is_due = target.system(&settings).is_some();
    let mut chat = Chat {
        conversations: Conversations::new(target.lasting_endpoint(), settings.profile.as_deref()),
        client: Some(client),
        target,
        lines,
        printer: Printer::new(&args.output, settings.plain),
        interrupts,
        settings,
        system_is_due,
        told: Told::default(),
        recording,
        held: VecDeque::new(),
    };
    let talked = chat.talk();
    if let Err(Some(failure)) = talked.map_err(|error| Failure::output(&error)) {
        chat.printer.raise(failure.report());
    }
    chat.interrupts.terminal().restore();
    if let Some(client) = chat.client.take() {
        chat.record(&client);
    }
    if chat.interrupts.leaving()
        && let Some(status) = chat.interrupts.status()
    {
        chat.printer.raise(status);
    }
    Ok(chat.printer.status())
}

struct Chat {
    target: Target,
    /// `None` where another conversation was asked for and could not be reached yet: nothing is to go to the old one.
    client: Option<Client>,
    lines: Lines,
    printer: Printer,
    interrupts: Interrupts,
    settings: Settings,
    /// Whether the system prompt goes out before the next question.
    system_is_due: bool,
    told: Told,
    conversations: Conversations,
    recording: Option<Recording>,
    /// Lines from a pipe that came while an answer ran, and what stands behind a command in a text of several lines.
    held: VecDeque<Line>,
}

impl Chat {
    /// Takes lines until there are no more, or one says to quit.
    ///
    /// # Errors
    /// When stdout takes nothing more.
    fn talk(&mut self) -> io::Result<()> {
        while !self.interrupts.leaving() {
            match self.next_line() {
                Line::Text(text) => {
                    let (line, rest) = command::split(&text).map_or((&*text, None), |(line, rest)| (line, Some(rest)));
                    if let Some(rest) = rest {
                        self.held.push_front(Line::Text(rest.to_owned()));
                    }
                    match Command::parse(line) {
                        None => {}
                        Some(Command::Quit) => break,
                        Some(command) => self.obey(command)?,
                    }
                }
                Line::End => break,
                Line::Failed(why) => {
                    self.printer.raise(Failure::usage(why).report());
                    break;
                }
                Line::NotUtf8 => self.refuse("the line is not valid UTF-8 and was skipped"),
                Line::TooLong => {
                    let limit = self.target.max_request();
                    self.refuse(&format!(
                        "the line is over {limit} bytes and was skipped; --max-question SIZE allows more"
                    ));
                }
                Line::Woken => {}
            }
        }
        Ok(())
    }

    fn next_line(&mut self) -> Line {
        if let Some(line) = self.held.pop_front() {
            return line;
        }
        let (client, printer) = (&mut self.client, &mut self.printer);
        self.lines.next(IDLE, || client.iter_mut().for_each(|client| look_after(client, printer)))
    }

    fn obey(&mut self, command: Command<'_>) -> io::Result<()> {
        match command {
            Command::Ask(text) => self.ask(Request::chat(text))?,
            Command::Restart => self.ask(Request::restart())?,
            Command::Help => say("help", &chat_help()),
            Command::Stop => say("note", "no answer is running"),
            Command::Model(None) => say("model", &self.settings.model),
            Command::Model(Some(name)) => name.clone_into(&mut self.settings.model),
            Command::System(None) => match &self.settings.system {
                Some(system) => say("system", &system.text),
                None => say("system", "none"),
            },
            Command::System(Some("none")) => {
                self.settings.system = None;
                self.system_is_due = false;
            }
            Command::System(Some(text)) => {
                self.settings.system = Some(System { text: text.to_owned(), is_asked: true });
                self.system_is_due = true;
            }
            Command::New => self.go_to(None),
            Command::Conversation(None) => {
                let known = self.client.as_ref().map(Client::conversation);
                let asked = known.map_or(self.target.conversation(), Conversation::asked);
                match (known.and_then(Conversation::id), asked) {
                    (Some(id @ 1..), _) => say("conversation", &id.to_string()),
                    (Some(_), _) => say("conversation", "none: anonymous conversations are not kept"),
                    (None, Some(asked)) => say("conversation", &format!("{asked}, which the next answer confirms")),
                    (None, None) => say("conversation", "none yet, or the server does not tell"),
                }
            }
            Command::Conversation(Some(id)) => match id.parse() {
                Ok(id @ 1..) => self.go_to(Some(id)),
                _ => self.refuse("/conversation: expected an id, a number from 1"),
            },
            Command::Unknown(why) => self.refuse(&why),
            // Taken before.
            Command::Quit => {}
        }
        Ok(())
    }

    /// Says that a line makes no sense.
    fn refuse(&mut self, why: &str) {
        say("error", why);
        self.printer.raise(Status::Usage);
    }

    /// Goes on in another conversation; `None` begins a new one. That takes a connection of its own.
    fn go_to(&mut self, conversation: Option<i64>) {
        if let Some(client) = self.client.take() {
            self.record(&client);
        }
        self.target.set_conversation(conversation);
        self.told = Told::default();
        self.system_is_due = self.target.system(&self.settings).is_some();
        self.client = self.connect();
    }

    /// Connects to where the target says. Why it could not is said; so it is when Ctrl-C gives it up.
    fn connect(&mut self) -> Option<Client> {
        let stopper = Stopper::new();
        self.interrupts.watch_connect(stopper.clone());
        let connected = self.target.connect(&stopper);
        if self.interrupts.unwatch() {
            say_given_up();
            return None;
        }
        connected.map_err(|failure| self.failed(&failure)).ok()
    }

    /// Keeps what a connection has recorded.
    fn record(&mut self, client: &Client) {
        if let (Some(recording), Some(transcript)) = (&mut self.recording, client.transcript())
            && let Err(failure) = recording.write(&transcript)
        {
            self.printer.raise(failure.report());
        }
    }

    /// Asks, and prints the answer as it comes.
    fn ask(&mut self, request: Request) -> io::Result<()> {
        let request = self.settings.parameters.add_to(request.model(&self.settings.model));
        let Some(mut client) = self.client.take().or_else(|| self.connect()) else { return Ok(()) };
        self.interrupts.watch_connect(client.stopper());
        let sent = self.ready(&mut client).and_then(|()| self.send(&mut client, &request));
        let is_given_up = self.interrupts.watch(client.stopper());
        let answered = match sent {
            _ if is_given_up => {
                say_given_up();
                Ok(())
            }
            Ok(()) => self.answer(&mut client),
            Err(error) => Err(error.into()),
        };
        self.interrupts.unwatch();
        if let Err(Trouble::Output(_)) = answered {
            let _ = client.stop();
        }
        self.client = Some(client);
        match answered {
            Err(Trouble::Client(error)) => self.failed(&self.target.failure(&error)),
            Err(Trouble::Output(error)) => return Err(error),
            Ok(()) => {}
        }
        Ok(())
    }

    /// Connects anew where the connection is gone, or still owes the end of an answer that nobody waits for.
    fn ready(&mut self, client: &mut Client) -> Result<(), ClientError> {
        look_after(client, &mut self.printer);
        let why = match client.state() {
            State::Idle => return Ok(()),
            State::Closed => "the connection was lost",
            _ => "the answer before still has no end",
        };
        let conversation = client.conversation();
        let (is_new, which) = match (conversation.id(), conversation.asked()) {
            (Some(1..), _) | (None, Some(_)) => (false, "in the same conversation"),
            (Some(_), _) => (true, "in a new conversation: anonymous ones are not kept"),
            (None, None) => (true, "in a new conversation: the server has told no id to go on by"),
        };
        if is_new {
            self.system_is_due = self.settings.system.is_some();
        }
        say("note", &format!("{why}: connecting anew, {which}"));
        self.record(client);
        client.reconnect().map(drop)
    }

    fn send(&mut self, client: &mut Client, request: &Request) -> Result<(), ClientError> {
        if let Some(system) = self.settings.system.as_ref().filter(|_| self.system_is_due) {
            client.request(&Request::mask([MaskMessage::new("system", &system.text)]))?;
        }
        client.request(request)?;
        self.system_is_due = false;
        Ok(())
    }

    /// Prints the running answer, and takes notice of lines meanwhile.
    fn answer(&mut self, client: &mut Client) -> Result<(), Trouble> {
        let _quiet = self.interrupts.terminal().quiet();
        loop {
            self.held.extend(self.lines.arrived(WAITING.saturating_sub(self.held.len())));
            if take_stop(&mut self.held) {
                // A connection that is gone says so itself, after the answer's end.
                let _ = client.stop();
            }
            let Some(event) = client.next_within(TICK)? else {
                if client.state() == State::Closed {
                    return Ok(());
                }
                continue;
            };
            if let Event::Opened { conversation, .. } = &event
                && let Some(id) = self.told.tell(*conversation, true)
            {
                self.conversations.keep(id);
            }
            self.printer.event(&event).map_err(Trouble::Output)?;
            if let Event::End(end) = event {
                say("cost", &words::cost(end.answer.quota()));
                break;
            }
        }
        if client.state() == State::Closed {
            // It knows more than the answer does about why.
            client.next()?;
        }
        Ok(())
    }

    fn failed(&mut self, failure: &Failure) {
        if self.interrupts.leaving() {
            return;
        }
        self.printer.raise(failure.report());
    }
}

fn say_given_up() {
    say("note", "gave up connecting; the next question tries it again");
}

/// Takes out a `/stop` that is for the running answer, if one is held. Behind another question, or a line that was to be one
/// and cannot be read, it is for the answer to that.
fn take_stop(held: &mut VecDeque<Line>) -> bool {
    let is_of_another = |line: &Line| match line {
        Line::Text(text) => {
            matches!(Command::parse(text), Some(Command::Ask(_) | Command::Restart | Command::Quit))
        }
        _ => true,
    };
    let is_stop = |line: &Line| matches!(line, Line::Text(text) if Command::parse(text) == Some(Command::Stop));
    let at = held.iter().take_while(|line| !is_of_another(line)).position(is_stop);
    at.and_then(|at| held.remove(at)).is_some()
}

/// Keeps an idle connection alive, and takes in what came meanwhile. That it is lost is said with the next question,
/// not into the prompt. A server that never pauses must not keep the user from typing.
fn look_after(client: &mut Client, printer: &mut Printer) {
    for _ in 0..MOST_AT_ONCE {
        match client.next_within(Duration::ZERO) {
            Ok(Some(Event::Malformed { error, .. })) => {
                say("warning", &words::received(&error));
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
