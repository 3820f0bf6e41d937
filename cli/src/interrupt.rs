//! Ctrl-C, and being told to go by SIGTERM or SIGHUP.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use chatnio::Stopper;

use crate::status::{Failure, Status};

/// How long a command that quits may take to say what it has to say.
const FAREWELL: Duration = Duration::from_secs(1);

/// The first Ctrl-C stops the running answer, the second quits; so does the first when there is nothing to stop. A
/// command that is told to go stops the answer and quits.
pub(crate) struct Interrupts(Arc<Shared>);

#[derive(Default)]
struct Shared {
    stopper: Mutex<Option<Stopper>>,
    quitting: AtomicBool,
    leaving: AtomicBool,
    terminal: Terminal,
}

impl Interrupts {
    /// Takes the signals over.
    pub(crate) fn install() -> Result<Self, Failure> {
        let shared = Arc::new(Shared::default());
        let handler = Arc::clone(&shared);
        handle(move |signal| handler.interrupted(signal))?;
        Ok(Interrupts(shared))
    }

    /// There is an answer to stop now.
    pub(crate) fn watch(&self, stopper: Stopper) {
        self.0.set(Some(stopper));
    }

    /// There is nothing to stop any more.
    pub(crate) fn unwatch(&self) {
        self.0.set(None);
    }

    /// Whether nothing more is to be asked.
    pub(crate) fn leaving(&self) -> bool {
        self.quitting() || self.0.leaving.load(Ordering::SeqCst)
    }

    /// Whether the command is to end now: the connection is being closed.
    pub(crate) fn quitting(&self) -> bool {
        self.0.quitting.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn set(&self, stopper: Option<Stopper>) {
        *self.stopper.lock().unwrap_or_else(PoisonError::into_inner) = stopper;
    }

    fn interrupted(&self, signal: Signal) {
        let stopper = self.stopper.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(stopper) = stopper {
            if signal == Signal::Terminate {
                self.leaving.store(true, Ordering::SeqCst);
            }
            if stopper.stop() {
                return;
            }
            // The command ends by itself, recording included, unless it is stuck on its output.
            self.quitting.store(true, Ordering::SeqCst);
            stopper.close();
            thread::sleep(FAREWELL);
        }
        self.terminal.restore();
        process::exit(Status::Quit.code().into());
    }
}

/// The terminal's modes as they were found: a line editor that is cut short leaves its own behind.
struct Terminal {
    #[cfg(unix)]
    modes: Option<rustix::termios::Termios>,
}

impl Default for Terminal {
    fn default() -> Self {
        Terminal {
            #[cfg(unix)]
            modes: rustix::termios::tcgetattr(std::io::stdin()).ok(),
        }
    }
}

impl Terminal {
    fn restore(&self) {
        #[cfg(unix)]
        if let Some(modes) = &self.modes {
            use rustix::termios::{OptionalActions, tcsetattr};
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, modes);
        }
    }
}

/// What a command is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM or SIGHUP.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only unix says so"))]
    Terminate,
}

fn call(handler: &Mutex<impl FnMut(Signal)>, signal: Signal) {
    handler.lock().unwrap_or_else(PoisonError::into_inner)(signal);
}

/// Calls `handler` on each signal, in a thread of its own.
pub(crate) fn handle(handler: impl FnMut(Signal) + Send + 'static) -> Result<(), Failure> {
    let handler = Arc::new(Mutex::new(handler));
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(Status::Output, format!("cannot take signals over: {error}"));
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGHUP, SIGTERM};
        let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP]).map_err(|error| failed(&error))?;
        let handler = Arc::clone(&handler);
        thread::spawn(move || signals.forever().for_each(|_| call(&handler, Signal::Terminate)));
    }
    ctrlc::set_handler(move || call(&handler, Signal::Interrupt)).map_err(|error| failed(&error))
}
