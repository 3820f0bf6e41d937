//! `--record`: the file that the transcript goes to.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use chatnio::transcript::Transcript;

use crate::output::{self, Counted, say};
use crate::paths;
use crate::status::{Failure, Status};
use crate::words;

/// Where transcripts go, one a connection. The first one's file is opened before anything is asked: an answer that was
/// paid for and then cannot be kept is too late to complain about.
pub(crate) struct Recording {
    /// `None` is standard output.
    path: Option<PathBuf>,
    first: Option<File>,
    written: usize,
}

impl Recording {
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Recording { path: None, first: None, written: 0 });
        }
        match paths::create_private(path) {
            Ok(file) => Ok(Recording { path: Some(path.to_owned()), first: Some(file), written: 0 }),
            Err(error) => {
                Err(Failure::usage(format!("--record: cannot write {}: {}", path.display(), words::system(&error))))
            }
        }
    }

    /// Writes the transcript of the next connection.
    pub(crate) fn write(&mut self, transcript: &Transcript) -> Result<(), Failure> {
        self.written += 1;
        let text = transcript.to_string();
        let Some(path) = &self.path else {
            if self.written > 1 {
                say(
                    "warning",
                    "--record: standard output has a transcript, of the first connection: this one has none",
                );
                return Ok(());
            }
            return output::write(&text).or_else(|error| Failure::output(&error).map_or(Ok(()), Err));
        };
        let path = match self.written {
            1 => path.clone(),
            n => numbered(path, n),
        };
        let file = self.first.take().map_or_else(|| paths::create_private(&path), Ok);
        file.and_then(|file| Counted(file).write_all(text.as_bytes())).map_err(|error| {
            Failure::new(
                Status::Output,
                format!("--record: cannot write {}: {}", path.display(), words::system(&error)),
            )
        })
    }
}

fn numbered(path: &Path, n: usize) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(format!(".{n}"));
    name.into()
}
