//! `Host`: drives a `Session` on a simulated clock, as a host with a socket would, and checks after every call what
//! must hold after any call.

use std::time::Duration;

use chatnio_core::{
    Answer, Auth, CloseReason, Config, Conversation, Event, EventStorage, Malformed, MessageKind, Outcome, Request,
    RequestError, RequestKind, Session, State,
};

/// More than any test has due at one moment: a deadline that does not move would go beyond.
const BOUND: usize = 20;

/// An event, owned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    Opened { turn: u64, conversation: Conversation },
    Delta { turn: u64, text: String },
    End { last: String, answer: Box<Answer> },
    Stray(String),
    Malformed(Malformed),
    StopRepeated(u64),
    KeepAlive,
}

impl Seen {
    pub(crate) fn new(event: Event<'_>) -> Self {
        match event {
            Event::Opened { turn, conversation, .. } => Seen::Opened { turn, conversation },
            Event::Delta { turn, text, .. } => Seen::Delta { turn, text: text.into() },
            Event::End(end) => {
                assert_eq!(end.turn(), end.answer.turn);
                Seen::End { last: end.text.into(), answer: end.answer }
            }
            Event::Stray { text, .. } => Seen::Stray(text.into()),
            Event::Malformed { error, .. } => Seen::Malformed(error),
            Event::StopRepeated { turn } => Seen::StopRepeated(turn),
            Event::KeepAlive => Seen::KeepAlive,
            other => panic!("no test knows {other:?}"),
        }
    }

    pub(crate) fn delta(turn: u64, text: &str) -> Self {
        Seen::Delta { turn, text: text.into() }
    }

    pub(crate) fn stray(text: &str) -> Self {
        Seen::Stray(text.into())
    }

    /// The answer of an end.
    #[track_caller]
    pub(crate) fn answer(self) -> Box<Answer> {
        match self {
            Seen::End { answer, .. } => answer,
            other => panic!("expected an end, not {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn outcome(self) -> Outcome {
        self.answer().outcome.expect("an answer that was handed over has an outcome")
    }
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The default settings, changed.
pub(crate) fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    change(&mut config);
    config
}

pub(crate) struct Host {
    pub(crate) session: Session,
    pub(crate) now: Duration,
    /// How many turns were begun and how many ends were seen.
    begun: u64,
    ended: u64,
}

impl Host {
    pub(crate) fn new() -> Self {
        Host::with(Auth::new("sk-secret"), Config::default())
    }

    pub(crate) fn with_config(change: impl FnOnce(&mut Config)) -> Self {
        Host::with(Auth::new("sk-secret"), config(change))
    }

    pub(crate) fn with(auth: Auth, config: Config) -> Self {
        Host::starting_at(auth, config, secs(1000))
    }

    pub(crate) fn starting_at(auth: Auth, config: Config, now: Duration) -> Self {
        let host = Host { session: Session::new(auth, config, now).unwrap(), now, begun: 0, ended: 0 };
        host.check_books();
        host
    }

    /// A host whose session has asked `hi`, everything sent.
    pub(crate) fn asking() -> Self {
        let mut host = Host::new();
        host.ask("hi");
        host
    }

    /// A host whose session has shown an opener and is at rest.
    pub(crate) fn with_openers() -> Self {
        let mut host = Host::asking();
        host.receive(&super::frames::opener(29));
        host.receive(&super::frames::end("", 0.1));
        host
    }

    pub(crate) fn state(&self) -> State {
        self.session.state()
    }

    // --- calls ---

    pub(crate) fn request(&mut self, request: &Request) -> Result<(), RequestError> {
        let result = self.session.request(self.now, request);
        self.begun += u64::from(result.is_ok() && request.kind().begins_turn());
        self.check();
        result
    }

    /// Asks, and sends everything.
    #[track_caller]
    pub(crate) fn ask(&mut self, question: &str) {
        self.request(&Request::chat(question)).unwrap();
        assert_eq!(self.sent_kinds().last(), Some(&MessageKind::Request(RequestKind::Chat)));
    }

    pub(crate) fn stop(&mut self) -> Result<bool, RequestError> {
        let result = self.session.stop(self.now);
        self.check();
        result
    }

    /// `None` when the session is closed.
    pub(crate) fn try_receive(&mut self, message: &str) -> Option<Seen> {
        let mut storage = EventStorage::new();
        let seen = self.session.receive(self.now, message, &mut storage).map(Seen::new);
        seen.iter().for_each(|seen| self.count(seen));
        self.check();
        seen
    }

    #[track_caller]
    pub(crate) fn receive(&mut self, message: &str) -> Seen {
        self.try_receive(message).unwrap()
    }

    /// What is wrong with a message that cannot be read.
    #[track_caller]
    pub(crate) fn malformed(&mut self, message: &str) -> Malformed {
        match self.receive(message) {
            Seen::Malformed(error) => error,
            other => panic!("expected a malformed message, not {other:?}"),
        }
    }

    pub(crate) fn close(&mut self, reason: CloseReason) -> Option<Seen> {
        let seen = self.session.closed(reason).map(Seen::new);
        seen.iter().for_each(|seen| self.count(seen));
        self.check();
        seen
    }

    pub(crate) fn reconnect(&mut self) -> Option<Seen> {
        let seen = self.session.reconnect(self.now).map(Seen::new);
        seen.iter().for_each(|seen| self.count(seen));
        self.check();
        seen
    }

    /// What `poll_transmit` hands out now.
    pub(crate) fn sent(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.session.poll_transmit()).map(|message| message.to_string()).collect()
    }

    pub(crate) fn sent_kinds(&mut self) -> Vec<MessageKind> {
        std::iter::from_fn(|| self.session.poll_transmit()).map(|message| message.kind()).collect()
    }

    // --- time ---

    /// Lets time pass, waking at every deadline on the way.
    pub(crate) fn pass(&mut self, span: Duration) -> Vec<Seen> {
        let until = self.now + span;
        let mut all = Vec::new();
        for _ in 0..1000 {
            match self.session.next_deadline() {
                Some(at) if at <= until => all.extend(self.wake(at.max(self.now))),
                _ => {
                    all.extend(self.wake(until));
                    return all;
                }
            }
        }
        panic!("the deadlines up to {until:?} come to no end: {all:?}");
    }

    /// Lets time pass on a host that sleeps through its deadlines and wakes at the end only.
    pub(crate) fn sleep(&mut self, span: Duration) -> Vec<Seen> {
        self.wake(self.now + span)
    }

    /// Wakes at `now` and does what is due until there is nothing more.
    fn wake(&mut self, now: Duration) -> Vec<Seen> {
        self.now = now;
        let mut all = Vec::new();
        while let Some(seen) = self.session.handle_timeout(now, &mut EventStorage::new()).map(Seen::new) {
            self.count(&seen);
            all.push(seen);
            assert!(all.len() < BOUND, "timeouts at {now:?} come to no end: {all:?}");
        }
        // A host that sleeps until a deadline that has passed would spin.
        if let Some(at) = self.session.next_deadline() {
            assert!(at > now, "at {now:?} nothing is due, but the next deadline is {at:?}");
        }
        self.check_books();
        all
    }

    // --- what must hold ---

    /// Where nothing is due, `handle_timeout` does nothing. (Where something is, the next `wake` finds out.)
    fn check(&mut self) {
        if self.session.next_deadline().is_none_or(|at| at > self.now) {
            let before = format!("{:?}", self.session);
            assert!(self.session.handle_timeout(self.now, &mut EventStorage::new()).is_none());
            assert_eq!(format!("{:?}", self.session), before, "an early timeout changed the session");
        }
        self.check_books();
    }

    /// Exactly one end for each turn that was begun, and none is open where none runs.
    fn check_books(&self) {
        let open = u64::from(self.session.answer().is_some());
        assert_eq!(self.begun, self.ended + open);
        match self.state() {
            State::Closed => assert_eq!(self.session.next_deadline(), None),
            State::Idle | State::Draining => assert_eq!(open, 0),
            _ => assert_eq!(open, 1),
        }
        if let Some(answer) = self.session.answer() {
            assert_eq!((answer.turn, answer.outcome), (self.begun, None));
        }
    }

    fn count(&mut self, seen: &Seen) {
        if let Seen::End { answer, .. } = seen {
            self.ended += 1;
            assert_eq!(answer.turn, self.ended, "turns end once and in order");
            assert!(answer.outcome.is_some());
        }
    }
}
