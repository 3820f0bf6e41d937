//! `Stopper`: stops and closes a client from another task or thread.

use std::sync::{Arc, Weak};

use crate::shared::Shared;

/// Stops a [`Client`](crate::Client)'s answer, or closes it, from anywhere: another task, or a thread outside of the runtime.
/// It keeps nothing alive, and does nothing once the client is gone.
#[derive(Debug, Clone)]
pub struct Stopper(Weak<Shared>);

impl Stopper {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Stopper(Arc::downgrade(shared))
    }

    /// Asks the server to end the running answer; its end comes to its stream. Returns whether a stop was sent: not when no
    /// turn runs, or it has had its stop.
    pub fn stop(&self) -> bool {
        self.0.upgrade().is_some_and(|shared| shared.stop())
    }

    /// Closes the connection in an orderly way. The stream of a running answer gets its end; a reconnect that is under way
    /// ends by [`ClientError::Ended`](crate::ClientError::Ended).
    pub fn close(&self) {
        if let Some(shared) = self.0.upgrade() {
            shared.close();
        }
    }
}
