//! What an HTTP answer means that came instead of a WebSocket.

use chatnio_core::{Secrets, is_throttling};
use serde_json::Value;

use crate::error::WireError;
use crate::http_head::Head;
use crate::http_refusal::{HttpRefusal, starts_a_page};

/// What an answer other than 101 means (protocol.md, R6.1 and R6.4).
pub(crate) fn refusal(head: &Head, body: &str, secrets: &Secrets) -> WireError {
    let is_html = head.values("content-type").any(|kind| kind.to_ascii_lowercase().starts_with("text/html"));
    let mut refusal = HttpRefusal {
        status: head.status,
        reason: None,
        is_page: is_html || starts_a_page(body),
        body: secrets.redact(body),
        location: head.text("location", |text| secrets.redact(text)),
        retry_after: head.retry_after(),
        www_authenticate: head.text("www-authenticate", |text| secrets.redact(text)),
    };
    // As it came: what is hidden must change no meaning.
    let json: Option<Value> = serde_json::from_str(body).ok();
    let refused = json.as_ref().filter(|json| json.get("status") == Some(&Value::Bool(false)));
    let text = |name| refused.and_then(|json| json.get(name)?.as_str()).filter(|text| !text.is_empty());
    // Anew: in JSON a secret can be written in many ways.
    let reason = text("reason").or(text("message")).or(text("error")).map(|text| secrets.redact(text));
    match (refusal.status, reason) {
        (200, Some(reason)) => {
            let throttled = is_throttling(text("error"), &reason);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use chatnio_core::Auth;

    use crate::endpoint::Endpoint;
    use crate::headers::Headers;
    use crate::secrets::all_of;

    fn answered(head: &str, body: &str) -> WireError {
        let endpoint = Endpoint::parse("wss://example.com/chat?key=s3cret%20x&a=1").unwrap();
        refusal(
            &Head::of(format!("{head}\r\n\r\n")),
            body,
            &all_of(&endpoint, &Headers::default(), None, &Auth::new("sk-t0ken")),
        )
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
    fn the_token_is_a_secret_in_what_comes_back() {
        let error = answered(
            "HTTP/1.1 401 x\r\nLocation: https://example.com/?t=sk-t0ken\r\nWWW-Authenticate: Bearer sk-t0ken",
            r#"{"status":false,"message":"no key sk-t0ken"}"#,
        );
        let refusal = error.refusal().unwrap();
        assert_eq!(refusal.body, r#"{"status":false,"message":"no key sk-..."}"#);
        assert_eq!(refusal.location.as_deref(), Some("https://example.com/?t=sk-..."));
        assert_eq!(refusal.www_authenticate.as_deref(), Some("Bearer sk-..."));
        let error = answered("HTTP/1.1 200 x", r#"{"status":false,"message":"no key \u0073k-t0ken"}"#);
        assert_eq!(error.refusal().unwrap().reason.as_deref(), Some("no key sk-..."));
    }

    #[test]
    fn a_secret_is_one_however_it_is_written() {
        let endpoint = Endpoint::parse("wss://example.com/chat?key=s3%26cr%3Cet").unwrap();
        let answered = |head: &str, body: &str| {
            let error = refusal(
                &Head::of(format!("HTTP/1.1 {head}\r\n\r\n")),
                body,
                &all_of(&endpoint, &Headers::default(), None, &Auth::new("sk-t0ken")),
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
