//! What sessions, connections and chunks take of memory, by an allocator that counts: `chatnio-bench-memory PLAIN-URL
//! TLS-URL CA-FILE SESSIONS CHUNKS` writes figures as JSON. `chatnio-bench run` runs it.

use std::alloc::System;
use std::error::Error;
use std::net::TcpStream;

use chatnio_benches::contender::memory_of;
use chatnio_benches::contenders::{Input, named};
use chatnio_benches::messages::Shape;
use chatnio_benches::ours::connection::{Host, config};
use chatnio_benches::ours::session::Idle;
use chatnio_benches::results::Figure;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What goes as nothing: an answer that grows is moved now and then.
const HARDLY: f64 = 0.01;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [plain, tls, ca, sessions, chunks] = &arguments[..] else { return Err("see its documentation".into()) };
    let (sessions, chunks): (usize, usize) = (sessions.parse()?, chunks.parse()?);
    let ca = std::fs::read_to_string(ca)?;
    let mut figures = Vec::new();
    let mut say = |title: &str, goal, value: f64, unit: &str| {
        figures.push(Figure { title: title.to_owned(), goal, value, unit: unit.to_owned() });
    };

    let idle = |make: fn() -> Idle| live(1000, |_| make()).1;
    say("an idle session of Rust", Some(1024.0), idle(Idle::new), "B");
    say("... with a token of 200 bytes", Some(1024.0), idle(|| Idle::with_token(200)), "B");
    let resident = || memory_of(std::process::id(), "VmRSS:").unwrap_or(0) as f64 * 1024.0;
    let before = resident();
    let all: Vec<Idle> = (0..sessions).map(|_| Idle::with_token(200)).collect();
    let title = format!("{sessions} idle sessions with such tokens in one process: resident memory each");
    say(&title, None, (resident() - before) / sessions as f64, "B");
    drop(all);

    for (name, url, ca, goal) in [("plain", plain, None, 16_384.0), ("TLS", tls, Some(&*ca), 40_960.0)] {
        let config = config(ca);
        let (mut connections, idle) = live(16, |_| Host::connect(url, &config));
        say(&format!("a {name} connection that is idle"), Some(goal), idle, "B");
        let region = Region::new(ALLOCATOR);
        for connection in &mut connections {
            answer(connection);
        }
        let grown = change(&region) as f64 / connections.len() as f64;
        say(&format!("a {name} connection after an answer"), Some(goal), idle + grown, "B");
    }

    for (what, name, shape, is_tls) in [
        ("`Chunk::decode`", "decode", Shape::Usual, None),
        ("`Session::receive`", "session", Shape::Usual, None),
        ("`Session::receive`, with an escape", "session", Shape::Escape, None),
        ("`Connection`", "connection", Shape::Usual, None),
        ("`Client::next`", "client", Shape::Usual, Some(false)),
        ("`Client::next`, with an escape", "client", Shape::Escape, Some(false)),
        ("`Client` pieces", "client-pieces", Shape::Usual, Some(false)),
        ("`Client::next` over TLS", "client", Shape::Usual, Some(true)),
    ] {
        let (url, ca) = match is_tls {
            Some(true) => (tls.clone(), Some(ca.clone())),
            _ => (plain.clone(), None),
        };
        let input = Input { shape, chunks: shape.count(chunks), url, ca };
        let mut contender = named(name, &input).ok_or("no such contender")?;
        // Twice before: buffers have grown then.
        for _ in 0..2 {
            contender.batch()?;
        }
        let region = Region::new(ALLOCATOR);
        let sample = contender.batch()?;
        let stats = region.change();
        let each = (stats.allocations + stats.reallocations) as f64 / sample.chunks as f64;
        // Of what a whole turn takes, nothing counts that does not grow with its chunks.
        let each = if each < HARDLY { 0.0 } else { each };
        say(&format!("allocations a chunk: {what}"), Some(0.0), each, "");
    }
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

/// Bytes that were allocated since, and not freed.
fn change(region: &Region<'_, System>) -> i64 {
    let stats = region.change();
    stats.bytes_allocated as i64 - stats.bytes_deallocated as i64
}

/// Several of what `make` makes, and how many bytes each holds, itself included.
fn live<T>(count: usize, make: impl Fn(usize) -> T) -> (Vec<T>, f64) {
    // What is made once for all, by the first.
    drop(make(0));
    let region = Region::new(ALLOCATOR);
    let mut all = Vec::with_capacity(count);
    all.extend((0..count).map(make));
    let each = change(&region) as f64 / count as f64;
    (all, each)
}

/// Asks, and reads a whole answer.
fn answer((host, socket): &mut (Host, TcpStream)) {
    // Not on the heap, which is measured.
    let mut buffer = [0; 16 * 1024];
    host.ask(Shape::Usual.name());
    host.send(socket);
    while host.read(socket, &mut buffer).ends == 0 {}
}
