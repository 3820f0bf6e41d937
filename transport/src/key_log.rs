//! The secrets of TLS sessions, for programs such as Wireshark.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Where the secrets of TLS sessions go, one line each in the format of NSS.
#[derive(Clone)]
pub(crate) struct KeyLogger(Arc<dyn Fn(&str) + Send + Sync>);

impl KeyLogger {
    pub(crate) fn new(write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        KeyLogger(Arc::new(write))
    }

    /// Adds to a file, which only this user may read if it is made here.
    pub(crate) fn to_file(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file: Mutex<File> = Mutex::new(options.open(path)?);
        Ok(Self::new(move |line| {
            // A debugging aid that cannot be written ends no connection.
            let _ = writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
        }))
    }
}

impl rustls::KeyLog for KeyLogger {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes| data_encoding::HEXLOWER.encode(bytes);
        (self.0)(&format!("{label} {} {}", hex(client_random), hex(secret)));
    }
}

impl fmt::Debug for KeyLogger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLogger")
    }
}
