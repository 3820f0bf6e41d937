//! A stream to the server: through a proxy if there is one, and by the chat's TLS settings.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use chatnio::rest::ClientError;
use chatnio::{ConnectionConfig, Endpoint, Hop, TlsError, Tunnel};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::dial::{Route, dial};

/// Anything that HTTP goes over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The way to one server.
#[derive(Debug)]
pub(super) struct Link {
    endpoint: Endpoint,
    config: ConnectionConfig,
}

impl Link {
    pub(super) fn new(endpoint: &Endpoint, config: &ConnectionConfig) -> Self {
        Link { endpoint: endpoint.clone(), config: config.clone() }
    }

    pub(super) async fn connect(&self) -> Result<Box<dyn Stream>, ClientError> {
        // With what the proxy is to be told.
        let mut config = self.config.clone();
        let limit = config.connect;
        let tcp =
            dial(&Route::LookUp, &self.endpoint, &mut config, limit).await.map_err(|error| self.explain(error))?;
        let opened = self.open(tcp, &config);
        match config.handshake {
            Duration::ZERO => opened.await,
            limit => timeout(limit, opened).await.unwrap_or_else(|_| {
                let (host, port) = self.peer();
                Err(ClientError::ConnectTimeout { host, port })
            }),
        }
    }

    /// Whom the socket is connected to.
    fn peer(&self) -> (String, u16) {
        let hop = Hop::new(&self.endpoint, self.config.proxy.as_ref());
        (hop.host().to_owned(), hop.port())
    }

    async fn open(&self, mut tcp: TcpStream, config: &ConnectionConfig) -> Result<Box<dyn Stream>, ClientError> {
        if let Some(proxy) = &config.proxy {
            self.through(&mut tcp, Tunnel::new(proxy, &self.endpoint)).await?;
        }
        if !self.endpoint.is_tls() {
            return Ok(Box::new(tcp));
        }
        let host = self.endpoint.host();
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Host { host: host.to_owned() })?;
        let connector = TlsConnector::from(self.config.tls.rustls()?);
        match connector.connect(name, tcp).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(TlsError::of_io(error, host).map_or_else(lost, ClientError::from)),
        }
    }

    /// Asks the proxy that `tcp` leads to for the way to the server.
    async fn through(&self, tcp: &mut TcpStream, mut tunnel: Tunnel) -> Result<(), ClientError> {
        let mut bytes = [0; 1024];
        loop {
            let sent = tunnel.pending().len();
            tcp.write_all(tunnel.pending()).await.map_err(lost)?;
            tunnel.transmitted(sent);
            let count = tcp.read(&mut bytes).await.map_err(lost)?;
            if count == 0 {
                return Err(lost(ErrorKind::UnexpectedEof.into()));
            }
            match tunnel.receive(&bytes[..count])? {
                None => {}
                Some(early) if early.is_empty() => return Ok(()),
                Some(_) => return Err(ClientError::BadHttp { problem: "it speaks before it is asked".into() }),
            }
        }
    }

    /// What the chat's connect says, as the calls have it.
    fn explain(&self, error: chatnio::ClientError) -> ClientError {
        let (host, port) = self.peer();
        match error {
            chatnio::ClientError::Resolve { host, .. } => ClientError::Resolve { host },
            chatnio::ClientError::ConnectTimeout { .. } => ClientError::ConnectTimeout { host, port },
            chatnio::ClientError::Connect { source, .. } | chatnio::ClientError::Exhausted { source, .. } => {
                ClientError::Connect { host, port, source }
            }
            error => ClientError::Connect { host, port, source: Arc::new(Error::other(error)) },
        }
    }
}

fn lost(error: Error) -> ClientError {
    ClientError::Lost { source: Arc::new(error) }
}
