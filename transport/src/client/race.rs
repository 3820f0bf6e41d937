//! One connection out of several addresses.

use std::io;
use std::net::SocketAddr;

use super::ClientError;
use super::patience::Patience;
use crate::dial::{Dial, Dialer};
use crate::os::{Attempt, TcpStream};

/// Connects to the first address that answers: see [`Dialer`]. `meanwhile` is done once the first connect has started, and
/// before anybody waits for it.
pub(super) fn race(
    host: &str,
    addresses: &[SocketAddr],
    patience: &Patience<'_>,
    meanwhile: impl FnOnce(),
) -> Result<TcpStream, ClientError> {
    let limit =
        if patience.limit().is_zero() { patience.limit() } else { patience.limit().saturating_sub(patience.now()) };
    let limit_is_over = limit.is_zero() && !patience.limit().is_zero();
    if limit_is_over {
        return Err(patience.timed_out(host));
    }
    let mut dialer = Dialer::new(addresses, limit, patience.now());
    let mut attempts = Vec::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let mut meanwhile = Some(meanwhile);
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
                if let Some(meanwhile) = meanwhile.take() {
                    meanwhile();
                    continue;
                }
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

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::super::stopper::Stopper;
    use super::*;

    #[test]
    fn what_takes_time_is_done_while_the_connect_goes_on() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let stopper = Stopper::new();
        let patience = Patience::new(Duration::ZERO, &stopper);
        // Nobody has waited yet for what was connected: it is in the listener's queue already, or comes there.
        let mut seen = None;
        let socket = race("here", &[address], &patience, || seen = Some(server.accept().unwrap().1)).unwrap();
        assert_eq!(seen, Some(socket.local_addr().unwrap()));
    }
}
