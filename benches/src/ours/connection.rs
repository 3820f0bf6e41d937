//! The byte level.

use std::hint::black_box;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use chatnio::{
    Auth, Connection, ConnectionConfig, ConnectionEvent, Endpoint, Event, EventStorage, Request, TlsOptions, Trust,
};
use tungstenite::handshake::derive_accept_key;

/// The time does not pass: reading a clock is the host's.
const NOW: Duration = Duration::from_secs(1);

/// The settings; with TLS, those that trust this certificate alone.
pub fn config(ca: Option<&str>) -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    if let Some(pem) = ca {
        let options = TlsOptions::new().trust(Trust::GivenOnly).roots_pem(pem.as_bytes());
        config.tls = options.and_then(TlsOptions::build).expect("a good certificate");
    }
    config
}

/// A connection, and what its host would do around it.
pub struct Host(Connection, EventStorage);

impl Host {
    /// One that was never connected.
    pub fn new(url: &str, config: &ConnectionConfig) -> Self {
        let endpoint = Endpoint::parse(url).expect("a good URL");
        Host(Connection::new(&endpoint, Auth::anonymous(), config, NOW).expect("a connection"), EventStorage::new())
    }

    /// One that is open, by a handshake in memory.
    pub fn open() -> Self {
        let mut host = Self::new("ws://127.0.0.1/chat", &config(None));
        let request = String::from_utf8(host.output()).expect("a request in ASCII");
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("its key");
        let accept = derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        host.receive(answer.as_bytes());
        assert!(host.0.is_open(), "the handshake failed");
        host
    }

    /// One that is open, over a socket.
    pub fn connect(url: &str, config: &ConnectionConfig) -> (Self, TcpStream) {
        let mut host = Self::new(url, config);
        let endpoint = Endpoint::parse(url).expect("a good URL");
        let mut socket = TcpStream::connect(("127.0.0.1", endpoint.port())).expect("a server");
        socket.set_nodelay(true).expect("a TCP socket");
        let mut buffer = vec![0; 16 * 1024];
        while !host.0.is_open() {
            host.send(&mut socket);
            host.read(&mut socket, &mut buffer);
        }
        host.send(&mut socket);
        (host, socket)
    }

    /// Asks.
    pub fn ask(&mut self, question: &str) {
        self.0.request(NOW, &Request::chat(question)).expect("an idle connection");
    }

    /// Takes the bytes that are to be sent.
    pub fn output(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(bytes) = self.0.poll_transmit() {
            all.extend_from_slice(bytes);
            let length = bytes.len();
            self.0.transmitted(length);
        }
        all
    }

    /// Sends them.
    pub fn send(&mut self, socket: &mut TcpStream) {
        while let Some(bytes) = self.0.poll_transmit() {
            match socket.write(bytes) {
                Ok(count) => self.0.transmitted(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Takes bytes; what came of them.
    #[inline]
    pub fn receive(&mut self, bytes: &[u8]) -> Seen {
        self.0.receive(NOW, black_box(bytes)).expect("the events are taken");
        let mut seen = Seen::default();
        while let Some(event) = self.0.poll_event(NOW, &mut self.1) {
            match event {
                ConnectionEvent::Session(Event::Delta { text, .. }) => {
                    black_box(text);
                    seen.pieces += 1;
                }
                ConnectionEvent::Session(Event::End(_)) => seen.ends += 1,
                ConnectionEvent::Closed(end) => panic!("{end}"),
                _ => {}
            }
        }
        seen
    }

    /// Reads once and takes that; nothing when there is nothing to be read.
    pub fn read(&mut self, socket: &mut TcpStream, buffer: &mut [u8]) -> Seen {
        match socket.read(buffer) {
            Ok(0) => panic!("the server has gone"),
            Ok(count) => self.receive(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Seen::default(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// What a connection has handed out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Pieces of text.
    pub pieces: usize,
    /// Ends of answers.
    pub ends: usize,
}
