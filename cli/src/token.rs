//! A token that the configuration does not hold itself: what a command prints, or what is in a file.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::paths;
use crate::status::Failure;
use crate::words;

/// The first line that `command`, which the shell runs, prints. No error repeats what it has printed.
pub(crate) fn from_command(command: &str) -> Result<String, Failure> {
    let mut shell = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
    shell.arg(if cfg!(windows) { "/C" } else { "-c" }).arg(command);
    let output = shell
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::usage(format!("token-command: cannot be run: {}", words::system(&error))))?;
    if !output.status.success() {
        return Err(Failure::usage(format!("token-command: it failed ({})", output.status)));
    }
    first_line(output.stdout, "token-command: it prints")
}

/// The first line of a file.
pub(crate) fn from_file(file: &Path) -> Result<String, Failure> {
    let path = paths::expand(file);
    let content = std::fs::read(&path).map_err(|error| {
        Failure::usage(format!("token-file: cannot read {}: {}", path.display(), words::system(&error)))
    })?;
    first_line(content, &format!("token-file: {} holds", path.display()))
}

fn first_line(bytes: Vec<u8>, who: &str) -> Result<String, Failure> {
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{who} no UTF-8")))?;
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(Failure::usage(format!("{who} no token in its first line"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_first_line() {
        let first = |text: &str| first_line(text.into(), "it holds");
        assert_eq!(first("sk-one\nsk-two\n").ok().as_deref(), Some("sk-one"));
        assert_eq!(first(" sk-one \r\n").ok().as_deref(), Some("sk-one"));
        assert!(first("").is_err() && first("\nsk-late\n").is_err());
        assert!(first_line(b"sk-\xff".into(), "it holds").is_err());
    }
}
