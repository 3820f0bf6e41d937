//! A connection's bytes: what a proxy, a handshake and frames bring is the same however the bytes are split.

use std::io::ErrorKind;
use std::time::Duration;

use chatnio::{
    Auth, Connection, ConnectionConfig, ConnectionEnd, ConnectionEvent, Endpoint, EventStorage, Proxy, Request,
};
use tungstenite::handshake::derive_accept_key;

use crate::input::Input;

/// How long an input is to be for every byte to come by itself.
const SLOW: usize = 1000;

/// Settings; the sizes of the pieces; the proxy's bytes; and all that is left, the server's.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (proxy, flags) = (input.byte(), input.byte());
    let sizes: Vec<usize> = input.bytes().iter().map(|size| usize::from(*size) + 1).collect();
    let script = Script {
        url: "ws://localhost/chat",
        proxy: match proxy % 5 {
            0 => Some("http://proxy.example"),
            1 => Some("http://me:word@proxy.example"),
            2 => Some("socks5h://proxy.example"),
            3 => Some("socks5h://me:word@proxy.example"),
            _ => None,
        },
        asks: flags & 1 != 0,
        max_message: if flags & 2 != 0 { 100 } else { 1 << 20 },
        from_proxy: if proxy % 5 < 4 { input.bytes() } else { &[] },
        greets: flags & 4 != 0,
        from_server: input.rest(),
        ending: match flags >> 3 & 3 {
            0 => Ending::Silence,
            1 => Ending::Eof,
            2 => Ending::Error,
            _ => Ending::Close,
        },
    };
    script.play_split(&sizes);
}

/// What stands for the handshake's answer, and where.
const ACCEPT: &str = "{accept}";
const PLACE: &[u8] = b"ccept: {accept}";

const HEADS_END: &[u8] = b"\r\n\r\n";

/// What the other side does, and what the host asks.
pub(crate) struct Script<'a> {
    pub(crate) url: &'static str,
    pub(crate) proxy: Option<&'static str>,
    /// Whether a question is asked.
    pub(crate) asks: bool,
    pub(crate) max_message: usize,
    pub(crate) from_proxy: &'a [u8],
    /// Whether a right answer to the handshake goes before the server's bytes.
    pub(crate) greets: bool,
    /// In these `Sec-WebSocket-Accept: {accept}` stands for what the handshake wants.
    pub(crate) from_server: &'a [u8],
    pub(crate) ending: Ending,
}

/// What comes behind the bytes.
#[derive(Clone, Copy)]
pub(crate) enum Ending {
    Silence,
    Eof,
    Error,
    /// The host closes.
    Close,
}

impl Script<'_> {
    /// Plays it as a whole, in pieces of these sizes over and over, and byte by byte; gives how it ended.
    pub(crate) fn play_split(&self, sizes: &[usize]) -> Option<ConnectionEnd> {
        let (told, end) = self.play(&[usize::MAX]);
        if !sizes.is_empty() {
            assert_eq!(told, self.play(sizes).0, "the whole, and in pieces of {sizes:?}");
        }
        if self.from_proxy.len() + self.from_server.len() < SLOW {
            assert_eq!(told, self.play(&[1]).0, "the whole, and byte by byte");
        }
        end
    }

    /// What a host is told, in words, and how it ended.
    fn play(&self, sizes: &[usize]) -> (Vec<String>, Option<ConnectionEnd>) {
        let mut host = Host::new(self);
        let mut sizes = sizes.iter().copied().cycle();
        host.receive_all(self.from_proxy, &mut sizes);
        // A server has seen the request before it answers; without one these bytes are the proxy's, too.
        let mut bytes = Vec::new();
        if self.greets {
            bytes.extend_from_slice(
                b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
            );
        }
        bytes.extend_from_slice(self.from_server);
        // In the head alone: anything else that is random would be told.
        let accept = host.accept();
        if let Some(at) = bytes.windows(PLACE.len()).position(|window| window == PLACE) {
            let start = at + PLACE.len() - ACCEPT.len();
            bytes.splice(start..start + ACCEPT.len(), accept.bytes());
        }
        // Behind a head the host has its turn, whatever the split: what comes with the head, before a question has gone out, is
        // another thing than what comes behind it.
        let mut rest = &*bytes;
        while let Some(at) = rest.windows(HEADS_END.len()).position(|window| window == HEADS_END) {
            let (head, behind) = rest.split_at(at + HEADS_END.len());
            host.receive_all(head, &mut sizes);
            rest = behind;
        }
        host.receive_all(rest, &mut sizes);
        match self.ending {
            Ending::Silence => {}
            Ending::Eof => host.connection.handle_eof(NOW),
            Ending::Error => host.connection.handle_error(NOW, ErrorKind::ConnectionReset),
            Ending::Close => host.connection.close(NOW),
        }
        host.drain();
        host.after_the_end();
        let told = host.told.iter().map(|told| told.replace(&accept, ACCEPT)).collect();
        (told, host.connection.end().cloned())
    }
}

/// Time stands still.
const NOW: Duration = Duration::from_secs(1000);

struct Host {
    connection: Connection,
    storage: EventStorage,
    told: Vec<String>,
    /// How much was received.
    received: usize,
    /// What was sent, as far as it is of interest: the handshake's request.
    sent: Vec<u8>,
}

impl Host {
    fn new(script: &Script<'_>) -> Self {
        let mut config = ConnectionConfig::default();
        config.session.max_message = script.max_message;
        // Its proxies are on other machines.
        config.allow_token_over_plain_ws = true;
        config.proxy = script.proxy.map(|url| Proxy::parse(url).expect("a proxy"));
        let endpoint = Endpoint::parse(script.url).expect("an endpoint");
        let connection = Connection::new(&endpoint, Auth::new("sk-0123456789"), &config, NOW).expect("it starts");
        let mut host =
            Host { connection, storage: EventStorage::new(), told: Vec::new(), received: 0, sent: Vec::new() };
        if script.asks {
            host.connection.request(NOW, &Request::chat("hi")).expect("it waits until the WebSocket is open");
        }
        host.drain();
        host
    }

    fn receive_all(&mut self, mut bytes: &[u8], sizes: &mut impl Iterator<Item = usize>) {
        while !bytes.is_empty() {
            let size = sizes.next().unwrap_or(1).min(bytes.len());
            let (piece, rest) = bytes.split_at(size);
            self.connection.receive(NOW, piece).expect("all that came before was taken");
            self.received += size;
            bytes = rest;
            self.drain();
        }
    }

    /// Takes all events, and sends all that is to be sent.
    fn drain(&mut self) {
        while let Some(event) = self.connection.poll_event(NOW, &mut self.storage) {
            assert!(!matches!(event, ConnectionEvent::Closed(_)) || self.connection.end().is_some());
            self.told.push(format!("{event:?}"));
        }
        while let Some(bytes) = self.connection.poll_transmit() {
            let len = bytes.len();
            if self.sent.len() < 4096 {
                self.sent.extend_from_slice(bytes);
            }
            self.connection.transmitted(len);
        }
        let memory = self.connection.memory();
        assert!(memory <= 3 * self.received + (64 << 10), "{memory} bytes are held, and {} came", self.received);
    }

    /// What the handshake's answer must have, once the request was sent.
    fn accept(&self) -> String {
        let sent = String::from_utf8_lossy(&self.sent);
        let key = sent.split("Sec-WebSocket-Key: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        derive_accept_key(key.unwrap_or_default().as_bytes())
    }

    fn after_the_end(&mut self) {
        let is_over = self.connection.end().is_some();
        assert_eq!(is_over, self.told.last().is_some_and(|told| told.starts_with("Closed(")));
        if !is_over {
            return;
        }
        assert!(self.connection.is_finished(), "all was sent");
        let told = self.told.len();
        self.connection.receive(NOW, b"\x81\x02{}").expect("nothing waits");
        self.connection.handle_eof(NOW);
        self.connection.handle_timeout(NOW + Duration::from_secs(1000));
        assert!(self.connection.request(NOW, &Request::chat("hi")).is_err());
        self.drain();
        assert_eq!(self.told.len(), told, "after the end it is inert");
        assert!(self.connection.next_deadline().is_none());
    }
}

/// The bytes with another text in the place of each `from`.
pub(crate) fn replace(mut bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    while let Some(at) = bytes.windows(from.len()).position(|window| window == from) {
        replaced.extend_from_slice(&bytes[..at]);
        replaced.extend_from_slice(to);
        bytes = &bytes[at + from.len()..];
    }
    replaced.extend_from_slice(bytes);
    replaced
}
