//! Several chats in one thread, in an event loop of the host's own (mio here), with the byte-level connection.
//!
//! `CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... cargo run -p chatnio --example event_loop -- "one" "two"`

use chatnio::{Auth, Connection, ConnectionConfig, ConnectionEvent, Endpoint, Event, EventStorage, Outcome, Request};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::env::var;
use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::ToSocketAddrs;
use std::time::Instant;

/// One chat: a socket, and the machine that it feeds.
struct Chat {
    socket: TcpStream,
    connection: Connection,
    /// What an event borrows from.
    storage: EventStorage,
    is_answered: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let questions: Vec<String> = std::env::args().skip(1).collect();
    if questions.is_empty() {
        return Err("usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... event_loop QUESTION...".into());
    }
    let url = var("CHATNIO_URL").unwrap_or_else(|_| "ws://127.0.0.1:8094".into());
    let token = var("CHATNIO_TOKEN").unwrap_or_else(|_| "anonymous".into());
    let endpoint = Endpoint::parse(&url)?;
    let address = (endpoint.host(), endpoint.port()).to_socket_addrs()?.next().ok_or("no address")?;
    let config = ConnectionConfig::default();

    let origin = Instant::now();
    let mut poll = Poll::new()?;
    let mut chats = Vec::new();
    for (i, question) in questions.iter().enumerate() {
        let mut socket = TcpStream::connect(address)?;
        poll.registry().register(&mut socket, Token(i), Interest::READABLE | Interest::WRITABLE)?;
        let mut connection = Connection::new(&endpoint, Auth::new(token.as_str()), &config, origin.elapsed())?;
        let mut request = Request::chat(question);
        if let Ok(model) = var("CHATNIO_MODEL") {
            request = request.model(model);
        }
        // Waits inside until the WebSocket is open.
        connection.request(origin.elapsed(), &request)?;
        chats.push(Some(Chat { socket, connection, storage: EventStorage::new(), is_answered: false }));
    }

    // ANCHOR: loop
    let mut events = Events::with_capacity(64);
    let mut answered = 0;
    while chats.iter().any(Option::is_some) {
        let deadlines = chats.iter().flatten().filter_map(|chat| chat.connection.next_deadline());
        let timeout = deadlines.min().map(|deadline| deadline.saturating_sub(origin.elapsed()));
        match poll.poll(&mut events, timeout) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        for event in &events {
            let Token(i) = event.token();
            if let Some(chat) = &mut chats[i] {
                chat.read(i, origin);
            }
        }
        for (i, slot) in chats.iter_mut().enumerate() {
            let Some(chat) = slot else { continue };
            chat.connection.handle_due(origin.elapsed());
            chat.events(i, origin);
            chat.write();
            if chat.connection.is_finished() {
                answered += usize::from(chat.is_answered);
                *slot = None;
            }
        }
    }
    // ANCHOR_END: loop
    if answered == questions.len() { Ok(()) } else { Err("not every question was answered".into()) }
}

impl Chat {
    /// Takes in what the socket has: mio tells of it once, so until it would block.
    fn read(&mut self, i: usize, origin: Instant) {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => break self.connection.handle_eof(origin.elapsed()),
                Ok(n) => self.connection.receive(origin.elapsed(), &buffer[..n]).expect("its events are taken"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::NotConnected => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => break self.connection.handle_error(origin.elapsed(), error.kind()),
            }
            // The connection buffers only what it was given: hand out its events before it gets more.
            self.events(i, origin);
        }
    }

    fn events(&mut self, i: usize, origin: Instant) {
        while let Some(event) = self.connection.poll_event(origin.elapsed(), &mut self.storage) {
            match event {
                ConnectionEvent::Session(Event::Delta { text, .. }) if !text.is_empty() => println!("{i}: {text:?}"),
                ConnectionEvent::Session(Event::End(end)) => {
                    if !end.text.is_empty() {
                        println!("{i}: {:?}", end.text);
                    }
                    // The server may have answered instead of the model.
                    let notice = end.answer.notice.as_deref().unwrap_or_default();
                    println!("{i}: end, {} pieces, quota {} {notice}", end.answer.chunks, end.answer.quota_text());
                    self.is_answered = end.answer.outcome == Some(Outcome::Complete);
                    // The event borrows from the storage alone, so the connection is there.
                    self.connection.close(origin.elapsed());
                }
                ConnectionEvent::Closed(end) => println!("{i}: {end}"),
                _ => {}
            }
        }
    }

    fn write(&mut self) {
        while let Some(bytes) = self.connection.poll_transmit() {
            match self.socket.write(bytes) {
                Ok(n) => self.connection.transmitted(n),
                // More goes out when the socket is writable again; if it is broken, reading from it tells.
                Err(_) => break,
            }
        }
    }
}
