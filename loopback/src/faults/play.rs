//! The server that plays a fault to every client.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::net::{self, AddressFamily, SocketType, sockopt};
use tungstenite::handshake::derive_accept_key;

use super::certificates::{Certificate, Certificates};
use super::step::{ACCEPTED, frame};
use super::{Fault, Over, Step};
use crate::server::is_timeout;
use crate::tls::{Tls, TlsError};
use crate::unreachable::Silent;
use crate::wire::Wire;

/// How long a socket is waited for before the server looks whether it has to stop.
const LOOK: Duration = Duration::from_millis(20);

/// How long waking up the accepting thread may take.
const WAKE_UP: Duration = Duration::from_secs(1);

/// A running server, which does one thing wrong to every client. Dropping it stops it.
#[derive(Debug)]
pub struct FaultServer {
    address: SocketAddr,
    url: String,
    tls: Option<Tls>,
    stop: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
    /// What keeps a port from being anybody's.
    _bound: Option<OwnedFd>,
    _full: Option<Silent>,
}

impl FaultServer {
    /// Listens on 127.0.0.1, at a free port, and plays the fault from then on, over TLS or plain.
    ///
    /// # Errors
    /// When no port is free, a thread cannot be started, no certificate can be made, or it is a fault of TLS and `tls` is
    /// false.
    pub fn start(fault: &Fault, tls: bool) -> io::Result<Self> {
        Self::start_on(0, fault, tls)
    }

    /// As [`start`](Self::start), at a port.
    ///
    /// # Errors
    /// As above, and when the port is taken.
    pub fn start_on(port: u16, fault: &Fault, tls: bool) -> io::Result<Self> {
        if !fault.is_played(tls) {
            let why = format!("{} is a fault of TLS, and played over that alone", fault.name);
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        let certificate = match fault.over {
            Over::Tls(certificate) => certificate,
            _ => Certificate::Good,
        };
        let tls = tls.then(|| -> Result<Tls, TlsError> {
            let certificates = Certificates::get()?;
            Ok(Tls::with(certificates.roots_pem().to_owned(), certificates.config(certificate)?))
        });
        let tls = tls.transpose().map_err(io::Error::other)?;
        let (mut bound, mut full) = (None, None);
        let mut listener = None;
        let address = match fault.over {
            Over::Nobody => {
                // Bound, and nobody listens: the port is free for no other either.
                let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
                net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
                let address = SocketAddr::try_from(net::getsockname(&socket)?)?;
                bound = Some(socket);
                address
            }
            Over::Full => {
                let silent = Silent::at(port)?;
                let address = silent.address();
                full = Some(silent);
                address
            }
            _ => {
                let open = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
                let address = open.local_addr()?;
                listener = Some(open);
                address
            }
        };
        let stop = Arc::new(AtomicBool::new(false));
        let url = match (fault.over, &tls) {
            (Over::Elsewhere(url), _) => url.to_owned(),
            (_, Some(_)) => format!("wss://localhost:{}/chat", address.port()),
            (_, None) => format!("ws://{address}/chat"),
        };
        let acceptor = listener.map(|listener| {
            let tls = tls.clone().filter(|_| fault.over != Over::InPlaceOfTls);
            let acceptor = Acceptor { listener, fault: fault.clone(), tls, stop: Arc::clone(&stop) };
            thread::Builder::new().name("faults".to_owned()).spawn(move || acceptor.run())
        });
        let acceptor = acceptor.transpose()?;
        Ok(Self { address, url, tls, stop, acceptor, _bound: bound, _full: full })
    }

    /// The URL of the chat, as [`Server::url`](crate::Server::url) has it.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The certificates to trust, in PEM, when TLS is on: the same for all faulty servers of a process.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.tls.as_ref().map(Tls::ca_pem)
    }

    /// Ends all connections and waits for all threads. Calling it again does nothing.
    pub fn stop(&mut self) {
        let Some(acceptor) = self.acceptor.take() else { return };
        self.stop.store(true, Ordering::Relaxed);
        // `accept` has no deadline: a connection wakes it up.
        if TcpStream::connect_timeout(&self.address, WAKE_UP).is_ok() {
            let _ = acceptor.join();
        }
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Acceptor {
    listener: TcpListener,
    fault: Fault,
    tls: Option<Tls>,
    stop: Arc<AtomicBool>,
}

impl Acceptor {
    fn run(self) {
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        loop {
            let accepted = self.listener.accept();
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            threads.retain(|thread| !thread.is_finished());
            match accepted {
                Ok((socket, _)) => {
                    let Ok(mut playing) = Playing::new(socket, self.tls.as_ref(), &self.stop) else { continue };
                    let steps = self.fault.steps.clone();
                    // The client goes when it has seen enough, which ends the play.
                    let play = move || drop(playing.play(steps));
                    threads.extend(thread::Builder::new().name("fault".to_owned()).spawn(play));
                }
                // Out of file descriptors, mostly: it passes when connections end.
                Err(_) => thread::sleep(LOOK),
            }
        }
        for thread in threads {
            let _ = thread.join();
        }
    }
}

/// One connection. An error ends it: the client went, or the server has to stop.
struct Playing {
    socket: TcpStream,
    wire: Wire,
    stop: Arc<AtomicBool>,
    /// The head of the client's request.
    head: String,
    /// What its key is answered with.
    accept: String,
    /// Its token, once the authentication has come.
    token: String,
}

impl Playing {
    fn new(socket: TcpStream, tls: Option<&Tls>, stop: &Arc<AtomicBool>) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(LOOK))?;
        socket.set_write_timeout(Some(LOOK))?;
        let wire = Wire::new(tls).map_err(io::Error::other)?;
        let stop = Arc::clone(stop);
        Ok(Self { socket, wire, stop, head: String::new(), accept: String::new(), token: String::new() })
    }

    fn play(&mut self, steps: Vec<Step>) -> io::Result<()> {
        for step in steps {
            match step {
                Step::Hello => self.read_hello()?,
                Step::Head => self.read_head()?,
                Step::Reply(text) => self.reply(&text, &[])?,
                Step::AcceptAnd(bytes) => self.reply(ACCEPTED, &bytes)?,
                Step::Messages(count) => self.read_messages(count)?,
                Step::Repeat(code) => self.send(&frame(0x88, &self.repeating(code)))?,
                Step::Send(bytes) => self.send(&bytes)?,
                Step::Slowly(bytes, pause) => {
                    for byte in &*bytes {
                        self.send(&[*byte])?;
                        self.wait(pause)?;
                    }
                }
                Step::Flood { bytes, read } => loop {
                    self.send(&bytes)?;
                    if read {
                        self.socket.set_nonblocking(true)?;
                        let came = self.fill();
                        self.socket.set_nonblocking(false)?;
                        came?;
                        self.wire.consume(self.wire.unread().len());
                    }
                },
                Step::Raw(bytes) => self.socket.write_all(&bytes)?,
                Step::Wait(pause) => self.wait(pause)?,
                Step::Goodbye => {
                    self.wire.say_goodbye();
                    self.flush()?;
                }
                Step::Fin => self.socket.shutdown(Shutdown::Write)?,
                Step::Reset => {
                    // Closed with this, a connection is reset instead of ended.
                    sockopt::set_socket_linger(&self.socket, Some(Duration::ZERO))?;
                    return Ok(());
                }
            }
        }
        loop {
            self.fill()?;
            self.wire.consume(self.wire.unread().len());
        }
    }

    /// Sends text, and bytes behind it in the same write.
    fn reply(&mut self, text: &str, bytes: &[u8]) -> io::Result<()> {
        let text = text.replace("{accept}", &self.accept).replace("{head}", &self.head);
        self.send(&[text.as_bytes(), bytes].concat())
    }

    fn wait(&mut self, pause: Duration) -> io::Result<()> {
        let mut rest = pause;
        while !rest.is_zero() {
            self.look()?;
            let part = rest.min(LOOK);
            thread::sleep(part);
            rest -= part;
        }
        Ok(())
    }

    fn look(&self) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
    }

    /// Takes a record of TLS, as if it were none.
    fn read_hello(&mut self) -> io::Result<()> {
        loop {
            if let [_, _, _, high, low, rest @ ..] = self.wire.unread() {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                if rest.len() >= length {
                    self.wire.consume(5 + length);
                    return Ok(());
                }
            }
            self.fill()?;
        }
    }

    fn read_head(&mut self) -> io::Result<()> {
        let length = loop {
            let head = self.wire.unread();
            if let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill()?;
        };
        let head = String::from_utf8_lossy(&self.wire.unread()[..length]).into_owned();
        self.wire.consume(length);
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        let mut keys = lines.filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
        let key = keys.next().map_or("", |(_, value)| value.trim());
        self.accept = derive_accept_key(key.as_bytes());
        self.head = head;
        Ok(())
    }

    /// Takes the client's WebSocket frames, each whole, until so many were texts. Clients do not fragment.
    fn read_messages(&mut self, mut count: usize) -> io::Result<()> {
        while count > 0 {
            let Some((opcode, length)) = frame_length(self.wire.unread()) else {
                self.fill()?;
                continue;
            };
            if opcode == 1 && self.token.is_empty() {
                self.token = token_of(&self.wire.unread()[..length]).unwrap_or_default();
            }
            self.wire.consume(length);
            count -= usize::from(opcode == 1);
        }
        Ok(())
    }

    /// A Close's payload, of 125 bytes at most, that repeats what was told.
    fn repeating(&self, code: u16) -> Vec<u8> {
        let target = self.head.split(' ').nth(1).unwrap_or_default();
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut given = lines.filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let header = given.next().map_or("", |(_, value)| value.trim());
        let reason = format!("invalid key {} {target} {header}", self.token);
        [&code.to_be_bytes()[..], &reason.as_bytes()[..reason.floor_char_boundary(123)]].concat()
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.write_all(bytes)?;
        self.flush()
    }

    /// Hands all bytes to the socket, however long the client takes to read them.
    fn flush(&mut self) -> io::Result<()> {
        while !self.wire.pending().is_empty() {
            self.look()?;
            match self.socket.write(self.wire.pending()) {
                Ok(count) => self.wire.transmitted(count),
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes in what comes within a while.
    fn fill(&mut self) -> io::Result<()> {
        self.look()?;
        let mut buffer = [0; 16 * 1024];
        match self.socket.read(&mut buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                let received = self.wire.receive(&buffer[..count]);
                // Also after an error: an alert says what it is.
                self.flush()?;
                received
            }
            Err(error) if is_timeout(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The opcode and the whole length of the first WebSocket frame of a client's bytes, once it has come.
fn frame_length(bytes: &[u8]) -> Option<(u8, usize)> {
    let (opcode, short) = (bytes.first()? & 0x0f, usize::from(bytes.get(1)? & 0x7f));
    let (head, payload) = match short {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, short),
    };
    let masked = if bytes[1] & 0x80 == 0 { 0 } else { 4 };
    let length = head + masked + payload;
    (bytes.len() >= length).then_some((opcode, length))
}

/// The token in a client's WebSocket frame, which is masked, as all of them are.
fn token_of(frame: &[u8]) -> Option<String> {
    let (_, length) = frame_length(frame)?;
    let head = match frame[1] & 0x7f {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let mask = frame.get(head..head + 4)?;
    let payload = frame.get(head + 4..length)?;
    let plain: Vec<u8> = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    let message: serde_json::Value = serde_json::from_slice(&plain).ok()?;
    Some(message.get("token")?.as_str()?.to_owned())
}
