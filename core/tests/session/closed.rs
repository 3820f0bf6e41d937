//! A closed session is inert.

use chatnio_core::{CloseReason, EventStorage, Interruption, Outcome, Request, RequestError, State};

use crate::frames::{end, piece};
use crate::host::{Host, Seen, secs};

#[test]
fn every_call() {
    // At rest, with a turn that runs, with one that is stopped, with one that drains.
    let reach: [fn() -> Host; 4] = [
        Host::new,
        || {
            let mut host = Host::new();
            host.request(&Request::chat("hi")).unwrap();
            host
        },
        || {
            let mut host = Host::asking();
            host.stop().unwrap();
            host
        },
        || {
            let mut host = Host::asking();
            host.pass(secs(120));
            host
        },
    ];
    for reach in reach {
        let mut host = reach();
        host.close(CloseReason::Server);
        let before = format!("{:?}", host.session);
        assert_eq!(host.state(), State::Closed);
        assert!(host.sent().is_empty());
        assert!(host.session.answer().is_none());
        assert_eq!(host.session.next_deadline(), None);
        host.now += secs(1000);
        assert_eq!(host.request(&Request::chat("hi")), Err(RequestError::Closed));
        assert_eq!(host.request(&Request::stop()), Err(RequestError::Closed));
        assert_eq!(host.stop(), Err(RequestError::Closed));
        assert_eq!(host.try_receive(&piece("a", 0.1)), None);
        assert!(host.session.receive_binary(host.now).is_none());
        assert_eq!(host.session.handle_timeout(host.now, &mut EventStorage::new()).map(Seen::new), None);
        assert_eq!(host.close(CloseReason::Host), None);
        assert!(host.sent().is_empty());
        assert_eq!(format!("{:?}", host.session), before, "nothing has changed");
    }
}

#[test]
fn the_running_turn_ends_with_the_reason() {
    for (reason, why) in [
        (CloseReason::Host, Interruption::ClosedByHost),
        (CloseReason::Server, Interruption::ClosedByServer),
        (CloseReason::Lost, Interruption::ConnectionLost),
        (CloseReason::Reconnect, Interruption::Reconnected),
        (CloseReason::GivenUp(Interruption::Unresponsive), Interruption::Unresponsive),
    ] {
        let mut host = Host::asking();
        host.receive(&piece("a", 0.1));
        let Some(Seen::End { last, answer }) = host.close(reason) else { panic!() };
        assert_eq!((&*last, &*answer.text, answer.outcome), ("", "a", Some(Outcome::Interrupted(why))));
    }
}

#[test]
fn two_words_for_one_reason_are_one_reason() {
    for (reason, why) in [
        (CloseReason::Host, Interruption::ClosedByHost),
        (CloseReason::Server, Interruption::ClosedByServer),
        (CloseReason::Lost, Interruption::ConnectionLost),
        (CloseReason::Reconnect, Interruption::Reconnected),
    ] {
        let closed = |reason| {
            let mut running = Host::asking();
            // One that is held goes with the host's close alone.
            let mut holding = Host::with_config(|config| config.record = true);
            holding.ask("hi");
            holding.receive(&end("", 0.1));
            holding.request(&Request::remove(0)).unwrap();
            let ends = [running.close(reason), holding.close(reason)];
            (ends, holding.sent(), holding.session.transcript().unwrap().to_string())
        };
        assert_eq!(closed(reason), closed(CloseReason::GivenUp(why)));
    }
}

#[test]
fn a_stopped_turn_is_interrupted_too() {
    let mut host = Host::asking();
    host.stop().unwrap();
    let outcome = host.close(CloseReason::Lost).unwrap().outcome();
    assert_eq!(outcome, Outcome::Interrupted(Interruption::ConnectionLost));
}

#[test]
fn without_a_running_turn_nothing_ends() {
    assert_eq!(Host::new().close(CloseReason::Lost), None);
    let mut host = Host::asking();
    host.pass(secs(120));
    assert_eq!(host.close(CloseReason::Lost), None, "a draining turn has had its end");
}
