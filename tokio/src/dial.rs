//! A socket to the server, or to the proxy on the way there.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chatnio::{ClientError, ConnectionConfig, Dial, Dialer, Endpoint, Hop};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout, timeout_at};

/// The way to the server.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    LookUp,
    Addresses(Vec<SocketAddr>),
    /// A stream that the host has connected.
    Given,
}

/// Connects, within `limit`, if that is not zero. What a proxy is to be told of the server's address stands in `config` then.
pub(crate) async fn dial(
    route: &Route,
    endpoint: &Endpoint,
    config: &mut ConnectionConfig,
    limit: Duration,
) -> Result<TcpStream, ClientError> {
    let name = Hop::new(endpoint, config.proxy.as_ref()).name();
    let connected = async {
        if let Some(proxy) = config.proxy.as_mut().filter(|proxy| proxy.wants_target()) {
            let target = look_up(endpoint.host(), endpoint.port(), endpoint.host()).await?;
            if let Some(address) = target.first() {
                *proxy = proxy.clone().with_target(address.ip());
            }
        }
        let found;
        let addresses = match route {
            Route::LookUp => {
                let hop = Hop::new(endpoint, config.proxy.as_ref());
                found = look_up(hop.host(), hop.port(), &hop.name_to_look_up()).await?;
                &found
            }
            Route::Addresses(addresses) => addresses,
            Route::Given => return Err(ClientError::GivenStream),
        };
        let loading = load_roots(endpoint, config);
        let socket = race(&name, addresses).await;
        if let Some(loading) = loading {
            // Why the roots cannot be had, the connection will say.
            let _ = loading.await;
        }
        socket
    };
    if limit.is_zero() {
        return connected.await;
    }
    let late = |_| Err(ClientError::ConnectTimeout { host: name.clone(), limit });
    timeout(limit, connected).await.unwrap_or_else(late)
}

/// The addresses of a host, which errors call `name`.
async fn look_up(host: &str, port: u16, name: &str) -> Result<Vec<SocketAddr>, ClientError> {
    match Dialer::known(host, port) {
        Some(known) => Ok(known),
        None => match lookup_host((host, port)).await {
            Ok(found) => Ok(found.collect()),
            Err(source) => Err(ClientError::Resolve { host: name.to_owned(), source: Arc::new(source) }),
        },
    }
}

/// Begins to load the roots of TLS, which reads files, where it holds nobody up; `None` when there is nothing to do.
fn load_roots(endpoint: &Endpoint, config: &ConnectionConfig) -> Option<JoinHandle<()>> {
    let tls = config.tls.clone();
    let is_wanted = endpoint.is_tls() && !tls.is_loaded();
    is_wanted.then(|| spawn_blocking(move || drop(tls.load())))
}

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// Connects to the first address that answers: see [`Dialer`].
async fn race(name: &str, addresses: &[SocketAddr]) -> Result<TcpStream, ClientError> {
    let origin = Instant::now();
    // Who calls this has the limit.
    let mut dialer = Dialer::new(addresses, Duration::ZERO, Duration::ZERO);
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        match dialer.poll(origin.elapsed()) {
            Dial::Connect(address) => attempts.push(Box::pin(TcpStream::connect(address))),
            Dial::Wait(until) => {
                let first = first(&mut attempts);
                let done = match until {
                    Some(at) => timeout_at(origin + at, first).await.ok(),
                    None => Some(first.await),
                };
                match done {
                    None => {}
                    Some(Ok(socket)) => return Ok(socket),
                    Some(Err(error)) => {
                        failure = error;
                        dialer.failed(origin.elapsed());
                    }
                }
            }
            Dial::Exhausted | Dial::TimedOut => return Err(ClientError::unconnected(name, failure)),
        }
    }
}

/// Waits until one of them is done, and takes it out.
async fn first(attempts: &mut Vec<Attempt>) -> io::Result<TcpStream> {
    poll_fn(|context| {
        for at in 0..attempts.len() {
            if let Poll::Ready(done) = attempts[at].as_mut().poll(context) {
                drop(attempts.swap_remove(at));
                return Poll::Ready(done);
            }
        }
        Poll::Pending
    })
    .await
}
