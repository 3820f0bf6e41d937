//! Messages that hold several frames.

use std::time::Duration;

use chatnio_core::{CloseReason, Event, EventStorage, Interruption, Outcome};

use crate::frames::{end, opener, piece};
use crate::host::{Host, Seen, secs};

fn due(host: &mut Host) -> Option<Seen> {
    host.pass(Duration::ZERO).into_iter().next()
}

/// All that comes of a message.
fn all(host: &mut Host, message: &str) -> Vec<Seen> {
    let first = host.receive(message);
    let mut all = vec![first];
    all.extend(host.pass(Duration::ZERO));
    all
}

#[test]
fn the_frames_behind_the_first_are_due_at_once() {
    let mut host = Host::asking();
    let message = [opener(29), piece("a", 0.1), piece("\u{e9}\n", 0.2), end("", 0.3)].join(" \r\n\t");
    assert!(matches!(host.receive(&message), Seen::Opened { .. }));
    assert!(host.session.holds_frames() && host.session.is_due(host.now));
    assert_eq!(host.session.next_deadline(), Some(host.now));
    assert!(host.session.memory() > message.len() / 2);
    let mut seen = host.pass(Duration::ZERO);
    assert_eq!(seen.pop().unwrap().answer().text, "a\u{e9}\n");
    assert_eq!(seen, [Seen::delta(1, "a"), Seen::delta(1, "\u{e9}\n")]);
    assert!(!host.session.holds_frames() && !host.session.is_due(host.now));
}

#[test]
fn a_flaw_in_one_is_a_flaw_of_that_one() {
    let mut host = Host::asking();
    let seen = all(&mut host, r#"{"message":1}{"message":"a"} {"message":"b"}"#);
    assert!(matches!(&seen[0], Seen::Malformed(_)));
    assert_eq!(seen[1..], [Seen::delta(1, "a"), Seen::delta(1, "b")]);
    let seen = all(&mut host, r#"{"message":"a"}{"message":"b"} junk"#);
    assert_eq!(seen[..2], [Seen::delta(1, "a"), Seen::delta(1, "b")]);
    assert!(matches!(&seen[2..], [Seen::Malformed(_)]));
    let seen = all(&mut host, r#"{"message":"a"}{"message":"#);
    assert_eq!(seen[0], Seen::delta(1, "a"));
    assert!(matches!(&seen[1..], [Seen::Malformed(_)]));
    // What is no frame behind a frame spoils the message, as ever.
    for message in [r#"{"message":"a"} junk"#, r#"{"message":"a"},{"message":"b"}"#, r#"[{"message":"a"}]"#] {
        assert!(matches!(all(&mut host, message)[..], [Seen::Malformed(_)]), "{message}");
    }
}

#[test]
fn what_comes_meanwhile_waits_behind_them() {
    let mut host = Host::asking();
    assert_eq!(host.receive(&[piece("a", 0.1), piece("b", 0.1), piece("c", 0.1)].concat()), Seen::delta(1, "a"));
    assert_eq!(host.receive("garbage"), Seen::delta(1, "b"));
    let mut storage = EventStorage::new();
    *storage.message_mut() = piece("d", 0.1);
    let seen = host.session.receive_stored(host.now, &mut storage).map(Seen::new);
    assert_eq!(seen, Some(Seen::delta(1, "c")));
    assert!(matches!(due(&mut host), Some(Seen::Malformed(_))));
    assert!(!host.session.holds_frames());
    assert_eq!(host.session.answer().unwrap().text, "abcd");
}

#[test]
fn they_come_before_what_is_late() {
    let mut host = Host::asking();
    host.receive(&[piece("a", 0.1), end("", 0.1)].concat());
    // The host sleeps through every deadline.
    let first = host.sleep(Duration::from_secs(1000)).remove(0);
    assert_eq!(first.answer().outcome, Some(Outcome::Complete));
}

#[test]
fn very_many_put_nothing_off_that_is_late() {
    // The next frame, when they are no sign of life; the whole answer, whatever they are.
    for (frame, why) in
        [(r#"{"end":1}"#, Interruption::NextFrameDeadline), (r#"{"message":"a"}"#, Interruption::AnswerDeadline)]
    {
        let mut host = Host::with_config(|config| {
            config.next_frame = secs(10);
            config.answer_within = secs(20);
        });
        host.ask("hi");
        host.receive(&piece("a", 0.1));
        host.receive(&frame.repeat(100_000));
        let mut storage = EventStorage::new();
        let mut count = 0;
        let answer = loop {
            host.now += Duration::from_millis(1);
            count += 1;
            match host.session.handle_timeout(host.now, &mut storage) {
                Some(Event::End(end)) => break end.answer,
                event => assert!(event.is_some()),
            }
        };
        assert_eq!(answer.outcome, Some(Outcome::Interrupted(why)));
        // At once after the deadline, behind what a host may have missed.
        assert!(host.session.holds_frames() && (10_000..22_000).contains(&count), "{count}");
    }
}

#[test]
fn they_hold_up_no_repeat_of_a_stop() {
    let mut host = Host::asking();
    host.receive(&piece("a", 0.1));
    host.session.stop(host.now).unwrap();
    host.receive(&r#"{"end":1}"#.repeat(100_000));
    host.now += secs(1);
    let mut storage = EventStorage::new();
    let mut seen = std::iter::from_fn(|| host.session.handle_timeout(host.now, &mut storage).map(Seen::new));
    assert!(seen.by_ref().take(2000).any(|seen| matches!(seen, Seen::StopRepeated { .. })));
}

#[test]
fn they_are_bounded_and_end_with_the_connection() {
    let mut host = Host::with_config(|config| config.max_message = 400);
    host.ask("hi");
    let three = [piece("a", 0.1), piece("b", 0.1), piece("c", 0.1)].concat();
    assert!(three.len() < 400);
    host.receive(&three);
    let Seen::End { answer, .. } = host.receive(&three) else { panic!() };
    assert_eq!(answer.text, "a");
    host.pass(Duration::ZERO);
    host.receive(&three);
    host.close(CloseReason::Lost);
    assert!(!host.session.holds_frames());
    assert_eq!(host.session.next_deadline(), None);
}

#[test]
fn they_count_before_the_connection_is_gone() {
    let message = [piece("a", 0.1), piece("b", 0.2), end("c", 0.3), piece("nobody's", 0.1)];
    for reason in [CloseReason::Host, CloseReason::Server, CloseReason::Lost] {
        let mut host = Host::asking();
        assert_eq!(host.receive(&message.concat()), Seen::delta(1, "a"));
        let answer = host.close(reason).unwrap().answer();
        assert_eq!((&*answer.text, answer.quota()), ("abc", 0.3), "{reason:?}");
        assert_eq!(answer.outcome, Some(Outcome::Complete), "{reason:?}");
        // Those that bring no end.
        let mut host = Host::asking();
        host.receive(&message[..2].concat());
        let answer = host.close(reason).unwrap().answer();
        assert_eq!(answer.text, "ab", "{reason:?}");
        assert!(matches!(answer.outcome, Some(Outcome::Interrupted(_))), "{reason:?}");
    }
}

#[test]
fn very_many_hold_up_no_close() {
    let mut host = Host::asking();
    host.receive(&r#"{"end":1}"#.repeat(100_000));
    host.close(CloseReason::Host);
    assert!((1000..2000).contains(&host.session.counters().malformed));
    assert!(!host.session.holds_frames() && host.session.memory() == 0);
}

#[test]
fn they_are_of_no_later_connection() {
    let mut host = Host::asking();
    host.receive(&[piece("a", 0.1), piece("b", 0.1)].concat());
    assert!(host.session.holds_frames());
    assert_eq!(host.reconnect().unwrap().answer().text, "ab");
    assert!(!host.session.holds_frames());
    host.ask("again");
    assert_eq!(due(&mut host), None);
    assert_eq!(host.receive(&piece("b", 0.1)), Seen::delta(2, "b"));
    assert_eq!(host.receive(&end("", 0.1)).answer().text, "b");
}

#[test]
fn very_many_cost_no_more_than_their_bytes() {
    let mut host = Host::asking();
    let frames = 20_000;
    host.receive(&"{}".repeat(frames));
    let mut storage = EventStorage::new();
    let mut count = 1;
    while host.session.handle_timeout(host.now, &mut storage).is_some() {
        count += 1;
    }
    assert_eq!(count, frames);
}
