//! Taking typed fields out of a JSON object. What is left in the end is what this library does not know.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::{Map, Value};

use super::Error;

/// A JSON object whose known fields are taken out. A missing field and null are the same to these servers: the type's
/// empty value.
pub(crate) struct Fields(Map<String, Value>);

/// A problem never repeats a value: it may be a secret.
pub(crate) fn malformed(problem: impl Into<String>) -> Error {
    Error::Malformed { problem: problem.into() }
}

fn expected(name: &str, kind: &str) -> Error {
    malformed(format!("the field `{name}` is not {kind}"))
}

impl Fields {
    /// `what` it is that should be an object.
    pub(crate) fn new(value: Value, what: &str) -> Result<Self, Error> {
        match value {
            Value::Object(map) => Ok(Fields(map)),
            _ => Err(malformed(format!("{what} is not a JSON object"))),
        }
    }

    /// What was not taken.
    pub(crate) fn rest(self) -> Map<String, Value> {
        self.0
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, Error> {
        match self.take(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(expected(name, "a text")),
        }
    }

    /// A text; anything else as its JSON.
    pub(crate) fn text_or_json(&mut self, name: &str) -> String {
        match self.take(name) {
            None => String::new(),
            Some(Value::String(text)) => text,
            Some(value) => value.to_string(),
        }
    }

    pub(crate) fn integer(&mut self, name: &str) -> Result<i64, Error> {
        match self.take(name) {
            None => Ok(0),
            Some(value) => integer(&value).ok_or_else(|| expected(name, "a whole number")),
        }
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<f64, Error> {
        match self.take(name) {
            None => Ok(0.0),
            Some(value) => value.as_f64().ok_or_else(|| expected(name, "a number")),
        }
    }

    /// A number that must be there: without it there is no result.
    pub(crate) fn needed_number(&mut self, name: &str) -> Result<f64, Error> {
        let value = self.needed(name)?;
        value.as_f64().ok_or_else(|| expected(name, "a number"))
    }

    pub(crate) fn needed_integer(&mut self, name: &str) -> Result<i64, Error> {
        let value = self.needed(name)?;
        integer(&value).ok_or_else(|| expected(name, "a whole number"))
    }

    pub(crate) fn needed_text(&mut self, name: &str) -> Result<String, Error> {
        match self.needed(name)? {
            Value::String(text) => Ok(text),
            _ => Err(expected(name, "a text")),
        }
    }

    fn needed(&mut self, name: &str) -> Result<Value, Error> {
        self.take(name).ok_or_else(|| malformed(format!("the field `{name}` is missing")))
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Error> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(expected(name, "true or false")),
        }
    }

    /// A list; `None` when it is null or missing.
    pub(crate) fn optional_list<T>(
        &mut self,
        name: &str,
        item: impl Fn(Value) -> Result<T, Error>,
    ) -> Result<Option<Vec<T>>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => list(value, name, item).map(Some),
        }
    }

    pub(crate) fn list<T>(&mut self, name: &str, item: impl Fn(Value) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        Ok(self.optional_list(name, item)?.unwrap_or_default())
    }
}

/// A JSON array; null is an empty one.
pub(crate) fn list<T>(value: Value, name: &str, item: impl Fn(Value) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items.into_iter().map(item).collect(),
        _ => Err(malformed(format!("`{name}` is not a list"))),
    }
}

/// An item of a list that is a text.
pub(crate) fn text(value: Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(malformed("an item of a list is not a text")),
    }
}

/// An item of a list that is any object.
pub(crate) fn object(value: Value) -> Result<Map<String, Value>, Error> {
    Fields::new(value, "an item of a list").map(Fields::rest)
}

/// A whole number, also one that is written as `1.0`.
fn integer(value: &Value) -> Option<i64> {
    // Every whole number of this size is an f64, and so is its negative.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| (-EXACT..=EXACT).contains(number))?;
        #[expect(clippy::cast_possible_truncation, reason = "in range, and compared")]
        let whole = number as i64;
        #[expect(clippy::cast_precision_loss, reason = "in range")]
        let back = whole as f64;
        (back == number).then_some(whole)
    })
}

/// A field's words, where they are a text.
pub(crate) fn words(map: &Map<String, Value>, name: &str) -> Option<String> {
    map.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty()).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_numbers_may_be_written_as_floats() {
        for (value, expected) in [
            (json!(5), Some(5)),
            (json!(5.0), Some(5)),
            (json!(-1), Some(-1)),
            (json!(5.5), None),
            (json!(1e300), None),
            (json!(u64::MAX), None),
            (json!("5"), None),
        ] {
            assert_eq!(integer(&value), expected, "{value}");
        }
    }

    #[test]
    fn missing_and_null_are_empty_and_a_wrong_type_is_named() {
        let mut fields = Fields::new(json!({"a": null, "b": 5, "c": "SECRET", "d": [1]}), "it").ok().unwrap();
        assert_eq!(fields.text("a"), Ok(String::new()));
        assert_eq!(fields.text("none"), Ok(String::new()));
        assert_eq!(fields.text("b"), Err(malformed("the field `b` is not a text")));
        let error = fields.integer("c").unwrap_err();
        assert_eq!(error.to_string(), "the server's answer cannot be read: the field `c` is not a whole number");
        assert_eq!(fields.text_or_json("d"), "[1]");
        assert_eq!(fields.rest().len(), 0);
    }
}
