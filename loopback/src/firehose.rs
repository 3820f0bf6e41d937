//! A server for benchmarks: it sends answers that were made before, as fast as the socket takes them.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::{ServerConnection, StreamOwned};
use tungstenite::Message;

use crate::tls::Tls;

/// Answers every question by bytes that were made before, so that it is never the limit of what is measured.
///
/// It speaks just enough: TLS, the WebSocket, and for each message with a question its answer in one write, which TLS
/// cuts into records of 16 KiB. It serves until the process ends.
///
/// ```
/// use chatnio_loopback::Firehose;
///
/// let answer = Firehose::frames(["{\"message\":\"hi\"}\n", "{\"end\":true}\n"]);
/// let firehose = Firehose::start(vec![("".to_owned(), answer)], None)?;
/// println!("ask away at {}", firehose.url());
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Firehose {
    address: SocketAddr,
    is_tls: bool,
}

impl Firehose {
    /// Messages as the frames of a WebSocket, as a server sends them: whole, and without a mask.
    #[must_use]
    pub fn frames<'a>(messages: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
        let mut out = Vec::new();
        for message in messages {
            let length = message.len();
            // A final WebSocket frame of a text; its length takes one, three or nine bytes.
            out.push(0x81);
            match (u8::try_from(length), u16::try_from(length)) {
                (Ok(length @ 0..126), _) => out.push(length),
                (_, Ok(length)) => {
                    out.push(126);
                    out.extend(length.to_be_bytes());
                }
                _ => {
                    out.push(127);
                    out.extend((length as u64).to_be_bytes());
                }
            }
            out.extend(message.as_bytes());
        }
        out
    }

    /// Listens on 127.0.0.1 and serves connections from then on, each by a thread of its own. An answer is sent when a
    /// question's text is its name; to any other question the first one is.
    ///
    /// # Errors
    /// When there is no port or no thread to be had, or no answer is given.
    pub fn start(answers: Vec<(String, Vec<u8>)>, tls: Option<Tls>) -> io::Result<Self> {
        if answers.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a firehose needs an answer"));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let firehose = Firehose { address: listener.local_addr()?, is_tls: tls.is_some() };
        let answers = Arc::new(answers);
        thread::Builder::new().name("firehose".to_owned()).spawn(move || {
            for socket in listener.incoming().flatten() {
                let (answers, tls) = (Arc::clone(&answers), tls.clone());
                // A client that has seen enough is no error.
                let serve = move || serve(socket, tls.as_ref(), &answers).ok();
                let _ = thread::Builder::new().stack_size(256 * 1024).spawn(serve);
            }
        })?;
        Ok(firehose)
    }

    /// The URL of the chat. With TLS it names `localhost`.
    #[must_use]
    pub fn url(&self) -> String {
        match self.is_tls {
            true => format!("wss://localhost:{}/chat", self.address.port()),
            false => format!("ws://{}/chat", self.address),
        }
    }
}

fn serve(socket: TcpStream, tls: Option<&Tls>, answers: &[(String, Vec<u8>)]) -> io::Result<()> {
    socket.set_nodelay(true)?;
    match tls {
        None => answer(socket, answers),
        Some(tls) => {
            let connection = ServerConnection::new(tls.config()).map_err(io::Error::other)?;
            answer(StreamOwned::new(connection, socket), answers)
        }
    }
}

/// Answers every question on one connection, until the client goes.
fn answer(stream: impl Read + Write, answers: &[(String, Vec<u8>)]) -> io::Result<()> {
    let mut socket = tungstenite::accept(stream).map_err(|error| io::Error::other(error.to_string()))?;
    loop {
        let Message::Text(message) = socket.read().map_err(io::Error::other)? else { continue };
        // The authentication has none.
        let Some(question) = question(&message) else { continue };
        let named = answers.iter().find(|(name, _)| *name == question);
        let (_, bytes) = named.unwrap_or(&answers[0]);
        let stream = socket.get_mut();
        stream.write_all(bytes)?;
        stream.flush()?;
    }
}

/// The text of a question; `None` for every other message.
fn question(message: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Question {
        message: String,
        #[serde(default, rename = "type")]
        kind: Option<String>,
    }
    let question: Question = serde_json::from_str(message).ok()?;
    // Clients of 2023 name no type.
    matches!(question.kind.as_deref(), None | Some("chat")).then_some(question.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_answered_by_name_and_nothing_else_is() {
        let answers = vec![
            ("any".to_owned(), Firehose::frames(["a", "b"])),
            ("long".to_owned(), Firehose::frames([&*"x".repeat(200), &*"y".repeat(70_000)])),
        ];
        let firehose = Firehose::start(answers, None).unwrap();
        let (mut socket, _) =
            tungstenite::client(firehose.url(), TcpStream::connect(firehose.address).unwrap()).unwrap();
        for message in [r#"{"token":"x","id":-1}"#, r#"{"type":"stop"}"#, r#"{"type":"chat","message":"long"}"#] {
            socket.send(message.into()).unwrap();
        }
        assert_eq!(socket.read().unwrap().len(), 200);
        assert_eq!(socket.read().unwrap().len(), 70_000);
        socket.send(r#"{"message":"hi","model":"m","web":false}"#.into()).unwrap();
        assert_eq!(socket.read().unwrap().into_text().unwrap(), "a");
        assert_eq!(socket.read().unwrap().into_text().unwrap(), "b");
    }

    #[test]
    fn tls_carries_the_same() {
        let tls = Tls::new(crate::Certificate::Valid).unwrap();
        let firehose = Firehose::start(vec![(String::new(), Firehose::frames(["a"]))], Some(tls.clone())).unwrap();
        assert!(firehose.url().starts_with("wss://localhost:"));
        let mut roots = rustls::RootCertStore::empty();
        use rustls::pki_types::pem::PemObject;
        for root in rustls::pki_types::CertificateDer::pem_slice_iter(tls.ca_pem().as_bytes()) {
            roots.add(root.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connection = rustls::ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        let stream = StreamOwned::new(connection, TcpStream::connect(firehose.address).unwrap());
        let (mut socket, _) = tungstenite::client(firehose.url(), stream).unwrap();
        socket.send(r#"{"type":"chat","message":"hi"}"#.into()).unwrap();
        assert_eq!(socket.read().unwrap().into_text().unwrap(), "a");
    }

    #[test]
    fn without_an_answer_there_is_no_firehose() {
        assert!(Firehose::start(Vec::new(), None).is_err());
    }
}
