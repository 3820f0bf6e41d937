//! Every transcript replays to the event log beside it: `NAME.txt` to `NAME.log`.
//!
//! After a wanted change run the tests with `UPDATE_LOGS=1`, and read what has changed in the logs.

#![allow(clippy::disallowed_methods, reason = "this test reads files; what it tests does not")]

use core::time::Duration;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use chatnio_core::transcript::{EventLog, Replay, Replayed, Step, Transcript};
use chatnio_core::{CloseReason, Config, Event, EventStorage, Session};

/// How many there are: one that goes together with its log would show nowhere else.
const TRANSCRIPTS: usize = 37;

const NOW: Duration = Duration::ZERO;

/// All files below `folder` whose names end with `extension`, sorted.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../transcripts")
}

/// The transcripts, by path.
fn transcripts() -> Vec<(PathBuf, Transcript)> {
    let paths = files(&folder(), "txt");
    assert_eq!(paths.len(), TRANSCRIPTS, "transcripts are missing, or are new: {paths:?}");
    let parse = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let transcript = Transcript::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, transcript)
    };
    paths.into_iter().map(parse).collect()
}

fn log_of(transcript: &Transcript) -> String {
    let (replay, auth) = Replay::new(transcript);
    let mut session = Session::new(auth, Config::default(), NOW).unwrap();
    let (mut log, mut out) = (EventLog::new(), String::new());
    replay.run(&mut session, NOW, |replayed| log.replayed(&replayed, &mut out));
    out
}

#[test]
fn every_transcript_replays_to_its_log() {
    let update = env::var_os("UPDATE_LOGS").is_some();
    let mut wrong = Vec::new();
    for (path, transcript) in transcripts() {
        let (log, path) = (log_of(&transcript), path.with_extension("log"));
        if update {
            fs::write(&path, log).unwrap();
            continue;
        }
        // Git may have changed line ends on the way; a log has none but its own.
        match fs::read_to_string(&path).map(|expected| expected.replace("\r\n", "\n")) {
            Ok(expected) if expected == log => {}
            Ok(expected) => wrong.push(format!("{}\n{}", path.display(), first_difference(&expected, &log))),
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
        }
    }
    assert!(wrong.is_empty(), "\n{}\n(after a wanted change: UPDATE_LOGS=1)", wrong.join("\n"));
}

fn first_difference(expected: &str, log: &str) -> String {
    let lines = expected.lines().count().max(log.lines().count());
    let line = |text: &'_ str, at| text.lines().nth(at).unwrap_or("(nothing)").to_string();
    let at = (0..lines).find(|at| line(expected, *at) != line(log, *at)).unwrap_or(lines);
    format!("  line {}\n  expected {}\n  but got  {}", at + 1, line(expected, at), line(log, at))
}

#[test]
fn every_log_has_its_transcript() {
    for path in files(&folder(), "log") {
        assert!(path.with_extension("txt").exists(), "{} belongs to no transcript", path.display());
    }
}

/// What a replay tells, without what is about its own text: the numbers of the lines, and SENDs that are none.
#[derive(Default)]
struct Told {
    log: EventLog,
    out: String,
}

impl Told {
    fn tell(&mut self, replayed: Replayed<'_>) {
        match replayed {
            Replayed::Event { event: Event::Malformed { error, .. }, .. } => {
                self.log.warning(None, &error, &mut self.out);
            }
            Replayed::Event { event, .. } => self.log.event(&event, &mut self.out),
            _ => {}
        }
    }
}

/// Plays a transcript through a session that records.
fn record(transcript: &Transcript) -> (Transcript, String) {
    let (mut replay, auth) = Replay::new(transcript);
    let mut config = Config::default();
    config.record = true;
    // Time stands still, so what is held would be held for ever.
    config.settle = Duration::ZERO;
    let mut session = Session::new(auth, config, NOW).unwrap();
    if let Some(url) = &transcript.url {
        session.record_as(url);
    }
    let mut told = Told::default();
    let mut storage = EventStorage::new();
    while let Some(step) = replay.next_step(session.state()) {
        match step {
            Step::Request { request, .. } => {
                // A refused one is a warning of the replay.
                let _ = session.request(NOW, &request);
            }
            Step::Receive { message, .. } => {
                let event = session.receive(NOW, &message, &mut storage);
                event.into_iter().for_each(|event| told.tell(Replayed::Event { line: None, event }));
                while let Some(event) = session.handle_timeout(NOW, &mut storage) {
                    told.tell(Replayed::Event { line: None, event });
                }
            }
            Step::Closed { .. } => {
                let event = session.closed(CloseReason::Server);
                event.into_iter().for_each(|event| told.tell(Replayed::Event { line: None, event }));
            }
            _ => {}
        }
        while session.poll_transmit().is_some() {}
    }
    let event = session.closed(CloseReason::Host);
    event.into_iter().for_each(|event| told.tell(Replayed::Event { line: None, event }));
    (session.transcript().unwrap().clone(), told.out)
}

#[test]
fn a_recording_replays_to_the_same_events() {
    for (path, transcript) in transcripts() {
        let (recording, expected) = record(&transcript);
        let text = recording.to_string();
        let recorded = Transcript::parse(&text).unwrap();
        assert_eq!(recorded, recording, "{}", path.display());

        let (replay, auth) = Replay::new(&recorded);
        let mut session = Session::new(auth, Config::default(), NOW).unwrap();
        let mut told = Told::default();
        replay.run(&mut session, NOW, |replayed| {
            assert!(!matches!(replayed, Replayed::Warning { .. }), "{}: {replayed:?}\n{text}", path.display());
            told.tell(replayed);
        });
        assert_eq!(told.out, expected, "{}", path.display());
        assert_eq!(record(&recorded).0, recorded, "{}: recorded twice", path.display());
    }
}
