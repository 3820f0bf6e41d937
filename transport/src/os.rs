//! What the client takes from the operating system: the standard library's, or, where its interleavings are tested
//! (`--cfg shuttle`), a model of it.

#[cfg(all(unix, not(all(test, shuttle))))]
mod connecting;
#[cfg(not(all(unix, not(all(test, shuttle)))))]
#[path = "os/connecting_threads.rs"]
mod connecting;
#[cfg(all(test, shuttle))]
pub(crate) mod model;

pub(crate) use connecting::Attempt;

use std::io;
#[cfg(not(all(test, shuttle)))]
use std::io::ErrorKind;
#[cfg(any(not(unix), all(test, shuttle)))]
use std::io::Read;
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::net::TcpStream;
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

#[cfg(all(test, shuttle))]
pub(crate) use model::TcpStream;
#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};

/// Has each message sent at once, however small.
pub(crate) fn send_at_once(socket: &TcpStream) -> io::Result<()> {
    let done = socket.set_nodelay(true);
    #[cfg(all(unix, not(all(test, shuttle))))]
    if done.is_err() && is_of_unix(socket) {
        // It has no such option, and holds nothing back.
        return Ok(());
    }
    done
}

#[cfg(all(unix, not(all(test, shuttle))))]
fn is_of_unix(socket: &TcpStream) -> bool {
    use rustix::net::{AddressFamily, getsockname};

    getsockname(socket).is_ok_and(|address| address.address_family() == AddressFamily::UNIX)
}

/// Whether it is a socket of a stream, as its type has it: a host may have made it of any descriptor.
#[cfg(all(unix, not(all(test, shuttle))))]
pub(crate) fn is_stream(socket: &TcpStream) -> bool {
    use rustix::net::{SocketType, sockopt::socket_type};

    socket_type(socket).is_ok_and(|kind| kind == SocketType::STREAM)
}

#[cfg(any(not(unix), all(test, shuttle)))]
pub(crate) fn is_stream(_: &TcpStream) -> bool {
    true
}

/// Reads what there is, waiting at most `limit` for it; nothing by then is [`ErrorKind::WouldBlock`].
///
/// Not by a time-out of the socket, which is rounded up to a tick of the system's clock: a host that only looks would
/// wait for one.
#[cfg(all(unix, not(all(test, shuttle))))]
pub(crate) fn read_within(socket: &TcpStream, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::net::{RecvFlags, recv};

    let mut read = || recv(socket, &mut *buffer, RecvFlags::DONTWAIT).map(|(_, count)| count).map_err(io::Error::from);
    match read() {
        Err(error) if error.kind() == ErrorKind::WouldBlock && !limit.is_zero() => {}
        done => return done,
    }
    // What is too long for the system is for ever.
    let limit = Timespec::try_from(limit).ok();
    match poll(&mut [PollFd::new(socket, PollFlags::IN)], limit.as_ref())? {
        0 => Err(ErrorKind::WouldBlock.into()),
        _ => read(),
    }
}

/// Reads what there is, waiting at most `limit` for it, and never long: nobody has tried there whether a shutdown by
/// another thread ends a read.
#[cfg(all(not(unix), not(all(test, shuttle))))]
pub(crate) fn read_within(mut socket: &TcpStream, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
    // Zero would mean for ever.
    socket.set_read_timeout(Some(limit.clamp(Duration::from_millis(1), Duration::from_millis(100))))?;
    match socket.read(buffer) {
        Err(error) if error.kind() == ErrorKind::TimedOut => Err(ErrorKind::WouldBlock.into()),
        done => done,
    }
}

/// Reads what there is. A short wait only lets others run; a long one ends with input or a shutdown, and never by time.
#[cfg(all(test, shuttle))]
pub(crate) fn read_within(mut socket: &TcpStream, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
    if limit > Duration::from_secs(1) {
        socket.wait();
    }
    socket.read(buffer)
}
