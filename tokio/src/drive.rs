//! Reading, writing and waiting, for one connection.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use chatnio::Connection;
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::deputy::may_rest;
use crate::shared::{Inner, Shared};

/// What a read brings at most.
const INPUT: usize = 16 * 1024;

/// What to wait for.
struct Wait {
    reads: bool,
    writes: bool,
    deadline: Option<Instant>,
}

/// Drives a connection over its socket until `is_done`, or until it is over.
pub(crate) async fn drive(shared: &Shared, socket: &TcpStream, is_done: impl Fn(&Connection) -> bool) {
    let mut timer = pin!(sleep_until(Instant::now()));
    let mut has_ended = false;
    loop {
        let wait = {
            let mut inner = shared.lock();
            let has_changed = step(&mut inner, socket, &mut has_ended);
            let writes = inner.write();
            if has_changed {
                shared.changed();
            }
            let has_more = inner.has_more && !inner.clock.is_stopped();
            let is_over = has_ended && !inner.has_more && inner.connection.end().is_some();
            if inner.connection.is_finished() || is_over || is_done(&inner.connection) {
                return;
            }
            let deadline = inner.connection.next_deadline().filter(|_| !inner.clock.is_stopped());
            let wait = Wait {
                reads: !inner.clock.is_stopped() && !has_ended,
                writes,
                deadline: deadline.and_then(|at| inner.clock.instant(at)),
            };
            // Who waits looks before more is read: there may always be more, of which nothing is for anybody.
            (!has_more && !has_changed).then_some(wait)
        };
        match wait {
            Some(wait) => until(shared, socket, timer.as_mut(), wait).await,
            None => yield_now().await,
        }
    }
}

/// Takes in what the socket has, once what came before is handed out; then does what is due, and hands out what has happened.
/// Whether something may have changed for who waits.
fn step(inner: &mut Inner, socket: &TcpStream, has_ended: &mut bool) -> bool {
    if inner.is_held() {
        return false;
    }
    inner.clock.go_on();
    let now = inner.clock.now();
    let mut input = [0; INPUT];
    if !*has_ended && !inner.has_more {
        match socket.try_read(&mut input) {
            Ok(0) => {
                *has_ended = true;
                inner.connection.handle_eof(now);
            }
            Ok(count) => {
                let taken = inner.connection.receive(now, &input[..count]);
                debug_assert!(taken.is_ok(), "nothing is read before what came is handed out");
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => {
                *has_ended = true;
                inner.connection.handle_error(now, error.kind());
            }
        }
    }
    inner.connection.handle_due(now);
    let has_changed = inner.pump();
    if inner.is_held() {
        // What is late from now on is not the server's fault.
        inner.clock.stop();
    }
    has_changed
}

/// Waits until there may be something to do. Deadlines move with every frame: a timer that runs out too early just looks
/// again.
async fn until(shared: &Shared, socket: &TcpStream, mut timer: Pin<&mut Sleep>, wait: Wait) {
    if let Some(at) = wait.deadline
        && (at < timer.deadline() || timer.is_elapsed())
    {
        timer.as_mut().reset(at);
    }
    let mut woken = pin!(shared.wake.notified());
    poll_fn(|context| {
        let is_ready = woken.as_mut().poll(context).is_ready()
            || (wait.reads && socket.poll_read_ready(context).is_ready())
            || (wait.writes && socket.poll_write_ready(context).is_ready())
            || (wait.deadline.is_some() && timer.as_mut().poll(context).is_ready());
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Drives an open connection to its end, in a task of its own.
pub(crate) fn spawn(shared: &Arc<Shared>, socket: Arc<TcpStream>) {
    // Made before the task: one that is never run is ended as well.
    let driver = Driver { shared: shared.clone(), socket };
    let task = tokio::spawn(async move { drive(&driver.shared, &driver.socket, |_| false).await });
    let mut inner = shared.lock();
    inner.task = Some(task.abort_handle());
    inner.home = may_rest();
}

/// A task's hold on its connection.
struct Driver {
    shared: Arc<Shared>,
    socket: Arc<TcpStream>,
}

impl Drop for Driver {
    /// Whether it is over, or the runtime is: nothing more comes, and whoever waits is told so.
    fn drop(&mut self) {
        let mut inner = self.shared.lock();
        if inner.socket.as_ref().is_some_and(|socket| Arc::ptr_eq(socket, &self.socket)) {
            inner.socket = None;
            inner.resume();
            let now = inner.clock.now();
            inner.connection.handle_error(now, ErrorKind::Other);
            inner.pump_all();
            drop(inner);
            self.shared.changed();
        }
    }
}
