//! Turns: states, outcomes, what an answer gathers, notices, restarts.

use chatnio_core::{
    Auth, CloseReason, Config, EventStorage, Interruption, MaskMessage, MessageKind, Outcome, Request, RequestError,
    RequestKind, State,
};

use crate::frames::{end, opener, piece};
use crate::host::{Host, Seen, secs};

fn every_request() -> [Request; 6] {
    [
        Request::chat("hi"),
        Request::restart(),
        Request::share("ab12"),
        Request::mask([MaskMessage::new("user", "hi")]),
        Request::edit(0, "hi"),
        Request::remove(0),
    ]
}

#[test]
fn every_state() {
    let mut host = Host::new();
    assert_eq!(host.state(), State::Idle);
    host.ask("hi");
    assert_eq!(host.state(), State::Asking);
    host.receive(&piece("a", 0.1));
    assert_eq!(host.state(), State::Answering);
    host.stop().unwrap();
    assert_eq!(host.state(), State::Stopping);
    host.receive(&piece("b", 0.1));
    assert_eq!(host.state(), State::Stopping);
    host.pass(secs(10));
    assert_eq!(host.state(), State::Draining);
    host.receive(&end("", 0.1));
    assert_eq!(host.state(), State::Idle);
    host.close(CloseReason::Host);
    assert_eq!(host.state(), State::Closed);
    host.reconnect();
    assert_eq!(host.state(), State::Idle);
}

#[test]
fn a_stop_before_the_first_frame_is_stopping_too() {
    let mut host = Host::asking();
    host.stop().unwrap();
    assert_eq!(host.state(), State::Stopping);
}

#[test]
fn a_turn_from_opener_to_end() {
    let mut host = Host::asking();
    let conversation = chatnio_core::Conversation::New { id: 29 };
    assert_eq!(host.receive(&opener(29)), Seen::Opened { turn: 1, conversation });
    assert_eq!(host.receive(&piece("Hel", 0.1)), Seen::delta(1, "Hel"));
    assert_eq!(host.receive(&piece("", 0.1)), Seen::delta(1, ""));
    assert_eq!(host.receive(&piece("lo", 0.2)), Seen::delta(1, "lo"));
    let answer = host.receive(&end("", 0.25)).answer();
    assert_eq!(answer.text, "Hello");
    assert_eq!((answer.turn, answer.request, answer.chunks), (1, RequestKind::Chat, 2));
    assert_eq!((answer.quota(), answer.quota_text()), (0.25, "0.25"));
    assert_eq!((answer.conversation, answer.plan, answer.malformed), (Some(29), false, 0));
    assert_eq!((answer.outcome, answer.notice, &*answer.keyword), (Some(Outcome::Complete), None, ""));
}

#[test]
fn a_turn_without_an_opener() {
    let mut host = Host::asking();
    assert_eq!(host.receive(r#"{"quota":0,"keyword":"","message":"Hello","end":false}"#), Seen::delta(1, "Hello"));
    let answer = host.receive(r#"{"quota":0.0034000003,"keyword":"","message":"","end":true}"#).answer();
    assert_eq!((&*answer.text, answer.conversation), ("Hello", None));
    assert_eq!((answer.quota(), answer.quota_text()), (0.0034000003, "0.0034000003"));
}

#[test]
fn busy_changes_nothing() {
    let stages: [fn(&mut Host); 4] = [
        |_| {},
        |host| drop(host.receive(&piece("a", 0.1))),
        |host| assert_eq!(host.stop(), Ok(true)),
        |host| assert_eq!(host.pass(secs(10)).pop().unwrap().outcome(), interrupted(Interruption::AfterStopDeadline)),
    ];
    let mut host = Host::asking();
    for reach in stages {
        reach(&mut host);
        // Not even the clock may move: a refused request would put off what is due.
        let (before, now) = (format!("{:?}", host.session), host.now);
        host.now += secs(5);
        for request in every_request() {
            assert_eq!(host.session.request(host.now, &request), Err(RequestError::Busy { turn: 1 }));
            assert_eq!(format!("{:?}", host.session), before, "{request:?}");
        }
        host.now = now;
    }
    host.receive(&end("", 0.1));
    host.request(&Request::chat("hi")).unwrap();
}

#[test]
fn requests_without_an_answer_begin_no_turn() {
    let mut host = Host::new();
    for request in every_request().into_iter().filter(|request| !request.kind().begins_turn()) {
        host.request(&request).unwrap();
        assert_eq!(host.state(), State::Idle);
        assert_eq!(host.sent_kinds().pop(), Some(MessageKind::Request(request.kind())));
    }
    host.ask("hi");
    assert_eq!(host.session.answer().unwrap().turn, 1);
}

fn interrupted(why: Interruption) -> Outcome {
    Outcome::Interrupted(why)
}

#[test]
fn every_outcome() {
    let mut host = Host::asking();
    host.receive(&piece("a", 0.1));
    assert_eq!(host.receive(&end("", 0.1)).outcome(), Outcome::Complete);

    host.ask("hi");
    host.stop().unwrap();
    assert_eq!(host.receive(&end("", 0.1)).outcome(), Outcome::Stopped);

    host.ask("hi");
    assert_eq!(host.receive(&end("cannot find channel for model M", 0.0)).outcome(), Outcome::Notice);

    host.ask("hi");
    host.receive(&piece("a", 0.1));
    let answer = host.close(CloseReason::Lost).unwrap().answer();
    assert_eq!(answer.outcome, Some(interrupted(Interruption::ConnectionLost)));
    assert_eq!(answer.text, "a", "the text so far is kept");
}

#[test]
fn a_notice_is_no_part_of_the_answer() {
    let mut host = Host::asking();
    host.receive(&opener(29));
    host.receive(&piece("part", 0.5));
    let Seen::End { last, answer } = host.receive(&end("user quota is not enough error", 0.0)) else { panic!() };
    assert_eq!((&*last, &*answer.text), ("", "part"));
    assert_eq!(answer.notice.as_deref(), Some("user quota is not enough error"));
    assert_eq!(answer.outcome, Some(Outcome::Notice));
    assert_eq!(answer.chunks, 1, "only frames with text of the answer count");
    assert_eq!((answer.quota(), answer.quota_text()), (0.5, "0.5"), "a notice's 0 does not reset the total");
}

#[test]
fn a_notice_may_lack_its_quota() {
    for frame in [r#"{"message":"no","end":true}"#, r#"{"message":"no","quota":null,"end":true}"#] {
        let answer = Host::asking().receive(frame).answer();
        assert_eq!((answer.notice.as_deref(), &*answer.text, answer.quota_text()), (Some("no"), "", "0"));
    }
}

#[test]
fn text_on_an_end_that_costs_is_content() {
    let Seen::End { last, answer } = Host::asking().receive(&end("![image](u)", 0.1)) else { panic!() };
    assert_eq!((&*last, &*answer.text, answer.chunks), ("![image](u)", "![image](u)", 1));
    assert_eq!((answer.outcome, answer.notice), (Some(Outcome::Complete), None));
}

#[test]
fn a_free_answer_without_text_on_its_end_is_complete() {
    let mut host = Host::asking();
    host.receive(&piece("free", 0.0));
    let answer = host.receive(&end("", 0.0)).answer();
    assert_eq!((answer.outcome, &*answer.text, answer.quota_text()), (Some(Outcome::Complete), "free", "0"));
}

#[test]
fn a_stopped_turn_that_ends_with_a_notice_is_stopped() {
    let mut host = Host::asking();
    host.stop().unwrap();
    let answer = host.receive(&end("empty response", 0.0)).answer();
    assert_eq!(answer.outcome, Some(Outcome::Stopped));
    assert_eq!((answer.notice.as_deref(), &*answer.text), (Some("empty response"), ""));
}

#[test]
fn keyword_and_plan_stay_once_they_were_said() {
    let mut host = Host::asking();
    host.receive(r#"{"keyword":"rust","message":""}"#);
    host.receive(r#"{"keyword":"","message":"a","plan":true}"#);
    assert_eq!(host.session.answer().unwrap().keyword, "rust");
    let answer = host.receive(r#"{"keyword":"caf\u00e9","plan":false,"end":true}"#).answer();
    assert_eq!((&*answer.keyword, answer.plan), ("café", true));
}

#[test]
fn the_running_answer_can_be_looked_at() {
    let mut host = Host::asking();
    host.receive(&piece("a", 0.1));
    let answer = host.session.answer().unwrap();
    assert_eq!((&*answer.text, answer.quota_text(), answer.outcome), ("a", "0.1", None));
    host.receive(&end("", 0.1));
    assert!(host.session.answer().is_none());
}

#[test]
fn unknown_fields_reach_the_host() {
    let mut storage = EventStorage::new();
    let mut host = Host::asking();
    let frame = r#"{"message":"a","title":"A \"T\"","tool_call":{"name":"f"}}"#;
    let chatnio_core::Event::Delta { chunk, .. } = host.session.receive(host.now, frame, &mut storage).unwrap() else {
        panic!()
    };
    assert_eq!(chunk.field("title"), Some(r#""A \"T\"""#));
    assert_eq!(chunk.field("tool_call"), Some(r#"{"name":"f"}"#));
    assert_eq!(chunk.raw(), frame);
    let frame = r#"{"end":true,"search_index":[1]}"#;
    let chatnio_core::Event::End(end) = host.session.receive(host.now, frame, &mut storage).unwrap() else { panic!() };
    assert_eq!(end.chunk.unwrap().field("search_index"), Some("[1]"));
    let chatnio_core::Event::Stray { chunk, .. } = host.session.receive(host.now, frame, &mut storage).unwrap() else {
        panic!()
    };
    assert_eq!(chunk.field("search_index"), Some("[1]"));
}

#[test]
fn frames_while_no_turn_runs_are_strays() {
    let mut host = Host::new();
    assert_eq!(host.receive(&piece("a\n", 0.1)), Seen::stray("a\n"));
    assert_eq!(host.receive("{}"), Seen::stray(""));
    assert_eq!(host.session.counters().strays, 2);
    host.ask("hi");
    host.receive(&opener(29));
    let answer = host.receive(&end("", 0.1)).answer();
    assert_eq!(answer.text, "", "a stray is part of no turn");
}

#[test]
fn a_restart_needs_a_question() {
    let mut host = Host::new();
    assert_eq!(host.request(&Request::restart()), Err(RequestError::NothingToRestart));
    assert!(host.sent().is_empty());
    host.request(&Request::mask([MaskMessage::new("user", "hi")])).unwrap();
    assert_eq!(host.request(&Request::restart()), Err(RequestError::NothingToRestart));
    host.ask("hi");
    host.receive(&end("", 0.1));
    host.request(&Request::restart().model("m")).unwrap();
    assert_eq!(host.sent(), [r#"{"type":"restart","model":"m"}"#]);
    host.receive(&piece("again", 0.1));
    let answer = host.receive(&end("", 0.1)).answer();
    assert_eq!((answer.turn, answer.request, &*answer.text), (2, RequestKind::Restart, "again"));
}

#[test]
fn a_restart_may_be_first_where_the_conversation_goes_on() {
    for auth in [Auth::new("t").conversation(29), Auth::new("t").share("ab12")] {
        Host::with(auth, Config::default()).request(&Request::restart()).unwrap();
    }
    let mut host = Host::new();
    host.request(&Request::share("ab12")).unwrap();
    host.request(&Request::restart()).unwrap();
}
