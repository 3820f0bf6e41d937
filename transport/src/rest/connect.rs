//! Connections for `ureq`: its TCP, and over it TLS by the settings of the chat.
//!
//! `ureq`'s own TLS takes root certificates and a crypto provider, but neither our verifier nor our clock.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, TcpConnector, Transport, TransportAdapter,
};

use super::ClientError;
use crate::endpoint::Endpoint;
use crate::hop::Hop;
use crate::proxy::{Proxy, Tunnel};
use crate::tls::explain;
use crate::tls_error::TlsError;
use crate::tls_options::TlsConfig;

/// Connects to one server, through a proxy if there is one.
#[derive(Debug)]
pub(crate) struct Link {
    tcp: TcpConnector,
    endpoint: Endpoint,
    proxy: Option<Proxy>,
    tls: TlsConfig,
}

impl Link {
    pub(crate) fn new(endpoint: Endpoint, proxy: Option<Proxy>, tls: TlsConfig) -> Self {
        Link { tcp: TcpConnector::default(), endpoint, proxy, tls }
    }

    /// Asks the proxy that `tcp` leads to for the way to the server.
    fn through(
        &self,
        proxy: &Proxy,
        details: &ConnectionDetails<'_>,
        tcp: Box<dyn Transport>,
    ) -> Result<Box<dyn Transport>, Error> {
        let mut proxy = proxy.clone();
        if proxy.wants_target() {
            let found = Names::default().resolve(details.uri, details.config, details.timeout)?;
            proxy = found.first().map_or(proxy.clone(), |address| proxy.with_target(address.ip()));
        }
        let mut tunnel = Tunnel::new(&proxy, &self.endpoint);
        let mut stream = TransportAdapter::new(tcp, details.current_time.clone());
        stream.set_timeout(details.timeout);
        let mut bytes = [0; 1024];
        loop {
            let pending = tunnel.pending();
            let sent = pending.len();
            stream.write_all(pending)?;
            tunnel.transmitted(sent);
            let count = stream.read(&mut bytes)?;
            if count == 0 {
                return Err(Error::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            match tunnel.receive(&bytes[..count]).map_err(own)? {
                None => {}
                Some(early) if early.is_empty() => return Ok(stream.into_inner()),
                Some(_) => return Err(own(ClientError::BadHttp { problem: "it speaks before it is asked".into() })),
            }
        }
    }

    fn handshake(&self, details: &ConnectionDetails<'_>, tcp: Box<dyn Transport>) -> Result<TlsTransport, Error> {
        let host = self.endpoint.host();
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Host { host: host.to_owned() });
        let name = name.map_err(own)?;
        let config = self.tls.rustls().map_err(own)?;
        let connection = ClientConnection::new(config, name).map_err(|error| own(explain(error, host)))?;
        let mut stream =
            StreamOwned { conn: connection, sock: TransportAdapter::new(tcp, details.current_time.clone()) };
        stream.sock.set_timeout(details.timeout);
        stream.conn.complete_io(&mut stream.sock).map_err(|error| tls_error(error, host))?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(TlsTransport { buffers, stream, host: Arc::from(host) })
    }
}

impl Connector for Link {
    type Out = Either<Box<dyn Transport>, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, Error> {
        let hop = Hop::new(&self.endpoint, self.proxy.as_ref());
        let tcp = Connector::<()>::connect(&self.tcp, details, None).map_err(|error| match error {
            Error::Io(source) => {
                own(ClientError::Connect { host: hop.host().to_owned(), port: hop.port(), source: Arc::new(source) })
            }
            error => error,
        })?;
        let Some(tcp) = tcp else { return Ok(None) };
        let mut tcp: Box<dyn Transport> = Box::new(tcp);
        if let Some(proxy) = &self.proxy {
            tcp = self.through(proxy, details, tcp)?;
        }
        if !self.endpoint.is_tls() {
            return Ok(Some(Either::A(tcp)));
        }
        self.handshake(details, tcp).map(|transport| Some(Either::B(transport)))
    }
}

/// Looks names up as `ureq` does, and says when that fails.
#[derive(Debug, Default)]
pub(crate) struct Names {
    system: DefaultResolver,
    /// Whose name is looked up instead: the proxy's, as a URL.
    proxy: Option<Uri>,
}

impl Names {
    pub(crate) fn new(proxy: Option<&Proxy>) -> Self {
        let url = |proxy: &Proxy| format!("http://{}/", proxy.address()).parse().ok();
        Names { system: DefaultResolver::default(), proxy: proxy.and_then(url) }
    }
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let uri = self.proxy.as_ref().unwrap_or(uri);
        self.system.resolve(uri, config, timeout).map_err(|error| match error {
            Error::Io(_) | Error::HostNotFound => {
                own(ClientError::Resolve { host: uri.host().unwrap_or_default().to_owned() })
            }
            error => error,
        })
    }
}

/// An error of ours on its way through `ureq`.
fn own(error: impl Into<ClientError>) -> Error {
    Error::Other(Box::new(error.into()))
}

/// What rustls says through an I/O error; what is none of its own stays what it is.
fn tls_error(error: io::Error, host: &str) -> Error {
    TlsError::of_io(error, host).map_or_else(Error::from, own)
}

/// An encrypted connection.
pub(crate) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    host: Arc<str>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let sent = self.stream.write_all(&self.buffers.output()[..amount]).and_then(|()| self.stream.flush());
        sent.map_err(|error| tls_error(error, &self.host))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf());
        let amount = match read {
            Ok(amount) => amount,
            // Cut without TLS's goodbye: whether the answer was complete, its length tells.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(Error::Io(error)),
            Err(error) => return Err(tls_error(error, &self.host)),
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").field("host", &self.host).finish_non_exhaustive()
    }
}
