//! The body of an HTTP answer that refuses the WebSocket.

use crate::error::WireError;
use crate::http_head::{Head, bad_http};

/// More of a refusal is of use to nobody.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// Longest line that tells a chunk's size; longer ones are not HTTP that anybody sends.
const MAX_SIZE_LINE: usize = 256;

/// Collects a body as far as it comes.
pub(crate) struct Body {
    bytes: Vec<u8>,
    framing: Framing,
}

enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunked),
    UntilEnd,
}

/// What comes next in chunked transfer encoding (RFC 9112, section 7.1).
enum Chunked {
    /// A line with a hexadecimal size; what came of it.
    Size(Vec<u8>),
    /// So many bytes of data.
    Data(u64),
    /// The line break after the data.
    DataEnd,
    /// The last chunk was seen. Trailers are of no interest: the connection ends here.
    Done,
}

impl Body {
    /// # Errors
    /// [`WireError::BadHttp`] where the head says two lengths: nobody knows which one holds (RFC 9112, section 6.3).
    pub(crate) fn new(head: &Head) -> Result<Self, WireError> {
        let encoding = head.values("transfer-encoding").next_back();
        let chunked = encoding
            .and_then(|value| value.rsplit(',').next())
            .is_some_and(|last| last.trim().eq_ignore_ascii_case("chunked"));
        let mut lengths = head.elements("content-length").map(|value| value.parse().ok());
        let length = lengths.next().flatten();
        if encoding.is_none() && lengths.any(|other| other != length) {
            return Err(bad_http("the lengths of the answer's body differ"));
        }
        let has_none = matches!(head.status, 100..=199 | 204 | 304);
        let framing = match (has_none, chunked, encoding, length) {
            (true, ..) => Framing::Length(0),
            (_, true, ..) => Framing::Chunked(Chunked::Size(Vec::new())),
            (_, _, None, Some(length)) => Framing::Length(length),
            _ => Framing::UntilEnd,
        };
        Ok(Self { bytes: Vec::new(), framing })
    }

    /// Takes what came; true when the body is complete, or as large as anybody wants to see it.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        let Self { bytes: body, framing } = self;
        let mut append = |bytes: &[u8]| {
            let room = MAX_BODY - body.len();
            body.extend_from_slice(&bytes[..bytes.len().min(room)]);
            body.len() == MAX_BODY
        };
        match framing {
            Framing::UntilEnd => append(bytes),
            Framing::Length(rest) => {
                let taken = take(bytes, *rest);
                *rest -= taken.len() as u64;
                append(taken) || *rest == 0
            }
            Framing::Chunked(chunked) => chunked.push(bytes, append),
        }
    }

    /// What came, with U+FFFD for what is not UTF-8.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl Chunked {
    fn push(&mut self, mut bytes: &[u8], mut append: impl FnMut(&[u8]) -> bool) -> bool {
        while let Some(&first) = bytes.first() {
            match self {
                Self::Size(line) => {
                    bytes = &bytes[1..];
                    if first == b'\n' {
                        match parse_size(line) {
                            Some(0) | None => *self = Self::Done,
                            Some(size) => *self = Self::Data(size),
                        }
                    } else if line.len() < MAX_SIZE_LINE {
                        line.push(first);
                    } else {
                        *self = Self::Done;
                    }
                }
                Self::Data(rest) => {
                    let taken = take(bytes, *rest);
                    bytes = &bytes[taken.len()..];
                    *rest -= taken.len() as u64;
                    if *rest == 0 {
                        *self = Self::DataEnd;
                    }
                    if append(taken) {
                        return true;
                    }
                }
                Self::DataEnd => {
                    bytes = &bytes[1..];
                    if first == b'\n' {
                        *self = Self::Size(Vec::new());
                    }
                }
                Self::Done => return true,
            }
        }
        matches!(self, Self::Done)
    }
}

fn take(bytes: &[u8], at_most: u64) -> &[u8] {
    &bytes[..usize::try_from(at_most).unwrap_or(usize::MAX).min(bytes.len())]
}

/// `None` when it is not a size; the body then ends there, with what came before.
fn parse_size(line: &[u8]) -> Option<u64> {
    let line = str::from_utf8(line).ok()?;
    let digits = line.split(';').next()?.trim();
    u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(headers: &[(&'static str, &'static str)]) -> Body {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        Body::new(&Head::of(format!("HTTP/1.1 200 OK\r\n{lines}\r\n"))).unwrap()
    }

    /// Feeds one byte at a time; says after how many bytes the body was complete.
    fn feed(body: &mut Body, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| body.push(&[*byte])).map(|at| at + 1)
    }

    #[test]
    fn ends_at_content_length() {
        let mut body = body(&[("content-length", "5")]);
        assert_eq!(feed(&mut body, b"hello, world"), Some(5));
        assert_eq!(body.text(), "hello");
    }

    #[test]
    fn decodes_chunks() {
        let mut whole = body(&[("transfer-encoding", "chunked"), ("content-length", "3")]);
        let bytes = b"5\r\nhello\r\n06;x=y\r\n, worl\r\n1\nd\n0\r\n\r\n";
        assert!(whole.push(bytes));
        assert_eq!(whole.text(), "hello, world");
        let mut split = body(&[("transfer-encoding", "gzip, Chunked")]);
        assert_eq!(feed(&mut split, bytes), Some(bytes.len() - 2));
        assert_eq!(split.text(), "hello, world");
    }

    #[test]
    fn keeps_what_came_before_a_broken_chunk() {
        for broken in ["5\r\nhello\r\nxyz\r\n", "5\r\nhello\r\n\r\n", "5\r\nhello\r\n+5\r\n"] {
            let mut body = body(&[("transfer-encoding", "chunked")]);
            assert!(body.push(broken.as_bytes()), "{broken:?}");
            assert_eq!(body.text(), "hello");
        }
        let mut body = body(&[("transfer-encoding", "chunked")]);
        assert!(body.push(&[b'0'; MAX_SIZE_LINE + 1]));
    }

    #[test]
    fn goes_to_the_end_without_usable_length() {
        for headers in
            [&[][..], &[("content-length", "many")], &[("transfer-encoding", "gzip"), ("content-length", "1")]]
        {
            let mut body = body(headers);
            assert_eq!(feed(&mut body, b"caf\xc3\xa9\xff"), None);
            assert_eq!(body.text(), "caf\u{e9}\u{fffd}");
        }
    }

    #[test]
    fn stops_at_the_cap() {
        for headers in [&[][..], &[("content-length", "18446744073709551615")]] {
            let mut body = body(headers);
            assert!(!body.push(&vec![b'x'; MAX_BODY - 1]));
            assert!(body.push(b"xxx"));
            assert_eq!(body.len(), MAX_BODY);
        }
        let mut body = body(&[("transfer-encoding", "chunked")]);
        assert!(body.push(&[b"ffffffff\r\n".to_vec(), vec![b'x'; MAX_BODY + 7]].concat()));
        assert_eq!(body.len(), MAX_BODY);
    }

    #[test]
    fn some_statuses_have_no_body() {
        for status in [100, 103, 204, 304] {
            let head = Head::of(format!("HTTP/1.1 {status} x\r\nContent-Length: 5\r\n\r\n"));
            assert!(Body::new(&head).unwrap().push(b""), "{status}");
        }
    }

    #[test]
    fn has_one_length() {
        let is_read = |lines| Body::new(&Head::of(format!("HTTP/1.1 404 x\r\n{lines}\r\n\r\n"))).is_ok();
        assert!(is_read("Content-Length: 5\r\nContent-Length: 5, 5"));
        assert!(!is_read("Content-Length: 5\r\nContent-Length: 6"));
        assert!(!is_read("Content-Length: 5, 6"));
        assert!(!is_read("Content-Length: 5\r\nContent-Length: many"));
        assert!(is_read("Content-Length: 5\r\nContent-Length: 6\r\nTransfer-Encoding: chunked"), "which counts alone");
    }
}
