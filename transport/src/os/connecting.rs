//! Several connects at once, on one thread.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, connect, socket_with, sockopt};

use super::TcpStream;

/// A connect that is under way. Dropped, it is given up.
pub(crate) struct Attempt(OwnedFd);

impl Attempt {
    /// Starts to connect.
    pub(crate) fn start(address: &SocketAddr) -> io::Result<Self> {
        let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
        let socket = open(family)?;
        match connect(&socket, address) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(Attempt(socket)),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until one of them is done, at most `limit` long, and takes it out. `None` when there was none, or a signal
    /// came.
    pub(crate) fn wait(attempts: &mut Vec<Self>, limit: Duration) -> io::Result<Option<io::Result<TcpStream>>> {
        let mut polled: Vec<_> = attempts.iter().map(|attempt| PollFd::new(&attempt.0, PollFlags::OUT)).collect();
        match poll(&mut polled, Timespec::try_from(limit).ok().as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let Some(at) = polled.iter().position(|polled| !polled.revents().is_empty()) else { return Ok(None) };
        let socket = attempts.swap_remove(at).0;
        Ok(Some(match sockopt::socket_error(&socket)? {
            Ok(()) => Ok(socket.into()),
            Err(error) => Err(error.into()),
        }))
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn open(family: AddressFamily) -> io::Result<OwnedFd> {
    use rustix::net::SocketFlags;
    Ok(socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?)
}

/// Where a socket cannot be opened with its flags.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn open(family: AddressFamily) -> io::Result<OwnedFd> {
    use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
    use rustix::net::SocketFlags;
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::empty(), None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    Ok(socket)
}
