//! Web pages beside the chat, so that a page and its server are one origin. The host has the files.

use core::fmt;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::upgrade::Request;

/// A file of a web page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its media type, such as `text/html; charset=utf-8`.
    pub content_type: String,
    /// What is in it.
    pub body: Vec<u8>,
}

/// Finds the page of a path.
type Find = dyn Fn(&str) -> Option<Page> + Send + Sync;

/// Where web pages come from: a function of the path, without its leading `/`, query and percent-encoding.
#[derive(Clone)]
pub struct Pages(Arc<Find>);

impl Pages {
    /// Pages that `find` finds. A path is as the client wrote it: it may hold `..`.
    pub fn new(find: impl Fn(&str) -> Option<Page> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }

    /// The whole answer to a request, head and body, if it asks for a page. The connection ends with it.
    pub(crate) fn answer(&self, request: &Request<'_>) -> Option<Vec<u8>> {
        if !matches!(request.method(), "GET" | "HEAD") || request.is_upgrade() {
            return None;
        }
        let path = percent_decode_str(request.path().strip_prefix('/')?).decode_utf8().ok()?;
        let page = (self.0)(&path)?;
        // Nothing is cached, so that what was changed is seen; and nothing is taken for what it is not.
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            page.content_type,
            page.body.len()
        )
        .into_bytes();
        if request.method() == "GET" {
            answer.extend_from_slice(&page.body);
        }
        Some(answer)
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_its_decoded_path() {
        let pages = Pages::new(|path| {
            (path == "a b.txt").then(|| Page { content_type: "text/plain".to_owned(), body: vec![b'x', 0, 0xFF] })
        });
        let answer = |request: &str| pages.answer(&Request::parse(request));
        let found = answer("GET /a%20b.txt?c HTTP/1.1\r\n\r\n").unwrap();
        assert!(found.starts_with(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"));
        assert!(found.ends_with(b"\r\n\r\nx\x00\xFF"));
        let head = answer("HEAD /a%20b.txt HTTP/1.1\r\n\r\n").unwrap();
        assert!(found.starts_with(&head) && head.ends_with(b"\r\n\r\n"));
        for other in ["GET /b HTTP/1.1", "POST /a%20b.txt HTTP/1.1", "GET a%20b.txt HTTP/1.1", "GET /%FF HTTP/1.1"] {
            assert_eq!(answer(&format!("{other}\r\n\r\n")), None, "{other}");
        }
    }
}
