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
use std::io::{Read, Write};
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

/// Reads what there is, waiting at most `limit` for it, or until the socket takes something to be written, if one `writes`;
/// nothing by then is [`ErrorKind::WouldBlock`].
///
/// Not by a time-out of the socket, which is rounded up to a tick of the system's clock: a host that only looks would
/// wait for one.
#[cfg(all(unix, not(all(test, shuttle))))]
pub(crate) fn read_within(socket: &TcpStream, buffer: &mut [u8], limit: Duration, writes: bool) -> io::Result<usize> {
    use rustix::event::PollFlags;
    use rustix::net::{RecvFlags, recv};

    let mut read = || recv(socket, &mut *buffer, RecvFlags::DONTWAIT).map(|(_, count)| count).map_err(io::Error::from);
    match read() {
        Err(error) if error.kind() == ErrorKind::WouldBlock && !limit.is_zero() => {}
        done => return done,
    }
    wait(socket, if writes { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN }, limit)?;
    read()
}

/// Writes what the socket takes, waiting at most `limit` for it to take any; nothing by then is [`ErrorKind::WouldBlock`].
///
/// Not vectored: that would raise SIGPIPE in a C host whose peer has closed.
#[cfg(all(unix, not(all(test, shuttle))))]
pub(crate) fn write_within(socket: &TcpStream, bytes: &[u8], limit: Duration) -> io::Result<usize> {
    use rustix::event::PollFlags;
    use rustix::net::{SendFlags, send};

    // Apple's have no such flag, but an option of the socket.
    #[cfg(target_vendor = "apple")]
    let flags = SendFlags::DONTWAIT;
    #[cfg(not(target_vendor = "apple"))]
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let write = || send(socket, bytes, flags).map_err(io::Error::from);
    match write() {
        Err(error) if error.kind() == ErrorKind::WouldBlock && !limit.is_zero() => {}
        done => return done,
    }
    wait(socket, PollFlags::OUT, limit)?;
    write()
}

#[cfg(all(unix, not(all(test, shuttle))))]
fn wait(socket: &TcpStream, until: rustix::event::PollFlags, limit: Duration) -> io::Result<()> {
    use rustix::event::{PollFd, Timespec, poll};

    // What is too long for the system is for ever.
    let limit = Timespec::try_from(limit).ok();
    poll(&mut [PollFd::new(socket, until)], limit.as_ref())?;
    Ok(())
}

/// As above, but never waits long: nobody has tried there whether a shutdown by another thread ends a read, nor is there a
/// poll(2).
#[cfg(all(not(unix), not(all(test, shuttle))))]
pub(crate) fn read_within(
    mut socket: &TcpStream,
    buffer: &mut [u8],
    limit: Duration,
    writes: bool,
) -> io::Result<usize> {
    socket.set_read_timeout(Some(if writes { MOMENT } else { bounded(limit) }))?;
    would_block(socket.read(buffer))
}

/// As above.
#[cfg(all(not(unix), not(all(test, shuttle))))]
pub(crate) fn write_within(mut socket: &TcpStream, bytes: &[u8], limit: Duration) -> io::Result<usize> {
    socket.set_write_timeout(Some(bounded(limit)))?;
    would_block(socket.write(bytes))
}

#[cfg(all(not(unix), not(all(test, shuttle))))]
const MOMENT: Duration = Duration::from_millis(1);

/// Zero would mean for ever.
#[cfg(all(not(unix), not(all(test, shuttle))))]
fn bounded(limit: Duration) -> Duration {
    limit.clamp(MOMENT, Duration::from_millis(100))
}

#[cfg(all(not(unix), not(all(test, shuttle))))]
fn would_block(done: io::Result<usize>) -> io::Result<usize> {
    match done {
        Err(error) if error.kind() == ErrorKind::TimedOut => Err(ErrorKind::WouldBlock.into()),
        done => done,
    }
}

/// Reads what there is. A short wait only lets others run; a long one ends with input or a shutdown, and never by time.
#[cfg(all(test, shuttle))]
pub(crate) fn read_within(mut socket: &TcpStream, buffer: &mut [u8], limit: Duration, _: bool) -> io::Result<usize> {
    if limit > Duration::from_secs(1) {
        socket.wait();
    }
    socket.read(buffer)
}

/// The model takes all at once.
#[cfg(all(test, shuttle))]
pub(crate) fn write_within(mut socket: &TcpStream, bytes: &[u8], _: Duration) -> io::Result<usize> {
    socket.write(bytes)
}
