//! Messages that are no frames of an answer, between two pieces that are.

use super::Fault;
use super::step::{answering, rest, text, then};

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut says = |name: &str, what: &str, message: &str| {
        faults.push(Fault::new(name, what, then(answering(), [text(message)].into_iter().chain(rest()))));
    };
    says("json-not", "no JSON", "not json");
    says("json-cut", "JSON that is cut", "{\"message\":\"x");
    says("json-empty", "a line's end alone", "\n");
    says("json-null", "null", "null");
    says("json-array", "an array", "[0,\"\",\"x\",false]");
    says("json-string", "a string", "\"x\"");
    says("json-number", "a number", "17");
    says("json-true", "a bool", "true");
    says("json-no-fields", "an object without fields", "{}");
    says(
        "json-unknown-fields",
        "unknown fields beside a piece",
        r#"{"message":"and ","new":{"a":[1,{}]},"tool_call":null}"#,
    );
    for (field, values) in [
        ("message", &["5", "null", "{}", "[\"x\"]", "true"][..]),
        ("end", &["\"true\"", "1", "null", "[]"]),
        ("quota", &["\"free\"", "null", "true", "-1", "1e400", "1e-400", "00", "0x1", "NaN"]),
        ("conversation", &["\"1\"", "1.5", "null", "-7", "9223372036854775808", "1e3"]),
        ("plan", &["\"yes\"", "0", "null"]),
        ("keyword", &["7", "null", "[]"]),
    ] {
        for (number, value) in values.iter().enumerate() {
            let other = if field == "message" { "" } else { r#""message":"and ","# };
            let message = format!("{{{other}\"{field}\":{value}}}");
            says(&format!("json-{field}-{}", number + 1), &format!("the field {field} is {value}"), &message);
        }
    }
    says("json-twice", "a field twice", r#"{"message":"no","message":"and "}"#);
    says("json-case", "field names in another case", r#"{"Message":"and ","END":false}"#);
    says("json-nested", "30,000 arrays inside each other", &("[".repeat(30_000) + &"]".repeat(30_000)));
    let nested = format!("{{\"message\":\"and \",\"new\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    says("json-nested-field", "30,000 arrays inside a field nobody knows", &nested);
    says("json-two-objects", "two objects in one message", r#"{"message":"and "}{"message":"then "}"#);
    says("json-two-lines", "two objects on two lines", "{\"message\":\"and \"}\n{\"message\":\"then \"}\n");
    says("json-tail", "something behind the object", r#"{"message":"and "} x"#);
    says("json-bom", "a byte order mark before the object", "\u{feff}{\"message\":\"and \"}");
    says("json-spaces", "white space around the object", " \t\r\n{ \"message\" : \"and \" } \n\n");
    says("json-nul", "a NUL in the text", r#"{"message":"a\u0000 "}"#);
    says("json-raw-nul", "a NUL as it is", "{\"message\":\"a\u{0} \"}");
    says("json-raw-line", "a line's end inside a string", "{\"message\":\"a\nb \"}");
    says("json-line-separator", "U+2028 and U+2029", r#"{"message":"\u2028\u2029 "}"#);
    says("json-lone-high", "the first half of a surrogate pair alone", r#"{"message":"\ud83d "}"#);
    says("json-lone-low", "the second half of a surrogate pair alone", r#"{"message":"\ude00 "}"#);
    says("json-bad-escape", "an escape that JSON does not have", r#"{"message":"\x41 "}"#);
    says("json-short-escape", "an escape that is cut", r#"{"message":"\u12"}"#);
    faults.push(Fault::new("json-split-pair", "a surrogate pair over two pieces", {
        let halves = [text(r#"{"message":"\ud83d"}"#), text(r#"{"message":"\ude00 "}"#)];
        then(answering(), halves.into_iter().chain(rest()))
    }));
    faults
}
