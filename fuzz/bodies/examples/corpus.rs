//! `corpus seeds|unpack|pack TARGET FOLDER`, for `make fuzz` and `make fuzz-corpus`: writes the seeds of a target, or the
//! inputs of its committed corpus, as files into a folder; or commits the files of a folder.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use chatnio::transcript::{EntryKind, Transcript};
use chatnio_fuzz::{Seed, corpus, rest};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [command, target, folder] = &*arguments else {
        return Err("usage: corpus seeds|unpack|pack TARGET FOLDER".into());
    };
    let committed = root().join("fuzz/corpus").join(format!("{target}.txt"));
    match &**command {
        "seeds" => put(folder, &seeds(target)?),
        "unpack" if !committed.exists() => Ok(()),
        "unpack" => put(folder, &corpus::read(&fs::read_to_string(committed)?)?),
        "pack" => {
            let mut inputs = Vec::new();
            for file in fs::read_dir(folder)? {
                inputs.push(fs::read(file?.path())?);
            }
            // The order is that of nothing but the inputs.
            inputs.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
            fs::write(committed, corpus::write(inputs.iter().map(|input| &**input)))?;
            let path = root().join("fuzz/corpus/counts.tsv");
            let mut counts = corpus::read_counts(&fs::read_to_string(&path)?)?;
            counts.insert(target.clone(), inputs.len());
            Ok(fs::write(path, corpus::write_counts(&counts))?)
        }
        _ => Err("no such command".into()),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Writes files that are named by what they hold: what is there already is there once.
fn put(folder: &str, inputs: &[Vec<u8>]) -> Result<(), Box<dyn Error>> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    fs::create_dir_all(folder)?;
    for input in inputs {
        let mut hasher = DefaultHasher::new();
        input.hash(&mut hasher);
        fs::write(Path::new(folder).join(format!("{:016x}", hasher.finish())), input)?;
    }
    Ok(())
}

/// What was recorded, as inputs of a target.
fn seeds(target: &str) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let transcripts = transcripts()?;
    let bytes = |text: &String| text.clone().into_bytes();
    Ok(match target {
        "capi" => calls(&transcripts),
        "connection" => connections(&transcripts),
        "refusal" => refusals(),
        "frame" => received(&transcripts).iter().map(bytes).collect(),
        "transcript" => {
            let timed =
                "WEBSOCKET ws://h/chat\n\n> SEND {\"a\":1} // +0.000 s\n< RECV {} // +1.034 s\n! CLOSED // +12.340 s\n";
            let messages = received(&transcripts).join("\u{1e}");
            transcripts.iter().map(bytes).chain([timed.into(), messages.into()]).collect()
        }
        "request" => requests(),
        "rest" => answers()?,
        "session" => sessions(&transcripts),
        "tls" => damages(),
        _ => return Err("no such target".into()),
    })
}

fn transcripts() -> Result<Vec<String>, Box<dyn Error>> {
    let mut texts = Vec::new();
    for folder in ["2023-11", "2024-03", "2026-03", "made"] {
        for file in fs::read_dir(root().join("transcripts").join(folder))? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                texts.push(fs::read_to_string(path)?);
            }
        }
    }
    texts.sort();
    Ok(texts)
}

/// Every message that a server has sent.
fn received(transcripts: &[String]) -> Vec<String> {
    let entries = transcripts.iter().filter_map(|text| Transcript::parse(text).ok()).flat_map(|read| read.entries);
    let mut messages: Vec<_> = entries
        .filter_map(|entry| match entry.kind {
            EntryKind::Receive(message) => Some(message),
            _ => None,
        })
        .collect();
    messages.sort();
    messages.dedup();
    messages
}

/// A request of each kind, with every parameter.
fn requests() -> Vec<Vec<u8>> {
    let token = || Seed::new().bytes(b"sk-token").put(&[0]);
    let mask = br#"[{"role":"system","content":"be brief"}]"#;
    let bodies = [
        Seed::new().put(&[0]).bytes("hi \u{1f600}\n\"".as_bytes()),
        Seed::new().put(&[1]),
        Seed::new().put(&[2]).bytes(b"hash"),
        Seed::new().put(&[3, 2, 1]).bytes(b"a").put(&[2]).bytes(b"b"),
        Seed::new().put(&[4, 0, 7]).bytes(b"text"),
        Seed::new().put(&[5, 0, 7]),
        Seed::new().put(&[6]).bytes(mask),
    ];
    let parameters = Seed::new()
        .put(&[0])
        .bytes(b"gpt-4")
        .put(&[1, 2, 3, 4])
        .put(&[5, 0, 0, 0, 0, 0, 0, 0, 9])
        .put(&[6, 0, 0, 0, 0, 0, 0, 1, 0])
        .put(&[7, 255, 255, 255, 255, 255, 255, 255, 255])
        .put(&[8, 0, 0x3f, 0, 0, 0])
        .put(&[9, 1, 0x3d, 0xcc, 0xcc, 0xcd])
        .put(&[10])
        .bytes(b"think")
        .bytes(b"true")
        .put(&[11])
        .bytes(b"web_search_mode")
        .bytes(br#" {"a":["b",-1.50e3,null]} "#)
        .finish();
    let mut seeds: Vec<_> = bodies.iter().map(|body| token().put(&body.clone().finish()).finish()).collect();
    seeds.extend(bodies.into_iter().map(|body| token().put(&body.finish()).put(&parameters).finish()));
    seeds.push(Seed::new().bytes(b"anonymous").put(&[3, 0, 0, 0, 0, 0, 0, 0, 29]).bytes(b"hash").put(&[1]).finish());
    seeds
}

/// Each transcript as operations of a host and its server.
fn sessions(transcripts: &[String]) -> Vec<Vec<u8>> {
    // Deadlines of a second; then with limits, and with a recording.
    let times = [100, 100, 100, 0, 50, 25];
    let settings =
        [Seed::new().put(&[2]).put(&times).put(&[10, 50]), Seed::new().put(&[0x70]).put(&times).put(&[200; 4])];
    let mut seeds = Vec::new();
    for text in transcripts {
        let Ok(transcript) = Transcript::parse(text) else { continue };
        for settings in &settings {
            let mut seed = settings.clone().put(&[0, 0, 1]);
            for entry in &transcript.entries {
                let is = |kind: &str| matches!(&entry.kind, EntryKind::Send(message) if message.contains(kind));
                seed = match &entry.kind {
                    EntryKind::Receive(message) => seed.put(&[12]).bytes(message.as_bytes()),
                    EntryKind::Send(_) if is("\"stop\"") => seed.put(&[5]),
                    EntryKind::Send(_) if is("\"restart\"") => seed.put(&[3]),
                    EntryKind::Send(_) if is("\"chat\"") => seed.put(&[0]).bytes(b"hi"),
                    EntryKind::Send(_) => seed.put(&[4, 1, 0]).bytes(b"text"),
                    _ => seed.put(&[18, 1, 19]),
                };
            }
            // Time goes by, forth and back, and the host is lazy for a while.
            seed = seed.put(&[14, 2, 0]).put(&[16, 1, 0]).put(&[17, 0]).bytes(b"again").put(&[15, 8, 0]).put(&[17]);
            seeds.push(seed.finish());
        }
    }
    seeds
}

/// Each transcript as calls of a C program: parsed and replayed, through a session, and through a connection.
fn calls(transcripts: &[String]) -> Vec<Vec<u8>> {
    let settings =
        Seed::new().put(&[0, 9, 0, 3, 100, 14, 3, 9, 16]).put(&[1]).bytes(b"sk-0123456789").bytes(b"").put(&[0]);
    let question = settings.put(&[2, 1, 0]).bytes(b"hi").put(&[5]).bytes(b"gpt-4").put(&[12, 0]);
    let mut seeds = Vec::new();
    for text in transcripts {
        let steps = vec![[35, 1]; text.lines().count().min(20)].concat();
        seeds.push(question.clone().put(&[3, 33]).bytes(text.as_bytes()).put(&steps).put(&[34, 37]).finish());
        let (mut session, mut connection) = (question.clone().put(&[3, 5]), question.clone().put(&[4, 0, 20, 27]));
        for message in received(std::slice::from_ref(text)).iter().take(12) {
            session = session.put(&[9]).bytes(message.as_bytes()).put(&[0]);
            connection = connection.put(&[22]).bytes(&text_frame(message)).put(&[1]);
        }
        seeds.push(session.put(&[8, 17, 4, 0, 0, 14, 0, 16, 34, 39, 37]).finish());
        seeds.push(connection.put(&[21, 17, 4, 0, 0, 28, 17, 20, 0, 0, 31, 29, 38]).finish());
    }
    for (call, line) in [
        (1, &br#"{"data":[{"id":5,"name":"a"}],"status":true}"#[..]),
        (6, br#"{"quota":1.5}"#),
        (12, br#"[{"models":["a"],"type":"x"}]"#),
    ] {
        seeds.push(question.clone().put(&[36, call]).bytes(b"text").bytes(line).put(&[1, 0]).finish());
    }
    seeds
}

/// A text message of a server as a frame, without a mask.
fn text_frame(text: &str) -> Vec<u8> {
    let len = text.len().min(u16::MAX.into());
    let head = match u8::try_from(len) {
        Ok(len @ ..126) => vec![0x81, len],
        _ => [&[0x81, 126][..], &u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes()].concat(),
    };
    [&head, &text.as_bytes()[..len]].concat()
}

/// What servers have sent, as frames, and the ways through proxies before them.
fn connections(transcripts: &[String]) -> Vec<Vec<u8>> {
    const SIZES: &[u8] = &[0, 6, 1, 200];
    let frames = |text: &String| {
        let received = received(std::slice::from_ref(text));
        received.iter().flat_map(|message| text_frame(message)).collect::<Vec<u8>>()
    };
    let mut seeds: Vec<_> =
        transcripts.iter().map(|text| Seed::new().put(&[4, 5]).bytes(SIZES).put(&frames(text)).finish()).collect();
    let odd: [&[u8]; 10] = [
        b"\x01\x01{\x81\x02{}\x80\x01}",
        b"\x89\x02hi\x8a\x00\x88\x05\x03\xe8bye",
        b"\x01\x01{\x89\x00\x80\x01}",
        b"\x82\x02{}",
        b"\x81\x02\xc3\x28",
        b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x81\x82abcd{}",
        b"\xc1\x00",
        b"\x88\x02\x03\xed",
        b"\x83\x00",
    ];
    seeds.extend(odd.iter().map(|bytes| Seed::new().put(&[4, 13]).bytes(SIZES).put(bytes).finish()));
    let heads: [&[u8]; 3] = [
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 x\r\nupgrade: websocket\r\nconnection: a, upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n\x81\x02{}",
        b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: x\r\n\r\n",
        b"HTTP/1.0 200 OK\nRetry-After: 5\nContent-Length: 2\n\n{}",
    ];
    seeds.extend(heads.iter().map(|bytes| Seed::new().put(&[4, 9]).bytes(SIZES).put(bytes).finish()));
    let proxies: [(u8, &[u8]); 8] = [
        (0, b"HTTP/1.1 200 OK\r\n\r\n"),
        (1, b"HTTP/1.1 100 x\r\n\r\nHTTP/1.0 200 OK\r\nVia: x\r\n\r\n"),
        (0, b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\r\n"),
        (0, b"HTTP/1.1 503 x\r\n\r\n"),
        (2, b"\x05\x00\x05\x00\x00\x01abcdpp"),
        (3, b"\x05\x02\x01\x00\x05\x00\x00\x03\x02hipp"),
        (3, b"\x05\xff"),
        (2, b"\x05\x00\x05\x05"),
    ];
    seeds.extend(proxies.iter().map(|(proxy, bytes)| {
        Seed::new().put(&[*proxy, 13]).bytes(SIZES).bytes(bytes).put(&text_frame("{\"end\":true}")).finish()
    }));
    seeds
}

/// What servers and gateways answer in place of a WebSocket.
fn refusals() -> Vec<Vec<u8>> {
    let seed = |status: u8| Seed::new().bytes(&[0, 20, 5]).put(&[status, 0]);
    vec![
        seed(0)
            .put(&[0, 0])
            .put(br#"{"status":false,"error":"request_throttled","reason":"too many: {json}"}"#)
            .finish(),
        seed(0).put(&[1, 0]).bytes(b"text/html").put(&[1]).bytes(b"<!doctype html>").bytes(b"{query}").finish(),
        seed(1).put(&[1, 1]).bytes(b"https://elsewhere/{query}").put(&[0]).finish(),
        seed(2).put(&[2, 4]).bytes(b"Basic realm=\"a\"").put(&[4]).bytes(b"Bearer").put(&[0]).put(b"{value}").finish(),
        seed(7).put(&[1, 2]).bytes(b"120").put(&[0]).finish(),
        seed(9)
            .put(&[2, 2])
            .bytes(b"Sun, 06 Nov 1994 08:49:37 GMT")
            .put(&[3])
            .bytes(b"Sun, 06 Nov 1994 08:49:07 GMT")
            .put(&[2])
            .put(b"<html>{raw}")
            .finish(),
        seed(8).put(&[1, 5]).bytes(b"5").put(&[0]).put(b"hello, world").finish(),
        seed(12).put(&[2, 8]).bytes(b"websocket").put(&[7]).bytes(b"Upgrade").put(&[0]).finish(),
        seed(99).put(&[0, 0]).put(b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n").finish(),
        seed(13).put(&[0, 0]).finish(),
    ]
}

/// What may happen to the bytes of a server over TLS: its hello, its certificate, its frames.
fn damages() -> Vec<Vec<u8>> {
    let alert: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
    let plain: &[u8] = &[23, 3, 3, 0, 5, 1, 2, 3, 4, 5];
    let changes_cipher: &[u8] = &[20, 3, 3, 0, 1, 1];
    let mut seeds = vec![Seed::new().put(&[0]).bytes(&[]).finish()];
    for (at, is_later) in [(0_u16, 0), (3, 0), (5, 0), (60, 0), (130, 0), (700, 0), (1000, 0), (0, 1), (2, 1), (40, 1)]
    {
        let seed = Seed::new().put(&[is_later]).bytes(&[0, 30]).put(&at.to_be_bytes());
        seeds.push(seed.clone().put(&[1, 0x10]).finish());
        seeds.extend([alert, plain, changes_cipher].map(|bytes| seed.clone().put(&[2]).bytes(bytes).finish()));
        seeds.push(seed.clone().put(&[3, 20]).finish());
        seeds.push(seed.put(&[4]).finish());
    }
    seeds
}

/// Every answer of rest/answers.txt, to its call.
fn answers() -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut seeds = Vec::new();
    let mut call = 0;
    for line in fs::read_to_string(root().join("rest/answers.txt"))?.lines() {
        if let Some(rest) = line.strip_prefix("CALL ") {
            let name = rest.split(' ').next().unwrap_or_default();
            call = rest::number(name).ok_or_else(|| format!("rest::number does not know the call {name}"))?;
        } else if let Some((status, body)) = line.strip_prefix("< ").and_then(|answer| answer.split_once(' ')) {
            seeds.push(
                Seed::new().put(&[call]).put(&status.parse::<u16>()?.to_be_bytes()).put(body.as_bytes()).finish(),
            );
        }
    }
    Ok(seeds)
}
