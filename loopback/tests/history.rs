//! A session against the model of the newest server, at rest and busy: what the host requests takes effect, all of it and in
//! its order, however soon after an end it comes (protocol.md, R5.5 and R5.6).

use std::time::Duration;

use chatnio_core::{Config, MaskMessage, Request, State};
use chatnio_loopback::{Generation, Options, World};
use fastrand::Rng;
use link::{KEY, Link};

#[path = "../examples/stop_cells/link.rs"]
mod link;

/// How many turns a run has.
const TURNS: usize = 8;

/// What a host knows of a stored message: its role, and its text where that is the host's own.
type Known = (&'static str, Option<String>);

/// One run of random turns, stops and changes of the history. False when a question was never answered, or the server's
/// history is another than what the host has made it.
fn is_kept(settle: Duration, write_time: Duration, seed: u64) -> bool {
    let mut random = Rng::with_seed(seed);
    let world = World::new();
    let mut options = Options::new(Generation::G2026);
    options.write_time = write_time;
    options.seed = Some(seed);
    options.web_search = Duration::from_secs(3);
    let mut config = Config::default();
    config.settle = settle;
    let mut link = Link::new(world.clone(), options, config, Duration::from_millis(random.u64(0..40)));
    let mut history: Vec<Known> = Vec::new();
    for turn in 0..TURNS {
        let question = format!("question {turn}");
        let model = ["slow", "hello"][random.usize(0..2)];
        link.ask(&Request::chat(&*question).model(model).web(random.u8(0..4) == 0));
        history.push(("user", Some(question)));
        if random.bool() {
            link.wait(Duration::from_millis([random.u64(0..60), random.u64(0..2000)][random.usize(0..2)]));
            link.session.stop(link.now).expect("it is open");
        }
        if !link.until(|session| session.state() == State::Idle) {
            return false;
        }
        history.push(("assistant", None));
        if random.bool() {
            link.wait(Duration::from_millis(random.u64(0..300)));
        }
        // No more than the server's queue holds, whatever waits in it (protocol.md, R2.35).
        for number in 0..random.usize(0..6) {
            change(&mut link, &mut history, &mut random, &format!("change {turn}.{number}"));
        }
    }
    // The last question stores what came before it.
    link.ask(&Request::chat("last").model("hello"));
    history.extend([("user", Some("last".to_owned())), ("assistant", None)]);
    let is_answered = link.until(|session| session.state() == State::Idle);
    link.wait(Duration::from_secs(5));
    let stored = world.messages(KEY, 1).unwrap_or_default();
    let is_same = |(stored, (role, text)): (&chatnio_loopback::Message, &Known)| {
        stored.role == *role && text.as_ref().is_none_or(|text| *text == stored.content)
    };
    is_answered && stored.len() == history.len() && stored.iter().zip(&history).all(is_same)
}

/// Requests a random change of the history, and makes it.
fn change(link: &mut Link, history: &mut Vec<Known>, random: &mut Rng, text: &str) {
    let at = random.usize(0..history.len());
    let index = u32::try_from(at).expect("it is short");
    match random.u8(0..3) {
        0 => {
            link.ask(&Request::mask([MaskMessage::new("system", text)]));
            history.insert(0, ("system", Some(text.to_owned())));
        }
        1 => {
            link.ask(&Request::edit(index, text));
            history[at].1 = Some(text.to_owned());
        }
        _ if history.len() > 1 => {
            link.ask(&Request::remove(index));
            history.remove(at);
        }
        _ => {}
    }
}

#[test]
fn nothing_is_lost_or_reordered() {
    for write_time in [0, 2, 10, 30].map(Duration::from_millis) {
        for seed in 0..200 {
            assert!(is_kept(Config::default().settle, write_time, seed), "{write_time:?}, seed {seed}");
        }
    }
}

#[test]
fn without_a_hold_much_is() {
    let lost = (0..200).filter(|seed| !is_kept(Duration::ZERO, Duration::from_millis(10), *seed)).count();
    assert!(lost > 20, "the model has it: {lost}");
}
