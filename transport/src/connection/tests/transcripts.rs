//! Every transcript gives its expected event log through a connection too, however the bytes are split.

use std::fs;
use std::path::{Path, PathBuf};

use chatnio_core::transcript::{EntryKind, EventLog, Replay, Step, Transcript};

use super::*;

/// A server's stream over this length is split at so many places only.
const EVERY_SPLIT_UP_TO: usize = 16 * 1024;
const SEEDED_SPLITS: usize = 64;
/// In TLS, where each play has a handshake, every so many bytes. It is no divisor of anything that TLS puts together.
const TLS_STEP: usize = 7;

struct Recorded {
    path: PathBuf,
    transcript: Transcript,
    log: String,
}

fn recorded() -> Vec<Recorded> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../transcripts")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "txt") {
                let transcript = Transcript::parse(&fs::read_to_string(&path).unwrap()).unwrap();
                let log = fs::read_to_string(path.with_extension("log")).unwrap();
                found.push(Recorded { path, transcript, log });
            }
        }
    }
    assert!(found.len() >= 18);
    found
}

/// Plays a transcript through a connection; gives the log and the length of the server's stream.
fn play(transcript: &Transcript, tls: bool, change: impl FnOnce(&mut Link)) -> (String, usize) {
    let (mut replay, auth) = Replay::new(transcript);
    let mut link = Link::new(auth, tls, |_| ());
    change(&mut link);
    let (mut log, mut out) = (EventLog::new(), String::new());
    link.exchange();
    assert!(link.connection.is_open());
    while let Some(step) = replay.next_step(link.connection.session().state()) {
        let mut line = None;
        match step {
            Step::Warning { line, message } => log.warning(Some(line), &message, &mut out),
            Step::Request { line, request } => {
                if let Err(error) = link.connection.request(link.now, &request) {
                    log.warning(Some(line), &format!("skipped: {error}"), &mut out);
                }
            }
            Step::Receive { line: at, message } => {
                line = Some(at);
                link.peer.send(format!("{message}\n"));
            }
            Step::Closed { .. } => link.connection.handle_eof(link.now),
            step => panic!("{step:?}"),
        }
        link.exchange_with(&mut |event| write(event, line, &mut log, &mut out));
    }
    // A transcript that ends mid-turn ends it interrupted.
    link.connection.close(link.now);
    link.connection.handle_eof(link.now);
    link.exchange_with(&mut |event| write(event, None, &mut log, &mut out));
    (out, link.received)
}

fn write(event: ConnectionEvent<'_>, line: Option<usize>, log: &mut EventLog, out: &mut String) {
    match event {
        ConnectionEvent::Session(Event::Malformed { error, .. }) => log.warning(line, &error, out),
        ConnectionEvent::Session(event) => log.event(&event, out),
        ConnectionEvent::Open | ConnectionEvent::Closed(_) => {}
    }
}

/// A small generator of split positions, the same at every run.
fn seeded(seed: u64) -> impl Iterator<Item = usize> {
    let mut state = seed;
    std::iter::from_fn(move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        usize::try_from(state >> 33).ok()
    })
}

fn at_every_split(tls: bool) {
    let mut splits = 0;
    for Recorded { path, transcript, log } in recorded() {
        let check = |change: &dyn Fn(&mut Link)| {
            let (out, len) = play(&transcript, tls, change);
            assert!(out == log, "{}:\n{out}", path.display());
            len
        };
        let len = check(&|_| ());
        check(&|link| link.byte_by_byte = true);
        if len <= EVERY_SPLIT_UP_TO {
            for at in (1..len).step_by(if tls { TLS_STEP } else { 1 }) {
                check(&|link| link.cuts = vec![at]);
                splits += 1;
            }
        } else {
            for seed in 0..SEEDED_SPLITS {
                let cuts: Vec<_> = seeded(seed as u64).take(8).map(|n| n % len).collect();
                check(&|link| link.cuts = cuts.clone());
            }
            splits += SEEDED_SPLITS;
        }
    }
    assert!(splits > if tls { 2_000 } else { 10_000 }, "{splits}");
}

#[test]
fn plain() {
    at_every_split(false);
}

#[test]
fn tls() {
    at_every_split(true);
}

#[test]
fn what_a_connection_records_replays_to_the_same_log() {
    for Recorded { path, transcript, log } in recorded() {
        // What is skipped or held back is not recorded as it was.
        if log.contains("\"warning\"") {
            continue;
        }
        let (mut replay, auth) = Replay::new(&transcript);
        // Time stands still here: what is held would never go out, and so not be recorded.
        let mut link = Link::new(auth, false, |config| config.session.settle = Duration::ZERO);
        link.exchange();
        while let Some(step) = replay.next_step(link.connection.session().state()) {
            match step {
                Step::Request { request, .. } => link.connection.request(link.now, &request).unwrap(),
                Step::Receive { message, .. } => link.peer.send(format!("{message}\n")),
                Step::Closed { .. } => link.connection.handle_eof(link.now),
                step => panic!("{step:?}"),
            }
            link.exchange();
        }
        let recording = link.connection.transcript().unwrap().to_string();
        assert!(recording.starts_with("WEBSOCKET ws://localhost/chat\n"));
        let again = Transcript::parse(&recording).unwrap();
        let frames = |transcript: &Transcript| {
            let received = |kind: &EntryKind| matches!(kind, EntryKind::Receive(_) | EntryKind::Closed);
            transcript.entries.iter().map(|entry| entry.kind.clone()).filter(received).collect::<Vec<_>>()
        };
        assert_eq!(frames(&again), frames(&transcript), "{}", path.display());
        assert!(play(&again, false, |_| ()).0 == log, "{}", path.display());
    }
}
