//! The messages that are decoded, byte for byte as servers write them.

use std::fmt::Write;

/// What a chunk's text is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A word; the message has 97 bytes.
    Usual,
    /// The same length, with `\n` in it.
    Newline,
    /// The same length, with `\u003c` in it, as Go writes `<`.
    Escape,
    /// The same length, in Chinese.
    MultiByte,
    /// 4 KiB of ASCII without an escape.
    Ascii,
    /// 4 KiB of source code, where an escape comes every few bytes.
    Code,
    /// As many bytes of ASCII text.
    Text(usize),
}

/// The length of a usual message, in bytes.
pub const USUAL: usize = 97;

const LARGE: usize = 4096;

const CODE: &str = "if (a < b && items[\"key\"] > 0) {\n\t\tprintf(\"%d\\n\", a);\n\t}\n";

/// Before the first chunk.
pub const OPENER: &str =
    "{\"conversation\":1,\"quota\":0,\"keyword\":\"\",\"message\":\"\",\"end\":false,\"plan\":false}\n";

/// Behind the last.
pub const END: &str =
    "{\"conversation\":0,\"quota\":2.8,\"keyword\":\"\",\"message\":\"\",\"end\":true,\"plan\":false}\n";

impl Shape {
    /// All of them, with every length of text that is measured.
    pub const ALL: [Shape; 12] = [
        Shape::Usual,
        Shape::Newline,
        Shape::Escape,
        Shape::MultiByte,
        Shape::Ascii,
        Shape::Code,
        Shape::Text(16),
        Shape::Text(64),
        Shape::Text(256),
        Shape::Text(1024),
        Shape::Text(4096),
        Shape::Text(16384),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Usual => "usual",
            Shape::Newline => "newline",
            Shape::Escape => "escape",
            Shape::MultiByte => "multi-byte",
            Shape::Ascii => "ascii",
            Shape::Code => "code",
            Shape::Text(..=16) => "text-16",
            Shape::Text(..=64) => "text-64",
            Shape::Text(..=256) => "text-256",
            Shape::Text(..=1024) => "text-1024",
            Shape::Text(..=4096) => "text-4096",
            Shape::Text(_) => "text-16384",
        }
    }

    /// That of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name() == name)
    }

    /// How many chunks an answer of these has, at most `most`: so many that it has no more than 2 MB.
    pub fn count(self, most: usize) -> usize {
        let length = self.message(1).len();
        most.min(2_000_000 / length)
    }

    /// As many messages as are decoded in turn before the first one comes again.
    pub fn messages(self) -> Vec<String> {
        let count = match self {
            Shape::Ascii | Shape::Code => 100,
            Shape::Text(length) => (400_000 / (length + 100)).clamp(20, 1000),
            _ => 1000,
        };
        (1..=count).map(|number| self.message(number)).collect()
    }

    /// The chunk with this number. Its quota is a running total, a 32-bit float in its shortest form.
    pub fn message(self, number: usize) -> String {
        let quota = 0.000_14_f32 * number as f32;
        let head = format!("{{\"conversation\":0,\"quota\":{quota},\"keyword\":\"\",\"message\":\"");
        let tail = "\",\"end\":false,\"plan\":false}\n";
        let length = match self {
            Shape::Usual | Shape::Newline | Shape::Escape | Shape::MultiByte => USUAL - head.len() - tail.len(),
            Shape::Ascii | Shape::Code => LARGE,
            Shape::Text(length) => length,
        };
        head + &self.text(length) + tail
    }

    /// A text of this length as it stands in JSON.
    fn text(self, length: usize) -> String {
        let (pattern, filler) = match self {
            Shape::Usual | Shape::Ascii | Shape::Text(_) => (String::new(), " some words of an answer,"),
            Shape::Newline => ("\\n".to_owned(), " next line"),
            Shape::Escape => ("\\u003c".to_owned(), "b> and more"),
            Shape::MultiByte => ("你好".to_owned(), " and so on"),
            Shape::Code => (escaped(CODE).repeat(length / CODE.len()), " "),
        };
        let mut text = pattern;
        // A text that is too long is cut where no escape is torn: it is a repetition then.
        if text.len() > length {
            text.truncate(length - length % escaped(CODE).len());
        }
        let filler: String = filler.chars().cycle().take(length.saturating_sub(text.len())).collect();
        text + &filler
    }
}

/// A text as Go's `encoding/json` escapes it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' => out.extend(['\\', c]),
            '<' | '>' | '&' => {
                // Memory takes everything.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A whole answer: its opener, `count` chunks and its end.
pub fn answer(shape: Shape, count: usize) -> Vec<String> {
    let messages = shape.messages();
    let chunks = messages.iter().cycle().take(count).cloned();
    [OPENER.to_owned()].into_iter().chain(chunks).chain([END.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_as_long_as_it_says_and_can_be_read() {
        for shape in [Shape::Usual, Shape::Newline, Shape::Escape, Shape::MultiByte, Shape::Ascii, Shape::Code] {
            for message in shape.messages() {
                let chunk = chatnio_core::Chunk::decode(&message).unwrap();
                let text = chunk.message.unwrap();
                match shape {
                    Shape::Ascii => assert_eq!(text.as_plain().unwrap().len(), LARGE),
                    Shape::Code => assert!(text.as_plain().is_none() && message.len() > LARGE),
                    _ => assert_eq!(message.len(), USUAL, "{message}"),
                }
                assert!(serde_json::from_str::<serde_json::Value>(&message).is_ok());
            }
        }
        let escapes = Shape::Code.message(1).matches('\\').count();
        assert!(escapes > LARGE / 12, "{escapes}");
    }
}
