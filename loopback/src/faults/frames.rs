//! WebSocket frames that break the protocol, or try a client's patience.

use super::Fault;
use super::step::{END, Step, answering, frame, piece, rest, send, then};

/// A limit that a client under test is to have for one message, in bytes.
const OVER_THE_LIMIT: usize = 100_000;

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = Vec::new();
    // What a client cannot read on after.
    let mut breaks = |name: &str, what: &str, step: Step| {
        faults.push(Fault::new(name, what, then(answering(), [step].into_iter().chain(rest()))));
    };
    let two = piece("two");
    breaks("masked", "a masked frame", Step::Send([&[0x81, 0x81, 0, 0, 0, 0][..], b"x"].concat().into()));
    for bit in 1..=3 {
        let first = 0x81 | 0x80 >> bit;
        breaks(&format!("rsv{bit}"), &format!("reserved bit {bit} is set"), send(first, &two));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        breaks(&format!("opcode-{opcode}"), &format!("the reserved opcode {opcode}"), send(0x80 | opcode, "x"));
    }
    breaks("control-long", "a ping of 126 bytes", send(0x89, [b'x'; 126]));
    breaks("control-fragmented", "a ping in fragments", send(0x09, "x"));
    breaks("continuation-alone", "a continuation of nothing", send(0x80, &two));
    breaks("text-inside-text", "a new message inside a fragmented one", {
        Step::Send([frame(0x01, b"{"), frame(0x81, two.as_bytes())].concat().into())
    });
    breaks("utf8-invalid", "text that is not UTF-8", send(0x81, [b'{', 0xff, b'}']));
    breaks("utf8-split-invalid", "a character that the next fragment does not finish", {
        Step::Send([frame(0x01, &[b'"', 0xc3]), frame(0x80, b"\"")].concat().into())
    });
    breaks("utf8-surrogate", "a surrogate in UTF-8", send(0x81, [b'"', 0xed, 0xa0, 0x80, b'"']));
    breaks("over-limit", "a message over the limit", send(0x81, piece(&"x".repeat(OVER_THE_LIMIT))));
    breaks("over-limit-fragments", "the same in fragments", {
        let long = piece(&"x".repeat(OVER_THE_LIMIT));
        let parts: Vec<u8> = long.as_bytes().chunks(10_000).flat_map(|part| frame(0x00, part)).collect();
        let mut bytes = frame(0x01, b"");
        bytes.extend(parts);
        bytes.extend(frame(0x80, b""));
        Step::Send(bytes.into())
    });
    let announce = |length: u64| Step::Send([&[0x81, 127][..], &length.to_be_bytes()].concat().into());
    breaks("announced-100-mb", "a frame that announces 100 MB", announce(100_000_000));
    breaks("announced-2-63", "a frame that announces 2^63 bytes", announce(1 << 63));
    breaks("announced-most", "a frame that announces all that 63 bits can say", announce((1 << 63) - 1));
    breaks("length-not-shortest", "a length in more bytes than it needs", {
        Step::Send([&[0x81, 127][..], &(two.len() as u64).to_be_bytes(), two.as_bytes()].concat().into())
    });

    // What a client has to bear.
    let mut bears = |name: &str, what: &str, steps: Vec<Step>| {
        faults.push(Fault::new(name, what, then(answering(), steps.into_iter().chain(rest()))));
    };
    bears("binary", "a binary message, which is no frame of an answer", vec![send(0x82, &two)]);
    bears("binary-junk", "a binary message of junk", vec![send(0x82, [0, 159, 146, 150])]);
    bears("empty-text", "an empty message", vec![send(0x81, "")]);
    bears("fragments", "a message in fragments, with pings between them", {
        let message = piece("and ");
        let (start, end) = message.as_bytes().split_at(40);
        vec![send(0x01, start), send(0x89, "between"), send(0x00, ""), send(0x80, end)]
    });
    bears("fragments-of-a-character", "a character in two fragments", {
        let message = piece("é ");
        let at = message.find('é').unwrap_or_default() + 1;
        let (start, end) = message.as_bytes().split_at(at);
        vec![send(0x01, start), send(0x80, end)]
    });
    bears("fragments-of-nothing", "10,000 empty fragments", {
        let mut bytes = frame(0x01, piece("and ").as_bytes());
        for _ in 0..10_000 {
            bytes.extend(frame(0x00, b""));
        }
        bytes.extend(frame(0x80, b""));
        vec![Step::Send(bytes.into())]
    });
    bears("pings", "a ping with a payload", vec![send(0x89, "are you there")]);
    bears("pongs", "pongs that nobody asked for", vec![send(0x8a, ""), send(0x8a, "unasked")]);

    // What has no end.
    let mut floods = |name: &str, what: &str, bytes: Vec<u8>, read| {
        faults.push(Fault::new(name, what, then(answering(), [Step::Flood { bytes: bytes.into(), read }])));
    };
    floods("flood-pings", "pings without an end", frame(0x89, b"x").repeat(100), true);
    floods(
        "flood-pings-unread",
        "pings without an end, and nothing is read",
        frame(0x89, &[b'x'; 125]).repeat(30),
        false,
    );
    floods("flood-pongs", "pongs without an end", frame(0x8a, b"x").repeat(100), true);
    floods("flood-junk", "messages that are no JSON, without an end", frame(0x81, b"not json").repeat(100), true);
    floods("flood-binary", "binary messages without an end", frame(0x82, b"\0\x01").repeat(100), true);
    floods("flood-nothing", "empty pieces without an end", frame(0x81, b"{}").repeat(100), true);
    floods("flood-pieces", "an answer without an end", frame(0x81, piece(&"x".repeat(2000)).as_bytes()), true);
    faults.push(Fault::new("flood-fragments", "empty fragments without an end", {
        let flood = Step::Flood { bytes: frame(0x00, b"").repeat(500).into(), read: true };
        then(answering(), [send(0x01, "{"), flood])
    }));
    faults.push(Fault::new("end-in-fragments", "the end comes in fragments of one byte", {
        let mut bytes = frame(0x01, &END.as_bytes()[..1]);
        for byte in &END.as_bytes()[1..] {
            bytes.extend(frame(0x00, &[*byte]));
        }
        bytes.extend(frame(0x80, b""));
        then(answering(), [Step::Send(bytes.into())])
    }));
    faults
}
