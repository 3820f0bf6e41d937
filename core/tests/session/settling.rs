//! What is held after an end, so that the server does not lose it (protocol.md, R5.5, R5.6).

use std::time::Duration;

use chatnio_core::{CloseReason, EventStorage, MessageKind, Request, RequestKind, State};

use crate::frames::{end, opener};
use crate::host::{Host, Seen, ms, secs};

const CHAT: MessageKind = MessageKind::Request(RequestKind::Chat);
const REMOVE: MessageKind = MessageKind::Request(RequestKind::Remove);
const STOP: MessageKind = MessageKind::Request(RequestKind::Stop);

/// A host whose answer has just ended, after so many stops.
fn after(stops: usize) -> Host {
    let mut host = Host::asking();
    host.receive(&opener(29));
    if stops > 0 {
        host.stop().unwrap();
    }
    if stops > 1 {
        host.pass(ms(150));
    }
    assert_eq!(host.sent_kinds().len(), stops);
    host.receive(&end("", 0.1));
    host
}

#[test]
fn a_question_is_held_after_a_stop_that_was_repeated_and_after_no_other() {
    for stops in [0, 1] {
        let mut host = after(stops);
        host.ask("next");
    }
    let mut host = after(2);
    host.request(&Request::chat("next")).unwrap();
    assert_eq!(host.state(), State::Asking, "it is accepted at once");
    assert_eq!(host.sent_kinds(), []);
    assert_eq!(host.session.next_deadline(), Some(host.now + ms(250)));
    assert_eq!(host.pass(ms(249)), []);
    assert_eq!(host.sent_kinds(), []);
    assert_eq!(host.pass(ms(1)), [], "without an event");
    assert_eq!(host.sent_kinds(), [CHAT]);
    assert_eq!(host.pass(secs(3)), [], "and no stop of the turn before is due any more");
}

#[test]
fn what_has_no_answer_is_held_after_any_end_and_what_follows_it_too() {
    let mut host = after(0);
    host.request(&Request::remove(0)).unwrap();
    host.request(&Request::chat("next")).unwrap();
    assert_eq!(host.sent_kinds(), []);
    host.pass(ms(250));
    assert_eq!(host.sent_kinds(), [REMOVE, CHAT], "in their order");
}

#[test]
fn once_the_server_has_settled_nothing_is_held() {
    let mut host = after(2);
    host.pass(ms(250));
    host.request(&Request::remove(0)).unwrap();
    host.request(&Request::chat("next")).unwrap();
    assert_eq!(host.sent_kinds(), [REMOVE, CHAT]);
}

#[test]
fn before_any_end_nothing_is_held() {
    let mut host = Host::new();
    host.request(&Request::remove(0)).unwrap();
    assert_eq!(host.sent_kinds(), [MessageKind::Auth, REMOVE]);
}

#[test]
fn a_turns_deadlines_begin_when_it_is_sent() {
    let mut host = after(2);
    let released = host.now + ms(250);
    host.request(&Request::chat("next")).unwrap();
    host.pass(ms(250));
    host.session.handle_timeout(released + secs(25), &mut EventStorage::new());
    host.sent();
    assert!(
        host.session.handle_timeout(released + secs(120) - ms(1), &mut EventStorage::new()).is_some(),
        "a keep-alive"
    );
    assert_eq!(host.state(), State::Asking);
    host.session.handle_timeout(released + secs(120), &mut EventStorage::new()).unwrap();
    assert_eq!(host.state(), State::Draining);
}

#[test]
fn a_reconnect_holds_nothing() {
    let mut host = after(2);
    host.reconnect();
    host.ask("next");
}

#[test]
fn by_setting() {
    let mut host = Host::with_config(|config| config.settle = ms(0));
    host.ask("hi");
    host.receive(&end("", 0.1));
    host.request(&Request::remove(0)).unwrap();
    assert_eq!(host.sent_kinds(), [REMOVE]);
}

#[test]
fn a_host_that_closes_loses_nothing() {
    let mut host = after(0);
    host.request(&Request::remove(0)).unwrap();
    assert_eq!(host.sent_kinds(), []);
    host.session.release();
    assert_eq!(host.sent_kinds(), [REMOVE]);
    assert_ne!(host.session.next_deadline(), Some(host.now + ms(250)));
}

#[test]
fn what_is_held_goes_out_before_the_hosts_close_and_no_other() {
    for (reason, is_host) in [(CloseReason::Host, true), (CloseReason::Server, false), (CloseReason::Lost, false)] {
        let mut host = after(0);
        host.request(&Request::remove(0)).unwrap();
        host.request(&Request::chat("next")).unwrap();
        assert_eq!(host.sent_kinds(), []);
        host.close(reason).unwrap();
        assert_eq!(host.sent_kinds(), if is_host { &[REMOVE, CHAT][..] } else { &[] });
        assert_eq!((host.sent_kinds(), host.session.next_deadline()), (vec![], None));
        assert_eq!(host.session.memory(), 0);
    }
    // What could have gone before is lost with the connection, as ever.
    let mut host = Host::new();
    host.request(&Request::chat("hi")).unwrap();
    host.close(CloseReason::Host).unwrap();
    assert_eq!(host.sent_kinds(), []);
}

#[test]
fn what_waits_behind_a_held_request_has_its_deadlines_from_when_it_goes_out() {
    let mut host = Host::with_config(|config| config.settle = secs(300));
    host.ask("hi");
    host.receive(&end("", 0.1));
    host.request(&Request::remove(0)).unwrap();
    host.request(&Request::chat("next")).unwrap();
    assert!(host.pass(secs(300)).iter().all(|seen| *seen == Seen::KeepAlive));
    assert_eq!(
        host.sent_kinds().into_iter().filter(|kind| *kind != MessageKind::Ping).collect::<Vec<_>>(),
        [REMOVE, CHAT]
    );
    assert!(host.pass(secs(120) - ms(1)).iter().all(|seen| *seen == Seen::KeepAlive));
    assert_eq!(host.state(), State::Asking);
    host.pass(ms(1));
    assert_eq!(host.state(), State::Draining);
}

#[test]
fn a_stop_behind_a_held_question_is_repeated_from_when_it_goes_out() {
    let mut host = after(2);
    host.request(&Request::chat("next")).unwrap();
    assert_eq!(host.stop(), Ok(true));
    assert_eq!(host.pass(ms(250)), [], "the server has not had it yet");
    assert_eq!(host.sent_kinds(), [CHAT, STOP]);
    assert_eq!(host.pass(ms(149)), []);
    assert_eq!(host.pass(ms(1)), [Seen::StopRepeated(2)]);
    assert_eq!(host.sent_kinds(), [STOP]);
    host.pass(secs(10) - ms(151));
    assert_eq!(host.state(), State::Stopping);
    host.pass(ms(1));
    assert_eq!(host.state(), State::Draining);
}

#[test]
fn a_keep_alive_is_not_held() {
    let mut host = Host::with_config(|config| config.settle = secs(30));
    host.ask("hi");
    host.receive(&end("", 0.1));
    host.request(&Request::remove(0)).unwrap();
    assert_eq!(host.pass(secs(25)), [Seen::KeepAlive]);
    assert_eq!(host.sent_kinds(), [MessageKind::Ping]);
    host.pass(secs(5));
    assert_eq!(host.sent_kinds(), [REMOVE]);
}

#[test]
fn a_setting_beyond_all_time_holds_for_ever() {
    let mut host = Host::with_config(|config| {
        config.settle = Duration::MAX;
        config.keep_alive = ms(0);
    });
    host.ask("hi");
    host.receive(&end("", 0.1));
    host.request(&Request::remove(0)).unwrap();
    host.request(&Request::chat("next")).unwrap();
    assert_eq!(host.pass(secs(1 << 40)), []);
    assert_eq!((host.sent_kinds(), host.state()), (vec![], State::Asking));
    host.session.release();
    assert_eq!(host.sent_kinds(), [REMOVE, CHAT]);
}
