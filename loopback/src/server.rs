//! Real TCP on 127.0.0.1: one thread accepts, one more serves each connection.

use core::time::Duration;
use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::options::Options;
use crate::peer::Peer;
use crate::tls::Tls;
use crate::upgrade;
use crate::world::{Stats, World};

/// How long a thread waits for a socket that takes no more before it looks for input again.
const WRITE_WAIT: Duration = Duration::from_millis(10);

/// How long waking up the accepting thread may take.
const WAKE_UP: Duration = Duration::from_secs(1);

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    world: World,
    tls: Option<Tls>,
    web_page: bool,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What the threads share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stop: bool,
    /// A handle to each open socket, so that a stop can wake up whoever waits for it.
    sockets: HashMap<u64, TcpStream>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is complete when the lock is let go, so a poisoned lock guards sound data.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Listens on 127.0.0.1 and serves connections from then on.
    ///
    /// # Errors
    /// When the port is taken, a thread cannot be started or no certificate can be made.
    pub fn start(options: Options) -> io::Result<Self> {
        let tls = options.tls.map(Tls::new).transpose().map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        let address = listener.local_addr()?;
        let web_page = options.has_web_page();
        let (world, shared) = (World::new(), Arc::new(Shared::default()));
        let acceptor = Acceptor {
            listener,
            world: world.clone(),
            tls: tls.clone(),
            options: Arc::new(options),
            shared: Arc::clone(&shared),
            origin: Instant::now(),
        };
        let acceptor = thread::Builder::new().name("loopback".to_owned()).spawn(|| acceptor.run())?;
        Ok(Self { address, world, tls, web_page, shared, acceptor: Some(acceptor) })
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the chat (protocol.md, R0.2). With TLS it names `localhost`, without TLS 127.0.0.1; the certificate is
    /// good for both.
    #[must_use]
    pub fn url(&self) -> String {
        let path = upgrade::chat_path(self.web_page);
        match self.tls {
            Some(_) => format!("wss://localhost:{}{path}", self.address.port()),
            None => format!("ws://{}{path}", self.address),
        }
    }

    /// The certificate to trust, in PEM, when TLS is on.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.tls.as_ref().map(Tls::ca_pem)
    }

    /// What its connections share.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Counters of its connections.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.world.stats()
    }

    /// Closes all sockets and waits for all threads. Calling it again does nothing.
    pub fn stop(&mut self) {
        let Some(acceptor) = self.acceptor.take() else {
            return;
        };
        {
            let mut state = self.shared.lock();
            state.stop = true;
            for socket in state.sockets.values() {
                // It may be closed already.
                let _ = socket.shutdown(Shutdown::Both);
            }
        }
        self.shared.stopped.notify_all();
        // `accept` has no deadline: a connection wakes it up. Without one it would wait for ever, and
        // it is better to leave the thread behind than to wait with it.
        if TcpStream::connect_timeout(&self.address, WAKE_UP).is_ok() {
            let _ = acceptor.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The thread that accepts.
struct Acceptor {
    listener: TcpListener,
    options: Arc<Options>,
    world: World,
    tls: Option<Tls>,
    shared: Arc<Shared>,
    origin: Instant,
}

impl Acceptor {
    fn run(mut self) {
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        for number in 0.. {
            let accepted = self.listener.accept();
            if self.shared.lock().stop {
                break;
            }
            threads.retain(|thread| !thread.is_finished());
            match accepted {
                // A connection that cannot be served is closed.
                Ok((socket, from)) => threads.extend(self.serve(number, socket, from).ok()),
                // Out of file descriptors, mostly: it passes when connections end.
                Err(_) => thread::sleep(WRITE_WAIT),
            }
        }
        for thread in threads {
            let _ = thread.join();
        }
    }

    /// Starts a connection's thread.
    fn serve(&mut self, number: u64, socket: TcpStream, from: SocketAddr) -> io::Result<JoinHandle<()>> {
        let (world, options) = (self.world.clone(), Arc::clone(&self.options));
        let peer = Peer::new(world, options, self.tls.as_ref(), Some(from.ip())).map_err(io::Error::other)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        socket.set_write_timeout(Some(WRITE_WAIT))?;
        let handle = socket.try_clone()?;
        let connection = Connection { number, socket, peer, shared: Arc::clone(&self.shared), origin: self.origin };
        let thread = thread::Builder::new().name(format!("loopback-{number}"));
        {
            let mut state = self.shared.lock();
            if state.stop {
                return Err(ErrorKind::ConnectionAborted.into());
            }
            state.sockets.insert(number, handle);
        }
        thread.spawn(|| connection.run()).inspect_err(|_| {
            self.shared.lock().sockets.remove(&number);
        })
    }
}

/// The thread of one connection.
struct Connection {
    number: u64,
    socket: TcpStream,
    peer: Peer,
    shared: Arc<Shared>,
    origin: Instant,
}

impl Connection {
    fn run(mut self) {
        let mut buffer = vec![0; 16 * 1024];
        while !self.peer.finished() {
            if self.turn(&mut buffer).is_err() {
                self.peer.handle_eof(self.origin.elapsed());
            }
        }
        let handle = self.shared.lock().sockets.remove(&self.number);
        drop((handle, self.socket));
        // The answer that was running is stored when its next piece comes.
        while let Some(deadline) = self.peer.next_deadline() {
            let state = self.shared.lock();
            if state.stop {
                return;
            }
            let wait = deadline.saturating_sub(self.origin.elapsed());
            // A wake-up without a reason does no harm: the deadline is looked at again.
            drop(self.shared.stopped.wait_timeout(state, wait));
            self.peer.handle_timeout(self.origin.elapsed());
            // Nothing is transmitted any more, but the chat goes on only when it is asked.
            let _ = self.peer.poll_transmit();
        }
    }

    /// Writes once, reads once, and waits when there was nothing to do.
    fn turn(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.peer.handle_timeout(self.origin.elapsed());
        let mut busy = false;
        let mut full = false;
        if let Some(bytes) = self.peer.poll_transmit() {
            match self.socket.write(bytes) {
                Ok(count) => {
                    self.peer.transmitted(count);
                    busy = true;
                }
                Err(error) if is_timeout(&error) => full = true,
                Err(error) => return Err(error),
            }
        }
        if self.peer.wants_input() {
            busy |= self.read(buffer)?;
        }
        if busy || self.peer.finished() {
            return Ok(());
        }
        self.socket.set_nonblocking(false)?;
        if full {
            if let Some(bytes) = self.peer.poll_transmit() {
                match self.socket.write(bytes) {
                    Ok(count) => self.peer.transmitted(count),
                    Err(error) if is_timeout(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        } else {
            let deadline = self.peer.next_deadline();
            let wait = deadline.map(|deadline| deadline.saturating_sub(self.origin.elapsed()));
            if wait != Some(Duration::ZERO) {
                // Less than a millisecond may be taken for no time at all, which is an error.
                self.socket.set_read_timeout(wait.map(|wait| wait.max(Duration::from_millis(1))))?;
                self.read(buffer)?;
            }
        }
        self.socket.set_nonblocking(true)
    }

    /// Whether something was read.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        match self.socket.read(buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.peer.receive(self.origin.elapsed(), &buffer[..count]);
                Ok(true)
            }
            Err(error) if is_timeout(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether the socket only asks for patience; systems differ in how they say it. A wait is also interrupted when the process
/// was stopped and goes on.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests;
