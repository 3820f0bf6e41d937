//! The way through a proxy, over bytes.

use std::fmt;

use zeroize::Zeroizing;

use super::http::Connect;
use super::socks::Socks;
use super::{Kind, Proxy};
use crate::endpoint::Endpoint;
use crate::proxy_error::ProxyError;

/// What asks a proxy to connect to a server, over bytes and without I/O. When it is open, all bytes are the server's. A
/// [`Connection`](crate::Connection) has one inside; this is for streams beside the chat's.
pub struct Tunnel {
    machine: Machine,
    /// What is to be sent, user name and password among it.
    output: Zeroizing<Vec<u8>>,
    sent: usize,
}

enum Machine {
    Http(Connect),
    Socks(Socks),
}

impl Tunnel {
    /// Starts: the first bytes are there at once.
    #[must_use]
    pub fn new(proxy: &Proxy, endpoint: &Endpoint) -> Self {
        let (machine, output) = match proxy.kind {
            Kind::Http => {
                let (connect, request) = Connect::start(proxy, endpoint);
                (Machine::Http(connect), request)
            }
            Kind::Socks5 | Kind::Socks5h => {
                let (socks, hello) = Socks::start(proxy, endpoint);
                (Machine::Socks(socks), hello)
            }
        };
        Tunnel { machine, output, sent: 0 }
    }

    /// Takes bytes from the proxy, split in any way. Once the tunnel is open: those that are the server's already.
    ///
    /// # Errors
    /// [`ProxyError`]: there is no way through.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, ProxyError> {
        match &mut self.machine {
            Machine::Http(connect) => connect.receive(bytes),
            Machine::Socks(socks) => {
                let mut answer = Zeroizing::new(Vec::new());
                let open = socks.receive(bytes, &mut answer)?;
                if !answer.is_empty() {
                    // Nothing before was left unsent: the proxy has answered it.
                    self.output = answer;
                    self.sent = 0;
                }
                Ok(open)
            }
        }
    }

    /// The bytes to send next.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        &self.output[self.sent..]
    }

    /// The first `n` of them were sent.
    pub fn transmitted(&mut self, n: usize) {
        self.sent = self.output.len().min(self.sent + n);
    }

    /// Bytes held.
    pub(crate) fn memory(&self) -> usize {
        let inside = match &self.machine {
            Machine::Http(connect) => connect.memory(),
            Machine::Socks(socks) => socks.memory(),
        };
        inside + self.output.len()
    }
}

impl fmt::Debug for Tunnel {
    /// Without what is sent, which has the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
