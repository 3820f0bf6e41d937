//! A connected socket in memory, for the client's interleavings.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;

use shuttle::sync::{Condvar, Mutex, MutexGuard};

use crate::test_peer::Peer;

/// A connected socket, and the server behind it: it answers a question with one piece, and ends it when it is told to
/// stop.
#[allow(unreachable_pub, reason = "it stands where the public functions have the real one")]
#[derive(Clone)]
pub struct TcpStream(Arc<Socket>);

struct Socket {
    server: Mutex<Server>,
    /// There is something to be read, or the end.
    readable: Condvar,
}

struct Server {
    peer: Peer,
    /// For the client.
    output: Vec<u8>,
    is_shut_down: bool,
    /// It takes what comes, and says nothing.
    is_silent: bool,
    is_answering: bool,
    stops: usize,
}

impl TcpStream {
    pub(crate) fn new() -> Self {
        let peer = Peer::plain();
        let server =
            Server { peer, output: Vec::new(), is_shut_down: false, is_silent: false, is_answering: false, stops: 0 };
        TcpStream(Arc::new(Socket { server: Mutex::new(server), readable: Condvar::new() }))
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.0.server.lock().unwrap()
    }

    /// Sleeps until there is something to be read.
    pub(crate) fn wait(&self) {
        let sleeps = |server: &mut Server| server.output.is_empty() && !server.is_shut_down;
        drop(self.0.readable.wait_while(self.server(), sleeps).unwrap());
    }

    /// How many stops the server has read.
    pub(crate) fn stops(&self) -> usize {
        self.server().stops
    }

    /// Lets the server say nothing any more.
    pub(crate) fn fall_silent(&self) {
        self.server().is_silent = true;
    }

    /// Ends the answer from the server's side, if one runs.
    pub(crate) fn end(&self) {
        self.server().end();
        self.0.readable.notify_all();
    }

    pub(crate) fn connect(_: &SocketAddr) -> io::Result<Self> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(self.clone())
    }

    pub(crate) fn set_nonblocking(&self, _: bool) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn set_nodelay(&self, _: bool) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        self.server().is_shut_down = true;
        self.0.readable.notify_all();
        Ok(())
    }
}

impl std::fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TcpStream")
    }
}

impl Server {
    fn take(&mut self, bytes: &[u8]) {
        self.peer.receive(bytes);
        if self.peer.has_request() {
            self.peer.accept();
        }
        if self.peer.has_socket() {
            for message in self.peer.read() {
                match message.to_text() {
                    Ok(text) if text.contains("chat") => {
                        self.peer.send(r#"{"conversation":1}"#);
                        self.peer.send(r#"{"message":"piece","quota":1}"#);
                        self.is_answering = true;
                    }
                    Ok(text) if text.contains("stop") => {
                        self.stops += 1;
                        self.end();
                    }
                    _ => {}
                }
            }
        }
        let output = self.peer.output();
        self.output.extend(output);
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.is_answering) {
            self.peer.send(r#"{"quota":1,"end":true}"#);
            let output = self.peer.output();
            self.output.extend(output);
        }
    }
}

impl Read for &TcpStream {
    /// A time-out when there is nothing: somebody else is to run then.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut server = self.server();
        if server.is_shut_down {
            return Ok(0);
        }
        if server.output.is_empty() {
            drop(server);
            shuttle::thread::yield_now();
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = server.output.as_slice().read(buffer)?;
        server.output.drain(..n);
        Ok(n)
    }
}

impl Write for &TcpStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut server = self.server();
        if server.is_shut_down {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if !server.is_silent {
            server.take(bytes);
        }
        self.0.readable.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
