//! The decoder and the session at the edges that generated frames rarely meet: escapes and cut characters at the borders of
//! the words and blocks in which text is read, each field in each place and of each type, one character more or less
//! anywhere in the usual frame, several frames in one message. Everything is enumerated, with `serde_json` as the reference.

mod common;

use chatnio_core::{Auth, Chunk, CloseReason, Config, Event, EventStorage, Request, Session};
use common::Entries;
use core::time::Duration;

const USUAL: &str =
    r#"{"conversation":0,"quota":0.0034000003,"keyword":"","message":"a\u003cé😀","end":false,"plan":true}"#;

/// What a frame says: texts as UTF-16, which has halves of pairs; a quota by its bits.
#[derive(Debug, Default, PartialEq)]
struct Said {
    message: Option<Vec<u16>>,
    quota: Option<(u64, String)>,
    keyword: Option<Vec<u16>>,
    end: bool,
    plan: bool,
    conversation: Option<i64>,
}

/// The units that the contents of a JSON string stand for, one character after the other.
fn units(raw: &str) -> Vec<u16> {
    let mut units = Vec::new();
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next().unwrap() {
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap());
                    continue;
                }
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            },
            c => c,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    units
}

/// What `text` says by the reference and the rules of its fields; the field that does not fit, or nothing, where it is no frame.
fn reference(text: &str) -> Result<Said, Option<String>> {
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Err(None);
    }
    let Entries(entries) = serde_json::from_str(text).map_err(|_| None)?;
    let mut said = Said::default();
    for (at, (name, value)) in entries.iter().enumerate() {
        let raw = value.get();
        if raw == "null" || entries[at + 1..].iter().any(|(later, _)| later == name) {
            continue;
        }
        let text = || raw.strip_prefix('"').map(|raw| units(&raw[..raw.len() - 1]));
        let number = || raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let fits = match &**name {
            "message" => text().map(|text| said.message = Some(text)).is_some(),
            "keyword" => text().map(|text| said.keyword = Some(text)).is_some(),
            "end" => raw.parse().map(|value| said.end = value).is_ok(),
            "plan" => raw.parse().map(|value| said.plan = value).is_ok(),
            "conversation" => number() && raw.parse().map(|id| said.conversation = Some(id)).is_ok(),
            "quota" => {
                let value = serde_json::from_str::<f64>(raw).ok().filter(|_| number());
                value.map(|value| said.quota = Some((value.to_bits(), raw.into()))).is_some()
            }
            _ => true,
        };
        if !fits {
            return Err(Some(name.clone()));
        }
    }
    Ok(said)
}

fn said(chunk: &Chunk<'_>) -> Said {
    let text = |text: chatnio_core::Text<'_>| text.to_str().encode_utf16().collect();
    Said {
        message: chunk.message.map(text),
        quota: chunk.quota.map(|quota| (quota.value().to_bits(), quota.text().into())),
        keyword: chunk.keyword.map(text),
        end: chunk.end,
        plan: chunk.plan,
        conversation: chunk.conversation,
    }
}

/// With the halves that have no other half replaced.
fn lossy(mut said: Said) -> Said {
    for text in [&mut said.message, &mut said.keyword].into_iter().flatten() {
        *text = String::from_utf16_lossy(text).encode_utf16().collect();
    }
    said
}

fn asking() -> Session {
    let mut session = Session::new(Auth::anonymous(), Config::default(), Duration::ZERO).unwrap();
    session.request(Duration::ZERO, &Request::chat("hi")).unwrap();
    session
}

/// What an event shows of the message: its frame and its text; nothing of one that cannot be read.
fn told(event: Event<'_>) -> Option<(Said, String)> {
    match event {
        Event::Opened { chunk, .. } => Some((said(&chunk), String::new())),
        Event::Delta { chunk, text, .. } | Event::Stray { chunk, text } => Some((said(&chunk), text.into())),
        Event::End(end) => {
            let chunk = end.chunk.expect("a frame has ended it");
            let text = end.answer.notice.clone().unwrap_or_else(|| end.text.into());
            Some((said(&chunk), text))
        }
        Event::Malformed { .. } => None,
        other => panic!("no test knows {other:?}"),
    }
}

/// Reads `text` in every way there is, and compares each with the reference.
fn check(text: &str) {
    let expected = reference(text);
    let decoded = Chunk::decode(text);
    match (&expected, &decoded) {
        (Err(field), Err(error)) => assert_eq!(error.field.map(String::from), *field, "{text}"),
        (Ok(_), Ok(chunk)) => assert_eq!(chunk.raw(), text),
        _ => panic!("{text}\n{expected:?}\n{decoded:?}"),
    }
    for is_stored in [false, true] {
        let (mut session, mut storage) = (asking(), EventStorage::new());
        let event = if is_stored {
            storage.message_mut().push_str(text);
            session.receive_stored(Duration::ZERO, &mut storage)
        } else {
            session.receive(Duration::ZERO, text, &mut storage)
        };
        let told = told(event.expect("one event for a message"));
        let (Ok(expected), Some((told, mut shown))) = (reference(text), told) else {
            // A frame may stand before what cannot be read.
            while session.handle_timeout(Duration::ZERO, &mut storage).is_some() {}
            assert_eq!(session.counters().malformed, u64::from(expected.is_err()), "{text}");
            continue;
        };
        // Half a character is held back until the other half comes, or does not.
        let half = expected.message.as_ref().and_then(|units| units.last()).is_some_and(|unit| unit & 0xFC00 == 0xD800);
        if half
            && !expected.end
            && let Some(Event::End(end)) = session.closed(CloseReason::Lost)
        {
            shown += end.text;
        }
        let expected = lossy(expected);
        assert_eq!(shown.encode_utf16().collect::<Vec<_>>(), expected.message.clone().unwrap_or_default(), "{text}");
        assert_eq!(told, expected, "{text}");
        assert_eq!(decoded.as_ref().map(said), Ok(expected), "{text}");
    }
}

fn usual(text: &str) -> String {
    USUAL.replace(r"a\u003cé😀", text)
}

/// Whatever can stand in a string or must not, each of its kind.
const PIECES: [&str; 30] = [
    r"\n",
    r#"\""#,
    r"\\",
    r"\/",
    r"\u0041",
    r"\u00e9",
    r"\u20AC",
    r"\ud83d\ude00",
    r"\ud83d",
    r"\ude00",
    r"\u0000",
    "é",
    "€",
    "😀",
    "\u{7f}",
    "\u{80}",
    "\u{ffff}",
    // Not these.
    "\"",
    "\\",
    "\x00",
    "\x1f",
    "\n",
    r"\x",
    r"\u12",
    r"\u12g4",
    r"\ud83d\u",
    r"\ud83d\",
    r"\U0041",
    r"\u+041",
    r"\'",
];

#[test]
fn escapes_and_characters_at_every_place_of_a_word_and_a_block() {
    for before in ["a", "é", "€", r"\n"] {
        for count in (0..=66).chain(127..=129) {
            let before = before.repeat(count);
            for piece in PIECES {
                for after in [0, 9] {
                    check(&usual(&format!("{before}{piece}{}", "b".repeat(after))));
                }
            }
        }
    }
}

#[test]
fn two_escapes_at_any_distance() {
    for first in &PIECES[..14] {
        for second in &PIECES[..14] {
            for (before, between) in [(7, 0), (8, 1), (0, 15), (1, 31), (3, 32), (0, 58), (62, 1), (64, 63)] {
                check(&usual(&format!("{}{first}{}{second}", "x".repeat(before), "y".repeat(between))));
            }
        }
    }
}

#[test]
fn numbers_in_the_usual_place_and_any_other() {
    let numbers = "0 -0 0.0 -0.0 1 10 01 00 0.1 .1 1. - + +1 --1 1e0 1E5 1e400 -1e400 1e-400 -1e-400 1e308 1.8e308 \
        1.7976931348623157e308 1.7976931348623159e308 5e-324 4.9e-324 2e-324 2.4703282292062327e-324 2.4703282292062328e-324 \
        2.2250738585072011e-308 2.2250738585072014e-308 0.30000000000000004 0.1234567890123456 0.12345678901234567 \
        0.123456789012345678 0.1234567890123456789 9007199254740991 9007199254740992 9007199254740993 9007199254740992.5 \
        900719925474.0993 9007199.254740993 90071992547409.93 18446744073709551615 18446744073709551616 9223372036854775807 \
        9223372036854775808 -9223372036854775808 -9223372036854775809 99999999999999999999 0.00000000000000001 \
        0.000000000000000001 0.0000000000000000001 1e999999999999999999999 1e-999999999999999999999 0e999999999 1e+ 1e 1e1.5 \
        1_0 1,0 0x1 NaN Infinity null true false \"1\" \"\" {} [] [1] 3.4028235e38 1.4e-45 0.0034000003";
    for number in numbers.split_ascii_whitespace() {
        for field in ["quota", "conversation", "message", "keyword", "end", "plan", "title"] {
            check(&format!("{{\"{field}\":{number}}}"));
            check(&format!("{{\"{field}\":{number},\"{field}\":null}}"));
            check(&format!("{{\"{field}\":null,\"{field}\":{number}}}"));
        }
        for newline in ["", "\n", "\n\n"] {
            check(&format!("{}{newline}", USUAL.replace("0.0034000003", number)));
        }
    }
    let long = |digits: usize| format!("0.{}1", "0".repeat(digits));
    for digits in (0..30).chain([300, 322, 323, 324, 330]) {
        check(&USUAL.replace("0.0034000003", &long(digits)));
        check(&USUAL.replace("0.0034000003", &format!("1{}", "0".repeat(digits))));
    }
}

#[test]
fn one_character_more_less_or_other_anywhere() {
    const OTHERS: [&str; 34] = [
        "", " ", "\t", "\n", "\r", "\x0b", "\x0c", "\u{a0}", "\u{2028}", "\u{feff}", "\0", "\"", "\\", ",", ":", "{",
        "}", "[", "]", "0", "1", "9", "-", "+", ".", "e", "E", "n", "u", "t", "/", "\u{7f}", "é", "😀",
    ];
    let newline = format!("{USUAL}\n");
    for (at, c) in newline.char_indices().chain([(newline.len(), ' ')]) {
        for other in OTHERS {
            let after = (at + c.len_utf8()).min(newline.len());
            for text in [
                format!("{}{other}{}", &newline[..at], &newline[at..]),
                format!("{}{other}{}", &newline[..at], &newline[after..]),
            ] {
                // Two frames in one message have a test of their own.
                if !text.contains("}{") {
                    check(&text);
                }
            }
        }
    }
}

#[test]
fn the_fields_in_every_order_and_twice() {
    let fields = [
        "\"conversation\":0",
        "\"quota\":0.5",
        "\"keyword\":\"k\"",
        "\"message\":\"m\\n\"",
        "\"end\":false",
        "\"plan\":true",
    ];
    fn orders(left: &mut Vec<&'static str>, taken: &mut Vec<&'static str>, each: &mut dyn FnMut(&[&str])) {
        if left.is_empty() {
            return each(taken);
        }
        for at in 0..left.len() {
            let field = left.remove(at);
            taken.push(field);
            orders(left, taken, each);
            left.insert(at, taken.pop().unwrap());
        }
    }
    orders(&mut fields.to_vec(), &mut Vec::new(), &mut |order| check(&format!("{{{}}}", order.join(","))));
    let values = ["null", "true", "0", "0.5", "-1", "\"\"", "\"a\\n\"", "{}", "[1,{\"end\":true}]"];
    for name in ["conversation", "quota", "keyword", "message", "end", "plan"] {
        let escaped = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
        for first in values {
            for second in values {
                check(&format!("{{\"{name}\":{first},\"{escaped}\":{second}}}"));
                check(&format!("{{\"{name}\":{first},\"x\":{second},\"{name}\":null,\"{name}\":{second}}}"));
                let usual = USUAL.trim_end_matches('}');
                check(&format!("{usual},\"{name}\":{first}}}"));
            }
        }
    }
    for text in [
        "",
        " ",
        "{}",
        " { } ",
        "{}\n",
        "{}{",
        "[]",
        "\u{feff}{}",
        "{}\u{feff}",
        "null",
        "0",
        "\"\"",
        "{\"\":0}",
        "{\"a\"}",
    ] {
        check(text);
    }
}

#[test]
fn frames_of_one_message_are_read_as_if_each_came_alone() {
    let frames = [
        USUAL.to_owned(),
        usual(r"\ud83d"),
        usual(r"\ude00x"),
        usual("plain"),
        usual(r"}{\u0022}{"),
        "{}".to_owned(),
        r#"{"message":"}{","title":{"a":["}{"]}}"#.to_owned(),
        r#"{"message":1}"#.to_owned(),
        r#"{"end":true,"quota":1}"#.to_owned(),
        r#"{"end":true,"message":"notice","quota":0}"#.to_owned(),
        r#"{"conversation":29}"#.to_owned(),
    ];
    let all = |session: &mut Session, text: &str| {
        let mut storage = EventStorage::new();
        let mut seen = vec![format!("{:?}", session.receive(Duration::ZERO, text, &mut storage).and_then(told))];
        while let Some(event) = session.handle_timeout(Duration::ZERO, &mut storage) {
            seen.push(format!("{:?}", told(event)));
        }
        seen
    };
    for first in &frames {
        for second in &frames {
            for third in &frames {
                let mut alone = asking();
                let mut expected = Vec::new();
                for frame in [first, second, third] {
                    if alone.state() != chatnio_core::State::Closed {
                        expected.extend(all(&mut alone, frame));
                    }
                }
                for space in ["", "\n", " \r\n\t"] {
                    let mut together = asking();
                    let text = format!("{first}{space}{second}{space}{third}\n");
                    assert_eq!(all(&mut together, &text), expected, "{text}");
                    assert_eq!(together.state(), alone.state(), "{text}");
                    assert_eq!(together.counters(), alone.counters(), "{text}");
                    let answers = [&together, &alone].map(|session| session.answer().map(|answer| answer.text.clone()));
                    assert_eq!(answers[0], answers[1], "{text}");
                }
            }
        }
    }
}
