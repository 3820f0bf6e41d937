use core::time::Duration;
use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tungstenite::protocol::{Role, WebSocket};
use tungstenite::{Error, Message};

use super::{OUTPUT_LIMIT, Peer};
use crate::{Certificate, Generation, Options, Refusal, Tls, World};

const UPGRADE: &str = "GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const AUTH: &str = r#"{"token":"sk-a","id":-1}"#;
const HELLO: &str = r#"{"type":"chat","message":"hi","model":"hello"}"#;

fn peer(options: Options, tls: Option<&Tls>) -> Peer {
    Peer::new(World::new(), Arc::new(options), tls, None).unwrap()
}

/// Takes out everything, a few bytes at a time.
fn taken(peer: &mut Peer) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(bytes) = peer.poll_transmit() {
        let count = bytes.len().min(7);
        all.extend_from_slice(&bytes[..count]);
        peer.transmitted(count);
    }
    all
}

/// A client's side of a peer: bytes move one at a time, time jumps from deadline to deadline.
struct Pipe {
    peer: Peer,
    tls: Option<ClientConnection>,
    now: Duration,
    /// Plaintext that came from the server.
    input: Vec<u8>,
}

impl Pipe {
    fn new(options: Options, tls: Option<&Tls>) -> Self {
        let client = tls.map(|tls| {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(tls.ca_pem().as_bytes()).unwrap()).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let name = ServerName::try_from("localhost").unwrap();
            ClientConnection::new(Arc::new(config), name).unwrap()
        });
        Self { peer: peer(options, tls), tls: client, now: Duration::ZERO, input: Vec::new() }
    }

    /// Moves bytes until nothing moves; says why TLS failed.
    fn exchange(&mut self) -> Result<(), rustls::Error> {
        loop {
            let mut moved = false;
            if let Some(tls) = &mut self.tls {
                let mut bytes = Vec::new();
                while tls.wants_write() {
                    tls.write_tls(&mut bytes).unwrap();
                }
                moved |= !bytes.is_empty();
                for byte in bytes {
                    self.peer.receive(self.now, &[byte]);
                }
            }
            let bytes = taken(&mut self.peer);
            moved |= !bytes.is_empty();
            match &mut self.tls {
                None => self.input.extend(bytes),
                Some(tls) => {
                    let mut rest = bytes.as_slice();
                    while !rest.is_empty() {
                        tls.read_tls(&mut rest).unwrap();
                        let waiting = tls.process_new_packets()?.plaintext_bytes_to_read();
                        let start = self.input.len();
                        self.input.resize(start + waiting, 0);
                        tls.reader().read_exact(&mut self.input[start..]).unwrap();
                    }
                }
            }
            if !moved {
                return Ok(());
            }
        }
    }

    fn upgrade(mut self, early: &[u8]) -> WebSocket<Self> {
        self.write_all(UPGRADE.as_bytes()).unwrap();
        self.write_all(early).unwrap();
        self.exchange().unwrap();
        let end = self.input.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8(self.input.drain(..end).collect()).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        WebSocket::from_raw_socket(self, Role::Client, None)
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.exchange().unwrap();
        while self.input.is_empty() {
            if self.peer.finished() {
                return Ok(0);
            }
            let Some(deadline) = self.peer.next_deadline() else {
                return Err(io::ErrorKind::WouldBlock.into());
            };
            self.now = deadline;
            self.peer.handle_timeout(deadline);
            self.exchange().unwrap();
        }
        let count = self.input.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.input[..count]);
        self.input.drain(..count);
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            Some(tls) => tls.writer().write_all(bytes)?,
            None => bytes.iter().for_each(|byte| self.peer.receive(self.now, &[*byte])),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.exchange().map_err(io::Error::other)
    }
}

/// The texts of an answer, its end included.
fn answer(socket: &mut WebSocket<Pipe>) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        let text = socket.read().unwrap().into_text().unwrap().to_string();
        let end = text.contains("\"end\":true");
        texts.push(text);
        if end {
            return texts;
        }
    }
}

#[test]
fn a_chat_byte_by_byte_plain_and_over_tls() {
    // R0.3 and R2.12.
    let tls = Tls::new(Certificate::Valid).unwrap();
    for generation in Generation::ALL {
        for tls in [None, Some(&tls)] {
            let mut socket = Pipe::new(Options::new(generation), tls).upgrade(b"");
            socket.send(Message::text(AUTH)).unwrap();
            socket.send(Message::text(HELLO)).unwrap();
            let texts = answer(&mut socket);
            let openers = usize::from(generation != Generation::G2023);
            assert_eq!(texts.len(), 7 + 2 * openers);
            assert!(texts[openers].contains("\"message\":\"Hello\""));
            socket.send(Message::binary(HELLO.as_bytes().to_vec())).unwrap();
            assert_eq!(answer(&mut socket).len(), 7 + 2 * openers, "binary is as good as text");
        }
    }
}

#[test]
fn frames_that_come_with_the_request_head_are_not_lost() {
    // A masked text frame with an empty mask.
    let mut early = vec![0x81, 0x80 | u8::try_from(AUTH.len()).unwrap(), 0, 0, 0, 0];
    early.extend_from_slice(AUTH.as_bytes());
    let mut socket = Pipe::new(Options::default(), None).upgrade(&early);
    socket.send(Message::text(HELLO)).unwrap();
    assert!(answer(&mut socket)[0].contains("\"conversation\":1,"));
}

#[test]
fn bad_certificates_are_refused_by_the_client() {
    for (certificate, wanted) in [(Certificate::Expired, "Expired"), (Certificate::WrongName, "NotValidForName")] {
        let tls = Tls::new(certificate).unwrap();
        let mut pipe = Pipe::new(Options::default(), Some(&tls));
        let error = pipe.exchange().unwrap_err();
        assert!(format!("{error:?}").contains(wanted), "{error:?}");
    }
}

#[test]
fn pings_are_answered_but_not_by_a_deaf_server() {
    // R1.9 and R2.38.
    let mut socket = Pipe::new(Options::new(Generation::G2023), None).upgrade(b"");
    socket.send(Message::Ping("x".into())).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Pong("x".into()));
    socket.send(Message::text("{\"token\":5}")).unwrap();
    socket.send(Message::Ping("x".into())).unwrap();
    assert!(matches!(socket.read(), Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock));
    assert!(!socket.get_ref().peer.finished(), "the socket stays open");
}

#[test]
fn only_2023_echoes_a_close_frame() {
    // R7.1.
    for generation in Generation::ALL {
        let mut socket = Pipe::new(Options::new(generation), None).upgrade(b"");
        socket.close(None).unwrap();
        let answer = socket.read();
        if generation == Generation::G2023 {
            assert!(matches!(answer, Ok(Message::Close(_))), "{answer:?}");
        } else {
            assert!(answer.is_err(), "{answer:?}");
        }
        let pipe = socket.get_mut();
        assert!(pipe.peer.finished());
        assert_eq!(pipe.peer.world.stats().drops, 1);
    }
}

#[test]
fn what_was_said_before_a_close_frame_arrives() {
    let mut socket = Pipe::new(Options::default(), None).upgrade(b"");
    // Two masked frames at once: the authentication and the question, then a Close frame.
    let mut bytes = Vec::new();
    for (opcode, text) in [(0x81, AUTH), (0x81, HELLO), (0x88, "")] {
        bytes.extend_from_slice(&[opcode, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0]);
        bytes.extend_from_slice(text.as_bytes());
    }
    let pipe = socket.get_mut();
    pipe.peer.receive(Duration::ZERO, &bytes);
    assert!(socket.read().unwrap().into_text().unwrap().contains("\"conversation\":1,"));
    assert!(socket.read().is_err());
}

#[test]
fn a_dropped_socket_is_finished_once_everything_is_sent() {
    let options = Options::default();
    let mut socket = Pipe::new(options, None).upgrade(b"");
    socket.send(Message::text(AUTH)).unwrap();
    socket.send(Message::text(HELLO.replace("hello", "drop"))).unwrap();
    let mut frames = 0;
    while socket.read().is_ok() {
        frames += 1;
    }
    assert_eq!(frames, 4);
    assert!(socket.get_ref().peer.finished());
}

#[test]
fn the_output_is_bounded_while_the_client_does_not_read() {
    // R2.40.
    let mut socket = Pipe::new(Options::default(), None).upgrade(b"");
    let pipe = socket.get_mut();
    let mut bytes = Vec::new();
    for text in [AUTH, r#"{"message":"hi","model":"long-100000"}"#] {
        bytes.extend_from_slice(&[0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0]);
        bytes.extend_from_slice(text.as_bytes());
    }
    pipe.peer.receive(Duration::ZERO, &bytes);
    for second in 0..10 {
        pipe.peer.handle_timeout(Duration::from_secs(second));
        assert!(pipe.peer.poll_transmit().unwrap().len() < OUTPUT_LIMIT + 1024);
    }
    assert!(pipe.peer.wants_input());
}

#[test]
fn a_broken_client_is_dropped() {
    let mut socket = Pipe::new(Options::default(), None).upgrade(b"");
    let peer = &mut socket.get_mut().peer;
    // A text frame without a mask.
    peer.receive(Duration::ZERO, &[0x81, 1, b'x']);
    assert!(peer.finished());
    let tls = Tls::new(Certificate::Valid).unwrap();
    let mut peer = self::peer(Options::default(), Some(&tls));
    peer.receive(Duration::ZERO, UPGRADE.as_bytes());
    let alert = taken(&mut peer);
    assert_eq!(alert.first(), Some(&21), "an alert");
    assert!(peer.finished());
}

#[test]
fn an_end_of_stream_finishes_at_once_and_the_answer_is_stored_later() {
    let mut socket = Pipe::new(Options::default(), None).upgrade(b"");
    socket.send(Message::text(AUTH)).unwrap();
    socket.send(Message::text(HELLO)).unwrap();
    let peer = &mut socket.get_mut().peer;
    peer.handle_eof(Duration::from_millis(40));
    assert!(peer.finished());
    assert_eq!(peer.poll_transmit(), None);
    assert_eq!(peer.world.stats().answers, 0);
    while let Some(deadline) = peer.next_deadline() {
        peer.handle_timeout(deadline);
        assert_eq!(peer.poll_transmit(), None);
    }
    assert_eq!(peer.world.stats().answers, 1);
}

#[test]
fn throttling_is_an_http_200_in_one_segment_or_two() {
    // R6.1 and R6.3.
    let body = "{\"error\":\"request_throttled\",\"reason\":\"You have sent too many requests. Please try again later.\",\"status\":false}";
    for two_segments in [false, true] {
        let options = Options { two_segments, throttle: Some(0), ..Options::default() };
        let mut peer = Peer::new(World::new(), Arc::new(options), None, Some([127, 0, 0, 1].into())).unwrap();
        UPGRADE.bytes().for_each(|byte| peer.receive(Duration::ZERO, &[byte]));
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 112\r\n\r\n";
        let first = String::from_utf8(taken(&mut peer)).unwrap();
        if two_segments {
            assert_eq!(first, head);
            let due = peer.next_deadline().unwrap();
            peer.handle_timeout(due);
            assert_eq!(String::from_utf8(taken(&mut peer)).unwrap(), body);
        } else {
            assert_eq!(first, format!("{head}{body}"));
        }
        assert!(!peer.finished(), "a real server leaves the connection open");
        peer.handle_timeout(peer.next_deadline().unwrap());
        assert!(peer.finished());
        assert_eq!((peer.world.stats().refused, peer.world.stats().upgrades), (1, 0));
    }
    let old = Options { throttle: Some(0), ..Options::new(Generation::G2023) };
    let mut peer = Peer::new(World::new(), Arc::new(old), None, Some([127, 0, 0, 1].into())).unwrap();
    peer.receive(Duration::ZERO, UPGRADE.as_bytes());
    let answer = String::from_utf8(taken(&mut peer)).unwrap();
    let body = "{\"reason\":\"You have sent too many requests. Please try again later.\",\"status\":false}";
    assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer} (R6.2)");
}

#[test]
fn wrong_paths_and_wished_for_refusals() {
    let busy = Refusal { status: 503, body: "busy".to_owned() };
    for (path, refusal, wanted) in [
        ("/nope", None, "HTTP/1.1 404 Not Found\r\n"),
        ("/chat", Some(busy), "HTTP/1.1 503 Service Unavailable\r\n"),
        ("/api/chat", None, "HTTP/1.1 404 Not Found\r\n"),
    ] {
        let mut peer = peer(Options { refusal, ..Options::default() }, None);
        peer.receive(Duration::ZERO, UPGRADE.replace("/chat", path).as_bytes());
        let answer = String::from_utf8(taken(&mut peer)).unwrap();
        assert!(answer.starts_with(wanted), "{answer}");
    }
}

#[test]
fn a_companion_call_is_answered_whole_and_ends_the_connection() {
    let mut peer = peer(Options::default(), None);
    let body = r#"{"id":1,"name":"x"}"#;
    let request = format!(
        "POST /api/conversation/rename HTTP/1.1\r\nAuthorization: Bearer sk-a\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for byte in request.as_bytes() {
        assert!(!peer.finished());
        peer.receive(Duration::ZERO, &[*byte]);
    }
    let answer = String::from_utf8(taken(&mut peer)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(r#"{"message":"conversation not found","status":false}"#), "{answer}");
    assert!(peer.finished());
    assert_eq!(peer.next_deadline(), None);
}
