//! The frame decoder, with `serde_json` as the reference, and the usual frame's quick way against the general one.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use chatnio::{Auth, Chunk, CloseReason, Config, Event, EventStorage, Malformed, Reason, Request, Session};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

const KNOWN: [&str; 6] = ["message", "quota", "keyword", "end", "plan", "conversation"];

/// One message: any text.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let decoded = Chunk::decode(&text);
    grammar(&text, &decoded);
    // A name with half a surrogate pair is not one to serde_json.
    if let Ok(entries) = serde_json::from_str::<Entries<'_>>(&text) {
        fields(&text, &decoded, &entries.0);
    }
    // One space before it, and it is no usual frame any more.
    assert_eq!(told(&text, 0), told(&format!(" {text}"), 1), "the quick way and the general one");
}

/// What is an object of JSON, and what is none.
fn grammar(text: &str, decoded: &Result<Chunk<'_>, Malformed>) {
    let begins = text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{');
    let is_object = begins && serde_json::from_str::<IgnoredAny>(text).is_ok();
    match decoded {
        Ok(_) => assert!(is_object, "it is no object"),
        Err(error) => {
            assert!(text.is_char_boundary(error.offset), "{error}");
            assert_eq!(error.field.is_some(), is_object, "{error}");
            assert_eq!(error.reason == Reason::NotAnObject, !begins, "{error}");
        }
    }
}

/// Every field, by its name and by its value.
fn fields(text: &str, decoded: &Result<Chunk<'_>, Malformed>, entries: &[(Cow<'_, str>, &str)]) {
    // Of several with one name the last counts.
    let counts = |at: usize, name: &str| !entries[at + 1..].iter().any(|(later, _)| later == name);
    let bad = entries.iter().enumerate().find(|(at, (name, value))| counts(*at, name) && !fits(name, value));
    let chunk = match (decoded, bad) {
        (Ok(chunk), None) => chunk,
        (Err(error), Some((_, (name, value)))) => {
            assert_eq!(error.field, Some(&**name));
            assert!(text[error.offset..].starts_with(value), "{error}");
            return;
        }
        (decoded, bad) => panic!("{decoded:?}, and at fault is {bad:?}"),
    };
    assert!(chunk.fields().eq(entries.iter().map(|(name, value)| (name.clone(), *value))));
    let last = |name| entries.iter().rfind(|(key, _)| key == name).map(|(_, value)| *value);
    for name in KNOWN {
        assert_eq!(chunk.field(name), last(name), "{name}");
    }
    let last = |name| last(name).filter(|value| *value != "null");
    assert_eq!((chunk.end, chunk.plan), (last("end") == Some("true"), last("plan") == Some("true")));
    assert_eq!(chunk.conversation, last("conversation").map(|id| id.parse().unwrap()));
    assert_eq!(chunk.quota.map(|quota| quota.text()), last("quota"));
    if let (Some(quota), Some(raw)) = (chunk.quota, last("quota")) {
        let reference: f64 = serde_json::from_str(raw).unwrap();
        assert_eq!(quota.value().to_bits(), reference.to_bits(), "{raw}");
    }
    for (text, raw) in [(chunk.message, last("message")), (chunk.keyword, last("keyword"))] {
        assert_eq!(text.map(|text| text.to_str().into_owned()), raw.map(string), "{raw:?}");
    }
}

/// Whether a known field may have this value: what the protocol says, in other words than the decoder's.
fn fits(name: &str, raw: &str) -> bool {
    let is_number = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    raw == "null"
        || match name {
            "message" | "keyword" => raw.starts_with('"'),
            "quota" => is_number && raw.len() <= 1100 && raw.parse::<f64>().is_ok_and(f64::is_finite),
            "end" | "plan" => matches!(raw, "true" | "false"),
            "conversation" => is_number && raw.parse::<i64>().is_ok(),
            _ => true,
        }
}

/// A JSON string as `serde_json` reads it: as bytes, it takes half of a surrogate pair for a character of three bytes.
fn string(raw: &str) -> String {
    struct Bytes(Vec<u8>);
    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Read;
            impl Visitor<'_> for Read {
                type Value = Bytes;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a string")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes(bytes.into()))
                }
            }
            deserializer.deserialize_bytes(Read)
        }
    }
    let Bytes(bytes) = serde_json::from_str(raw).unwrap();
    let mut text = String::new();
    let mut rest = &bytes[..];
    while let Some(at) = rest.windows(3).position(|three| three[0] == 0xed && three[1] >= 0xa0) {
        text += str::from_utf8(&rest[..at]).unwrap();
        text.push(char::REPLACEMENT_CHARACTER);
        rest = &rest[at + 3..];
    }
    text + str::from_utf8(rest).unwrap()
}

/// What a session tells of a message, as the only one of its answer.
fn told(message: &str, moved: usize) -> Vec<String> {
    let mut session = Session::new(Auth::anonymous(), Config::default(), Duration::ZERO).unwrap();
    session.request(Duration::ZERO, &Request::chat("hi")).unwrap();
    let mut storage = EventStorage::new();
    let mut told = Vec::new();
    if let Some(event) = session.receive(Duration::ZERO, message, &mut storage) {
        told.push(words(&event, moved));
    }
    // The frames behind the first.
    while let Some(event) = session.handle_timeout(Duration::ZERO, &mut storage) {
        told.push(words(&event, 0));
    }
    if let Some(event) = session.closed(CloseReason::Host) {
        told.push(words(&event, 0));
    }
    told
}

/// An event without the raw message, in which places are so many bytes further than they would be.
fn words(event: &Event<'_>, moved: usize) -> String {
    match event {
        Event::Opened { turn, conversation, quota, .. } => format!("opened {turn} {conversation:?} {quota:?}"),
        Event::Delta { turn, text, quota, .. } => format!("delta {turn} {text:?} {quota:?}"),
        Event::End(end) => format!("end {:?} {:?}", end.text, end.answer),
        Event::Stray { text, chunk } => format!("stray {text:?} {}", chunk.end),
        Event::Malformed { error, raw } => {
            let raw = raw.map(|raw| &raw[moved.min(raw.len())..]);
            format!("malformed {:?} {} {:?} {raw:?}", error.field, error.offset - moved, error.reason)
        }
        event => panic!("{event:?}"),
    }
}

/// The entries of a JSON object as `serde_json` reads them: in order, duplicates included.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries<'de>, M::Error> {
                let mut entries = Vec::new();
                while let Some((name, value)) = map.next_entry::<Cow<'_, str>, &RawValue>()? {
                    entries.push((name, value.get()));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
