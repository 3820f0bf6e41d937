//! Deadlines, keep-alive, the clock, and the draining that a missed deadline leads to.

use std::time::Duration;

use chatnio_core::{
    Auth, Config, EventStorage, Interruption, MessageKind, Outcome, Request, RequestError, RequestKind, State,
};

use crate::frames::{end, opener, piece};
use crate::host::{Host, Seen, config, ms, secs};

/// The last event that the passing of `span` brings must be the turn's end by a deadline.
#[track_caller]
fn interrupted(host: &mut Host, span: Duration) -> Interruption {
    match host.pass(span).into_iter().find(|seen| matches!(seen, Seen::End { .. })).map(Seen::outcome) {
        Some(Outcome::Interrupted(why)) => why,
        other => panic!("expected an interruption, not {other:?}"),
    }
}

fn ends(seen: &[Seen]) -> usize {
    seen.iter().filter(|seen| matches!(seen, Seen::End { .. })).count()
}

#[test]
fn the_first_frame() {
    let mut host = Host::asking();
    assert_eq!(ends(&host.pass(ms(119_999))), 0);
    assert_eq!(interrupted(&mut host, ms(1)), Interruption::FirstFrameDeadline);
    assert_eq!(host.state(), State::Draining);
}

#[test]
fn the_next_frame() {
    let mut host = Host::asking();
    host.pass(secs(119));
    host.receive(&opener(29));
    assert_eq!(ends(&host.pass(secs(119))), 0);
    host.receive(&piece("a", 0.1));
    assert_eq!(ends(&host.pass(ms(119_999))), 0);
    assert_eq!(interrupted(&mut host, ms(1)), Interruption::NextFrameDeadline);
}

#[test]
fn the_frames_after_a_stop_do_not_put_its_deadline_off() {
    let mut host = Host::asking();
    host.stop().unwrap();
    for _ in 0..9 {
        assert_eq!(ends(&host.pass(secs(1))), 0);
        host.receive(&piece("a", 0.1));
    }
    assert_eq!(interrupted(&mut host, secs(1)), Interruption::AfterStopDeadline);
}

#[test]
fn the_whole_answer() {
    for by_request in [false, true] {
        let within = if by_request { secs(500) } else { secs(50) };
        let mut host = Host::with_config(|config| config.answer_within = within);
        let request = Request::chat("hi");
        host.request(&if by_request { request.answer_within(secs(50)) } else { request }).unwrap();
        host.sent_kinds();
        host.receive(&opener(29));
        for _ in 0..4 {
            assert_eq!(ends(&host.pass(secs(10))), 0);
            host.receive(&piece("a", 0.1));
        }
        assert_eq!(ends(&host.pass(ms(9_999))), 0);
        assert_eq!(interrupted(&mut host, ms(1)), Interruption::AnswerDeadline);
        assert_eq!(host.state(), State::Draining);
        assert!(host.sent_kinds().contains(&MessageKind::Request(RequestKind::Stop)), "it is stopped");
        host.receive(&end("", 0.1));
        assert_eq!(host.state(), State::Idle);
    }
}

/// Real servers send many of them (protocol.md, R3.5 and R3.18).
#[test]
fn empty_pieces_are_a_sign_of_life_and_the_whole_answers_deadline_bounds_them() {
    for frame in ["{}", r#"{"message":"","quota":0,"end":false}"#] {
        let mut host = Host::with_config(|config| config.next_frame = secs(10));
        let before = host.session.memory();
        host.request(&Request::chat("hi").answer_within(secs(10_000))).unwrap();
        for _ in 0..9_999 / 9 {
            assert_eq!(host.receive(frame), Seen::delta(1, ""));
            assert_eq!(ends(&host.pass(secs(9))), 0, "the next one came in time");
        }
        assert!(host.session.memory() < before + 1024, "they leave nothing: {}", host.session.memory());
        host.receive(frame);
        assert_eq!(interrupted(&mut host, secs(1)), Interruption::AnswerDeadline);
    }
}

#[test]
fn a_stop_does_not_put_the_whole_answers_deadline_off() {
    let mut host = Host::with_config(|_| {});
    host.request(&Request::chat("hi").answer_within(secs(5))).unwrap();
    host.pass(secs(4));
    host.stop().unwrap();
    assert_eq!(interrupted(&mut host, secs(1)), Interruption::AnswerDeadline);
}

#[test]
fn a_requests_deadlines_stand_before_the_settings_and_for_its_answer_alone() {
    let mut host = Host::with_config(|config| config.answer_within = secs(60));
    let patient = Request::chat("hi").first_frame(secs(3)).next_frame(secs(2)).answer_within(Duration::ZERO);
    host.request(&patient).unwrap();
    assert_eq!(ends(&host.pass(ms(2_999))), 0);
    host.receive(&opener(29));
    for _ in 0..60 {
        assert_eq!(ends(&host.pass(ms(1_999))), 0, "it may go on for ever");
        host.receive(&piece("a", 0.1));
    }
    assert_eq!(interrupted(&mut host, secs(2)), Interruption::NextFrameDeadline);
    host.receive(&end("", 0.1));

    host.request(&Request::restart().parameters_of(&patient)).unwrap();
    assert_eq!(interrupted(&mut host, secs(3)), Interruption::FirstFrameDeadline);
    host.receive(&opener(29));
    host.receive(&end("", 0.1));

    host.sent_kinds();
    host.ask("next");
    assert_eq!(ends(&host.pass(ms(59_999))), 0);
    assert_eq!(interrupted(&mut host, ms(1)), Interruption::AnswerDeadline);

    let mut endless = Host::with_config(|_| {});
    endless.request(&Request::chat("hi").first_frame(Duration::ZERO)).unwrap();
    assert_eq!(ends(&endless.pass(secs(3_600))), 0);
    let refused = Host::with_config(|_| {}).request(&Request::remove(0).answer_within(secs(1)));
    assert_eq!(refused, Err(RequestError::UnexpectedParameters { kind: RequestKind::Remove }));
}

#[test]
fn the_nearer_of_two_deadlines_counts() {
    let mut host = Host::asking();
    host.pass(secs(115));
    host.stop().unwrap();
    assert_eq!(interrupted(&mut host, secs(5)), Interruption::FirstFrameDeadline);
}

#[test]
fn each_by_setting() {
    let mut host = Host::with_config(|config| {
        config.first_frame = ms(10);
        config.next_frame = ms(20);
        config.after_stop = ms(5);
    });
    host.ask("hi");
    assert_eq!(host.session.next_deadline(), Some(host.now + ms(10)));
    host.receive(&opener(29));
    assert_eq!(host.session.next_deadline(), Some(host.now + ms(20)));
    host.stop().unwrap();
    assert_eq!(host.session.next_deadline(), Some(host.now + ms(5)));
}

#[test]
fn zero_is_off() {
    let mut host = Host::with_config(|config| {
        config.keep_alive = Duration::ZERO;
        config.first_frame = Duration::ZERO;
        config.next_frame = Duration::ZERO;
        config.after_stop = Duration::ZERO;
        config.stop_repeats.clear();
    });
    assert_eq!(host.session.next_deadline(), None);
    host.ask("hi");
    assert_eq!(host.session.next_deadline(), None);
    host.receive(&piece("a", 0.1));
    assert_eq!(host.session.next_deadline(), None);
    host.stop().unwrap();
    assert_eq!(host.session.next_deadline(), None);
    assert_eq!(host.sleep(secs(1 << 40)), []);
    assert_eq!(host.state(), State::Stopping);
}

#[test]
fn one_off_leaves_the_others_on() {
    let mut host = Host::with_config(|config| config.first_frame = Duration::ZERO);
    host.ask("hi");
    assert_eq!(ends(&host.pass(secs(1000))), 0);
    host.receive(&piece("a", 0.1));
    assert_eq!(interrupted(&mut host, secs(120)), Interruption::NextFrameDeadline);

    let mut host = Host::with_config(|config| config.next_frame = Duration::ZERO);
    host.ask("hi");
    host.receive(&piece("a", 0.1));
    assert_eq!(ends(&host.pass(secs(1000))), 0);
    host.receive(&end("", 0.1));
    host.sent();
    host.ask("hi");
    assert_eq!(interrupted(&mut host, secs(120)), Interruption::FirstFrameDeadline);
}

#[test]
fn an_idle_session_has_only_its_keep_alive() {
    let host = Host::with_openers();
    assert_eq!(host.session.next_deadline(), Some(host.now + secs(25)));
}

// --- keep-alive ---

#[test]
fn a_keep_alive_goes_out_after_silence() {
    let mut host = Host::new();
    assert_eq!(host.pass(ms(24_999)), []);
    assert_eq!(host.pass(ms(1)), [Seen::KeepAlive]);
    assert_eq!(host.sent(), [r#"{"type":"ping"}"#], "compared byte by byte by the server");
    assert_eq!(host.pass(secs(50)), [Seen::KeepAlive, Seen::KeepAlive]);
}

#[test]
fn whatever_goes_in_or_out_puts_the_keep_alive_off() {
    let mut host = Host::new();
    let activities: [fn(&mut Host); 6] = [
        |host| host.ask("hi"),
        |host| drop(host.receive(&piece("a", 0.1))),
        |host| assert_eq!(host.malformed("garbage").offset, 0),
        |host| assert!(host.session.receive_binary(host.now).is_some()),
        |host| assert_eq!(host.stop(), Ok(true)),
        |host| drop(host.receive(&end("", 0.1))),
    ];
    for activity in activities {
        host.pass(secs(5));
        activity(&mut host);
        let keep_alive = host.now + secs(25);
        if host.state() != State::Stopping {
            assert_eq!(host.session.next_deadline(), Some(keep_alive));
        }
    }
    assert_eq!(host.pass(ms(24_999)), []);
}

#[test]
fn it_goes_out_while_an_answer_is_awaited_and_drained() {
    let mut host = Host::asking();
    assert_eq!(host.pass(secs(119)), vec![Seen::KeepAlive; 4]);
    host.pass(secs(1));
    assert_eq!(host.state(), State::Draining);
    host.pass(secs(4));
    host.sent();
    assert_eq!(host.pass(secs(50)), vec![Seen::KeepAlive; 2]);
    assert_eq!(host.sent_kinds(), [MessageKind::Ping; 2]);
}

#[test]
fn a_late_host_sends_one() {
    let mut host = Host::new();
    assert_eq!(host.sleep(secs(1000)), [Seen::KeepAlive]);
}

// --- the clock ---

#[test]
fn a_clock_that_goes_back_stands_still() {
    let mut host = Host::asking();
    let (now, due) = (host.now, host.session.next_deadline());
    host.now = Duration::ZERO;
    assert_eq!(host.session.handle_timeout(host.now, &mut EventStorage::new()).map(Seen::new), None);
    host.session.receive(host.now, &piece("a", 0.1), &mut EventStorage::new()).unwrap();
    assert_eq!(host.session.next_deadline(), due, "silence is counted from the latest time");
    host.session.stop(host.now).unwrap();
    assert_eq!(host.session.next_deadline(), Some(now + ms(150)));
    host.now = now;
    assert_eq!(host.pass(ms(149)), []);
    assert_eq!(host.pass(ms(1)), [Seen::StopRepeated(1)]);
}

#[test]
fn a_clock_may_start_anywhere_and_jump_far() {
    for start in [Duration::ZERO, secs(u64::MAX / 2)] {
        let mut host = Host::starting_at(Auth::new("t"), Config::default(), start);
        host.ask("hi");
        let seen = host.sleep(secs(u64::MAX / 2));
        assert_eq!(seen[0].clone().outcome(), Outcome::Interrupted(Interruption::FirstFrameDeadline));
    }
}

#[test]
fn at_the_end_of_all_time_nothing_overflows() {
    let mut host = Host::starting_at(Auth::new("t"), Config::default(), Duration::MAX);
    assert_eq!(host.session.next_deadline(), None);
    host.ask("hi");
    host.receive(&opener(29));
    host.stop().unwrap();
    assert_eq!(host.session.next_deadline(), None);
    assert_eq!(host.session.handle_timeout(Duration::MAX, &mut EventStorage::new()).map(Seen::new), None);
    assert_eq!(host.receive(&end("", 0.1)).outcome(), Outcome::Stopped);
}

#[test]
fn the_longest_spans_never_come() {
    let max = Duration::MAX;
    let config = config(|config| {
        (config.keep_alive, config.first_frame, config.next_frame, config.after_stop) = (max, max, max, max);
        config.stop_repeats = vec![max];
    });
    let mut host = Host::starting_at(Auth::new("t"), config, ms(1));
    host.ask("hi");
    host.receive(&piece("a", 0.1));
    host.stop().unwrap();
    assert_eq!(host.session.next_deadline(), None);
    assert_eq!(host.sleep(max - host.now), []);
}

#[test]
fn the_shortest_spans_move_on() {
    let config = config(|config| {
        let tick = Duration::from_nanos(1);
        (config.keep_alive, config.first_frame, config.next_frame, config.after_stop) = (tick, tick, tick, tick);
        config.stop_repeats = vec![Duration::ZERO, Duration::ZERO, tick];
    });
    let mut host = Host::starting_at(Auth::new("t"), config, secs(1));
    host.ask("hi");
    // `sleep` fails when the deadlines do not move.
    assert_eq!(ends(&host.sleep(ms(1))), 1);
    host.sleep(ms(1));
}

// --- draining ---

#[test]
fn a_drained_turn_keeps_its_frames_out_of_the_next() {
    let mut host = Host::asking();
    host.receive(&opener(29));
    host.receive(&piece("a", 0.1));
    assert_eq!(interrupted(&mut host, secs(120)), Interruption::NextFrameDeadline);
    assert_eq!(host.sent_kinds().last(), Some(&MessageKind::Request(chatnio_core::RequestKind::Stop)));

    assert_eq!(host.receive(&piece("b\\", 0.2)), Seen::stray("b\\"));
    assert_eq!(host.request(&chatnio_core::Request::chat("x")), Err(RequestError::Busy { turn: 1 }));
    assert_eq!(host.stop(), Ok(false), "it was stopped already");
    assert_eq!(host.state(), State::Draining);
    assert_eq!(host.receive(&end("", 0.2)), Seen::stray(""));
    assert_eq!(host.state(), State::Idle);
    assert_eq!(host.session.counters().strays, 2);

    host.ask("next");
    host.receive(&opener(29));
    host.receive(&piece("c", 0.1));
    let answer = host.receive(&end("", 0.1)).answer();
    assert_eq!((answer.turn, &*answer.text, answer.outcome), (2, "c", Some(Outcome::Complete)));
}

#[test]
fn draining_repeats_its_stop_and_then_waits_without_a_deadline() {
    let mut host = Host::asking();
    interrupted(&mut host, secs(120));
    host.sent();
    let seen = host.pass(secs(4));
    assert_eq!(seen, vec![Seen::StopRepeated(1); 4]);
    assert_eq!(host.sent().len(), 4);
    let seen = host.pass(secs(1_000));
    assert!(seen.iter().all(|seen| *seen == Seen::KeepAlive), "{seen:?}");
    assert_eq!(host.state(), State::Draining);
}

#[test]
fn a_late_opener_belongs_to_the_turn_that_is_drained() {
    let mut host = Host::with_openers();
    host.ask("slow");
    interrupted(&mut host, secs(120));
    assert_eq!(host.receive(&opener(29)), Seen::stray(""));
    assert_eq!(host.state(), State::Draining);
    assert_eq!(host.receive(&end("", 0.1)), Seen::stray(""));
    assert_eq!(host.state(), State::Idle);
}

#[test]
fn a_notice_before_the_opener_ends_the_draining() {
    let mut host = Host::with_openers();
    host.ask("slow");
    interrupted(&mut host, secs(120));
    assert_eq!(host.receive(&end("no response", 0.0)), Seen::stray("no response"));
    assert_eq!(host.state(), State::Idle);
}
