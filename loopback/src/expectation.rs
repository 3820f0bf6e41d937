//! Whether a client asks what a recording asks: for tests that are to fail when a question has changed.

use std::sync::Arc;

use serde_json::{Map, Value};
use thiserror::Error;

/// What a [`Script`](crate::Script) asks, request by request, and how far the comparison has come.
#[derive(Debug, Clone)]
pub struct Expectation {
    asks: Arc<[String]>,
    heard: usize,
}

/// A request that is not what the script asks there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("question {number} is another than the script's:\n  asked:  {asked}\n  script: {}", script.as_deref().unwrap_or("asks nothing"))]
#[non_exhaustive]
pub struct Difference {
    /// Which request it is, from 1; stops do not count.
    pub number: usize,
    /// The request, as the client wrote it.
    pub asked: String,
    /// What the script asks there; `None` where it asks nothing at all.
    pub script: Option<String>,
}

impl Expectation {
    pub(crate) fn new(asks: Arc<[String]>) -> Self {
        Self { asks, heard: 0 }
    }

    /// Compares the next request, as [`Options::hearer`](crate::Options::hearer) is told it. Behind its end the script begins
    /// again, since each connection plays it from the start. A stop may come whenever it likes. Neither the order of the fields
    /// makes a difference, nor one that says what leaving it out says as well: `false`, or the type `chat`.
    ///
    /// # Errors
    /// When the script asks something else there.
    pub fn hear(&mut self, request: &str) -> Result<(), Difference> {
        let asked = says(request);
        if asked.as_ref().is_ok_and(|fields| fields.get("type").is_some_and(|kind| kind == "stop")) {
            return Ok(());
        }
        let script = self.heard.checked_rem(self.asks.len()).map(|at| &self.asks[at]);
        self.heard += 1;
        match script {
            Some(script) if asked == says(script) => Ok(()),
            script => Err(Difference { number: self.heard, asked: request.trim().to_owned(), script: script.cloned() }),
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
        for _ in 0..2 {
            for request in [
                r#"{"temperature":1.0, "message":"hi", "type":"chat"}"#,
                r#"{"type":"stop"}"#,
                r#"{"type":"restart","web":false}"#,
            ] {
                assert_eq!(expectation.hear(request), Ok(()));
            }
        }
    }

    #[test]
    fn what_says_something_else_is_told() {
        let hear = |script: &str, request: &str| script.parse::<Script>().unwrap().expectation().hear(request);
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
