//! The head of an HTTP answer: collected in any pieces, then read whole.

use std::time::Duration;

use crate::buffer::InBuffer;
use crate::error::WireError;
use crate::retry_after::retry_after;

/// Largest accepted head; real ones are below 1 KiB, and with what gateways add below 8 KiB.
pub(crate) const MAX_HEAD: usize = 16 * 1024;

/// Most of a header's value that is shown or kept as a field.
const MAX_SHOWN: usize = 2000;

/// How every answer starts that means anything.
const PROTOCOL: &[u8] = b"HTTP/1.";

/// Collects a head as it comes.
#[derive(Default)]
pub(crate) struct HeadCollector {
    bytes: Vec<u8>,
}

impl HeadCollector {
    /// Moves input over; the head when it is complete. Bytes after it are left. The next head may then be collected.
    pub(crate) fn take(&mut self, input: &mut InBuffer) -> Result<Option<Head>, WireError> {
        let before = self.bytes.len();
        let fresh = &input.unread()[..input.len().min(MAX_HEAD - before)];
        self.bytes.extend_from_slice(fresh);
        // Found out now and not at a blank line that may never come.
        let start = self.bytes.len().min(PROTOCOL.len());
        if self.bytes[..start] != PROTOCOL[..start] {
            return Err(bad_http("the answer does not start with HTTP/1"));
        }
        let end = find_blank_line(&self.bytes, before);
        input.consume(end.unwrap_or(self.bytes.len()) - before);
        match end {
            Some(end) => {
                self.bytes.truncate(end);
                Head::parse(&std::mem::take(&mut self.bytes)).map(Some)
            }
            None if self.bytes.len() == MAX_HEAD => Err(WireError::HeadTooLarge { limit: MAX_HEAD }),
            None => Ok(None),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// Where the blank line that ends a head ends itself; everything before `from` was searched before.
/// As in the parser that follows, a line may end without a carriage return.
fn find_blank_line(head: &[u8], from: usize) -> Option<usize> {
    (from..head.len())
        .find(|&at| {
            let line = &head[..at];
            head[at] == b'\n' && (line.ends_with(b"\n") || line.ends_with(b"\n\r"))
        })
        .map(|at| at + 1)
}

/// The head of an HTTP answer.
pub(crate) struct Head {
    /// Whether it is HTTP/1.1; else it is HTTP/1.0, as the errors of some proxies are.
    pub(crate) is_current: bool,
    pub(crate) status: u16,
    /// Names in lower case; with U+FFFD for what is not text, so that none passes for absent.
    headers: Vec<(String, String)>,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        // As many as are in it: what bounds them is the size of the head.
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        let mut headers = vec![httparse::EMPTY_HEADER; lines];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(bytes) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(bad_http("the head of the answer ends too early")),
            Err(error) => return Err(bad_http(error)),
        }
        let status = response.code.unwrap_or_default();
        if status < 100 {
            return Err(bad_http("there is no such status"));
        }
        let header =
            |h: &httparse::Header<'_>| (h.name.to_ascii_lowercase(), String::from_utf8_lossy(h.value).into_owned());
        Ok(Head {
            is_current: response.version == Some(1),
            status,
            headers: response.headers.iter().map(header).collect(),
        })
    }

    /// The values of a header, one for each of its lines.
    pub(crate) fn values<'h>(&'h self, name: &'h str) -> impl DoubleEndedIterator<Item = &'h str> {
        let of_name = self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| value.trim_ascii())
    }

    /// The elements of a header that is a list (RFC 9110, section 5.6.1), over all its lines; empty ones count for nothing.
    pub(crate) fn elements<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.values(name).flat_map(|value| value.split(',')).map(str::trim_ascii).filter(|element| !element.is_empty())
    }

    /// Whether one of a list's elements is this token, in whatever case.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        self.elements(name).any(|element| element.eq_ignore_ascii_case(token))
    }

    /// After how long to try again, by `Retry-After`.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after(|name| self.values(name).next())
    }

    /// A header's lines as one text that can be shown: bounded, without control characters, and without what `redact` takes
    /// out.
    pub(crate) fn text(&self, name: &str, redact: impl FnOnce(&str) -> String) -> Option<String> {
        let joined = self.values(name).collect::<Vec<_>>().join(", ");
        // Before it is cut, which might leave a part of a secret.
        let shown = redact(&joined);
        let shown = shown.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(MAX_SHOWN);
        Some(shown.collect::<String>().trim().to_owned()).filter(|text| !text.is_empty())
    }
}

pub(crate) fn bad_http(problem: impl ToString) -> WireError {
    WireError::BadHttp { problem: problem.to_string() }
}

#[cfg(test)]
impl Head {
    pub(crate) fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self::parse(bytes.as_ref()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_over_all_lines() {
        let head =
            Head::of("HTTP/1.1 101 x\r\nConnection: keep-alive\r\nCONNECTION: , \tUPGRADE ,x\r\nA: \u{e9}\r\n\r\n");
        assert_eq!(head.elements("connection").collect::<Vec<_>>(), ["keep-alive", "UPGRADE", "x"]);
        assert!(head.has_token("Connection", "upgrade"));
        assert!(!head.has_token("Connection", "upgrad"));
        assert!(!head.has_token("Upgrade", "websocket"));
        assert_eq!(head.text("connection", str::to_owned).as_deref(), Some("keep-alive, , \u{fffd}UPGRADE ,x"));
        assert_eq!(head.text("none", str::to_owned), None);
    }

    #[test]
    fn a_secret_is_taken_out_before_a_text_is_cut() {
        let head = Head::of(format!("HTTP/1.1 200 OK\r\na: {}s3cret\r\n\r\n", "x".repeat(MAX_SHOWN - 3)));
        let shown = head.text("a", |text| text.replace("s3cret", "...")).unwrap();
        assert!(shown.len() == MAX_SHOWN && shown.ends_with("x..."), "{shown}");
    }

    #[test]
    fn what_is_not_text_is_there() {
        let head = Head::of(b"HTTP/1.1 200 OK\r\na: \xff\xfe, b\r\n\r\n");
        assert_eq!(head.elements("a").collect::<Vec<_>>(), ["\u{fffd}\u{fffd}", "b"]);
    }

    #[test]
    fn a_status_below_100_is_none() {
        for (status, is_one) in [("000", false), ("099", false), ("100", true), ("999", true)] {
            assert_eq!(Head::parse(format!("HTTP/1.1 {status} x\r\n\r\n").as_bytes()).is_ok(), is_one, "{status}");
        }
    }

    #[test]
    fn any_number_of_headers_fits() {
        let head = Head::of(format!("HTTP/1.1 200 OK\r\n{}b: 1\r\n\r\n", "a:\r\n".repeat(3000)));
        assert_eq!(head.values("b").collect::<Vec<_>>(), ["1"]);
    }
}
