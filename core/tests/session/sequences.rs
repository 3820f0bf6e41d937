//! Every short sequence of what a host and a server can do, and what must hold after each step: the step is a row of the
//! table of states, a turn ends once and with the text of its pieces, nothing is due for ever, nothing panics.

use std::time::Duration;

use chatnio_core::{
    Answer, Auth, CloseReason, Config, Event, EventStorage, Outcome, Request, RequestError, Session, State,
};

use crate::frames::{end, opener, piece};

/// What can be done. The first of a run is always to ask: nothing much happens before.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Do {
    Ask,
    Restart,
    Tell,
    Stop,
    Opener,
    Piece,
    End,
    Notice,
    SecondEnd,
    Half,
    Several,
    Garbage,
    Empty,
    Binary,
    TooLong,
    /// At the deadline, where there is one.
    Wake,
    Early,
    Late,
    Back,
    Never,
    Lost,
    Close,
    Reconnect,
    Send,
}

const ALL: [Do; 24] = [
    Do::Ask,
    Do::Restart,
    Do::Tell,
    Do::Stop,
    Do::Opener,
    Do::Piece,
    Do::End,
    Do::Notice,
    Do::SecondEnd,
    Do::Half,
    Do::Several,
    Do::Garbage,
    Do::Empty,
    Do::Binary,
    Do::TooLong,
    Do::Wake,
    Do::Early,
    Do::Late,
    Do::Back,
    Do::Never,
    Do::Lost,
    Do::Close,
    Do::Reconnect,
    Do::Send,
];

/// The rows of the docs' table: state, input, next state, event, message.
fn rows() -> Vec<[&'static str; 5]> {
    let cells = |row: &'static str| -> Option<[&'static str; 5]> {
        row.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect::<Vec<_>>().try_into().ok()
    };
    let rows = include_str!("../../src/states.md").lines().filter_map(cells).skip(2);
    // Once an answer has begun, a frame is its own or cannot be.
    rows.filter(|row| row[..2] != ["answering", "stray"]).collect()
}

struct Run<'r> {
    rows: &'r [[&'static str; 5]],
    session: Session,
    storage: EventStorage,
    now: Duration,
    begun: u64,
    ended: u64,
    /// The running turn's text, as its events told it.
    text: String,
    /// How many pieces came: each says which it is.
    pieces: u32,
    done: Vec<Do>,
}

/// How long they are, behind the first question. With 5 it takes half a minute, optimized.
const LEN: u32 = 3;

const MESSAGE_LIMIT: usize = 400;

impl<'r> Run<'r> {
    fn new(rows: &'r [[&'static str; 5]], change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.max_message = MESSAGE_LIMIT;
        change(&mut config);
        let now = Duration::from_secs(1000);
        Run {
            rows,
            session: Session::new(Auth::new("sk-x"), config, now).unwrap(),
            storage: EventStorage::new(),
            now,
            begun: 0,
            ended: 0,
            text: String::new(),
            pieces: 0,
            done: Vec::new(),
        }
    }

    fn act(&mut self, what: Do) {
        self.done.push(what);
        match what {
            Do::Ask => self.request(&Request::chat("hi"), "ask"),
            Do::Restart => self.request(&Request::restart(), "ask"),
            Do::Tell => self.request(&Request::remove(0), "tell"),
            Do::Stop => {
                let before = self.session.state();
                match self.session.stop(self.now) {
                    Ok(sent) => self.row(before, &["stop"], "-", Some(if sent { "stop" } else { "-" })),
                    Err(error) => assert_eq!((error, before), (RequestError::Closed, State::Closed)),
                }
            }
            Do::Opener => self.receive(&opener(29)),
            Do::Piece => {
                self.pieces += 1;
                self.receive(&piece(&format!("p{}", self.pieces), 0.1));
            }
            Do::End => self.receive(&end("", 0.1)),
            Do::Notice => self.receive(&end("no money", 0.0)),
            Do::SecondEnd => self.receive(&end("empty response", 0.0)),
            Do::Half => self.receive(r#"{"message":"h\ud83d"}"#),
            Do::Several => self.receive(&format!("{}{}", piece("s", 0.1), end("t", 0.1))),
            Do::Garbage => self.receive("garbage"),
            Do::Empty => self.receive(""),
            Do::Binary => {
                let before = self.session.state();
                let event = self.session.receive_binary(self.now);
                self.told(before, event, &["unreadable"]);
            }
            Do::TooLong => self.receive(&"x".repeat(MESSAGE_LIMIT + 1)),
            Do::Wake => self.now = self.session.next_deadline().unwrap_or(self.now).max(self.now),
            Do::Early => {
                let due = self.session.next_deadline().is_some_and(|at| at <= self.now + Duration::from_millis(1));
                self.now = self.now.saturating_add(Duration::from_millis(u64::from(!due)));
            }
            Do::Late => self.now = self.now.saturating_add(Duration::from_secs(130)),
            Do::Back => {
                let now = std::mem::take(&mut self.now);
                let deadline = self.session.next_deadline();
                self.timeouts();
                assert!(self.session.next_deadline() >= deadline || deadline.is_none());
                self.now = now;
            }
            Do::Never => self.now = Duration::MAX,
            Do::Lost => self.close(CloseReason::Lost),
            Do::Close => self.close(CloseReason::Host),
            Do::Reconnect => {
                let before = self.session.state();
                let event = self.session.reconnect(self.now);
                self.told(before, event, &["reconnect"]);
            }
            Do::Send => while self.session.poll_transmit().is_some() {},
        }
        self.timeouts();
        self.check();
    }

    fn request(&mut self, request: &Request, input: &str) {
        let before = self.session.state();
        let told = match self.session.request(self.now, request) {
            Ok(()) => {
                self.begun += u64::from(request.kind().begins_turn());
                "-"
            }
            Err(RequestError::Busy { turn }) => {
                assert_eq!(turn, self.begun);
                "busy"
            }
            Err(RequestError::Closed) => "closed",
            Err(RequestError::NothingToRestart) => return assert_eq!(self.session.state(), before),
            Err(other) => panic!("no test knows {other:?}"),
        };
        self.row(before, &[input], told, None);
    }

    fn receive(&mut self, message: &str) {
        const INPUTS: [&str; 7] = ["opener", "piece", "end", "stray", "out of place", "unreadable", "too long"];
        let before = self.session.state();
        let mut storage = std::mem::take(&mut self.storage);
        let event = self.session.receive(self.now, message, &mut storage);
        assert_eq!(event.is_none(), before == State::Closed, "one event for a message");
        self.told(before, event, &INPUTS);
        self.storage = storage;
    }

    fn close(&mut self, reason: CloseReason) {
        let before = self.session.state();
        let event = self.session.closed(reason);
        self.told(before, event, &["close"]);
        assert!(self.session.closed(reason).is_none());
    }

    /// Does what is due: at once all, and then nothing more is.
    fn timeouts(&mut self) {
        let mut storage = std::mem::take(&mut self.storage);
        for _ in 0..20 {
            let before = self.session.state();
            let Some(event) = self.session.handle_timeout(self.now, &mut storage) else {
                self.storage = storage;
                return;
            };
            const INPUTS: [&str; 8] = ["late", "repeat", "silence", "opener", "piece", "end", "stray", "out of place"];
            self.told(before, Some(event), &INPUTS);
        }
        panic!("what is due comes to no end");
    }

    fn told(&mut self, before: State, event: Option<Event<'_>>, inputs: &[&str]) {
        let mut ended: Option<Box<Answer>> = None;
        let told = match event {
            None if before == State::Closed && inputs != ["reconnect"] => "closed",
            None => "-",
            Some(Event::Opened { turn, .. }) => {
                assert_eq!(turn, self.begun);
                "opened"
            }
            Some(Event::Delta { turn, text, .. }) => {
                assert_eq!(turn, self.begun);
                self.text += text;
                "delta"
            }
            Some(Event::End(end)) => {
                self.text += end.text;
                ended = Some(end.answer);
                "end"
            }
            Some(Event::Stray { .. }) => "stray",
            Some(Event::Malformed { .. }) => "malformed",
            Some(Event::StopRepeated { turn }) => {
                assert_eq!(turn, self.begun);
                "stop repeated"
            }
            Some(Event::KeepAlive) => "keep-alive",
            Some(other) => panic!("no test knows {other:?}"),
        };
        if let Some(answer) = ended {
            self.ended += 1;
            assert_eq!((answer.turn, self.ended), (self.begun, self.begun), "a turn ends once");
            assert_eq!(answer.text, std::mem::take(&mut self.text), "the answer is its pieces");
            assert!(answer.notice.is_none() || matches!(answer.outcome, Some(Outcome::Notice | Outcome::Stopped)));
        }
        self.row(before, inputs, told, None);
    }

    /// What has happened is a row of the table.
    fn row(&self, before: State, inputs: &[&str], told: &str, sends: Option<&str>) {
        let after = self.session.state().name();
        let is_it = |row: &&[&str; 5]| {
            row[0] == before.name()
                && inputs.contains(&row[1])
                && row[2] == after
                && row[3] == told
                && sends.is_none_or(|sends| row[4] == sends)
        };
        assert!(
            self.rows.iter().any(|row| is_it(&row)),
            "no row: {before}, one of {inputs:?}: {after}, {told}, {sends:?}"
        );
    }

    fn check(&mut self) {
        let runs = matches!(self.session.state(), State::Asking | State::Answering | State::Stopping);
        assert_eq!(self.begun - self.ended, u64::from(runs));
        assert_eq!(self.session.answer().map(|answer| answer.turn), runs.then_some(self.begun));
        if let Some(at) = self.session.next_deadline() {
            assert!(at > self.now && !self.session.is_due(self.now), "it spins");
            assert_ne!(self.session.state(), State::Closed);
        }
    }
}

#[allow(clippy::disallowed_macros, reason = "a test says which sequence has failed")]
impl Drop for Run<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("after {:?}", self.done);
        }
    }
}

fn every_sequence(len: u32, change: impl Fn(&mut Config) + Copy) {
    let rows = rows();
    for number in 0..ALL.len().pow(len) {
        let mut run = Run::new(&rows, change);
        run.act(Do::Ask);
        let mut left = number;
        for _ in 0..len {
            run.act(ALL[left % ALL.len()]);
            left /= ALL.len();
        }
        run.act(Do::Close);
        assert_eq!(run.ended, run.begun);
    }
}

#[test]
fn with_the_defaults() {
    every_sequence(LEN, |_| {});
}

#[test]
fn with_limits_of_one_and_times_of_all_lengths() {
    every_sequence(LEN, |config| {
        config.max_answer = 1;
        config.keep_alive = Duration::MAX;
        config.first_frame = Duration::MAX;
        config.next_frame = Duration::from_nanos(1);
        config.after_stop = Duration::from_nanos(1);
        config.stop_repeats = vec![Duration::ZERO, Duration::MAX];
        config.settle = Duration::MAX;
        config.auth_at_once = true;
    });
    every_sequence(LEN - 1, |config| {
        config.max_message = 1;
        config.max_answer = 0;
        config.keep_alive = Duration::from_nanos(1);
        config.answer_within = Duration::from_nanos(1);
        config.settle = Duration::ZERO;
        config.stop_repeats = vec![Duration::ZERO; 3];
    });
}

#[test]
fn with_everything_off() {
    every_sequence(LEN, |config| {
        for time in [
            &mut config.keep_alive,
            &mut config.first_frame,
            &mut config.next_frame,
            &mut config.answer_within,
            &mut config.after_stop,
            &mut config.settle,
        ] {
            *time = Duration::ZERO;
        }
        config.stop_repeats.clear();
        config.max_message = 0;
    });
}
