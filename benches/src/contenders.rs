//! Every contender that is written in Rust, by its name: in this process, or as a program of its own.

use std::sync::Arc;

use chatnio_loopback::Firehose;

use crate::contender::Contender;
use crate::messages::{END, Shape, answer};
use crate::ours::client;
use crate::ours::connection::{Host, config};
use crate::ours::session::{Answering, Idle, decode};
use crate::peers::{json, websocket};
use crate::sample::Sample;

/// How much a connection or tungstenite in memory is given at once, in bytes.
const READ: usize = 64 * 1024;

/// What a contender works on.
#[derive(Debug, Clone)]
pub struct Input {
    /// The messages.
    pub shape: Shape,
    /// How many chunks a batch has; of an answer over a socket, all.
    pub chunks: usize,
    /// Where to connect to.
    pub url: String,
    /// The certificate to trust, in PEM, for TLS.
    pub ca: Option<String>,
}

/// The contender of this name; `None` when there is none.
pub fn named(name: &str, input: &Input) -> Option<Contender> {
    let Input { shape, chunks: count, .. } = *input;
    let (messages, chunks) = repeated(shape, count);
    Some(match name {
        "decode" => each(messages, chunks, decode),
        "serde_json" => each(messages, chunks, json::serde_json),
        "serde_json-value" => each(messages, chunks, json::serde_json_value),
        "sonic-rs" => each(messages, chunks, json::sonic_rs),
        "simd-json" => {
            let (mut scratch, mut buffers) = (Vec::new(), simd_json::Buffers::default());
            each(messages, chunks, move |message| json::simd_json(message, &mut scratch, &mut buffers))
        }
        "check-and-copy" => {
            let mut copy = String::new();
            each(messages, chunks, move |message| json::check_and_copy(message, &mut copy))
        }
        "session" => answering(messages, chunks, Answering::receive),
        "session-bytes" => answering(messages, chunks, |session, message| session.receive_bytes(message.as_bytes())),
        "turn" => turns(chunks),
        "turn-serde_json" => each(vec![END.to_owned()], chunks, |end| json::turn("How are you?", end)),
        "connection" => connection(shape, count, READ),
        "connection-small" => connection(shape, count, 0),
        "tungstenite-memory" => tungstenite(shape, count, READ),
        "tungstenite-memory-small" => tungstenite(shape, count, 0),
        "client" => asking(input, client::Connected::new(&input.url, input.ca.as_deref()), client::Connected::events),
        "client-pieces" => {
            asking(input, client::Connected::new(&input.url, input.ca.as_deref()), client::Connected::pieces)
        }
        "tungstenite" => match &input.ca {
            None => asking(input, websocket::plain(&input.url), move |peer, question| peer.ask(question, count)),
            Some(ca) => asking(input, websocket::tls(&input.url, ca), move |peer, question| peer.ask(question, count)),
        },
        "bytes" => {
            let length = frames(shape, count).0.len();
            asking(input, websocket::Bytes::new(&input.url, shape.name()), move |peer, _| {
                peer.ask(length);
                count
            })
        }
        _ => return None,
    })
}

/// As many messages as there are, and as many chunks as go through all of them, at least `chunks` or one time.
fn repeated(shape: Shape, chunks: usize) -> (Vec<String>, usize) {
    let mut messages = shape.messages();
    messages.truncate(chunks);
    let chunks = chunks.next_multiple_of(messages.len());
    (messages, chunks)
}

/// Works on one message after the other.
fn each(messages: Vec<String>, chunks: usize, mut one: impl FnMut(&str) -> usize + 'static) -> Contender {
    let times = chunks / messages.len();
    Contender::here(move || {
        let mut seen = 0;
        let sample = Sample::take(chunks, || {
            for _ in 0..times {
                for message in &messages {
                    seen += one(message);
                }
            }
        });
        assert!(seen > 0, "nothing was decoded");
        sample
    })
}

/// The same by a session whose question is being answered; a fresh one for each batch.
fn answering(
    messages: Vec<String>,
    chunks: usize,
    mut one: impl FnMut(&mut Answering, &str) -> usize + 'static,
) -> Contender {
    let times = chunks / messages.len();
    Contender::here(move || {
        let mut session = Answering::new();
        let mut seen = 0;
        let sample = Sample::take(chunks, || {
            for _ in 0..times {
                for message in &messages {
                    seen += one(&mut session, message);
                }
            }
        });
        assert!(seen > 0, "nothing was received");
        sample
    })
}

/// Questions and ends, without an answer between them.
fn turns(count: usize) -> Contender {
    Contender::here(move || {
        let mut session = Some(Idle::new().ask("hi").end());
        Sample::take(count, || {
            for _ in 0..count {
                session = session.take().map(|session| session.ask("How are you?").end());
            }
        })
    })
}

/// Answers of `chunks` chunks, `count` of them, each by a session of its own, one after the other.
pub fn answers(chunks: usize, count: usize) -> Contender {
    let messages = Shape::Usual.messages();
    Contender::here(move || {
        let mut sessions: Vec<_> = (0..count).map(|_| Answering::new()).collect();
        Sample::take(chunks * count, || {
            for session in &mut sessions {
                for message in messages.iter().cycle().take(chunks) {
                    session.receive(message);
                }
            }
        })
    })
}

/// `count` sessions that receive their chunks in turns, `chunks` in all.
pub fn sessions(count: usize, chunks: usize) -> Contender {
    /// What each has received before: the first bytes of an answer cost more.
    const BEFORE: usize = 32;
    let messages = Shape::Usual.messages();
    Contender::here(move || {
        let mut sessions: Vec<_> = (0..count).map(|_| Answering::new()).collect();
        for session in &mut sessions {
            for message in messages.iter().take(BEFORE) {
                session.receive(message);
            }
        }
        let times = chunks / count;
        Sample::take(times * count, || {
            for message in messages.iter().cycle().take(times) {
                for session in &mut sessions {
                    session.receive(message);
                }
            }
        })
    })
}

/// A short answer of the firehose: its name, and how many chunks it has.
const SHORT: (&str, usize) = ("short", 1000);

/// `count` connections in one thread, each with short answers over a socket of its own, `answers` in all.
pub fn connections(count: usize, answers: usize, url: &str) -> Contender {
    let config = config(None);
    let mut all: Vec<_> = (0..count).map(|_| Host::connect(url, &config)).collect();
    let mut buffer = vec![0; READ];
    let each = answers.div_ceil(count);
    Contender::here(move || {
        let mut pieces = 0;
        let sample = Sample::take(each * count * SHORT.1, || {
            for _ in 0..each {
                for (host, socket) in &mut all {
                    host.ask(SHORT.0);
                    host.send(socket);
                }
                let mut waiting: Vec<usize> = (0..count).collect();
                while !waiting.is_empty() {
                    waiting.retain(|at| {
                        let (host, socket) = &mut all[*at];
                        let seen = host.read(socket, &mut buffer);
                        pieces += seen.pieces;
                        seen.ends == 0
                    });
                }
            }
        });
        assert_eq!(pieces, sample.chunks, "pieces");
        sample
    })
}

/// Chunks as frames, and where each of them ends.
fn frames(shape: Shape, chunks: usize) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for message in answer(shape, chunks) {
        bytes.extend(Firehose::frames([message.as_str()]));
        ends.push(bytes.len());
    }
    (bytes, ends)
}

/// Where the bytes are cut: every `piece` bytes, or by frames when that is 0.
fn cuts(length: usize, ends: Vec<usize>, piece: usize) -> Vec<usize> {
    if piece == 0 {
        return ends;
    }
    (piece..length).step_by(piece).chain([length]).collect()
}

/// Whole answers by a connection in memory.
fn connection(shape: Shape, chunks: usize, piece: usize) -> Contender {
    let (bytes, ends) = frames(shape, chunks);
    let cuts = cuts(bytes.len(), ends, piece);
    let mut host = Host::open();
    Contender::here(move || {
        host.ask("hi");
        host.output();
        let (mut at, mut pieces, mut over) = (0, 0, 0);
        let sample = Sample::take(chunks, || {
            for &cut in &cuts {
                let seen = host.receive(&bytes[at..cut]);
                (pieces, over) = (pieces + seen.pieces, over + seen.ends);
                at = cut;
            }
        });
        assert_eq!((pieces, over), (chunks, 1), "pieces and ends");
        sample
    })
}

/// The same bytes by tungstenite alone.
fn tungstenite(shape: Shape, chunks: usize, piece: usize) -> Contender {
    // A buffer that suits the size of the reads.
    let buffer = if piece == 0 { 4096 } else { websocket::BUFFER };
    let (bytes, ends) = frames(shape, chunks);
    let cuts = cuts(bytes.len(), ends, piece);
    let bytes: Arc<[u8]> = bytes.into();
    Contender::here(move || {
        let mut socket = websocket::InMemory::new(Arc::clone(&bytes), buffer);
        let mut messages = 0;
        let sample = Sample::take(chunks, || {
            for &cut in &cuts {
                messages += socket.receive_until(cut);
            }
        });
        assert_eq!(messages, chunks + 2);
        sample
    })
}

/// Answers of a firehose, whose name is the shape's.
fn asking<P: 'static>(input: &Input, mut peer: P, mut ask: impl FnMut(&mut P, &str) -> usize + 'static) -> Contender {
    let (question, chunks) = (input.shape.name(), input.chunks);
    Contender::here(move || {
        let mut seen = 0;
        let sample = Sample::take(chunks, || seen = ask(&mut peer, question));
        assert_eq!(seen, chunks, "pieces");
        sample
    })
}

/// The answers of a firehose: every shape by its name, and a short one.
pub fn firehose_answers(chunks: usize) -> Vec<(String, Vec<u8>)> {
    let shapes = Shape::ALL.iter().map(|shape| (shape.name(), frames(*shape, shape.count(chunks)).0));
    let short = (SHORT.0, frames(Shape::Usual, SHORT.1).0);
    shapes.chain([short]).map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}
