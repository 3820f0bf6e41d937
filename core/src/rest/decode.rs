//! From an HTTP status and a body to the JSON of an answer, or to what went wrong.

use alloc::format;
use alloc::string::String;
use serde_json::{Map, Value};

use super::Error;
use super::fields::{malformed, words};
use crate::throttling::is_throttling;

/// How much of a body that is no answer is kept, in bytes.
const MAX_BODY: usize = 64 << 10;

/// How much of the server's words is kept, in bytes.
const MAX_WORDS: usize = 4 << 10;

/// What the servers say for a path that they do not have.
const NO_SUCH_CALL: &str = "not found or method not allowed";

/// A text of the answer's, as it may be shown.
type Redact<'r> = &'r dyn Fn(&str) -> String;

/// Reads an answer as far as it is the same for all calls. What errors keep of it has gone through `redact`: whole, and when
/// it was read, since in JSON a secret can be written in many ways.
///
/// # Errors
/// [`Error`]: everything that says that there is no result.
pub(crate) fn decode(status: u16, body: &[u8], redact: Redact<'_>) -> Result<Value, Error> {
    let first = first_value(body);
    match (status, &first) {
        (401, Ok(Value::Object(map))) => return Err(unauthorized(map, redact)),
        (_, Ok(Value::Object(map))) => {
            if let Some(error) = refusal(status, map, redact) {
                return Err(error);
            }
        }
        _ => {}
    }
    if !(200..300).contains(&status) {
        let body = bounded(&redact(&String::from_utf8_lossy(body)), MAX_BODY);
        return Err(Error::Http { status, body, retry_after: None });
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

fn unauthorized(map: &Map<String, Value>, redact: Redact<'_>) -> Error {
    let words = bounded(&redact(&said(map)), MAX_WORDS);
    match map.get("code").and_then(Value::as_i64) {
        Some(403) => Error::BlackListed { words },
        _ => Error::BadKey { words },
    }
}

/// What an object that says no means; nothing when it does not.
fn refusal(status: u16, map: &Map<String, Value>, redact: Redact<'_>) -> Option<Error> {
    let refused = match map.get("status") {
        Some(status) => status == &Value::Bool(false),
        // The shape of OpenAI's own errors, on the paths that are OpenAI's.
        None => map.get("error").is_some_and(Value::is_object),
    };
    if !refused {
        return None;
    }
    let said = said(map);
    let words = bounded(&redact(&said), MAX_WORDS);
    let code = map.get("error").and_then(Value::as_str);
    Some(if is_throttling(code, &said) {
        Error::Throttled { words, retry_after: None }
    } else if said.contains(NO_SUCH_CALL) {
        Error::NoSuchCall { words }
    } else if said == "user not found" || (said.is_empty() && map.get("user").is_some()) {
        Error::NoKey { words }
    } else if said.ends_with("not found") || said.contains("no rows in result set") {
        Error::NotFound { words }
    } else if (200..300).contains(&status) || !said.is_empty() {
        Error::Refused { words }
    } else {
        return None;
    })
}

/// The reason, under whichever name this call gives it.
fn said(map: &Map<String, Value>) -> String {
    let nested = || map.get("error").and_then(Value::as_object).and_then(|error| words(error, "message"));
    let said = words(map, "reason").or_else(|| words(map, "message")).or_else(|| words(map, "error")).or_else(nested);
    said.unwrap_or_default()
}

/// The beginning of a text.
fn bounded(text: &str, limit: usize) -> String {
    text[..text.floor_char_boundary(limit)].into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;
    use alloc::string::ToString;

    fn as_it_is(text: &str) -> String {
        text.to_owned()
    }

    fn code(status: u16, body: &str) -> &'static str {
        decode(status, body.as_bytes(), &as_it_is).map_or_else(|error| error.code(), |_| "ok")
    }

    #[test]
    fn the_first_of_several_objects_counts() {
        for body in [r#"{"a":1}{"a":2}"#, "{\"a\":1}\n{\"a\":2}\n", "\u{feff} {\"a\":1} tail"] {
            assert_eq!(decode(200, body.as_bytes(), &as_it_is).unwrap()["a"], 1, "{body}");
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
        assert_eq!(decode(200, b"{\"a\":\xff}", &as_it_is).unwrap_err(), malformed("it is not UTF-8 from byte 5"));
    }

    #[test]
    fn long_words_and_bodies_are_cut() {
        let long = "é".repeat(MAX_BODY);
        let Err(Error::Http { body, .. }) = decode(500, long.as_bytes(), &as_it_is) else { panic!("no HTTP error") };
        assert_eq!(body.len(), MAX_BODY);
        let body = format!(r#"{{"status":false,"message":"{long}"}}"#);
        let error = decode(200, body.as_bytes(), &as_it_is).unwrap_err();
        assert_eq!(error.words().map(str::len), Some(MAX_WORDS));
    }

    #[test]
    fn what_is_redacted_changes_no_meaning_and_is_whole() {
        let redact = |text: &str| {
            ["s3/cret", "status", "user", "false"].iter().fold(text.to_owned(), |so, it| so.replace(it, "..."))
        };
        let error = |status, body: &str| decode(status, body.as_bytes(), &redact).unwrap_err();
        let words = |body: &str| error(200, body).words().unwrap_or_default().to_owned();
        // However it is written in JSON, and whatever fields are called.
        for body in [r#"{"status":false,"message":"no s3\/cret"}"#, r#"{"status":false,"message":"no s\u0033/cret"}"#] {
            assert_eq!(words(body), "no ...", "{body}");
        }
        assert_eq!(error(200, r#"{"status":false,"message":"user not found"}"#).code(), "no_key");
        let long = format!(r#"{{"status":false,"message":"{}s3/cret"}}"#, "x".repeat(MAX_WORDS - 4));
        assert!(!words(&long).contains("s3"));
        let Error::Http { body, .. } = error(500, &format!("{}s3/cret", "x".repeat(MAX_BODY - 4))) else { panic!() };
        assert!(!body.contains("s3"));
        assert!(!error(401, r#"{"message":"s3/cret"}"#).to_string().contains("s3"));
    }
}
