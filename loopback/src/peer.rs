//! One connection's server at the level of bytes: optional TLS, the HTTP upgrade, the WebSocket.

use core::time::Duration;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;

use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
use tungstenite::{Error, Message};

use crate::chat::{Chat, Output};
use crate::generation::Generation;
use crate::options::{Options, Refusal};
use crate::rest;
use crate::tls::Tls;
use crate::upgrade::{self, Request};
use crate::wire::Wire;
use crate::world::World;

/// The real servers have no limit. Here it is as much as tungstenite may make room for at once, because a client has
/// announced it.
const MAX_MESSAGE: Option<usize> = Some(64 * 1024 * 1024);

/// While more bytes wait for the socket, the chat is not asked for more frames.
const OUTPUT_LIMIT: usize = 64 * 1024;

/// While more bytes wait for the socket, no more input is wanted: even pings are answered.
const INPUT_PAUSE: usize = 4 * OUTPUT_LIMIT;

/// What passes between the two segments of a refusal.
const SEGMENT_GAP: Duration = Duration::from_millis(20);

/// How long a refused client has to close the connection, which a real server leaves open.
const LINGER: Duration = Duration::from_secs(5);

/// The server's end of one TCP connection, without the TCP connection.
///
/// Bytes that came from the socket go in by [`Peer::receive`], bytes for it come out of
/// [`Peer::poll_transmit`]. After any call the host takes all bytes out, looks at [`Peer::finished`],
/// and calls [`Peer::handle_timeout`] when [`Peer::next_deadline`] has come. `now` is as in [`Chat`].
pub struct Peer {
    world: World,
    options: Arc<Options>,
    /// The client's address, if it may be throttled.
    from: Option<IpAddr>,
    link: Link,
    now: Duration,
    /// The server wants the socket closed once everything is sent.
    closing: bool,
    /// The socket is gone.
    gone: bool,
}

enum Link {
    /// The request head is awaited.
    Head(Wire),
    /// A refusal was sent, except for a body that is due as a segment of its own.
    Refused { wire: Wire, body: Option<String>, due: Duration },
    /// The WebSocket is open.
    Open(Box<WebSocket<Wire>>, Box<Chat>),
}

impl Peer {
    /// A connection that was just accepted, served with TLS when a certificate is given. It counts for
    /// [`Options::throttle`] when the client's address is given.
    ///
    /// # Errors
    /// When rustls refuses the TLS settings.
    pub fn new(
        world: World,
        options: Arc<Options>,
        tls: Option<&Tls>,
        from: Option<IpAddr>,
    ) -> Result<Self, rustls::Error> {
        let link = Link::Head(Wire::new(tls)?);
        world.count(|stats| stats.connections += 1);
        Ok(Self { world, options, from, link, now: Duration::ZERO, closing: false, gone: false })
    }

    /// Takes in bytes from the socket, in pieces of any size.
    pub fn receive(&mut self, now: Duration, bytes: &[u8]) {
        self.now = now.max(self.now);
        if self.closing || self.gone {
            return;
        }
        if self.wire_mut().receive(bytes).is_err() {
            self.fail();
            return;
        }
        if let Link::Head(_) = self.link {
            self.read_head();
        }
        self.read_messages();
    }

    /// The socket's input ended, or the socket failed. Nothing is transmitted any more.
    pub fn handle_eof(&mut self, now: Duration) {
        self.now = now.max(self.now);
        self.gone = true;
        if let Link::Open(_, chat) = &mut self.link {
            chat.handle_eof(self.now);
        }
    }

    /// Sends a text message of the host's, whatever the chat does: for tests that play the server's part themselves.
    /// Returns whether the WebSocket was open.
    pub fn send(&mut self, text: String) -> bool {
        let is_open = self.is_open();
        let Link::Open(socket, _) = &mut self.link else { return false };
        is_open && socket.write(Message::text(text)).is_ok()
    }

    /// Cuts the connection, as a server does that ends: the host closes the socket once everything is sent.
    pub fn cut(&mut self) {
        self.closing = true;
    }

    /// Whether the WebSocket is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.link, Link::Open(..)) && !self.closing && !self.gone
    }

    /// Carries out what is due at `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.now = now.max(self.now);
        match &mut self.link {
            Link::Head(_) => {}
            Link::Refused { wire, body, due } => {
                if *due <= self.now {
                    match body.take() {
                        Some(body) => {
                            put(wire, &body);
                            *due = self.now + LINGER;
                        }
                        None => self.closing = true,
                    }
                }
            }
            Link::Open(_, chat) => chat.handle_timeout(self.now),
        }
    }

    /// When [`Peer::handle_timeout`] is to be called next. Also after [`Peer::finished`]: the answer
    /// of a lost connection is stored later (protocol.md, R7.2 and R7.5).
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        match &self.link {
            Link::Head(_) => None,
            Link::Refused { due, .. } => (!self.closing && !self.gone).then_some(*due),
            Link::Open(_, chat) => chat.next_deadline(),
        }
    }

    /// Bytes for the socket, if there are any. They stay until [`Peer::transmitted`] says how many
    /// the socket took.
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        self.write_messages();
        if self.gone {
            return None;
        }
        Some(self.wire_mut().pending()).filter(|bytes| !bytes.is_empty())
    }

    /// The socket took so many of the bytes.
    ///
    /// # Panics
    /// When so many were not handed out.
    pub fn transmitted(&mut self, count: usize) {
        self.wire_mut().transmitted(count);
    }

    /// Whether the host should close the socket now.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.gone || (self.closing && self.wire().pending().is_empty())
    }

    /// Whether the host should read from the socket. Not while a client that does not read lets too
    /// much pile up.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        !self.closing && !self.gone && self.wire().pending().len() < INPUT_PAUSE
    }

    fn read_head(&mut self) {
        let Link::Head(wire) = &mut self.link else {
            return;
        };
        let answer = match upgrade::head_length(wire.unread()) {
            Ok(None) => return,
            Ok(Some(length)) => {
                if let Some(page) = page(&self.options, &wire.unread()[..length]) {
                    let _ = wire.write_all(&page);
                    wire.say_goodbye();
                    self.closing = true;
                    return;
                }
                let call = match rest::Request::read(wire.unread(), length) {
                    Ok(call) => call.filter(|_| self.options.refusal.is_none()),
                    Err(rest::Incomplete) => return,
                };
                if let Some(call) = call {
                    put(wire, &rest::answer(&self.world, &self.options, &call));
                    wire.say_goodbye();
                    self.closing = true;
                    return;
                }
                let answer = answer(&self.options, &self.world, self.from, self.now, &wire.unread()[..length]);
                wire.consume(length);
                answer
            }
            Err(refusal) => Err(refusal),
        };
        // The link is replaced at once; until then a wire without anything stands in.
        let Ok(stand_in) = Wire::new(None) else {
            return;
        };
        let mut wire = core::mem::replace(wire, stand_in);
        self.link = match answer {
            Ok(head) => {
                put(&mut wire, &head);
                self.world.count(|stats| stats.upgrades += 1);
                // The real servers have no read limit (protocol.md, R2.40). Frames go to the wire at once.
                let config = WebSocketConfig::default()
                    .write_buffer_size(0)
                    .max_message_size(MAX_MESSAGE)
                    .max_frame_size(MAX_MESSAGE);
                let socket = WebSocket::from_raw_socket(wire, Role::Server, Some(config));
                let chat = Chat::new(self.world.clone(), Arc::clone(&self.options));
                Link::Open(Box::new(socket), Box::new(chat))
            }
            Err(refusal) => {
                put(&mut wire, &upgrade::refusal_head(&refusal));
                self.world.count(|stats| stats.refused += 1);
                if self.options.two_segments {
                    let due = self.now + SEGMENT_GAP;
                    Link::Refused { wire, body: Some(refusal.body), due }
                } else {
                    put(&mut wire, &refusal.body);
                    Link::Refused { wire, body: None, due: self.now + LINGER }
                }
            }
        };
    }

    fn read_messages(&mut self) {
        loop {
            // After a Close frame was read nothing can be written, so what came before goes first.
            self.write_messages();
            let Link::Open(socket, chat) = &mut self.link else {
                return;
            };
            if chat.is_deaf() {
                let wire = socket.get_mut();
                wire.consume(wire.unread().len());
                return;
            }
            match socket.read() {
                Ok(Message::Text(text)) => chat.receive(self.now, &text),
                Ok(Message::Binary(bytes)) => {
                    chat.receive(self.now, &String::from_utf8_lossy(&bytes));
                }
                Ok(Message::Close(_)) => {
                    chat.handle_eof(self.now);
                    return self.answer_close();
                }
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    // Pongs. Memory takes everything.
                    let _ = socket.flush();
                    return;
                }
                Err(_) => return self.fail(),
            }
        }
    }

    fn answer_close(&mut self) {
        self.closing = true;
        if let Link::Open(socket, _) = &mut self.link {
            // The others drop the connection (protocol.md, R7.1).
            if self.options.generation == Generation::G2023 {
                // Says that the connection is closed, which is what was asked for.
                let _ = socket.flush();
            }
            socket.get_mut().say_goodbye();
        }
    }

    /// Passes the chat's outputs on while not too much waits.
    fn write_messages(&mut self) {
        let Link::Open(socket, chat) = &mut self.link else {
            return;
        };
        while self.gone || socket.get_ref().pending().len() < OUTPUT_LIMIT {
            let message = match chat.poll_output(self.now) {
                Some(Output::Frame(text)) => Message::text(text),
                Some(Output::Binary(bytes)) => Message::binary(bytes),
                Some(Output::Drop) => {
                    self.closing = true;
                    return;
                }
                None => return,
            };
            // After a Close frame nothing can be written any more, and nobody misses it.
            if !self.gone {
                let _ = socket.write(message);
            }
        }
    }

    /// The client broke TLS or the WebSocket protocol: a real server drops it.
    fn fail(&mut self) {
        self.closing = true;
        if let Link::Open(_, chat) = &mut self.link {
            chat.handle_eof(self.now);
        }
    }

    fn wire(&self) -> &Wire {
        match &self.link {
            Link::Head(wire) | Link::Refused { wire, .. } => wire,
            Link::Open(socket, _) => socket.get_ref(),
        }
    }

    fn wire_mut(&mut self) -> &mut Wire {
        match &mut self.link {
            Link::Head(wire) | Link::Refused { wire, .. } => wire,
            Link::Open(socket, _) => socket.get_mut(),
        }
    }
}

/// The answer to a request head that asks for a web page.
fn page(options: &Options, head: &[u8]) -> Option<Vec<u8>> {
    let pages = options.pages.as_ref()?;
    pages.answer(&Request::parse(&String::from_utf8_lossy(head)))
}

/// The bytes of the 101 that answer a request head, or the refusal.
fn answer(
    options: &Options,
    world: &World,
    from: Option<IpAddr>,
    now: Duration,
    head: &[u8],
) -> Result<String, Refusal> {
    // Header values may be of any encoding.
    let head = String::from_utf8_lossy(head);
    let request = Request::parse(&head);
    let admitted = match (options.throttle, from) {
        (Some(limit), Some(from)) => world.admit(limit, options.generation, now, from, request.path()),
        _ => true,
    };
    match &options.refusal {
        _ if !admitted => Err(Refusal::throttled_by(options.generation)),
        Some(refusal) => Err(refusal.clone()),
        None => request.accept(options.has_web_page()),
    }
}

/// Writes to a wire, which takes everything.
fn put(wire: &mut Wire, text: &str) {
    let _ = wire.write_all(text.as_bytes());
}

#[cfg(test)]
mod tests;
