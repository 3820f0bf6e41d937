//! Where the texts of events lie: never in a copy.

use std::ops::Range;

use chatnio_core::{CloseReason, Event, EventStorage, MessageKind, Request};

use crate::frames::piece;
use crate::host::{Host, Seen};

fn lies_in(text: &str, whole: &str) -> bool {
    let addresses = |text: &str| -> Range<usize> {
        let start = text.as_ptr() as usize;
        start..start + text.len()
    };
    let (text, whole) = (addresses(text), addresses(whole));
    whole.start <= text.start && text.end <= whole.end
}

#[test]
fn a_plain_piece_is_a_slice_of_the_message() {
    let mut storage = EventStorage::new();
    for keep_text in [true, false] {
        let mut host = Host::with_config(|config| config.keep_text = keep_text);
        host.ask("hi");
        let message = r#"{"message":"é😀"}"#;
        let Event::Delta { text, .. } = host.session.receive(host.now, message, &mut storage).unwrap() else {
            panic!()
        };
        assert_eq!(text, "é😀");
        assert!(lies_in(text, message));
        let message = r#"{"message":"last","quota":1,"end":true}"#;
        let Event::End(end) = host.session.receive(host.now, message, &mut storage).unwrap() else { panic!() };
        assert_eq!(end.text, "last");
        assert!(lies_in(end.text, message));
        assert_eq!(end.answer.text, if keep_text { "é😀last" } else { "" });
    }
}

#[test]
fn an_escaped_piece_is_decoded_once() {
    let mut storage = EventStorage::new();
    let mut host = Host::asking();
    host.receive(&piece("plain ", 0.1));
    let Event::Delta { text, .. } =
        host.session.receive(host.now, r#"{"message":"\u003cb\u003e"}"#, &mut storage).unwrap()
    else {
        panic!()
    };
    assert_eq!(text, "<b>");
    assert_eq!(host.session.answer().unwrap().text, "plain <b>", "the session is there while the event is looked at");
    assert_eq!(text, "<b>");

    let Event::End(end) =
        host.session.receive(host.now, r#"{"message":"\n!","quota":1,"end":true}"#, &mut storage).unwrap()
    else {
        panic!()
    };
    assert_eq!(end.text, "\n!");
    assert_eq!(end.answer.text, "plain <b>\n!");
}

#[test]
fn without_kept_text_every_piece_is_still_whole() {
    let mut host = Host::with_config(|config| config.keep_text = false);
    host.ask("hi");
    assert_eq!(host.receive(&piece("plain", 0.1)), Seen::delta(1, "plain"));
    assert_eq!(host.receive(&piece("\"one\"", 0.1)), Seen::delta(1, "\"one\""));
    assert_eq!(host.receive(&piece("\n", 0.1)), Seen::delta(1, "\n"), "not what came before");
    assert_eq!(host.receive(&piece("", 0.1)), Seen::delta(1, ""));
    let Seen::End { last, answer } = host.receive(r#"{"message":"\u0021","quota":1,"end":true}"#) else { panic!() };
    assert_eq!((&*last, &*answer.text, answer.chunks), ("!", "", 4));
    host.ask("hi");
    let Seen::End { last, answer } = host.receive(r#"{"message":"a \u003cnotice\u003e","end":true}"#) else { panic!() };
    assert_eq!((&*last, answer.notice.as_deref()), ("", Some("a <notice>")), "a notice is always kept");
}

#[test]
fn a_surrogate_pair_that_is_split_over_two_frames_is_one_character() {
    let mut host = Host::asking();
    assert_eq!(host.receive(r#"{"message":"a\ud83d"}"#), Seen::delta(1, "a"));
    assert_eq!(host.receive(r#"{"message":"\ude00b"}"#), Seen::delta(1, "😀b"));
    assert_eq!(host.receive(r#"{"message":"\uD83D"}"#), Seen::delta(1, ""));
    assert_eq!(host.receive(r#"{"message":""}"#), Seen::delta(1, ""), "an empty piece is between nothing");
    assert_eq!(host.receive(r#"{"quota":0.5}"#), Seen::delta(1, ""));
    assert_eq!(host.receive(r#"{"message":"\uDE00"}"#), Seen::delta(1, "😀"));
    assert_eq!(host.receive(r#"{"message":"\ud83d"}"#), Seen::delta(1, ""));
    let Seen::End { last, answer } = host.receive(r#"{"message":"\ude00!","quota":1,"end":true}"#) else { panic!() };
    assert_eq!((&*last, &*answer.text), ("😀!", "a😀b😀😀!"));
}

#[test]
fn a_half_character_whose_other_half_does_not_come_is_replaced() {
    // The frames of the usual form too, which are read in another way.
    let usual = |text: &str| piece(text, 0.1);
    let mut host = Host::asking();
    for (message, text) in [
        (r#"{"message":"\ud83d"}"#.to_owned(), ""),
        (usual("x"), "\u{FFFD}x"),
        (r#"{"message":"\ud83d\ud83d"}"#.to_owned(), "\u{FFFD}"),
        (r#"{"message":"\ud83d"}"#.to_owned(), "\u{FFFD}"),
        (r#"{"message":"\u0041"}"#.to_owned(), "\u{FFFD}A"),
        // No half at the end, though it looks like one.
        (r#"{"message":"\\ud83d"}"#.to_owned(), "\\ud83d"),
        (r#"{"message":"\ude00\ufffd"}"#.to_owned(), "\u{FFFD}\u{FFFD}"),
        (r#"{"message":"\ud83d"}"#.to_owned(), ""),
        ("garbage".to_owned(), ""),
        (r#"{"message":"\ude00"}"#.to_owned(), "😀"),
        (r#"{"message":"\ud83d"}"#.to_owned(), ""),
    ] {
        match host.receive(&message) {
            Seen::Malformed(_) => assert_eq!(message, "garbage"),
            seen => assert_eq!(seen, Seen::delta(1, text), "{message}"),
        }
    }
    let Seen::End { last, answer } = host.receive(r#"{"end":true}"#) else { panic!() };
    assert_eq!(&*last, "\u{FFFD}");
    assert!(answer.text.ends_with("😀\u{FFFD}"), "{}", answer.text);

    host.ask("again");
    host.receive(r#"{"message":"a\ud83d"}"#);
    let Some(Seen::End { last, answer }) = host.close(CloseReason::Lost) else { panic!() };
    assert_eq!((&*last, &*answer.text), ("\u{FFFD}", "a\u{FFFD}"), "also where the answer breaks off");

    let mut host = Host::asking();
    host.receive(r#"{"message":"a\ud83d"}"#);
    let Seen::End { last, answer } = host.receive(r#"{"message":"out of quota","quota":0,"end":true}"#) else {
        panic!()
    };
    assert_eq!((&*last, &*answer.text), ("\u{FFFD}", "a\u{FFFD}"), "and where the server has something to say instead");
    assert_eq!(answer.notice.as_deref(), Some("out of quota"));
}

#[test]
fn a_half_character_is_that_of_its_turn() {
    let mut host = Host::with_openers();
    host.ask("hi");
    host.receive(&crate::frames::opener(29));
    host.receive(r#"{"message":"a\ud83d"}"#);
    host.receive(r#"{"message":"\ud83d","end":true,"quota":1}"#);
    assert_eq!(host.receive(r#"{"message":"\ude00"}"#), Seen::stray("\u{FFFD}"));
    host.ask("again");
    assert_eq!(host.receive(r#"{"message":"\ud83d"}"#), Seen::stray("\u{FFFD}"), "before the opener it is nobody's");
    host.receive(&crate::frames::opener(29));
    assert_eq!(host.receive(r#"{"message":"\ude00"}"#), Seen::delta(3, "\u{FFFD}"));
}

#[test]
fn a_stray_is_unescaped_too() {
    let mut host = Host::new();
    assert_eq!(host.receive(r#"{"message":"a\tb"}"#), Seen::stray("a\tb"));
    assert_eq!(host.receive(r#"{"message":"\u0063"}"#), Seen::stray("c"), "not what came before");
}

#[test]
fn messages_say_what_they_are_and_are_handed_out_once() {
    let mut host = Host::new();
    host.request(&Request::chat("hi")).unwrap();
    let message = host.session.poll_transmit().unwrap();
    assert_eq!((message.kind(), &*message), (MessageKind::Auth, r#"{"token":"sk-secret","id":-1}"#));
    assert!(host.session.poll_transmit().is_some());
    assert!(host.session.poll_transmit().is_none());
}
