//! How many instructions a chunk takes, by callgrind: a count that no other process disturbs.

use std::io::{self, Write};
use std::process::{Command, Stdio};

/// Instructions a chunk that `command`, a contender of its own process, takes; `None` without valgrind.
///
/// # Errors
/// When it fails.
pub fn per_chunk(command: impl Fn() -> io::Result<Command>, chunks: usize) -> io::Result<Option<f64>> {
    // What it takes to start is in both.
    let (Some(one), Some(three)) = (total(command()?, 1)?, total(command()?, 3)?) else { return Ok(None) };
    Ok(Some((three - one) / (2 * chunks) as f64))
}

/// Instructions of a whole run with this many batches.
fn total(command: Command, batches: usize) -> io::Result<Option<f64>> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(command.get_program()).args(command.get_args());
    valgrind.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = match valgrind.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if let Some(input) = &mut child.stdin {
        input.write_all("\n".repeat(batches).as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    match count {
        Some(count) if output.status.success() => Ok(Some(count)),
        _ => Err(io::Error::other(format!("callgrind has failed: {said}"))),
    }
}
