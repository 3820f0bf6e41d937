//! `Simulation`: plays a case. Every question asks for a plan of its own, whose pieces name it, so that a piece in the wrong
//! place shows. Time is simulated, and messages take a while in each direction.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chatnio_core::{
    Auth, CloseReason, Conversation, Event, EventStorage, Request, RequestError, RequestKind, Session, State,
};
use chatnio_loopback::{Chat, Ending, Generation, Options, Output, Piece, World};
use fastrand::Rng;

use crate::belief::{Belief, Frame};
use crate::case::{Case, Op, Within};
use crate::deviant::Deviant;
use crate::turns::{Seen, Trust, Turn, Turns};

/// More simulated time than any plan and any deadline needs.
const SETTLED: Duration = Duration::from_secs(120);

/// More than is ever due at one moment.
const DUE: usize = 20;

/// For how long the network may hold frames back.
const HELD_BACK: Duration = Duration::from_millis(300);

/// What an empty session may hold.
const SMALL: usize = 4096;

pub(crate) struct Simulation<'s> {
    case: &'s Case,
    rng: Rng,
    now: Duration,
    session: Session,
    world: World,
    options: Arc<Options>,
    chat: Chat,
    /// The host has left it.
    has_left: bool,
    /// It is not the first.
    is_another: bool,
    deviant: Option<Deviant>,
    belief: Belief,
    /// What is on its way, and when it arrives; and what the server still keeps back.
    up: VecDeque<(Duration, String)>,
    down: VecDeque<(Duration, String)>,
    late: Vec<(Duration, String)>,
    latency: (Duration, Duration),
    turns: Turns,
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
    pub(crate) fn play(case: &'s Case, seen: &'s mut Seen) {
        let mut simulation = Self::new(case, seen);
        for (number, op) in case.ops.iter().enumerate() {
            simulation.act(number, op);
        }
        simulation.run(SETTLED);
        if !case.is_deviant {
            assert!(simulation.turns.all_have_ended(), "a turn that was answered ends");
            assert_eq!(simulation.session.state(), State::Idle, "nothing is left open");
        }
        simulation.leave(CloseReason::Host);
        assert!(simulation.turns.all_have_ended(), "every turn ends");
        let stats = simulation.world.stats();
        simulation.seen.swallowed += stats.stops_swallowed;
        simulation.seen.idle += stats.stops_idle;
    }

    fn new(case: &'s Case, seen: &'s mut Seen) -> Self {
        let world = World::new();
        let mut options = Options::new(case.generation);
        (options.write_time, options.seed) = (case.write_time, Some(case.seed));
        for (number, op) in case.ops.iter().enumerate() {
            if let Op::Ask(shape, _) | Op::AskAfterEnd(shape) | Op::Restart(shape) = op {
                options.plans.insert(model(number), shape.plan(number));
            }
        }
        let options = Arc::new(options);
        let mut simulation = Simulation {
            case,
            rng: Rng::with_seed(case.seed ^ 0x5DEE_CE66),
            now: Duration::ZERO,
            session: Session::new(Auth::new("sk-key"), case.config.clone(), Duration::ZERO).unwrap(),
            chat: Chat::new(world.clone(), options.clone()),
            world,
            options,
            has_left: false,
            is_another: false,
            deviant: None,
            belief: Belief::default(),
            up: VecDeque::new(),
            down: VecDeque::new(),
            late: Vec::new(),
            latency: (Duration::ZERO, Duration::ZERO),
            turns: Turns::default(),
            next: None,
            has_question: false,
            asked: None,
            learnt: None,
            seen,
        };
        simulation.meet();
        simulation
    }

    /// A new connection's server.
    fn meet(&mut self) {
        let opens = self.case.generation != Generation::G2023;
        self.deviant = self.case.is_deviant.then(|| Deviant::new(&mut self.rng, opens));
    }

    fn act(&mut self, number: usize, op: &Op) {
        match op {
            Op::Ask(_, within) => self.ask(number, false, *within),
            Op::Restart(_) => self.ask(number, true, None),
            Op::AskAfterEnd(_) => self.next = Some(number),
            Op::Stop => self.stop(),
            Op::Wait(span) => self.run(*span),
            Op::Tell(which) => self.tell(*which),
            Op::Latency(up, down) => self.latency = (*up, *down),
            Op::Lose => {
                self.seen.lost += 1;
                self.leave(CloseReason::Lost);
                self.reconnect();
            }
            Op::Close(span) => {
                self.seen.closed += 1;
                self.leave(CloseReason::Host);
                self.run(*span);
                self.reconnect();
            }
            Op::Reconnect => {
                self.crowd();
                self.reconnect();
            }
        }
        self.settle();
        self.check();
    }

    fn tell(&mut self, which: u8) {
        let request = match which % 4 {
            0 => Request::mask_json(r#"[{"role":"system","content":"be brief"}]"#).unwrap(),
            1 => Request::edit(0, "another"),
            2 => Request::remove(99),
            _ => Request::share("nobody's"),
        };
        let is_idle = self.session.state() == State::Idle;
        let is_taken = self.session.request(self.now, &request).is_ok();
        assert_eq!(is_taken, is_idle, "sent between turns only");
        if is_taken {
            self.turns.accept(request.kind());
            self.seen.told += 1;
            // A restart finds the mask.
            self.has_question |= request.kind() == RequestKind::Mask;
        }
    }

    fn stop(&mut self) {
        let turn = self.session.answer().map(|answer| answer.turn);
        match self.session.stop(self.now) {
            Ok(true) => self.turns.running(turn.expect("a turn runs")).stopped = true,
            Ok(false) => {}
            Err(error) => assert_eq!((error, self.session.state()), (RequestError::Closed, State::Closed)),
        }
    }

    fn ask(&mut self, number: usize, is_restart: bool, within: Option<Within>) {
        // A restart that finds no answer to take back kills 2023's request loop.
        if is_restart && self.case.generation == Generation::G2023 {
            return;
        }
        // On a later connection it may find a question all the same: of a conversation whose id was not taken yet when this
        // one authenticated (protocol.md, R1.10 and R7.5). And one that was named by a lie has none.
        if is_restart && self.is_another && (!self.has_question || self.case.is_deviant) {
            return;
        }
        // The model's name finds the plan; 2023 finds it by the question's first word.
        let request = if is_restart { Request::restart() } else { Request::chat(format!("@{}", model(number))) };
        let mut request = request.model(model(number));
        if let Some(within) = within {
            request = within.bound(request);
        }
        let state = self.session.state();
        match self.session.request(self.now, &request) {
            Ok(()) => assert_eq!(state, State::Idle, "it takes requests while it is idle"),
            Err(RequestError::NothingToRestart) => return,
            Err(error) => {
                let is_closed = state == State::Closed;
                assert!(state != State::Idle && (error == RequestError::Closed) == is_closed, "{state:?}: {error}");
                return;
            }
        }
        let kind = if is_restart { RequestKind::Restart } else { RequestKind::Chat };
        self.turns.accept(kind);
        self.belief.begin();
        let turn = self.planned(number, is_restart);
        // The notice of a restart without one is stored, too (protocol.md, R4.11), and the next finds that.
        self.has_question = true;
        self.turns.begin(self.session.answer().expect("a turn runs").turn, turn);
    }

    /// What a question's answer is to be.
    fn planned(&self, number: usize, is_restart: bool) -> Turn {
        let plan = &self.options.plans[&model(number)];
        let pieces = plan.pieces.iter().map(|(_, piece)| match piece {
            Piece::Text(text) => text.as_str(),
            _ => unreachable!("the plans are made of text"),
        });
        let pieces: String = pieces.collect();
        if is_restart && !self.has_question {
            return Turn::new(number, String::new(), Some("request failed with status code: 500".into()));
        }
        let notice = match &plan.ending {
            Ending::Notice(text) => Some(text.clone()),
            _ if pieces.is_empty() && self.case.generation == Generation::G2023 => {
                Some("Sorry, I don't understand. Please try again.".into())
            }
            _ if pieces.is_empty() => Some("empty response".into()),
            _ => None,
        };
        Turn::new(number, pieces, notice)
    }

    /// The connection ends, and with it all that was on its way to the host.
    fn leave(&mut self, reason: CloseReason) {
        self.seen.betrayed += u64::from(self.belief.is_betrayed);
        let is_crowded = self.session.holds_frames();
        let end = self.session.closed(reason);
        self.note_last(end, is_crowded);
        if reason == CloseReason::Host {
            self.send();
            assert!(self.turns.is_sent(), "what was held goes out before the close");
        }
        self.disconnect();
        self.check();
    }

    fn disconnect(&mut self) {
        self.turns.disconnect();
        if let Some(deviant) = self.deviant.take().filter(|deviant| deviant.has_deviated) {
            self.seen.deviations[deviant.number()] += 1;
        }
        self.chat.handle_eof(self.now);
        self.has_left = true;
        self.belief = Belief::default();
        self.up.clear();
        self.down.clear();
        self.late.clear();
    }

    /// The network holds back what the server sends meanwhile; then it comes in one message, of which the host takes the
    /// first frame.
    fn crowd(&mut self) {
        let until = self.now + HELD_BACK;
        for _ in 0..DUE {
            let Some(at) = self.chat.next_deadline().filter(|at| *at <= until) else { break };
            self.now = self.now.max(at);
            self.chat.handle_timeout(self.now);
            self.settle();
        }
        let frames: String = self.down.drain(..).map(|(_, frame)| frame).collect();
        if !frames.is_empty() && self.session.state() != State::Closed {
            self.receive(&frames);
            self.seen.crowded += u64::from(self.session.holds_frames());
        }
    }

    fn reconnect(&mut self) {
        let is_crowded = self.session.holds_frames();
        let end = self.session.reconnect(self.now);
        self.note_last(end, is_crowded);
        assert!(!self.session.holds_frames(), "frames of an old connection are none of the next");
        assert_eq!(self.session.state(), State::Idle);
        self.disconnect();
        self.chat = Chat::new(self.world.clone(), self.options.clone());
        (self.has_left, self.is_another) = (false, true);
        self.meet();
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
            let late = self.late.iter().map(|(at, _)| *at).min();
            let session = self.session.next_deadline();
            assert!(session.is_none_or(|at| at > self.now), "it spins");
            let chat = self.chat.next_deadline();
            let next = [up, down, late, session, chat].into_iter().flatten().min();
            let Some(next) = next.filter(|at| *at <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(next);
            let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= self.now);
            if is_due(up) {
                let (_, message) = self.up.pop_front().unwrap();
                self.chat.receive(self.now, &message);
            } else if is_due(down) {
                let (_, message) = self.down.pop_front().unwrap();
                self.receive(&message);
            } else if is_due(late) {
                let first = self.late.iter().position(|(at, _)| Some(*at) == late).unwrap();
                let (_, message) = self.late.remove(first);
                self.send_down(message);
            } else if is_due(chat) {
                self.chat.handle_timeout(self.now);
            }
            self.timeouts();
            self.check();
        }
        panic!("livelock: some deadline does not move");
    }

    /// Does what is due.
    fn timeouts(&mut self) {
        let mut storage = EventStorage::new();
        for _ in 0..DUE {
            match self.session.handle_timeout(self.now, &mut storage) {
                Some(event) => self.note_due(Some(event)),
                None => return,
            }
        }
        panic!("it spins: what is due comes to no end");
    }

    /// Puts on its way what either side wants to send.
    fn settle(&mut self) {
        loop {
            self.send();
            while let Some(output) = self.chat.poll_output(self.now) {
                let frame = match output {
                    Output::Frame(frame) => frame,
                    Output::Drop if self.has_left => continue,
                    output => panic!("nothing asked for {output:?}"),
                };
                assert!(!self.has_left, "nobody reads it");
                let (at_once, late) = match &mut self.deviant {
                    Some(deviant) => deviant.send(frame),
                    None => (vec![frame], Vec::new()),
                };
                at_once.into_iter().for_each(|frame| self.send_down(frame));
                self.late.extend(late.into_iter().map(|(after, frame)| (self.now + after, frame)));
            }
            match self.next.take_if(|_| self.session.state() == State::Idle) {
                Some(number) => self.ask(number, false, None),
                None => return,
            }
        }
    }

    fn send(&mut self) {
        while let Some(message) = self.session.poll_transmit() {
            self.turns.sent(&message);
            let at = (self.now + self.latency.0).max(self.up.back().map_or(Duration::ZERO, |(at, _)| *at));
            self.up.push_back((at, message.to_string()));
        }
    }

    fn send_down(&mut self, frame: String) {
        let at = (self.now + self.latency.1).max(self.down.back().map_or(Duration::ZERO, |(at, _)| *at));
        self.down.push_back((at, frame));
    }

    fn receive(&mut self, message: &str) {
        let before = self.session.state();
        let mut storage = EventStorage::new();
        let event = self.session.receive(self.now, message, &mut storage);
        if before == State::Closed {
            assert!(event.is_none(), "it is inert");
            return;
        }
        // Nothing is, before the question has gone out.
        let is_awaited = before != State::Idle && self.turns.is_sent();
        let is_over = self.session.state() == State::Closed;
        self.belief.frame(Frame::read(message), is_awaited);
        assert!(!is_over || self.belief.is_betrayed, "{before:?}: it can be: {message}");
        self.note(before, event.expect("one event for a message"));
        // An opener that comes too late for its turn says it, too.
        self.learnt = self.session.conversation().id();
        if is_over {
            self.turns.disconnect();
        } else if is_awaited && self.session.state() == State::Idle {
            self.belief.ended(matches!(before, State::Stopping | State::Draining));
        }
    }

    fn trust(&self) -> Trust {
        match &self.deviant {
            _ if self.belief.is_betrayed => Trust::Betrayed,
            Some(deviant) if deviant.has_deviated => Trust::Deceived,
            _ => Trust::Full,
        }
    }

    /// Holds what the session says against what was asked.
    fn note(&mut self, before: State, event: Event<'_>) {
        let trust = self.trust();
        assert!(trust == Trust::Full || self.case.is_deviant, "no server is misjudged");
        match event {
            Event::Opened { turn, conversation, .. } => {
                self.turns.running(turn);
                let id = conversation.id().unwrap();
                self.seen.resumed += u64::from(matches!(conversation, Conversation::Resumed { .. }));
                if trust == Trust::Full {
                    match self.asked {
                        None => assert_eq!(conversation, Conversation::New { id }),
                        Some(asked) => assert_eq!(conversation, Conversation::Resumed { id: asked }),
                    }
                }
            }
            Event::Delta { turn, text, .. } => self.turns.running(turn).text += text,
            Event::End(end) => {
                let strangers = self.turns.end(&end, trust, self.case.config.keep_text, self.seen);
                if !strangers.is_empty() {
                    let deviant = self.deviant.as_mut().expect("nobody else deceives");
                    deviant.deceives(&strangers, self.belief.has_opened);
                    self.seen.deceived[deviant.number()] += 1;
                }
            }
            Event::Stray { text, .. } => {
                if let (Trust::Full, Some(turn)) = (trust, self.session.answer().map(|answer| answer.turn)) {
                    let own = &self.turns.running(turn).pieces;
                    assert!(text.is_empty() || !own.contains(text), "a stray is no piece of the running turn");
                }
                match before {
                    State::Idle => self.seen.strays_idle += 1,
                    State::Asking | State::Stopping => self.seen.strays_asking += 1,
                    State::Draining => self.seen.strays_draining += 1,
                    state => assert_eq!(trust, Trust::Betrayed, "a stray while {state:?}"),
                }
            }
            Event::StopRepeated { .. } => self.seen.repeated += 1,
            Event::KeepAlive => {}
            event => panic!("{event:?}"),
        }
    }

    /// The same for what no frame has brought.
    fn note_due(&mut self, event: Option<Event<'_>>) {
        if let Some(event) = event {
            self.note(self.session.state(), event);
        }
    }

    /// What a connection's end brings. It has taken in the frames that waited, if it `is_crowded`, and told of none.
    fn note_last(&mut self, event: Option<Event<'static>>, is_crowded: bool) {
        if let Some(Event::End(end)) = &event
            && is_crowded
        {
            self.turns.untold(&end.answer, self.case.config.keep_text);
        }
        self.note_due(event);
    }

    /// What holds after every step.
    fn check(&mut self) {
        let text = self.session.answer().map_or(0, |answer| answer.text.len());
        assert!(self.session.memory() <= SMALL + 2 * text, "{} bytes are held", self.session.memory());
        if self.session.state() == State::Closed {
            let mut storage = EventStorage::new();
            assert!(self.session.next_deadline().is_none() && self.session.poll_transmit().is_none());
            assert!(self.session.handle_timeout(self.now, &mut storage).is_none());
            assert!(self.session.receive(self.now, "{}", &mut storage).is_none());
            assert_eq!(self.session.request(self.now, &Request::chat("hi")), Err(RequestError::Closed));
            return;
        }
        self.timeouts();
        assert!(self.session.next_deadline().is_none_or(|at| at > self.now), "it spins");
    }
}

fn model(number: usize) -> String {
    format!("plan-{number}")
}
