//! A chunk costs no allocation, once what is used again has grown to its size.

use std::alloc::System;
use std::time::Duration;

use chatnio_core::{Auth, Config, Event, EventStorage, Request, Session};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Every way through the decoder: usual, escaped, unusual, and without a quota.
const PIECES: [&str; 4] = [
    "{\"conversation\":0,\"quota\":0.00014,\"keyword\":\"\",\"message\":\" plain é\",\"end\":false,\"plan\":false}\n",
    "{\"conversation\":0,\"quota\":0.5,\"keyword\":\"\",\"message\":\"a \\u003c b\\n\",\"end\":false,\"plan\":false}\n",
    "{\"message\":\"of \\t another form\",\"quota\":1e-7}",
    "{\"message\":\"at no cost\",\"quota\":null}",
];

/// Takes every piece `rounds` times.
fn take(session: &mut Session, storage: &mut EventStorage, rounds: usize) {
    for message in PIECES.iter().cycle().take(rounds * PIECES.len()) {
        assert!(matches!(session.receive(Duration::ZERO, message, storage), Some(Event::Delta { .. })));
    }
}

fn allocations(keep_text: bool) -> usize {
    let mut config = Config::default();
    config.keep_text = keep_text;
    let mut session = Session::new(Auth::anonymous(), config, Duration::ZERO).unwrap();
    session.request(Duration::ZERO, &Request::chat("hi")).unwrap();
    let mut storage = EventStorage::new();
    take(&mut session, &mut storage, 1);
    let region = Region::new(ALLOCATOR);
    take(&mut session, &mut storage, 10_000);
    let stats = region.change();
    stats.allocations + stats.reallocations
}

/// The least of some runs: the test's own runner may allocate meanwhile, on another thread.
fn least(run: impl Fn() -> usize) -> usize {
    (0..5).map(|_| run()).min().unwrap()
}

// One test, because the counter is the process's.
#[test]
fn a_piece_allocates_nothing() {
    assert_eq!(least(|| allocations(false)), 0);
    // A text that is kept grows, and doubles when it does.
    assert!(least(|| allocations(true)) < 20);
}
