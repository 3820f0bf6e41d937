//! The second end that a stopped turn leaves behind on servers of 2026 (protocol.md, R3.14 and R5.7).

use chatnio_core::{Interruption, Outcome, State};

use crate::frames::{end, opener, piece};
use crate::host::{Host, Seen, secs};

/// A host whose turn, with an opener and a piece, was stopped and has had its first end.
fn stopped() -> Host {
    let mut host = Host::asking();
    host.receive(&opener(29));
    host.receive(&piece("one", 0.1));
    host.stop().unwrap();
    assert_eq!(host.receive(&end("", 0.1)).outcome(), Outcome::Stopped);
    host.sent();
    host
}

/// Asks, and expects the turn to run undisturbed up to a complete answer.
#[track_caller]
fn runs_a_whole_turn(host: &mut Host, turn: u64) {
    assert!(matches!(host.receive(&opener(29)), Seen::Opened { .. }));
    assert_eq!(host.receive(&piece("two", 0.2)), Seen::delta(turn, "two"));
    let answer = host.receive(&end("", 0.2)).answer();
    assert_eq!((answer.turn, &*answer.text, answer.outcome), (turn, "two", Some(Outcome::Complete)));
    assert_eq!(host.state(), State::Idle);
}

#[test]
fn between_turns_it_is_a_stray() {
    for second in [end("", 0.1), end("empty response", 0.0)] {
        let mut host = stopped();
        assert!(matches!(host.receive(&second), Seen::Stray(_)));
        host.ask("next");
        runs_a_whole_turn(&mut host, 2);
        assert_eq!(host.session.counters().strays, 1);
    }
}

#[test]
fn after_an_immediate_next_question_it_is_no_end_of_that() {
    for second in [end("", 0.1), end("empty response", 0.0), r#"{"end":true}"#.to_string()] {
        let mut host = stopped();
        host.ask("next");
        assert!(matches!(host.receive(&second), Seen::Stray(_)));
        assert_eq!(host.state(), State::Asking);
        runs_a_whole_turn(&mut host, 2);
    }
}

#[test]
fn when_none_comes_the_next_turn_runs_all_the_same() {
    // R5.8.
    let mut host = stopped();
    host.ask("next");
    runs_a_whole_turn(&mut host, 2);
    assert_eq!(host.session.counters().strays, 0);
}

#[test]
fn the_stop_before_the_first_piece_leaves_empty_response() {
    let mut host = Host::asking();
    host.receive(&opener(29));
    host.stop().unwrap();
    let answer = host.receive(&end("", 0.1)).answer();
    assert_eq!((answer.outcome, answer.quota(), answer.notice), (Some(Outcome::Stopped), 0.1, None));
    host.ask("next");
    assert_eq!(host.receive(&end("empty response", 0.0)), Seen::stray("empty response"));
    runs_a_whole_turn(&mut host, 2);
}

#[test]
fn one_too_many_shifts_no_later_answer() {
    let ends = [end("", 0.1), end("empty response", 0.0)];
    for third in &ends {
        let mut host = stopped();
        assert_eq!(host.receive(&end("", 0.1)), Seen::stray(""));
        host.ask("next");
        assert!(matches!(host.receive(third), Seen::Stray(_)), "no notice, whatever came before");
        assert!(matches!(host.receive(third), Seen::Stray(_)));
        assert_eq!(host.state(), State::Asking);
        runs_a_whole_turn(&mut host, 2);
        host.ask("third");
        runs_a_whole_turn(&mut host, 3);
    }
}

#[test]
fn a_turn_that_gets_nothing_else_has_its_deadline() {
    let mut host = stopped();
    host.ask("next");
    host.receive(&end("", 0.1));
    host.receive(&end("", 0.1));
    let why = Interruption::FirstFrameDeadline;
    assert_eq!(host.sleep(secs(120)).remove(0).outcome(), Outcome::Interrupted(why));
}

#[test]
fn the_opener_closes_the_books_on_it() {
    let mut host = stopped();
    host.ask("next");
    host.receive(&opener(29));
    assert_eq!(host.receive(&end("empty response", 0.0)).outcome(), Outcome::Notice, "the turn's own");
}

#[test]
fn a_notice_before_the_opener_ends_the_turn() {
    // R5.10.
    let mut host = stopped();
    host.ask("next");
    let answer = host.receive(&end("cannot find channel for model M", 0.0)).answer();
    assert_eq!((answer.turn, answer.outcome), (2, Some(Outcome::Notice)));
    assert_eq!(answer.notice.as_deref(), Some("cannot find channel for model M"));
}

#[test]
fn a_piece_before_the_opener_belongs_to_no_turn() {
    let mut host = stopped();
    host.ask("next");
    assert_eq!(host.receive(&piece("late", 0.1)), Seen::stray("late"));
    assert_eq!(host.receive(&end("", 0.1)), Seen::stray(""), "the second end is still owed");
    runs_a_whole_turn(&mut host, 2);
}

#[test]
fn an_opener_between_turns_or_a_piece_pays_nothing() {
    let mut host = stopped();
    assert_eq!(host.receive(&piece("late", 0.1)), Seen::stray("late"));
    host.ask("next");
    assert_eq!(host.receive(&end("", 0.1)), Seen::stray(""));
    runs_a_whole_turn(&mut host, 2);
}

#[test]
fn two_stopped_turns_leave_one_each() {
    let mut host = stopped();
    host.ask("next");
    assert_eq!(host.receive(&end("", 0.1)), Seen::stray(""));
    host.receive(&opener(29));
    host.stop().unwrap();
    assert_eq!(host.receive(&end("", 0.1)).outcome(), Outcome::Stopped);
    host.ask("third");
    assert_eq!(host.receive(&end("empty response", 0.0)), Seen::stray("empty response"));
    runs_a_whole_turn(&mut host, 3);
}

#[test]
fn connections_without_openers_have_none() {
    // R5.9.
    let mut host = Host::asking();
    host.receive(&piece("one", 0.1));
    host.stop().unwrap();
    host.receive(&end("", 0.1));
    host.ask("next");
    let answer = host.receive(&end("", 0.2)).answer();
    assert_eq!((answer.turn, answer.outcome, answer.quota()), (2, Some(Outcome::Complete), 0.2));
}

#[test]
fn a_drained_turn_leaves_one_too() {
    let mut host = Host::with_openers();
    host.ask("slow");
    host.receive(&opener(29));
    host.stop().unwrap();
    host.pass(secs(10));
    assert_eq!(host.state(), State::Draining);
    assert_eq!(host.receive(&end("", 0.1)), Seen::stray(""));
    assert_eq!(host.state(), State::Idle);
    host.pass(secs(1));
    host.sent();
    host.ask("next");
    assert_eq!(host.receive(&end("", 0.1)), Seen::stray(""));
    runs_a_whole_turn(&mut host, 3);
}
