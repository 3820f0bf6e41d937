//! What a client shares with its stoppers: the connection, and the socket to write to.

use std::io::{self, ErrorKind};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use chatnio_core::RequestError;

use super::TICK;
use super::drive::is_tick;
use crate::connection::Connection;
use crate::os::{Mutex, MutexGuard, TcpStream, write_within};

/// What the client shares with its stoppers.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) origin: Instant,
    pub(super) inner: Mutex<Inner>,
}

/// Locked only to change state and to write, never while reading.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) connection: Connection,
    /// The same socket, to write to.
    pub(super) socket: TcpStream,
    /// Whether a stopper has closed the client since the last reconnect began.
    pub(super) is_unwanted: bool,
}

impl Shared {
    pub(super) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held; if something did, a broken connection would say so itself.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stop(&self) -> Result<bool, RequestError> {
        let now = self.now();
        let mut inner = self.lock();
        let sent = inner.connection.stop(now)?;
        inner.write(TICK);
        Ok(sent)
    }
}

impl Inner {
    /// Takes in what a read has brought, and does what is due. A stopper that closes ends a read: it shuts the socket
    /// down.
    pub(super) fn take_in(&mut self, now: Duration, read: io::Result<usize>, input: &[u8]) {
        let connection = &mut self.connection;
        match read {
            Ok(0) => connection.handle_eof(now),
            Ok(n) => {
                let taken = connection.receive(now, &input[..n]);
                debug_assert!(taken.is_ok(), "nothing is read before what came is handed out");
            }
            Err(error) if is_tick(&error) || error.kind() == ErrorKind::Interrupted => {}
            Err(error) => connection.handle_error(now, error.kind()),
        }
        connection.handle_due(now);
    }

    /// Writes what is to be written, as far as the socket takes it within `limit`, and then at once. Whether the rest is to
    /// be written once it takes more.
    #[inline]
    pub(super) fn write(&mut self, limit: Duration) -> bool {
        self.connection.poll_transmit().is_some() && self.write_all(limit)
    }

    #[cold]
    fn write_all(&mut self, limit: Duration) -> bool {
        let started = Instant::now();
        while let Some(bytes) = self.connection.poll_transmit() {
            match write_within(&self.socket, bytes, limit.saturating_sub(started.elapsed())) {
                Ok(n) => self.connection.transmitted(n),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // If the socket is broken, reading from it tells.
                Err(error) => return is_tick(&error),
            }
        }
        false
    }
}
