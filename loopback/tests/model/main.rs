//! A session against models of its servers, through random interleavings: of what a host calls, what a server sends, and
//! what a network does to both. The servers are those of the three generations, and one that deviates from each of them.
//! What must hold is in docs/invariants.md.
//!
//! A case follows from its number alone. `make model CASES=1000000` plays more than `make test` does; one that has failed
//! says how it is played again.

mod belief;
mod case;
mod deviant;
mod simulation;
mod turns;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use case::{Case, Server};
use deviant::Deviation;
use simulation::Simulation;
use turns::Seen;

/// So many cases are played for each kind of server.
const CASES: u64 = 1500;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Plays the cases, on all processors. Whether it was more than one: then what was seen can be asked for.
fn hold(server: Server) -> Option<Seen> {
    let first = number("MODEL_FIRST").unwrap_or(0);
    let count = number("MODEL_CASES").unwrap_or(CASES);
    let workers = thread::available_parallelism().map_or(1, |workers| workers.get() as u64).min(count);
    let seen = thread::scope(|scope| {
        let play = |worker: u64| {
            let mut seen = Seen::default();
            for seed in (first..first + count).filter(|seed| seed % workers == worker) {
                let played = catch_unwind(AssertUnwindSafe(|| Simulation::play(&Case::new(server, seed), &mut seen)));
                if played.is_err() {
                    panic!(
                        "case {seed} of {server:?}; again: MODEL_FIRST={seed} MODEL_CASES=1 \
                         cargo test -p chatnio-loopback --test model {}",
                        server.test()
                    );
                }
            }
            seen
        };
        let workers: Vec<_> = (0..workers).map(|worker| scope.spawn(move || play(worker))).collect();
        let mut seen = Seen::default();
        for worker in workers {
            seen.add(&worker.join().unwrap_or_else(|error| std::panic::resume_unwind(error)));
        }
        seen
    });
    println!("{server:?}, {count} cases: {seen:?}");
    (count >= CASES).then_some(seen)
}

/// What every server has brought about often enough to be believed.
fn is_rich(seen: &Seen) {
    assert!(seen.complete > 100 && seen.stopped > 100 && seen.notices > 100 && seen.interrupted > 100, "{seen:?}");
    assert!(seen.repeated > 10 && seen.strays_draining > 100 && seen.lost > 100 && seen.closed > 100, "{seen:?}");
    assert!(seen.told > 100 && seen.late_by_request > 10 && seen.crowded > 50, "{seen:?}");
}

#[test]
fn against_2023() {
    let Some(seen) = hold(Server::G2023) else { return };
    is_rich(&seen);
    assert_eq!((seen.strays_idle, seen.strays_asking), (0, 0), "there is never a second end: {seen:?}");
}

#[test]
fn against_2024() {
    let Some(seen) = hold(Server::G2024) else { return };
    is_rich(&seen);
    assert!(seen.resumed > 100, "{seen:?}");
    assert_eq!((seen.strays_idle, seen.strays_asking), (0, 0), "there is never a second end: {seen:?}");
}

#[test]
fn against_2026() {
    let Some(seen) = hold(Server::G2026) else { return };
    is_rich(&seen);
    assert!(seen.resumed > 100, "{seen:?}");
    assert!(seen.strays_idle > 100 && seen.strays_asking > 100 && seen.swallowed > 10 && seen.idle > 10, "{seen:?}");
}

#[test]
fn against_one_that_deviates() {
    let Some(seen) = hold(Server::Deviant) else { return };
    is_rich(&seen);
    assert!(seen.deviations.iter().all(|count| *count > 50), "{seen:?}");
    assert!(seen.betrayed > 100 && seen.broken > 50 && seen.believed_after > 25, "{seen:?}");
    // What nobody can tell happens, and seldom: of so many connections on which it could.
    for (at, of) in [(Deviation::RepeatsEnd, 20), (Deviation::Delays, 20), (Deviation::AnswersUnasked, 4)] {
        let at = Deviation::ALL.iter().position(|one| *one == at).unwrap();
        assert!(seen.deceived[at] > 0 && seen.deceived[at] * of < seen.deviations[at], "{seen:?}");
    }
}
