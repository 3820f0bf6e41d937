//! The state machine alone, over a WebSocket that the program has already (tungstenite here): text messages go in and
//! out, and the program says what time it is.
//!
//! `CHATNIO_URL=ws://127.0.0.1:8094 CHATNIO_TOKEN=sk-... cargo run -p chatnio --example own_websocket -- "hi"`
//!
//! Without TLS, to be short: `wss://` takes a feature of tungstenite's.

use chatnio::{Auth, CloseReason, Config, Event, EventStorage, Outcome, Request, Session};
use std::env::var;
use std::error::Error;
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::{Message, WebSocket};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [question] = arguments.as_slice() else {
        return Err("usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... own_websocket QUESTION".into());
    };
    let url = var("CHATNIO_URL").unwrap_or_else(|_| "ws://127.0.0.1:8094".into());
    let token = var("CHATNIO_TOKEN").unwrap_or_else(|_| "anonymous".into());
    let rest = url.strip_prefix("ws://").ok_or("expected a ws:// URL")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    // Where the chat is on a server whose URL says only so much.
    let path = match path {
        "" => "chat",
        "api" | "api/" => "api/chat",
        path => path,
    };
    let (mut socket, _) = tungstenite::client(format!("ws://{authority}/{path}"), TcpStream::connect(authority)?)?;

    let origin = Instant::now();
    let mut session = Session::new(Auth::new(token), Config::default(), origin.elapsed())?;
    let mut request = Request::chat(question);
    if let Ok(model) = var("CHATNIO_MODEL") {
        request = request.model(model);
    }
    session.request(origin.elapsed(), &request)?;
    let mut storage = EventStorage::new();
    // ANCHOR: loop
    loop {
        while let Some(message) = session.poll_transmit() {
            socket.send(Message::text(&*message))?;
        }
        let message = next_message(&mut socket, session.next_deadline(), origin);
        let now = origin.elapsed();
        let event = match &message {
            Ok(Some(Message::Text(text))) => session.receive(now, text, &mut storage),
            Ok(Some(Message::Binary(_))) => session.receive_binary(now),
            Ok(Some(Message::Close(_))) => session.closed(CloseReason::Server),
            // The WebSocket's own pings and pongs.
            Ok(Some(_)) => None,
            Ok(None) => session.handle_timeout(now, &mut storage),
            Err(_) => session.closed(CloseReason::Lost),
        };
        match event {
            Some(Event::Delta { text, .. }) => {
                print!("{text}");
                std::io::stdout().flush()?;
            }
            Some(Event::End(end)) => {
                println!("{}", end.text);
                eprintln!("quota {}", end.answer.quota_text());
                socket.close(None)?;
                return match end.answer.outcome {
                    Some(Outcome::Complete) => Ok(()),
                    Some(Outcome::Interrupted(why)) => Err(why.into()),
                    // The server has answered instead of the model.
                    _ => Err(end.answer.notice.unwrap_or_default().into()),
                };
            }
            _ => {}
        }
    }
    // ANCHOR_END: loop
}

/// Waits for a message until the deadline; `None` when that has come first.
fn next_message(
    socket: &mut WebSocket<TcpStream>,
    deadline: Option<Duration>,
    origin: Instant,
) -> tungstenite::Result<Option<Message>> {
    let left = deadline.map(|deadline| deadline.saturating_sub(origin.elapsed()).max(Duration::from_millis(1)));
    socket.get_ref().set_read_timeout(left)?;
    match socket.read() {
        Ok(message) => Ok(Some(message)),
        Err(tungstenite::Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
