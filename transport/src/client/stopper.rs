//! `Stopper`: stops and closes a client from another thread.

use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, Weak};

use super::TICK;
use super::shared::Shared;
use crate::os::Mutex;

/// Stops a [`Client`](super::Client)'s answer, or closes it, from another thread. It may be there before the client
/// ([`Client::connect_with`](super::Client::connect_with)), may outlive it, and does nothing without one.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<Slot>);

#[derive(Debug)]
struct Slot {
    /// Whether what is being connected is unwanted.
    is_closed: AtomicBool,
    client: Mutex<Weak<Shared>>,
}

impl Default for Stopper {
    fn default() -> Self {
        Self::new()
    }
}

impl Stopper {
    /// A stopper for a client that is still to be made.
    #[must_use]
    pub fn new() -> Self {
        Stopper(Arc::new(Slot { is_closed: AtomicBool::new(false), client: Mutex::new(Weak::new()) }))
    }

    /// Stops the running answer at once; its end comes to the thread that reads. Returns whether a stop was sent:
    /// not when no turn runs, it has had its stop, or there is no client.
    pub fn stop(&self) -> bool {
        self.client().is_some_and(|shared| shared.stop().unwrap_or(false))
    }

    /// Closes the connection at once. A thread that reads gets the running turn's end, and then `None`; one that
    /// connects or reconnects gets [`ClientError::Ended`](super::ClientError::Ended) within a moment.
    pub fn close(&self) {
        self.0.is_closed.store(true, Ordering::SeqCst);
        if let Some(shared) = self.client() {
            let now = shared.now();
            let mut inner = shared.lock();
            inner.is_unwanted = true;
            inner.connection.close_at_once(now);
            inner.write(TICK);
            // Wakes the thread that reads.
            let _ = inner.socket.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.is_closed.load(Ordering::SeqCst)
    }

    /// What is closed from now on is the next connection.
    pub(super) fn reopen(&self) {
        self.0.is_closed.store(false, Ordering::SeqCst);
    }

    /// Makes it that client's. False when it was closed before.
    pub(super) fn bind(&self, shared: &Arc<Shared>) -> bool {
        *self.0.client.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(shared);
        !self.is_closed()
    }

    fn client(&self) -> Option<Arc<Shared>> {
        self.0.client.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }
}
