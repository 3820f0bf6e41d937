//! Reading and writing until something arrives.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use chatnio_core::{End, Event, MOST_AT_ONCE, State};

use super::{Client, ClientError, TICK};
use crate::connection::{Connection, Taken};
use crate::end::ConnectionEnd;
use crate::os::read_within;

/// What a read brings at most; one that brings less than the smaller does not need more.
const INPUT: [usize; 2] = [16 * 1024, 64 * 1024];

impl Client {
    /// Room for what one read brings.
    pub(super) fn input() -> Vec<u8> {
        vec![0; INPUT[0]]
    }

    /// What could not be handed out before, or else what [`drive`](Self::drive) brings.
    #[inline]
    pub(super) fn wait(
        &mut self,
        timeout: Option<Duration>,
        done: impl Fn(&Connection) -> bool,
    ) -> Result<Option<Event<'_>>, ClientError> {
        if self.pending.is_some() {
            return Ok(self.pending.take());
        }
        match &self.failed {
            Some(error) => Err(error.clone()),
            None => self.drive(timeout, done),
        }
    }

    /// Waits for the running turn's end, at most `timeout` long (`None`: as long as its deadlines let it), and passes
    /// over its pieces: the answer has gathered them. `None` when the time was over first, or when no turn runs; then it
    /// does not wait. `take` makes of the end what is wanted.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn wait_for_end<T>(
        &mut self,
        timeout: Option<Duration>,
        take: impl FnOnce(End<'_>) -> T,
    ) -> Result<Option<T>, ClientError> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        // When the time is over, the events that have come already are still passed over.
        let mut late = 0;
        while late <= MOST_AT_ONCE {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let runs = !matches!(self.state(), State::Idle | State::Draining);
            late += usize::from(!runs || left == Some(Duration::ZERO));
            match self.wait(if runs { left } else { Some(Duration::ZERO) }, |_| false)? {
                None => return Ok(None),
                Some(Event::End(end)) => return Ok(Some(take(end))),
                Some(_) => {}
            }
        }
        Ok(None)
    }

    /// Drives the connection until something arrives; `None` when `timeout` is over, when `done` says that nothing
    /// will, or when this side has closed it.
    ///
    /// The lock is held once for each event and for each read: input that waits is not waited for, and the clock stands
    /// still meanwhile. What is late is looked at behind a read, not before: what it waits for may have come. Between events
    /// nothing is waited for: a socket that takes nothing is looked at again when there is nothing to be read.
    pub(super) fn drive(
        &mut self,
        timeout: Option<Duration>,
        done: impl Fn(&Connection) -> bool,
    ) -> Result<Option<Event<'_>>, ClientError> {
        let mut until = None;
        let mut read = None;
        let mut has_read = false;
        let (mut inner, taken, waits) = loop {
            let mut inner = self.shared.lock();
            // For the socket to take it.
            let waits = inner.connection.poll_transmit().is_some();
            if let Some(read) = read.take() {
                inner.take_in(self.now, read, &self.input);
                has_read = true;
            }
            match inner.connection.take(self.now, &mut self.storage) {
                None | Some(Taken::Open | Taken::Closed) => {}
                Some(taken) => break (inner, taken, waits),
            }
            let writes = inner.write(Duration::ZERO);
            if let Some(end) = inner.connection.end() {
                // Or the server would wait for ours, for as long as the client is held.
                let _ = inner.socket.shutdown(Shutdown::Both);
                return if *end == ConnectionEnd::Clean { Ok(None) } else { Err(end.clone().into()) };
            }
            if done(&inner.connection) {
                return Ok(None);
            }
            self.now = self.shared.now();
            let mut limit = longest_wait(&inner.connection, self.now);
            drop(inner);
            if let Some(timeout) = timeout {
                let now = self.now;
                let left = until.get_or_insert_with(|| now.saturating_add(timeout)).saturating_sub(now);
                if left.is_zero() && has_read {
                    return Ok(None);
                }
                limit = limit.min(left);
            }
            let result = read_within(&self.socket, &mut self.input, limit, writes);
            self.now = self.shared.now();
            match &result {
                Err(error) if error.kind() == ErrorKind::Interrupted && self.interruptible => {
                    return Err(ClientError::Signal);
                }
                _ => read = Some(result),
            }
        };
        if matches!(taken, Taken::Due) {
            // A frame of a message that may hold very many.
            self.now = self.shared.now();
        }
        let event = inner.connection.session_event(self.now, taken, &mut self.storage);
        if !waits {
            inner.write(Duration::ZERO);
        }
        Ok(event)
    }
}

/// How long a read may wait without being told what has changed meanwhile.
pub(super) fn longest_wait(connection: &Connection, now: Duration) -> Duration {
    let longest = match connection.session().state() {
        // Nobody else changes anything then, unless by closing.
        State::Idle | State::Stopping | State::Draining | State::Closed => Duration::MAX,
        // A stopper gives it other deadlines.
        _ => TICK,
    };
    let due = connection.next_deadline().map_or(Duration::MAX, |deadline| deadline.saturating_sub(now));
    longest.min(due)
}

/// Whether an I/O error only says that the time is over (the second is Windows').
pub(super) fn is_tick(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
