//! One connection out of several addresses.

use std::io;
use std::net::SocketAddr;

use super::ClientError;
use super::patience::Patience;
use crate::dial::{Dial, Dialer};
use crate::os::{Attempt, TcpStream};

/// Connects to the first address that answers: see [`Dialer`].
pub(super) fn race(host: &str, addresses: &[SocketAddr], patience: &Patience<'_>) -> Result<TcpStream, ClientError> {
    let limit =
        if patience.limit().is_zero() { patience.limit() } else { patience.limit().saturating_sub(patience.now()) };
    let limit_is_over = limit.is_zero() && !patience.limit().is_zero();
    if limit_is_over {
        return Err(patience.timed_out(host));
    }
    let mut dialer = Dialer::new(addresses, limit, patience.now());
    let mut attempts = Vec::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        match dialer.poll(patience.now()) {
            Dial::Connect(address) => match Attempt::start(&address) {
                Ok(attempt) => attempts.push(attempt),
                Err(error) => {
                    failure = error;
                    dialer.failed(patience.now());
                }
            },
            Dial::Wait(until) => {
                let tick = patience.tick(host)?;
                let wait = until.map_or(tick, |until| until.saturating_sub(patience.now()).min(tick));
                match Attempt::wait(&mut attempts, wait)? {
                    None => {}
                    Some(Ok(socket)) => return Ok(socket),
                    Some(Err(error)) => {
                        failure = error;
                        dialer.failed(patience.now());
                    }
                }
            }
            Dial::Exhausted => return Err(ClientError::unconnected(host, failure)),
            Dial::TimedOut => return Err(patience.timed_out(host)),
        }
    }
}
