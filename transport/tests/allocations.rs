//! A chunk costs no allocation, from the socket to the host; and what a server announces costs nothing before it comes.

use std::alloc::System;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use chatnio::{Auth, Client, Connection, ConnectionConfig, ConnectionEvent, Endpoint, Event, EventStorage, Request};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tungstenite::handshake::derive_accept_key;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PIECES: usize = 20_000;

/// A WebSocket frame of a server: a piece, escaped so that its text needs room of its own.
fn frame() -> Vec<u8> {
    let text =
        "{\"conversation\":0,\"quota\":0.1,\"keyword\":\"\",\"message\":\"a\\n\",\"end\":false,\"plan\":false}\n";
    [&[0x81, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

/// The answer to a handshake's request.
fn accept(request: &[u8]) -> Vec<u8> {
    let request = std::str::from_utf8(request).unwrap();
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let accept = derive_accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .into_bytes()
}

fn settings() -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.session.keep_text = false;
    config
}

/// A connection whose WebSocket is open, and what its events need.
fn opened(now: Duration) -> (Connection, EventStorage) {
    let endpoint = Endpoint::parse("ws://localhost").unwrap();
    let mut connection = Connection::new(&endpoint, Auth::anonymous(), &settings(), now).unwrap();
    let mut storage = EventStorage::new();
    let request = connection.poll_transmit().unwrap().to_vec();
    connection.transmitted(request.len());
    connection.receive(now, &accept(&request)).unwrap();
    assert!(matches!(connection.poll_event(now, &mut storage), Some(ConnectionEvent::Open)));
    connection.request(now, &Request::chat("hi")).unwrap();
    (connection, storage)
}

fn of_a_connection() -> usize {
    let now = Duration::from_secs(1);
    let (mut connection, mut storage) = opened(now);
    let input = frame().repeat(100);
    let mut take = |rounds| {
        for _ in 0..rounds {
            connection.receive(now, &input).unwrap();
            let mut pieces = 0;
            while let Some(event) = connection.poll_event(now, &mut storage) {
                assert!(matches!(event, ConnectionEvent::Session(Event::Delta { text: "a\n", .. })));
                pieces += 1;
            }
            assert_eq!(pieces, 100);
        }
    };
    take(2);
    let region = Region::new(ALLOCATOR);
    take(PIECES / 100);
    let stats = region.change();
    stats.allocations + stats.reallocations
}

/// Answers one question with frames that were made before, and allocates nothing meanwhile.
fn serve(mut socket: TcpStream, frames: &[u8]) {
    let mut buffer = [0; 4096];
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let n = socket.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..n]);
    }
    socket.write_all(&accept(&request)).unwrap();
    // The question: whatever its frames are, one of them comes in.
    assert!(socket.read(&mut buffer).unwrap() > 0);
    socket.write_all(frames).unwrap();
    while socket.read(&mut buffer).is_ok_and(|n| n > 0) {}
}

fn of_a_clients_pieces() -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let end = "{\"message\":\"\",\"end\":true,\"quota\":1}";
    let end = [&[0x81, u8::try_from(end.len()).unwrap()], end.as_bytes()].concat();
    let frames = [frame().repeat(PIECES), end].concat();
    let server = thread::spawn(move || serve(listener.accept().unwrap().0, &frames));

    let mut client = Client::connect(&url, Auth::anonymous(), &settings()).unwrap();
    let mut pieces = client.ask(&Request::chat("hi")).unwrap();
    for _ in 0..PIECES / 2 {
        assert_eq!(pieces.next_piece().unwrap(), Some("a\n"));
    }
    let region = Region::new(ALLOCATOR);
    for _ in 0..PIECES / 4 {
        assert_eq!(pieces.next_piece().unwrap(), Some("a\n"));
    }
    let stats = region.change();
    drop(pieces);
    drop(client);
    server.join().unwrap();
    stats.allocations + stats.reallocations
}

/// How a server announces a text of so many bytes, in one WebSocket frame or as the first of several, and 1,000 of them.
fn announced(first: u8, len: u64) -> Vec<u8> {
    [&[first, 127][..], &len.to_be_bytes(), &[b'x'; 1000]].concat()
}

/// How many bytes are allocated, at the most, for what a server has announced and not sent.
fn of_what_is_announced() -> usize {
    let now = Duration::from_secs(1);
    let limit = chatnio::Config::default().max_message as u64;
    let held = |first, len| {
        let (mut connection, mut storage) = opened(now);
        let region = Region::new(ALLOCATOR);
        connection.receive(now, &announced(first, len)).unwrap();
        while connection.poll_event(now, &mut storage).is_some() {}
        region.change().bytes_allocated
    };
    [(0x81, limit), (0x01, limit), (0x81, limit + 1), (0x81, 100_000_000), (0x01, 1 << 62)]
        .into_iter()
        .map(|(first, len)| held(first, len))
        .max()
        .unwrap()
}

/// The least of some runs: the test's own runner may allocate meanwhile, on another thread.
fn least(run: fn() -> usize) -> usize {
    (0..5).map(|_| run()).min().unwrap()
}

// One test, because the counter is the process's.
#[test]
fn a_piece_allocates_nothing_and_an_announcement_little() {
    assert!(least(of_what_is_announced) < 100_000);
    assert_eq!(least(of_a_connection), 0);
    // How much a read brings is the system's affair: a larger one than those before makes the buffers grow, once.
    assert!(least(of_a_clients_pieces) < 20);
}
