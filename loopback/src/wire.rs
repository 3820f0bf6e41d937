//! Bytes in memory between a socket and whoever speaks over it, with TLS or without.

use std::io::{self, Read, Write};

use rustls::ServerConnection;

use crate::tls::Tls;

/// Reading takes plaintext that came in, writing puts plaintext out; neither ever waits.
pub(crate) struct Wire {
    tls: Option<Box<ServerConnection>>,
    /// Plaintext that came in, from `read` on.
    input: Vec<u8>,
    read: usize,
    /// Bytes for the socket, from `sent` on.
    output: Vec<u8>,
    sent: usize,
}

impl Wire {
    pub(crate) fn new(tls: Option<&Tls>) -> Result<Self, rustls::Error> {
        let tls = match tls {
            Some(tls) => {
                let mut connection = ServerConnection::new(tls.config())?;
                // Whoever writes here looks at `pending` first.
                connection.set_buffer_limit(None);
                Some(Box::new(connection))
            }
            None => None,
        };
        Ok(Self { tls, input: Vec::new(), read: 0, output: Vec::new(), sent: 0 })
    }

    /// Takes in bytes from the socket.
    pub(crate) fn receive(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            self.input.extend_from_slice(bytes);
            return Ok(());
        };
        while !bytes.is_empty() {
            tls.read_tls(&mut bytes)?;
            let processed = tls.process_new_packets();
            // An alert says what is wrong, so it goes out even then.
            while tls.wants_write() {
                tls.write_tls(&mut self.output)?;
            }
            let waiting = processed.map_err(io::Error::other)?.plaintext_bytes_to_read();
            let start = self.input.len();
            self.input.resize(start + waiting, 0);
            tls.reader().read_exact(&mut self.input[start..])?;
        }
        Ok(())
    }

    /// Plaintext that nobody has read yet.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.input[self.read..]
    }

    /// Counts plaintext as read.
    pub(crate) fn consume(&mut self, count: usize) {
        self.read += count;
        if self.read == self.input.len() {
            self.input.clear();
            self.read = 0;
        }
    }

    /// Says that nothing more will be written. Only TLS has a word for that.
    pub(crate) fn say_goodbye(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            // Memory takes everything.
            let _ = tls.write_tls(&mut self.output);
        }
    }

    /// Bytes that wait for the socket.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.output[self.sent..]
    }

    /// Counts bytes as sent.
    ///
    /// # Panics
    /// When fewer wait.
    pub(crate) fn transmitted(&mut self, count: usize) {
        assert!(count <= self.pending().len(), "more bytes transmitted than were handed out");
        self.sent += count;
        if self.sent == self.output.len() {
            self.output.clear();
            self.sent = 0;
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let unread = self.unread();
        if unread.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = unread.len().min(buffer.len());
        buffer[..count].copy_from_slice(&unread[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.output.extend_from_slice(bytes),
            Some(tls) => {
                tls.writer().write_all(bytes)?;
                while tls.wants_write() {
                    tls.write_tls(&mut self.output)?;
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
