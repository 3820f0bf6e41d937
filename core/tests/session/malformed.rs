//! Messages that cannot be read: counted, and survived.

use chatnio_core::{Event, Interruption, Outcome, Reason, State};

use crate::frames::{end, piece};
use crate::host::{Host, Seen, secs};

/// One of each kind that a text can be; `None` is a binary one.
const KINDS: [Option<&str>; 9] = [
    None,
    Some("garbage"),
    Some(""),
    Some("\n"),
    Some("[]"),
    Some("null"),
    Some(r#"{"message":"cut"#),
    Some(r#"{"message":5}"#),
    Some(r#"{"message":"a","quota":1e400}"#),
];

#[test]
fn the_turn_goes_on_and_counts_them() {
    let mut host = Host::asking();
    host.receive(&piece("a", 0.1));
    for message in ["garbage", "[]", r#"{"message":1}"#, r#"{"message":"x""#, ""] {
        let error = host.malformed(message);
        assert!(!matches!(error.reason, Reason::TooLong { .. }), "{error:?}");
        assert_eq!(host.state(), State::Answering);
    }
    assert_eq!(host.session.answer().unwrap().malformed, 5);
    host.receive(&piece("b", 0.2));
    let answer = host.receive(&end("", 0.2)).answer();
    assert_eq!((&*answer.text, answer.malformed, answer.outcome), ("ab", 5, Some(Outcome::Complete)));
    assert_eq!(host.session.counters().malformed, 5);
}

#[test]
fn the_next_turn_counts_anew() {
    let mut host = Host::asking();
    host.malformed("garbage");
    assert_eq!(host.receive(&end("", 0.1)).answer().malformed, 1);
    host.malformed("garbage");
    host.ask("next");
    assert_eq!(host.receive(&end("", 0.1)).answer().malformed, 0);
    assert_eq!(host.session.counters().malformed, 2);
}

#[test]
fn the_error_names_field_and_offset() {
    let mut host = Host::asking();
    let error = host.malformed(r#"{"message":"a","end":1}"#);
    assert_eq!((error.field, error.offset), (Some("end"), 21));
    assert_eq!(error.reason, Reason::WrongType { expected: "true or false" });
    assert_eq!(host.session.answer().unwrap().text, "", "nothing of it is taken");
}

#[test]
fn a_binary_message() {
    let mut host = Host::asking();
    let Some(Event::Malformed { error, raw: None }) = host.session.receive_binary(host.now) else { panic!() };
    assert_eq!((error.field, error.reason), (None, Reason::Binary));
    assert_eq!(error.to_string(), "malformed message: binary message at byte 0");
    assert_eq!(host.receive(&end("", 0.1)).answer().malformed, 1);
    assert!(host.session.receive_binary(host.now).is_some(), "between turns too");
}

#[test]
fn they_are_no_sign_of_life() {
    for kind in KINDS {
        let unreadable = |host: &mut Host| match kind {
            Some(message) => drop(host.malformed(message)),
            None => assert!(matches!(host.session.receive_binary(host.now), Some(Event::Malformed { .. }))),
        };
        let mut host = Host::asking();
        host.pass(secs(100));
        unreadable(&mut host);
        assert_eq!(host.state(), State::Asking);
        let seen = host.pass(secs(20));
        assert!(seen.iter().any(|seen| matches!(seen, Seen::End { .. })), "{kind:?}: {seen:?}");

        let mut host = Host::asking();
        host.receive(&piece("a", 0.1));
        // As often as they come.
        for _ in 0..119 {
            host.pass(secs(1));
            unreadable(&mut host);
            assert_eq!(host.state(), State::Answering, "{kind:?}");
        }
        let seen = host.pass(secs(1));
        assert_eq!(seen.len(), 1, "{kind:?}: {seen:?}");
        let outcome = seen.into_iter().next().unwrap().outcome();
        assert_eq!(outcome, Outcome::Interrupted(Interruption::NextFrameDeadline), "{kind:?}");
    }
}

#[test]
fn a_draining_turn_survives_them_too() {
    let mut host = Host::asking();
    host.pass(secs(120));
    host.malformed("garbage");
    assert_eq!(host.state(), State::Draining);
    host.receive(&end("", 0.1));
    assert_eq!(host.state(), State::Idle);
}
