//! `Chunk`: a frame of the server, decoded (protocol.md, R3.1).

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use crate::decimal;
use crate::json::{RawString, Scanner, SyntaxError, Value};
use crate::malformed::{Malformed, Reason};
use crate::quota::Quota;
use crate::unescape::unescape;
use crate::usual::Usual;

/// A frame of the server, decoded: borrowed from the message that it came in.
///
/// Decoding allocates nothing. Every field may be missing or null (old servers know fewer) and unknown fields
/// are allowed (new ones know more; protocol.md, R3.4): see [`field`](Self::field).
///
/// ```
/// use chatnio_core::Chunk;
///
/// let chunk = Chunk::decode(r#"{"quota":0.0034000003,"message":"caf\u00e9","end":false,"title":"x"}"#)?;
/// assert_eq!(chunk.message.unwrap().to_str(), "café");
/// assert_eq!(chunk.quota.unwrap().text(), "0.0034000003");
/// assert_eq!(chunk.field("title"), Some(r#""x""#));
/// # Ok::<(), chatnio_core::Malformed>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Chunk<'a> {
    /// The next piece of the answer, or a notice's text.
    pub message: Option<Text<'a>>,
    /// What the answer has cost so far: a running total.
    pub quota: Option<Quota<'a>>,
    /// Words that the web search used (2023 servers).
    pub keyword: Option<Text<'a>>,
    /// The answer's last frame. False when missing.
    pub end: bool,
    /// Paid for by a subscription. False when missing.
    pub plan: bool,
    /// The conversation's id in an opener (-1 for anonymous), otherwise 0 or missing.
    pub conversation: Option<i64>,
    raw: &'a str,
}

impl<'a> Chunk<'a> {
    /// Decodes one text message.
    ///
    /// # Errors
    /// [`Malformed`] when it is not one JSON object, or when a known field has a wrong type or is out of range.
    pub fn decode(message: &'a str) -> Result<Self, Malformed> {
        match Usual::split(message) {
            Some(usual) if usual.is_plain => Ok(Self::of_usual(message, &usual)),
            _ => Self::decode_any(message),
        }
    }

    /// The frame's text, where it stands for itself.
    pub(crate) fn plain_text(&self) -> Option<&'a str> {
        self.message.map_or(Some(""), |text| text.as_plain())
    }

    /// Writes what the frame's text stands for into `space`, in place of what is there.
    pub(crate) fn copy_text(&self, space: &mut String) {
        space.clear();
        match self.message {
            // It was decoded before, so it is a string.
            Some(text) if text.as_plain().is_none() => drop(unescape(text.raw(), space)),
            Some(text) => space.push_str(text.raw()),
            None => {}
        }
    }

    #[inline(always)]
    pub(crate) fn of_usual(message: &'a str, usual: &Usual<'a>) -> Self {
        Chunk {
            message: Some(Text(RawString { raw: usual.text, escaped: !usual.is_plain })),
            quota: Some(usual.quota),
            keyword: Some(Text(RawString { raw: "", escaped: false })),
            end: false,
            plan: usual.plan,
            conversation: Some(0),
            raw: message,
        }
    }

    pub(crate) fn decode_any(message: &'a str) -> Result<Self, Malformed> {
        let mut chunk = Chunk {
            message: None,
            quota: None,
            keyword: None,
            end: false,
            plan: false,
            conversation: None,
            raw: message,
        };
        let mut fields = Fields::new(message)?;
        while let Some(Field { name, offset, value }) = fields.next()? {
            let unescaped;
            let name = if name.escaped {
                unescaped = name.to_str();
                &*unescaped
            } else {
                name.raw
            };
            let (field, fits) = match name {
                "message" => ("message", text(value).map(|value| chunk.message = value)),
                "quota" => ("quota", number(value).map(|value| chunk.quota = value)),
                "keyword" => ("keyword", text(value).map(|value| chunk.keyword = value)),
                "end" => ("end", boolean(value).map(|value| chunk.end = value)),
                "plan" => ("plan", boolean(value).map(|value| chunk.plan = value)),
                "conversation" => ("conversation", integer(value).map(|value| chunk.conversation = value)),
                _ => continue,
            };
            // Of several with one name the last counts: this one need not fit if another follows.
            if let Err(reason) = fits
                && !fields.repeat(field)?
            {
                return Err(Malformed { field: Some(field), offset, reason });
            }
        }
        Ok(chunk)
    }

    /// The first of the frames that `text` begins with, if it is whole, and what is behind it.
    pub(crate) fn split_first(text: &'a str) -> Option<(&'a str, &'a str)> {
        let mut fields = Fields::new(text).ok()?;
        loop {
            match fields.next() {
                Ok(Some(_)) => {}
                // The object is over, and perhaps the text is not.
                _ if fields.is_over => {
                    let end = fields.scanner.offset();
                    return Some((text.get(..end)?.trim_end(), text.get(end..)?));
                }
                _ => return None,
            }
        }
    }

    /// The frame as it was received.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// The raw JSON of the field called `name`, known or unknown; `None` when the frame has none. Of several
    /// with one name the last wins. Reads the message anew: meant for fields that this crate does not know,
    /// such as `title` or `tool_call`.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        self.fields().filter(|(key, _)| key == name).last().map(|(_, value)| value)
    }

    /// Every field of the frame, in its order: the name, and its value as raw JSON.
    pub fn fields(&self) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> {
        // The message was decoded before, so nothing fails here.
        let mut fields = Fields::new(self.raw).ok();
        core::iter::from_fn(move || {
            let fields = fields.as_mut()?;
            let field = fields.next().ok()??;
            Some((field.name.to_str(), fields.scanner.since(field.offset)))
        })
    }

    /// The conversation that an opener names (protocol.md, R3.11); `None` for any other frame.
    pub(crate) fn opener(&self) -> Option<i64> {
        self.conversation.filter(|id| *id != 0)
    }
}

/// The string that the field called `name` (in any case) of a JSON object holds, as it is written; `None` when
/// `message` is no such object.
pub(crate) fn string_field<'a>(message: &'a str, name: &str) -> Option<Text<'a>> {
    let mut fields = Fields::new(message).ok()?;
    let mut found = None;
    while let Some(field) = fields.next().ok()? {
        if let Value::String(raw) = field.value
            && field.name.to_str().eq_ignore_ascii_case(name)
        {
            found = Some(Text(raw));
        }
    }
    found
}

fn text(value: Value<'_>) -> Result<Option<Text<'_>>, Reason> {
    match value {
        Value::String(raw) => Ok(Some(Text(raw))),
        Value::Null => Ok(None),
        _ => Err(Reason::WrongType { expected: "a string" }),
    }
}

/// The longest number that is read, in bytes: a running total keeps its text. No double takes more, written out exactly.
const MAX_NUMBER: usize = 1100;

fn number(value: Value<'_>) -> Result<Option<Quota<'_>>, Reason> {
    match value {
        Value::Number(text) if text.len() > MAX_NUMBER => Err(Reason::OutOfRange),
        Value::Number(text) => match decimal::to_f64(text) {
            Some(value) if value.is_finite() => Ok(Some(Quota::new(value, text))),
            _ => Err(Reason::OutOfRange),
        },
        Value::Null => Ok(None),
        _ => Err(Reason::WrongType { expected: "a number" }),
    }
}

fn integer(value: Value<'_>) -> Result<Option<i64>, Reason> {
    match value {
        Value::Number(text) if text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E')) => {
            Err(Reason::WrongType { expected: "an integer" })
        }
        Value::Number(text) => text.parse().map(Some).map_err(|_| Reason::OutOfRange),
        Value::Null => Ok(None),
        _ => Err(Reason::WrongType { expected: "an integer" }),
    }
}

fn boolean(value: Value<'_>) -> Result<bool, Reason> {
    match value {
        Value::Bool(value) => Ok(value),
        Value::Null => Ok(false),
        _ => Err(Reason::WrongType { expected: "true or false" }),
    }
}

/// One field of a JSON object.
struct Field<'a> {
    name: RawString<'a>,
    /// Where its value begins.
    offset: usize,
    value: Value<'a>,
}

/// Walks over the fields of a JSON object that is a whole message.
#[derive(Clone)]
struct Fields<'a> {
    scanner: Scanner<'a>,
    first: bool,
    /// Whether the object's end was seen.
    is_over: bool,
}

impl<'a> Fields<'a> {
    /// Whether a field called `name` is still to come.
    #[cold]
    fn repeat(&self, name: &str) -> Result<bool, SyntaxError> {
        let mut rest = self.clone();
        while let Some(later) = rest.next()? {
            if later.name.to_str() == name {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn new(message: &'a str) -> Result<Self, Malformed> {
        let mut scanner = Scanner::new(message);
        scanner.skip_whitespace();
        if !scanner.eat(b'{') {
            return Err(Malformed { field: None, offset: scanner.offset(), reason: Reason::NotAnObject });
        }
        Ok(Fields { scanner, first: true, is_over: false })
    }

    /// The next field; `None` behind the last.
    #[inline(always)]
    fn next(&mut self) -> Result<Option<Field<'a>>, SyntaxError> {
        let scanner = &mut self.scanner;
        scanner.skip_whitespace();
        if scanner.eat(b'}') {
            self.is_over = true;
            scanner.finish()?;
            return Ok(None);
        }
        if !core::mem::take(&mut self.first) {
            scanner.expect(b',')?;
            scanner.skip_whitespace();
        }
        let name = scanner.string()?;
        scanner.skip_whitespace();
        scanner.expect(b':')?;
        scanner.skip_whitespace();
        let offset = scanner.offset();
        let value = scanner.value()?;
        Ok(Some(Field { name, offset, value }))
    }
}

/// A string of a frame, as it lies in the message: decoded only when asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a>(RawString<'a>);

impl<'a> Text<'a> {
    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.raw.is_empty()
    }

    /// The text as a slice of the message; `None` when it holds escapes and has to be decoded.
    pub fn as_plain(&self) -> Option<&'a str> {
        (!self.0.escaped).then_some(self.0.raw)
    }

    /// The text as it stands in the message, escapes and all.
    pub(crate) fn raw(&self) -> &'a str {
        self.0.raw
    }

    /// The text. Allocates only when the string holds escapes; an unpaired surrogate becomes U+FFFD.
    pub fn to_str(&self) -> Cow<'a, str> {
        self.0.to_str()
    }

    /// Appends the text to `out`.
    pub fn append_to(&self, out: &mut String) {
        out.push_str(&self.to_str());
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.to_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    #[test]
    fn a_recorded_frame() {
        let raw =
            "{\"conversation\":0,\"quota\":0.00014,\"keyword\":\"\",\"message\":\"!\",\"end\":false,\"plan\":false}\n";
        let chunk = Chunk::decode(raw).unwrap();
        assert_eq!(chunk.message.unwrap().as_plain(), Some("!"));
        assert_eq!(chunk.quota.unwrap().value(), 0.00014);
        assert!(chunk.keyword.unwrap().is_empty());
        assert_eq!((chunk.end, chunk.plan, chunk.conversation), (false, false, Some(0)));
        assert_eq!(chunk.raw(), raw);
    }

    #[test]
    fn fields_may_be_missing_null_unknown_reordered_and_spaced() {
        let raw = " {\t\"title\" : {\"a\":[1,\"}\"]} ,\r\n\"end\":true,\"quota\":null , \"message\":null} ";
        let chunk = Chunk::decode(raw).unwrap();
        assert!(chunk.end && chunk.quota.is_none() && chunk.message.is_none());
        assert_eq!(chunk.field("title"), Some(r#"{"a":[1,"}"]}"#));
        assert_eq!(chunk.field("nothing"), None);
        let names: Vec<_> = chunk.fields().map(|(name, _)| name).collect();
        assert_eq!(names, ["title", "end", "quota", "message"]);
        assert_eq!(Chunk::decode("{}").unwrap().raw(), "{}");
    }

    #[test]
    fn the_last_of_duplicates_wins() {
        let chunk = Chunk::decode(r#"{"x":1,"message":"a","x":2,"mess\u0061ge":"b","quota":1,"quota":null}"#).unwrap();
        assert_eq!(chunk.message.unwrap().to_str(), "b");
        assert!(chunk.quota.is_none());
        assert_eq!(chunk.field("x"), Some("2"));
        assert!(Chunk::decode(r#"{"end":"x","plan":1,"end":true,"plan":false}"#).unwrap().end);
        assert_eq!(Chunk::decode(r#"{"end":true,"end":1}"#).unwrap_err().offset, 18);
        assert_eq!(Chunk::decode(r#"{"end":1,"plan":2,"end":true}"#).unwrap_err().field, Some("plan"));
    }

    #[test]
    fn wrong_types_name_field_and_offset() {
        for (raw, field, offset, reason) in [
            (r#"{"message":1}"#, "message", 11, "expected a string"),
            (r#"{"message":{}}"#, "message", 11, "expected a string"),
            (r#"{"end":true,"quota": "1"}"#, "quota", 21, "expected a number"),
            (r#"{"quota":1e999}"#, "quota", 9, "number out of range"),
            (r#"{"keyword":[]}"#, "keyword", 11, "expected a string"),
            (r#"{"end":0}"#, "end", 7, "expected true or false"),
            (r#"{"plan":"true"}"#, "plan", 8, "expected true or false"),
            (r#"{"conversation":1.5}"#, "conversation", 16, "expected an integer"),
            (r#"{"conversation":"1"}"#, "conversation", 16, "expected an integer"),
            (r#"{"conversation":9223372036854775808}"#, "conversation", 16, "number out of range"),
        ] {
            let error = Chunk::decode(raw).unwrap_err();
            assert_eq!((error.field, error.offset), (Some(field), offset), "{raw}");
            assert_eq!(error.reason.to_string(), reason, "{raw}");
        }
        let error = Chunk::decode(r#"{"end":0}"#).unwrap_err();
        assert_eq!(error.to_string(), "malformed message: `end`: expected true or false at byte 7");
    }

    #[test]
    fn only_one_whole_object_is_a_message() {
        for (raw, offset, reason) in [
            ("", 0, Reason::NotAnObject),
            ("hello", 0, Reason::NotAnObject),
            (r#"[0,0.1,"","x",false,false]"#, 0, Reason::NotAnObject),
            ("null", 0, Reason::NotAnObject),
            ("{", 1, Reason::Syntax),
            ("{}{}", 2, Reason::Syntax),
            ("{,}", 1, Reason::Syntax),
            (r#"{"end":true,}"#, 12, Reason::Syntax),
            (r#"{"end":tru}"#, 7, Reason::Syntax),
            (r#"{"message":"a"#, 13, Reason::Syntax),
            ("{\"message\":\"a\nb\"}", 13, Reason::Syntax),
            (r#"{"title":{"a":}}"#, 14, Reason::Syntax),
        ] {
            let error = Chunk::decode(raw).unwrap_err();
            assert_eq!((error.field, error.offset, error.reason), (None, offset, reason), "{raw}");
        }
    }
}
