//! How a session ends: one test a row.

use tungstenite::Message;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

use super::*;
use crate::error::Step;
use crate::test_peer::Ca;

/// A link whose wire has closed, and the server has got it.
fn closing() -> Link {
    let mut link = Link::open();
    link.wire.close(link.now);
    link.send_all();
    link
}

#[test]
fn the_server_answers_our_close() {
    let mut link = closing();
    assert!(matches!(&link.peer.read()[..], [Message::Close(Some(frame))] if frame.code == CloseCode::Normal));
    assert_eq!(link.exchange(), clean());
    assert!(link.wire.is_finished());
    assert_eq!(link.wire.next_deadline(), None);
}

#[test]
fn the_server_ends_the_stream_after_our_close() {
    let mut link = closing();
    assert_eq!(link.eof(), clean());
    assert!(link.wire.is_finished());
}

#[test]
fn the_server_stays_silent_after_our_close() {
    let mut link = closing();
    assert_eq!(link.wait(), secs(3));
    assert_eq!(link.events(), lost(WireError::CloseTimeout));
    assert!(link.wire.is_finished());
    assert_eq!(link.wire.next_deadline(), None);
}

#[test]
fn what_comes_after_our_close_is_handed_out() {
    let mut link = closing();
    link.peer.send(Message::text("late"));
    link.peer.send(Message::Ping(Default::default()));
    assert_eq!(link.exchange(), [text("late")]);
    assert_eq!(link.wire.poll_transmit(), None, "a ping after our Close is not answered");
    // It does not extend the deadline either.
    assert_eq!(link.wire.next_deadline(), Some(link.now + secs(3)));
    assert_eq!(link.eof(), clean());
}

#[test]
fn closing_twice_is_closing_once() {
    let mut link = closing();
    link.now += secs(1);
    link.wire.close(link.now);
    assert_eq!(link.wire.poll_transmit(), None);
    assert_eq!(link.wait(), secs(2));
}

#[test]
fn the_server_closes_with_a_code_that_must_not_be_sent() {
    for code in [0u16, 999, 1005, 1006, 1015] {
        let mut link = Link::open();
        let [high, low] = code.to_be_bytes();
        let problem = "its Close has a code that must not be sent".into();
        assert_eq!(link.receive(&[0x88, 2, high, low]), lost(WireError::Protocol { problem }), "{code}");
        link.send_all();
        assert!(matches!(&link.peer.read()[..], [Message::Close(Some(frame))] if frame.code == CloseCode::Protocol));
    }
    // What it says itself is passed on, also this code.
    let mut link = Link::open();
    let end = ConnectionEnd::ByServer { code: Some(1002), reason: "no".into() };
    assert_eq!(link.receive(&[0x88, 4, 0x03, 0xea, b'n', b'o']), [Got::Closed(end)]);
}

#[test]
fn every_code_that_may_be_sent_is_told_and_no_other_ends_in_order() {
    for code in (0..=5000).chain([u16::MAX]) {
        let mut link = Link::open();
        let [high, low] = code.to_be_bytes();
        let ended = link.receive(&[0x88, 3, high, low, b'x']);
        // RFC 6455, section 7.4, and those that IANA has added; 1004 to 1006 and 1015 are never sent.
        let expected = match code {
            1000..=1003 | 1007..=1013 | 3000..=4999 => {
                vec![Got::Closed(ConnectionEnd::ByServer { code: Some(code), reason: "x".into() })]
            }
            _ => lost(WireError::Protocol { problem: "its Close has a code that must not be sent".into() }),
        };
        let ended = if ended.is_empty() { link.eof() } else { ended };
        assert_eq!(ended, expected, "{code}");
    }
}

#[test]
fn the_server_closes_first() {
    for (frame, code, reason) in
        [(None, None, ""), (Some(CloseFrame { code: CloseCode::Away, reason: "bye".into() }), Some(1001), "bye")]
    {
        let mut link = Link::open();
        link.peer.send(Message::text("x"));
        link.peer.close(frame);
        let bytes = link.peer.output();
        let end = Got::Closed(ConnectionEnd::ByServer { code, reason: reason.into() });
        assert_eq!(link.receive(&bytes), [text("x"), end]);
        assert!(!link.wire.is_finished(), "the answer is not sent yet");
        link.send_all();
        assert!(link.wire.is_finished());
        assert!(matches!(&link.peer.read()[..], [Message::Close(_)]));
    }
}

#[test]
fn a_goodbye_that_nobody_takes_is_given_up() {
    let mut link = Link::open();
    link.peer.close(None);
    let bytes = link.peer.output();
    assert_eq!(link.receive(&bytes).len(), 1);
    assert!(!link.wire.is_finished());
    assert_eq!(link.wait(), secs(3));
    assert!(link.wire.is_finished());
}

#[test]
fn both_close_at_once() {
    let mut link = Link::open();
    link.wire.close(link.now);
    link.peer.close(None);
    let bytes = link.peer.output();
    assert_eq!(link.receive(&bytes), clean());
}

#[test]
fn the_stream_ends_without_a_close() {
    let mut link = Link::open();
    link.peer.send(Message::text("x"));
    let bytes = link.peer.output();
    link.wire.send_text("unsent").unwrap();
    link.wire.receive(link.now, &bytes);
    link.wire.handle_eof(link.now);
    let mut expected = vec![text("x")];
    expected.extend(lost(WireError::EndOfStream { step: Step::Session }));
    assert_eq!(link.events(), expected);
    assert!(link.wire.is_finished(), "nobody reads what is left");
}

#[test]
fn the_stream_ends_inside_a_message() {
    let mut link = Link::open();
    assert_eq!(link.receive(&[0x81, 5, b'x']), []);
    assert_eq!(link.eof(), lost(WireError::EndOfStream { step: Step::Session }));
}

#[test]
fn closing_before_it_is_open_ends_at_once() {
    for url in ["ws://localhost", "wss://localhost"] {
        let config = ConnectionConfig { tls: super::tls::trusting(), ..ConnectionConfig::default() };
        let mut link = Link::new(url, &config, Peer::plain());
        link.wire.close(link.now);
        assert!(link.wire.is_finished());
        assert_eq!(link.events(), clean());
        assert_eq!(link.wire.next_deadline(), None);
    }
}

#[test]
fn after_the_end_everything_is_inert() {
    let mut link = closing();
    link.eof();
    let bytes = super::messages::frame(
        tungstenite::protocol::frame::coding::OpCode::Data(tungstenite::protocol::frame::coding::Data::Text),
        true,
        b"x",
    );
    assert_eq!(link.receive(&bytes), []);
    assert_eq!(link.eof(), []);
    link.wire.close(link.now);
    link.wire.handle_timeout(link.now + secs(3600));
    assert_eq!(link.wire.send_text("x"), Err(WireError::NotOpen));
    assert_eq!(link.events(), []);
    assert_eq!(link.wire.poll_transmit(), None);
    assert_eq!(link.wire.memory(), 0);
    assert!(link.wire.is_finished());
}

#[test]
fn a_close_over_tls_ends_tls_too() {
    let config = ConnectionConfig { tls: super::tls::trusting(), ..ConnectionConfig::default() };
    let mut link = Link::open_with("wss://localhost", &config, Peer::tls(Ca::get().server()));
    link.wire.close(link.now);
    link.send_all();
    assert_eq!(link.peer.read().len(), 1);
    let bytes = link.peer.output();
    assert_eq!(link.receive(&bytes), clean());
    assert!(!link.wire.is_finished(), "close_notify is not sent yet");
    link.send_all();
    assert!(link.peer.tls_closed());
    assert!(link.wire.is_finished());
    // Servers that drop the connection do so without close_notify.
    let mut link = Link::open_with("wss://localhost", &config, Peer::tls(Ca::get().server()));
    link.wire.close(link.now);
    assert_eq!(link.eof(), clean());
    assert!(link.wire.is_finished());
}
