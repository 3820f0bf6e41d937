//! A token that the configuration does not hold itself: what a command prints, or what is in a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::interrupt::Interrupts;
use crate::paths;
use crate::status::Failure;
use crate::words;

/// How long a command may take. It may ask for a passphrase.
const WITHIN: Duration = Duration::from_secs(60);

/// How often it is looked at.
const TICK: Duration = Duration::from_millis(5);

/// How much of what a command prints or a file holds is read, in bytes: tokens are far shorter.
const MOST: u64 = 64 << 10;

/// The first line that `command`, which the shell runs, prints. No error repeats what it has printed. Only the command
/// itself is waited for, not what it leaves in the background.
pub(crate) fn from_command(command: &str, interrupts: &Interrupts) -> Result<String, Failure> {
    run(command, WITHIN, interrupts)
}

fn run(command: &str, limit: Duration, interrupts: &Interrupts) -> Result<String, Failure> {
    let began = Instant::now();
    let mut shell = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
    shell.arg(if cfg!(windows) { "/C" } else { "-c" }).arg(command);
    let unusable =
        |error: io::Error| Failure::usage(format!("token-command: it cannot be run: {}", words::system(&error)));
    let late = || Failure::usage(format!("token-command: it gave no token within {} s", limit.as_secs_f32()));
    let mut running = interrupts
        .spawn(shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()))
        .map_err(unusable)?;
    let (sender, first) = mpsc::channel();
    if let Some(stdout) = running.stdout.take() {
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout.take(MOST));
            // Nobody waits for it any more where the command was late.
            let _ = sender.send(line(&mut stdout));
            // A command that cannot print the rest of what it has to say fails.
            let _ = io::copy(&mut stdout, &mut io::sink());
        });
    }
    let status = loop {
        if let Some(status) = running.ended().map_err(unusable)? {
            break status;
        }
        if began.elapsed() >= limit {
            return Err(late());
        }
        thread::sleep(TICK);
    };
    if !status.success() && !is_cut_off(status) {
        return Err(Failure::usage(format!("token-command: it failed ({status})")));
    }
    let line = first.recv_timeout(limit.saturating_sub(began.elapsed())).map_err(|_| late())?;
    token(line.map_err(unusable)?, "token-command: it prints")
}

/// Whether a command has ended because it printed more than is read: by SIGPIPE, or as shells tell of that.
fn is_cut_off(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        const SIGPIPE: i32 = signal_hook::consts::SIGPIPE;
        status.signal() == Some(SIGPIPE) || status.code() == Some(128 + SIGPIPE)
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        false
    }
}

/// The first line of a file.
pub(crate) fn from_file(file: &Path) -> Result<String, Failure> {
    let path = paths::expand(file);
    let read = File::open(&path).and_then(|file| line(&mut BufReader::new(file.take(MOST))));
    let line = read.map_err(|error| {
        Failure::usage(format!("token-file: cannot read {}: {}", path.display(), words::system(&error)))
    })?;
    token(line, &format!("token-file: {} holds", path.display()))
}

fn line(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    Ok(line)
}

fn token(line: Vec<u8>, who: &str) -> Result<String, Failure> {
    if line.len() as u64 >= MOST {
        return Err(Failure::usage(format!("{who} no token: its first line has over {} KiB", MOST >> 10)));
    }
    let line = String::from_utf8(line).map_err(|_| Failure::usage(format!("{who} no UTF-8")))?;
    match line.trim() {
        "" => Err(Failure::usage(format!("{who} no token in its first line"))),
        line => Ok(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_first_line() {
        let first = |bytes: &[u8]| token(line(&mut &*bytes).unwrap(), "it holds");
        assert_eq!(first(b"sk-one\nsk-two\n").ok().as_deref(), Some("sk-one"));
        assert_eq!(first(b" sk-one \r\n").ok().as_deref(), Some("sk-one"));
        assert!(first(b"").is_err() && first(b"\nsk-late\n").is_err());
        assert!(first(b"sk-\xff").is_err());
        assert!(first(&[b'x'; 1 << 17]).unwrap_err().message().contains("over 64 KiB"));
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_never_ends_is_ended() {
        let failure = run("exec sleep 3600", Duration::from_millis(100), &Interrupts::default()).unwrap_err();
        assert_eq!(failure.message(), "token-command: it gave no token within 0.1 s");
    }
}
