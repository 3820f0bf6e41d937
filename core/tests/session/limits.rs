//! Limits, each with its own error.

use chatnio_core::{
    Event, EventStorage, Interruption, MessageKind, Outcome, Reason, Request, RequestError, RequestKind, State,
};

use crate::frames::{end, opener, piece};
use crate::host::{Host, Seen, secs};

const STOP: MessageKind = MessageKind::Request(RequestKind::Stop);

#[test]
fn a_request() {
    let mut host = Host::with_config(|config| config.max_request = 40);
    let longest = Request::chat("0123456789ab");
    assert_eq!(host.request(&Request::chat("0123456789abc")), Err(RequestError::TooLong { len: 41, limit: 40 }));
    assert!(host.sent().is_empty());
    assert_eq!(host.state(), State::Idle);
    host.request(&longest).unwrap();
}

#[test]
fn a_message_while_no_turn_runs() {
    let frame = piece("a", 0.1);
    let mut host = Host::with_config(|config| config.max_message = frame.len());
    assert_eq!(host.receive(&frame), Seen::stray("a"));
    let longer = piece("ab", 0.1);
    let reason = Reason::TooLong { len: longer.len(), limit: frame.len() };
    assert_eq!(host.malformed(&longer).reason, reason);
    assert_eq!(host.state(), State::Idle);
    assert_eq!((host.session.counters().malformed, host.session.counters().strays), (1, 1));
}

#[test]
fn a_message_of_a_turn() {
    let frame = piece("a", 0.1);
    let limit = frame.len();
    let mut host = Host::with_config(|config| config.max_message = limit);
    host.ask("hi");
    host.receive(&frame);
    let answer = host.receive(&piece("bb", 0.1)).answer();
    assert_eq!(answer.outcome, Some(Outcome::Interrupted(Interruption::MessageTooLong { limit })));
    assert_eq!(answer.text, "a");
    assert_eq!(host.sent_kinds(), [STOP]);
    assert_eq!(host.state(), State::Draining);
    let error = host.malformed(&piece("ccc", 0.1));
    assert!(matches!(error.reason, Reason::TooLong { .. }), "the turn has had its end: {error:?}");
    assert_eq!(host.session.counters().malformed, 2);
    assert_eq!(host.receive(&end("", 0.1)), Seen::stray(""));
    assert_eq!(host.state(), State::Idle);
}

#[test]
fn a_message_that_is_too_long_need_not_be_json() {
    let mut host = Host::with_config(|config| config.max_message = 3);
    assert_eq!(host.malformed("garbage").reason, Reason::TooLong { len: 7, limit: 3 });
}

#[test]
fn an_answer() {
    for keep_text in [true, false] {
        let mut host = Host::with_config(|config| {
            config.max_answer = 4;
            config.keep_text = keep_text;
        });
        host.ask("hi");
        host.receive(&opener(29));
        assert_eq!(host.receive(&piece("ab", 0.1)), Seen::delta(1, "ab"));
        assert_eq!(host.receive(&piece("c\n", 0.2)), Seen::delta(1, "c\n"), "as long as it may be");
        let Seen::End { last, answer } = host.receive(&piece("d", 0.3)) else { panic!() };
        assert_eq!(answer.outcome, Some(Outcome::Interrupted(Interruption::AnswerTooLong { limit: 4 })));
        assert_eq!((&*last, &*answer.text), ("", if keep_text { "abc\n" } else { "" }));
        assert_eq!((answer.chunks, answer.quota()), (2, 0.3), "what it costs is known all the same");
        assert_eq!(host.sent_kinds(), [STOP]);
        assert_eq!(host.state(), State::Draining);
        assert_eq!(host.receive(&end("", 0.3)), Seen::stray(""));
        assert_eq!(host.state(), State::Idle);
    }
}

#[test]
fn an_escaped_piece_that_is_too_much_leaves_nothing_behind() {
    for keep_text in [true, false] {
        let mut host = Host::with_config(|config| {
            config.max_answer = 4;
            config.keep_text = keep_text;
        });
        host.ask("hi");
        host.receive(&piece("abc", 0.1));
        let Seen::End { last, answer } = host.receive(&piece("\n\n", 0.2)) else { panic!() };
        assert_eq!((&*last, &*answer.text), ("", if keep_text { "abc" } else { "" }));
    }
}

#[test]
fn an_answer_that_is_too_long_on_its_end() {
    let mut host = Host::with_config(|config| config.max_answer = 4);
    host.ask("hi");
    let answer = host.receive(&end("abcde", 0.1)).answer();
    assert_eq!(answer.outcome, Some(Outcome::Interrupted(Interruption::AnswerTooLong { limit: 4 })));
    assert_eq!(host.state(), State::Idle, "the server has ended it: nothing is left to drain");
    assert!(host.sent().is_empty());
}

#[test]
fn the_piece_that_was_too_much_is_in_the_chunk() {
    let mut storage = EventStorage::new();
    let mut host = Host::with_config(|config| config.max_answer = 4);
    host.ask("hi");
    let message = piece("abcde", 0.1);
    let Event::End(end) = host.session.receive(host.now, &message, &mut storage).unwrap() else { panic!() };
    assert_eq!(end.chunk.unwrap().message.unwrap().to_str(), "abcde");

    let mut host = Host::with_config(|config| config.max_message = 4);
    host.request(&Request::chat("hi")).unwrap();
    let Event::End(end) = host.session.receive(host.now, &message, &mut storage).unwrap() else { panic!() };
    assert!(end.chunk.is_none(), "it was not even read");
}

#[test]
fn a_notice_is_no_part_of_the_length() {
    let mut host = Host::with_config(|config| config.max_answer = 4);
    host.ask("hi");
    assert_eq!(host.receive(&end("a long notice", 0.0)).outcome(), Outcome::Notice);
}

#[test]
fn the_length_is_counted_anew_for_each_turn() {
    let mut host = Host::with_config(|config| config.max_answer = 4);
    for turn in 1..=3 {
        host.ask("hi");
        assert_eq!(host.receive(&piece("abcd", 0.1)), Seen::delta(turn, "abcd"));
        assert_eq!(host.receive(&end("", 0.1)).outcome(), Outcome::Complete);
    }
}

#[test]
fn zero_is_off() {
    let mut host = Host::with_config(|config| {
        (config.max_message, config.max_request, config.max_answer) = (0, 0, 0);
    });
    let long = "a".repeat(2 << 20);
    host.ask(&long);
    host.receive(&piece(&long, 0.1));
    let answer = host.receive(&end("", 0.1)).answer();
    assert_eq!((answer.outcome, answer.text.len()), (Some(Outcome::Complete), long.len()));
}

#[test]
fn the_defaults_hold_an_image_of_16_mib() {
    let mut host = Host::asking();
    let image = format!("![image](data:image/png;base64,{})", "A".repeat(16 << 20));
    assert_eq!(host.receive(&piece(&image, 1.0)), Seen::delta(1, &image));
    host.receive(&end("", 1.0));
    host.ask(&image[..5_600_000]);
    host.receive(&end("", 1.0));
    let long = "a".repeat((32 << 20) + 1);
    assert!(matches!(host.request(&Request::chat(&*long)), Err(RequestError::TooLong { limit: 0x80_0000, .. })));
    assert!(matches!(host.malformed(&long).reason, Reason::TooLong { limit: 0x200_0000, .. }));
    assert_eq!(host.session.config().max_answer, 64 << 20);
}

#[test]
fn what_one_long_message_has_taken_is_given_back_when_the_next_comes() {
    let long = piece(&"a\n".repeat(1 << 20), 0.1);
    let is_long = |storage: &EventStorage| storage.memory() > 1 << 20;
    let mut session = Host::asking().session;
    let mut storage = EventStorage::new();
    // What stands for itself needs no room, and what does not leaves none behind.
    for next in ["a\n", "a"] {
        assert!(session.receive(secs(1000), &long, &mut storage).is_some());
        assert!(is_long(&storage));
        assert!(session.receive(secs(1000), &piece(next, 0.1), &mut storage).is_some());
        assert!(!is_long(&storage), "{} bytes", storage.memory());
    }
    // So does a frame that came behind another in one message.
    let two = format!("{}{long}", piece("a", 0.1));
    assert!(session.receive(secs(1000), &two, &mut storage).is_some());
    assert!(session.handle_timeout(secs(1000), &mut storage).is_some());
    assert!(is_long(&storage));
    assert!(session.receive(secs(1000), &piece("a", 0.1), &mut storage).is_some());
    assert!(!is_long(&storage), "{} bytes", storage.memory());
}

#[test]
fn a_running_total_takes_no_more_than_a_number_does() {
    let quota = |digits: usize| format!(r#"{{"quota":0.{}1,"message":"a"}}"#, "0".repeat(digits));
    let mut host = Host::asking();
    host.receive(&quota(1000));
    assert_eq!(host.session.answer().unwrap().quota_text().len(), 1003);
    let malformed = host.malformed(&quota(2000));
    assert_eq!((malformed.field, malformed.reason), (Some("quota"), Reason::OutOfRange));
}
