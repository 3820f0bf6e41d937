//! Ctrl-C, and being told to go by SIGTERM or SIGHUP, or at once by SIGQUIT.

use std::io;
use std::process::{self, Child, ChildStdout, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use chatnio::Stopper;

use crate::output;
use crate::status::{Failure, Status};
use crate::terminal::Terminal;

/// How long a command that quits may take to say what it has to say, and how long one that stops its answer waits for
/// somebody to take what it says.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long a command that is told to go waits for the end of the answer that it has stopped, in [`FAREWELL`]s: what is told
/// so is killed some seconds later.
const LAST_WORDS: u32 = 2;

/// The first Ctrl-C stops the running answer, or gives up a connect that the command can go on without; the second quits.
/// So does the first when there is nothing to stop. A command that is told to go stops the answer and quits.
#[derive(Default)]
pub(crate) struct Interrupts(Arc<Shared>);

#[derive(Default)]
struct Shared {
    running: Mutex<Option<Running>>,
    /// Counts what there was to stop.
    watched: AtomicU64,
    /// The signal that came last.
    signal: Mutex<Option<Signal>>,
    /// Wakes a command that waits for input.
    wake: Mutex<Option<Box<dyn Fn() + Send>>>,
    /// Says at a prompt that the next Ctrl-C quits; false when that was said.
    explain: Mutex<Option<Box<dyn Fn() -> bool + Send>>>,
    /// What ends with this process.
    child: Mutex<Option<Child>>,
    quitting: AtomicBool,
    leaving: AtomicBool,
    terminal: Terminal,
}

/// What can be stopped.
struct Running {
    stopper: Stopper,
    /// Of a connect that the command can go on without: whether it was given up.
    is_given_up: Option<bool>,
}

impl Interrupts {
    /// Takes the signals over.
    pub(crate) fn install() -> Result<Self, Failure> {
        let shared = Arc::new(Shared::default());
        let handler = Arc::clone(&shared);
        handle(move |signal| handler.told(signal))?;
        #[cfg(unix)]
        restore_on_quit(Arc::clone(&shared))?;
        Ok(Interrupts(shared))
    }

    /// There is an answer to stop now, or a connect that the command cannot go on without. Returns whether a connect
    /// before it was given up.
    pub(crate) fn watch(&self, stopper: Stopper) -> bool {
        self.replace(Some(Running { stopper, is_given_up: None }))
    }

    /// There is a connect now that the command can go on without.
    pub(crate) fn watch_connect(&self, stopper: Stopper) {
        self.replace(Some(Running { stopper, is_given_up: Some(false) }));
    }

    /// There is nothing to stop any more. Returns whether a connect was given up.
    pub(crate) fn unwatch(&self) -> bool {
        self.replace(None)
    }

    fn replace(&self, running: Option<Running>) -> bool {
        self.0.watched.fetch_add(1, Ordering::SeqCst);
        let before = std::mem::replace(&mut *lock(&self.0.running), running);
        before.and_then(|before| before.is_given_up).unwrap_or(false)
    }

    /// What wakes the command when it is to go while it waits for input: it then ends by itself.
    pub(crate) fn wake_by(&self, wake: impl Fn() + Send + 'static) {
        *lock(&self.0.wake) = Some(Box::new(wake));
    }

    /// What says at a prompt that the next Ctrl-C quits, and returns false when that was said. The line editor takes Ctrl-C
    /// by itself, but not on a terminal that cannot do what it needs: there it is a signal.
    pub(crate) fn explain_by(&self, explain: impl Fn() -> bool + Send + 'static) {
        *lock(&self.0.explain) = Some(Box::new(explain));
    }

    /// Whether nothing more is to be asked.
    pub(crate) fn leaving(&self) -> bool {
        self.0.quitting.load(Ordering::SeqCst) || self.0.leaving.load(Ordering::SeqCst)
    }

    /// The status to end with after the signal that came last, if one came.
    pub(crate) fn status(&self) -> Option<Status> {
        lock(&self.0.signal).map(Signal::status)
    }

    /// Starts a process that ends with this one.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Process<'_>> {
        // Or it could be started behind the end of this one.
        let mut child = lock(&self.0.child);
        let stdout = child.insert(command.spawn()?).stdout.take();
        Ok(Process { shared: &self.0, stdout })
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
    fn told(self: &Arc<Self>, signal: Signal) {
        if signal == Signal::Continue {
            #[cfg(unix)]
            self.terminal.continued();
            return;
        }
        *lock(&self.signal) = Some(signal);
        let stopper = match &mut *lock(&self.running) {
            Some(Running { stopper, is_given_up: Some(is_given_up @ false) }) if signal == Signal::Interrupt => {
                *is_given_up = true;
                stopper.close();
                return;
            }
            running => running.as_ref().map(|running| running.stopper.clone()),
        };
        if let Some(stopper) = stopper {
            if signal != Signal::Interrupt {
                self.leaving.store(true, Ordering::SeqCst);
            }
            if stopper.stop() {
                let shared = Arc::clone(self);
                thread::spawn(move || shared.quit_if_stuck(&stopper));
                return;
            }
            // The command ends by itself, recording included, unless it is stuck on its output.
            self.quitting.store(true, Ordering::SeqCst);
            stopper.close();
            thread::sleep(FAREWELL);
        } else if signal == Signal::Interrupt && self.is_explained() {
            return;
        } else if let Some(wake) = &*lock(&self.wake)
            && !self.leaving.swap(true, Ordering::SeqCst)
        {
            wake();
            thread::sleep(FAREWELL);
        }
        self.quit(signal);
    }

    fn is_explained(&self) -> bool {
        self.terminal.sends_ctrl_c() && lock(&self.explain).as_ref().is_some_and(|explain| explain())
    }

    /// The answer is stopped, but nobody may take what is left of it: a pager that waits for its user, a terminal that is
    /// gone. Then the command quits; otherwise this ends with the answer. Nor may the server say more: a command that is told
    /// to go does not wait for it as long as another.
    fn quit_if_stuck(&self, stopper: &Stopper) {
        let watched = self.watched.load(Ordering::SeqCst);
        for waited in 1.. {
            let before = output::under_way();
            thread::sleep(FAREWELL);
            let is_leaving = self.leaving.load(Ordering::SeqCst);
            if !is_leaving && self.watched.load(Ordering::SeqCst) != watched {
                return;
            }
            let is_stuck = before.is_some() && before == output::under_way();
            if is_stuck || is_leaving && waited > LAST_WORDS {
                self.quit(lock(&self.signal).unwrap_or(Signal::Interrupt));
            }
            if is_leaving && waited == LAST_WORDS {
                // Now it ends by itself, recording included.
                stopper.close();
            }
        }
    }

    fn quit(&self, signal: Signal) -> ! {
        self.terminal.restore();
        let mut child = lock(&self.child);
        if let Some(child) = &mut *child {
            let _ = child.kill();
        }
        // The lock is kept: nothing is started any more.
        process::exit(signal.status().code().into());
    }
}

/// A process that was started and ends when this is dropped.
pub(crate) struct Process<'a> {
    shared: &'a Shared,
    pub(crate) stdout: Option<ChildStdout>,
}

impl Process<'_> {
    /// How it has ended, if it has.
    pub(crate) fn ended(&self) -> io::Result<Option<ExitStatus>> {
        lock(&self.shared.child).as_mut().map_or(Ok(None), Child::try_wait)
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        if let Some(mut child) = lock(&self.shared.child).take() {
            let _ = child.kill();
            let _ = child.wait();
        }
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

/// Calls `handler` on each signal, in a thread of its own. One that whoever started the command has it ignore stays
/// ignored: `nohup` does that, and shells do for what runs in the background.
pub(crate) fn handle(handler: impl FnMut(Signal) + Send + 'static) -> Result<(), Failure> {
    let handler = Arc::new(Mutex::new(handler));
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGCONT, SIGHUP, SIGTERM};
        let taken = [SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal)).chain([SIGCONT]);
        let mut signals = signal_hook::iterator::Signals::new(taken).map_err(|error| failed(&error))?;
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
    match ctrlc::try_set_handler(move || call(&handler, Signal::Interrupt)) {
        // It is ignored.
        Ok(()) | Err(ctrlc::Error::MultipleHandlers) => Ok(()),
        Err(error) => Err(failed(&error)),
    }
}

/// Has SIGQUIT, which Ctrl-\ is while an answer runs, leave the terminal as it was found. It ends the program at once all the
/// same: in a thread of its own it waits for nothing.
#[cfg(unix)]
fn restore_on_quit(shared: Arc<Shared>) -> Result<(), Failure> {
    use signal_hook::consts::SIGQUIT;
    if is_ignored(SIGQUIT) {
        return Ok(());
    }
    let mut signals = signal_hook::iterator::Signals::new([SIGQUIT]).map_err(|error| failed(&error))?;
    thread::spawn(move || {
        for signal in signals.forever() {
            shared.terminal.restore();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
    Ok(())
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Status::Output, format!("cannot take signals over: {error}"))
}

/// Whether a signal is ignored. Only Linux tells it without a call that is unsafe in Rust; elsewhere it counts as not
/// ignored.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    ignored >> (signal - 1) & 1 == 1
}
