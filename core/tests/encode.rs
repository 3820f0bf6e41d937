//! What is written: requests, and the event log. Each is JSON with exactly what was meant, in the documented order.

mod common;

use chatnio_core::transcript::{EventLog, Replay, Step, Transcript};
use chatnio_core::{Auth, Config, MaskMessage, Request, RequestKind, Session, State};
use common::{Entries, check, json_string};
use core::time::Duration;
use proptest::prelude::*;
use serde_json::{Value, json};

// --- requests ---

/// Sets one parameter of a request.
type Set = fn(Request, i64, f32) -> Request;

/// The parameters, in the order in which they are encoded.
const PARAMETERS: [(&str, Set); 11] = [
    ("model", |request, n, _| request.model(format!("m\"{n}"))),
    ("web", |request, n, _| request.web(n % 2 == 0)),
    ("ignore_context", |request, n, _| request.ignore_context(n % 2 == 0)),
    ("context", |request, n, _| request.context(n)),
    ("max_tokens", |request, n, _| request.max_tokens(n)),
    ("temperature", |request, _, x| request.temperature(x)),
    ("top_p", |request, _, x| request.top_p(x)),
    ("top_k", |request, n, _| request.top_k(n)),
    ("presence_penalty", |request, _, x| request.presence_penalty(x)),
    ("frequency_penalty", |request, _, x| request.frequency_penalty(x)),
    ("repetition_penalty", |request, _, x| request.repetition_penalty(x)),
];

/// A request, and what its encoding must hold.
#[derive(Debug, Clone)]
struct Expected {
    request: Request,
    fields: Vec<(&'static str, Value)>,
}

/// Some text that is more than white space.
fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_filter("empty", |text| !text.trim().is_empty())
}

fn requests() -> impl Strategy<Value = Expected> {
    let parameters = prop::collection::vec(
        prop::option::of((any::<i64>(), any::<f32>().prop_filter("not finite", |x| x.is_finite()))),
        PARAMETERS.len(),
    );
    let question = prop_oneof![
        text().prop_map(|text| (Request::chat(&*text), vec![("type", json!("chat")), ("message", json!(text))])),
        Just((Request::restart(), vec![("type", json!("restart"))])),
    ];
    let with_parameters = (question, parameters).prop_map(|((mut request, mut fields), parameters)| {
        for ((name, set), value) in PARAMETERS.into_iter().zip(parameters) {
            let Some((n, x)) = value else { continue };
            request = set(request, n, x);
            fields.push((name, parameter(name, n, x)));
        }
        Expected { request, fields }
    });
    let other = |kind: &'static str, request, message: Option<String>| {
        let mut fields = vec![("type", json!(kind))];
        fields.extend(message.map(|message| ("message", json!(message))));
        Expected { request, fields }
    };
    let role = prop::sample::select(vec!["system", "user", "assistant"]);
    let mask = prop::collection::vec((role, any::<String>()), 1..4);
    prop_oneof![
        4 => with_parameters,
        1 => Just(other("stop", Request::stop(), None)),
        1 => text().prop_map(move |hash| other("share", Request::share(&*hash), Some(hash))),
        1 => (any::<u32>(), any::<String>()).prop_map(move |(index, text)| {
            other("edit", Request::edit(index, &*text), Some(format!("{index}:{text}")))
        }),
        1 => any::<u32>().prop_map(move |index| other("remove", Request::remove(index), Some(index.to_string()))),
        1 => mask.prop_map(move |messages| {
            let pair = |(role, content): &_| format!("{{\"role\":\"{role}\",\"content\":{}}}", json!(content));
            let json = messages.iter().map(pair).collect::<Vec<_>>().join(",");
            let messages = messages.into_iter().map(|(role, content): (&str, String)| MaskMessage::new(role, content));
            other("mask", Request::mask(messages.collect::<Vec<_>>()), Some(format!("[{json}]")))
        }),
    ]
}

fn parameter(name: &str, n: i64, x: f32) -> Value {
    match name {
        "model" => json!(format!("m\"{n}")),
        "web" | "ignore_context" => json!(n % 2 == 0),
        // Also what some channels drop (protocol.md, R2.9).
        "context" | "max_tokens" | "top_k" => json!(n),
        // The shortest digits of the 32-bit float.
        _ => serde_json::from_str(&serde_json::to_string(&x).unwrap()).unwrap(),
    }
}

/// The messages that `request` is sent as, in a session where everything may be sent.
fn encoded(request: &Request) -> String {
    let auth = Auth::anonymous().conversation(1);
    let mut session = Session::new(auth, Config::default(), Duration::ZERO).unwrap();
    if request.kind() == RequestKind::Stop {
        session.request(Duration::ZERO, &Request::restart()).unwrap();
    }
    session.request(Duration::ZERO, request).unwrap();
    std::iter::from_fn(|| session.poll_transmit()).last().unwrap().to_string()
}

#[test]
fn a_request_is_json_with_exactly_the_fields_that_were_set() {
    check(2000, &requests(), |expected| {
        let text = encoded(&expected.request);
        let entries: Entries = serde_json::from_str(&text).unwrap();
        let names: Vec<_> = expected.fields.iter().map(|(name, _)| *name).collect();
        prop_assert_eq!(entries.names(), names);
        let value: Value = serde_json::from_str(&text).unwrap();
        for (name, field) in &expected.fields {
            prop_assert_eq!(&value[*name], field, "{}", name);
        }
        prop_assert_eq!(encoded(&expected.request), text);
        Ok(())
    });
}

#[test]
fn a_transcript_gives_a_request_back() {
    check(2000, &requests(), |expected| {
        let auth = "> SEND {\"token\":\"anonymous\",\"id\":-1}\n";
        let text = format!("{auth}> SEND {}\n", encoded(&expected.request));
        let transcript = Transcript::parse(&text).unwrap();
        let (mut replay, _) = Replay::new(&transcript);
        prop_assert_eq!(replay.next_step(State::Idle), Some(Step::Request { line: 2, request: expected.request }));
        prop_assert_eq!(replay.next_step(State::Idle), None);
        Ok(())
    });
}

// --- the event log ---

const DELTA: [&str; 4] = ["event", "turn", "text", "quota"];
const STRAY: [&str; 4] = ["event", "text", "quota", "end"];
const WARNING: [&str; 3] = ["event", "line", "message"];
const END: [&str; 11] =
    ["event", "turn", "request", "outcome", "text", "notice", "quota", "keyword", "conversation", "plan", "chunks"];

/// The lines of a transcript: questions, stops, frames with texts of every kind, and garbage.
fn transcripts() -> impl Strategy<Value = String> {
    let quota = prop::sample::select(vec!["0", "0.0034000003", "1e-7", "null"]);
    let id = prop::sample::select(vec![-1, 0, 0, 0, 29]);
    let texts = (json_string(true), json_string(true));
    let frame = (id, quota, texts, any::<(bool, bool)>()).prop_map(|(id, quota, (message, keyword), (end, plan))| {
        let (message, keyword) = (message.raw, keyword.raw);
        let cost = format!("\"conversation\":{id},\"quota\":{quota},\"plan\":{plan}");
        format!("< RECV {{{cost},\"keyword\":{keyword},\"message\":{message},\"end\":{end}}}")
    });
    let line = prop_oneof![
        6 => frame,
        2 => Just(r#"> SEND {"type":"chat","message":"hi"}"#.to_string()),
        1 => Just(r#"> SEND {"type":"stop"}"#.to_string()),
        1 => Just(r#"> SEND {"type":"restart"}"#.to_string()),
        1 => Just(r#"> SEND {"type":"\"\u0001"}"#.to_string()),
        1 => Just("< RECV \"gar\\bage\"".to_string()),
    ];
    prop::collection::vec(line, 0..12)
        .prop_map(|lines| format!("> SEND {{\"token\":\"anonymous\",\"id\":-1}}\n{}\n", lines.join("\n")))
}

#[test]
fn every_line_of_the_log_is_compact_json_with_the_keys_in_order() {
    let seen = std::cell::Cell::new([0; 4]);
    check(1000, &transcripts(), |text| {
        let transcript = Transcript::parse(&text).unwrap();
        let (replay, auth) = Replay::new(&transcript);
        let mut session = Session::new(auth, Config::default(), Duration::ZERO).unwrap();
        let (mut log, mut out) = (EventLog::new(), String::new());
        replay.run(&mut session, Duration::ZERO, |replayed| log.replayed(&replayed, &mut out));
        prop_assert!(out.is_empty() || out.ends_with('\n'));
        // Split at LF only: any other line break may stand in a text.
        for line in out.split_terminator('\n') {
            let entries: Entries =
                serde_json::from_str(line).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let (kind, keys): (_, &[&str]) = match entries.0[0].1.get() {
                "\"delta\"" => (0, &DELTA),
                "\"stray\"" => (1, &STRAY),
                "\"warning\"" => (2, &WARNING),
                "\"end\"" => (3, &END),
                other => return Err(TestCaseError::fail(other.to_string())),
            };
            prop_assert_eq!(entries.names(), keys);
            let compact: Vec<_> = entries.0.iter().map(|(name, value)| format!("\"{name}\":{}", value.get())).collect();
            prop_assert_eq!(line, format!("{{{}}}", compact.join(",")));
            let value: Value = serde_json::from_str(line).unwrap();
            prop_assert!(kind != 0 || value["text"] != "", "no delta for an empty piece");
            prop_assert!(value.get("quota").is_none_or(Value::is_number));
            let mut counts = seen.get();
            counts[kind] += 1;
            seen.set(counts);
        }
        Ok(())
    });
    assert!(seen.get().into_iter().all(|count| count > 100), "every kind of line must have come: {seen:?}");
}
