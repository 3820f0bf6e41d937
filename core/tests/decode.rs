//! `Chunk::decode` against `serde_json`, on generated and on broken messages.

mod common;

use chatnio_core::transcript::{Recorder, Replay, Transcript};
use chatnio_core::{Auth, Chunk, CloseReason, Config, Event, EventStorage, Reason, Request, Session};
use common::{Entries, check, json_number, json_string, json_value, space};
use core::time::Duration;
use proptest::prelude::*;
use serde::de::IgnoredAny;

const KNOWN: [&str; 6] = ["message", "quota", "keyword", "end", "plan", "conversation"];

/// Known names, whole and with one letter escaped, and others.
fn name() -> impl Strategy<Value = String> {
    let known =
        (prop::sample::select(&KNOWN[..]), prop::option::weighted(0.2, 0usize..3)).prop_map(|(name, escaped)| {
            let escape = |(at, c)| if escaped == Some(at) { format!("\\u{:04x}", c as u32) } else { String::from(c) };
            format!("\"{}\"", name.chars().enumerate().map(escape).collect::<String>())
        });
    prop_oneof![4 => known, 1 => Just("\"title\"".to_string()), 1 => json_string(false).prop_map(|name| name.raw)]
}

/// A value that fits the field called `name`.
fn fitting(name: &str) -> BoxedStrategy<String> {
    let null = Just("null".to_string());
    match name.replace("\\u0065", "e").trim_matches('"') {
        "message" | "keyword" => prop_oneof![9 => json_string(true).prop_map(|text| text.raw), 1 => null].boxed(),
        "quota" => prop_oneof![9 => json_number(), 1 => null].boxed(),
        "end" | "plan" => prop_oneof![any::<bool>().prop_map(|value| value.to_string()), null].boxed(),
        "conversation" => prop_oneof![9 => any::<i64>().prop_map(|id| id.to_string()), 1 => null].boxed(),
        _ => json_value().boxed(),
    }
}

/// JSON objects: mostly such as could be frames, with duplicates, unknown fields and values that do not fit.
fn object() -> impl Strategy<Value = String> {
    let entry = name().prop_flat_map(|name| {
        let value = prop_oneof![12 => fitting(&name), 1 => json_value().boxed(), 1 => json_number().boxed()];
        (space(), Just(name), space(), value).prop_map(|(a, name, b, value)| format!("{a}{name}{b}:{a}{value}{b}"))
    });
    (space(), prop::collection::vec(entry, 0..6), space()).prop_map(|(a, entries, b)| {
        let inside = if entries.is_empty() { b.clone() } else { entries.join(",") };
        format!("{a}{{{inside}}}{b}")
    })
}

/// Whether a known field may have this value: what the protocol says, in other words than the decoder's.
fn fits(name: &str, raw: &str) -> bool {
    let number = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    raw == "null"
        || match name {
            "message" | "keyword" => raw.starts_with('"'),
            "quota" => number && raw.len() <= 1100 && raw.parse::<f64>().is_ok_and(f64::is_finite),
            "end" | "plan" => matches!(raw, "true" | "false"),
            "conversation" => number && raw.parse::<i64>().is_ok(),
            _ => true,
        }
}

#[test]
fn objects_are_read_as_serde_json_reads_them() {
    check(2000, &object(), |text| {
        let entries: Entries = serde_json::from_str(&text).unwrap();
        // Of several with one name only the last counts.
        let counts = |at: usize, name: &str| !entries.0[at + 1..].iter().any(|(later, _)| later == name);
        let bad =
            entries.0.iter().enumerate().find(|(at, (name, value))| counts(*at, name) && !fits(name, value.get()));
        let bad = bad.map(|(_, entry)| entry);
        let chunk = match (Chunk::decode(&text), bad) {
            (Ok(chunk), None) => chunk,
            (Err(error), Some((name, value))) => {
                prop_assert_eq!(error.field, Some(&**name));
                prop_assert!(text[error.offset..].starts_with(value.get()), "{}", error.offset);
                return Ok(());
            }
            (result, bad) => return Err(TestCaseError::fail(format!("{result:?}, but {bad:?}"))),
        };

        let fields: Vec<_> = chunk.fields().map(|(name, value)| (name.into_owned(), value)).collect();
        let expected: Vec<_> = entries.0.iter().map(|(name, value)| (name.clone(), value.get())).collect();
        prop_assert_eq!(&fields, &expected);
        let last = |name| expected.iter().rfind(|(key, _)| key == name).map(|(_, value)| *value);
        for name in KNOWN.into_iter().chain(["title", "nothing"]) {
            prop_assert_eq!(chunk.field(name), last(name));
        }

        let last = |name| last(name).filter(|value| *value != "null");
        prop_assert_eq!(chunk.end, last("end") == Some("true"));
        prop_assert_eq!(chunk.plan, last("plan") == Some("true"));
        prop_assert_eq!(chunk.conversation, last("conversation").map(|id| id.parse().unwrap()));
        prop_assert_eq!(chunk.quota.map(|quota| quota.text()), last("quota"));
        for (text, raw) in [(chunk.message, last("message")), (chunk.keyword, last("keyword"))] {
            prop_assert_eq!(text.is_some(), raw.is_some());
            // serde_json has no unpaired surrogates; they have their own test.
            if let (Some(text), Some(Ok(string))) = (text, raw.map(serde_json::from_str::<String>)) {
                prop_assert_eq!(text.to_str(), string);
            }
        }
        Ok(())
    });
}

/// A strategy that never made one of these would test nothing.
#[test]
fn the_generated_objects_are_of_every_kind() {
    let seen = std::cell::Cell::new([0; 4]);
    check(1000, &object(), |text| {
        let mut counts = seen.get();
        match Chunk::decode(&text) {
            Ok(chunk) => {
                counts[0] += 1;
                counts[1] += usize::from(chunk.message.is_some_and(|text| text.as_plain().is_none()));
                let mut names: Vec<_> = chunk.fields().map(|(name, _)| name).collect();
                let all = names.len();
                names.sort();
                names.dedup();
                counts[2] += usize::from(names.len() < all);
            }
            Err(_) => counts[3] += 1,
        }
        seen.set(counts);
        Ok(())
    });
    assert!(seen.get().into_iter().all(|count| count > 50), "{seen:?}");
}

#[test]
fn strings_are_read_as_serde_json_reads_them_and_lone_surrogates_are_replaced() {
    check(4000, &json_string(true), |string| {
        let message = format!("{{\"message\":{},\"keyword\":{}}}", string.raw, string.raw);
        let chunk = Chunk::decode(&message).unwrap();
        let text = chunk.message.unwrap();
        prop_assert_eq!(text.to_str(), string.decoded());
        if let Ok(expected) = serde_json::from_str::<String>(&string.raw) {
            prop_assert_eq!(text.to_str(), expected);
        } else {
            prop_assert!(text.to_str().contains(char::REPLACEMENT_CHARACTER));
        }
        let mut appended = "before".to_string();
        text.append_to(&mut appended);
        prop_assert_eq!(appended, format!("before{}", text.to_str()));
        prop_assert_eq!(text.as_plain().is_some(), !string.raw.contains('\\'));
        prop_assert_eq!(text.is_empty(), text.to_str().is_empty());
        prop_assert_eq!(chunk.keyword.unwrap(), text);
        Ok(())
    });
}

#[test]
fn the_outermost_surrogates_are_pairs_and_their_neighbours_are_none() {
    for (raw, expected) in [
        (r"\ud800\udc00", "\u{10000}"),
        (r"\udbff\udfff", "\u{10FFFF}"),
        (r"\ud7ff\udc00", "\u{D7FF}\u{FFFD}"),
        (r"\ue000\udfff", "\u{E000}\u{FFFD}"),
        (r"\udbff\udbff", "\u{FFFD}\u{FFFD}"),
        (r"\ud800\ue000", "\u{FFFD}\u{E000}"),
    ] {
        let message = format!("{{\"message\":\"{raw}\"}}");
        assert_eq!(Chunk::decode(&message).unwrap().message.unwrap().to_str(), expected, "{raw}");
    }
}

#[test]
fn a_quota_is_the_nearest_double() {
    check(4000, &json_number(), |number| {
        let message = format!("{{\"quota\":{number}}}");
        let expected: f64 = number.parse().unwrap();
        match Chunk::decode(&message) {
            Ok(chunk) => {
                let quota = chunk.quota.unwrap();
                prop_assert_eq!(quota.value().to_bits(), expected.to_bits());
                prop_assert_eq!(quota.value(), serde_json::from_str::<f64>(&number).unwrap());
                prop_assert_eq!(quota.text(), &number);
            }
            Err(error) => {
                prop_assert_eq!((error.field, error.reason), (Some("quota"), Reason::OutOfRange));
                prop_assert!(expected.is_infinite());
                prop_assert!(serde_json::from_str::<f64>(&number).is_err());
            }
        }
        Ok(())
    });
}

#[test]
fn a_servers_32_bit_float_prints_back_the_same() {
    let floats = prop_oneof![any::<f32>().prop_filter("JSON has no NaN", |float| float.is_finite()), 0f32..10.0];
    check(4000, &floats, |float| {
        // As Go writes it: the shortest digits, with an exponent where it is small or large.
        let exponent = float != 0.0 && !(1e-6..1e21).contains(&float.abs());
        let text = if exponent { format!("{float:e}") } else { float.to_string() };
        let message = format!("{{\"quota\":{text}}}");
        let quota = Chunk::decode(&message).unwrap().quota.unwrap();
        prop_assert_eq!(quota.text(), &text);
        let printed = if exponent { format!("{:e}", quota.value()) } else { quota.value().to_string() };
        prop_assert_eq!(printed, text);
        prop_assert_eq!(quota.value() as f32, float);
        Ok(())
    });
}

// --- broken messages ---

const FRAMES: [&str; 6] = [
    "{\"conversation\":0,\"quota\":0.00014,\"keyword\":\"\",\"message\":\"!\",\"end\":false,\"plan\":false}\n",
    r#"{"quota":-1.5e-7,"message":"a\u003cb\ud83d\ude00\n","end":true}"#,
    r#" { "message" : "é😀" , "title":{"a":[1,2,{"b":null}]} , "x":"\"\\\/" } "#,
    r#"{"tool_call":[[],{},"",0,true],"search_result":[{"u":"h"}],"end":null}"#,
    r#"{"plan":true,"a":-0,"b":1E+2,"c":[0.5,-12],"d":"\t"}"#,
    "{}",
];

/// A change of a text: at `at` of 1000 parts of it, `cut` characters go and `put` comes.
fn edits() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
    let put = prop_oneof![
        Just(String::new()),
        prop::sample::select(vec![
            "{", "}", "[", "]", "\"", "\\", "\\u", "\\ud800", ":", ",", "0", "00", "1", "-", "+", ".", "e", "E", "u",
            "n", "t", "true", "null", "false", "nul", " ", "\n", "\r", "\t", "\u{b}", "\u{a0}", "\u{feff}", "\0",
            "\x1f", "\x7f", "é", "/", "'", "NaN", "{}", "[]", "\"\"", "\"a\":", "//",
        ])
        .prop_map(str::to_string),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec((0usize..1000, prop_oneof![Just(0usize), 0usize..3, 0usize..30], put), 1..4)
}

fn broken() -> impl Strategy<Value = String> {
    let text = prop_oneof![prop::sample::select(&FRAMES[..]).prop_map(str::to_string), object()];
    (text, edits()).prop_map(|(text, edits)| {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, cut, put) in edits {
            let at = at * (chars.len() + 1) / 1000;
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, put.chars());
        }
        chars.into_iter().collect()
    })
}

#[test]
fn broken_messages_are_told_apart_as_serde_json_does() {
    let seen = std::cell::Cell::new((0, 0));
    check(4000, &broken(), |text| {
        // Grammar alone: no field is known, so none can have a wrong type.
        let text = KNOWN.iter().fold(text, |text, name| text.replace(name, "other"));
        let start = text.trim_start_matches([' ', '\t', '\r', '\n']);
        let expected = start.starts_with('{') && serde_json::from_str::<IgnoredAny>(&text).is_ok();
        match Chunk::decode(&text) {
            Ok(_) => prop_assert!(expected),
            Err(error) if error.field.is_some() => return Err(TestCaseError::reject("an escaped known name")),
            Err(error) => {
                prop_assert!(!expected, "{}", error);
                prop_assert!(error.offset <= text.len());
                prop_assert_eq!(error.reason == Reason::NotAnObject, !start.starts_with('{'));
            }
        }
        let (good, bad) = seen.get();
        seen.set((good + usize::from(expected), bad + usize::from(!expected)));
        Ok(())
    });
    let (good, bad) = seen.get();
    assert!(good > 500 && bad > 500, "{good} good, {bad} bad");
}

#[test]
fn a_message_that_is_cut_off_is_malformed() {
    for frame in FRAMES {
        for (at, _) in frame.trim_end().char_indices() {
            assert!(Chunk::decode(&frame[..at]).is_err(), "{}", &frame[..at]);
        }
    }
}

#[test]
fn deep_nesting_is_no_danger() {
    for depth in [100, 1000, 200_000] {
        let nested = format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(Chunk::decode(&nested).unwrap().field("x").map(str::len), Some(2 * depth));
        assert!(Chunk::decode(&nested[..depth]).is_err());
    }
}

#[test]
fn no_text_makes_anything_panic() {
    let text = prop_oneof![any::<String>(), "[\\PC\n\"\\\\{}\\[\\]:,0-9a-fu.+-]{0,60}", broken()];
    let line = prop_oneof![Just("> SEND "), Just("< RECV "), Just("! CLOSED"), Just("WEBSOCKET "), Just("")];
    check(2000, &prop::collection::vec((line, text), 1..4), |lines| {
        let mut session = Session::new(Auth::anonymous(), Config::default(), Duration::ZERO).unwrap();
        let mut storage = EventStorage::new();
        let mut recorder = Recorder::new(Some(&lines[0].1));
        for (_, text) in &lines {
            let _ = Chunk::decode(text).map(|chunk| chunk.fields().count());
            let _ = session.receive(Duration::ZERO, text, &mut storage);
            recorder.sent(text);
            recorder.received(text);
        }
        let text: String = lines.into_iter().map(|(line, text)| format!("{line}{text}\n")).collect();
        if let Ok(transcript) = Transcript::parse(&text) {
            let (replay, auth) = Replay::new(&transcript);
            let mut session = Session::new(auth, Config::default(), Duration::ZERO).unwrap();
            replay.run(&mut session, Duration::ZERO, |_| {});
        }
        Ok(())
    });
}

/// What a session tells of the only piece of an answer: the answer's text, and the quota's bits and text.
fn told(message: &str) -> Option<(String, u64, String)> {
    let mut session = Session::new(Auth::anonymous(), Config::default(), Duration::ZERO).unwrap();
    session.request(Duration::ZERO, &Request::chat("hi")).unwrap();
    let mut storage = EventStorage::new();
    let Event::Delta { quota, .. } = session.receive(Duration::ZERO, message, &mut storage)? else { return None };
    // With half a character that the piece may end with.
    let Some(Event::End(end)) = session.closed(CloseReason::Host) else { return None };
    Some((end.answer.text, quota.value().to_bits(), quota.text().into()))
}

#[test]
fn the_usual_frame_is_read_as_any_other() {
    let float = any::<u32>().prop_map(f32::from_bits).prop_filter("a number", |float| float.is_finite());
    let quota = prop_oneof![float.prop_map(|float| serde_json::to_string(&float).unwrap()), json_number()];
    let frame = (quota, json_string(true), any::<bool>(), prop_oneof![Just(""), Just("\n"), Just("\n\n")]);
    check(20_000, &frame, |(quota, text, plan, rest)| {
        let usual = format!(
            "{{\"conversation\":0,\"quota\":{quota},\"keyword\":\"\",\"message\":{},\"end\":false,\"plan\":{plan}}}{rest}",
            text.raw
        );
        // One space more, and it is read in the other way.
        let other = usual.replacen(",\"keyword\"", " ,\"keyword\"", 1);
        let (by_usual, by_other) = (told(&usual), told(&other));
        prop_assert_eq!(&by_usual, &by_other);
        prop_assert_eq!(Chunk::decode(&usual).map(|chunk| chunk.quota), Chunk::decode(&other).map(|chunk| chunk.quota));
        let reference: Option<f64> = serde_json::from_str(&quota).ok();
        match (by_usual, reference) {
            (Some((read, bits, written)), Some(reference)) => {
                prop_assert_eq!((read, bits, written), (text.decoded(), reference.to_bits(), quota));
            }
            (found, reference) => prop_assert!(found.is_none() && reference.is_none(), "{found:?} {reference:?}"),
        }
        Ok(())
    });
}
