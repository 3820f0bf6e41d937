//! `Secrets`: what is taken out of a text from outside that repeats it.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// What is shorter is no secret, and would tear words apart.
const MIN_SECRET: usize = 4;

/// How many ways of writing a sign may stand one within another: `\u0026amp;` is a page's `&` in JSON.
const NESTED: usize = 2;

/// How JSON writes signs behind a backslash, PHP its `/`; all others by their numbers.
const JSON: &[(char, char)] =
    &[('"', '"'), ('\\', '\\'), ('/', '/'), ('\u{8}', 'b'), ('\u{c}', 'f'), ('\n', 'n'), ('\r', 'r'), ('\t', 't')];

/// How pages write signs by names; all others by their numbers.
const PAGE: &[(char, &str)] = &[('&', "amp"), ('<', "lt"), ('>', "gt"), ('"', "quot"), ('\'', "apos")];

/// What stands between `&` and `;` at most, zeros before a number among it.
const MAX_NAME: usize = 12;

/// What is secret in what was sent, to be taken out of what comes back: some servers and gateways repeat it, in an HTTP
/// answer or in the reason of a Close.
///
/// Each is found however it is written: every sign as it is, percent-encoded as in a URL (a space as `+`, too), or as JSON
/// or pages write it, by a name or by its number, also one of these within another. One of less than four bytes is none.
/// All are zeroized when they are dropped.
///
/// ```
/// use chatnio_core::{Auth, Secrets};
///
/// let mut secrets = Secrets::default();
/// secrets.add("key=in/the/query");
/// secrets.add_token(&Auth::new("sk-secret"));
/// assert_eq!(secrets.redact("no sk-secret in /chat?key%3Din%2Fthe%2Fquery"), "no sk-... in /chat?...");
/// ```
#[derive(Default)]
pub struct Secrets {
    /// With what stands in its place.
    all: Vec<(Zeroizing<String>, &'static str)>,
}

impl Secrets {
    /// Adds one, in whose place `...` stands.
    pub fn add(&mut self, secret: &str) {
        self.add_shown(secret, "...");
    }

    /// Adds one, and what stands in its place.
    pub(crate) fn add_shown(&mut self, secret: &str, shown: &'static str) {
        if secret.len() >= MIN_SECRET {
            self.all.push((Zeroizing::new(secret.into()), shown));
        }
    }

    /// The text without them.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        // Most signs begin none of them.
        let mut begins = [false; 256];
        b"%+\\&".iter().for_each(|&mark| begins[usize::from(mark)] = true);
        self.all.iter().for_each(|(secret, _)| begins[usize::from(secret.as_bytes()[0])] = true);

        let mut out = String::new();
        // Up to where the text is done, and what then stands for the last that was found: of several that lie across each
        // other nothing stays, and the longest gives the sign.
        let (mut done, mut shown, mut longest) = (0, "", 0);
        let mut at = 0;
        while let Some(skipped) = text.as_bytes()[at..].iter().position(|&byte| begins[usize::from(byte)]) {
            at += skipped;
            for (secret, sign) in &self.all {
                let Some(end) = end(secret, text, at) else { continue };
                if at >= done {
                    out.push_str(shown);
                    out.push_str(&text[done..at]);
                    longest = 0;
                }
                if end - at > longest {
                    (longest, shown) = (end - at, sign);
                }
                done = done.max(end);
            }
            // In JSON the second backslash begins nothing: what is left is to be as well formed as before.
            at += if text[at..].starts_with("\\\\") { 2 } else { 1 };
        }
        out.push_str(shown);
        out.push_str(&text[done..]);
        out
    }
}

/// Where a secret ends that begins there; at the latest, if there are several places.
fn end(secret: &str, text: &str, at: usize) -> Option<usize> {
    let mut ends = vec![at];
    for sign in secret.chars() {
        let mut next = Vec::new();
        for at in ends {
            let is_one = text.as_bytes().get(at).copied().is_some_and(is_mark);
            let read = (0..=if is_one { NESTED } else { 0 }).filter_map(|depth| read(text, at, depth));
            for (_, end) in read.filter(|(read, _)| *read == sign) {
                if !next.contains(&end) {
                    next.push(end);
                }
            }
        }
        ends = next;
    }
    ends.into_iter().max()
}

/// Whether a sign begins there that is written in another way, perhaps.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b'%' | b'+' | b'\\' | b'&')
}

/// The sign that is written there, and where it ends, for who reads through so many ways of writing, one within another; what
/// is written in none is as it is.
#[inline(never)]
fn read(text: &str, at: usize, depth: usize) -> Option<(char, usize)> {
    let sign = text.get(at..)?.chars().next()?;
    let Some(depth) = depth.checked_sub(1).filter(|_| is_mark(text.as_bytes()[at])) else {
        return Some((sign, at + sign.len_utf8()));
    };
    let (mark, end) = read(text, at, depth)?;
    let mut signs = Signs { text, at: end, depth };
    let sign = match mark {
        '%' => signs.percent(),
        '+' => Some(' '),
        '\\' => signs.json(),
        '&' => signs.page(),
        _ => None,
    };
    Some(sign.map_or((mark, end), |sign| (sign, signs.at)))
}

/// The signs of a text from some place on, read through so many ways of writing.
struct Signs<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Iterator for Signs<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let (sign, end) = read(self.text, self.at, self.depth)?;
        self.at = end;
        Some(sign)
    }
}

impl Signs<'_> {
    /// The number that so many digits make.
    fn hex(&mut self, digits: usize) -> Option<u32> {
        (0..digits).try_fold(0, |number, _| Some(number * 16 + self.next()?.to_digit(16)?))
    }

    /// The bytes of UTF-8, each behind a `%`, which is read.
    fn percent(&mut self) -> Option<char> {
        let mut utf8 = [0; 4];
        for len in 1..=utf8.len() {
            if len > 1 && self.next() != Some('%') {
                return None;
            }
            utf8[len - 1] = u8::try_from(self.hex(2)?).ok()?;
            match core::str::from_utf8(&utf8[..len]) {
                Ok(sign) => return sign.chars().next(),
                // More of them are to come.
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return None,
            }
        }
        None
    }

    /// What follows a backslash.
    fn json(&mut self) -> Option<char> {
        let letter = self.next()?;
        if letter != 'u' {
            return JSON.iter().find(|(_, known)| *known == letter).map(|(sign, _)| *sign);
        }
        let first = self.hex(4)?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        (self.next()? == '\\' && self.next()? == 'u').then_some(())?;
        let second = self.hex(4)?.checked_sub(0xdc00).filter(|half| *half < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)
    }

    /// What follows a `&`, up to its `;`.
    fn page(&mut self) -> Option<char> {
        let (mut name, mut len) = ([0; MAX_NAME], 0);
        loop {
            let sign = self.next()?;
            if sign == ';' {
                break;
            }
            *name.get_mut(len)? = u8::try_from(sign).ok()?.to_ascii_lowercase();
            len += 1;
        }
        let Some(number) = name[..len].strip_prefix(b"#") else {
            return PAGE.iter().find(|(_, known)| known.as_bytes() == &name[..len]).map(|(sign, _)| *sign);
        };
        let (digits, radix) = number.strip_prefix(b"x").map_or((number, 10), |digits| (digits, 16));
        let add = |number: u32, digit: &u8| number.checked_mul(radix)?.checked_add(char::from(*digit).to_digit(radix)?);
        digits.iter().try_fold(0, add).filter(|_| !digits.is_empty()).and_then(char::from_u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Auth;

    /// Who copies this rule reads the same table; each row has what is secret, a text that repeats it, and what is shown.
    #[test]
    fn one_is_hidden_however_it_is_written() {
        let mut count = 0;
        for row in include_str!("../../rest/secrets.tsv").lines().skip(1) {
            let [of, sent, repeated, shown] = *row.split('\t').collect::<Vec<_>>() else { panic!("{row}") };
            let mut secrets = Secrets::default();
            match of {
                "secret" => secrets.add(sent),
                "token" => secrets.add_token(&Auth::new(sent)),
                // What is secret in those the transport says.
                _ => continue,
            }
            assert_eq!(secrets.redact(repeated), shown, "{row}");
            count += 1;
        }
        assert!(count > 20, "{count}");
    }

    #[test]
    fn one_that_is_a_part_of_another_leaves_nothing_of_it_behind() {
        for order in [["abcd", "\"abcd"], ["\"abcd", "abcd"]] {
            let mut secrets = Secrets::default();
            order.iter().for_each(|secret| secrets.add(secret));
            assert_eq!(secrets.redact(r#"{"m":"no \"abcd, abcd"}"#), r#"{"m":"no ..., ..."}"#);
        }
    }

    #[test]
    fn one_that_lies_across_another_leaves_nothing_of_it_behind() {
        let mut secrets = Secrets::default();
        secrets.add("abcd");
        secrets.add("cdefg");
        secrets.add_token(&Auth::new("fghijkl"));
        assert_eq!(secrets.redact("no abcdefghijkl, abcdabcd, ababcd, cdefgh"), "no sk-..., ......, ab..., ...h");
    }

    #[test]
    fn what_is_left_of_json_can_be_read() {
        let mut secrets = Secrets::default();
        secrets.add("sk-secret");
        for text in [r#"{"m":"\\u0073k-secret"}"#, r#"{"m":"\\\u0073k-secret\\"}"#, r#"{"m":"\\sk-secret\""}"#] {
            let shown = secrets.redact(text);
            assert!(!shown.contains("secret"), "{shown}");
            assert!(serde_json::from_str::<serde_json::Value>(&shown).is_ok(), "{shown}");
        }
    }

    #[test]
    fn what_is_short_is_none() {
        let mut secrets = Secrets::default();
        secrets.add("in");
        secrets.add_token(&Auth::anonymous());
        assert_eq!(secrets.redact("in time, anonymous"), "in time, anonymous");
    }
}
