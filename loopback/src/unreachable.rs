//! Addresses where nobody answers, for tests of what becomes of a connect.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use rustix::net::{self, AddressFamily, SocketFlags, SocketType};

/// An address that refuses connections: port 1 is nobody's. One that was free a moment ago may be another test's by now.
#[must_use]
pub fn closed_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 1))
}

/// An address that takes no connection and refuses none, on Linux: its queue is full, and what comes is dropped. It is so while
/// this lasts.
#[derive(Debug)]
pub struct Silent {
    address: SocketAddr,
    /// The listener, and what fills its queue.
    _held: (TcpListener, Vec<OwnedFd>),
}

impl Silent {
    /// At `port`, or a free one for 0.
    ///
    /// # Errors
    /// When the port is taken, or the system has no socket left.
    pub fn at(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let filling = fill(&listener, address)?;
        Ok(Silent { address, _held: (listener, filling) })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Makes as many connections as a listener that takes none lets wait: whoever comes then gets no answer.
fn fill(listener: &TcpListener, address: SocketAddr) -> io::Result<Vec<OwnedFd>> {
    net::listen(listener, 0)?;
    let mut filling = Vec::new();
    // One may wait; the others are to be there if that is ever another number.
    for _ in 0..4 {
        let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::NONBLOCK, None)?;
        match net::connect(&socket, &address) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => filling.push(socket),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filling)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::net::TcpStream;

    #[test]
    fn a_closed_port_refuses() {
        assert_eq!(TcpStream::connect(closed_port()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
}
