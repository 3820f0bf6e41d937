//! What the line plots show: cost against the size of a chunk, the length of an answer, the number of sessions
//! and of connections.

use std::collections::BTreeMap;
use std::io;

use crate::contender::Contender;
use crate::contenders::{answers, connections, sessions};
use crate::groups::{Row, Task, Who};
use crate::messages::Shape;
use crate::results::Figure;
use crate::rounds::{Measured, run};
use crate::world::World;

/// Points of x and y, by the line's name.
pub type Series = BTreeMap<String, Vec<(f64, f64)>>;

/// Measures all of them, and how flat those are that should be.
///
/// # Errors
/// When a contender fails.
pub fn measure(world: &World) -> io::Result<(Series, Vec<Figure>)> {
    let mut series = Series::new();
    sizes(world, &mut series)?;
    let rounds = world.scale.rounds.div_ceil(3);
    let counts = powers_of_ten(10, world.scale.series);
    let chunks = flat(&counts, rounds, |count| answers(count, (20_000 / count).clamp(1, 100)))?;
    series.insert("chunks `Session::receive`".to_owned(), points(&counts, &chunks));
    let most = (world.scale.series / 100).max(10);
    let numbers = powers_of_ten(1, most);
    let many = flat(&numbers, rounds, |count| sessions(count, most * 10))?;
    series.insert("sessions `Session::receive`".to_owned(), points(&numbers, &many));
    let numbers = powers_of_ten(1, (world.scale.series / 1000).clamp(10, 1000));
    let url = &world.addresses.plain;
    let sockets = flat(&numbers, rounds, |count| connections(count, (world.scale.series / 5000).max(1), url))?;
    series.insert("connections `Connection`, over TCP".to_owned(), points(&numbers, &sockets));
    let figures = vec![
        spread("`Session::receive`, answers of 10 to 10^6 chunks: the dearest chunk of the cheapest", &chunks),
        spread("`Session::receive`, 1 to 10^4 sessions in turns: the dearest chunk of the cheapest", &many),
        spread("`Connection`, 1 to 1000 sockets in one thread: the dearest chunk of the cheapest", &sockets),
    ];
    Ok((series, figures))
}

fn powers_of_ten(first: usize, last: usize) -> Vec<usize> {
    std::iter::successors(Some(first), |count| Some(count * 10)).take_while(|count| *count <= last).collect()
}

fn flat(counts: &[usize], rounds: usize, contender: impl Fn(usize) -> Contender) -> io::Result<Vec<Measured>> {
    run(&mut counts.iter().map(|count| contender(*count)).collect::<Vec<_>>(), rounds)
}

fn points(counts: &[usize], measured: &[Measured]) -> Vec<(f64, f64)> {
    counts.iter().zip(measured).map(|(count, measured)| (*count as f64, measured.least())).collect()
}

/// How much the most takes of the least.
fn spread(title: &str, measured: &[Measured]) -> Figure {
    let times: Vec<f64> = measured.iter().map(Measured::least).collect();
    let (least, most) = times.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), time| (a.min(*time), b.max(*time)));
    Figure { title: title.to_owned(), goal: Some(1.2), value: most / least, unit: String::new() }
}

/// Texts from 16 bytes to 16 KiB.
fn sizes(world: &World, series: &mut Series) -> io::Result<()> {
    const IN_MEMORY: [(&str, &str); 4] = [
        ("size `Session::receive`", "session"),
        ("size serde_json", "serde_json"),
        ("size sonic-rs", "sonic-rs"),
        ("size UTF-8 check and copy", "check-and-copy"),
    ];
    const OVER_SOCKET: [(&str, &str); 2] =
        [("size `Client::next` over TCP", "client"), ("size tungstenite over TCP", "tungstenite")];
    for shape in Shape::ALL {
        let Shape::Text(length) = shape else { continue };
        let memory = IN_MEMORY.map(|(name, who)| (name, who, Task::Memory(shape)));
        let socket = OVER_SOCKET.map(|(name, who)| (name, who, Task::Socket { shape, is_tls: false }));
        let all: Vec<_> = memory.into_iter().chain(socket).collect();
        let mut contenders = Vec::new();
        for (_, who, task) in &all {
            let row = Row::peer("", Who::Rust(who));
            contenders.push(row.start(*task, world)?.ok_or_else(|| io::Error::other("an unknown contender"))?);
        }
        let measured = run(&mut contenders, world.scale.rounds.div_ceil(3))?;
        for ((name, ..), measured) in all.iter().zip(measured) {
            series.entry((*name).to_owned()).or_default().push((length as f64, measured.least()));
        }
    }
    Ok(())
}
