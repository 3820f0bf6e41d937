//! TLS over bytes.

use std::io::{BufRead, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ProtocolVersion};

use crate::buffer::{InBuffer, OutBuffer};
use crate::tls_error::TlsError;
pub(crate) use crate::tls_words::explain;
use crate::tls_words::explain_later;

/// What a server has shown in its TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsSession {
    /// The protocol's version: `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite by rustls' name, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher: &'static str,
    /// The server's certificates in DER, its own first.
    pub certificates: Vec<Vec<u8>>,
}

/// The client's side of one TLS connection.
pub(crate) struct Tls {
    connection: ClientConnection,
    host: String,
}

impl Tls {
    /// Starts a connection; its first bytes are to be had from [`Tls::drain`].
    pub(crate) fn new(config: Arc<ClientConfig>, host: &str) -> Result<Self, TlsError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Host { host: host.to_owned() })?;
        let mut connection = ClientConnection::new(config, name).map_err(|error| explain(error, host))?;
        // What is written is bounded by those who write; here a limit would only tear messages.
        connection.set_buffer_limit(None);
        Ok(Self { connection, host: host.to_owned() })
    }

    /// Until this is false nothing is encrypted, and so nothing sent before the server is known.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Takes bytes from the server: what they decrypt to goes to `plain`, answers of TLS itself to
    /// `out`. True when the server closed TLS in order.
    pub(crate) fn receive(
        &mut self,
        mut bytes: &[u8],
        plain: &mut InBuffer,
        out: &mut OutBuffer,
    ) -> Result<bool, TlsError> {
        while !bytes.is_empty() {
            // Takes some 4 KiB or a record at a time, so that after each step the decrypted bytes
            // have to be taken out: their buffer is small, and reading fails while it is full.
            match self.connection.read_tls(&mut bytes) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => return Err(self.other(error)),
            }
            let explain = if self.is_handshaking() { explain } else { explain_later };
            let processed = self.connection.process_new_packets();
            self.take_plain(plain);
            // Also after an error: the alert tells the server about it.
            self.drain(out);
            let state = processed.map_err(|error| explain(error, &self.host))?;
            if state.peer_has_closed() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Encrypts. Only after the handshake: see [`Tls::is_handshaking`].
    pub(crate) fn send(&mut self, plain: &[u8], out: &mut OutBuffer) -> Result<(), TlsError> {
        self.connection.writer().write_all(plain).map_err(|error| self.other(error))?;
        self.drain(out);
        Ok(())
    }

    /// Tells the server that nothing more will come.
    pub(crate) fn close(&mut self, out: &mut OutBuffer) {
        self.connection.send_close_notify();
        self.drain(out);
    }

    /// Moves what waits to be sent to `out`.
    pub(crate) fn drain(&mut self, out: &mut OutBuffer) {
        while self.connection.wants_write() {
            // Writing to memory does not fail.
            if !matches!(self.connection.write_tls(out), Ok(1..)) {
                break;
            }
        }
    }

    /// Gives memory back that rustls has grown into. It does so by itself when it is about to read, so it is let read
    /// nothing.
    pub(crate) fn trim(&mut self) {
        struct Nothing;
        impl std::io::Read for Nothing {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::WouldBlock.into())
            }
        }
        let _ = self.connection.read_tls(&mut Nothing);
    }

    fn take_plain(&mut self, plain: &mut InBuffer) {
        let mut reader = self.connection.reader();
        // An error here means that there is nothing (yet).
        while let Ok(bytes @ [_, ..]) = reader.fill_buf() {
            plain.push(bytes);
            let len = bytes.len();
            reader.consume(len);
        }
    }

    /// What the server has shown; `None` until the handshake is over.
    pub(crate) fn session(&self) -> Option<TlsSession> {
        if self.is_handshaking() {
            return None;
        }
        let version = match self.connection.protocol_version()? {
            ProtocolVersion::TLSv1_2 => "TLSv1.2",
            ProtocolVersion::TLSv1_3 => "TLSv1.3",
            other => other.as_str().unwrap_or("unknown"),
        };
        let cipher = self.connection.negotiated_cipher_suite()?.suite();
        let certificates = self.connection.peer_certificates().unwrap_or_default();
        Some(TlsSession {
            version,
            cipher: cipher.as_str().unwrap_or("unknown"),
            certificates: certificates.iter().map(|certificate| certificate.to_vec()).collect(),
        })
    }

    fn other(&self, problem: impl ToString) -> TlsError {
        TlsError::Other { host: self.host.clone(), problem: problem.to_string() }
    }
}
