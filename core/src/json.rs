//! The little JSON that the frame decoder needs: one pass over a message, without allocation except for what is nested, which
//! no server of today sends.
//!
//! `core/tests/decode.rs` compares its grammar with that of `serde_json`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::unescape::{plain_until, unescape};

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
            let mut text = String::new();
            // The scanner has accepted it.
            let _ = unescape(self.raw, &mut text);
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

    /// Where the cursor stands, in bytes.
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
            self.pos = plain_until(self.text.as_bytes(), self.pos);
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
                    // One by one, so that an error points to the digit that is none.
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

    /// Exactly this text.
    #[inline(always)]
    pub(crate) fn literal(&mut self, word: &str) -> Result<(), SyntaxError> {
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
            Some(b'{' | b'[') => self.any().map(|()| Value::Nested),
            _ => self.error(),
        }
    }

    /// Any value, however deep, without saying what; the cursor stands on its first character.
    #[cold]
    pub(crate) fn any(&mut self) -> Result<(), SyntaxError> {
        // What is open, by the brackets that end it.
        let mut open: Vec<u8> = Vec::new();
        loop {
            // A value begins here.
            if self.eat(b'{') {
                self.skip_whitespace();
                if !self.eat(b'}') {
                    open.push(b'}');
                    self.name()?;
                    continue;
                }
            } else if self.eat(b'[') {
                self.skip_whitespace();
                if !self.eat(b']') {
                    open.push(b']');
                    continue;
                }
            } else {
                self.value()?;
            }
            // A value has ended here, and with it all that ends behind it.
            loop {
                let Some(&end) = open.last() else { return Ok(()) };
                self.skip_whitespace();
                if self.eat(b',') {
                    self.skip_whitespace();
                    if end == b'}' {
                        self.name()?;
                    }
                    break;
                }
                self.expect(end)?;
                open.pop();
            }
        }
    }

    /// A field's name, up to its value; the cursor stands on its opening quote.
    pub(crate) fn name(&mut self) -> Result<RawString<'a>, SyntaxError> {
        let name = self.string()?;
        self.skip_whitespace();
        self.expect(b':')?;
        self.skip_whitespace();
        Ok(name)
    }

    /// The text from `start` up to the cursor.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.pos]
    }
}

/// Writes `text` as a JSON string: raw UTF-8, escapes only for `"`, `\` and control characters.
///
/// Written here because `serde_json` without std can only serialize into a `String` that it grows itself,
/// and a growing buffer would leave copies of a token behind.
pub(crate) fn write_string(out: &mut impl Write, text: &str) {
    let _ = out.write_char('"');
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(plain_until(rest.as_bytes(), 0));
        let _ = out.write_str(plain);
        let Some(byte) = special.bytes().next() else { break };
        let _ = match byte {
            b'"' => out.write_str("\\\""),
            b'\\' => out.write_str("\\\\"),
            0x08 => out.write_str("\\b"),
            0x0c => out.write_str("\\f"),
            b'\n' => out.write_str("\\n"),
            b'\r' => out.write_str("\\r"),
            b'\t' => out.write_str("\\t"),
            other => write!(out, "\\u{other:04x}"),
        };
        rest = &special[1..];
    }
    let _ = out.write_char('"');
}

/// Appends `text` as a JSON string: see [`write_string`].
pub(crate) fn push_string(out: &mut String, text: &str) {
    write_string(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

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
