//! Bare tungstenite: the messages are received, and not decoded.

use std::hint::black_box;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket, client::client_with_config};

/// The size of its buffer, by default.
pub const BUFFER: usize = 128 * 1024;

fn config(buffer: usize) -> Option<WebSocketConfig> {
    Some(WebSocketConfig::default().read_buffer_size(buffer))
}

/// A stream in memory, of which each read takes one piece at most.
pub struct Memory {
    bytes: Arc<[u8]>,
    at: usize,
    until: usize,
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut rest = &self.bytes[self.at..self.until];
        if rest.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = rest.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// tungstenite over a stream in memory.
pub struct InMemory(WebSocket<Memory>);

impl InMemory {
    /// It will read `bytes`, by a buffer of this size, which it clears before each read.
    pub fn new(bytes: Arc<[u8]>, buffer: usize) -> Self {
        let memory = Memory { bytes, at: 0, until: 0 };
        InMemory(WebSocket::from_raw_socket(memory, Role::Client, config(buffer)))
    }

    /// Goes on until this offset; how many messages there were.
    #[inline]
    pub fn receive_until(&mut self, until: usize) -> usize {
        self.0.get_mut().until = until;
        let mut messages = 0;
        loop {
            match self.0.read() {
                Ok(message) => {
                    black_box(message);
                    messages += 1;
                }
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return messages,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// tungstenite over a socket, with TLS by rustls or without.
pub struct Connected<S: Read + Write>(WebSocket<S>);

/// Over plain TCP.
pub fn plain(url: &str) -> Connected<TcpStream> {
    Connected::new(url, connect(url))
}

/// Over TLS, with this certificate to trust.
pub fn tls(url: &str, ca: &str) -> Connected<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots.add(root.expect("a certificate")).expect("a root");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("its own versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    Connected::new(url, StreamOwned::new(connection, connect(url)))
}

/// A socket to a server on this machine.
pub fn connect(url: &str) -> TcpStream {
    let uri: tungstenite::http::Uri = url.parse().expect("a good URL");
    let socket = TcpStream::connect(("127.0.0.1", uri.port_u16().expect("a port"))).expect("a server");
    socket.set_nodelay(true).expect("a TCP socket");
    socket
}

impl<S: Read + Write> Connected<S> {
    fn new(url: &str, stream: S) -> Self {
        let handshake = client_with_config(url, stream, config(BUFFER));
        let Ok((mut socket, _)) = handshake else { panic!("no handshake with {url}") };
        socket.send(r#"{"token":"anonymous","id":-1}"#.into()).expect("a server");
        Connected(socket)
    }

    /// Asks, and receives the answer; how many chunks it had. The end is known by its length, which no chunk has.
    pub fn ask(&mut self, question: &str, chunks: usize) -> usize {
        self.0.send(format!(r#"{{"type":"chat","message":"{question}"}}"#).into()).expect("a server");
        // The opener and the end come with them.
        for _ in 0..chunks + 2 {
            let Ok(Message::Text(text)) = self.0.read() else { panic!("no text message") };
            black_box(text);
        }
        chunks
    }
}

/// The bytes of the same answer, received and thrown away: what nobody can go below.
pub struct Bytes {
    socket: TcpStream,
    question: Vec<u8>,
    buffer: Vec<u8>,
}

impl Bytes {
    /// Connects by tungstenite, and then reads without it.
    pub fn new(url: &str, question: &str) -> Self {
        let mut socket = plain(url).0;
        // As a client must, with a mask; of zeros it changes nothing.
        let text = format!(r#"{{"type":"chat","message":"{question}"}}"#);
        let length = u8::try_from(text.len()).ok().filter(|length| *length < 126).expect("a short question");
        let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        frame.extend(text.bytes());
        let stream = socket.get_mut().try_clone().expect("a descriptor");
        // The handle that tungstenite has goes, the connection stays.
        drop(socket);
        Bytes { socket: stream, question: frame, buffer: vec![0; 64 * 1024] }
    }

    /// Asks, and reads that many bytes.
    pub fn ask(&mut self, mut length: usize) {
        self.socket.write_all(&self.question).expect("a server");
        while length > 0 {
            let count = self.socket.read(&mut self.buffer).expect("an answer");
            assert!(count > 0, "the server has gone");
            length = length.saturating_sub(black_box(count));
        }
    }
}
