//! One run of a measurement: a question, its stop, and the next question, by a session against the model of the newest
//! server. Time is simulated, and everything random follows from a seed.

use std::time::Duration;

use chatnio_core::{Config, Request, State};
use chatnio_loopback::{Generation, Options, Plan, World};
use link::Link;

#[path = "link.rs"]
mod link;

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

/// One run. `write_time` says how busy the server is: what a write to its database takes in the mean.
pub(crate) fn run(scene: Scene, policy: &Policy, write_time: Duration, seed: u64) -> Seen {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut millis = |range| Duration::from_millis(random.u64(range));
    let mut options = Options::new(Generation::G2026);
    options.write_time = write_time;
    options.seed = Some(seed);
    options.web_search = Duration::from_secs(3);
    options.plans.insert("short".to_owned(), Plan::text(millis(50..150), ["one", "two"]));
    let mut config = Config::default();
    config.stop_repeats.clone_from(&policy.repeats);
    config.settle = policy.hold;
    let mut run = Link::new(World::new(), options, config, millis(0..3));
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
