//! The frame as servers write nearly all of them, read at a fraction of what `Chunk::decode_any` takes for any frame.
//!
//! Since 2024 a piece is `{"conversation":0,"quota":Q,"keyword":"","message":"TEXT","end":false,"plan":P}`. Head,
//! middle and tail are compared as a whole, the tail from the message's end, so that only quota and text are looked at
//! byte by byte.

use crate::quota::Quota;
use crate::unescape::plain_until;

const HEAD: &[u8; 26] = br#"{"conversation":0,"quota":"#;
const MIDDLE: &[u8; 25] = br#","keyword":"","message":""#;
const TAIL: &[u8; 27] = br#"","end":false,"plan":false}"#;
const TAIL_OF_PLAN: &[u8; 26] = br#"","end":false,"plan":true}"#;

/// A usual frame, taken apart.
pub(crate) struct Usual<'a> {
    pub(crate) quota: Quota<'a>,
    /// The text as it stands in the message. Where it is not plain it may be no JSON string at all.
    pub(crate) text: &'a str,
    pub(crate) is_plain: bool,
    pub(crate) plan: bool,
}

impl<'a> Usual<'a> {
    /// `None` for any other frame, and for what is none.
    #[inline(always)]
    pub(crate) fn split(message: &'a str) -> Option<Self> {
        let bytes = message.as_bytes();
        let (head, rest) = bytes.split_first_chunk()?;
        if head != HEAD {
            return None;
        }
        let (quota, quota_len) = number(rest)?;
        let quota = Quota::new(quota, message.get(HEAD.len()..HEAD.len() + quota_len)?);
        let (middle, rest) = rest.get(quota_len..)?.split_first_chunk()?;
        if middle != MIDDLE {
            return None;
        }
        let rest = rest.strip_suffix(b"\n").unwrap_or(rest);
        let (text, plan) = match rest.split_last_chunk() {
            Some((text, tail)) if tail == TAIL => (text, false),
            _ => match rest.split_last_chunk()? {
                (text, tail) if tail == TAIL_OF_PLAN => (text, true),
                _ => return None,
            },
        };
        let start = HEAD.len() + quota_len + MIDDLE.len();
        let end = start + text.len();
        // The quote that ends it is not plain, so this comes to an end there.
        let is_plain = plain_until(bytes, start) == end;
        Some(Usual { quota, text: message.get(start..end)?, is_plain, plan })
    }
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The number without sign and exponent at the start of `bytes`, and its length. Only where it is exact: a mantissa
/// below 2^53 over a power of ten that a double holds is rounded once, to the nearest.
#[inline(always)]
fn number(bytes: &[u8]) -> Option<(f64, usize)> {
    let mut mantissa = 0u64;
    let mut digits = |mut at: usize| {
        while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            at += 1;
        }
        at
    };
    let whole = digits(0);
    let (end, decimals) = match bytes.get(whole) {
        Some(b'.') => {
            let end = digits(whole + 1);
            (end, end - whole - 1)
        }
        _ => (whole, 0),
    };
    let is_number = whole > 0 && (whole == 1 || bytes.first() != Some(&b'0')) && (end == whole || decimals > 0);
    // 19 digits do not wrap. The number is over where a digit, a point or an exponent cannot go on.
    if !is_number || end > 19 || mantissa > 1 << 53 {
        return None;
    }
    #[allow(clippy::cast_precision_loss, reason = "at most 2^53: exact")]
    Some((mantissa as f64 / POWERS.get(decimals)?, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::Chunk;

    #[test]
    fn it_is_read_as_any_other() {
        for raw in [
            "{\"conversation\":0,\"quota\":0,\"keyword\":\"\",\"message\":\"\",\"end\":false,\"plan\":false}\n",
            "{\"conversation\":0,\"quota\":0.0034000003,\"keyword\":\"\",\"message\":\"caf\u{e9}\",\"end\":false,\"plan\":true}",
            "{\"conversation\":0,\"quota\":9007199254740992,\"keyword\":\"\",\"message\":\"a\",\"end\":false,\"plan\":true}\n",
        ] {
            let usual = Usual::split(raw).unwrap();
            assert!(usual.is_plain);
            assert_eq!(Ok(Chunk::of_usual(raw, &usual)), Chunk::decode_any(raw));
        }
    }

    #[test]
    fn any_other_is_left_alone() {
        for raw in [
            "{\"conversation\":29,\"quota\":0,\"keyword\":\"\",\"message\":\"\",\"end\":false,\"plan\":false}",
            "{\"conversation\":0,\"quota\":0,\"keyword\":\"a\",\"message\":\"\",\"end\":false,\"plan\":false}",
            "{\"conversation\":0,\"quota\":0,\"keyword\":\"\",\"message\":\"\",\"end\":true,\"plan\":false}",
            "{\"conversation\":0,\"quota\":0,\"keyword\":\"\",\"message\":\"\",\"end\":false,\"plan\":0}",
            "{\"conversation\":0,\"quota\":0,\"keyword\":\"\",\"message\":\"\",\"end\":false,\"plan\":false}}",
            "{\"conversation\":0,\"quota\":0,\"keyword\":\"\",\"message\":\"\",\"end\":false,\"plan\":false}\n\n",
            "{\"conversation\":0,\"quota\":0",
            "",
        ] {
            assert!(Usual::split(raw).is_none(), "{raw}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_not_plain() {
        let raw = "{\"conversation\":0,\"quota\":0,\"keyword\":\"\",\"message\":\"a\",\"x\":\"\",\"end\":false,\"plan\":false}";
        assert!(!Usual::split(raw).unwrap().is_plain);
    }

    #[test]
    fn numbers_are_the_nearest_doubles_or_left_to_others() {
        for text in ["0", "7", "0.1", "0.00014", "0.0034000003", "123456789012.5", "9007199254740992"] {
            let (value, len) = number(text.as_bytes()).unwrap();
            assert_eq!((value, len), (text.parse().unwrap(), text.len()));
        }
        for text in ["", "-1", "01", "1.", ".5", "9007199254740993", "1.00000000000000000000", "12345678901234567890"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
        // What follows decides: the frame's middle does not fit behind it.
        assert_eq!(number(b"1e-7"), Some((1.0, 1)));
    }
}
