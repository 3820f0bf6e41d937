//! What the opener says about the conversation.

use chatnio_core::{Auth, Config, Conversation};

use crate::frames::{end, opener, piece};
use crate::host::{Host, Seen};

/// What an opener that says `id` tells on a connection that authenticated with `auth`.
fn opened(auth: Auth, id: i64) -> Conversation {
    let mut host = Host::with(auth, Config::default());
    host.ask("hi");
    assert_eq!(host.session.conversation().id(), None);
    let Seen::Opened { turn: 1, conversation } = host.receive(&opener(id)) else { panic!() };
    assert_eq!(host.session.conversation(), conversation);
    conversation
}

#[test]
fn a_new_one() {
    assert_eq!(opened(Auth::new("t"), 29), Conversation::New { id: 29 });
    assert_eq!(opened(Auth::new("t").share("ab12"), 29), Conversation::New { id: 29 });
    assert_eq!(opened(Auth::new("t").conversation(7).share("ab12"), 29), Conversation::New { id: 29 });
}

#[test]
fn the_one_asked_for() {
    assert_eq!(opened(Auth::new("t").conversation(29), 29), Conversation::Resumed { id: 29 });
}

#[test]
fn another_than_the_one_asked_for() {
    assert_eq!(opened(Auth::new("t").conversation(7), 29), Conversation::Replaced { asked: 7, got: 29 });
    assert_eq!(opened(Auth::new("bad").conversation(7), -1), Conversation::Replaced { asked: 7, got: -1 });
}

#[test]
fn an_anonymous_one_has_no_id_of_its_own() {
    assert_eq!(opened(Auth::anonymous(), -1), Conversation::New { id: -1 });
    assert_eq!(opened(Auth::new("bad token"), -1), Conversation::New { id: -1 });
}

#[test]
fn servers_without_openers_do_not_say() {
    let mut host = Host::asking();
    host.receive(&piece("a", 0.1));
    assert_eq!(host.receive(&end("", 0.1)).answer().conversation, None);
    assert_eq!(host.session.conversation(), Conversation::Unknown { asked: None });
    assert_eq!(host.session.conversation().id(), None);
}

#[test]
fn what_was_asked_for_is_known_before_the_server_says_anything() {
    for (auth, asked) in [
        (Auth::new("t"), None),
        (Auth::anonymous(), None),
        (Auth::new("t").conversation(7), Some(7)),
        (Auth::new("t").conversation(7).share("ab12"), Some(7)),
    ] {
        let host = Host::with(auth, Config::default());
        assert_eq!(host.session.conversation(), Conversation::Unknown { asked });
    }
}

#[test]
fn what_was_asked_for_stays_known() {
    for (conversation, asked) in [
        (opened(Auth::new("t"), 29), None),
        (opened(Auth::new("t").conversation(29), 29), Some(29)),
        (opened(Auth::new("t").conversation(7), 29), Some(7)),
    ] {
        assert_eq!(conversation.asked(), asked, "{conversation:?}");
    }
}

#[test]
fn what_was_asked_for_stays_known_however_often_it_is_replaced() {
    let mut host = Host::with(Auth::new("t").conversation(7), Config::default());
    for got in [29, 30, -1, i64::MIN] {
        host.ask("hi");
        host.receive(&opener(got));
        host.receive(&end("", 0.1));
        assert_eq!(host.session.conversation(), Conversation::Replaced { asked: 7, got });
    }
    host.ask("hi");
    host.receive(&opener(7));
    assert_eq!(host.session.conversation(), Conversation::Resumed { id: 7 });
}

#[test]
fn every_turn_says_it_again() {
    let mut host = Host::with_openers();
    host.ask("next");
    let conversation = Conversation::New { id: 29 };
    assert_eq!(host.receive(&opener(29)), Seen::Opened { turn: 2, conversation });
    assert_eq!(host.receive(&end("", 0.1)).answer().conversation, Some(29));
    host.ask("next");
    let conversation = Conversation::Replaced { asked: 29, got: 30 };
    assert_eq!(host.receive(&opener(30)), Seen::Opened { turn: 3, conversation });
    assert_eq!(host.session.conversation().id(), Some(30));
}

#[test]
fn an_opener_with_text_is_a_delta() {
    let mut host = Host::asking();
    assert_eq!(host.receive(r#"{"conversation":29,"message":"a"}"#), Seen::delta(1, "a"));
    assert_eq!(host.session.conversation(), Conversation::New { id: 29 });
    assert_eq!(host.receive(r#"{"end":true}"#).answer().conversation, Some(29));
}

#[test]
fn an_opener_that_ends_the_turn_is_its_end() {
    let mut host = Host::asking();
    let answer = host.receive(r#"{"conversation":29,"message":"no","end":true}"#).answer();
    assert_eq!((answer.conversation, answer.notice.as_deref()), (Some(29), Some("no")));
}

#[test]
fn a_stray_opener_says_nothing() {
    let mut host = Host::new();
    host.receive(&opener(29));
    assert_eq!(host.session.conversation(), Conversation::Unknown { asked: None });
}
