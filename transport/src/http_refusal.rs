//! `HttpRefusal`: an HTTP answer that came instead of a WebSocket.

use std::fmt;
use std::time::Duration;

/// What a server, a gateway or a proxy answered instead of opening a WebSocket.
///
/// Fields are as the server sent them, bounded, and without the secrets that it repeats (see [`ConnectionEnd`](crate::ConnectionEnd)); in
/// those that come from headers a control character has become U+FFFD.
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
    pub(crate) is_page: bool,
}

impl HttpRefusal {
    /// An answer with a status and a body alone.
    #[must_use]
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        let body = body.into();
        HttpRefusal { status, is_page: starts_a_page(&body), body, ..Self::default() }
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
            (500..=599, _) => "the server or a proxy in front of it has a problem: ask its owner, whose log says more".to_owned(),
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

/// When to try again, in words.
pub(crate) fn when(retry_after: Option<Duration>) -> String {
    match retry_after {
        Some(time) => format!("in {} s", time.as_secs()),
        None => "later".to_owned(),
    }
}

pub(crate) fn starts_a_page(body: &str) -> bool {
    let start: String = body.trim_start().chars().take(14).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}
