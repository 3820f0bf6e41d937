//! The stream that tungstenite reads and writes: two queues in memory.

use std::io::{self, Read, Write};

use crate::buffer::{InBuffer, OutBuffer};

/// What tungstenite takes for the socket.
#[derive(Default)]
pub(crate) struct Pipe {
    pub(crate) inbound: InBuffer,
    pub(crate) outbound: OutBuffer,
    /// How many bytes of the input it may read.
    pub(crate) shown: usize,
    /// Takes nothing more for now.
    pub(crate) is_full: bool,
    /// Something was not taken.
    pub(crate) refused: bool,
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let unread = self.inbound.unread();
        let n = unread.len().min(buf.len()).min(self.shown);
        if n == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buf[..n].copy_from_slice(&unread[..n]);
        self.inbound.consume(n);
        self.shown -= n;
        Ok(n)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_full {
            self.refused = true;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.outbound.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
