//! The token shows nowhere.

use chatnio_core::transcript::Recorder;
use chatnio_core::{Auth, Config, Request, Session};

use crate::host::{Host, secs};

const TOKEN: &str = "sk-0123456789abcdef";

#[track_caller]
fn hides(shown: &str) {
    assert!(!shown.contains("0123456789abcdef"), "{shown}");
}

#[test]
fn in_debug() {
    let auth = Auth::new(TOKEN).conversation(29).share("ab12");
    hides(&format!("{auth:?} {auth:#?}"));
    // Before the authentication goes out, while it waits to be sent, as a message, and in a new one.
    let mut host = Host::with(auth, Config::default());
    hides(&format!("{:?}", host.session));
    host.request(&Request::chat("hi")).unwrap();
    hides(&format!("{:#?}", host.session));
    let message = host.session.poll_transmit().unwrap();
    assert!(message.contains(TOKEN));
    hides(&format!("{message:?} {message:#?}"));
    host.reconnect();
    hides(&format!("{:?}", host.session));
}

#[test]
fn in_errors() {
    for auth in [Auth::new(TOKEN).conversation(0), Auth::new(TOKEN).share("")] {
        let error = Session::new(auth, Config::default(), secs(0)).unwrap_err();
        hides(&format!("{error:?} {error}"));
    }
    let mut short = Config::default();
    short.max_request = 10;
    let error = Session::new(Auth::new(TOKEN), short, secs(0)).unwrap_err();
    hides(&format!("{error:?} {error}"));
}

#[test]
fn in_a_recording() {
    let mut session = Session::new(Auth::new(TOKEN), Config::default(), secs(0)).unwrap();
    session.request(secs(0), &Request::chat(format!("what is wrong with {TOKEN}?"))).unwrap();
    let mut recorder = Recorder::new(Some("wss://api.chatnio.net/chat"));
    while let Some(message) = session.poll_transmit() {
        recorder.sent(&message);
    }
    recorder.received(&format!(r#"{{"message":"bad key {TOKEN}","end":true}}"#));
    hides(&format!("{recorder:?}"));
    let text = recorder.transcript().to_string();
    hides(&text);
    assert_eq!(text.matches("sk-...").count(), 3, "{text}");
}

#[test]
fn in_a_recording_of_what_comes_before_the_authentication() {
    let mut config = Config::default();
    config.record = true;
    for token in [TOKEN, "anonymous"] {
        let mut host = Host::with(Auth::new(token), config.clone());
        // On a second connection a server knows it.
        for _ in 0..2 {
            host.receive(&format!(r#"{{"message":"I know {TOKEN}"}}"#));
            let text = host.session.transcript().unwrap().to_string();
            assert_eq!(text.contains(TOKEN), token != TOKEN, "{text}");
            host.reconnect();
        }
    }
}
