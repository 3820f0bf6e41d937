//! The little JSON that the frame decoder needs: one pass over a message, without allocation.
//!
//! Scalars are scanned here because they are on the path of every chunk; nested values, which no server of
//! today sends, are left to `serde_json`. Where the grammar is concerned the two must agree: `core/tests/decode.rs`
//! compares them.

use alloc::borrow::Cow;
use alloc::string::String;
use serde_json::value::RawValue;

/// Where and why a text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) offset: usize,
}

/// The contents of a JSON string, between its quotes, still escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawString<'a> {
    pub(crate) raw: &'a str,
    pub(crate) escaped: bool,
}

impl<'a> RawString<'a> {
    /// What the string stands for; a copy only where it is escaped.
    pub(crate) fn to_str(self) -> Cow<'a, str> {
        if self.escaped {
            let mut text = String::with_capacity(self.raw.len());
            unescape_into(self.raw, &mut text);
            Cow::Owned(text)
        } else {
            Cow::Borrowed(self.raw)
        }
    }
}

/// Any JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    String(RawString<'a>),
    Number(&'a str),
    Bool(bool),
    Null,
    /// An object or an array.
    Nested,
}

/// The bytes that stand for themselves in a string: no quote, no backslash, no control character.
const ORDINARY: [bool; 256] = {
    let mut table = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = false;
        byte += 1;
    }
    table[b'"' as usize] = false;
    table[b'\\' as usize] = false;
    table
};

/// A cursor over one JSON text. Small enough to be inlined, so that the cursor stays in a register.
#[derive(Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    pos: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Scanner { text, pos: 0 }
    }

    pub(crate) fn offset(&self) -> usize {
        self.pos
    }

    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    fn error<T>(&self) -> Result<T, SyntaxError> {
        Err(SyntaxError { offset: self.pos })
    }

    #[inline(always)]
    pub(crate) fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.pos += 1;
        }
    }

    /// Consumes `byte` if it is next.
    #[inline(always)]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    #[inline(always)]
    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), SyntaxError> {
        if self.eat(byte) { Ok(()) } else { self.error() }
    }

    /// Only white space may follow.
    pub(crate) fn finish(&mut self) -> Result<(), SyntaxError> {
        self.skip_whitespace();
        if self.pos == self.text.len() { Ok(()) } else { self.error() }
    }

    /// A string; the cursor stands on its opening quote.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Result<RawString<'a>, SyntaxError> {
        self.expect(b'"')?;
        let start = self.pos;
        let mut escaped = false;
        loop {
            while self.peek().is_some_and(|byte| ORDINARY[usize::from(byte)]) {
                self.pos += 1;
            }
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.pos += 1;
                    self.escape()?;
                }
                // A bare control character, or the text ends inside the string.
                _ => return self.error(),
            }
        }
        let raw = &self.text[start..self.pos];
        self.pos += 1;
        Ok(RawString { raw, escaped })
    }

    /// What follows a backslash.
    #[cold]
    fn escape(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.pos += 1,
            Some(b'u') => {
                self.pos += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return self.error();
                    }
                    self.pos += 1;
                }
            }
            _ => return self.error(),
        }
        Ok(())
    }

    /// A number; the cursor stands on its first character.
    fn number(&mut self) -> Result<(), SyntaxError> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.pos;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.pos += 1;
        }
        if self.pos == start { self.error() } else { Ok(()) }
    }

    fn literal(&mut self, word: &str) -> Result<(), SyntaxError> {
        if self.text.as_bytes()[self.pos..].starts_with(word.as_bytes()) {
            self.pos += word.len();
            Ok(())
        } else {
            self.error()
        }
    }

    /// Any value; the cursor stands on its first character.
    #[inline(always)]
    pub(crate) fn value(&mut self) -> Result<Value<'a>, SyntaxError> {
        let start = self.pos;
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Ok(Value::Number(&self.text[start..self.pos]))
            }
            Some(b't') => self.literal("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.literal("false").map(|()| Value::Bool(false)),
            Some(b'n') => self.literal("null").map(|()| Value::Null),
            Some(b'{' | b'[') => {
                let rest = &self.text[start..];
                let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
                match values.next() {
                    Some(Ok(raw)) => self.pos += raw.get().len(),
                    _ => return self.error(),
                }
                Ok(Value::Nested)
            }
            _ => self.error(),
        }
    }

    /// The text from `start` up to the cursor.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.pos]
    }
}

/// Appends what `raw` (the contents of a JSON string that the scanner accepted) stands for. An unpaired
/// surrogate becomes U+FFFD, as in Go's and the browsers' decoders.
pub(crate) fn unescape_into(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = rest.as_bytes()[at + 1];
        rest = &rest[at + 2..];
        match escape {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let unit = code_unit(rest);
                rest = &rest[4..];
                let low = rest.strip_prefix("\\u").map(code_unit);
                match (unit, low) {
                    (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
                        let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                        rest = &rest[6..];
                    }
                    _ => out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)),
                }
            }
            // `"`, `\` and `/` stand for themselves.
            other => out.push(char::from(other)),
        }
    }
    out.push_str(rest);
}

/// The four hexadecimal digits at the start of `digits`.
fn code_unit(digits: &str) -> u32 {
    u32::from_str_radix(&digits[..4], 16).unwrap_or(0xFFFD)
}

/// Appends `text` as a JSON string: raw UTF-8, escapes only for `"`, `\` and control characters.
///
/// Written here because `serde_json` without std can only serialize into a `String` that it grows itself,
/// and a growing buffer would leave copies of a token behind.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' => {
                out.push_str("\\u00");
                for nibble in [c as u32 >> 4, c as u32 & 0xF] {
                    out.push(char::from_digit(nibble, 16).unwrap_or('0'));
                }
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(raw: &str) -> String {
        let mut out = String::new();
        unescape_into(raw, &mut out);
        out
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescaped(r#"\"\\\/\b\f\n\r\t"#), "\"\\/\u{8}\u{c}\n\r\t");
        assert_eq!(unescaped(r"caf\u00e9 \u003c\u2028"), "café <\u{2028}");
        assert_eq!(unescaped(r"\ud83d\ude00!"), "😀!");
        assert_eq!(unescaped("plain é"), "plain é");
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        assert_eq!(unescaped(r"a\ud83d"), "a\u{FFFD}");
        assert_eq!(unescaped(r"\ude00b"), "\u{FFFD}b");
        assert_eq!(unescaped(r"\ud83d\ud83d\ude00"), "\u{FFFD}😀");
        assert_eq!(unescaped(r"\ud83d\n"), "\u{FFFD}\n");
        assert_eq!(unescaped(r"\ud83d\u0041"), "\u{FFFD}A");
    }

    #[test]
    fn strings_are_written_as_serde_json_writes_them() {
        let text: String = (0..0x100).filter_map(char::from_u32).chain("\u{2028}😀".chars()).collect();
        let mut out = String::new();
        push_string(&mut out, &text);
        assert_eq!(out, serde_json::to_string(&text).unwrap());
    }

    #[test]
    fn numbers_follow_the_grammar() {
        for good in ["0", "-0", "12", "0.5", "-1.25e+3", "1E-2", "10e7"] {
            let mut scanner = Scanner::new(good);
            assert_eq!(scanner.value(), Ok(Value::Number(good)));
            assert_eq!(scanner.finish(), Ok(()), "{good}");
        }
        for bad in ["01", "-", "1.", ".5", "1e", "1e+", "+1", "--1", "0x1"] {
            let mut scanner = Scanner::new(bad);
            assert!(scanner.value().and_then(|_| scanner.finish()).is_err(), "{bad}");
        }
    }
}
