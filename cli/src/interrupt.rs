//! Ctrl-C, and being told to go by SIGTERM or SIGHUP.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use chatnio::Stopper;

use crate::status::{Failure, Status};
use crate::terminal::Terminal;

/// How long a command that quits may take to say what it has to say.
const FAREWELL: Duration = Duration::from_secs(1);

/// The first Ctrl-C stops the running answer, the second quits; so does the first when there is nothing to stop. A
/// command that is told to go stops the answer and quits.
pub(crate) struct Interrupts(Arc<Shared>);

#[derive(Default)]
struct Shared {
    stopper: Mutex<Option<Stopper>>,
    /// The signal that came last.
    signal: Mutex<Option<Signal>>,
    /// Wakes a command that waits for input.
    wake: Mutex<Option<Box<dyn Fn() + Send>>>,
    quitting: AtomicBool,
    leaving: AtomicBool,
    terminal: Terminal,
}

impl Interrupts {
    /// Takes the signals over.
    pub(crate) fn install() -> Result<Self, Failure> {
        let shared = Arc::new(Shared::default());
        let handler = Arc::clone(&shared);
        handle(move |signal| handler.told(signal))?;
        Ok(Interrupts(shared))
    }

    /// There is an answer to stop now.
    pub(crate) fn watch(&self, stopper: Stopper) {
        *lock(&self.0.stopper) = Some(stopper);
    }

    /// There is nothing to stop any more.
    pub(crate) fn unwatch(&self) {
        *lock(&self.0.stopper) = None;
    }

    /// What wakes the command when it is to go while it waits for input: it then ends by itself.
    pub(crate) fn wake_by(&self, wake: impl Fn() + Send + 'static) {
        *lock(&self.0.wake) = Some(Box::new(wake));
    }

    /// Whether nothing more is to be asked.
    pub(crate) fn leaving(&self) -> bool {
        self.0.quitting.load(Ordering::SeqCst) || self.0.leaving.load(Ordering::SeqCst)
    }

    /// The status to end with after the signal that came last, if one came.
    pub(crate) fn status(&self) -> Option<Status> {
        lock(&self.0.signal).map(Signal::status)
    }

    pub(crate) fn terminal(&self) -> &Terminal {
        &self.0.terminal
    }

    /// Suspends the command, as Ctrl-Z does; for the line editor. Only unix can.
    pub(crate) fn suspend(&self) -> impl Fn() + Send + Sync + 'static {
        #[cfg_attr(not(unix), expect(unused_variables, reason = "it cannot be suspended"))]
        let shared = Arc::clone(&self.0);
        move || {
            #[cfg(unix)]
            shared.terminal.suspend();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn told(&self, signal: Signal) {
        if signal == Signal::Continue {
            #[cfg(unix)]
            self.terminal.continued();
            return;
        }
        *lock(&self.signal) = Some(signal);
        let stopper = lock(&self.stopper).clone();
        if let Some(stopper) = stopper {
            if signal != Signal::Interrupt {
                self.leaving.store(true, Ordering::SeqCst);
            }
            if stopper.stop() {
                return;
            }
            // The command ends by itself, recording included, unless it is stuck on its output.
            self.quitting.store(true, Ordering::SeqCst);
            stopper.close();
            thread::sleep(FAREWELL);
        } else if let Some(wake) = &*lock(&self.wake)
            && !self.leaving.swap(true, Ordering::SeqCst)
        {
            wake();
            thread::sleep(FAREWELL);
        }
        self.terminal.restore();
        process::exit(signal.status().code().into());
    }
}

/// What a command is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "only unix says the rest"))]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    HangUp,
    /// SIGCONT.
    Continue,
}

impl Signal {
    /// The status to end with.
    pub(crate) fn status(self) -> Status {
        match self {
            Signal::HangUp => Status::HungUp,
            Signal::Terminate => Status::Terminated,
            Signal::Interrupt | Signal::Continue => Status::Interrupted,
        }
    }
}

fn call(handler: &Mutex<impl FnMut(Signal)>, signal: Signal) {
    lock(handler)(signal);
}

/// Calls `handler` on each signal, in a thread of its own.
pub(crate) fn handle(handler: impl FnMut(Signal) + Send + 'static) -> Result<(), Failure> {
    let handler = Arc::new(Mutex::new(handler));
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(Status::Output, format!("cannot take signals over: {error}"));
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGCONT, SIGHUP, SIGTERM};
        let mut signals =
            signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGCONT]).map_err(|error| failed(&error))?;
        let handler = Arc::clone(&handler);
        thread::spawn(move || {
            for signal in signals.forever() {
                let signal = match signal {
                    SIGCONT => Signal::Continue,
                    SIGHUP => Signal::HangUp,
                    _ => Signal::Terminate,
                };
                call(&handler, signal);
            }
        });
    }
    ctrlc::set_handler(move || call(&handler, Signal::Interrupt)).map_err(|error| failed(&error))
}
