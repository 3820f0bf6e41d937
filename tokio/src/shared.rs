//! What a client, its streams, its stoppers and the task of its connection share.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use chatnio::{ClientError, Connection, ConnectionEnd, ConnectionEvent, Event, EventStorage, MOST_AT_ONCE};
use tokio::net::TcpStream;
use tokio::runtime::Id;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::clock::Clock;
use crate::deputy::Deputy;
use crate::turn::{Item, Turn};

#[derive(Debug)]
pub(crate) struct Shared {
    inner: Mutex<Inner>,
    /// Tells the task that something is to be done.
    pub(crate) wake: Notify,
    /// Tells who waits that something has changed.
    changed: Notify,
}

/// Locked only for as long as it takes to change it: never over an `await`.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) connection: Connection,
    storage: EventStorage,
    /// Whether the connection may have more events.
    pub(crate) has_more: bool,
    pub(crate) clock: Clock,
    /// The last question's.
    pub(crate) turn: Option<Arc<Turn>>,
    /// The socket, while there is one.
    pub(crate) socket: Option<Arc<TcpStream>>,
    /// What drives the connection.
    pub(crate) task: Option<AbortHandle>,
    /// That task's runtime, if it may rest while others wait.
    pub(crate) home: Option<Id>,
    /// Why the last reconnect failed, where the connection itself cannot tell.
    pub(crate) failed: Option<ClientError>,
    /// Whether this side has closed it.
    pub(crate) is_closing: bool,
}

impl Shared {
    pub(crate) fn new(connection: Connection, clock: Clock) -> Self {
        let inner = Inner {
            connection,
            storage: EventStorage::new(),
            has_more: false,
            clock,
            turn: None,
            socket: None,
            task: None,
            home: None,
            failed: None,
            is_closing: false,
        };
        Shared { inner: Mutex::new(inner), wake: Notify::new(), changed: Notify::new() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held; if something did, a broken connection would say so itself.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done` says that something is so.
    pub(crate) async fn until(&self, done: impl Fn(&Inner) -> bool) {
        let mut deputy = Deputy::default();
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if done(&self.lock()) {
                return;
            }
            poll_fn(|context| {
                let has_changed = changed.as_mut().poll(context).is_ready();
                if has_changed { Poll::Ready(()) } else { deputy.poll(self, context) }
            })
            .await;
        }
    }

    /// Tells who waits that something may have changed.
    pub(crate) fn changed(&self) {
        self.changed.notify_waiters();
    }

    /// Sends what there is to be sent, and has the task look after the rest.
    fn go_on(&self, mut inner: MutexGuard<'_, Inner>) {
        inner.write();
        drop(inner);
        self.wake.notify_one();
    }

    /// Does something to the connection, and sends what comes of it.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Inner, Duration) -> T) -> T {
        let mut inner = self.lock();
        inner.clock.go_on();
        let now = inner.clock.now();
        let result = change(&mut inner, now);
        self.go_on(inner);
        result
    }

    /// Stops the running answer. What waits for a slow reader must not hide its end from the stop's deadline.
    pub(crate) fn stop(&self) -> bool {
        self.with(|inner, now| {
            inner.resume();
            inner.connection.stop(now).unwrap_or(false)
        })
    }

    /// Closes the connection, if it has not ended.
    pub(crate) fn close(&self) {
        self.close_by(Connection::close);
    }

    fn close_by(&self, close: impl FnOnce(&mut Connection, Duration)) {
        self.with(|inner, now| {
            inner.is_closing = true;
            inner.resume();
            close(&mut inner.connection, now);
        });
        self.changed();
    }

    /// Stops the answer of this turn, if that has not ended.
    pub(crate) fn stop_turn(&self, turn: &Turn) -> bool {
        self.with(|inner, now| {
            // Another turn may run by now.
            if turn.is_over() {
                return false;
            }
            inner.resume();
            inner.connection.stop(now).unwrap_or(false)
        })
    }

    /// Nobody wants what still comes of this turn.
    pub(crate) fn leave(&self, turn: &Turn) {
        turn.leave();
        self.stop_turn(turn);
    }

    /// What comes next of a turn; nothing behind its end.
    pub(crate) fn poll_take(&self, turn: &Turn, context: &mut Context<'_>) -> Poll<Option<Item>> {
        let Poll::Ready((item, goes_on)) = turn.poll_take(context) else { return Poll::Pending };
        if goes_on {
            self.wake.notify_one();
        }
        Poll::Ready(item)
    }
}

impl Inner {
    /// Hands out all that has happened, where nobody goes on with it.
    pub(crate) fn pump_all(&mut self) {
        self.pump();
        while self.has_more {
            self.pump();
        }
    }

    /// Hands out some of what has happened: then the reader takes it, others have their turn, and what is late is looked at.
    /// Whether something may have changed for who waits.
    pub(crate) fn pump(&mut self) -> bool {
        let now = self.clock.now();
        let mut has_changed = false;
        for _ in 0..MOST_AT_ONCE {
            let event = self.connection.poll_event(now, &mut self.storage);
            self.has_more = event.is_some();
            let Some(event) = event else { break };
            match event {
                ConnectionEvent::Session(event) => {
                    has_changed |= matches!(event, Event::End(_));
                    if let Some(turn) = &self.turn {
                        turn.add(event, self.connection.end(), self.is_closing);
                    }
                }
                _ => has_changed = true,
            }
        }
        has_changed
    }

    /// An end that the connection has handed out by itself.
    pub(crate) fn ended(&mut self, event: Option<Event<'static>>) {
        if let (Some(turn), Some(event)) = (&self.turn, event) {
            turn.add(event, None, self.is_closing);
        }
    }

    /// Writes what is to be written, as far as the socket takes it. Whether there is more.
    pub(crate) fn write(&mut self) -> bool {
        let Some(socket) = &self.socket else { return false };
        while let Some(bytes) = self.connection.poll_transmit() {
            match socket.try_write(bytes) {
                Ok(count) => self.connection.transmitted(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                // If the socket is broken, reading from it tells.
                Err(_) => return false,
            }
        }
        false
    }

    /// Whether the reader of the running turn is so far behind that nothing more is read.
    pub(crate) fn is_held(&self) -> bool {
        !self.is_closing && self.turn.as_ref().is_some_and(|turn| turn.is_full())
    }

    /// Lets the socket be read, whatever waits for a reader.
    pub(crate) fn resume(&mut self) {
        if let Some(turn) = &self.turn {
            turn.resume();
        }
        self.clock.go_on();
    }

    /// Gives up the socket, without a word.
    pub(crate) fn abandon(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        self.home = None;
        self.socket = None;
    }

    /// Why there is no connection; `None` while there is one.
    pub(crate) fn why_ended(&self) -> Option<ClientError> {
        let end = || self.connection.end().filter(|end| **end != ConnectionEnd::Clean).cloned();
        self.failed.clone().or_else(|| end().map(ClientError::Ended))
    }
}

/// A client's, or a stream's: when the last of them is dropped, the connection is closed.
#[derive(Debug, Clone)]
pub(crate) struct Handle(Arc<Owner>);

#[derive(Debug)]
struct Owner(Arc<Shared>);

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Handle(Arc::new(Owner(shared)))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }
}

impl Deref for Handle {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0.0
    }
}

impl Drop for Owner {
    /// Says goodbye: an answer that still runs is stopped first. The task sees to the rest, if the runtime lasts: so nothing
    /// is held any more.
    fn drop(&mut self) {
        self.0.stop();
        self.0.close_by(Connection::close_at_once);
    }
}
