//! Handshakes that fail.

use super::*;
use crate::error::{Step, UpgradeError};
use crate::http_body::MAX_BODY;
use crate::http_head::MAX_HEAD;
use crate::http_refusal::HttpRefusal;

const THROTTLED: &str = r#"{"error":"request_throttled","reason":"You have sent too many requests. Please try again later.","status":false}"#;

/// A link whose request was sent.
fn requested() -> Link {
    let mut link = Link::plain();
    link.send_all();
    assert!(link.peer.has_request());
    link
}

/// The end after an answer that comes at once; also checks it at every split and byte by byte.
fn answered(answer: &str) -> WireError {
    let whole = requested().receive(answer.as_bytes());
    for at in 1..answer.len().min(700) {
        let mut link = requested();
        let mut events = link.receive(&answer.as_bytes()[..at]);
        events.extend(link.receive(&answer.as_bytes()[at..]));
        assert_eq!(events, whole, "split at {at}");
        assert!(link.wire.is_finished());
    }
    let mut link = requested();
    let events: Vec<_> = answer.bytes().take(4096).flat_map(|byte| link.receive(&[byte])).collect();
    assert_eq!(events, whole, "byte by byte");
    match <[Got; 1]>::try_from(whole) {
        Ok([Got::Closed(ConnectionEnd::Lost(error))]) => error,
        other => panic!("{other:?}"),
    }
}

fn with_length(head: &str, body: &str) -> String {
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn http(status: u16, body: &str) -> WireError {
    let refusal = HttpRefusal::new(status, body).into();
    if (502..=504).contains(&status) { WireError::Unavailable(refusal) } else { WireError::Http(refusal) }
}

#[test]
fn throttling_shows_the_reason() {
    let reason = "You have sent too many requests. Please try again later.".to_owned();
    let throttled = |body: &str| {
        let mut refusal = HttpRefusal::new(200, body);
        refusal.reason = Some(reason.clone());
        WireError::Throttled(refusal.into())
    };
    assert_eq!(answered(&with_length("HTTP/1.1 200 OK", THROTTLED)), throttled(THROTTLED));
    // The 2023-11 server sends no code.
    let old = format!(r#"{{"reason":"{reason}","status":false}}"#);
    assert_eq!(answered(&with_length("HTTP/1.1 200 OK", &old)), throttled(&old));
    assert!(throttled(&old).to_string().contains(&reason));
}

#[test]
fn chunks_are_joined() {
    let (a, b) = THROTTLED.split_at(30);
    let answer = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{a}\r\n{:X}\r\n{b}\r\n0\r\n\r\n",
        a.len(),
        b.len()
    );
    assert!(matches!(answered(&answer), WireError::Throttled(_)));
}

#[test]
fn other_refusals_show_theirs() {
    for (body, expected) in [
        (r#"{"status":false,"reason":"closed for today","error":"x"}"#, "closed for today"),
        (r#"{"status":false,"message":"go away"}"#, "go away"),
        (r#"{"status":false,"error":"redis: nil","reason":""}"#, "redis: nil"),
    ] {
        let error = answered(&with_length("HTTP/1.1 200 OK", body));
        let mut refusal = HttpRefusal::new(200, body);
        refusal.reason = Some(expected.into());
        assert_eq!(error, WireError::Refused(refusal.into()));
    }
}

#[test]
fn other_answers_are_http_errors() {
    for body in ["<html>", r#"{"status":true}"#, r#"{"status":false}"#, "[]", "", r#"{"status":fal"#] {
        assert_eq!(answered(&with_length("HTTP/1.1 200 OK", body)), http(200, body));
    }
    // A refusal is only what comes with status 200.
    assert!(matches!(answered(&with_length("HTTP/1.1 403 No", THROTTLED)), WireError::Http(_)));
    let not_found = r#"{"message":"not found or method not allowed","status":false}"#;
    assert_eq!(answered(&with_length("HTTP/1.1 404 Not Found", not_found)), http(404, not_found));
    let moved = with_length("HTTP/1.1 301 Moved\r\nLocation: ws://evil.example/", "moved");
    let error = answered(&moved);
    let refusal = error.refusal().unwrap();
    assert_eq!((refusal.status, refusal.location.as_deref()), (301, Some("ws://evil.example/")));
    let old_proxy = with_length("HTTP/1.0 503 Service Unavailable", "no backend");
    assert_eq!(answered(&old_proxy), http(503, "no backend"));
    assert_eq!(answered("HTTP/1.1 204 No Content\r\n\r\n"), http(204, ""));
    assert_eq!(answered("HTTP/1.1 404 x\nContent-Length: 2\n\nno"), http(404, "no"));
}

#[test]
fn a_body_without_length_ends_with_the_stream_or_the_deadline() {
    let head = "HTTP/1.1 502 Bad Gateway\r\n\r\n";
    let mut link = requested();
    assert_eq!(link.receive(head.as_bytes()), []);
    assert_eq!(link.receive(b"no "), []);
    assert_eq!(link.receive(b"backend"), []);
    assert_eq!(link.eof(), lost(http(502, "no backend")));
    assert!(link.wire.is_finished());

    let mut link = requested();
    assert_eq!(link.receive(head.as_bytes()), []);
    assert_eq!(link.receive(b"no backend"), []);
    assert_eq!(link.wait(), secs(10));
    assert_eq!(link.events(), lost(http(502, "no backend")));
    assert!(link.wire.is_finished());

    let mut link = requested();
    assert_eq!(link.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), []);
    assert_eq!(link.receive(THROTTLED.as_bytes()), []);
    link.wait();
    assert!(matches!(&link.events()[..], [Got::Closed(ConnectionEnd::Lost(WireError::Throttled(_)))]));
}

#[test]
fn a_body_is_cut_at_its_cap() {
    for head in ["", "Content-Length: 99999999\r\n", "Transfer-Encoding: chunked\r\n"] {
        let mut link = requested();
        assert_eq!(link.receive(format!("HTTP/1.1 500 x\r\n{head}\r\n").as_bytes()), []);
        if head.contains("chunked") {
            assert_eq!(link.receive(b"ffffff\r\n"), []);
        }
        let mut end = Vec::new();
        for _ in 0..100 {
            end.extend(link.receive(&[b'x'; 1000]));
            assert!(link.wire.memory() <= MAX_BODY);
        }
        assert_eq!(end, lost(http(500, &"x".repeat(MAX_BODY))));
    }
}

#[test]
fn wrong_upgrades_are_told_apart() {
    let answer = |change: &dyn Fn(String) -> String| {
        let mut link = requested();
        link.peer.accept();
        let good = String::from_utf8(link.peer.output()).unwrap();
        let changed = change(good.clone());
        assert_ne!(good, changed);
        let end = link.receive(changed.as_bytes());
        assert_eq!(link.wire.is_finished(), end != [Got::Open]);
        end
    };
    let without = |header: &'static str| {
        answer(&move |good| {
            let lines: Vec<_> = good.split("\r\n").filter(|line| !line.to_lowercase().starts_with(header)).collect();
            lines.join("\r\n")
        })
    };
    let upgrade = |error: UpgradeError| lost(error.into());
    assert_eq!(without("upgrade:"), upgrade(UpgradeError::Upgrade));
    assert_eq!(without("connection:"), upgrade(UpgradeError::Connection));
    assert_eq!(without("sec-websocket-accept:"), upgrade(UpgradeError::Accept));
    let other_key = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let wrong_key = answer(&|good| {
        let key = good.split_once("Accept: ").or(good.split_once("accept: ")).unwrap().1;
        good.replace(key.split("\r\n").next().unwrap(), other_key)
    });
    assert_eq!(wrong_key, upgrade(UpgradeError::Accept));
    let connection = |value: &'static str| {
        answer(&move |good| {
            let lines = good.split("\r\n").filter(|line| !line.to_lowercase().starts_with("connection:"));
            lines.collect::<Vec<_>>().join("\r\n").replacen("\r\n", &format!("\r\n{value}\r\n"), 1)
        })
    };
    for list in [
        "Connection: keep-alive, Upgrade",
        "Connection: UPGRADE,keep-alive",
        "Connection: keep-alive\r\nX: y\r\nconnection: ,\tupgrade ",
    ] {
        assert_eq!(connection(list), [Got::Open], "{list}");
    }
    assert_eq!(connection("Connection: keep-alive, Upgrades"), upgrade(UpgradeError::Connection));
    let with = |header: &'static str| answer(&move |good| good.replacen("\r\n", &format!("\r\n{header}\r\n"), 1));
    assert_eq!(with("Sec-WebSocket-Protocol: x"), upgrade(UpgradeError::Subprotocol));
    assert_eq!(with("Sec-WebSocket-Extensions: permessage-deflate"), upgrade(UpgradeError::Extension));
    assert_eq!(with("Sec-WebSocket-Extensions: \r\nSec-WebSocket-Protocol: ,"), [Got::Open]);
    assert_eq!(with("Upgrade: h2c, WebSocket"), upgrade(UpgradeError::Upgrade));
    assert_eq!(with("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), upgrade(UpgradeError::Accept));
}

#[test]
fn a_header_that_is_not_text_is_not_absent() {
    for (header, error) in [
        ("Sec-WebSocket-Extensions", UpgradeError::Extension),
        ("Sec-WebSocket-Protocol", UpgradeError::Subprotocol),
        // A second one.
        ("Sec-WebSocket-Accept", UpgradeError::Accept),
    ] {
        let mut link = requested();
        link.peer.accept();
        let good = link.peer.output();
        let end = good.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let bad = [&good[..end], b"\r\n", header.as_bytes(), b": \xff", &good[end..]].concat();
        assert_eq!(link.receive(&bad), lost(error.into()), "{header}");
    }
}

#[test]
fn what_is_not_http_is_said_at_once() {
    for bytes in ["SSH-2.0-OpenSSH_9", "\x15\x03\x01", "HTTP/2 200", "HTTP/1.0 101 x\r\n\r\n"] {
        let events = requested().receive(bytes.as_bytes());
        let is_bad = matches!(&events[..], [Got::Closed(ConnectionEnd::Lost(WireError::BadHttp { .. }))]);
        assert!(is_bad, "{bytes:?}: {events:?}");
    }
    for bytes in [
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 \r\n\r\n",
        "HTTP/1.1 000 x\r\n\r\n",
    ] {
        assert!(matches!(answered(bytes), WireError::BadHttp { .. }), "{bytes:?}");
    }
    let lengths = "HTTP/1.1 404 x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nnono";
    assert!(matches!(answered(lengths), WireError::BadHttp { .. }));
    let many = format!("HTTP/1.1 101 x\r\n{}\r\n", "a: b\r\n".repeat(200));
    assert_eq!(answered(&many), UpgradeError::Upgrade.into(), "any number of headers is HTTP");
}

#[test]
fn a_head_is_bounded() {
    for size in [1, 100, 5000] {
        let mut link = requested();
        let mut events = link.receive(b"HTTP/1.1 200 OK\r\nx: ");
        while events.is_empty() {
            events = link.receive(&vec![b'y'; size]);
            assert!(link.wire.memory() <= MAX_HEAD + size);
        }
        assert_eq!(events, lost(WireError::HeadTooLarge { limit: MAX_HEAD }));
    }
    // As large as allowed.
    let mut link = requested();
    let head = "HTTP/1.1 404 x\r\nContent-Length: 0\r\ny: ";
    let filler = "y".repeat(MAX_HEAD - head.len() - 4);
    assert_eq!(link.receive(format!("{head}{filler}\r\n\r\n").as_bytes()), lost(http(404, "")));
}

#[test]
fn silence_ends_at_the_deadline() {
    let mut link = Link::plain();
    assert_eq!(link.wait(), secs(10));
    assert_eq!(link.events(), lost(WireError::HandshakeTimeout { step: Step::Upgrade }));
    assert!(link.wire.is_finished());
    assert_eq!(link.wire.next_deadline(), None);
    // Bytes that come do not extend it.
    let mut link = requested();
    link.now += secs(9);
    assert_eq!(link.receive(b"HTTP/1.1"), []);
    assert_eq!(link.wait(), secs(1));
    assert_eq!(link.events(), lost(WireError::HandshakeTimeout { step: Step::Upgrade }));
    let config = ConnectionConfig { handshake: Duration::ZERO, ..ConnectionConfig::default() };
    let link = Link::new("ws://localhost", &config, Peer::plain());
    assert_eq!(link.wire.next_deadline(), None);
}

#[test]
fn an_early_end_of_the_stream_is_an_error() {
    for bytes in ["", "HTTP/1.1 101 Switching"] {
        let mut link = requested();
        assert_eq!(link.receive(bytes.as_bytes()), []);
        assert_eq!(link.eof(), lost(WireError::EndOfStream { step: Step::Upgrade }));
        assert_eq!(link.eof(), []);
        assert!(link.wire.is_finished());
    }
}

#[test]
fn without_random_bytes_there_is_no_handshake() {
    #[derive(Debug)]
    struct Broken;
    impl rustls::crypto::SecureRandom for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), rustls::crypto::GetRandomFailed> {
            Err(rustls::crypto::GetRandomFailed)
        }
    }
    let config = ConnectionConfig::default();
    let endpoint = Endpoint::parse("ws://localhost").unwrap();
    assert_eq!(
        Wire::new(secs(0), &endpoint, &config, &chatnio_core::Auth::anonymous(), crate::random::Random(&Broken)).err(),
        Some(WireError::NoRandom)
    );
}

#[test]
fn the_request_is_what_a_server_expects() {
    let mut config = ConnectionConfig::default();
    config.headers.add("X-Gate", "open sesame").unwrap().add("x-b", "2").unwrap();
    let mut link = Link::new("ws://[::1]:8094/api", &config, Peer::plain());
    link.send_all();
    let request = String::from_utf8(link.peer.received().to_vec()).unwrap();
    let lines: Vec<&str> = request.split("\r\n").collect();
    assert_eq!(lines[0], "GET /api/chat HTTP/1.1");
    assert_eq!(lines[1], "Host: [::1]:8094");
    assert_eq!(lines[lines.len() - 4..], ["x-gate: open sesame", "x-b: 2", "", ""]);
    let agents = |request: &str| request.lines().filter(|line| line.to_lowercase().starts_with("user-agent:")).count();
    assert_eq!((agents(&request), request.contains(concat!("chatnio/", env!("CARGO_PKG_VERSION")))), (1, true));
    assert_eq!(link.shake_hands(), [Got::Open], "and tungstenite's server accepts it");
}

#[test]
fn the_hosts_user_agent_and_query_are_sent() {
    let mut config = ConnectionConfig::default();
    config.headers.add("User-Agent", "my bot/1").unwrap();
    let mut link = Link::new("ws://localhost?key=s3cret", &config, Peer::plain());
    link.send_all();
    let request = String::from_utf8(link.peer.received().to_vec()).unwrap();
    assert!(request.starts_with("GET /chat?key=s3cret HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nuser-agent: my bot/1\r\n") && !request.contains("chatnio/"), "{request}");
}

#[test]
fn keys_differ() {
    let keys: std::collections::HashSet<String> = (0..8)
        .map(|_| {
            let request = String::from_utf8(requested().peer.received().to_vec()).unwrap();
            request.split_once("Sec-WebSocket-Key: ").unwrap().1[..24].to_owned()
        })
        .collect();
    assert_eq!(keys.len(), 8);
}

#[test]
fn interim_answers_are_passed_over() {
    let mut link = Link::plain();
    link.send_all();
    link.peer.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    link.peer.accept();
    assert_eq!(link.exchange(), [Got::Open]);

    let mut link = Link::plain();
    link.send_all();
    let events = link.receive("HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000).as_bytes());
    assert!(matches!(&events[..], [Got::Closed(ConnectionEnd::Lost(WireError::BadHttp { .. }))]), "{events:?}");
}
