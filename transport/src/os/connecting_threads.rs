//! Several connects at once, where there is no poll(2): a thread each, which ends with its connect.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::TcpStream;

/// The longest wait for one attempt while there are others.
const TURN: Duration = Duration::from_millis(10);

/// A connect that is under way. Dropped, its result is.
pub(crate) struct Attempt(Receiver<io::Result<TcpStream>>);

impl Attempt {
    /// Starts to connect.
    pub(crate) fn start(address: &SocketAddr) -> io::Result<Self> {
        let (sender, receiver) = channel();
        let address = *address;
        let connect = move || drop(sender.send(TcpStream::connect(&address)));
        thread::Builder::new().name("chatnio-connect".into()).spawn(connect)?;
        Ok(Attempt(receiver))
    }

    /// Looks after each for a moment, at most `limit` long; takes the first out that is done.
    pub(crate) fn wait(attempts: &mut Vec<Self>, limit: Duration) -> io::Result<Option<io::Result<TcpStream>>> {
        for at in 0..attempts.len() {
            match attempts[at].0.recv_timeout(limit.min(TURN)) {
                Ok(done) => {
                    attempts.swap_remove(at);
                    return Ok(Some(done));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    attempts.swap_remove(at);
                    return Ok(Some(Err(io::ErrorKind::Other.into())));
                }
            }
        }
        Ok(None)
    }
}
