//! An HTTP answer that came instead of a WebSocket.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::error::WireError;
use crate::http_head::Head;
use crate::secrets::Secrets;

/// What a server, a gateway or a proxy answered instead of opening a WebSocket.
///
/// Fields are as the server sent them, bounded, and without the secrets of the URL's query and the values of the host's own
/// headers; in those that come from headers a control character has become U+FFFD.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRefusal {
    /// The HTTP status.
    pub status: u16,
    /// The chat server's own words, where it is one that refuses (protocol.md, R6.1 and R6.2).
    pub reason: Option<String>,
    /// The answer's body as far as it came, at most 64 KiB; what is not UTF-8 became U+FFFD.
    pub body: String,
    /// Where a redirect points to. It is never followed: whoever answers could send a token anywhere.
    pub location: Option<String>,
    /// After how long to try again, by `Retry-After`; a date counts from the answer's own `Date`.
    pub retry_after: Option<Duration>,
    /// The authentication that is wanted, by `WWW-Authenticate`.
    pub www_authenticate: Option<String>,
    /// Whether the body is a web page.
    is_page: bool,
}

impl HttpRefusal {
    /// An answer with a status and a body alone.
    #[must_use]
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        let body = body.into();
        HttpRefusal { status, is_page: starts_a_page(&body), body, ..Self::default() }
    }

    fn read(head: &Head, body: &str, secrets: &Secrets) -> Self {
        let is_html = head.values("content-type").any(|kind| kind.to_ascii_lowercase().starts_with("text/html"));
        HttpRefusal {
            status: head.status,
            reason: None,
            is_page: is_html || starts_a_page(body),
            body: secrets.redact(body),
            location: head.text("location", |text| secrets.redact(text)),
            retry_after: head.retry_after(),
            www_authenticate: head.text("www-authenticate", |text| secrets.redact(text)),
        }
    }

    fn hint(&self) -> String {
        let when = when(self.retry_after);
        let speaks_tls = ["plain HTTP request was sent to HTTPS", "HTTP request to an HTTPS server"];
        match (self.status, &self.location) {
            (300..=399, Some(target)) => format!("it points to {target}: redirects are not followed, so use that URL if you trust it"),
            (300..=399, None) => "it redirects without saying where to: check the URL".to_owned(),
            (400, _) if speaks_tls.iter().any(|text| self.body.contains(text)) => "this port speaks TLS: use wss://".to_owned(),
            (400, _) if self.body.contains("No required SSL certificate") => "it wants a client certificate: give one, with its key".to_owned(),
            (401, _) => match &self.www_authenticate {
                Some(wanted) => format!("it wants to know who asks ({wanted}): add what it accepts to the handshake's headers"),
                None => "it wants to know who asks: add what it accepts to the handshake's headers".to_owned(),
            },
            (403, _) => "a gateway in front of the server forbids it: ask its owner what it wants (a header, another address, a client certificate)".to_owned(),
            (407, _) => "a proxy on the way wants a user name and a password".to_owned(),
            (426, _) => "a proxy on the way does not pass the WebSocket's headers on (`Connection` and `Upgrade`): its owner must let it".to_owned(),
            (400..=499, _) => "check the URL's path (/chat or /api/chat) and what the server demands".to_owned(),
            (502, _) => format!("the gateway cannot reach the server behind it: try again {when}"),
            (503, _) => format!("the server is not available now: try again {when}"),
            (504, _) => format!("the server behind the gateway does not answer in time: try again {when}"),
            (500..=599, _) => format!("the server or a proxy in front of it has a problem: try again {when}"),
            _ if self.is_page => "it is a web page: a server that also serves its web client has its chat under /api (as in https://chat.example.com/api)".to_owned(),
            _ => "check the URL".to_owned(),
        }
    }
}

impl fmt::Display for HttpRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.reason, self.status) {
            (Some(reason), _) => f.write_str(reason),
            (None, 429) => f.write_str("HTTP 429"),
            (None, status) => {
                write!(f, "the server answered HTTP {status} instead of opening a WebSocket: {}", self.hint())
            }
        }?;
        match self.retry_after {
            Some(time) if self.is_throttling() => write!(f, " (it says for {} s)", time.as_secs()),
            _ => Ok(()),
        }
    }
}

impl HttpRefusal {
    /// Whether it is one for too many connections.
    pub(crate) fn is_throttling(&self) -> bool {
        self.status == 429
    }
}

/// What an answer other than 101 means (protocol.md, R6.1 and R6.4).
pub(crate) fn refusal(head: &Head, body: &str, secrets: &Secrets) -> WireError {
    let mut refusal = HttpRefusal::read(head, body, secrets);
    // As it came: what is hidden must change no meaning.
    let json: Option<Value> = serde_json::from_str(body).ok();
    let refused = json.as_ref().filter(|json| json.get("status") == Some(&Value::Bool(false)));
    let text = |name| refused.and_then(|json| json.get(name)?.as_str()).filter(|text| !text.is_empty());
    // Anew: in JSON a secret can be written in many ways.
    let reason = text("reason").or(text("message")).or(text("error")).map(|text| secrets.redact(text));
    match (refusal.status, reason) {
        (200, Some(reason)) => {
            // The 2023-11 server sends no code with its throttling, only the words.
            let throttled = match text("error") {
                Some(code) => code == "request_throttled",
                None => reason.contains("too many requests"),
            };
            refusal.reason = Some(reason);
            if throttled { WireError::Throttled(refusal.into()) } else { WireError::Refused(refusal.into()) }
        }
        (429, reason) => {
            refusal.reason = reason;
            WireError::Throttled(refusal.into())
        }
        (502..=504, _) => WireError::Unavailable(refusal.into()),
        _ => WireError::Http(refusal.into()),
    }
}

/// When to try again, in words.
pub(crate) fn when(retry_after: Option<Duration>) -> String {
    match retry_after {
        Some(time) => format!("in {} s", time.as_secs()),
        None => "later".to_owned(),
    }
}

impl Head {
    /// After how long to try again, by `Retry-After`.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after(|name| self.values(name).next())
    }
}

fn starts_a_page(body: &str) -> bool {
    let start: String = body.trim_start().chars().take(14).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// The longest wait that is believed, in seconds.
const MAX_WAIT: u64 = 999_999_999;

/// Seconds, or a date (RFC 9110, section 10.2.3). There is no clock here but the server's own.
pub(crate) fn retry_after<'h>(header: impl Fn(&'static str) -> Option<&'h str>) -> Option<Duration> {
    let value = header("retry-after")?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits are a very long time, too.
        return Some(Duration::from_secs(value.parse().unwrap_or(MAX_WAIT).min(MAX_WAIT)));
    }
    let date = |text| httpdate::parse_http_date(text).ok();
    let (at, now) = (date(value)?, date(header("date")?)?);
    // What is past is now.
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;
    use crate::headers::Headers;

    fn answered(head: &str, body: &str) -> WireError {
        let endpoint = Endpoint::parse("wss://example.com/chat?key=s3cret%20x&a=1").unwrap();
        refusal(&Head::of(&format!("{head}\r\n\r\n")), body, &Secrets::of(&endpoint, &Headers::default()))
    }

    fn text(head: &str, body: &str) -> String {
        answered(head, body).to_string()
    }

    #[test]
    fn a_redirect_says_where_to() {
        let error = answered("HTTP/1.1 301 Moved\r\nLocation: https://other.example/api\u{9b}", "");
        let WireError::Http(refusal) = &error else { panic!("{error:?}") };
        assert_eq!(refusal.location.as_deref(), Some("https://other.example/api\u{fffd}"));
        assert!(error.to_string().contains("https://other.example/api\u{fffd}"), "{error}");
        assert!(text("HTTP/1.1 302 Found", "").contains("without saying where"));
    }

    #[test]
    fn the_query_is_a_secret_in_what_comes_back() {
        let error = answered(
            "HTTP/1.1 301 Moved\r\nLocation: https://example.com/chat?key=s3cret%20x&a=1",
            "moved: /chat?key=s3cret%20x&amp;a=1, or s3cret x, or s3cret%20x",
        );
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("https://example.com/chat?..."), "{shown}");
    }

    #[test]
    fn a_secret_is_one_however_it_is_written() {
        let endpoint = Endpoint::parse("wss://example.com/chat?key=s3%26cr%3Cet").unwrap();
        let answered = |head: &str, body: &str| {
            let error = refusal(
                &Head::of(&format!("HTTP/1.1 {head}\r\n\r\n")),
                body,
                &Secrets::of(&endpoint, &Headers::default()),
            );
            error.refusal().unwrap().clone()
        };
        let json = answered("200 x", r#"{"status":false,"message":"no key s3\u0026cr\u003cet"}"#);
        assert_eq!(json.reason.as_deref(), Some("no key ..."));
        assert_eq!(json.body, r#"{"status":false,"message":"no key ..."}"#);
        let json = answered("200 x", r#"{"status":false,"message":"no key s\u0033&cr<et"}"#);
        assert_eq!(json.reason.as_deref(), Some("no key ..."));
        assert_eq!(answered("403 x", "<p>no key s3&amp;cr&lt;et</p>").body, "<p>no key ...</p>");
        let wanted = answered("401 x\r\nWWW-Authenticate: Bearer realm=\"/chat?key=s3%26cr%3Cet\"", "");
        assert_eq!(wanted.www_authenticate.as_deref(), Some("Bearer realm=\"/chat?...\""));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |headers: &str| {
            let error = answered(&format!("HTTP/1.1 503 x\r\n{headers}"), "");
            let WireError::Unavailable(refusal) = error else { panic!("{error:?}") };
            refusal.retry_after
        };
        assert_eq!(after("Retry-After: 7"), Some(Duration::from_secs(7)));
        let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:07 GMT";
        assert_eq!(after(date), Some(Duration::from_secs(30)));
        let past = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:07 GMT";
        assert_eq!(after(past), Some(Duration::ZERO));
        for long in ["9999999999", &"9".repeat(400)] {
            assert_eq!(after(&format!("Retry-After: {long}")), Some(Duration::from_secs(999_999_999)));
        }
        for none in [
            "Retry-After: soon",
            "Retry-After: +7",
            "Retry-After:",
            "Retry-After: 7, 8",
            "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT",
            "Retry-After: -1",
            "x: y",
        ] {
            assert_eq!(after(none), None, "{none}");
        }
        assert!(text("HTTP/1.1 503 x\r\nRetry-After: 7", "").ends_with("try again in 7 s"));
    }

    #[test]
    fn a_gateway_throttles_too() {
        let error = answered("HTTP/1.1 429 Slow down\r\nRetry-After: 30", "<html>slow down");
        let WireError::Throttled(refusal) = &error else { panic!("{error:?}") };
        assert_eq!((refusal.status, refusal.retry_after), (429, Some(Duration::from_secs(30))));
        assert_eq!(refusal.body, "<html>slow down");
        assert!(error.to_string().contains("HTTP 429 (it says for 30 s)"), "{error}");
        let with_words = text("HTTP/1.1 429 x", r#"{"status":false,"message":"one at a time"}"#);
        assert!(with_words.contains("one at a time"), "{with_words}");
    }

    #[test]
    fn every_status_gets_a_text_that_fits() {
        for (head, body, expected) in [
            (
                "HTTP/1.1 401 x\r\nWWW-Authenticate: Basic realm=\"a\"\r\nWWW-Authenticate: Bearer",
                "",
                "Basic realm=\"a\", Bearer",
            ),
            ("HTTP/1.1 401 x", "", "who asks"),
            ("HTTP/1.1 403 x", "", "forbids"),
            ("HTTP/1.1 404 x", "", "/api/chat"),
            ("HTTP/1.1 407 x", "", "user name"),
            ("HTTP/1.1 426 x", "", "`Upgrade`"),
            ("HTTP/1.1 400 x", "<center>The plain HTTP request was sent to HTTPS port</center>", "wss://"),
            ("HTTP/1.1 400 x", "Client sent an HTTP request to an HTTPS server.", "wss://"),
            ("HTTP/1.1 400 x", "<h1>No required SSL certificate was sent</h1>", "client certificate"),
            ("HTTP/1.1 500 x", "", "problem"),
            ("HTTP/1.1 502 x", "", "reach"),
            ("HTTP/1.1 503 x", "", "not available"),
            ("HTTP/1.1 504 x", "", "in time"),
            ("HTTP/1.1 200 x", "\n<!DOCTYPE HTML><html>", "/api"),
            ("HTTP/1.1 200 x\r\nContent-Type: text/html; charset=utf-8", "<div>", "/api"),
            ("HTTP/1.1 200 x", "<HTML>", "/api"),
            ("HTTP/1.1 200 x", "{}", "check the URL"),
        ] {
            let shown = text(head, body);
            assert!(shown.contains(expected), "{head}: {shown}");
        }
        assert!(!text("HTTP/1.1 404 x", "<html>").contains("chat.example.com"));
    }
}
