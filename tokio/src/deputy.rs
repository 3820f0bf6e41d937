//! The deadlines of a connection whose runtime rests.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::runtime::{Handle, Id, RuntimeFlavor};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::shared::{Inner, Shared};

/// The runtime that this is called on, if that may rest while others wait: one of a single thread runs only within its
/// `block_on`.
pub(crate) fn may_rest() -> Option<Id> {
    let home = Handle::current();
    (home.runtime_flavor() == RuntimeFlavor::CurrentThread).then(|| home.id())
}

/// Keeps a connection's deadlines in the place of its task, for who waits for something on another runtime: so that waiting
/// has an end although nothing runs that task.
#[derive(Debug, Default)]
pub(crate) struct Deputy {
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deputy {
    /// Waits for a deadline and sees to it: then something may have changed. On the connection's own runtime never.
    pub(crate) fn poll(&mut self, shared: &Shared, context: &mut Context<'_>) -> Poll<()> {
        let Some(at) = shared.lock().deputed() else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        ready!(timer.as_mut().poll(context));
        shared.lock().run_out();
        shared.changed();
        Poll::Ready(())
    }
}

impl Inner {
    /// The next deadline, if it is to be kept here: the connection's task is another runtime's that may rest.
    fn deputed(&mut self) -> Option<Instant> {
        let home = self.home?;
        // Outside of every runtime there are no timers.
        if Handle::try_current().ok()?.id() == home || self.is_held() {
            return None;
        }
        // As the task does once the reader has caught up.
        self.clock.go_on();
        self.clock.instant(self.connection.next_deadline()?)
    }

    /// Does what is due, as the task would.
    fn run_out(&mut self) {
        let now = self.clock.now();
        // That runtime may run after all, and have been faster: then nothing is.
        self.connection.handle_due(now);
        self.pump();
        self.write();
        if self.connection.end().is_some() {
            self.abandon();
        }
    }
}
