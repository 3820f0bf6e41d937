//! The HTTP request of a call.

use httparse::EMPTY_HEADER;
use percent_encoding::percent_decode_str;

/// The most headers that a request may have.
const MAX_HEADERS: usize = 64;

/// The longest body that is waited for.
const MAX_BODY: usize = 1 << 20;

/// The rest of the body is still to come.
pub(crate) struct Incomplete;

/// One request for a companion call.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// The path without `/api`.
    pub(crate) path: &'a str,
    /// Whether it was under `/api`.
    pub(crate) under_api: bool,
    query: &'a str,
    /// What the `Authorization` header says, without `Bearer`.
    pub(crate) key: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Reads the request whose head has `head` bytes; nothing when it is none for a companion call.
    ///
    /// # Errors
    /// [`Incomplete`].
    pub(crate) fn read(bytes: &'a [u8], head: usize) -> Result<Option<Self>, Incomplete> {
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let (Ok(_), Some(method), Some(target)) = (parsed.parse(&bytes[..head]), parsed.method, parsed.path) else {
            return Ok(None);
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path, under_api) = match path.strip_prefix("/api") {
            Some(rest) if rest.starts_with('/') => (rest, true),
            _ => (path, false),
        };
        if !super::calls::PATHS.contains(&path) {
            return Ok(None);
        }
        let header = |name: &str| {
            let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            found.and_then(|header| str::from_utf8(header.value).ok()).map(str::trim)
        };
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0).min(MAX_BODY);
        let body = bytes.get(head..head + length).ok_or(Incomplete)?;
        let key = header("authorization").map(|value| value.strip_prefix("Bearer ").unwrap_or(value).trim());
        Ok(Some(Self { method, path, under_api, query, key, body }))
    }

    /// A value of the query.
    pub(crate) fn query(&self, name: &str) -> String {
        let found = self.query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
        found.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Request<'_>>, Incomplete> {
        Request::read(text.as_bytes(), text.find("\r\n\r\n").unwrap() + 4)
    }

    #[test]
    fn a_call_is_read_with_key_query_and_body() {
        let text = "POST /api/conversation/rename?a=b%20c&id=29 HTTP/1.1\r\nauthorization: Bearer sk-a\r\ncontent-length: 2\r\n\r\n{}";
        let Ok(Some(request)) = read(text) else { panic!("it is a call") };
        assert_eq!((request.method, request.path, request.under_api), ("POST", "/conversation/rename", true));
        assert_eq!((request.key, request.body), (Some("sk-a"), &b"{}"[..]));
        assert_eq!(
            (request.query("a"), request.query("id"), request.query("none")),
            ("b c".into(), "29".into(), "".into())
        );
        assert!(matches!(read(&text[..text.len() - 1]), Err(Incomplete)));
    }

    #[test]
    fn the_chat_and_unknown_paths_are_no_calls() {
        for path in ["/chat", "/api/chat", "/", "/apiquota", "/quota/x"] {
            assert!(matches!(read(&format!("GET {path} HTTP/1.1\r\n\r\n")), Ok(None)), "{path}");
        }
        assert!(matches!(read("no request\r\n\r\n"), Ok(None)));
    }
}
