use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

use super::Server;
use crate::{Certificate, Fault, Generation, Options};

/// Long enough for any machine; only a hanging server makes a test wait for it.
const PATIENCE: Duration = Duration::from_secs(60);

const AUTH: &str = r#"{"token":"sk-a","id":-1}"#;

fn connect(server: &Server) -> WebSocket<MaybeTlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.addr()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let stream = MaybeTlsStream::Plain(stream);
    tungstenite::client(server.url(), stream).unwrap().0
}

/// Asks and counts the frames of the answer.
fn ask(socket: &mut WebSocket<MaybeTlsStream<TcpStream>>, model: &str) -> usize {
    let text = format!(r#"{{"message":"hi","model":"{model}"}}"#);
    socket.send(Message::text(text)).unwrap();
    for frames in 1.. {
        if socket.read().unwrap().into_text().unwrap().contains("\"end\":true") {
            return frames;
        }
    }
    unreachable!()
}

#[test]
fn several_clients_are_served_at_once() {
    for generation in Generation::ALL {
        let options = Options { pace: 0.0, ..Options::new(generation) };
        let mut server = Server::start(options).unwrap();
        let (mut one, mut two) = (connect(&server), connect(&server));
        one.send(Message::text(AUTH)).unwrap();
        two.send(Message::text(AUTH)).unwrap();
        let hello = if generation == Generation::G2023 { 7 } else { 9 };
        assert_eq!((ask(&mut one, "hello"), ask(&mut two, "hello")), (hello, hello));
        // Of so many pieces 2023 loses some (protocol.md, R3.23).
        let pieces = if generation == Generation::G2023 { 19_980 } else { 20_000 };
        assert!(ask(&mut one, "long-20000") > pieces);
        let stats = server.stats();
        assert_eq!((stats.connections, stats.upgrades, stats.answers), (2, 2, 3));
        server.stop();
    }
}

#[test]
fn stopping_the_server_ends_waiting_and_busy_connections() {
    let mut server = Server::start(Options::default()).unwrap();
    let mut idle = connect(&server);
    let mut silent = connect(&server);
    silent.send(Message::text(AUTH)).unwrap();
    silent.send(Message::text(r#"{"message":"hi","model":"silent"}"#)).unwrap();
    silent.read().unwrap();
    // Nobody reads this one's answer, so its thread is busy with a full socket.
    let mut full = connect(&server);
    full.send(Message::text(AUTH)).unwrap();
    full.send(Message::text(r#"{"message":"hi","model":"long-1000000"}"#)).unwrap();
    full.read().unwrap();
    // A request that never ends, and one that never begins.
    let mut slow = TcpStream::connect(server.addr()).unwrap();
    slow.write_all(b"GET /chat").unwrap();
    let _quiet = TcpStream::connect(server.addr()).unwrap();
    server.stop();
    server.stop();
    assert!(idle.read().is_err());
    assert!(silent.read().is_err());
    assert!(TcpStream::connect(server.addr()).is_err(), "nobody listens any more");
}

#[test]
fn throttled_connections_are_refused() {
    let server = Server::start(Options { throttle: Some(0), ..Options::default() }).unwrap();
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /chat HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\"status\":false}") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!(server.stats().refused, 1);
}

#[test]
fn the_answer_of_a_lost_client_is_stored() {
    let server = Server::start(Options::default()).unwrap();
    let mut client = connect(&server);
    client.send(Message::text(AUTH)).unwrap();
    client.send(Message::text(r#"{"message":"hi","model":"slow"}"#)).unwrap();
    client.read().unwrap();
    client.read().unwrap();
    drop(client);
    let start = Instant::now();
    while server.stats().answers == 0 {
        assert!(start.elapsed() < PATIENCE, "never stored");
        std::thread::yield_now();
    }
    let messages = server.world().messages("sk-a", 1).unwrap();
    assert!(messages[1].content.starts_with("one "));
}

#[test]
fn a_server_with_a_web_page_names_its_chat() {
    let server = Server::start(Options { faults: vec![Fault::WebPage], ..Options::default() }).unwrap();
    assert_eq!(server.url(), format!("ws://{}/api/chat", server.addr()));
    let mut client = connect(&server);
    client.send(Message::text(AUTH)).unwrap();
    assert!(ask(&mut client, "anon") > 3);
}

#[test]
fn a_tls_server_names_its_url_and_ca() {
    let options = Options { tls: Some(Certificate::Valid), ..Options::default() };
    let server = Server::start(options).unwrap();
    assert!(server.url().starts_with("wss://localhost:"));
    assert!(server.ca_pem().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    let plain = Server::start(Options::default()).unwrap();
    assert_eq!(plain.ca_pem(), None);
    assert_eq!(plain.url(), format!("ws://{}/chat", plain.addr()));
}

#[test]
fn a_taken_port_is_an_error() {
    let server = Server::start(Options::default()).unwrap();
    assert!(Server::start(Options { port: server.addr().port(), ..Options::default() }).is_err());
}
