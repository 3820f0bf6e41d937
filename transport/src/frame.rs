//! Frames that this side writes, and the random bytes they need.
//!
//! Text goes this way and not through `WebSocketContext::write`: that one logs the whole frame at
//! trace level, and the first one holds the token. Here the payload is masked on its way into the
//! output, so no plain copy of it is ever made.

use std::cell::Cell;
use std::fmt;

use rustls::crypto::SecureRandom;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::OpCode;

use crate::buffer::OutBuffer;
use crate::error::WireError;

/// A source of random bytes that reports failure instead of panicking.
#[derive(Clone, Copy)]
pub(crate) struct Random(pub(crate) &'static dyn SecureRandom);

impl Random {
    /// The one that TLS uses too.
    pub(crate) fn system() -> Self {
        Self(rustls::crypto::ring::default_provider().secure_random)
    }

    pub(crate) fn bytes<const N: usize>(self) -> Result<[u8; N], WireError> {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes).map_err(|_| WireError::NoRandom)?;
        Ok(bytes)
    }
}

/// Makes tungstenite's own generator ready on this thread, which masks pongs and Close frames: it panics when it cannot
/// begin, and needs the system no more once it has begun.
///
/// # Errors
/// [`WireError::NoRandom`].
pub(crate) fn begin_masking(random: Random) -> Result<(), WireError> {
    thread_local! {
        static HAS_BEGUN: Cell<bool> = const { Cell::new(false) };
    }
    if !HAS_BEGUN.get() {
        random.bytes::<1>()?;
        // Drawn from that generator.
        let _ = tungstenite::handshake::client::generate_key();
        HAS_BEGUN.set(true);
    }
    Ok(())
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

/// Writes one whole, masked frame.
pub(crate) fn write_masked(
    out: &mut OutBuffer,
    opcode: OpCode,
    payload: &[u8],
    random: Random,
) -> Result<(), WireError> {
    let mask = random.bytes()?;
    let header = FrameHeader { opcode, mask: Some(mask), ..FrameHeader::default() };
    let len = payload.len() as u64;
    out.reserve(header.len(len) + payload.len());
    header.format(len, out).map_err(|error| WireError::Protocol { problem: error.to_string() })?;
    out.extend(payload.len(), payload.iter().zip(mask.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
    Ok(())
}

#[cfg(test)]
mod tests {
    use tungstenite::protocol::frame::FrameSocket;
    use tungstenite::protocol::frame::coding::Data;

    use super::*;

    #[derive(Debug)]
    struct Broken;

    impl SecureRandom for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), rustls::crypto::GetRandomFailed> {
            Err(rustls::crypto::GetRandomFailed)
        }
    }

    #[test]
    fn frames_of_every_length_format_are_read_back() {
        for len in [0, 1, 125, 126, 65535, 65536] {
            let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let mut out = OutBuffer::default();
            write_masked(&mut out, OpCode::Data(Data::Text), &payload, Random::system()).unwrap();
            let mut reader = FrameSocket::new(out.pending());
            let frame = reader.read(None).unwrap().unwrap();
            let mask = frame.header().mask.expect("masked");
            let plain: Vec<u8> = frame.payload().iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect();
            assert!(plain == payload && frame.header().is_final, "{len}");
        }
    }

    #[test]
    fn masks_differ() {
        let masks: std::collections::HashSet<[u8; 4]> = (0..64).map(|_| Random::system().bytes().unwrap()).collect();
        assert!(masks.len() > 60);
    }

    #[test]
    fn without_random_bytes_nothing_is_written() {
        let mut out = OutBuffer::default();
        let result = write_masked(&mut out, OpCode::Data(Data::Text), b"x", Random(&Broken));
        assert_eq!(result, Err(WireError::NoRandom));
        assert!(out.is_empty());
    }
}
