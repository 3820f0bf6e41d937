//! When the authentication goes out (protocol.md, R1.12).

use std::time::Duration;

use chatnio_core::{Auth, AuthError, Config, MaskMessage, MessageKind, Request, RequestKind, Session};

use crate::frames::end;
use crate::host::{Host, Seen, config, secs};

#[test]
fn it_goes_out_with_the_first_request() {
    let mut host = Host::new();
    assert!(host.sent().is_empty());
    host.request(&Request::chat("hi")).unwrap();
    assert_eq!(host.sent(), [r#"{"token":"sk-secret","id":-1}"#, r#"{"type":"chat","message":"hi"}"#]);
    host.receive(&end("", 0.1));
    host.request(&Request::chat("again")).unwrap();
    assert_eq!(host.sent(), [r#"{"type":"chat","message":"again"}"#], "once a connection");
}

#[test]
fn it_goes_before_a_request_that_begins_no_turn() {
    let mut host = Host::new();
    host.request(&Request::mask([MaskMessage::new("system", "Be brief")])).unwrap();
    assert_eq!(host.sent_kinds(), [MessageKind::Auth, MessageKind::Request(RequestKind::Mask)]);
}

#[test]
fn it_goes_out_at_once_by_setting() {
    let mut host = Host::with_config(|config| config.auth_at_once = true);
    assert_eq!(host.sent_kinds(), [MessageKind::Auth]);
    host.request(&Request::chat("hi")).unwrap();
    assert_eq!(host.sent_kinds(), [MessageKind::Request(RequestKind::Chat)]);
}

#[test]
fn neither_a_refused_request_nor_a_stop_nor_a_keep_alive_brings_it_out() {
    let mut host = Host::new();
    host.request(&Request::chat("")).unwrap_err();
    assert_eq!(host.stop(), Ok(false));
    assert!(host.sent().is_empty());
    assert_eq!(host.pass(secs(25)), [Seen::KeepAlive]);
    assert_eq!(host.sent_kinds(), [MessageKind::Ping]);
    host.request(&Request::chat("hi")).unwrap();
    assert_eq!(host.sent_kinds()[0], MessageKind::Auth);
}

#[test]
fn every_part_of_it_is_sent() {
    let mut host = Host::with(Auth::new("Bearer t").conversation(29).share("ab12"), Config::default());
    host.request(&Request::chat("hi")).unwrap();
    assert_eq!(host.sent()[0], r#"{"token":"Bearer t","id":29,"ref":"ab12"}"#);
}

#[test]
fn what_cannot_be_sent_makes_no_session() {
    let error = |auth, config| Session::new(auth, config, Duration::ZERO).unwrap_err();
    assert_eq!(error(Auth::new(""), Config::default()), AuthError::EmptyToken);
    assert_eq!(error(Auth::new("t").share(""), Config::default()), AuthError::EmptyShare);
    assert_eq!(error(Auth::new("t").conversation(0), Config::default()), AuthError::InvalidConversation { id: 0 });
    assert_eq!(
        error(Auth::new("t"), config(|config| config.max_request = 20)),
        AuthError::TooLong { len: 21, limit: 20 }
    );
}

#[test]
fn a_session_can_go_to_another_thread() {
    fn send<T: Send>() {}
    send::<Session>();
}
