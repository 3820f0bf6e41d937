//! Values of options that are more than a number or a text.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;
use std::time::Duration;

/// A time, in seconds.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "expected seconds, such as 2.5".to_owned())?;
    duration(seconds)
}

/// A time that is no deadline at all would be zero; one that is longer than a clock can say is a mistake.
pub(crate) fn duration(seconds: f64) -> Result<Duration, String> {
    let duration = Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| "expected more than 0 seconds, and not more than a clock can say".to_owned())
}

/// A time, in seconds; 0 is for never.
pub(crate) fn seconds_or_never(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "expected seconds, such as 2.5; 0 for never".to_owned())?;
    duration_or_never(seconds)
}

/// The same of a number.
pub(crate) fn duration_or_never(seconds: f64) -> Result<Duration, String> {
    if seconds == 0.0 { Ok(Duration::ZERO) } else { duration(seconds) }
}

/// A number of bytes: `4000000`, `512K`, `4M` or `1G`. 0 is for no limit.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let expected = || "expected bytes, such as 4000000, 512K or 4M; 0 for no limit".to_owned();
    let (digits, shift) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let number: usize = digits.parse().map_err(|_| expected())?;
    number.checked_mul(1 << shift).ok_or_else(expected)
}

/// A number that the types of this machine hold: what is wrong with one is said without their names.
pub(crate) fn whole<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => "expected a smaller number".to_owned(),
        IntErrorKind::NegOverflow => "expected a larger number".to_owned(),
        _ => "expected a whole number".to_owned(),
    })
}

/// How many of something there are.
pub(crate) fn count<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, String> {
    if text.starts_with('-') { Err("expected a whole number, 0 or more".to_owned()) } else { whole(text) }
}

/// A number with decimals.
pub(crate) fn decimal(text: &str) -> Result<f32, String> {
    text.parse().map_err(|_| "expected a number, such as 0.7".to_owned())
}

/// How fast the models of `serve` are.
pub(crate) fn pace(text: &str) -> Result<f64, String> {
    let expected = || "expected a number, 0 or more".to_owned();
    let pace: f64 = text.parse().map_err(|_| expected())?;
    if pace.is_finite() && pace >= 0.0 { Ok(pace) } else { Err(expected()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_positive_decimals() {
        assert_eq!(seconds("2.5"), Ok(Duration::from_millis(2500)));
        for text in ["0", "-1", "1e-12", "NaN", "inf", "1e30", "", "2s"] {
            let refused = seconds(text).unwrap_err();
            assert!(refused.starts_with("expected ") && !refused.contains("Duration"), "{text}: {refused}");
        }
    }

    #[test]
    fn never_is_no_seconds() {
        assert_eq!(
            (seconds_or_never("0"), seconds_or_never("2.5")),
            (Ok(Duration::ZERO), Ok(Duration::from_millis(2500)))
        );
        for text in ["-1", "1e-12", "NaN", "never", ""] {
            assert!(seconds_or_never(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("4000000"), Ok(4_000_000));
        assert_eq!((size("2k"), size("4M"), size("1G")), (Ok(2048), Ok(4 << 20), Ok(1 << 30)));
        for text in ["", "M", "-1", "4 M", "1.5M", "4MB", "99999999999999999999", "99999999999999G"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_refused_in_plain_words() {
        assert_eq!((whole("-5"), count("0"), decimal("1e-1")), (Ok(-5_i64), Ok(0_u32), Ok(0.1)));
        for text in ["", "x", "1.5", "99999999999999999999", "-99999999999999999999"] {
            let refused = [whole::<i64>(text).unwrap_err(), count::<u16>(text).unwrap_err()];
            assert!(refused.iter().all(|refused| refused.starts_with("expected a ")), "{text}: {refused:?}");
        }
        assert_eq!(count::<u16>("65536"), Err("expected a smaller number".to_owned()));
        assert!(decimal("warm").is_err());
    }

    #[test]
    fn a_pace_is_a_number() {
        assert_eq!(pace("0"), Ok(0.0));
        for text in ["-1", "NaN", "inf", "fast"] {
            assert!(pace(text).is_err(), "{text}");
        }
    }
}
