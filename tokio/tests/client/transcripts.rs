//! The recorded transcripts, played by a scripted server, and the logs that they replay to in every language.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chatnio::transcript::{EventLog, Replay, Step, Transcript};
use chatnio::{RequestKind, Session};
use chatnio_loopback::{Generation, Script};
use chatnio_tokio::{Answer, Client, Event, Events};

use crate::support::{bounded, config, serve, until};

/// Appends what a log has of an event, from its public fields alone.
fn log(event: &Event, out: &mut String) {
    match event {
        Event::Delta { turn, text, quota, .. } => delta(*turn, text, &quota.text, out),
        Event::End { answer, text, .. } => {
            delta(answer.turn, text, answer.quota_text(), out);
            end(answer, out);
        }
        _ => {}
    }
}

fn delta(turn: u64, text: &str, quota: &str, out: &mut String) {
    if !text.is_empty() {
        *out += &format!("{{\"event\":\"delta\",\"turn\":{turn},\"text\":{},\"quota\":{quota}}}\n", json(text));
    }
}

fn end(answer: &Answer, out: &mut String) {
    let Answer { turn, request, text, notice, keyword, conversation, plan, chunks, outcome, .. } = answer;
    let outcome = outcome.unwrap().name();
    let conversation = conversation.map_or("null".into(), |id| id.to_string());
    *out += &format!(
        "{{\"event\":\"end\",\"turn\":{turn},\"request\":\"{request}\",\"outcome\":\"{outcome}\",\"text\":{},\"notice\":{},\
         \"quota\":{},\"keyword\":{},\"conversation\":{conversation},\"plan\":{plan},\"chunks\":{chunks}}}\n",
        json(text),
        json(notice),
        answer.quota_text(),
        json(keyword),
    );
}

fn json(value: &(impl serde::Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap()
}

fn transcripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../transcripts");
    let mut found = Vec::new();
    for generation in ["2023-11", "2024-03", "2026-03"] {
        let files = fs::read_dir(folder.join(generation)).unwrap().map(|file| file.unwrap().path());
        found.extend(files.filter(|path| path.extension().is_some_and(|end| end == "txt")));
    }
    found.sort();
    assert!(found.len() > 15);
    found
}

/// Takes events up to the end of the turn, if one runs.
async fn take(events: &mut Option<Events>, out: &mut String) {
    if let Some(mut events) = events.take() {
        while let Some(event) = bounded(events.next()).await {
            log(&event, out);
        }
    }
}

#[tokio::test]
async fn every_transcript_gives_its_log() {
    for path in transcripts() {
        let name = path.display();
        let text = fs::read_to_string(&path).unwrap();
        let transcript = Transcript::parse(&text).unwrap();
        let server = serve(|options| {
            options.generation = Generation::G2026;
            options.script = Some(text.parse::<Script>().unwrap());
        });
        let (mut replay, auth) = Replay::new(&transcript);
        let mut client = Client::connect(&server.url(), auth, &config()).await.unwrap();
        let (mut events, mut out, mut heard) = (None, String::new(), 0);
        while let Some(step) = replay.next_step(client.state()) {
            match step {
                Step::Request { request, .. } if request.kind() == RequestKind::Stop => {
                    client.stop();
                }
                Step::Request { request, .. } if request.kind().begins_turn() => {
                    take(&mut events, &mut out).await;
                    events = Some(bounded(client.events(&request)).await.unwrap());
                }
                Step::Request { request, .. } => bounded(client.request(&request)).await.unwrap(),
                Step::Receive { .. } => {
                    heard += 1;
                    let received = || client.transcript().unwrap().to_string().matches("< RECV").count();
                    until(|| received() >= heard).await;
                }
                Step::Closed { .. } => until(|| client.end().is_some()).await,
                _ => {}
            }
        }
        // As at the end of a replay: what runs is over.
        let recording = client.transcript().unwrap();
        let _ = client.close().await;
        take(&mut events, &mut out).await;
        let expected = fs::read_to_string(path.with_extension("log")).unwrap();
        // Neither what belongs to no turn nor what the replay could not do has a stream here.
        let of_turns = |log: &str| -> String {
            let lines =
                log.lines().filter(|line| !line.contains("\"event\":\"stray\"") && !line.contains("\"warning\""));
            lines.map(|line| format!("{line}\n")).collect()
        };
        assert_eq!(out, of_turns(&expected), "{name}");

        let mut replayed = String::new();
        let mut log = EventLog::new();
        let (again, auth) = Replay::new(&recording);
        let mut session = Session::new(auth, chatnio::Config::default(), Duration::ZERO).unwrap();
        again.run(&mut session, Duration::ZERO, |event| log.replayed(&event, &mut replayed));
        assert_eq!(of_turns(&replayed), of_turns(&expected), "{name}: what was recorded replays to the same");
    }
}
