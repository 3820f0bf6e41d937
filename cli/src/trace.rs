//! A transcript seen from inside: every frame, what the client was doing, what came of it, and why.

mod explain;
mod page;
mod text;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chatnio::transcript::{Entry, EntryKind, Replay, Step, Transcript};
use chatnio::{Auth, CloseReason, Config, Event, EventStorage, Outcome, Session, State};
use serde::Serialize;

use crate::status::Status;
use explain::Told;
pub(crate) use page::page;
pub(crate) use text::print;

/// What a transcript does.
#[derive(Debug, Serialize)]
pub(crate) struct Trace {
    /// The file's name.
    name: String,
    url: Option<String>,
    moments: Vec<Moment>,
    /// The text of each turn's answer: once, and not with every piece, or a long one would take memory by its square.
    answers: BTreeMap<u64, String>,
    #[serde(skip)]
    pub(crate) status: Status,
}

/// One frame, or one thing that happens without one.
#[derive(Debug, Serialize)]
struct Moment {
    /// The line in the transcript.
    line: usize,
    /// When that was, in seconds.
    at: Option<f64>,
    direction: Direction,
    /// The message as it is in the transcript; empty for none.
    frame: String,
    /// What the client was doing before and after.
    before: &'static str,
    after: &'static str,
    /// The turn that runs, or that has ended with this.
    turn: Option<u64>,
    /// What the host is told.
    event: String,
    why: String,
    /// How much of that turn's answer there is by then, in the units of JavaScript's strings.
    answered: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Sent,
    Received,
    Closed,
    /// Nothing went over the wire.
    Here,
}

impl Trace {
    /// Plays a transcript. The error is what makes it unplayable.
    pub(crate) fn new(name: String, transcript: &Transcript) -> Result<Self, String> {
        let (mut replay, auth) = Replay::new(transcript);
        let session =
            Session::new(auth.clone(), Config::default(), Duration::ZERO).map_err(|error| error.to_string())?;
        let trace = Trace {
            name,
            url: transcript.url.clone(),
            moments: Vec::new(),
            answers: BTreeMap::new(),
            status: Status::Done,
        };
        let times = transcript.entries.iter().filter_map(|entry| Some((entry.line, entry.at?))).collect();
        let mut player =
            Player { session, trace, auth, times, entries: &transcript.entries, stopped: false, answered: (0, 0) };
        while let Some(step) = replay.next_step(player.session.state()) {
            player.step(step);
        }
        player.pass_over(usize::MAX);
        let before = player.session.state();
        if let Some(event) = player.session.closed(CloseReason::Host) {
            let told = explain::event(&event, before, State::Closed, false);
            player.note_end(&event);
            let line = transcript.entries.last().map_or(1, |entry| entry.line);
            player.push(line, Direction::Here, String::new(), before, told);
        }
        Ok(player.trace)
    }
}

struct Player<'t> {
    session: Session,
    trace: Trace,
    /// Who asks: what is written by hand may hold a token.
    auth: Auth,
    /// When the line was recorded.
    times: HashMap<usize, Duration>,
    /// What is not shown yet.
    entries: &'t [Entry],
    /// Whether the last turn that ended was stopped: that may leave a second end behind.
    stopped: bool,
    /// A turn, and how much of its answer is there.
    answered: (u64, usize),
}

impl Player<'_> {
    fn step(&mut self, step: Step) {
        let before = self.session.state();
        match step {
            Step::Warning { line, message } => {
                self.pass_over(line);
                let (direction, frame) = self.sent_at(line);
                self.push(line, direction, frame, before, Told::new("warning", message));
            }
            Step::Request { line, request } => {
                self.pass_over(line);
                let (direction, frame) = self.sent_at(line);
                let told = match self.session.request(Duration::ZERO, &request) {
                    Ok(()) => {
                        while self.session.poll_transmit().is_some() {}
                        explain::request(request.kind(), self.session.answer().map(|answer| answer.turn))
                    }
                    Err(error) => Told::new("skipped", error.to_string()),
                };
                self.push(line, direction, frame, before, told);
            }
            Step::Receive { line, message } => {
                self.pass_over(line);
                self.entries = self.entries.get(1..).unwrap_or_default();
                let mut storage = EventStorage::new();
                match self.session.receive(Duration::ZERO, &message, &mut storage) {
                    Some(event) => self.came(line, Direction::Received, message.clone(), before, &event),
                    None => {
                        let told = Told::new("closed", "the session is closed");
                        self.push(line, Direction::Received, message, before, told);
                    }
                }
                // The frames behind the first are due at once.
                let mut before = self.session.state();
                while let Some(event) = self.session.handle_timeout(Duration::ZERO, &mut storage) {
                    self.came(line, Direction::Here, String::new(), before, &event);
                    before = self.session.state();
                }
            }
            Step::Closed { line } => {
                self.pass_over(line);
                self.entries = self.entries.get(1..).unwrap_or_default();
                let event = self.session.closed(CloseReason::Server);
                let told = match &event {
                    Some(event) => explain::event(event, before, State::Closed, false),
                    None => Told::new("closed", "the server closed the connection, and no turn ran"),
                };
                let end = event.as_ref().and_then(ended);
                self.take_end(end.as_ref());
                self.push_ended(line, Direction::Closed, String::new(), before, told, end);
            }
            _ => {}
        }
    }

    /// Shows what came of a frame.
    fn came(&mut self, line: usize, direction: Direction, frame: String, before: State, event: &Event<'_>) {
        let (told, end) = match event {
            Event::Malformed { error, .. } => {
                self.trace.status = self.trace.status.max(Status::Malformed);
                (Told::new("malformed", error.to_string()), None)
            }
            event => (explain::event(event, before, self.session.state(), self.stopped), ended(event)),
        };
        self.take_end(end.as_ref());
        self.push_ended(line, direction, frame, before, told, end);
    }

    /// Shows the entries before a line that make no step of their own: the authentication, and keep-alives.
    fn pass_over(&mut self, line: usize) {
        while let [Entry { line: at, kind: EntryKind::Send(message), .. }, rest @ ..] = self.entries
            && *at < line
        {
            self.entries = rest;
            let state = self.session.state();
            self.push(*at, Direction::Sent, message.clone(), state, explain::silent(message));
        }
    }

    /// What was sent at a line, if it was not shown yet: what was held back was.
    fn sent_at(&mut self, line: usize) -> (Direction, String) {
        match self.entries {
            [Entry { line: at, kind: EntryKind::Send(message), .. }, rest @ ..] if *at == line => {
                self.entries = rest;
                (Direction::Sent, message.clone())
            }
            _ => (Direction::Here, String::new()),
        }
    }

    fn push(&mut self, line: usize, direction: Direction, frame: String, before: State, told: Told) {
        self.push_ended(line, direction, frame, before, told, None);
    }

    fn push_ended(
        &mut self,
        line: usize,
        direction: Direction,
        frame: String,
        before: State,
        told: Told,
        end: Option<Ended>,
    ) {
        let ended = end.as_ref().map(|end| (end.turn, &*end.text));
        let turn = ended.or(self.session.answer().map(|answer| (answer.turn, &*answer.text)));
        if let Some((turn, text)) = turn {
            let known = self.trace.answers.entry(turn).or_default();
            let more = text.get(known.len()..).unwrap_or_default();
            known.push_str(more);
            let before = if self.answered.0 == turn { self.answered.1 } else { 0 };
            self.answered = (turn, before + more.encode_utf16().count());
        }
        let frame = self.auth.redact(&frame);
        let at = self.times.get(&line).filter(|_| direction != Direction::Here).map(Duration::as_secs_f64);
        self.trace.moments.push(Moment {
            line,
            at,
            direction,
            frame,
            before: before.name(),
            after: self.session.state().name(),
            turn: turn.map(|(turn, _)| turn),
            event: told.event,
            why: told.why,
            answered: turn.map_or(0, |_| self.answered.1),
        });
    }

    fn take_end(&mut self, end: Option<&Ended>) {
        let Some(end) = end else { return };
        self.stopped = end.outcome == Some(Outcome::Stopped);
        let status = match end.outcome {
            Some(Outcome::Notice) => Status::Notice,
            Some(Outcome::Interrupted(_)) => Status::Connection,
            _ => Status::Done,
        };
        self.trace.status = self.trace.status.max(status);
    }

    fn note_end(&mut self, event: &Event<'_>) {
        self.take_end(ended(event).as_ref());
    }
}

/// What an end leaves.
struct Ended {
    turn: u64,
    outcome: Option<Outcome>,
    text: String,
}

fn ended(event: &Event<'_>) -> Option<Ended> {
    match event {
        Event::End(end) => {
            Some(Ended { turn: end.answer.turn, outcome: end.answer.outcome, text: end.answer.text.clone() })
        }
        _ => None,
    }
}
