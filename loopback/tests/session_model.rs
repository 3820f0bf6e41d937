//! A session against the model of each generation's server, through random interleavings.
//!
//! Every question asks for a plan of its own, whose pieces name it, so that a piece in the wrong place shows. Time is
//! simulated, and messages take a while in each direction.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chatnio_core::{
    Auth, CloseReason, Config, Conversation, Event, EventStorage, Outcome, Request, RequestError, Session, State,
};
use chatnio_loopback::{Chat, Ending, Generation, Options, Output, Piece, Plan, World};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

const CASES: u32 = 1500;

/// More simulated time than any plan and any deadline needs.
const SETTLED: Duration = Duration::from_secs(120);

/// What the host or the network does.
#[derive(Debug, Clone)]
enum Op {
    Ask(Shape),
    /// Asks as soon as the running turn has ended, which is when a second end is still on its way.
    AskAfterEnd(Shape),
    Restart(Shape),
    Stop,
    Wait(u16),
    /// A request that is not answered.
    Aside(u8),
    /// Messages take so many milliseconds from now on, up and down.
    Latency(u8, u8),
    /// The connection is lost and made anew.
    Lose,
    /// The host reconnects, without a word of loss.
    Reconnect,
}

/// What a turn's plan looks like.
#[derive(Debug, Clone)]
enum Shape {
    /// So many pieces, so many milliseconds apart.
    Pieces(u8, u16),
    /// The first piece comes after so many milliseconds.
    Late(u16),
    /// A notice after so many pieces.
    Notice(u8),
    Empty,
}

impl Shape {
    fn plan(&self, number: usize) -> Plan {
        let piece = |i| format!("<{number}.{i}>");
        let text = |gap, count: u8| Plan::text(Duration::from_millis(gap), (0..count).map(piece));
        match *self {
            Shape::Pieces(count, gap) => text(gap.into(), count),
            Shape::Late(delay) => {
                let mut plan = text(20, 3);
                plan.pieces[0].0 = Duration::from_millis(delay.into());
                plan
            }
            Shape::Notice(count) => text(40, count).ending(Ending::Notice(format!("notice {number}"))),
            Shape::Empty => text(0, 0),
        }
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![
        4 => (0..20u8, 0..150u16).prop_map(|(count, gap)| Shape::Pieces(count, gap)),
        1 => (0..9000u16).prop_map(Shape::Late),
        1 => (0..4u8).prop_map(Shape::Notice),
        1 => Just(Shape::Empty),
    ]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        3 => shapes().prop_map(Op::Ask),
        4 => shapes().prop_map(Op::AskAfterEnd),
        1 => shapes().prop_map(Op::Restart),
        5 => Just(Op::Stop),
        5 => prop_oneof![0..20u16, 0..300u16, 0..12_000u16].prop_map(Op::Wait),
        1 => any::<u8>().prop_map(Op::Aside),
        1 => (0..60u8, 0..60u8).prop_map(|(up, down)| Op::Latency(up, down)),
        1 => Just(Op::Lose),
        1 => Just(Op::Reconnect),
    ];
    vec(op, 1..40)
}

/// What the host knows of a turn that it began.
#[derive(Debug)]
struct Turn {
    /// All that its plan brings.
    pieces: String,
    /// The notice that its plan ends with.
    notice: Option<String>,
    text: String,
    ends: u32,
    stopped: bool,
}

/// Whether the interesting things happened at all.
#[derive(Debug, Default)]
struct Seen {
    turns: u64,
    stopped: u64,
    notices: u64,
    interrupted: u64,
    complete: u64,
    /// Second ends and the like, by what the session was doing.
    strays_idle: u64,
    strays_asking: u64,
    strays_draining: u64,
    swallowed: u64,
    repeated: u64,
    resumed: u64,
}

struct Simulation<'s> {
    generation: Generation,
    now: Duration,
    session: Session,
    world: World,
    options: Arc<Options>,
    chat: Chat,
    /// What is on its way, and when it arrives.
    up: VecDeque<(Duration, String)>,
    down: VecDeque<(Duration, String)>,
    latency: (Duration, Duration),
    turns: BTreeMap<u64, Turn>,
    /// The plan that is asked for as soon as the session is idle.
    next: Option<usize>,
    /// Whether the server has a question to answer again.
    has_question: bool,
    /// The conversation that this connection asked for, and the one that an opener has named since.
    asked: Option<i64>,
    learnt: Option<i64>,
    seen: &'s mut Seen,
}

impl<'s> Simulation<'s> {
    fn new(generation: Generation, ops: &[Op], seen: &'s mut Seen) -> Self {
        let mut config = Config::default();
        config.first_frame = Duration::from_secs(5);
        config.next_frame = Duration::from_secs(5);
        config.after_stop = Duration::from_secs(3);
        let world = World::new();
        let mut options = Options::new(generation);
        for (number, op) in ops.iter().enumerate() {
            if let Op::Ask(shape) | Op::AskAfterEnd(shape) | Op::Restart(shape) = op {
                options.plans.insert(model(number), shape.plan(number));
            }
        }
        let options = Arc::new(options);
        Simulation {
            generation,
            now: Duration::ZERO,
            session: Session::new(Auth::new("sk-key"), config, Duration::ZERO).unwrap(),
            chat: Chat::new(world.clone(), options.clone()),
            world,
            options,
            up: VecDeque::new(),
            down: VecDeque::new(),
            latency: (Duration::ZERO, Duration::ZERO),
            turns: BTreeMap::new(),
            next: None,
            has_question: false,
            asked: None,
            learnt: None,
            seen,
        }
    }

    fn act(&mut self, number: usize, op: &Op) {
        match op {
            Op::Ask(_) => self.ask(number, false),
            Op::Restart(_) => self.ask(number, true),
            Op::AskAfterEnd(_) => self.next = Some(number),
            Op::Stop => {
                let turn = self.session.answer().map(|answer| answer.turn);
                if self.session.stop(self.now).unwrap() {
                    self.turns.get_mut(&turn.unwrap()).unwrap().stopped = true;
                }
            }
            Op::Wait(millis) => self.run(Duration::from_millis((*millis).into())),
            Op::Aside(which) => {
                let request = match which % 4 {
                    0 => Request::mask_json(r#"[{"role":"system","content":"be brief"}]"#).unwrap(),
                    1 => Request::edit(0, "another"),
                    2 => Request::remove(99),
                    _ => Request::share("nobody's"),
                };
                let idle = self.session.state() == State::Idle;
                assert_eq!(self.session.request(self.now, &request).is_ok(), idle, "sent between turns only");
            }
            Op::Latency(up, down) => {
                self.latency = (Duration::from_millis((*up).into()), Duration::from_millis((*down).into()));
            }
            Op::Lose => {
                let end = self.session.closed(CloseReason::Lost);
                self.note_all(end);
                self.reconnect();
            }
            Op::Reconnect => self.reconnect(),
        }
        self.settle();
    }

    fn ask(&mut self, number: usize, restart: bool) {
        // A restart that finds no answer to take back kills 2023's request loop.
        if restart && self.generation == Generation::G2023 {
            return;
        }
        // The model's name finds the plan; 2023 finds it by the question's first word.
        let request = if restart { Request::restart() } else { Request::chat(format!("@{}", model(number))) };
        match self.session.request(self.now, &request.model(model(number))) {
            Ok(()) => {}
            Err(RequestError::Busy { .. } | RequestError::NothingToRestart) => return,
            Err(error) => panic!("{error}"),
        }
        self.seen.turns += 1;
        let plan = &self.options.plans[&model(number)];
        let pieces = plan.pieces.iter().map(|(_, piece)| match piece {
            Piece::Text(text) => text.as_str(),
            _ => unreachable!("the plans are made of text"),
        });
        let mut turn = Turn { pieces: pieces.collect(), notice: None, text: String::new(), ends: 0, stopped: false };
        turn.notice = match &plan.ending {
            Ending::Notice(text) => Some(text.clone()),
            _ if turn.pieces.is_empty() && self.generation == Generation::G2023 => {
                Some("Sorry, I don't understand. Please try again.".into())
            }
            _ if turn.pieces.is_empty() => Some("empty response".into()),
            _ => None,
        };
        if restart && !self.has_question {
            turn.pieces.clear();
            turn.notice = Some("request failed with status code: 500".into());
        }
        self.has_question |= !restart;
        self.turns.insert(self.session.answer().unwrap().turn, turn);
    }

    fn reconnect(&mut self) {
        let end = self.session.reconnect(self.now);
        self.note_all(end);
        assert_eq!(self.session.state(), State::Idle);
        // What was on its way is lost.
        self.chat.handle_eof(self.now);
        self.up.clear();
        self.down.clear();
        self.chat = Chat::new(self.world.clone(), self.options.clone());
        self.asked = self.learnt.take().or(self.asked);
        self.has_question = self.asked.is_some();
    }

    /// Lets time go by, and everything happen that is due.
    fn run(&mut self, span: Duration) {
        let until = self.now + span;
        for _ in 0..100_000 {
            self.settle();
            let up = self.up.front().map(|(at, _)| *at);
            let down = self.down.front().map(|(at, _)| *at);
            let session = self.session.next_deadline();
            let chat = self.chat.next_deadline();
            let Some(next) = [up, down, session, chat].into_iter().flatten().min().filter(|at| *at <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(next);
            if up.is_some_and(|at| at <= self.now) {
                let (_, message) = self.up.pop_front().unwrap();
                self.chat.receive(self.now, &message);
            } else if down.is_some_and(|at| at <= self.now) {
                let (_, message) = self.down.pop_front().unwrap();
                self.receive(&message);
            } else if chat.is_some_and(|at| at <= self.now) {
                self.chat.handle_timeout(self.now);
            } else {
                let mut storage = EventStorage::new();
                while let Some(event) = self.session.handle_timeout(self.now, &mut storage) {
                    self.note_all(Some(event));
                }
            }
        }
        panic!("livelock: some deadline does not move");
    }

    /// Puts on its way what either side wants to send.
    fn settle(&mut self) {
        loop {
            while let Some(message) = self.session.poll_transmit() {
                let at = (self.now + self.latency.0).max(self.up.back().map_or(Duration::ZERO, |(at, _)| *at));
                self.up.push_back((at, message.to_string()));
            }
            while let Some(output) = self.chat.poll_output(self.now) {
                let Output::Frame(frame) = output else { panic!("nothing asked for {output:?}") };
                let at = (self.now + self.latency.1).max(self.down.back().map_or(Duration::ZERO, |(at, _)| *at));
                self.down.push_back((at, frame));
            }
            match self.next.take_if(|_| self.session.state() == State::Idle) {
                Some(number) => self.ask(number, false),
                None => return,
            }
        }
    }

    fn receive(&mut self, message: &str) {
        let state = self.session.state();
        let mut storage = EventStorage::new();
        let event = self.session.receive(self.now, message, &mut storage).unwrap();
        self.note(state, event);
    }

    /// Holds what the session says against what was asked.
    fn note(&mut self, before: State, event: Event<'_>) {
        match event {
            Event::Opened { turn, conversation, .. } => {
                assert_eq!(Some(&turn), self.turns.keys().last());
                let id = conversation.id().unwrap();
                self.seen.resumed += u64::from(matches!(conversation, Conversation::Resumed { .. }));
                match self.asked {
                    None => assert_eq!(conversation, Conversation::New { id }),
                    Some(asked) => assert_eq!(conversation, Conversation::Resumed { id: asked }),
                }
                self.learnt = Some(id);
            }
            Event::Delta { turn, text, .. } => {
                assert_eq!(Some(&turn), self.turns.keys().last());
                self.turns.get_mut(&turn).unwrap().text += text;
            }
            Event::End(end) => {
                let answer = &end.answer;
                let turn = self.turns.get_mut(&answer.turn).unwrap();
                turn.text += end.text;
                turn.ends += 1;
                assert_eq!(turn.ends, 1, "a turn ends once");
                assert_eq!(turn.text, answer.text);
                assert!(turn.pieces.starts_with(&turn.text), "only its own pieces, in order: {turn:?}");
                let outcome = answer.outcome.unwrap();
                match outcome {
                    Outcome::Complete => assert_eq!((&turn.text, &turn.notice), (&turn.pieces, &None)),
                    Outcome::Notice => assert_eq!((&turn.text, &turn.notice), (&turn.pieces, &answer.notice)),
                    _ => {}
                }
                match outcome {
                    Outcome::Complete => self.seen.complete += 1,
                    Outcome::Notice => self.seen.notices += 1,
                    Outcome::Stopped => self.seen.stopped += 1,
                    _ => self.seen.interrupted += 1,
                }
                if !matches!(outcome, Outcome::Interrupted(_)) {
                    assert_eq!(outcome == Outcome::Stopped, turn.stopped);
                }
            }
            Event::Stray { text, .. } => {
                if let Some(answer) = self.session.answer() {
                    let own = &self.turns[&answer.turn].pieces;
                    assert!(text.is_empty() || !own.contains(text), "a stray is no piece of the running turn");
                }
                match before {
                    State::Idle => self.seen.strays_idle += 1,
                    State::Asking | State::Stopping => self.seen.strays_asking += 1,
                    State::Draining => self.seen.strays_draining += 1,
                    state => panic!("a stray while {state:?}"),
                }
            }
            Event::StopRepeated { .. } => self.seen.repeated += 1,
            Event::KeepAlive => {}
            event => panic!("{event:?}"),
        }
    }

    fn note_all(&mut self, event: Option<Event<'_>>) {
        if let Some(event) = event {
            self.note(self.session.state(), event);
        }
    }
}

fn model(number: usize) -> String {
    format!("plan-{number}")
}

fn hold(generation: Generation) -> Seen {
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let seen = RefCell::new(Seen::default());
    let result = runner.run(&ops(), |ops| {
        let mut seen = seen.borrow_mut();
        let mut simulation = Simulation::new(generation, &ops, &mut seen);
        for (number, op) in ops.iter().enumerate() {
            simulation.act(number, op);
        }
        simulation.run(SETTLED);
        assert!(simulation.turns.values().all(|turn| turn.ends == 1), "a turn that was answered ends");
        assert_eq!(simulation.session.state(), State::Idle, "nothing is left open");
        let swallowed = simulation.world.stats().stops_swallowed;
        seen.swallowed += swallowed;
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{generation}: {error}"));
    seen.into_inner()
}

#[test]
fn against_2023() {
    let seen = hold(Generation::G2023);
    assert!(seen.complete > 100 && seen.stopped > 100 && seen.notices > 100 && seen.interrupted > 100, "{seen:?}");
    assert!(seen.repeated > 10 && seen.strays_draining > 100, "{seen:?}");
    assert_eq!((seen.strays_idle, seen.strays_asking), (0, 0), "there is never a second end: {seen:?}");
}

#[test]
fn against_2024() {
    let seen = hold(Generation::G2024);
    assert!(seen.complete > 100 && seen.stopped > 100 && seen.notices > 100 && seen.interrupted > 100, "{seen:?}");
    assert!(seen.repeated > 10 && seen.strays_draining > 100 && seen.resumed > 100, "{seen:?}");
    assert_eq!((seen.strays_idle, seen.strays_asking), (0, 0), "there is never a second end: {seen:?}");
}

#[test]
fn against_2026() {
    let seen = hold(Generation::G2026);
    assert!(seen.complete > 100 && seen.stopped > 100 && seen.notices > 100 && seen.interrupted > 100, "{seen:?}");
    assert!(seen.repeated > 10 && seen.strays_draining > 100 && seen.resumed > 100, "{seen:?}");
    assert!(seen.strays_idle > 100 && seen.strays_asking > 100 && seen.swallowed > 10, "{seen:?}");
}
