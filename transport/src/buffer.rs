//! Byte queues between a socket and the machines that read and write it.

use zeroize::{Zeroize, Zeroizing};

/// A queue that is empty gives memory beyond this back, so that one large message does not stay for
/// the connection's life.
const KEEP: usize = 64 * 1024;

/// What a queue keeps when it is trimmed.
const TRIMMED: usize = 4 * 1024;

/// Bytes that came in and are not read yet.
#[derive(Default)]
pub(crate) struct InBuffer {
    bytes: Vec<u8>,
    start: usize,
}

impl InBuffer {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        // Moving the rest to the front costs at most what was consumed since the last time.
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) fn consume(&mut self, n: usize) {
        self.start += n;
        debug_assert!(self.start <= self.bytes.len());
        if self.start == self.bytes.len() {
            self.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEEP);
        self.start = 0;
    }

    /// Gives memory back that is not in use.
    pub(crate) fn trim(&mut self) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.shrink_to(TRIMMED);
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }
}

/// Bytes that wait to go out. They may hold a token (masked, which hides nothing) or a secret
/// header, so they are wiped once they are sent, and no copy is left behind when the buffer grows.
#[derive(Default)]
pub(crate) struct OutBuffer {
    bytes: Zeroizing<Vec<u8>>,
    sent: usize,
}

impl OutBuffer {
    /// Makes room for `additional` bytes; what follows up to that many does not reallocate.
    pub(crate) fn reserve(&mut self, additional: usize) {
        if self.bytes.capacity() - self.bytes.len() >= additional {
            return;
        }
        let rest = self.pending();
        let room = (rest.len() + additional).max(rest.len() * 2);
        let mut grown = Zeroizing::new(Vec::with_capacity(room));
        grown.extend_from_slice(rest);
        self.bytes = grown;
        self.sent = 0;
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends at most `len` bytes.
    pub(crate) fn extend(&mut self, len: usize, bytes: impl Iterator<Item = u8>) {
        self.reserve(len);
        self.bytes.extend(bytes.take(len));
    }

    pub(crate) fn pending(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pending().is_empty()
    }

    pub(crate) fn consume(&mut self, n: usize) {
        let end = self.bytes.len().min(self.sent + n);
        self.bytes[self.sent..end].zeroize();
        self.sent = end;
        if self.sent == self.bytes.len() {
            self.clear();
        }
    }

    /// Gives memory back that is not in use; with something in it, nothing.
    pub(crate) fn trim(&mut self) {
        if self.is_empty() && self.bytes.capacity() > TRIMMED {
            self.bytes = Zeroizing::default();
            self.sent = 0;
        }
    }

    pub(crate) fn clear(&mut self) {
        if self.bytes.capacity() > KEEP {
            self.bytes = Zeroizing::default();
        } else {
            // Not `Vec::zeroize`: that would wipe the whole capacity each time.
            self.bytes.as_mut_slice().zeroize();
            self.bytes.clear();
        }
        self.sent = 0;
    }
}

impl std::io::Write for OutBuffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_buffer_keeps_order_over_any_interleaving() {
        let mut buffer = InBuffer::default();
        let (mut pushed, mut read) = (0u8, 0u8);
        for round in 0..200usize {
            for _ in 0..round % 7 {
                buffer.push(&[pushed]);
                pushed = pushed.wrapping_add(1);
            }
            let n = buffer.len().min(round % 5);
            for byte in &buffer.unread()[..n] {
                assert_eq!(*byte, read);
                read = read.wrapping_add(1);
            }
            buffer.consume(n);
        }
        assert!(buffer.len() < 300);
    }

    #[test]
    fn in_buffer_gives_large_memory_back() {
        let mut buffer = InBuffer::default();
        buffer.push(&vec![1; 1 << 20]);
        buffer.consume(1 << 20);
        assert!(buffer.bytes.capacity() <= KEEP);
    }

    #[test]
    fn out_buffer_wipes_what_was_sent() {
        let mut buffer = OutBuffer::default();
        buffer.push(b"secret");
        buffer.consume(3);
        assert_eq!(&buffer.bytes[..3], [0; 3]);
        assert_eq!(buffer.pending(), b"ret");
        buffer.push(&[7; 100]);
        assert_eq!(&buffer.pending()[..4], b"ret\x07");
        buffer.consume(1000);
        assert!(buffer.is_empty());
        buffer.push(&vec![1; 1 << 20]);
        buffer.clear();
        assert!(buffer.bytes.capacity() <= KEEP);
    }
}
