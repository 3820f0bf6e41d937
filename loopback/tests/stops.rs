//! Stops against the model of the newest server, busy and at rest: none costs the next question, and none takes long.
//! `cargo run -p chatnio-loopback --example stop_cells` measures the same for other policies.

use std::time::Duration;

use run::{Policy, Scene, run};

#[path = "../examples/stop_cells/run.rs"]
mod run;

/// The first repeat, and what each further one waits, in milliseconds.
const REPEATS: [u64; 4] = [150, 1000, 2000, 4000];

/// What the host waits after the end of a turn whose stop was repeated.
const HOLD: Duration = Duration::from_millis(250);

/// A server as busy as the one on which 59 of 160 questions were lost (protocol.md, R5.5).
const BUSY: Duration = Duration::from_millis(30);

fn policy(repeats: usize, hold: Duration) -> Policy {
    Policy { repeats: REPEATS[..repeats].iter().copied().map(Duration::from_millis).collect(), hold }
}

#[test]
fn no_repeated_stop_costs_the_next_question_when_that_is_held() {
    for scene in Scene::ALL {
        for seed in 0..1000 {
            let repeats = usize::try_from(seed % 5).unwrap();
            let seen = run(scene, &policy(repeats, HOLD), BUSY, seed);
            assert!(seen.stopped_after.is_some() && seen.answered, "{scene:?} {seed}, {repeats} repeats: {seen:?}");
        }
    }
}

#[test]
fn without_a_hold_two_repeats_do() {
    let lost = |repeats| {
        (0..200).filter(|seed| !run(Scene::Search, &policy(repeats, Duration::ZERO), BUSY, *seed).answered).count()
    };
    assert_eq!((lost(0), lost(1)), (0, 0));
    assert!(lost(2) > 40 && lost(3) > 40, "the model has it");
}

#[test]
fn an_early_stop_takes_less_than_0_3_s_at_the_median() {
    for write_time in [Duration::from_millis(2), BUSY] {
        let mut times: Vec<_> = (0..201)
            .map(|seed| run(Scene::Early, &policy(1, HOLD), write_time, seed).stopped_after.expect("stopped"))
            .collect();
        times.sort_unstable();
        assert!(times[100] < Duration::from_millis(300), "{:?}", times[100]);
    }
}
