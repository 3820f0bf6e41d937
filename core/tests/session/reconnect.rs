//! `Session::reconnect`: what goes on and what begins anew.

use chatnio_core::{
    Auth, CloseReason, Config, Conversation, Interruption, MessageKind, Outcome, Request, RequestError, RequestKind,
    State,
};

use crate::frames::{end, opener, piece};
use crate::host::{Host, Seen, config, secs};

const AUTH_AND_CHAT: [MessageKind; 2] = [MessageKind::Auth, MessageKind::Request(RequestKind::Chat)];

/// The authentication after a reconnect, when the first one was `auth` and the server opened `opened`.
fn second_authentication(auth: Auth, opened: Option<i64>) -> String {
    let mut host = Host::with(auth, Config::default());
    host.ask("hi");
    if let Some(id) = opened {
        host.receive(&opener(id));
    }
    host.receive(&end("", 0.1));
    host.close(CloseReason::Lost);
    assert_eq!(host.reconnect(), None);
    assert!(host.sent().is_empty(), "with the first request");
    host.request(&Request::chat("hi")).unwrap();
    host.sent().swap_remove(0)
}

#[test]
fn it_continues_in_the_conversation_that_the_server_opened() {
    let continued = r#"{"token":"t","id":29}"#;
    assert_eq!(second_authentication(Auth::new("t"), Some(29)), continued);
    assert_eq!(second_authentication(Auth::new("t").conversation(29), Some(29)), continued);
    assert_eq!(second_authentication(Auth::new("t").conversation(7), Some(29)), continued);
    // No share is sent that was not asked for (protocol.md, R2.28).
    assert_eq!(second_authentication(Auth::new("t").share("ab12"), Some(29)), continued, "the share has done its work");
}

#[test]
fn an_anonymous_one_starts_anew_from_the_same_share() {
    assert_eq!(second_authentication(Auth::anonymous(), Some(-1)), r#"{"token":"anonymous","id":-1}"#);
    assert_eq!(
        second_authentication(Auth::anonymous().share("ab12"), Some(-1)),
        r#"{"token":"anonymous","id":-1,"ref":"ab12"}"#
    );
}

#[test]
fn where_the_server_says_nothing_it_asks_for_the_same_again() {
    assert_eq!(second_authentication(Auth::new("t"), None), r#"{"token":"t","id":-1}"#);
    assert_eq!(
        second_authentication(Auth::new("t").conversation(7).share("ab12"), None),
        r#"{"token":"t","id":7,"ref":"ab12"}"#
    );
}

#[test]
fn an_id_that_no_server_gives_starts_anew_and_still_authenticates() {
    assert_eq!(second_authentication(Auth::new("t"), Some(-7)), r#"{"token":"t","id":-1}"#);
    assert_eq!(second_authentication(Auth::new("t").conversation(7), Some(i64::MIN)), r#"{"token":"t","id":-1}"#);
}

#[test]
fn a_second_reconnect_keeps_what_the_first_has_learnt() {
    let mut host = Host::with_openers();
    host.reconnect();
    host.reconnect();
    assert_eq!(host.session.conversation(), Conversation::Unknown { asked: Some(29) });
    host.request(&Request::chat("hi")).unwrap();
    assert_eq!(host.sent()[0], r#"{"token":"sk-secret","id":29}"#);
    assert_eq!(host.receive(&opener(29)), Seen::Opened { turn: 2, conversation: Conversation::Resumed { id: 29 } });
}

#[test]
fn it_authenticates_at_once_by_setting() {
    let mut host = Host::with(Auth::new("t"), config(|config| config.auth_at_once = true));
    host.sent();
    host.reconnect();
    assert_eq!(host.sent(), [r#"{"token":"t","id":-1}"#]);
}

#[test]
fn a_running_turn_ends_first() {
    let mut host = Host::asking();
    host.receive(&piece("a", 0.1));
    let answer = host.reconnect().unwrap().answer();
    assert_eq!(answer.outcome, Some(Outcome::Interrupted(Interruption::Reconnected)));
    assert_eq!(answer.text, "a");
    assert_eq!(host.state(), State::Idle);
    assert_eq!(host.reconnect(), None, "once");
    host.ask("next");
    assert_eq!(host.session.answer().unwrap().turn, 2, "turn numbers go on");
}

#[test]
fn a_draining_session_is_fresh_at_once() {
    let mut host = Host::asking();
    host.pass(secs(120));
    assert_eq!(host.state(), State::Draining);
    assert_eq!(host.reconnect(), None, "the turn has had its end");
    assert_eq!(host.state(), State::Idle);
    assert!(host.sent().is_empty(), "the stop was for the old connection");
    host.request(&Request::chat("next")).unwrap();
    assert_eq!(host.sent_kinds(), AUTH_AND_CHAT);
}

#[test]
fn what_was_not_sent_is_dropped() {
    let mut host = Host::new();
    host.request(&Request::chat("hi")).unwrap();
    host.stop().unwrap();
    host.reconnect();
    assert!(host.sent().is_empty());
}

#[test]
fn deadlines_begin_anew() {
    let mut host = Host::asking();
    host.receive(&piece("a", 0.1));
    host.stop().unwrap();
    host.pass(secs(3));
    host.reconnect();
    assert_eq!(host.session.next_deadline(), Some(host.now + secs(25)), "the keep-alive alone");
    host.ask("next");
    assert_eq!(host.session.answer().unwrap().text, "");
    let seen = host.pass(secs(120));
    let outcome = seen.into_iter().find(|seen| matches!(seen, Seen::End { .. })).unwrap().outcome();
    assert_eq!(outcome, Outcome::Interrupted(Interruption::FirstFrameDeadline));
}

#[test]
fn time_away_is_no_silence() {
    let mut host = Host::asking();
    host.close(CloseReason::Lost);
    host.sleep(secs(1000));
    host.reconnect();
    assert_eq!(host.session.next_deadline(), Some(host.now + secs(25)));
}

#[test]
fn whether_there_are_openers_is_found_out_anew() {
    let mut host = Host::with_openers();
    host.ask("next");
    host.receive(&opener(29));
    host.stop().unwrap();
    host.receive(&end("", 0.1));
    host.reconnect();
    host.sent();
    host.ask("on another server");
    assert_eq!(host.session.conversation(), Conversation::Unknown { asked: Some(29) });
    assert_eq!(host.receive(&piece("a", 0.1)), Seen::delta(3, "a"), "no opener is waited for");
    host.receive(&end("", 0.1));
    host.ask("again");
    assert_eq!(host.receive(&end("", 0.1)).outcome(), Outcome::Complete, "no second end is owed");
}

#[test]
fn a_restart_needs_a_conversation_that_goes_on() {
    let mut host = Host::with_openers();
    host.reconnect();
    host.request(&Request::restart()).unwrap();

    let mut host = Host::asking();
    host.receive(&end("", 0.1));
    host.reconnect();
    assert_eq!(host.request(&Request::restart()), Err(RequestError::NothingToRestart), "the conversation is another");
}

#[test]
fn counters_go_on() {
    let mut host = Host::new();
    host.receive("{}");
    host.malformed("garbage");
    let counters = host.session.counters();
    host.close(CloseReason::Server);
    host.reconnect();
    assert_eq!(host.session.counters(), counters);
}
