//! What clients send, read by the rules of Go's `encoding/json`: field names in any case, the last of
//! duplicates wins, `null` leaves a field alone, lone surrogates become U+FFFD, a wrong type is an error
//! (protocol.md, R2.11 and R2.12).

use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::channel::Parameters;
use crate::generation::Generation;

/// The one text that keeps a connection alive. It is compared byte by byte and never queued
/// (protocol.md, R2.36).
pub(crate) const PING: &str = "{\"type\":\"ping\"}";

/// The first message of a connection (protocol.md, R1.1).
#[derive(Default)]
pub(crate) struct AuthForm {
    /// A key, a login token or `anonymous` (protocol.md, R1.4).
    pub(crate) token: String,
    /// The conversation to continue (protocol.md, R1.2).
    pub(crate) id: i64,
    /// The share to start from (protocol.md, R1.6).
    pub(crate) reference: String,
}

/// Any later message. Fields that the server does not know are ignored (protocol.md, R2.10).
#[derive(Default, Clone)]
pub(crate) struct RequestForm {
    /// The field `type` (protocol.md, R2.1).
    pub(crate) kind: String,
    /// The question, or what the type makes of it (protocol.md, R2.2).
    pub(crate) message: String,
    /// Empty when it is left out (protocol.md, R2.3).
    pub(crate) model: String,
    /// Whether the web is searched (protocol.md, R2.4).
    pub(crate) web: bool,
    /// Whether the question goes to the model alone (protocol.md, R2.5).
    pub(crate) ignore_context: bool,
    /// How many messages go to the model (protocol.md, R2.6).
    pub(crate) context: i64,
    /// What is passed on to the model (protocol.md, R2.7).
    pub(crate) parameters: Parameters,
}

/// One message of a conversation, as a mask names it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Message {
    /// `user`, `assistant` or `system`; masks may bring anything else.
    pub role: String,
    /// The text.
    pub content: String,
}

/// A message that Go could not have read into the form.
pub(crate) type Unreadable = serde_json::Error;

impl AuthForm {
    pub(crate) fn parse(text: &str) -> Result<Self, Unreadable> {
        object(text)
    }
}

impl RequestForm {
    /// Reads a request; a missing or empty type is `chat`.
    pub(crate) fn parse(generation: Generation, text: &str) -> Result<Self, Unreadable> {
        let mut form = match generation {
            Generation::G2023 => object::<OldRequestForm>(text)?.0,
            Generation::G2024 | Generation::G2026 => object(text)?,
        };
        if form.kind.is_empty() {
            form.kind.push_str("chat");
        }
        Ok(form)
    }
}

/// The messages of a mask (protocol.md, R2.21), or nothing when Go could not have read them.
pub(crate) fn parse_mask(text: &str) -> Vec<Message> {
    let list: Result<Option<Vec<Object<Message>>>, _> = serde_json::from_str(text);
    list.ok().flatten().unwrap_or_default().into_iter().map(|object| object.0).collect()
}

/// Whether a message authenticates (it names a token) rather than requests something. A script
/// needs to know: its recording may have no authentication.
pub(crate) fn has_token(text: &str) -> bool {
    object::<Keys>(text).is_ok_and(|keys| keys.token)
}

#[derive(Default)]
struct Keys {
    token: bool,
}

/// A form that is filled field by field.
trait Fields: Default {
    /// Takes the value of one field; `key` is in lower case.
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

impl Fields for AuthForm {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "token" => set_text(&mut self.token, map),
            "id" => set(&mut self.id, map),
            "ref" => set_text(&mut self.reference, map),
            _ => skip(map),
        }
    }
}

impl Fields for RequestForm {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "type" => set_text(&mut self.kind, map),
            "message" => set_text(&mut self.message, map),
            "model" => set_text(&mut self.model, map),
            "web" => set(&mut self.web, map),
            "ignore_context" => set(&mut self.ignore_context, map),
            "context" => set(&mut self.context, map),
            "max_tokens" | "top_k" => {
                let value: Option<i64> = map.next_value()?;
                self.parameters.extend(value.map(|value| (key.to_owned(), value.to_string())));
                Ok(())
            }
            "temperature" | "top_p" | "presence_penalty" | "frequency_penalty" | "repetition_penalty" => {
                let value: Option<f64> = map.next_value()?;
                #[expect(clippy::cast_possible_truncation, reason = "the range is what is checked")]
                let narrow = value.map(|value| value as f32);
                if narrow.is_some_and(f32::is_infinite) {
                    return Err(A::Error::custom("out of range of a 32-bit float"));
                }
                self.parameters.extend(narrow.map(|value| (key.to_owned(), value.to_string())));
                Ok(())
            }
            _ => skip(map),
        }
    }
}

/// 2023 knows no more fields than these, so it accepts anything in the others (protocol.md, R2.8).
#[derive(Default)]
struct OldRequestForm(RequestForm);

impl Fields for OldRequestForm {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "type" | "message" | "model" | "web" | "ignore_context" => self.0.field(key, map),
            _ => skip(map),
        }
    }
}

impl Fields for Message {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "role" => set_text(&mut self.role, map),
            "content" => set_text(&mut self.content, map),
            _ => skip(map),
        }
    }
}

impl Fields for Keys {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        self.token |= key == "token";
        skip(map)
    }
}

fn set<'de, T: Deserialize<'de>, A: MapAccess<'de>>(field: &mut T, map: &mut A) -> Result<(), A::Error> {
    if let Some(value) = map.next_value::<Option<T>>()? {
        *field = value;
    }
    Ok(())
}

fn set_text<'de, A: MapAccess<'de>>(field: &mut String, map: &mut A) -> Result<(), A::Error> {
    if let Some(Text(value)) = map.next_value()? {
        *field = value;
    }
    Ok(())
}

fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// A whole message: one object, or `null`, which leaves every field as it was.
fn object<T: Fields>(text: &str) -> Result<T, Unreadable> {
    let object: Option<Object<T>> = serde_json::from_str(text)?;
    Ok(object.map(|object| object.0).unwrap_or_default())
}

struct Object<T>(T);

impl<'de, T: Fields> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(T);

        impl<'de, T: Fields> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
                while let Some(Text(mut key)) = map.next_key()? {
                    key.make_ascii_lowercase();
                    self.0.field(&key, &mut map)?;
                }
                Ok(Object(self.0))
            }
        }

        deserializer.deserialize_map(ObjectVisitor(T::default()))
    }
}

/// A string in which lone surrogates became U+FFFD.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(replace_surrogates(bytes)))
            }
        }

        // Asked for bytes, serde_json hands lone surrogates out (three bytes each) instead of failing.
        deserializer.deserialize_bytes(TextVisitor)
    }
}

/// The text of bytes that are UTF-8 except for surrogates, each of which becomes one U+FFFD.
fn replace_surrogates(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        match core::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(error) => {
                let (good, bad) = bytes.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(good));
                text.push('\u{fffd}');
                bytes = &bad[bad.len().min(3)..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RequestForm, Unreadable> {
        RequestForm::parse(Generation::G2026, text)
    }

    #[test]
    fn a_request_is_read_as_go_reads_it() {
        let form = parse(
            r#" {"TYPE":"x","type":"edit","Message":"a\ud800b\ud83d\ude00","web":true,"model":null,"context":3,"new":[{}]} "#,
        )
        .unwrap();
        assert_eq!(form.kind, "edit");
        assert_eq!(form.message, "a\u{fffd}b😀");
        assert_eq!(form.context, 3);
        assert!(form.web && form.model.is_empty() && !form.ignore_context);
        assert_eq!(parse("null").unwrap().kind, "chat");
        assert_eq!(parse(r#"{"type":""}"#).unwrap().kind, "chat");
        assert!(parse(r#"{"max_tokens":null,"temperature":1e30}"#).is_ok());
    }

    #[test]
    fn wrong_types_are_errors() {
        for text in [
            "",
            "hi",
            "[]",
            "1",
            "{}x",
            r#"{"message":5}"#,
            r#"{"web":"false"}"#,
            r#"{"web":0}"#,
            r#"{"context":1.0}"#,
            r#"{"context":9223372036854775808}"#,
            r#"{"max_tokens":1.5}"#,
            r#"{"temperature":1e39}"#,
            r#"{"message":["a"]}"#,
            r#"{"type":{}}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(RequestForm::parse(Generation::G2023, r#"{"context":"x","top_k":[]}"#).is_ok());
        assert!(RequestForm::parse(Generation::G2023, r#"{"web":"false"}"#).is_err());
        assert!(AuthForm::parse(r#"{"token":"anonymous","id":"-1"}"#).is_err());
        assert!(AuthForm::parse(r#"{"token":5,"id":-1}"#).is_err());
        assert!(AuthForm::parse("{}").is_ok());
    }

    #[test]
    fn a_mask_is_a_list_of_messages_or_nothing() {
        let mask = parse_mask(r#"[{"role":"system","content":"yo","name":"n"},{}]"#);
        assert_eq!(mask.len(), 2);
        assert_eq!((mask[0].role.as_str(), mask[0].content.as_str()), ("system", "yo"));
        for text in ["zz", "{}", "null", "[1]", r#"[{"role":1}]"#, "[]"] {
            assert!(parse_mask(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn only_an_authentication_names_a_token() {
        assert!(has_token(r#"{"token":"sk-...","id":-1}"#));
        assert!(!has_token(r#"{"type":"chat","message":"token"}"#));
        assert!(!has_token("token"));
    }
}
