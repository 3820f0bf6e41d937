//! `--record`: the file that the transcript goes to.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use chatnio::transcript::Transcript;

use crate::status::{Failure, Status};

/// An open file for a transcript. It is opened before anything is asked: an answer that was paid for and then cannot
/// be kept is too late to complain about.
pub(crate) struct Recording {
    file: File,
    path: PathBuf,
}

impl Recording {
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // A conversation is nobody else's business.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(file) => Ok(Recording { file, path: path.to_owned() }),
            Err(error) => Err(Failure::usage(format!("--record: cannot write {}: {error}", path.display()))),
        }
    }

    pub(crate) fn write(mut self, transcript: &Transcript) -> Result<(), Failure> {
        self.file.write_all(transcript.to_string().as_bytes()).map_err(|error| {
            Failure::new(Status::Output, format!("--record: cannot write {}: {error}", self.path.display()))
        })
    }
}
