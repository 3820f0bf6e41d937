//! The HTTP request that asks for a WebSocket, and the answers to it.

use tungstenite::handshake::derive_accept_key;

use crate::options::Refusal;

/// The longest request head.
const HEAD_LIMIT: usize = 16 * 1024;

/// The paths that serve the chat: the second when the server also serves its web page.
const PATHS: [&str; 2] = ["/chat", "/api/chat"];

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

/// Answers a request head: the bytes of the 101.
///
/// # Errors
/// The refusal of a wrong path (404) or of a request that is no upgrade (400).
pub(crate) fn accept(head: &[u8]) -> Result<String, Refusal> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let mut request = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (request.next(), request.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    if !PATHS.contains(&path) {
        let body = "{\"message\":\"not found or method not allowed\",\"status\":false}".to_owned();
        return Err(Refusal { status: 404, body });
    }
    let headers: Vec<(&str, &str)> =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect();
    let header = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map_or("", |(_, value)| value)
    };
    let has = |name: &str, token: &str| header(name).split(',').any(|word| word.trim().eq_ignore_ascii_case(token));
    let problem = if !has("connection", "upgrade") {
        "the client is not using the websocket protocol: 'upgrade' token not found in 'Connection' header"
    } else if !has("upgrade", "websocket") {
        "the client is not using the websocket protocol: 'websocket' token not found in 'Upgrade' header"
    } else if method != Some("GET") {
        "request method is not GET"
    } else if header("sec-websocket-version") != "13" {
        "unsupported version: 13 not found in 'Sec-Websocket-Version' header"
    } else if header("sec-websocket-key").is_empty() {
        "not a websocket handshake: 'Sec-WebSocket-Key' header must not be empty"
    } else {
        return Ok(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
            derive_accept_key(header("sec-websocket-key").as_bytes())
        ));
    };
    let body = format!("Bad Request\n{{\"message\":\"\",\"reason\":\"websocket: {problem}\",\"status\":false}}");
    Err(Refusal { status: 400, body })
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
    let content = if refusal.body.starts_with('{') { "application/json" } else { "text/plain" };
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
        accept(head.as_bytes()).map_or_else(|refusal| refusal.status, |_| 101)
    }

    #[test]
    fn an_upgrade_is_accepted_on_both_paths_and_nowhere_else() {
        // The example of RFC 6455, section 1.3.
        let answer = accept(HEAD.as_bytes()).unwrap();
        assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert_eq!(status(&HEAD.replace("/chat", "/api/chat?x=1")), 101);
        assert_eq!(status(&HEAD.replace("/chat", "/")), 404);
        assert_eq!(status(&HEAD.replace("/chat", "/chat/")), 404);
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
