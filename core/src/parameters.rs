//! `Parameters`: what a question says beside its text. The names of the parameters stand here alone.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use crate::decimal;
use crate::fields::Fields;
use crate::json::{Scanner, Value, push_string};
use crate::request_error::RequestError;

/// A value that a parameter can have.
trait Parameter: Sized {
    /// What it must be, in words.
    const EXPECTED: &'static str;

    fn read(value: Value<'_>) -> Option<Self>;
    fn push(&self, out: &mut String);

    fn is_finite(&self) -> bool {
        true
    }
}

impl Parameter for String {
    const EXPECTED: &'static str = "a string";

    fn read(value: Value<'_>) -> Option<Self> {
        if let Value::String(text) = value { Some(text.to_str().into_owned()) } else { None }
    }

    fn push(&self, out: &mut String) {
        push_string(out, self);
    }
}

impl Parameter for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(value: Value<'_>) -> Option<Self> {
        if let Value::Bool(flag) = value { Some(flag) } else { None }
    }

    fn push(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl Parameter for i64 {
    const EXPECTED: &'static str = "an integer";

    fn read(value: Value<'_>) -> Option<Self> {
        if let Value::Number(text) = value { text.parse().ok() } else { None }
    }

    fn push(&self, out: &mut String) {
        out.push_str(&self.to_string());
    }
}

impl Parameter for f32 {
    const EXPECTED: &'static str = "a 32-bit float";

    fn read(value: Value<'_>) -> Option<Self> {
        if let Value::Number(text) = value { decimal::to_f32(text).filter(|value| value.is_finite()) } else { None }
    }

    fn push(&self, out: &mut String) {
        // By the library, for the shortest text that is this float. A finite one cannot fail to be written.
        out.push_str(&serde_json::to_string(self).unwrap_or_default());
    }

    fn is_finite(&self) -> bool {
        f32::is_finite(*self)
    }
}

/// How long an answer may take, where that is not what [`Config`](crate::Config) says. Zero is off.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Deadlines {
    pub(crate) first_frame: Option<Duration>,
    pub(crate) next_frame: Option<Duration>,
    pub(crate) answer_within: Option<Duration>,
}

macro_rules! parameters {
    ($($name:ident: $type:ty,)*) => {
        /// What a question says beside its text. What is not set is left out.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub(crate) struct Parameters {
            $(pub(crate) $name: Option<$type>,)*
            /// Fields that this crate does not know, each with its JSON.
            extra: Vec<(String, String)>,
            /// Not sent.
            pub(crate) deadlines: Deadlines,
        }

        /// The parameters' names, in the order in which they are sent.
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        impl Parameters {
            /// # Errors
            /// [`RequestError::NotFinite`].
            pub(crate) fn check(&self) -> Result<(), RequestError> {
                $(if self.$name.as_ref().is_some_and(|value| !value.is_finite()) {
                    return Err(RequestError::NotFinite { parameter: stringify!($name) });
                })*
                Ok(())
            }

            /// Writes what is set as fields behind others.
            pub(crate) fn push(&self, out: &mut String) {
                $(push(out, stringify!($name), &self.$name);)*
                for (name, json) in &self.extra {
                    out.push(',');
                    push_string(out, name);
                    out.push(':');
                    out.push_str(json);
                }
            }

            /// Takes the parameters out of a message, all but the extra fields; null counts as left out.
            ///
            /// # Errors
            /// In words, for one of another type.
            pub(crate) fn take(fields: &mut Fields<'_>) -> Result<Self, String> {
                Ok(Parameters { $($name: take(fields, stringify!($name))?,)* ..Parameters::default() })
            }
        }
    };
}

parameters! {
    model: String,
    web: bool,
    ignore_context: bool,
    context: i64,
    max_tokens: i64,
    temperature: f32,
    top_p: f32,
    top_k: i64,
    presence_penalty: f32,
    frequency_penalty: f32,
    repetition_penalty: f32,
}

/// The other fields that a client sends: of a request, and of the authentication.
const OTHERS: [&str; 5] = ["type", "message", "token", "id", "ref"];

impl Parameters {
    /// Sets an extra field; one of that name is replaced.
    ///
    /// # Errors
    /// [`RequestError::KnownField`], [`RequestError::InvalidExtra`].
    pub(crate) fn set_extra(&mut self, name: &str, json: &str) -> Result<(), RequestError> {
        if let Some(known) = known(name) {
            return Err(RequestError::KnownField { name: known });
        }
        let json = json.trim_matches([' ', '\t', '\n', '\r']);
        let mut scanner = Scanner::new(json);
        scanner.any().and_then(|()| scanner.finish()).map_err(|_| RequestError::InvalidExtra)?;
        match self.extra.iter_mut().find(|(of, _)| of == name) {
            Some((_, old)) => *old = json.into(),
            None => self.extra.push((name.into(), json.into())),
        }
        Ok(())
    }
}

/// The field of this crate's own that servers take `name` for: they do not tell upper from lower case (protocol.md,
/// R2.12).
fn known(name: &str) -> Option<&'static str> {
    NAMES.iter().chain(&OTHERS).copied().find(|known| name.chars().map(folded).eq(known.chars()))
}

/// A character as servers compare it. Two beyond ASCII count as ASCII letters.
fn folded(c: char) -> char {
    match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    }
}

// Out of line, these two: there are many parameters, and no hurry.
#[inline(never)]
fn push<T: Parameter>(out: &mut String, name: &str, value: &Option<T>) {
    if let Some(value) = value {
        for part in [",\"", name, "\":"] {
            out.push_str(part);
        }
        value.push(out);
    }
}

#[inline(never)]
fn take<T: Parameter>(fields: &mut Fields<'_>, name: &str) -> Result<Option<T>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => T::read(value).map(Some).ok_or_else(|| format!("`{name}` must be {}", T::EXPECTED)),
    }
}

/// Takes a text out of a message; null counts as left out.
pub(crate) fn text(fields: &mut Fields<'_>, name: &str) -> Result<Option<String>, String> {
    take(fields, name)
}

/// Takes an integer out of a message; null counts as left out.
pub(crate) fn integer(fields: &mut Fields<'_>, name: &str) -> Result<Option<i64>, String> {
    take(fields, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<String, RequestError> {
        let mut parameters = Parameters { top_k: Some(3), ..Parameters::default() };
        for (name, json) in pairs {
            parameters.set_extra(name, json)?;
        }
        let mut out = String::new();
        parameters.push(&mut out);
        Ok(out)
    }

    #[test]
    fn extra_fields_are_sent_as_they_are_and_the_last_of_a_name_stands() {
        let sent = with(&[
            ("think", " true\n"),
            ("web_search_mode", "\"auto\""),
            ("a \"b\"", "1"),
            ("think", r#"{"a":[1, -2.50e3,null],"b":"\ud83d"}"#),
        ]);
        assert_eq!(
            sent.unwrap(),
            r#","top_k":3,"think":{"a":[1, -2.50e3,null],"b":"\ud83d"},"web_search_mode":"auto","a \"b\"":1"#
        );
    }

    #[test]
    fn what_is_not_one_whole_json_value_is_refused() {
        for bad in
            ["", " ", "tru", "true false", "1,\"type\":\"stop\"", "{", "{\"a\":1", "'a'", "NaN", "01", "\"a", "[1,]"]
        {
            assert_eq!(with(&[("think", bad)]), Err(RequestError::InvalidExtra), "{bad}");
        }
    }

    #[test]
    fn no_known_field_can_be_sent_as_an_extra_one_in_whatever_case() {
        for name in NAMES.iter().chain(&OTHERS) {
            for spelt in [name.to_string(), name.to_uppercase(), name.replace('s', "\u{17f}").replace('k', "\u{212a}")]
            {
                assert_eq!(with(&[(&spelt, "1")]), Err(RequestError::KnownField { name }), "{spelt}");
            }
        }
        for name in ["", "models", "mode", "top-k", "enable_mcp"] {
            assert!(with(&[(name, "1")]).is_ok(), "{name}");
        }
    }
}
