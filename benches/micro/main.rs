//! The same pieces of work one by one, for whoever changes one of them: `cargo bench -p chatnio-benches`. What compares
//! with others, and with yesterday, is `make bench`.

use chatnio_benches::messages::Shape;
use chatnio_benches::ours::session::{Answering, Idle, decode};
use chatnio_benches::peers::json;
use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const SHAPES: [Shape; 6] = [Shape::Usual, Shape::Newline, Shape::Escape, Shape::MultiByte, Shape::Ascii, Shape::Code];

/// How many messages one iteration works on: a session is fresh for each.
const MESSAGES: usize = 100;

fn main() {
    divan::main();
}

fn each(bencher: Bencher<'_, '_>, shape: Shape, one: impl Fn(&str) -> usize + Sync) {
    let mut messages = shape.messages();
    messages.truncate(MESSAGES);
    let length: usize = messages.iter().map(String::len).sum();
    let bencher = bencher.counter(BytesCount::new(length)).counter(ItemsCount::new(messages.len()));
    bencher.bench(|| messages.iter().map(|message| one(message)).sum::<usize>());
}

#[divan::bench(args = SHAPES)]
fn chunk_decode(bencher: Bencher<'_, '_>, shape: Shape) {
    each(bencher, shape, decode);
}

#[divan::bench(args = SHAPES)]
fn serde_json(bencher: Bencher<'_, '_>, shape: Shape) {
    each(bencher, shape, json::serde_json);
}

#[divan::bench(args = SHAPES)]
fn sonic_rs(bencher: Bencher<'_, '_>, shape: Shape) {
    each(bencher, shape, json::sonic_rs);
}

#[divan::bench(args = SHAPES)]
fn session_receive(bencher: Bencher<'_, '_>, shape: Shape) {
    let mut messages = shape.messages();
    messages.truncate(MESSAGES);
    let length: usize = messages.iter().map(String::len).sum();
    let bencher = bencher.counter(BytesCount::new(length)).counter(ItemsCount::new(messages.len()));
    bencher
        .with_inputs(Answering::new)
        .bench_refs(|session| messages.iter().map(|message| session.receive(message)).sum::<usize>());
}

#[divan::bench]
fn session_new() -> Idle {
    Idle::new()
}

#[divan::bench]
fn session_turn(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(Idle::new).bench_values(|session| session.ask("How are you?").end());
}
