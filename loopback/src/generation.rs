//! The three generations of the server.

use core::fmt;
use core::str::FromStr;

/// Which server is played: each speaks the protocol a little differently (protocol.md, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Generation {
    /// `2023-11`: no openers, five frame fields, no `edit` and `remove`, echoes a Close frame.
    G2023,
    /// `2024-03`: openers, six frame fields, a stop is seen with the model's next piece.
    G2024,
    /// `2026-03`: as 2024-03, but a stop is looked for every 100 ms and leaves two end frames.
    #[default]
    G2026,
}

impl Generation {
    /// All generations, oldest first.
    pub const ALL: [Self; 3] = [Self::G2023, Self::G2024, Self::G2026];

    /// The name that [`FromStr`] accepts and [`fmt::Display`] prints, such as `2024-03`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::G2023 => "2023-11",
            Self::G2024 => "2024-03",
            Self::G2026 => "2026-03",
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is none of the generations'.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown generation {0:?}: use 2023-11, 2024-03 or 2026-03")]
pub struct UnknownGeneration(String);

impl FromStr for Generation {
    type Err = UnknownGeneration;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|generation| generation.name() == name)
            .ok_or_else(|| UnknownGeneration(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_refused() {
        for generation in Generation::ALL {
            assert_eq!(generation.to_string().parse(), Ok(generation));
        }
        let error = "2025-01".parse::<Generation>().unwrap_err();
        assert_eq!(error.to_string(), "unknown generation \"2025-01\": use 2023-11, 2024-03 or 2026-03");
    }
}
