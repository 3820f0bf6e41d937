//! WebSocket frames that this side writes.
//!
//! Text goes this way and not through `WebSocketContext::write`: that one logs the whole frame at
//! trace level, and the first one holds the token. Here the payload is masked on its way into the
//! output, so no plain copy of it is ever made.

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::OpCode;

use crate::buffer::OutBuffer;
use crate::error::WireError;
use crate::random::Random;

/// Writes one whole, masked WebSocket frame.
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
    use rustls::crypto::SecureRandom;
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
