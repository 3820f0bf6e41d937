//! `Stopper`: stops and closes a client from another thread.

use std::net::Shutdown;
use std::sync::Weak;

use super::shared::Shared;

/// Stops a [`Client`](super::Client)'s answer, or closes it, from another thread. It may outlive the client and then does nothing.
#[derive(Debug, Clone)]
pub struct Stopper(pub(super) Weak<Shared>);

impl Stopper {
    /// Stops the running answer at once; its end comes to the thread that reads. Returns whether a stop was sent:
    /// not when no turn runs, it has had its stop, or the client is gone.
    pub fn stop(&self) -> bool {
        self.0.upgrade().is_some_and(|shared| shared.stop().unwrap_or(false))
    }

    /// Closes the connection at once. A thread that reads gets the running turn's end, and then `None`; one that
    /// reconnects gets [`ClientError::Ended`](super::ClientError::Ended), after the name look-up or connect that it is in.
    pub fn close(&self) {
        if let Some(shared) = self.0.upgrade() {
            let now = shared.now();
            let mut inner = shared.lock();
            inner.is_unwanted = true;
            inner.connection.close(now);
            inner.write();
            // Wakes the thread that reads.
            let _ = inner.socket.shutdown(Shutdown::Both);
        }
    }
}
