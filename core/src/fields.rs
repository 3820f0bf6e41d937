//! A JSON object's fields, each as it stands there.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of an object, by name, until somebody takes them. Of several with one name the last counts.
///
/// A list, because there are few: a map would be another 8 KB of code.
pub(crate) struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Takes a field.
    pub(crate) fn remove(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.0.iter().rposition(|(of, _)| of == name)?;
        let (_, value) = self.0.swap_remove(at);
        self.0.retain(|(of, _)| of != name);
        Some(value)
    }

    /// The names of those that nobody has taken, in alphabetical order.
    pub(crate) fn into_names(self) -> Vec<String> {
        let mut names: Vec<String> = self.0.into_iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Object).map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_one_name_counts_and_the_rest_is_told() {
        let mut fields: Fields = serde_json::from_str(r#"{"b":1,"a":[2, 3],"b":"x","c":null}"#).unwrap();
        assert_eq!(fields.remove("b").map(RawValue::get), Some("\"x\""));
        assert_eq!(fields.remove("b").map(RawValue::get), None);
        assert_eq!(fields.remove("a").map(RawValue::get), Some("[2, 3]"));
        assert_eq!(fields.into_names(), ["c"]);
        assert!(serde_json::from_str::<Fields>("[1]").is_err());
        assert!(serde_json::from_str::<Fields>("{\"a\":1}x").is_err());
    }
}
