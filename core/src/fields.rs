//! A JSON object's fields, for what is read seldom: recordings and masks.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Scanner, SyntaxError, Value};

/// The fields of an object, by name, until somebody takes them. Of several with one name the last counts.
///
/// A list, because there are few: a map would be another 8 KB of code.
pub(crate) struct Fields<'a>(Vec<Field<'a>>);

struct Field<'a> {
    name: Cow<'a, str>,
    value: Value<'a>,
    /// The value as it stands in the text.
    raw: &'a str,
}

impl<'a> Fields<'a> {
    /// Reads an object.
    pub(crate) fn parse(text: &'a str) -> Result<Self, SyntaxError> {
        let mut scanner = Scanner::new(text);
        scanner.skip_whitespace();
        let fields = Self::scan(&mut scanner)?;
        scanner.finish()?;
        Ok(fields)
    }

    /// Reads an array of objects.
    pub(crate) fn parse_list(text: &'a str) -> Result<Vec<Self>, SyntaxError> {
        let mut scanner = Scanner::new(text);
        let mut list = Vec::new();
        scanner.skip_whitespace();
        scanner.expect(b'[')?;
        scanner.skip_whitespace();
        if !scanner.eat(b']') {
            loop {
                scanner.skip_whitespace();
                list.push(Self::scan(&mut scanner)?);
                scanner.skip_whitespace();
                if scanner.eat(b']') {
                    break;
                }
                scanner.expect(b',')?;
            }
        }
        scanner.finish()?;
        Ok(list)
    }

    /// The cursor stands where an object is to begin.
    fn scan(scanner: &mut Scanner<'a>) -> Result<Self, SyntaxError> {
        let mut fields = Vec::new();
        scanner.expect(b'{')?;
        scanner.skip_whitespace();
        if !scanner.eat(b'}') {
            loop {
                scanner.skip_whitespace();
                let name = scanner.name()?.to_str();
                let start = scanner.offset();
                let value = scanner.value()?;
                fields.push(Field { name, value, raw: scanner.since(start) });
                scanner.skip_whitespace();
                if scanner.eat(b'}') {
                    break;
                }
                scanner.expect(b',')?;
            }
        }
        Ok(Fields(fields))
    }

    /// Takes a field.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Value<'a>> {
        let at = self.0.iter().rposition(|field| field.name == name)?;
        let value = self.0.remove(at).value;
        self.0.retain(|field| field.name != name);
        Some(value)
    }

    /// Those that nobody has taken: their names, and their values as they stand in the text.
    pub(crate) fn rest(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|field| (&*field.name, field.raw))
    }

    /// The names of those that nobody has taken, in alphabetical order.
    pub(crate) fn into_names(self) -> Vec<String> {
        let mut names: Vec<String> = self.0.into_iter().map(|field| field.name.into_owned()).collect();
        names.sort();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_one_name_counts_and_the_rest_is_told() {
        let mut fields =
            Fields::parse(r#" { "b" : 1 ,"a":[2, {"x":{}}], "\u0062":true,"c":null,"c":-1.5e3} "#).unwrap();
        assert_eq!(fields.remove("b"), Some(Value::Bool(true)));
        assert_eq!(fields.remove("b"), None);
        assert_eq!(fields.remove("a"), Some(Value::Nested));
        assert_eq!(fields.rest().collect::<Vec<_>>(), [("c", "null"), ("c", "-1.5e3")]);
        assert_eq!(fields.into_names(), ["c"]);
        assert!(Fields::parse("{}").unwrap().into_names().is_empty());
    }

    #[test]
    fn what_is_no_object_or_list_of_them_is_refused() {
        for text in ["", "[1]", "{\"a\":1}x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1", "null"] {
            assert!(Fields::parse(text).is_err(), "{text}");
        }
        for text in ["", "{}", "[1]", "[{}", "[{},]", "[{}]x", "[[\"user\",\"hi\"]]"] {
            assert!(Fields::parse_list(text).is_err(), "{text}");
        }
        assert_eq!(Fields::parse_list(" [ ] ").map(|list| list.len()), Ok(0));
        assert_eq!(Fields::parse_list("[{},{\"a\":[]} ]").map(|list| list.len()), Ok(2));
    }
}
