//! Random bytes: for the handshake's key, and for the masks of WebSocket frames.

use std::cell::Cell;
use std::fmt;

use rustls::crypto::SecureRandom;

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

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
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
