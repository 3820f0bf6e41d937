//! Measures stops on the model of the newest server: how long they take, and how many cost the next question, by when
//! the stop is repeated, how often, and how long the next question is held after the end.
//!
//! ```text
//! cargo run -p chatnio-loopback --example stop_cells [RUNS]
//! ```

mod run;

use std::time::Duration;

use run::{Policy, Scene, Seen};

/// When the stop is repeated for the first time; each further repeat comes after twice as long.
const FIRST_REPEATS: [u64; 3] = [150, 250, 500];

const REPEATS: [u32; 5] = [0, 1, 2, 3, 4];

const HOLDS: [u64; 5] = [0, 50, 100, 250, 400];

/// What a write takes in the mean: on a server at rest, and on one as busy as that on which 59 of 160 questions were
/// lost (protocol.md, R5.5).
const WRITE_TIMES: [u64; 2] = [2, 30];

fn main() {
    let runs = std::env::args().nth(1).map_or(1000, |runs| runs.parse().expect("RUNS is a number"));
    println!(
        "{runs} runs a cell. Stop times in ms: median, and 90 % are shorter than. Next questions lost, by a hold of"
    );
    println!("{HOLDS:?} ms.");
    for write_time in WRITE_TIMES {
        println!("\nA write takes {write_time} ms in the mean:\n");
        let heads = Scene::ALL.map(|scene| format!("{scene:?}: stop | lost"));
        println!("| repeats at | {} |\n| --- {}|", heads.join(" | "), "| --- | --- ".repeat(heads.len()));
        for count in REPEATS {
            let firsts = if count == 0 { &FIRST_REPEATS[..1] } else { &FIRST_REPEATS[..] };
            for first in firsts {
                let repeats: Vec<Duration> = (0..count).map(|repeat| Duration::from_millis(first << repeat)).collect();
                let cells = Scene::ALL.map(|scene| cell(scene, &repeats, Duration::from_millis(write_time), runs));
                let repeats: Vec<_> = repeats.iter().map(Duration::as_millis).collect();
                println!("| {repeats:?} | {} |", cells.join(" | "));
            }
        }
    }
}

fn cell(scene: Scene, repeats: &[Duration], write_time: Duration, runs: u64) -> String {
    let seen = |hold| -> Vec<Seen> {
        let policy = Policy { repeats: repeats.to_vec(), hold: Duration::from_millis(hold) };
        (0..runs).map(|seed| run::run(scene, &policy, write_time, seed)).collect()
    };
    let runs = HOLDS.map(seen);
    let mut times: Vec<Option<u128>> =
        runs[0].iter().map(|seen| seen.stopped_after.map(|after| after.as_millis())).collect();
    // Those that the session gave up on took longest.
    times.sort_unstable_by_key(|time| time.unwrap_or(u128::MAX));
    let at = |part: usize| times[times.len() * part / 100].map_or_else(|| "-".to_owned(), |time| time.to_string());
    let lost = runs.map(|runs| runs.iter().filter(|seen| !seen.answered).count().to_string());
    format!("{}, {} | {}", at(50), at(90), lost.join(" "))
}
