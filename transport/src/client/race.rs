//! One connection out of several addresses.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

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
                Err(error) if is_exhaustion(&error) && attempts.is_empty() => {
                    return Err(ClientError::Exhausted { what: "socket", source: Arc::new(error) });
                }
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
            Dial::Exhausted => {
                return Err(ClientError::Connect { host: host.to_owned(), source: Arc::new(failure) });
            }
            Dial::TimedOut => return Err(patience.timed_out(host)),
        }
    }
}

/// Whether the system has run out of something of its own.
fn is_exhaustion(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let ours = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        error.raw_os_error().is_some_and(|code| ours.iter().any(|errno| errno.raw_os_error() == code))
    }
    #[cfg(not(unix))]
    {
        error.kind() == io::ErrorKind::OutOfMemory
    }
}
