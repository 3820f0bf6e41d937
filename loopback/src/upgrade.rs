//! The HTTP request that asks for a WebSocket, and the answers to it.

use tungstenite::handshake::derive_accept_key;

use crate::options::Refusal;
use crate::rest::PAGE;

/// The longest request head.
const HEAD_LIMIT: usize = 16 * 1024;

/// The path of the chat (protocol.md, R0.2).
pub(crate) fn chat_path(web_page: bool) -> &'static str {
    if web_page { "/api/chat" } else { "/chat" }
}

/// Finds the end of a request head; nothing when more is to come.
///
/// # Errors
/// The refusal of a head that is too long.
pub(crate) fn head_length(bytes: &[u8]) -> Result<Option<usize>, Refusal> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
    if end.unwrap_or(bytes.len()) > HEAD_LIMIT {
        let body = "Request Header Fields Too Large".to_owned();
        return Err(Refusal { status: 431, body });
    }
    Ok(end)
}

/// A request head, read as leniently as the real servers read it.
pub(crate) struct Request<'a> {
    method: &'a str,
    path: &'a str,
    headers: Vec<(&'a str, &'a str)>,
}

impl<'a> Request<'a> {
    /// Reads a head.
    pub(crate) fn parse(head: &'a str) -> Self {
        let mut lines = head.split("\r\n");
        let mut request = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (request.next().unwrap_or_default(), request.next().unwrap_or_default());
        let path = target.split('?').next().unwrap_or_default();
        let headers = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()));
        Self { method, path, headers: headers.collect() }
    }

    /// The method, such as `GET`.
    pub(crate) fn method(&self) -> &'a str {
        self.method
    }

    /// Whether it asks for a WebSocket.
    pub(crate) fn is_upgrade(&self) -> bool {
        self.lists("upgrade", "websocket")
    }

    /// The path, without the query.
    pub(crate) fn path(&self) -> &'a str {
        self.path
    }

    /// Answers it: the bytes of the 101.
    ///
    /// # Errors
    /// The refusal of a wrong path (protocol.md, R6.4, R6.7) or of a request that is no upgrade (400).
    pub(crate) fn accept(&self, web_page: bool) -> Result<String, Refusal> {
        if self.path != chat_path(web_page) {
            let not_found = "{\"message\":\"not found or method not allowed\",\"status\":false}";
            let (status, body) = if web_page { (200, PAGE) } else { (404, not_found) };
            return Err(Refusal { status, body: body.to_owned() });
        }
        let key = self.values("sec-websocket-key").next().unwrap_or_default();
        let problem = if !self.lists("connection", "upgrade") {
            "the client is not using the websocket protocol: 'upgrade' token not found in 'Connection' header"
        } else if !self.lists("upgrade", "websocket") {
            "the client is not using the websocket protocol: 'websocket' token not found in 'Upgrade' header"
        } else if self.method != "GET" {
            "request method is not GET"
        } else if !self.lists("sec-websocket-version", "13") {
            "unsupported version: 13 not found in 'Sec-Websocket-Version' header"
        } else if key.is_empty() {
            "not a websocket handshake: 'Sec-WebSocket-Key' header must not be empty"
        } else {
            return Ok(format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
                derive_accept_key(key.as_bytes())
            ));
        };
        let body = format!("Bad Request\n{{\"message\":\"\",\"reason\":\"websocket: {problem}\",\"status\":false}}");
        Err(Refusal { status: 400, body })
    }

    /// The values of all lines of a header.
    fn values(&self, wanted: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
    }

    /// Whether one of a header's lines lists a token, in any case and with any space around it: proxies add tokens and
    /// lines of their own.
    fn lists(&self, name: &str, token: &str) -> bool {
        self.values(name).flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
    }
}

/// The head of a refusal; its body follows.
pub(crate) fn refusal_head(refusal: &Refusal) -> String {
    let reason = match refusal.status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Refused",
    };
    let content = match refusal.body.chars().next() {
        Some('{') => "application/json",
        Some('<') => "text/html",
        _ => "text/plain",
    };
    format!(
        "HTTP/1.1 {} {reason}\r\nContent-Type: {content}; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
        refusal.status,
        refusal.body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "GET /chat HTTP/1.1\r\nHost: x\r\nconnection: keep-alive, Upgrade\r\nUPGRADE: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    fn status(head: &str) -> u16 {
        Request::parse(head).accept(false).map_or_else(|refusal| refusal.status, |_| 101)
    }

    #[test]
    fn an_upgrade_is_accepted_on_the_chat_s_path_alone() {
        // The example of RFC 6455, section 1.3.
        let answer = Request::parse(HEAD).accept(false).unwrap();
        assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert_eq!(answer.lines().count(), 5, "no sub-protocol, no extension (R0.4)");
        assert_eq!(status(&HEAD.replace("/chat", "/chat?x=1")), 101);
        for path in ["/", "/chat/", "/api/chat"] {
            assert_eq!(status(&HEAD.replace("/chat", path)), 404, "{path} (R6.4)");
        }
    }

    #[test]
    fn a_server_with_a_web_page_has_its_chat_elsewhere() {
        let answer = |path| Request::parse(&HEAD.replace("/chat", path)).accept(true);
        assert!(answer("/api/chat?x=1").is_ok(), "R0.2");
        for path in ["/", "/chat", "/api"] {
            let refusal = answer(path).unwrap_err();
            assert_eq!((refusal.status, refusal.body.as_str()), (200, PAGE), "{path} (R6.7)");
            assert!(refusal_head(&refusal).contains("\r\nContent-Type: text/html; charset=utf-8\r\n"));
        }
    }

    #[test]
    fn tokens_may_stand_in_any_line_in_any_case_with_any_space() {
        for connection in [
            "connection: Upgrade\r\nConnection: keep-alive",
            "connection: keep-alive\r\nCONNECTION:\tfoo ,\tuPGRADE\t",
            "connection:keep-alive,Upgrade,",
            "connection: ,, upgrade ;\r\nconnection: upgrade",
        ] {
            assert_eq!(status(&HEAD.replace("connection: keep-alive, Upgrade", connection)), 101, "{connection:?}");
        }
        for upgrade in ["Upgrade: h2c\r\nUpgrade: WebSocket", "upgrade: h2c ,websocket", "upgrade:\twebsocket , h2c"] {
            assert_eq!(status(&HEAD.replace("UPGRADE: WebSocket", upgrade)), 101, "{upgrade:?}");
        }
        assert_eq!(status(&HEAD.replace("Version: 13", "Version: 8\r\nSec-WebSocket-Version: 13")), 101);
        for connection in
            ["connection: upgraded", "connection: keep-alive upgrade", "connection : upgrade", "x: upgrade"]
        {
            assert_eq!(status(&HEAD.replace("connection: keep-alive, Upgrade", connection)), 400, "{connection:?}");
        }
    }

    #[test]
    fn a_request_that_is_no_upgrade_is_refused() {
        for (good, bad) in [
            ("keep-alive, Upgrade", "keep-alive"),
            ("WebSocket\r", "h2c\r"),
            ("GET", "POST"),
            (": 13", ": 8"),
            ("Sec-WebSocket-Key", "X"),
        ] {
            assert_eq!(status(&HEAD.replace(good, bad)), 400, "{bad}");
        }
    }

    #[test]
    fn the_head_ends_at_its_blank_line_and_is_bounded() {
        assert_eq!(head_length(HEAD.as_bytes()), Ok(Some(HEAD.len())));
        assert_eq!(head_length(&HEAD.as_bytes()[..HEAD.len() - 1]), Ok(None));
        assert_eq!(head_length(&[b'x'; HEAD_LIMIT]), Ok(None));
        assert_eq!(head_length(&[b'x'; HEAD_LIMIT + 1]).unwrap_err().status, 431);
    }
}
