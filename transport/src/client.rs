//! `Client`: blocking, over a std `TcpStream`.

mod connect;
mod drive;
mod error;
#[cfg(all(test, shuttle))]
mod interleavings;
mod look_up;
mod patience;
mod pieces;
mod race;
mod shared;
mod stopper;
#[cfg(test)]
mod tests;
mod tries;

use std::fmt;
use std::mem;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatnio_core::transcript::Transcript;
use chatnio_core::{
    Answer, Conversation, Counters, Event, EventStorage, MOST_AT_ONCE, Request, RequestError, Session, State,
};

pub use self::error::ClientError;
pub use self::pieces::Pieces;
pub use self::stopper::Stopper;
pub use self::tries::Tries;
#[cfg(feature = "rest-calls")]
pub(crate) use self::tries::jitter;

use self::connect::Route;
use self::shared::Shared;
use crate::connection::Connection;
use crate::end::ConnectionEnd;
use crate::os::{TcpStream, read_within};
use crate::tls::TlsSession;

/// The longest that a call waits for the socket to take what it sends, and that one read waits while a stopper may stop the turn. A stop brings deadlines of its
/// own, which a thread that is in a read already does not know of.
const TICK: Duration = Duration::from_millis(100);

/// How long a client that is dropped mid-answer waits for the server to have read its stop.
const GOODBYE: Duration = Duration::from_millis(250);

/// A blocking client: a std `TcpStream` and a [`Connection`], nothing else.
///
/// ```no_run
/// use chatnio::{Auth, Client, ConnectionConfig, Request};
///
/// let mut client = Client::connect("wss://api.chatnio.net", Auth::new("sk-..."), &ConnectionConfig::default())?;
/// let mut pieces = client.ask(&Request::chat("hi").model("gpt-4"))?;
/// for piece in &mut pieces {
///     print!("{}", piece?);
/// }
/// println!("{:?}", pieces.answer());
/// # Ok::<(), chatnio::ClientError>(())
/// ```
///
/// Nothing is sent or received while no call is under way: a client that idles for long is kept alive by
/// [`next_within`](Self::next_within), or reconnects.
pub struct Client {
    route: Route,
    shared: Arc<Shared>,
    stopper: Stopper,
    /// Read from without the lock.
    socket: TcpStream,
    input: Vec<u8>,
    /// What the last event borrows from.
    storage: EventStorage,
    /// When the last read was over.
    now: Duration,
    /// An event that no call could return.
    pending: Option<Event<'static>>,
    /// Why the last reconnect failed, where the connection itself cannot tell.
    failed: Option<ClientError>,
    /// Whether an answer was left before its end, which nobody waits for.
    abandoned: bool,
    /// Whether a signal ends a wait.
    interruptible: bool,
    /// Whether to say goodbye when dropped.
    polite: bool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("route", &self.route)
            .field("connection", &self.shared.lock().connection)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Asks, and iterates over the pieces of the answer as they come. An answer that was left before its end is
    /// drained first: its stop was sent when it was left, so that is bounded by
    /// [`Config::after_stop`](chatnio_core::Config::after_stop).
    ///
    /// # Errors
    /// [`ClientError::Request`], and [`ClientError::Ended`] when the connection is gone.
    pub fn ask(&mut self, request: &Request) -> Result<Pieces<'_>, ClientError> {
        let kind = request.kind();
        if !kind.begins_turn() {
            return Err(ClientError::NotAnswered { kind });
        }
        self.request(request)?;
        Ok(Pieces::new(self.turn(), self))
    }

    /// Sends a request without waiting for its answer; [`next`](Self::next) then brings its events. One that is held
    /// ([`Config::settle`](chatnio_core::Config::settle)) goes out in a later call, which may be [`close`](Self::close). As
    /// for [`ask`](Self::ask), an answer that was left before its end is drained first.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn request(&mut self, request: &Request) -> Result<(), ClientError> {
        while self.abandoned && self.next()?.is_some() && self.state() == State::Stopping {}
        self.abandoned = false;
        self.look_for_end()?;
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let now = self.shared.now();
        let mut inner = self.shared.lock();
        let sent = inner.connection.request(now, request);
        if let (Err(RequestError::Closed), Some(end)) = (&sent, inner.connection.end())
            && *end != ConnectionEnd::Clean
        {
            return Err(end.clone().into());
        }
        sent?;
        inner.write(TICK);
        Ok(())
    }

    /// Takes in what a draining turn waits for: its end may be here, and nobody else looks.
    fn look_for_end(&mut self) -> Result<(), ClientError> {
        if self.state() != State::Draining {
            return Ok(());
        }
        // The last event's storage belongs to whoever has it; what is passed over here nobody sees.
        let storage = mem::take(&mut self.storage);
        let found = self.uninterrupted(|client| {
            for _ in 0..MOST_AT_ONCE {
                if client.state() != State::Draining || client.next_within(Duration::ZERO)?.is_none() {
                    break;
                }
            }
            Ok(())
        });
        self.storage = storage;
        found
    }

    /// Whether a signal that this thread handles ends a wait, with [`ClientError::Signal`]: for hosts whose handlers
    /// only set a flag, and that look at it between two waits. Off. Connecting, closing and sending are bounded, and not
    /// interrupted.
    pub fn set_interruptible(&mut self, on: bool) {
        self.interruptible = on;
    }

    fn uninterrupted<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        let interruptible = mem::replace(&mut self.interruptible, false);
        let result = body(self);
        self.interruptible = interruptible;
        result
    }

    /// Waits for the running turn's next event; `None` when no turn runs (what an interrupted one still sends is taken
    /// in by [`next_within`](Self::next_within)). The turn's deadlines bound the wait.
    ///
    /// # Errors
    /// [`ClientError::Ended`] when the connection was lost or closed by the server, from then on at every call; the
    /// running turn's end came before. After a [`reconnect`](Self::reconnect) that has failed, what that returned. When
    /// this side has closed it: `Ok(None)`.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Event<'_>>, ClientError> {
        let over = |connection: &Connection| matches!(connection.session().state(), State::Idle | State::Draining);
        self.wait(None, over)
    }

    /// Waits for any event, at most `timeout` long, also while no turn runs: an idle connection is kept alive by it.
    /// `None` when there was none.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn next_within(&mut self, timeout: Duration) -> Result<Option<Event<'_>>, ClientError> {
        self.wait(Some(timeout), |_| false)
    }

    /// Stops the running answer: see [`Session::stop`](chatnio_core::Session::stop). Its end comes by
    /// [`next`](Self::next).
    ///
    /// # Errors
    /// [`ClientError::Request`] when the connection is gone.
    pub fn stop(&mut self) -> Result<bool, ClientError> {
        Ok(self.shared.stop()?)
    }

    /// A handle that stops the answer or closes the connection from another thread.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Closes the connection in an orderly way, bounded by [`ConnectionConfig::close`](crate::ConnectionConfig::close). Returns the running turn's
    /// answer so far, interrupted, if one ran. Afterwards the client can only [`reconnect`](Self::reconnect).
    ///
    /// # Errors
    /// [`ClientError::Ended`] when the connection was lost instead, and no turn ran.
    pub fn close(&mut self) -> Result<Option<Box<Answer>>, ClientError> {
        self.uninterrupted(Self::close_now)
    }

    fn close_now(&mut self) -> Result<Option<Box<Answer>>, ClientError> {
        {
            let now = self.shared.now();
            let mut inner = self.shared.lock();
            inner.connection.close(now);
            inner.write(TICK);
        }
        let mut answer = None;
        loop {
            match self.wait(None, |_| false) {
                Ok(Some(Event::End(end))) => answer = Some(end.answer),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(answer),
                // Nothing that was received is lost for it.
                Err(_) if answer.is_some() => return Ok(answer),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether to say goodbye when dropped. On. Off, the client is dropped without a word to the server: no stop, no
    /// Close, no I/O but the closing of its descriptors, as for a forked child, which shares the connection with its
    /// parent.
    pub fn set_polite(&mut self, on: bool) {
        self.polite = on;
    }

    /// How the connection has ended; `None` while it has not. [`ConnectionEnd::Clean`] also where a reconnect never came
    /// to a new one.
    pub fn end(&self) -> Option<ConnectionEnd> {
        self.shared.lock().connection.end().cloned()
    }

    /// What the session is doing.
    pub fn state(&self) -> State {
        self.shared.lock().connection.session().state()
    }

    /// Which conversation the connection is in, as far as the server has said.
    pub fn conversation(&self) -> Conversation {
        self.shared.lock().connection.session().conversation()
    }

    /// What the session has counted.
    pub fn counters(&self) -> Counters {
        self.shared.lock().connection.session().counters()
    }

    /// Looks at the session: the running answer, for instance. Stoppers wait meanwhile.
    pub fn with_session<T>(&self, look: impl FnOnce(&Session) -> T) -> T {
        look(self.shared.lock().connection.session())
    }

    /// About how many bytes are held: see [`Connection::memory`].
    pub fn memory(&self) -> usize {
        self.shared.lock().connection.memory() + self.input.len() + self.storage.memory()
    }

    /// A copy of what was sent and received so far, without tokens, if [`Config::record`](chatnio_core::Config::record) is on.
    /// Of this connection: a reconnect begins a new one.
    pub fn transcript(&self) -> Option<Transcript> {
        self.shared.lock().connection.transcript().cloned()
    }

    /// What the server has shown in its TLS handshake; `None` without TLS.
    pub fn tls(&self) -> Option<TlsSession> {
        self.shared.lock().connection.tls()
    }

    /// The number of the running turn.
    fn turn(&self) -> Option<u64> {
        self.shared.lock().connection.session().answer().map(|answer| answer.turn)
    }
}

impl Drop for Client {
    /// Says goodbye as well as is possible at once. An answer that is still running is stopped first, and the server
    /// is given a moment to read that: a socket closed on unread input takes back what was sent last.
    fn drop(&mut self) {
        if !self.polite {
            return;
        }
        let now = self.shared.now();
        {
            let mut inner = self.shared.lock();
            let stopped = inner.connection.session().answer().is_some();
            let _ = inner.connection.stop(now);
            inner.connection.close_at_once(now);
            inner.write(TICK);
            let _ = inner.socket.shutdown(Shutdown::Write);
            if !stopped {
                return;
            }
        }
        let until = Instant::now() + GOODBYE;
        while let Ok(1..) =
            read_within(&self.socket, &mut self.input, until.saturating_duration_since(Instant::now()), false)
        {
            if Instant::now() >= until {
                break;
            }
        }
    }
}
