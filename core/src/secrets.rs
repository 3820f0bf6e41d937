//! `Secrets`: what is taken out of a text from outside that repeats it.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
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
        self.redacted(text).unwrap_or_else(|| text.into())
    }

    /// The text without them, if one is in it.
    pub(crate) fn redacted(&self, text: &str) -> Option<String> {
        // Most of what is recorded is none of these.
        let mut begins = [false; 256];
        b"%+\\&".iter().for_each(|&mark| begins[usize::from(mark)] = true);
        self.all.iter().for_each(|(secret, _)| begins[usize::from(secret.as_bytes()[0])] = true);

        let mut found: Vec<(usize, usize, &str)> = Vec::new();
        let mut at = 0;
        while let Some(skipped) = text.as_bytes()[at..].iter().position(|&byte| begins[usize::from(byte)]) {
            at += skipped;
            let deepest = if is_mark(text.as_bytes()[at]) { NESTED } else { 0 };
            let signs = [0, 1, NESTED].map(|depth| read(text, at, depth.min(deepest)));
            for (secret, shown) in &self.all {
                let begins = |first| signs.iter().flatten().any(|(sign, _)| *sign == first);
                if secret.chars().next().is_some_and(begins)
                    && let Some(end) = end(secret, text, at)
                {
                    found.push((at, end, *shown));
                }
            }
            // In JSON the second backslash begins nothing: what is left is to be as well formed as before.
            at += if text[at..].starts_with("\\\\") { 2 } else { 1 };
        }
        if found.is_empty() {
            return None;
        }
        found.sort_unstable_by_key(|&(at, end, _)| (at, Reverse(end)));
        let mut out = String::with_capacity(text.len());
        let (mut done, mut rest) = (0, &found[..]);
        while let Some(&(at, mut end, mut shown)) = rest.first() {
            let mut longest = end - at;
            // Nothing stays of one that lies across another.
            let overlapping = rest.iter().take_while(|(begin, until, name)| {
                let overlaps = *begin < end;
                if overlaps {
                    end = end.max(*until);
                    if until - begin > longest {
                        (longest, shown) = (until - begin, *name);
                    }
                }
                overlaps
            });
            rest = &rest[overlapping.count()..];
            out.push_str(&text[done..at]);
            out.push_str(shown);
            done = end;
        }
        out.push_str(&text[done..]);
        Some(out)
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
            next.extend(read.filter(|(read, _)| *read == sign).map(|(_, end)| end));
        }
        next.sort_unstable();
        next.dedup();
        ends = next;
    }
    ends.pop()
}

/// Whether a sign begins there that is written in another way, perhaps.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b'%' | b'+' | b'\\' | b'&')
}

/// The sign that is written there, and where it ends, for who reads through so many ways of writing, one within another; what
/// is written in none is as it is.
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
    fn hex(&mut self, digits: usize) -> Option<u16> {
        (0..digits).try_fold(0, |number, _| Some(number * 16 + u16::try_from(self.next()?.to_digit(16)?).ok()?))
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
        let mut units = [first, 0];
        let is_pair = (0xd800..0xdc00).contains(&first);
        if is_pair {
            (self.next()? == '\\' && self.next()? == 'u').then_some(())?;
            units[1] = self.hex(4)?;
        }
        char::decode_utf16(units).next()?.ok()
    }

    /// What follows a `&`, up to its `;`.
    fn page(&mut self) -> Option<char> {
        let mut name = String::with_capacity(MAX_NAME);
        loop {
            match self.next()? {
                ';' => break,
                sign if sign.is_ascii() && name.len() < MAX_NAME => name.push(sign.to_ascii_lowercase()),
                _ => return None,
            }
        }
        let Some(number) = name.strip_prefix('#') else {
            return PAGE.iter().find(|(_, known)| *known == name).map(|(sign, _)| *sign);
        };
        let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
        // That reads a sign before them, too.
        let number = digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, radix));
        number?.ok().and_then(char::from_u32)
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
