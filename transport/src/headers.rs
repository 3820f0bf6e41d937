//! Extra headers of the WebSocket handshake's request.

use std::fmt;

use thiserror::Error;
use tungstenite::http::HeaderName;
use zeroize::Zeroizing;

/// Headers that the host adds to the WebSocket handshake's request, in the order they were added.
///
/// The servers need none (protocol.md, R0.4); proxies in front of one
/// sometimes do. A value may be a secret: it is not shown by `Debug`, never logged, and wiped when
/// dropped.
///
/// ```
/// use chatnio::Headers;
///
/// let mut headers = Headers::new();
/// headers.add("X-Gate", "open sesame")?;
/// assert_eq!(format!("{headers:?}"), r#"{"x-gate": "..."}"#);
/// # Ok::<(), chatnio::HeaderError>(())
/// ```
#[derive(Clone, Default)]
pub struct Headers {
    // The value is not an http::HeaderValue: that one cannot be wiped.
    list: Vec<(HeaderName, Zeroizing<String>)>,
}

/// Why a header cannot be added to the handshake's request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The name is not an HTTP token. It is not repeated here: it may be a value in the wrong
    /// place.
    #[error("a header's name is not valid: use letters, digits and hyphens")]
    Name,
    /// The value holds a line break, another control character or something outside ASCII.
    #[error(
        "the value of the header `{name}` is not valid: only visible ASCII characters, spaces and tabs are allowed"
    )]
    Value {
        /// The header's name.
        name: String,
    },
    /// The handshake itself sets this header, or it would change how the request is read.
    #[error("the header `{name}` belongs to the WebSocket handshake itself: remove it")]
    Reserved {
        /// The header's name.
        name: String,
    },
}

impl Headers {
    /// No headers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header after those already there; a name may be added more than once.
    ///
    /// # Errors
    /// [`HeaderError`], and nothing is added.
    pub fn add(&mut self, name: &str, value: &str) -> Result<&mut Self, HeaderError> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::Name)?;
        if is_reserved(name.as_str()) {
            return Err(HeaderError::Reserved { name: name.to_string() });
        }
        // A line break in a value would start another header, or the next request.
        if !value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
            return Err(HeaderError::Value { name: name.to_string() });
        }
        self.list.push((name, Zeroizing::new(value.to_owned())));
        Ok(self)
    }

    /// How many headers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Names and values in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The names that the handshake sets (`Sec-WebSocket-*` among them), and those that decide where a
/// request ends.
fn is_reserved(name: &str) -> bool {
    let exact = ["host", "connection", "upgrade", "content-length", "transfer-encoding", "te", "trailer", "expect"];
    exact.contains(&name) || name.starts_with("sec-websocket-")
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, _)| (name, "..."))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_duplicates() {
        let mut headers = Headers::new();
        headers.add("X-B", "1").unwrap().add("x-a", "two words\t!").unwrap().add("x-b", "").unwrap();
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("x-b", "1"), ("x-a", "two words\t!"), ("x-b", "")]);
        assert_eq!(headers.len(), 3);
    }

    #[test]
    fn refuses_what_could_break_the_request() {
        let mut headers = Headers::new();
        for name in ["", "x y", "x:y", "x\r\ny", "SECRET\n"] {
            assert_eq!(headers.add(name, "SECRET").unwrap_err(), HeaderError::Name, "{name:?}");
        }
        for value in ["SECRET\r\nx: y", "SECRET\n", "\r", "\0", "\u{7f}", "SECR\u{c9}T"] {
            let error = headers.add("x-a", value).unwrap_err();
            assert_eq!(error, HeaderError::Value { name: "x-a".into() }, "{value:?}");
            assert!(!format!("{error} {error:?}").contains("SECR"));
        }
        for name in [
            "Host",
            "CONNECTION",
            "Upgrade",
            "Sec-WebSocket-Key",
            "Sec-WebSocket-Protocol",
            "Content-Length",
            "Transfer-Encoding",
        ] {
            let expected = HeaderError::Reserved { name: name.to_lowercase() };
            assert_eq!(headers.add(name, "SECRET").unwrap_err(), expected);
        }
        assert!(headers.is_empty());
    }

    #[test]
    fn hides_values() {
        let mut headers = Headers::new();
        headers.add("authorization", "SECRET").unwrap();
        assert_eq!(format!("{headers:?}"), r#"{"authorization": "..."}"#);
    }
}
