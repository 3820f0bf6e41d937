//! Transcripts: what is parsed is printed and parsed again as the same, what is recorded is read back, and every replay ends.

use std::time::Duration;

use chatnio::transcript::{EntryKind, EventLog, Recorder, Replay, Replayed, Transcript};
use chatnio::{Config, Event, Session};

/// Any text, taken for a transcript; then its lines, taken for messages that are recorded.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(transcript) = Transcript::parse(&text) {
        printed(&transcript);
        replayed(&transcript);
    }
    recorded(&text);
}

/// The form that it is printed in holds all but comments and line numbers, and is its own printed form.
fn printed(transcript: &Transcript) {
    let text = transcript.to_string();
    let again = Transcript::parse(&text).expect("what is printed can be read");
    assert_eq!(again.to_string(), text);
    assert_eq!(again.url, transcript.url);
    let parts = |transcript: &Transcript| -> Vec<_> {
        transcript.entries.iter().map(|entry| (entry.at, entry.kind.clone())).collect()
    };
    assert_eq!(parts(&again), parts(transcript));
}

/// A replay ends; turns end once; its log is made of lines of JSON.
fn replayed(transcript: &Transcript) {
    let (replay, auth) = Replay::new(transcript);
    let mut session = Session::new(auth, Config::default(), Duration::ZERO).expect("a replay gives what can be sent");
    let (mut log, mut lines) = (EventLog::new(), String::new());
    let mut ended = 0;
    replay.run(&mut session, Duration::ZERO, |replayed| {
        if let Replayed::Event { event: Event::End(end), .. } = &replayed {
            assert_eq!(end.turn(), ended + 1, "a turn ends once");
            ended += 1;
        }
        log.replayed(&replayed, &mut lines);
    });
    assert!(session.answer().is_none(), "a turn that has no end");
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        assert!(value["event"].is_string(), "{line}");
    }
}

/// A recording is printed and read back as the same, line numbers and all; and what was malformed stays so.
fn recorded(text: &str) {
    let messages = || text.split('\u{1e}');
    let mut recorder = Recorder::new(messages().next());
    for (number, message) in messages().enumerate() {
        if number % 4 == 3 {
            recorder.at(Duration::from_millis(number as u64));
        }
        if number % 2 == 0 { recorder.received(message) } else { recorder.sent(message) }
    }
    recorder.closed();
    let printed = recorder.transcript().to_string();
    let again = Transcript::parse(&printed).expect("what is recorded can be read");
    let frames = |transcript: &Transcript| -> Vec<_> {
        transcript.entries.iter().map(|entry| (entry.line, entry.kind.clone())).collect()
    };
    assert_eq!(frames(&again), frames(recorder.transcript()));
    for (entry, message) in again.entries.iter().zip(messages()) {
        if let EntryKind::Receive(read) = &entry.kind {
            assert_eq!(chatnio::Chunk::decode(read).is_ok(), chatnio::Chunk::decode(message).is_ok(), "{message:?}");
        }
    }
}
