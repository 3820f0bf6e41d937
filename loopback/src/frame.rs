//! Frames of the server, written byte for byte as Go's `encoding/json` writes them.

use core::fmt::Write;

use crate::generation::Generation;

/// One frame (protocol.md, R3.1). The default is all zero, as in Go.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Frame<'a> {
    /// The opener's conversation id; 0 in every other frame (protocol.md, R3.10). 2023 does not write the field (R3.12).
    pub(crate) conversation: i64,
    /// The answer's cost so far (protocol.md, R3.6).
    pub(crate) quota: f32,
    /// Words the web search used (protocol.md, R3.7).
    pub(crate) keyword: &'a str,
    /// The piece of text (protocol.md, R3.5).
    pub(crate) message: &'a str,
    /// Whether it is the answer's last frame (protocol.md, R3.8).
    pub(crate) end: bool,
    /// Whether a subscription paid (protocol.md, R3.9).
    pub(crate) plan: bool,
}

impl Frame<'_> {
    /// The JSON text with its trailing newline.
    pub(crate) fn encode(&self, generation: Generation) -> String {
        let mut out = String::with_capacity(self.message.len() + self.keyword.len() + 96);
        out.push('{');
        if generation != Generation::G2023 {
            let _ = write!(out, "\"conversation\":{},", self.conversation);
        }
        out.push_str("\"quota\":");
        push_f32(&mut out, self.quota);
        out.push_str(",\"keyword\":");
        push_str(&mut out, self.keyword);
        out.push_str(",\"message\":");
        push_str(&mut out, self.message);
        out.push_str(if self.end { ",\"end\":true" } else { ",\"end\":false" });
        out.push_str(if self.plan { ",\"plan\":true}\n" } else { ",\"plan\":false}\n" });
        out
    }
}

/// Shortest digits of a 32-bit float; an exponent only where Go uses one (protocol.md, R3.3).
fn push_f32(out: &mut String, value: f32) {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                let _ = write!(out, "{digits}e+{exponent}");
            }
            _ => out.push_str(&text),
        }
    } else {
        let _ = write!(out, "{value}");
    }
}

/// A JSON string with HTML-safe escapes (protocol.md, R3.2).
pub(crate) fn push_str(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let escape = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\u{0}'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        plain = at + c.len_utf8();
        if escape.is_empty() {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_their_order_follow_the_generation() {
        let frame = Frame { quota: 0.000_14, message: "!", ..Frame::default() };
        assert_eq!(
            frame.encode(Generation::G2026),
            "{\"conversation\":0,\"quota\":0.00014,\"keyword\":\"\",\"message\":\"!\",\"end\":false,\"plan\":false}\n"
        );
        assert_eq!(
            Frame { end: true, plan: true, ..frame }.encode(Generation::G2023),
            "{\"quota\":0.00014,\"keyword\":\"\",\"message\":\"!\",\"end\":true,\"plan\":true}\n"
        );
    }

    #[test]
    fn quota_is_written_with_the_shortest_digits_of_a_32_bit_float() {
        for (value, text) in [
            (0.0, "0"),
            (0.003_400_000_3, "0.0034000003"),
            (0.000_11, "0.00011"),
            (500.0, "500"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-8, "1.5e-8"),
            (1e21, "1e+21"),
            (2e20, "200000000000000000000"),
        ] {
            let mut out = String::new();
            push_f32(&mut out, value);
            assert_eq!(out, text);
        }
    }

    #[test]
    fn text_is_escaped_as_a_real_server_escaped_it() {
        let mut out = String::new();
        push_str(&mut out, "no\u{8}\u{c}\u{7f}<>&\u{2028}such\u{2029}\u{0}\"\\\n\r\t\u{1f}😀");
        assert_eq!(out, "\"no\\b\\f\u{7f}\\u003c\\u003e\\u0026\\u2028such\\u2029\\u0000\\\"\\\\\\n\\r\\t\\u001f😀\"");
    }
}
