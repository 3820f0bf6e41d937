//! Frames that cannot be (protocol.md, R5.13): whose the next answer is, nobody knows, and so there is none. And frames
//! that belong to no turn, after which only an opener is believed.

use chatnio_core::{Event, EventStorage, Interruption, Outcome, Request, RequestError, State};

use crate::frames::{end, opener, piece};
use crate::host::{Host, Seen, ms, secs};

const BROKEN: Outcome = Outcome::Interrupted(Interruption::ProtocolBroken);

/// Whatever comes, no answer does, until there is a new connection; on that all is well.
#[track_caller]
fn is_over(host: &mut Host) {
    assert_eq!(host.state(), State::Closed);
    assert_eq!(host.request(&Request::chat("next")), Err(RequestError::Closed));
    for message in [opener(29), piece("other", 0.1), end("", 0.1)] {
        assert_eq!(host.try_receive(&message), None);
    }
    assert!(host.sent().is_empty());
    host.reconnect();
    host.ask("again");
    host.receive(&opener(29));
    assert_eq!(&*host.receive(&end("mine", 0.1)).answer().text, "mine");
}

/// A host on a connection with openers, which has had an answer.
fn with_openers() -> Host {
    let mut host = Host::asking();
    host.receive(&opener(29));
    host.receive(&piece("one", 0.1));
    host.receive(&end("", 0.1));
    host
}

/// A host whose turn was stopped, and has had one end.
fn stopped() -> Host {
    let mut host = Host::asking();
    host.receive(&opener(29));
    host.stop().unwrap();
    host.receive(&end("", 0.1));
    host.sent();
    host
}

/// A host on a connection without openers, which has had an answer.
fn without_openers() -> Host {
    let mut host = Host::asking();
    host.receive(&piece("one", 0.1));
    assert_eq!(host.receive(&end("", 0.1)).outcome(), Outcome::Complete);
    host
}

#[test]
fn an_opener_that_no_question_asked_for() {
    for mut host in [Host::new(), with_openers(), without_openers()] {
        assert_eq!(host.receive(&opener(29)), Seen::stray(""));
        is_over(&mut host);
    }
}

#[test]
fn a_second_opener_in_a_turn() {
    let mut host = Host::asking();
    host.receive(&opener(29));
    host.receive(&piece("whose?", 0.1));
    let answer = host.receive(&opener(29)).answer();
    assert_eq!((answer.outcome, &*answer.text), (Some(BROKEN), "whose?"));
    is_over(&mut host);
}

#[test]
fn an_opener_behind_a_piece() {
    let mut host = Host::asking();
    host.receive(&piece("whose?", 0.1));
    assert_eq!(host.receive(&opener(29)).outcome(), BROKEN);
    is_over(&mut host);
}

#[test]
fn an_opener_where_turns_came_without() {
    let mut host = without_openers();
    host.ask("next");
    assert_eq!(host.receive(&opener(29)).outcome(), BROKEN);
    is_over(&mut host);

    // A lost opener, a stop, and the second end that ends the next turn: no third turn gets the second's answer.
    let mut host = Host::asking();
    host.receive(&piece("one", 0.1));
    host.stop().unwrap();
    host.receive(&end("", 0.1));
    host.ask("two");
    assert_eq!(host.receive(&end("", 0.1)).outcome(), Outcome::Complete);
    host.ask("three");
    assert_eq!(host.receive(&opener(29)).outcome(), BROKEN);
    is_over(&mut host);
}

#[test]
fn a_notice_shows_nothing_about_openers() {
    let mut host = Host::asking();
    assert_eq!(host.receive(&end("no money", 0.0)).outcome(), Outcome::Notice);
    host.ask("next");
    assert!(matches!(host.receive(&opener(29)), Seen::Opened { .. }));
}

#[test]
fn anything_between_turns_that_come_without_openers() {
    for message in [piece("late", 0.1), end("", 0.1), end("empty response", 0.0), end("late", 0.0)] {
        let mut host = without_openers();
        assert!(matches!(host.receive(&message), Seen::Stray(_)), "{message}");
        is_over(&mut host);
    }
}

#[test]
fn an_answer_on_an_end_before_the_opener() {
    let mut host = with_openers();
    host.ask("next");
    let Seen::End { last, answer } = host.receive(&end("whose?", 0.1)) else { panic!() };
    assert_eq!((&*last, &*answer.text, answer.outcome), ("", "", Some(BROKEN)));
    is_over(&mut host);
}

#[test]
fn a_notice_before_the_opener_where_something_came_that_is_nobodys() {
    for between in [piece("late", 0.1), end("late", 0.0)] {
        let mut host = with_openers();
        assert_eq!(host.receive(&between), Seen::stray("late"));
        host.ask("next");
        assert_eq!(host.receive(&end("whose?", 0.0)).outcome(), BROKEN);
        is_over(&mut host);
    }

    let mut host = with_openers();
    host.ask("next");
    host.receive(&piece("late", 0.1));
    assert_eq!(host.receive(&end("whose?", 0.0)).outcome(), BROKEN);
    is_over(&mut host);
}

#[test]
fn an_end_too_many_where_nothing_was_stopped() {
    for message in [end("", 0.1), end("empty response", 0.0)] {
        let mut host = with_openers();
        assert!(matches!(host.receive(&message), Seen::Stray(_)), "{message}");
        is_over(&mut host);
    }
    for message in [end("", 0.1), end("empty response", 0.0)] {
        let mut host = with_openers();
        host.ask("next");
        assert_eq!(host.receive(&message).outcome(), BROKEN, "{message}");
        is_over(&mut host);
    }
}

#[test]
fn anything_once_a_turn_has_ended_without_its_opener() {
    // A notice of an earlier turn, say, that came twice: then the next opener is this turn's, and so on for good.
    for message in [piece("whose?", 0.1), end("", 0.1)] {
        let mut host = with_openers();
        host.ask("two");
        assert_eq!(host.receive(&end("late", 0.0)).outcome(), Outcome::Notice);
        host.pass(ms(250));
        host.ask("three");
        host.receive(&opener(29));
        host.receive(&piece("two", 0.1));
        host.stop().unwrap();
        host.receive(&end("", 0.1));
        assert_eq!(host.receive(&end("", 0.1)), Seen::stray(""), "it is owed");
        host.sent();
        host.pass(ms(250));
        host.ask("four");
        assert_eq!(host.receive(&message).outcome(), BROKEN, "{message}");
        is_over(&mut host);
    }
}

#[test]
fn a_piece_where_the_turn_before_had_none() {
    // An opener that nobody asked for, and the second end of the turn before: what comes now is the true answer, and
    // another turn's opener would be believed to open it.
    let shifted = || {
        let mut host = stopped();
        host.ask("next");
        host.receive(&opener(29));
        assert_eq!(host.receive(&end("empty response", 0.0)).outcome(), Outcome::Notice);
        host
    };
    let mut host = shifted();
    assert_eq!(host.receive(&piece("whose?", 0.1)), Seen::stray("whose?"));
    is_over(&mut host);

    let mut host = shifted();
    host.ask("third");
    assert_eq!(host.receive(&piece("whose?", 0.1)).outcome(), BROKEN);
    is_over(&mut host);
}

#[test]
fn a_piece_behind_an_answer_whose_only_text_was_too_long_is_a_late_one() {
    let mut host = Host::with_config(|config| config.max_answer = 3);
    host.ask("hi");
    host.receive(&opener(29));
    let too_long = Outcome::Interrupted(Interruption::AnswerTooLong { limit: 3 });
    assert_eq!(host.receive(&end("long", 0.1)).outcome(), too_long);
    assert_eq!(host.receive(&piece("late", 0.1)), Seen::stray("late"));
    assert_eq!(host.state(), State::Idle);
}

#[test]
fn the_next_opener_ends_the_doubt() {
    let mut host = with_openers();
    host.receive(&piece("late", 0.1));
    host.ask("next");
    host.receive(&opener(29));
    host.receive(&end("", 0.1));
    host.ask("third");
    assert_eq!(host.receive(&end("no money", 0.0)).outcome(), Outcome::Notice);
}

#[test]
fn a_second_end_that_a_stop_leaves_is_no_reason_for_doubt() {
    let mut host = stopped();
    host.receive(&end("empty response", 0.0));
    host.ask("next");
    assert_eq!(host.receive(&end("no money", 0.0)).outcome(), Outcome::Notice);

    let mut host = stopped();
    host.ask("next");
    host.receive(&end("", 0.1));
    assert_eq!(host.receive(&end("no money", 0.0)).outcome(), Outcome::Notice);

    let mut host = stopped();
    host.receive(&end("", 0.1));
    host.receive(&end("", 0.1));
    host.ask("next");
    assert_eq!(host.receive(&end("no money", 0.0)).outcome(), BROKEN, "a third end is one");
}

#[test]
fn before_the_first_question_a_piece_may_come_but_then_there_must_be_an_opener() {
    let mut host = Host::new();
    host.receive(&piece("welcome", 0.1));
    host.ask("hi");
    assert_eq!(host.receive(&piece(" and", 0.1)), Seen::stray(" and"));
    assert_eq!(host.receive(&end("", 0.1)).outcome(), BROKEN);
    is_over(&mut host);
}

#[test]
fn while_it_drains_too() {
    let mut host = Host::asking();
    host.pass(secs(120));
    assert_eq!(host.state(), State::Draining);
    assert_eq!(host.receive(&opener(29)), Seen::stray(""));
    assert_eq!(host.receive(&opener(29)), Seen::stray(""));
    is_over(&mut host);
}

#[test]
fn the_frame_is_shown_and_what_waits_behind_it_is_not() {
    let mut host = Host::asking();
    host.receive(&opener(29));
    let (message, mut storage) = (opener(30) + &piece("other", 0.1), EventStorage::new());
    let Some(Event::End(end)) = host.session.receive(host.now, &message, &mut storage) else { panic!() };
    assert_eq!(end.chunk.unwrap().conversation, Some(30));
    assert!(!host.session.holds_frames());
    assert_eq!(host.session.memory(), 0);
}

#[test]
fn half_a_character_is_not_lost() {
    let mut host = Host::asking();
    host.receive(&opener(29));
    host.receive(r#"{"message":"a\ud83d"}"#);
    let Seen::End { last, answer } = host.receive(&opener(29)) else { panic!() };
    assert_eq!((&*last, &*answer.text), ("\u{FFFD}", "a\u{FFFD}"));
}

#[test]
fn a_remove_that_the_server_takes_for_a_stop_leaves_a_second_end_too() {
    // protocol.md, R2.32 and R2.34.
    let mut host = Host::new();
    host.ask("one");
    host.receive(&opener(29));
    host.receive(&end("", 0.1));
    host.pass(ms(250));
    host.request(&Request::remove(0)).unwrap();
    host.ask("two");
    host.receive(&opener(29));
    host.receive(&piece("2", 0.1));
    host.receive(&end("", 0.1));
    host.ask("three");
    host.receive(&end("", 0.1));
    assert_eq!(host.state(), State::Asking, "the question waits for its opener");
    host.receive(&opener(29));
    host.receive(&end("", 0.1));
    assert_eq!(host.state(), State::Idle);
    // No `remove` was before the last one.
    host.receive(&end("", 0.1));
    assert_eq!(host.state(), State::Closed);
}

/// Asks without sending.
fn ask(host: &mut Host, question: &str) {
    host.request(&Request::chat(question)).unwrap();
}

#[test]
fn an_answer_that_came_before_the_question() {
    // In one message with the end of the turn before. The host asks as soon as it is told of that.
    let mut host = with_openers();
    host.ask("two");
    host.receive(&opener(29));
    let message = [end("two", 0.1), opener(29), piece("whose?", 0.1), end("", 0.1)].concat();
    assert_eq!(host.receive(&message).outcome(), Outcome::Complete);
    ask(&mut host, "three");
    assert!(host.sent().is_empty(), "what came before it is told first");
    let seen = host.pass(secs(0));
    assert_eq!(seen.len(), 1);
    assert_eq!(seen.into_iter().next().unwrap().outcome(), BROKEN);
    is_over(&mut host);
}

#[test]
fn the_second_end_of_a_stopped_turn_holds_the_question_up_until_it_is_told() {
    let mut host = Host::asking();
    host.receive(&opener(29));
    host.stop().unwrap();
    host.sent();
    host.receive(&[end("", 0.1), end("", 0.1)].concat());
    ask(&mut host, "next");
    assert!(host.sent().is_empty());
    assert_eq!(host.pass(secs(0)), [Seen::stray("")]);
    assert_eq!(host.sent().len(), 1);
    host.receive(&opener(29));
    assert_eq!(&*host.receive(&end("mine", 0.1)).answer().text, "mine");
}

#[test]
fn an_answer_to_a_question_that_is_held() {
    let mut host = Host::asking();
    host.receive(&opener(29));
    host.receive(&piece("one", 0.1));
    host.stop().unwrap();
    host.pass(ms(150));
    host.receive(&end("", 0.1));
    host.sent();
    host.pass(ms(10));
    ask(&mut host, "next");
    assert!(host.sent().is_empty(), "a stop was repeated");
    host.pass(ms(10));
    assert_eq!(host.receive(&opener(29)).outcome(), BROKEN);
    is_over(&mut host);
}

#[test]
fn the_answer_of_a_turn_that_a_notice_of_another_has_ended() {
    // An end too many that says something is taken for this turn's, and the next question waits for what follows it.
    let mut host = with_openers();
    host.ask("two");
    assert_eq!(host.receive(&end("unexpected EOF", 0.0)).outcome(), Outcome::Notice);
    ask(&mut host, "three");
    assert!(host.sent().is_empty());
    host.pass(ms(249));
    assert_eq!(host.receive(&opener(29)).outcome(), BROKEN);
    is_over(&mut host);
}
