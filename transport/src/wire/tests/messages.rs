//! Messages in an open session.

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tungstenite::{Bytes, Message};

use super::*;
use crate::test_peer::Ca;

/// A frame as a server writes it.
pub(super) fn frame(opcode: OpCode, is_final: bool, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader { opcode, is_final, ..FrameHeader::default() };
    let mut bytes = Vec::new();
    header.format(payload.len() as u64, &mut bytes).unwrap();
    [&bytes, payload].concat()
}

const TEXT: OpCode = OpCode::Data(Data::Text);
const MORE: OpCode = OpCode::Data(Data::Continue);
const PING: OpCode = OpCode::Control(Control::Ping);

/// What the server says after the handshake in the tests of splits, and what comes of it.
fn say_everything(peer: &mut Peer) -> Vec<Got> {
    let long = "\u{1f600}".repeat(40);
    peer.send(Message::text("{\"message\":\"hi\"}\n"));
    peer.send(Message::Ping(Bytes::from_static(b"p")));
    peer.send(Message::text(""));
    peer.send(Message::text(long.clone()));
    peer.send(Message::binary(vec![1, 2, 3]));
    // Fragments with a ping in between, split inside a character.
    peer.say(frame(TEXT, false, b"caf\xc3"));
    peer.say(frame(PING, true, b"q"));
    peer.say(frame(MORE, false, b"\xa9"));
    peer.say(frame(MORE, true, b"!"));
    vec![Got::Open, text("{\"message\":\"hi\"}\n"), text(""), text(&long), Got::Binary, text("caf\u{e9}!")]
}

#[test]
fn every_split_gives_the_same() {
    let all = |split: &dyn Fn(&mut Link, &[u8]) -> Vec<Got>| {
        let mut link = Link::plain();
        link.send_all();
        link.peer.accept();
        let expected = say_everything(&mut link.peer);
        let bytes = link.peer.output();
        assert_eq!(split(&mut link, &bytes), expected);
        link.send_all();
        // Two pings: only the newest of several need be answered (RFC 6455, section 5.5.3).
        let pongs = link.peer.read();
        assert_eq!(pongs.last(), Some(&Message::Pong(Bytes::from_static(b"q"))));
        bytes.len()
    };
    let len = all(&|link, bytes| link.receive(bytes));
    all(&|link, bytes| bytes.iter().flat_map(|byte| link.receive(&[*byte])).collect());
    for at in 1..len {
        all(&|link, bytes| {
            let mut events = link.receive(&bytes[..at]);
            events.extend(link.receive(&bytes[at..]));
            events
        });
    }
}

#[test]
fn every_split_gives_the_same_over_tls() {
    // The server's stream is cut once, after `at` bytes of all its flights together.
    let run = |at: usize| {
        let config = ConnectionConfig { tls: super::tls::trusting(), ..ConnectionConfig::default() };
        let mut link = Link::new("wss://localhost", &config, Peer::tls(Ca::get().server()));
        let (mut events, mut expected, mut total) = (Vec::new(), Vec::new(), 0);
        for _ in 0..10 {
            link.send_all();
            if link.peer.has_request() {
                link.peer.accept();
                expected = say_everything(&mut link.peer);
            }
            let bytes = link.peer.output();
            let cut = at.saturating_sub(total).min(bytes.len());
            total += bytes.len();
            for part in [&bytes[..cut], &bytes[cut..]] {
                if at == 0 {
                    events.extend(part.iter().flat_map(|byte| link.receive(&[*byte])));
                } else {
                    events.extend(link.receive(part));
                }
            }
        }
        assert_eq!(events, expected, "cut at {at}");
        total
    };
    // Zero: byte by byte.
    let total = run(0);
    for at in 1..total {
        run(at);
    }
}

#[test]
fn texts_go_out_masked_and_whole() {
    let mut link = Link::open();
    for len in [0, 1, 125, 126, 65535, 65536, 300_000] {
        let text = "x".repeat(len);
        link.wire.send_text(&text).unwrap();
        link.send_all();
        assert!(link.peer.read() == [Message::text(text)], "{len}");
    }
    assert!(link.wire.memory() <= 8 * 1024);
}

#[test]
fn partial_writes_lose_nothing() {
    for url in ["ws://localhost", "wss://localhost"] {
        let config = ConnectionConfig { tls: super::tls::trusting(), ..ConnectionConfig::default() };
        let peer = if url.starts_with("wss") { Peer::tls(Ca::get().server()) } else { Peer::plain() };
        let mut link = Link::open_with(url, &config, peer);
        let texts: Vec<String> = (0..20).map(|i| format!("{i}").repeat(i * 7)).collect();
        let mut unsent = texts.iter();
        let mut n = 0;
        loop {
            if let Some(text) = unsent.next() {
                link.wire.send_text(text).unwrap();
            }
            let Some(bytes) = link.wire.poll_transmit() else {
                break;
            };
            n = n % 13 + 1;
            let n = n.min(bytes.len());
            link.peer.receive(&bytes[..n]);
            link.wire.transmitted(n);
        }
        let received: Vec<_> = link.peer.read();
        assert_eq!(received, texts.into_iter().map(Message::text).collect::<Vec<_>>());
    }
}

#[test]
fn a_server_that_pings_without_reading_does_not_fill_the_memory() {
    let mut link = Link::open();
    for i in 0..10_000u32 {
        link.peer.send(Message::Ping(Bytes::from(i.to_string().repeat(20))));
        let bytes = link.peer.output();
        assert_eq!(link.receive(&bytes), []);
    }
    assert!(link.wire.memory() < 64 * 1024, "{}", link.wire.memory());
    // When it reads again, it gets the answer to its newest ping without sending anything more.
    link.send_all();
    let pongs = link.peer.read();
    assert_eq!(pongs.last(), Some(&Message::Pong(Bytes::from("9999".repeat(20)))));
    // And the session is as good as before.
    link.wire.send_text("hi").unwrap();
    link.send_all();
    assert_eq!(link.peer.read(), [Message::text("hi")]);
    link.peer.send(Message::text("ho"));
    assert_eq!(link.exchange(), [text("ho")]);
}

#[test]
fn closing_works_with_a_full_output() {
    let mut link = Link::open();
    for _ in 0..1000 {
        link.peer.send(Message::Ping(Bytes::from_static(&[b'x'; 125])));
        let bytes = link.peer.output();
        assert_eq!(link.receive(&bytes), []);
    }
    link.wire.close(link.now);
    link.send_all();
    assert!(matches!(link.peer.read().last(), Some(Message::Close(Some(_)))));
}

#[test]
fn input_that_is_not_taken_is_counted() {
    let mut link = Link::open();
    let message = frame(TEXT, true, &[b'x'; 1000]);
    for _ in 0..100 {
        link.wire.receive(link.now, &message);
    }
    assert!(link.wire.memory() >= 100 * message.len());
    assert_eq!(link.events().len(), 100);
    assert!(link.wire.memory() <= 8 * 1024);
    // An unfinished message is held too.
    link.receive(&frame(TEXT, false, &[b'x'; 50_000]));
    assert!(link.wire.memory() >= 50_000);
    // Pings inside it change nothing about that.
    for _ in 0..1000 {
        link.receive(&frame(PING, true, &[b'x'; 125]));
        link.send_all();
    }
    let memory = link.wire.memory();
    assert!((50_000..60_000).contains(&memory), "{memory}");
}

#[test]
fn too_long_messages_end_the_session() {
    let config = limited(1000);
    let open = || Link::open_with("ws://localhost", &config, Peer::plain());
    let mut link = open();
    assert_eq!(link.receive(&frame(TEXT, true, &[b'x'; 1000])).len(), 1);
    for bytes in [
        frame(TEXT, true, &[b'x'; 1001]),
        // The header alone says it.
        frame(TEXT, true, &[b'x'; 1001])[..4].to_vec(),
        [frame(TEXT, false, &[b'x'; 600]), frame(MORE, true, &[b'x'; 401])].concat(),
    ] {
        let mut link = open();
        assert_eq!(link.receive(&bytes), lost(WireError::MessageTooLong { limit: 1000 }));
        assert_eq!(close_code(&mut link), Some(1009));
    }
    // A ping is not a message.
    let config = limited(10);
    let mut link = Link::open_with("ws://localhost", &config, Peer::plain());
    assert_eq!(link.receive(&frame(PING, true, &[b'x'; 125])), []);
}

/// The code of the Close that the server got.
fn close_code(link: &mut Link) -> Option<u16> {
    assert!(!link.wire.is_finished(), "the Close is not sent yet");
    link.send_all();
    assert!(link.wire.is_finished());
    match link.peer.read().pop() {
        Some(Message::Close(Some(frame))) => Some(frame.code.into()),
        _ => None,
    }
}

#[test]
fn what_breaks_the_protocol_ends_the_session() {
    let mut reserved = frame(TEXT, true, b"x");
    reserved[0] |= 0x40;
    let mut masked = frame(TEXT, true, b"x");
    masked.splice(1..2, [0x81, 1, 2, 3, 4]);
    let cases = [
        ("reserved bit", reserved),
        ("masked", masked),
        ("unknown opcode", vec![0x83, 0]),
        ("unknown control opcode", vec![0x8b, 0]),
        ("continuation of nothing", frame(MORE, true, b"x")),
        ("new message inside one", [frame(TEXT, false, b"x"), frame(TEXT, true, b"y")].concat()),
        ("fragmented ping", frame(PING, false, b"x")),
        ("long ping", frame(PING, true, &[b'x'; 126])),
        ("short Close", frame(OpCode::Control(Control::Close), true, b"x")),
    ];
    for (name, bytes) in cases {
        let mut link = Link::open();
        let events = link.receive(&bytes);
        let is_protocol = matches!(&events[..], [Got::Closed(ConnectionEnd::Lost(WireError::Protocol { .. }))]);
        assert!(is_protocol, "{name}: {events:?}");
        assert_eq!(close_code(&mut link), Some(1002), "{name}");
    }
    for bytes in [
        frame(TEXT, true, b"SECRET\xff"),
        frame(TEXT, true, b"caf\xc3"),
        [frame(TEXT, false, b"SECRET\xff"), frame(MORE, true, b"y")].concat(),
        frame(OpCode::Control(Control::Close), true, b"\x03\xe8\xff"),
    ] {
        let mut link = Link::open();
        let events = link.receive(&bytes);
        assert_eq!(events, lost(WireError::InvalidUtf8));
        assert_eq!(close_code(&mut link), Some(1007));
    }
}

#[test]
fn a_length_is_written_in_the_shortest_way() {
    let text = |header: &[u8], len: usize| [header, &vec![b'x'; len]].concat();
    for (longer, shorter) in [
        (text(&[0x81, 126, 0, 1], 1), text(&[0x81, 1], 1)),
        (text(&[0x81, 126, 0, 125], 125), text(&[0x81, 125], 125)),
        (text(&[0x81, 127, 0, 0, 0, 0, 0, 0, 0, 5], 5), text(&[0x81, 5], 5)),
        (text(&[0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], 65535), text(&[0x81, 126, 0xff, 0xff], 65535)),
        (text(&[0x89, 126, 0, 2], 2), text(&[0x89, 2], 2)),
    ] {
        let mut link = Link::open();
        let events = link.receive(&longer[..longer.len().min(10)]);
        let [Got::Closed(ConnectionEnd::Lost(WireError::Protocol { problem }))] = &events[..] else {
            panic!("{events:?}")
        };
        assert!(problem.contains("shortest"), "{problem}");
        assert_eq!(close_code(&mut link), Some(1002));
        let mut link = Link::open();
        assert!(!matches!(&link.receive(&shorter)[..], [Got::Closed(_)]), "{}", shorter.len());
    }
    let mut link = Link::open();
    assert_eq!(link.receive(&text(&[0x81, 126, 0, 126], 126)).len(), 1);
}

#[test]
fn messages_before_a_fault_are_still_handed_out() {
    let mut link = Link::open();
    let bytes = [frame(TEXT, true, b"a"), frame(TEXT, true, b"b"), vec![0x83, 0]].concat();
    let events = link.receive(&bytes);
    assert_eq!(events[..2], [text("a"), text("b")]);
    assert_eq!(events.len(), 3);
}

#[test]
fn sending_needs_an_open_session() {
    let mut link = Link::plain();
    assert_eq!(link.wire.send_text("x"), Err(WireError::NotOpen));
    link.shake_hands();
    link.wire.send_text("x").unwrap();
    link.wire.close(link.now);
    assert_eq!(link.wire.send_text("x"), Err(WireError::NotOpen));
    let mut link = Link::open();
    link.wire.handle_eof(link.now);
    assert_eq!(link.wire.send_text("x"), Err(WireError::NotOpen));
}

#[test]
fn a_wire_can_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Wire>();
}
