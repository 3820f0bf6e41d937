//! A server in memory, for the tests.

use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use tungstenite::{Message, WebSocket};

/// What tungstenite's server role takes for the socket.
#[derive(Default)]
pub(crate) struct Memory {
    inbound: Vec<u8>,
    outbound: Vec<u8>,
}

impl Read for Memory {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.inbound.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let n = self.inbound.as_slice().read(buf)?;
        self.inbound.drain(..n);
        Ok(n)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outbound.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
pub(crate) struct Peer {
    tls: Option<ServerConnection>,
    /// What came, until a WebSocket takes it.
    plain: Vec<u8>,
    socket: Option<WebSocket<Memory>>,
    out: Vec<u8>,
}

impl Peer {
    pub(crate) fn plain() -> Self {
        Self::default()
    }

    pub(crate) fn tls(config: Arc<ServerConfig>) -> Self {
        let mut tls = ServerConnection::new(config).unwrap();
        tls.set_buffer_limit(None);
        Self { tls: Some(tls), ..Self::default() }
    }

    pub(crate) fn receive(&mut self, mut bytes: &[u8]) {
        let mut plain = Vec::new();
        if let Some(tls) = &mut self.tls {
            while !bytes.is_empty() {
                if tls.read_tls(&mut bytes).unwrap() == 0 {
                    break;
                }
                // An alert from the client is an error here; it shows in what the client says.
                let _ = tls.process_new_packets();
                let _ = tls.reader().read_to_end(&mut plain);
            }
        } else {
            plain.extend_from_slice(bytes);
        }
        match &mut self.socket {
            Some(socket) => socket.get_mut().inbound.extend(plain),
            None => self.plain.extend(plain),
        }
    }

    /// What the wire has sent so far, before a WebSocket took it.
    pub(crate) fn received(&self) -> &[u8] {
        &self.plain
    }

    pub(crate) fn has_request(&self) -> bool {
        self.plain.ends_with(b"\r\n\r\n")
    }

    /// Answers the request as a server should.
    pub(crate) fn accept(&mut self) {
        let inbound = std::mem::take(&mut self.plain);
        let socket = tungstenite::accept(Memory { inbound, outbound: Vec::new() });
        self.socket = Some(socket.expect("a request that tungstenite accepts"));
        self.forward();
    }

    /// Whether the WebSocket is open.
    #[cfg(shuttle)]
    pub(crate) fn has_socket(&self) -> bool {
        self.socket.is_some()
    }

    pub(crate) fn send(&mut self, message: impl Into<Message>) {
        self.socket.as_mut().unwrap().send(message.into()).unwrap();
        self.forward();
    }

    pub(crate) fn close(&mut self, frame: Option<tungstenite::protocol::CloseFrame>) {
        self.socket.as_mut().unwrap().close(frame).unwrap();
        self.forward();
    }

    /// Everything that came, answered as tungstenite answers it.
    pub(crate) fn read(&mut self) -> Vec<Message> {
        let socket = self.socket.as_mut().unwrap();
        let messages = std::iter::from_fn(|| socket.read().ok()).collect();
        self.forward();
        messages
    }

    /// Sends raw bytes (through TLS, if there is one).
    pub(crate) fn say(&mut self, plain: impl AsRef<[u8]>) {
        match &mut self.tls {
            Some(tls) => tls.writer().write_all(plain.as_ref()).unwrap(),
            None => self.out.extend_from_slice(plain.as_ref()),
        }
    }

    pub(crate) fn close_notify(&mut self) {
        self.tls.as_mut().unwrap().send_close_notify();
    }

    /// Whether the wire closed TLS in order.
    pub(crate) fn tls_closed(&mut self) -> bool {
        self.tls.as_mut().unwrap().process_new_packets().unwrap().peer_has_closed()
    }

    /// The bytes for the wire.
    pub(crate) fn output(&mut self) -> Vec<u8> {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                tls.write_tls(&mut self.out).unwrap();
            }
        }
        std::mem::take(&mut self.out)
    }

    fn forward(&mut self) {
        let bytes = std::mem::take(&mut self.socket.as_mut().unwrap().get_mut().outbound);
        self.say(bytes);
    }
}

/// A throw-away certificate authority.
pub(crate) struct Ca {
    pub(crate) pem: String,
    pub(crate) der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    pub(crate) fn get() -> &'static Self {
        static CA: OnceLock<Ca> = OnceLock::new();
        CA.get_or_init(Self::another)
    }

    /// Another one, of the same name.
    pub(crate) fn another() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "an authority for tests");
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), der: certificate.der().to_vec(), issuer: Issuer::new(params, key) }
    }

    /// A server for `localhost` with a certificate for the year 2026.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        static SERVER: OnceLock<Arc<ServerConfig>> = OnceLock::new();
        SERVER.get_or_init(|| self.server_with(&rustls::version::TLS13)).clone()
    }

    pub(crate) fn server_with(&self, version: &'static rustls::SupportedProtocolVersion) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2027, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }
}
