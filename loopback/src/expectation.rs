//! Whether a client asks what a recording asks: for tests that are to fail when a question has changed.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use thiserror::Error;

/// What a [`Script`](crate::Script) asks, request by request, and how far the comparison has come on each connection.
#[derive(Debug, Clone)]
pub struct Expectation {
    asks: Arc<[String]>,
    /// By connection, since each is played the script from its start.
    heard: HashMap<u64, usize>,
}

/// A request that is not what the script asks there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("question {number} is another than the script's:\n  asked:  {asked}\n  script: {}", script.as_deref().unwrap_or("asks nothing"))]
#[non_exhaustive]
pub struct Difference {
    /// Which request of its connection it is, from 1; stops do not count.
    pub number: usize,
    /// The request, as the client wrote it.
    pub asked: String,
    /// What the script asks there; `None` where it asks nothing at all.
    pub script: Option<String>,
}

impl Expectation {
    pub(crate) fn new(asks: Arc<[String]>) -> Self {
        Self { asks, heard: HashMap::new() }
    }

    /// Compares a connection's next request, as [`Options::hearer`](crate::Options::hearer) is told it. As the script is
    /// played from its start on each connection, so it is compared. A stop may come whenever it likes, and a connection may
    /// ask less than the script. Neither the order of the fields makes a difference, nor one that says what leaving it out
    /// says as well: `false`, or the type `chat`.
    ///
    /// # Errors
    /// When the script asks something else there, or nothing any more.
    pub fn hear(&mut self, connection: u64, request: &str) -> Result<(), Difference> {
        let asked = says(request);
        if asked.as_ref().is_ok_and(|fields| fields.get("type").is_some_and(|kind| kind == "stop")) {
            return Ok(());
        }
        let heard = self.heard.entry(connection).or_default();
        let script = self.asks.get(*heard);
        *heard += 1;
        match script {
            Some(script) if asked == says(script) => Ok(()),
            script => Err(Difference { number: *heard, asked: request.trim().to_owned(), script: script.cloned() }),
        }
    }
}

/// What a request says; one that is no object stands for itself.
fn says(request: &str) -> Result<Map<String, Value>, &str> {
    let mut fields: Map<String, Value> = serde_json::from_str(request).map_err(|_| request.trim())?;
    fields.entry("type").or_insert_with(|| "chat".into());
    fields.retain(|_, value| *value != Value::Bool(false));
    fields.values_mut().for_each(as_float);
    Ok(fields)
}

/// 1 and 1.0 are one number.
fn as_float(value: &mut Value) {
    if let Some(number) = value.as_f64() {
        *value = number.into();
    }
}

#[cfg(test)]
mod tests {
    use crate::Script;

    const SCRIPT: &str = "> SEND {\"token\":\"sk-...\",\"id\":-1}\n\
        > SEND {\"type\":\"chat\",\"message\":\"\"}\n\
        > SEND {\"message\":\"hi\",\"web\":false,\"temperature\":1}  // the first\n\
        < RECV {\"message\":\"Hello\",\"end\":true}\n\
        > SEND {\"type\":\"stop\"}\n\
        > SEND {\"type\":\"ping\"}\n\
        > SEND {\"type\":\"restart\"}\n";

    #[test]
    fn what_says_the_same_is_no_difference() {
        let mut expectation = SCRIPT.parse::<Script>().unwrap().expectation();
        for request in [
            r#"{"temperature":1.0, "message":"hi", "type":"chat"}"#,
            r#"{"type":"stop"}"#,
            r#"{"type":"restart","web":false}"#,
        ] {
            assert_eq!(expectation.hear(1, request), Ok(()));
        }
    }

    #[test]
    fn each_connection_asks_it_from_its_start() {
        let script: Script = "> SEND {\"message\":\"one\"}\n> SEND {\"message\":\"two\"}\n".parse().unwrap();
        let [one, two] = [r#"{"message":"one"}"#, r#"{"message":"two"}"#];
        let mut expectation = script.expectation();
        // Two at once, and a third that asks the first question alone.
        for (connection, request) in [(1, one), (2, one), (2, two), (1, two), (3, one)] {
            assert_eq!(expectation.hear(connection, request), Ok(()), "{request} on {connection}");
        }
        let told = expectation.hear(4, two).unwrap_err();
        assert_eq!((told.number, told.script.as_deref()), (1, Some(one)));
        // Behind its end it asks nothing.
        let told = expectation.hear(2, one).unwrap_err();
        assert_eq!((told.number, told.script), (3, None));
    }

    #[test]
    fn what_says_something_else_is_told() {
        let hear = |script: &str, request: &str| script.parse::<Script>().unwrap().expectation().hear(1, request);
        for request in [
            r#"{"type":"chat","message":"ho","temperature":1}"#,
            r#"{"type":"chat","message":"hi"}"#,
            r#"{"type":"chat","message":"hi","temperature":1,"web":true}"#,
            r#"{"type":"restart"}"#,
            "nonsense",
        ] {
            let told = hear(SCRIPT, &format!("{request}\n")).unwrap_err().to_string();
            let asked = r#"{"message":"hi","web":false,"temperature":1}"#;
            assert_eq!(
                told,
                format!("question 1 is another than the script's:\n  asked:  {request}\n  script: {asked}")
            );
        }
        let told = hear("< RECV {}\n", r#"{"type":"restart"}"#).unwrap_err();
        assert_eq!((told.number, told.script.as_deref()), (1, None));
        assert!(told.to_string().ends_with("script: asks nothing"));
    }
}
