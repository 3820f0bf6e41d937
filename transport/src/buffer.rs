//! Byte queues between a socket and the machines that read and write it.

use std::ops::{Deref, DerefMut};

use zeroize::Zeroize;

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

/// Memory that is wiped as a whole before it is given back.
#[derive(Default)]
struct Wiped(Vec<u8>);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
        self.0.spare_capacity_mut().zeroize();
        #[cfg(test)]
        tests::given_back(&self.0);
    }
}

impl Deref for Wiped {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

/// Bytes that wait to go out. They may hold a token (masked, which hides nothing) or a secret
/// header, so they are wiped once they are sent, and no copy is left behind when the buffer grows.
#[derive(Default)]
pub(crate) struct OutBuffer {
    bytes: Wiped,
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
        let mut grown = Wiped(Vec::with_capacity(room));
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
            self.bytes = Wiped::default();
            self.sent = 0;
        }
    }

    pub(crate) fn clear(&mut self) {
        if self.bytes.capacity() > KEEP {
            self.bytes = Wiped::default();
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
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// How many bytes of memory this thread has given back wiped.
        static GIVEN_BACK: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn given_back(memory: &Vec<u8>) {
        assert!(memory.iter().all(|byte| *byte == 0), "given back with something in it");
        GIVEN_BACK.set(GIVEN_BACK.get() + memory.capacity());
    }

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

    #[test]
    fn out_buffer_leaves_no_copy_behind() {
        let mut buffer = OutBuffer::default();
        GIVEN_BACK.set(0);
        // What it has had, and what it has.
        let (mut had, mut has) = (0, 0);
        let mut changed = |buffer: &OutBuffer| {
            had += has;
            assert_ne!(buffer.bytes.capacity(), has);
            has = buffer.bytes.capacity();
            assert_eq!(GIVEN_BACK.get(), had, "memory went that was not wiped");
        };
        for len in [1, 100, 1000, 10_000, 100_000] {
            buffer.push(&vec![7; len]);
            changed(&buffer);
        }
        buffer.extend(200_000, std::iter::repeat_n(7, 200_000));
        changed(&buffer);
        buffer.reserve(1 << 20);
        changed(&buffer);
        buffer.clear();
        changed(&buffer);
        buffer.push(&[7; TRIMMED + 1]);
        changed(&buffer);
        buffer.consume(TRIMMED + 1);
        buffer.trim();
        changed(&buffer);
        buffer.push(&[7; 10]);
        changed(&buffer);
        drop(buffer);
        changed(&OutBuffer::default());
    }
}
