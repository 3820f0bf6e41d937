//! `Client`: asks, and what it is asked about itself.

use std::sync::Arc;

use chatnio::transcript::Transcript;
use chatnio::{ClientError, ConnectionEnd, Conversation, Counters, Request, RequestError, Session, State, TlsSession};

use crate::dial::Route;
use crate::shared::Handle;
use crate::stopper::Stopper;
use crate::streams::{Events, Pieces};
use crate::turn::{Turn, Wants};

/// A client on tokio: a `TcpStream` and a [`Connection`](chatnio::Connection), and a task that drives them.
///
/// It asks one question at a time; any number of clients work side by side. The connection is kept alive, and what arrives is
/// taken in, as long as its runtime runs.
#[derive(Debug)]
pub struct Client {
    pub(crate) route: Route,
    pub(crate) handle: Handle,
}

impl Client {
    /// Asks, and returns the pieces of the answer as they come. An answer that was left before its end is waited for first:
    /// its stop was sent when it was left, so that is bounded by [`Config::after_stop`](chatnio::Config::after_stop).
    ///
    /// # Errors
    /// [`ClientError::Request`], [`ClientError::NotAnswered`], and [`ClientError::Ended`] when the connection is gone; nothing
    /// was sent.
    pub async fn ask(&mut self, request: &Request) -> Result<Pieces, ClientError> {
        let turn = self.begin(request, Wants::Pieces).await?;
        Ok(Pieces::new(self.handle.clone(), turn))
    }

    /// [`ask`](Self::ask) for who wants to know everything that happens meanwhile.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn events(&mut self, request: &Request) -> Result<Events, ClientError> {
        let turn = self.begin(request, Wants::Events).await?;
        Ok(Events::new(self.handle.clone(), turn))
    }

    async fn begin(&mut self, request: &Request, wants: Wants) -> Result<Arc<Turn>, ClientError> {
        let kind = request.kind();
        if !kind.begins_turn() {
            return Err(ClientError::NotAnswered { kind });
        }
        let turn = Arc::new(Turn::new(wants));
        self.send(request, Some(&turn)).await?;
        Ok(turn)
    }

    /// Sends a request that is not answered. As for [`ask`](Self::ask), an answer that was left is waited for first.
    ///
    /// # Errors
    /// As [`ask`](Self::ask), and [`ClientError::Answered`] for a request that is answered.
    pub async fn request(&mut self, request: &Request) -> Result<(), ClientError> {
        let kind = request.kind();
        if kind.begins_turn() {
            return Err(ClientError::Answered { kind });
        }
        self.send(request, None).await
    }

    async fn send(&self, request: &Request, turn: Option<&Arc<Turn>>) -> Result<(), ClientError> {
        self.handle
            .until(|inner| {
                let is_left = inner.turn.as_ref().is_some_and(|turn| turn.is_draining());
                !is_left || inner.connection.session().state() != State::Stopping
            })
            .await;
        self.handle.with(|inner, now| {
            if let Some(error) = &inner.failed {
                return Err(error.clone());
            }
            match inner.connection.request(now, request) {
                Ok(()) => {
                    if let Some(turn) = turn {
                        inner.turn = Some(turn.clone());
                    }
                    Ok(())
                }
                Err(RequestError::Closed) => Err(inner.why_ended().unwrap_or(RequestError::Closed.into())),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Asks the server to end the running answer; its end comes to its stream. Returns whether a stop was sent: not when no
    /// turn runs, or it has had its stop.
    pub fn stop(&self) -> bool {
        self.handle.stop()
    }

    /// A handle that stops the answer or closes the connection from another task or thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper::new(self.handle.shared())
    }

    /// Closes the connection in an orderly way, bounded by [`ConnectionConfig::close`](chatnio::ConnectionConfig::close). A
    /// running answer ends interrupted, and its stream says so. Afterwards the client can only
    /// [`reconnect`](Self::reconnect).
    ///
    /// # Errors
    /// [`ClientError::Ended`] when the connection was lost instead.
    pub async fn close(&mut self) -> Result<(), ClientError> {
        self.handle.close();
        self.handle.until(|inner| inner.socket.is_none()).await;
        self.handle.lock().why_ended().map_or(Ok(()), Err)
    }

    /// How the connection has ended; `None` while it has not. [`ConnectionEnd::Clean`] also where a reconnect never came to a
    /// new one.
    #[must_use]
    pub fn end(&self) -> Option<ConnectionEnd> {
        self.handle.lock().connection.end().cloned()
    }

    /// What the session is doing.
    #[must_use]
    pub fn state(&self) -> State {
        self.with_session(Session::state)
    }

    /// Which conversation the connection is in, as far as the server has said.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        self.with_session(Session::conversation)
    }

    /// What the session has counted.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.with_session(Session::counters)
    }

    /// Looks at the session: the running answer so far, for instance. The connection waits meanwhile.
    pub fn with_session<T>(&self, look: impl FnOnce(&Session) -> T) -> T {
        look(self.handle.lock().connection.session())
    }

    /// A copy of what was sent and received so far, without tokens, if [`Config::record`](chatnio::Config::record) is on. Of
    /// this connection: a reconnect begins a new one.
    #[must_use]
    pub fn transcript(&self) -> Option<Transcript> {
        self.handle.lock().connection.transcript().cloned()
    }

    /// What the server has shown in its TLS handshake; `None` without TLS.
    #[must_use]
    pub fn tls(&self) -> Option<TlsSession> {
        self.handle.lock().connection.tls()
    }

    /// About how many bytes the connection holds: see [`Connection::memory`](chatnio::Connection::memory).
    #[must_use]
    pub fn memory(&self) -> usize {
        self.handle.lock().connection.memory()
    }
}
