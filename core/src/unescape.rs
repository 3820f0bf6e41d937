//! The contents of JSON strings: where they stand for themselves, and what their escapes stand for.

use alloc::string::String;
use core::mem;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// What a byte behind a backslash stands for; 0 where it is no such escape.
const SHORT: [u8; 256] = {
    let mut table = [0; 256];
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'/' as usize] = b'/';
    table[b'b' as usize] = 0x08;
    table[b'f' as usize] = 0x0c;
    table[b'n' as usize] = b'\n';
    table[b'r' as usize] = b'\r';
    table[b't' as usize] = b'\t';
    table
};

/// Whether a byte stands for itself in a string: no quote, no backslash, no control character.
#[inline(always)]
const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// The high bit of each byte that does not stand for itself; above the lowest of them there may be wrong ones.
#[inline(always)]
fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    ((quote.wrapping_sub(ONES) & !quote) | (slash.wrapping_sub(ONES) & !slash) | control) & HIGH
}

/// Where, from `at` on, the first byte lies that does not stand for itself; the end where there is none.
#[inline(always)]
pub(crate) fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    // Most texts are a few bytes long.
    for _ in 0..4 {
        let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else { break };
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    long_plain_until(bytes, at)
}

/// [`plain_until`] in blocks, which become vector instructions.
#[inline(never)]
fn long_plain_until(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<64>()) {
        let found = block.iter().fold(0, |found, &byte| found | u8::from(!is_plain(byte)));
        if found != 0 {
            break;
        }
        at += 64;
    }
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| is_plain(*byte)) {
        at += 1;
    }
    at
}

/// The four hexadecimal digits at the start of `bytes`.
#[inline(always)]
pub(crate) fn code_unit(bytes: &[u8]) -> Option<u32> {
    let digits: &[u8; 4] = bytes.first_chunk()?;
    let mut unit = 0;
    for digit in digits {
        unit = unit << 4 | char::from(*digit).to_digit(16)?;
    }
    Some(unit)
}

/// The unpaired first half of a surrogate pair that `raw`, the contents of a JSON string, ends with. `text` is what it
/// stands for.
pub(crate) fn last_half(raw: &str, text: &str) -> Option<u16> {
    // Behind an escaped backslash the text would end in a letter.
    let escape = raw.as_bytes().last_chunk::<6>().filter(|_| text.ends_with(char::REPLACEMENT_CHARACTER))?;
    half(escape).filter(|unit| (0xD800..0xDC00).contains(unit))
}

/// The second half of a surrogate pair that `raw` begins with.
pub(crate) fn first_half(raw: &str) -> Option<u16> {
    half(raw.as_bytes().first_chunk()?).filter(|unit| (0xDC00..0xE000).contains(unit))
}

/// What one escape of a code unit stands for.
fn half(escape: &[u8; 6]) -> Option<u16> {
    let digits = escape.strip_prefix(br"\u")?;
    u16::try_from(code_unit(digits)?).ok()
}

/// Writes into `out`, in place of what is there, what the contents `raw` of a JSON string stand for. An unpaired
/// surrogate becomes U+FFFD, as in Go's and the browsers' decoders. `None` where `raw` is not the contents of a string;
/// then `out` is empty.
pub(crate) fn unescape(raw: &str, out: &mut String) -> Option<()> {
    let mut bytes = mem::take(out).into_bytes();
    // An escape is never shorter than what it stands for, and whole words are written.
    bytes.clear();
    bytes.resize(raw.len() + 8, 0);
    let written = unescape_into(raw.as_bytes(), &mut bytes);
    bytes.truncate(written.unwrap_or_default());
    *out = String::from_utf8(bytes).ok()?;
    written.map(drop)
}

/// How many bytes of `to`, which has room for `from` and eight more, were written.
fn unescape_into(from: &[u8], to: &mut [u8]) -> Option<usize> {
    let (mut at, mut end) = (0, 0);
    loop {
        // Whole words are written, and as much of them counts as is plain.
        let plain = match from.get(at..at + 8) {
            Some([b'\\', ..]) => 0,
            Some(word) => {
                let word: [u8; 8] = word.try_into().ok()?;
                to.get_mut(end..end + 8)?.copy_from_slice(&word);
                let found = special(u64::from_le_bytes(word));
                if found == 0 {
                    (at, end) = (at + 8, end + 8);
                    continue;
                }
                found.trailing_zeros() as usize / 8
            }
            None => {
                let rest = from.get(at..)?;
                let plain = rest.iter().take_while(|byte| is_plain(**byte)).count();
                to.get_mut(end..end + plain)?.copy_from_slice(&rest[..plain]);
                if plain == rest.len() {
                    return Some(end + plain);
                }
                plain
            }
        };
        (at, end) = (at + plain, end + plain);
        let &[b'\\', kind] = from.get(at..at + 2)? else { return None };
        let short = SHORT[usize::from(kind)];
        if short != 0 {
            *to.get_mut(end)? = short;
            (at, end) = (at + 2, end + 1);
            continue;
        }
        if kind != b'u' {
            return None;
        }
        let unit = code_unit(from.get(at + 2..)?)?;
        at += 6;
        let mut code = unit;
        if let 0xD800..=0xDBFF = unit
            && let Some(b"\\u") = from.get(at..at + 2)
            && let low @ 0xDC00..=0xDFFF = code_unit(&from[at + 2..])?
        {
            at += 6;
            code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        }
        let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        end += c.encode_utf8(to.get_mut(end..)?).len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn unescaped(raw: &str) -> Option<String> {
        let mut out = "what was there".to_string();
        match unescape(raw, &mut out) {
            Some(()) => Some(out),
            None => {
                assert_eq!(out, "");
                None
            }
        }
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescaped(r#"\"\\\/\b\f\n\r\t"#).unwrap(), "\"\\/\u{8}\u{c}\n\r\t");
        assert_eq!(unescaped(r"caf\u00e9 \u003c\u2028").unwrap(), "café <\u{2028}");
        assert_eq!(unescaped(r"\ud83d\ude00!").unwrap(), "😀!");
        assert_eq!(unescaped("plain é").unwrap(), "plain é");
        assert_eq!(unescaped("").unwrap(), "");
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        assert_eq!(unescaped(r"a\ud83d").unwrap(), "a\u{FFFD}");
        assert_eq!(unescaped(r"\ude00b").unwrap(), "\u{FFFD}b");
        assert_eq!(unescaped(r"\ud83d\ud83d\ude00").unwrap(), "\u{FFFD}😀");
        assert_eq!(unescaped(r"\ud83d\n").unwrap(), "\u{FFFD}\n");
        assert_eq!(unescaped(r"\ud83d\u0041").unwrap(), "\u{FFFD}A");
    }

    #[test]
    fn what_is_no_string_is_refused() {
        for raw in ["\"", "\\", "\\x", "\\u12", "\\u12g4", "\n", "12345678\n", "1234567\\", "\\ud83d\\u12", "a\u{1f}"] {
            assert_eq!(unescaped(raw), None, "{raw:?}");
        }
    }

    #[test]
    fn plain_text_ends_at_the_first_byte_that_is_special() {
        for len in 0..100 {
            for byte in [b'"', b'\\', 0, 0x1f] {
                let mut bytes = alloc::vec![b' '; len];
                bytes[len / 2..].fill(0xC3);
                assert_eq!(plain_until(&bytes, 0), len);
                bytes.push(byte);
                bytes.extend(b"more");
                for from in [0, len / 3, len] {
                    assert_eq!(plain_until(&bytes, from), len, "{from}");
                }
            }
        }
    }
}
