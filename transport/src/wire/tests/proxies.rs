//! The way through a proxy. The dialogues themselves are in `proxy/tunnel/tests.rs`.

use chatnio_core::RetryCause;
use tungstenite::Message;

use super::tls::trusting;
use super::*;
use crate::error::Step;
use crate::proxy::Proxy;
use crate::proxy_error::ProxyError;
use crate::test_peer::Ca;

fn through(proxy: &str) -> ConnectionConfig {
    ConnectionConfig { proxy: Some(Proxy::parse(proxy).unwrap()), tls: trusting(), ..ConnectionConfig::default() }
}

/// What the wire has sent.
fn sent(link: &mut Link) -> Vec<u8> {
    let mut sent = Vec::new();
    while let Some(bytes) = link.wire.poll_transmit() {
        sent.extend_from_slice(bytes);
        let n = bytes.len();
        link.wire.transmitted(n);
    }
    sent
}

#[test]
fn everything_else_goes_through() {
    for (url, peer) in [("ws://localhost", Peer::plain()), ("wss://localhost", Peer::tls(Ca::get().server()))] {
        let mut link = Link::new(url, &through("http://me:s3cret@proxy.example"), peer);
        let request = String::from_utf8(sent(&mut link)).unwrap();
        assert!(request.starts_with("CONNECT localhost:") && request.ends_with("\r\n\r\n"), "{request}");
        assert_eq!(link.receive(b"HTTP/1.1 200 Connection est"), []);
        assert_eq!(sent(&mut link), b"", "nothing before the tunnel is open");
        assert_eq!(link.receive(b"ablished\r\n\r\n"), []);
        assert_eq!(link.shake_hands(), [Got::Open]);
        link.peer.send(Message::text("x"));
        assert_eq!(link.exchange(), [text("x")]);
    }
}

#[test]
fn what_comes_with_the_proxys_answer_is_the_servers() {
    let mut link = Link::new("ws://localhost", &through("socks5h://p"), Peer::plain());
    assert_eq!(sent(&mut link), b"\x05\x01\x00");
    assert_eq!(link.receive(b"\x05\x00"), []);
    sent(&mut link);
    let bound = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";
    let events = link.receive(&[bound, &b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n"[..]].concat());
    assert!(matches!(&events[..], [Got::Closed(ConnectionEnd::Lost(WireError::Http(_)))]), "{events:?}");
}

#[test]
fn a_refusal_is_the_end_and_the_server_hears_nothing() {
    let mut link = Link::new("wss://localhost", &through("http://proxy.example"), Peer::plain());
    sent(&mut link);
    let events = link.receive(b"HTTP/1.1 407 x\r\n\r\n");
    let [Got::Closed(ConnectionEnd::Lost(WireError::Proxy(ProxyError::Authentication { .. })))] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(sent(&mut link), b"");
    assert!(link.wire.is_finished());
}

#[test]
fn a_proxy_throttles_as_a_server_does() {
    let end = |answer: &str| {
        let mut link = Link::new("wss://localhost", &through("http://proxy.example"), Peer::plain());
        sent(&mut link);
        let events = link.receive(answer.as_bytes());
        let [Got::Closed(end)] = &events[..] else { panic!("{events:?}") };
        (end.code(), end.retry_cause())
    };
    let slow = end("HTTP/1.1 429 x\r\nRetry-After: 7\r\n\r\n");
    assert_eq!(slow, (Some(429), Some((RetryCause::Throttled, Some(secs(7))))));
    let away = end("HTTP/1.1 503 x\r\nRetry-After: 3\r\n\r\n");
    assert_eq!(away, (Some(503), Some((RetryCause::Unavailable, Some(secs(3))))));
    assert_eq!(end("HTTP/1.1 502 x\r\n\r\n"), (Some(502), Some((RetryCause::Unavailable, None))));
    assert_eq!(end("HTTP/1.1 403 x\r\n\r\n"), (Some(403), None));
}

#[test]
fn the_deadline_and_the_end_name_the_proxy() {
    let mut link = Link::new("wss://localhost", &through("http://proxy.example"), Peer::plain());
    assert_eq!(link.wait(), secs(10));
    let late = WireError::HandshakeTimeout { step: Step::Proxy };
    assert!(late.to_string().starts_with("the proxy did not connect"), "{late}");
    assert_eq!(link.events(), lost(late));
    assert_eq!(sent(&mut link), b"");
    let mut link = Link::new("wss://localhost", &through("http://proxy.example"), Peer::plain());
    let ended = WireError::EndOfStream { step: Step::Proxy };
    assert!(ended.to_string().starts_with("the proxy ended"), "{ended}");
    assert_eq!(link.eof(), lost(ended));
    let mut link = Link::new("wss://localhost", &through("http://proxy.example"), Peer::plain());
    link.wire.close(link.now);
    assert_eq!(link.events(), clean());
    assert!(link.wire.is_finished());
}
