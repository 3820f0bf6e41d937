//! Where the texts of events lie: never in a copy.

use std::ops::Range;

use chatnio_core::{Event, EventStorage, MessageKind, Request};

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
fn a_surrogate_pair_that_was_split_over_two_frames_is_lost_but_nothing_else() {
    let mut host = Host::asking();
    assert_eq!(host.receive(r#"{"message":"a\ud83d"}"#), Seen::delta(1, "a\u{FFFD}"));
    assert_eq!(host.receive(r#"{"message":"\ude00b"}"#), Seen::delta(1, "\u{FFFD}b"));
    assert_eq!(host.receive(r#"{"message":"\ud83d\ude00"}"#), Seen::delta(1, "😀"));
    assert_eq!(host.receive(r#"{"end":true}"#).answer().text, "a\u{FFFD}\u{FFFD}b😀");
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
