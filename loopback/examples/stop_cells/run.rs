//! One run of a measurement: a question, its stop, and the next question, by a session against the model of the newest
//! server. Time is simulated, and everything random follows from a seed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chatnio_core::{Auth, Config, EventStorage, Request, Session, State};
use chatnio_loopback::{Chat, Generation, Options, Output, Plan, World};

/// What is stopped, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// 10 to 50 ms after a question that was asked at once after an end, where the last answer's poller still looks
    /// (protocol.md, R5.3).
    Early,
    /// At some time while an answer comes in.
    Middle,
    /// 0.2 s after a question whose web search takes 3 s (protocol.md, R3.17).
    Search,
}

impl Scene {
    /// All scenes.
    pub(crate) const ALL: [Self; 3] = [Self::Early, Self::Middle, Self::Search];
}

/// How the client stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// When the stop is sent again, counted from the first.
    pub(crate) repeats: Vec<Duration>,
    /// How long the session holds the next question after the end of a turn whose stop was repeated.
    pub(crate) hold: Duration,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// What passed between the stop and the end of its turn; nothing when the session gave up first.
    pub(crate) stopped_after: Option<Duration>,
    /// Whether the next question was answered.
    pub(crate) answered: bool,
}

/// More simulated time than any answer needs, and less than the session's own patience.
const PATIENCE: Duration = Duration::from_secs(60);

/// One run. `write_time` says how busy the server is: what a write to its database takes in the mean.
pub(crate) fn run(scene: Scene, policy: &Policy, write_time: Duration, seed: u64) -> Seen {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut millis = |range| Duration::from_millis(random.u64(range));
    let mut options = Options::new(Generation::G2026);
    options.write_time = write_time;
    options.seed = Some(seed);
    options.web_search = Duration::from_secs(3);
    options.plans.insert("short".to_owned(), Plan::text(millis(50..150), ["one", "two"]));
    let mut run = Run::new(options, policy, millis(0..3));
    let (question, after) = match scene {
        Scene::Early => {
            run.ask(&Request::chat("first").model("short"));
            run.until(|session| session.state() == State::Idle);
            (Request::chat("q").model("slow"), millis(10..51))
        }
        Scene::Middle => (Request::chat("q").model("slow"), millis(300..3000)),
        Scene::Search => (Request::chat("q").model("slow").web(true), Duration::from_millis(200)),
    };
    run.ask(&question);
    run.wait(after);
    let stopped = run.now;
    run.session.stop(run.now).expect("a stop is small");
    let ended = run.until(|session| matches!(session.state(), State::Idle | State::Draining));
    let stopped_after = (ended && run.session.state() == State::Idle).then(|| run.now - stopped);
    let answered = stopped_after.is_some() && {
        run.ask(&Request::chat("next").model("anon"));
        run.until(|session| session.state() == State::Idle)
    };
    Seen { stopped_after, answered }
}

/// A session and its server, with messages on their way between them.
struct Run {
    now: Duration,
    session: Session,
    chat: Chat,
    up: VecDeque<(Duration, String)>,
    down: VecDeque<(Duration, String)>,
    latency: Duration,
}

impl Run {
    fn new(options: Options, policy: &Policy, latency: Duration) -> Self {
        let mut config = Config::default();
        config.stop_repeats.clone_from(&policy.repeats);
        config.settle = policy.hold;
        Self {
            now: Duration::ZERO,
            session: Session::new(Auth::new("sk-key"), config, Duration::ZERO).expect("a short token"),
            chat: Chat::new(World::new(), Arc::new(options)),
            up: VecDeque::new(),
            down: VecDeque::new(),
            latency,
        }
    }

    fn ask(&mut self, request: &Request) {
        self.session.request(self.now, request).expect("no turn runs");
    }

    fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time go by until the session is as wanted; false when it does not become so.
    fn until(&mut self, mut wanted: impl FnMut(&Session) -> bool) -> bool {
        let end = self.now + PATIENCE;
        while !wanted(&self.session) {
            if !self.step(end) {
                return false;
            }
        }
        true
    }

    /// Carries out what is due next, if it is due by `end`.
    fn step(&mut self, end: Duration) -> bool {
        while let Some(message) = self.session.poll_transmit() {
            self.up.push_back((self.now + self.latency, message.to_string()));
        }
        while let Some(output) = self.chat.poll_output(self.now) {
            let Output::Frame(frame) = output else { panic!("nothing asked for {output:?}") };
            self.down.push_back((self.now + self.latency, frame));
        }
        let first = |queue: &VecDeque<(Duration, String)>| queue.front().map(|(at, _)| *at);
        let (up, down) = (first(&self.up), first(&self.down));
        let due = [up, down, self.session.next_deadline(), self.chat.next_deadline()];
        let Some(due) = due.into_iter().flatten().min().filter(|due| *due <= end) else { return false };
        self.now = self.now.max(due);
        if up.is_some_and(|at| at <= self.now) {
            let (_, message) = self.up.pop_front().expect("it is there");
            self.chat.receive(self.now, &message);
        } else if down.is_some_and(|at| at <= self.now) {
            let (_, message) = self.down.pop_front().expect("it is there");
            self.session.receive(self.now, &message, &mut EventStorage::new()).expect("the session is open");
        } else {
            self.chat.handle_timeout(self.now);
            while self.session.handle_timeout(self.now, &mut EventStorage::new()).is_some() {}
        }
        true
    }
}
