//! From an HTTP status and a body to the JSON of an answer, or to what went wrong.

use alloc::format;
use alloc::string::String;
use serde_json::{Map, Value};

use super::Error;
use super::fields::{malformed, words};

/// How much of a body that is no answer is kept, in bytes.
const MAX_BODY: usize = 64 << 10;

/// How much of the server's words is kept, in bytes.
const MAX_WORDS: usize = 4 << 10;

/// What the servers say for a path that they do not have.
const NO_SUCH_CALL: &str = "not found or method not allowed";

/// Reads an answer as far as it is the same for all calls.
///
/// # Errors
/// [`Error`]: everything that says that there is no result.
pub(crate) fn decode(status: u16, body: &[u8]) -> Result<Value, Error> {
    let first = first_value(body);
    match (status, &first) {
        (401, Ok(Value::Object(map))) => return Err(unauthorized(map)),
        (_, Ok(Value::Object(map))) => {
            if let Some(error) = refusal(status, map) {
                return Err(error);
            }
        }
        _ => {}
    }
    if !(200..300).contains(&status) {
        return Err(Error::Http { status, body: bounded(&String::from_utf8_lossy(body), MAX_BODY), retry_after: None });
    }
    first
}

/// The first JSON value of a body: some servers send two objects where one is meant, and the first counts (rest.md).
fn first_value(body: &[u8]) -> Result<Value, Error> {
    let text = core::str::from_utf8(body)
        .map_err(|error| malformed(format!("it is not UTF-8 from byte {}", error.valid_up_to())))?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('<') {
        return Err(Error::WebPage);
    }
    match serde_json::Deserializer::from_str(text).into_iter().next() {
        Some(Ok(value)) => Ok(value),
        // serde_json's own words could repeat a value.
        Some(Err(error)) if error.is_eof() => Err(malformed("its JSON ends too early")),
        Some(Err(error)) => {
            Err(malformed(format!("it is not JSON at line {}, column {}", error.line(), error.column())))
        }
        None => Err(malformed("it is empty")),
    }
}

fn unauthorized(map: &Map<String, Value>) -> Error {
    let words = said(map);
    match map.get("code").and_then(Value::as_i64) {
        Some(403) => Error::BlackListed { words },
        _ => Error::BadKey { words },
    }
}

/// What an object that says no means; nothing when it does not.
fn refusal(status: u16, map: &Map<String, Value>) -> Option<Error> {
    let refused = match map.get("status") {
        Some(status) => status == &Value::Bool(false),
        // The shape of OpenAI's own errors, on the paths that are OpenAI's.
        None => map.get("error").is_some_and(Value::is_object),
    };
    if !refused {
        return None;
    }
    let words = said(map);
    let code = map.get("error").and_then(Value::as_str);
    // The 2023-11 server sends no code with its throttling, only the words.
    Some(if code == Some("request_throttled") || words.contains("too many requests") {
        Error::Throttled { words }
    } else if words.contains(NO_SUCH_CALL) {
        Error::NoSuchCall { words }
    } else if words == "user not found" || (words.is_empty() && map.get("user").is_some()) {
        Error::NoKey { words }
    } else if words.ends_with("not found") || words.contains("no rows in result set") {
        Error::NotFound { words }
    } else if (200..300).contains(&status) || !words.is_empty() {
        Error::Refused { words }
    } else {
        return None;
    })
}

/// The reason, under whichever name this call gives it.
fn said(map: &Map<String, Value>) -> String {
    let nested = || map.get("error").and_then(Value::as_object).and_then(|error| words(error, "message"));
    let said = words(map, "reason").or_else(|| words(map, "message")).or_else(|| words(map, "error")).or_else(nested);
    bounded(&said.unwrap_or_default(), MAX_WORDS)
}

/// The beginning of a text.
fn bounded(text: &str, limit: usize) -> String {
    text[..text.floor_char_boundary(limit)].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(status: u16, body: &str) -> &'static str {
        decode(status, body.as_bytes()).map_or_else(|error| error.code(), |_| "ok")
    }

    #[test]
    fn the_first_of_several_objects_counts() {
        for body in [r#"{"a":1}{"a":2}"#, "{\"a\":1}\n{\"a\":2}\n", "\u{feff} {\"a\":1} tail"] {
            assert_eq!(decode(200, body.as_bytes()).unwrap()["a"], 1, "{body}");
        }
    }

    #[test]
    fn what_is_no_answer_is_named() {
        for (status, body, expected) in [
            (200, "", "malformed"),
            (200, "{", "malformed"),
            (200, "hello", "malformed"),
            (200, "\n <!DOCTYPE html><html>", "web_page"),
            (404, "<html>", "http"),
            (301, "", "http"),
            (401, "<html>", "http"),
            (502, "<html>bad gateway", "http"),
            (500, "{}", "http"),
            (500, r#"{"status":false}"#, "http"),
            (500, r#"{"status":false,"message":"no disk"}"#, "refused"),
            (200, r#"{"status":false}"#, "refused"),
            (200, r#"{"error":{"message":"no","type":"x"}}"#, "refused"),
            (200, r#"{"error":"success","status":true}"#, "ok"),
            (200, r#"{"error":"x"}"#, "ok"),
            (200, r#"{"message":"too many requests","status":false}"#, "throttled"),
            (429, r#"{"error":"request_throttled","status":false}"#, "throttled"),
            (200, r#"{"status":false,"user":"","admin":false}"#, "no_key"),
            (401, r#"{"code":403,"message":"ip in black list"}"#, "black_listed"),
            (401, "{}", "bad_key"),
        ] {
            assert_eq!(code(status, body), expected, "{status} {body}");
        }
        assert_eq!(decode(200, b"{\"a\":\xff}").unwrap_err(), malformed("it is not UTF-8 from byte 5"));
    }

    #[test]
    fn long_words_and_bodies_are_cut() {
        let long = "é".repeat(MAX_BODY);
        let Err(Error::Http { body, .. }) = decode(500, long.as_bytes()) else { panic!("no HTTP error") };
        assert_eq!(body.len(), MAX_BODY);
        let body = format!(r#"{{"status":false,"message":"{long}"}}"#);
        let error = decode(200, body.as_bytes()).unwrap_err();
        assert_eq!(error.words().map(str::len), Some(MAX_WORDS));
    }
}
