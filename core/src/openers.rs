//! `Openers`: whose frame it is (protocol.md, R5.9 and R5.10).

use crate::chunk::Chunk;

/// The text of the second end that a stopped turn without a piece leaves behind (protocol.md, R3.15).
const EMPTY_RESPONSE: &str = "empty response";

/// What is known of the openers of a connection's server: what a frame is taken for hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Openers {
    /// It has shown none, as 2023 never does: whatever comes while a turn runs is the turn's.
    Unknown,
    /// It opens its turns, and the last turn's opener has not come: nothing before that belongs to the turn, but a
    /// notice.
    Awaited,
    /// The last turn's opener has come.
    Seen,
}

impl Openers {
    /// A turn begins.
    pub(crate) fn begin(&mut self) {
        if *self == Openers::Seen {
            *self = Openers::Awaited;
        }
    }

    /// Whether `chunk`, which comes before the server has ended the turn, is the turn's.
    #[inline(always)]
    pub(crate) fn is_own(&mut self, chunk: &Chunk<'_>) -> bool {
        if chunk.opener().is_some() {
            *self = Openers::Seen;
        }
        *self != Openers::Awaited || is_notice(chunk)
    }
}

/// Whether a frame before the opener can be a notice for the turn. An end with no text, or with that of a second end, is
/// a stopped turn's, however many came before it: were it taken for the end of this turn, every later answer would land
/// one turn too late.
fn is_notice(chunk: &Chunk<'_>) -> bool {
    chunk.end && chunk.message.is_some_and(|text| !text.is_empty() && text.as_plain() != Some(EMPTY_RESPONSE))
}
