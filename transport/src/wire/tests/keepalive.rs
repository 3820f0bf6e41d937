//! Pings after silence.

use tungstenite::{Bytes, Message};

use super::*;

#[test]
fn silence_is_answered_by_a_ping_and_then_by_the_end() {
    let mut link = Link::open();
    assert_eq!(link.wait(), secs(30));
    link.send_all();
    assert_eq!(link.wait(), secs(10));
    assert_eq!(link.events(), lost(WireError::Unresponsive { silence: secs(40) }));
    assert!(link.wire.is_finished());
    assert_eq!(link.wire.next_deadline(), None);
}

#[test]
fn a_pong_proves_life() {
    let mut link = Link::open();
    for _ in 0..3 {
        assert_eq!(link.wait(), secs(30));
        link.send_all();
        assert_eq!(link.peer.read(), [Message::Ping(Bytes::new())]);
        link.now += secs(9);
        assert_eq!(link.exchange(), []);
    }
}

#[test]
fn any_byte_proves_life() {
    let mut link = Link::open();
    assert_eq!(link.wait(), secs(30));
    link.now += secs(9);
    // Half a frame.
    assert_eq!(link.receive(&[0x81]), []);
    assert_eq!(link.wire.next_deadline(), Some(link.now + secs(30)));
    link.now += secs(29);
    assert_eq!(link.receive(&[0x01]), []);
    assert_eq!(link.wire.next_deadline(), Some(link.now + secs(30)));
    assert_eq!(link.receive(b"x"), [text("x")]);
}

#[test]
fn zero_switches_it_off() {
    let config = ConnectionConfig { ping_after: Duration::ZERO, ..ConnectionConfig::default() };
    let link = Link::open_with("ws://localhost", &config, Peer::plain());
    assert_eq!(link.wire.next_deadline(), None);
    // Pings without waiting for the answer.
    let config = ConnectionConfig { pong_within: Duration::ZERO, ..ConnectionConfig::default() };
    let mut link = Link::open_with("ws://localhost", &config, Peer::plain());
    for _ in 0..3 {
        assert_eq!(link.wait(), secs(30));
        link.send_all();
        assert_eq!(link.peer.read(), [Message::Ping(Bytes::new())]);
    }
}

#[test]
fn nothing_is_sent_unasked_but_that_ping() {
    // An unsolicited pong arms a read deadline on the server (protocol.md, R2.39).
    let mut link = Link::open();
    link.peer.send(Message::Pong(Bytes::from_static(b"x")));
    link.peer.send(Message::text("x"));
    assert_eq!(link.exchange(), [text("x")]);
    assert_eq!(link.peer.read(), []);
    link.peer.send(Message::Ping(Bytes::from_static(b"y")));
    link.exchange();
    assert_eq!(link.peer.read(), [Message::Pong(Bytes::from_static(b"y"))]);
}

#[test]
fn time_does_not_go_back() {
    let mut link = Link::open();
    let deadline = link.wire.next_deadline();
    link.wire.receive(secs(1), &[0x81]);
    assert_eq!(link.wire.next(secs(0), &mut String::new()), None);
    link.wire.handle_timeout(secs(0));
    assert_eq!(link.wire.next_deadline(), deadline);
}

#[test]
fn at_the_end_of_all_time_nothing_overflows_and_no_host_spins() {
    let config = ConnectionConfig { pong_within: Duration::ZERO, ..ConnectionConfig::default() };
    for config in [config, ConnectionConfig::default()] {
        let mut link = Link::open_with("ws://localhost", &config, Peer::plain());
        link.wire.receive(Duration::MAX, &[0x81]);
        for _ in 0..2 {
            // A ping after this would always be due.
            assert_eq!(link.wire.next_deadline(), None);
            link.wire.handle_timeout(Duration::MAX);
            assert_eq!(link.wire.poll_transmit(), None);
        }
    }
}

#[test]
fn a_late_host_that_receives_first_loses_nothing() {
    let mut link = Link::open();
    link.peer.send(Message::text("x"));
    let bytes = link.peer.output();
    link.now += secs(3600);
    assert_eq!(link.receive(&bytes), [text("x")]);
    link.wire.handle_timeout(link.now);
    assert_eq!(link.wire.poll_transmit(), None);
}
