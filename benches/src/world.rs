//! What the contenders need around them: the firehose, the messages as a file, the programs of other languages.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use chatnio_loopback::{Certificate, Firehose, Tls};
use serde::{Deserialize, Serialize};

use crate::contenders::{Input, firehose_answers};
use crate::messages::Shape;

const CA_FILE: &str = "ca.pem";

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// How often each is measured.
    pub rounds: usize,
    /// How many chunks of 97 bytes a batch in memory has.
    pub memory: usize,
    /// How many an answer over a socket has.
    pub socket: usize,
    /// How many sessions or chunks the longest series has.
    pub series: usize,
}

impl Scale {
    /// For figures.
    pub const FULL: Scale = Scale { rounds: 41, memory: 20_000, socket: 20_000, series: 1_000_000 };
    /// To see that everything runs.
    pub const SMOKE: Scale = Scale { rounds: 1, memory: 200, socket: 200, series: 1000 };
}

/// Where the firehose listens: a line of JSON that its process writes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Addresses {
    /// Without TLS.
    pub plain: String,
    /// With TLS.
    pub tls: String,
    /// The certificate to trust, in PEM.
    pub ca: String,
}

/// What the contenders need around them.
pub struct World {
    /// How much is measured.
    pub scale: Scale,
    /// Where the programs of other languages are, and where files are put.
    pub folder: PathBuf,
    /// Where the firehose listens.
    pub addresses: Addresses,
    /// The firehose's process, which ends with its input.
    firehose: Child,
}

impl World {
    /// Starts the firehose in a process of its own, so that its time is not this one's.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn new(scale: Scale, folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut firehose = Command::new(std::env::current_exe()?)
            .args(["firehose", "--chunks", &scale.socket.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = &mut firehose.stdout {
            BufReader::new(output).read_line(&mut line)?;
        }
        let addresses: Addresses = serde_json::from_str(&line).map_err(io::Error::other)?;
        // Once: a contender that was started may be reading it.
        fs::write(folder.join(CA_FILE), &addresses.ca)?;
        Ok(World { scale, folder: folder.to_owned(), addresses, firehose })
    }

    /// The messages of a shape as a file, a line each.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn messages(&self, shape: Shape) -> io::Result<PathBuf> {
        let path = self.folder.join(format!("{}.jsonl", shape.name()));
        if !path.exists() {
            fs::write(&path, shape.messages().concat())?;
        }
        Ok(path)
    }

    /// The certificate as a file.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join(CA_FILE)
    }

    /// What a contender works on in memory.
    pub fn in_memory(&self, shape: Shape) -> Input {
        let per_chunk = shape.message(1).len().div_ceil(100);
        let chunks = (self.scale.memory / per_chunk).max(1);
        // All of the messages as often.
        let messages = shape.messages().len().min(chunks);
        Input { shape, chunks: chunks.next_multiple_of(messages), url: String::new(), ca: None }
    }

    /// What it works on over a socket.
    pub fn over_socket(&self, shape: Shape, is_tls: bool) -> Input {
        let Addresses { plain, tls, ca } = self.addresses.clone();
        let (url, ca) = if is_tls { (tls, Some(ca)) } else { (plain, None) };
        Input { shape, chunks: shape.count(self.scale.socket), url, ca }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // It ends with its input, which is a pipe to this process.
        drop(self.firehose.stdin.take());
        let _ = self.firehose.wait();
    }
}

/// Is the firehose, until the standard input ends.
///
/// # Errors
/// When there is no port or no certificate to be had.
pub fn serve_firehose(chunks: usize) -> io::Result<()> {
    let tls = Tls::new(Certificate::Valid).map_err(io::Error::other)?;
    let ca = tls.ca_pem().to_owned();
    let plain = Firehose::start(firehose_answers(chunks), None)?.url();
    let tls = Firehose::start(firehose_answers(chunks), Some(tls))?.url();
    println!("{}", serde_json::to_string(&Addresses { plain, tls, ca })?);
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
