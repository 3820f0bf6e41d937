//! The terminal that a chat is typed on: its modes, and what becomes of them when the command is suspended.

#[cfg(unix)]
pub(crate) use unix::Terminal;

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{Write, stdin};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Condvar, Mutex, PoisonError};
    use std::time::Duration;

    use rustix::process::{Signal, kill_current_process_group};
    use rustix::termios::{InputModes, LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// How long a command that is not suspended after all, because no shell could resume it, waits to find out.
    const SUSPENDED: Duration = Duration::from_millis(300);

    /// The terminal, as it was found.
    pub(crate) struct Terminal {
        found: Option<Termios>,
        is_quiet: AtomicBool,
        /// How often the command was continued.
        continued: Mutex<u64>,
        is_continued: Condvar,
    }

    impl Default for Terminal {
        fn default() -> Self {
            Terminal {
                found: tcgetattr(stdin()).ok(),
                is_quiet: AtomicBool::new(false),
                continued: Mutex::new(0),
                is_continued: Condvar::new(),
            }
        }
    }

    impl Terminal {
        /// Gives it the modes back that it was found with: a line editor that is cut short leaves its own behind.
        pub(crate) fn restore(&self) {
            self.is_quiet.store(false, Ordering::SeqCst);
            if let Some(modes) = &self.found {
                let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
            }
        }

        /// Until the guard is dropped, what is typed does not show: it waits as it is for the line editor. Ctrl-C,
        /// Ctrl-Z and Ctrl-\ are signals still.
        pub(crate) fn quiet(&self) -> Quiet<'_> {
            self.is_quiet.store(true, Ordering::SeqCst);
            self.be_quiet();
            Quiet(self)
        }

        /// Whether Ctrl-C on it is a signal now, and no key of the line editor's.
        pub(crate) fn sends_ctrl_c(&self) -> bool {
            tcgetattr(stdin()).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ISIG))
        }

        fn be_quiet(&self) {
            if let Some(found) = &self.found {
                let mut modes = found.clone();
                modes.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON);
                // Or Ctrl-C would take away what was typed before it.
                modes.local_modes |= LocalModes::NOFLSH;
                modes.input_modes &= !InputModes::ICRNL;
                let _ = tcsetattr(stdin(), OptionalActions::Now, &modes);
            }
        }

        /// Suspends the command and those in a pipe with it, as Ctrl-Z does while nothing is edited; returns when it is
        /// continued.
        ///
        /// The line editor's own way takes the terminal back at once. Whatever thread the signal reaches, that may come
        /// before it.
        pub(crate) fn suspend(&self) {
            let editing = tcgetattr(stdin());
            let continued = self.continued.lock().unwrap_or_else(PoisonError::into_inner);
            let before = *continued;
            self.restore();
            write_to_it(b"\x1b[?2004l");
            let _ = kill_current_process_group(Signal::TSTP);
            let _ = self.is_continued.wait_timeout_while(continued, SUSPENDED, |continued| *continued == before);
            if let Ok(modes) = editing {
                let _ = tcsetattr(stdin(), OptionalActions::Now, &modes);
            }
            write_to_it(b"\x1b[?2004h");
        }

        /// The command was continued. A shell may have changed the modes.
        pub(crate) fn continued(&self) {
            if self.is_quiet.load(Ordering::SeqCst) {
                self.be_quiet();
            }
            *self.continued.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            self.is_continued.notify_all();
        }
    }

    /// Bracketed paste is the line editor's.
    fn write_to_it(bytes: &[u8]) {
        if let Ok(mut terminal) = File::options().write(true).open("/dev/tty") {
            let _ = terminal.write_all(bytes);
        }
    }

    /// See [`Terminal::quiet`].
    pub(crate) struct Quiet<'t>(&'t Terminal);

    impl Drop for Quiet<'_> {
        fn drop(&mut self) {
            self.0.restore();
        }
    }
}

/// Elsewhere the console looks after itself.
#[cfg(not(unix))]
#[derive(Default)]
pub(crate) struct Terminal;

#[cfg(not(unix))]
impl Terminal {
    pub(crate) fn restore(&self) {}

    pub(crate) fn quiet(&self) {}

    pub(crate) fn sends_ctrl_c(&self) -> bool {
        false
    }
}

/// Columns and rows of the terminal that standard output is.
pub(crate) fn size() -> (usize, usize) {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout())
        && size.ws_col > 0
        && size.ws_row > 0
    {
        return (size.ws_col.into(), size.ws_row.into());
    }
    (80, 24)
}
