//! Reading and writing until something arrives.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use chatnio_core::{Event, State};

use super::{Client, ClientError, TICK};
use crate::connection::{Arrival, Connection, ConnectionEnd};
use crate::os::read_within;

impl Client {
    /// What could not be handed out before, or else what [`drive`](Self::drive) brings.
    pub(super) fn wait(
        &mut self,
        timeout: Option<Duration>,
        done: impl Fn(&Connection) -> bool,
    ) -> Result<Option<Arrival>, ClientError> {
        match (self.pending.take(), &self.failed) {
            (Some(event), _) => Ok(Some(Arrival::Event(event))),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => self.drive(timeout, done),
        }
    }

    /// Drives the connection until something arrives; `None` when `timeout` is over, when `done` says that nothing
    /// will, or when this side has closed it.
    pub(super) fn drive(
        &mut self,
        timeout: Option<Duration>,
        done: impl Fn(&Connection) -> bool,
    ) -> Result<Option<Arrival>, ClientError> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut has_read = false;
        loop {
            let now = self.shared.now();
            self.now = now;
            let mut limit;
            {
                let mut inner = self.shared.lock();
                let arrival = inner.connection.advance(now);
                inner.write();
                match arrival {
                    None | Some(Arrival::Open | Arrival::Closed(_)) => {}
                    arrival => return Ok(arrival),
                }
                if let Some(end) = inner.connection.end() {
                    // Or the server would wait for ours, for as long as the client is held.
                    let _ = inner.socket.shutdown(Shutdown::Both);
                    return if *end == ConnectionEnd::Clean { Ok(None) } else { Err(end.clone().into()) };
                }
                if done(&inner.connection) {
                    return Ok(None);
                }
                limit = longest_wait(&inner.connection, now);
            }
            if let Some(until) = until {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() && has_read {
                    return Ok(None);
                }
                limit = limit.min(left);
            }
            self.read(limit)?;
            has_read = true;
        }
    }

    /// Waits for input, at most `limit`, and takes it in; then does what is due. A stopper that closes ends the wait: it
    /// shuts the socket down.
    fn read(&mut self, limit: Duration) -> Result<(), ClientError> {
        let read = read_within(&self.socket, &mut self.input, limit);
        let now = self.shared.now();
        let mut inner = self.shared.lock();
        let connection = &mut inner.connection;
        match read {
            Ok(0) => connection.handle_eof(now),
            Ok(n) => connection.receive(now, &self.input[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted && self.interruptible => {
                return Err(ClientError::Signal);
            }
            Err(error) if is_tick(&error) || error.kind() == ErrorKind::Interrupted => {}
            Err(error) => connection.handle_error(now, error.kind()),
        }
        if connection.next_deadline().is_some_and(|deadline| deadline <= now) {
            connection.handle_timeout(now);
        }
        Ok(())
    }

    /// The event that an arrival is.
    pub(super) fn event(&mut self, arrival: Arrival) -> Event<'_> {
        let now = self.now;
        let mut inner = self.shared.lock();
        match arrival {
            // Kept by the client, so that the event need not keep the lock.
            Arrival::Text(text) => inner.connection.receive_in(now, text, &mut self.storage),
            Arrival::Binary => inner.connection.receive_binary(now),
            Arrival::Event(event) => event,
            Arrival::Open | Arrival::Closed(_) => unreachable!("wait keeps them"),
        }
    }
}

/// How long a read may wait without being told what has changed meanwhile.
pub(super) fn longest_wait(connection: &Connection, now: Duration) -> Duration {
    if connection.poll_transmit().is_some() {
        return Duration::ZERO;
    }
    let longest = match connection.session().state() {
        State::Asking | State::Answering => TICK,
        // Nobody else changes anything but by closing.
        _ => Duration::MAX,
    };
    let due = connection.next_deadline().map_or(Duration::MAX, |deadline| deadline.saturating_sub(now));
    longest.min(due)
}

/// Whether an I/O error only says that the time is over (the second is Windows').
pub(super) fn is_tick(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
