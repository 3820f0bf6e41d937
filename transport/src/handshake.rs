//! The client's side of the WebSocket handshake, over bytes.
//!
//! Tungstenite builds the request and judges a 101 answer. Three things are done around it:
//! - Extra headers are not given to it but put into the request afterwards: it logs the whole
//!   request at trace level, and their values may be secret.
//! - The answer's head is collected here and handed over whole: it takes input in many small pieces
//!   for an attack and gives up.
//! - The body of another answer is collected here: of a body that comes in a later segment than the
//!   head, it returns nothing, and that body holds the reason of a refusal (protocol.md, section
//!   6).

use std::io::{self, Read, Write};

use data_encoding::BASE64;
use serde_json::Value;
use tungstenite::Error;
use tungstenite::error::{ProtocolError, SubProtocolError};
use tungstenite::handshake::client::{ClientHandshake, Request, Response};
use tungstenite::handshake::machine::TryParse;
use tungstenite::handshake::{HandshakeError, MidHandshake};
use tungstenite::http::StatusCode;
use zeroize::Zeroizing;

use crate::buffer::InBuffer;
use crate::endpoint::Endpoint;
use crate::error::{UpgradeError, WireError};
use crate::frame::Random;
use crate::headers::Headers;
use crate::http_body::Body;

/// More interim answers (HTTP 1xx) than any server sends.
const MAX_INTERIM: u8 = 8;

/// Largest accepted head of the server's answer; real ones are below 1 KiB.
pub(crate) const MAX_HEAD: usize = 16 * 1024;

/// How every answer starts that means anything.
const PROTOCOL: &[u8] = b"HTTP/1.";

/// How the errors of some proxies start.
const OLD_PROTOCOL: &[u8] = b"HTTP/1.0 ";

/// A handshake whose request was made.
pub(crate) struct Handshake {
    /// Waits for the answer; taken when the answer is judged.
    client: Option<MidHandshake<ClientHandshake<Exchange>>>,
    head: Vec<u8>,
    /// How many interim answers came.
    interim: u8,
    refusal: Option<(StatusCode, Body)>,
}

impl Handshake {
    /// Starts; also gives the request's bytes.
    pub(crate) fn start(
        endpoint: &Endpoint,
        headers: &Headers,
        random: Random,
    ) -> Result<(Self, Zeroizing<Vec<u8>>), WireError> {
        let request = Request::builder()
            .uri(endpoint.to_string())
            .header("Host", endpoint.host_header())
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", BASE64.encode(&random.bytes::<16>()?))
            .body(())
            .map_err(bad_http)?;
        let client = ClientHandshake::start(Exchange::default(), request, None).map_err(bad_http)?;
        // It writes all it has, and then finds nothing to read.
        let mut client = match client.handshake() {
            Err(HandshakeError::Interrupted(client)) => client,
            Err(HandshakeError::Failure(error)) => return Err(bad_http(error)),
            Ok(_) => return Err(bad_http("no answer was awaited")),
        };
        let plain = std::mem::take(&mut client.get_mut().get_mut().outbound);
        let request = with_headers(&plain, headers);
        Ok((Self { client: Some(client), head: Vec::new(), interim: 0, refusal: None }, request))
    }

    /// Reads on. True when the WebSocket is open: what is left of `input` are frames. False when
    /// more input is needed.
    pub(crate) fn advance(&mut self, input: &mut InBuffer) -> Result<bool, WireError> {
        if let Some((status, body)) = &mut self.refusal {
            let complete = body.push(input.unread());
            input.clear();
            return if complete { Err(refusal(*status, body)) } else { Ok(false) };
        }
        if !self.collect_head(input)? {
            return Ok(false);
        }
        // Tungstenite takes nothing but HTTP/1.1, and for a refusal there is no difference. A WebSocket
        // needs the real thing.
        if self.head.starts_with(OLD_PROTOCOL) && !self.head[OLD_PROTOCOL.len()..].starts_with(b"101") {
            self.head[..PROTOCOL.len() + 1].copy_from_slice(b"HTTP/1.1");
        }
        let response = match Response::try_parse(&self.head) {
            Ok(Some((_, response))) => response,
            Ok(None) => return Err(bad_http("the head of the answer ends too early")),
            Err(error) => return Err(bad_http(error)),
        };
        // 100 Continue, 103 Early Hints: the answer is still to come (RFC 9110, section 15.2).
        if response.status().is_informational() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            self.head.clear();
            self.interim += 1;
            return if self.interim > MAX_INTERIM {
                Err(bad_http("it never comes to an answer"))
            } else {
                self.advance(input)
            };
        }
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            self.refusal = Some((response.status(), Body::new(response.status(), response.headers())));
            return self.advance(input);
        }
        // RFC 6455, section 4.1, step 5 of the answer's check, which tungstenite leaves out.
        if response.headers().contains_key("Sec-WebSocket-Extensions") {
            return Err(UpgradeError::Extension.into());
        }
        let Some(mut client) = self.client.take() else {
            return Err(bad_http("the answer was judged before"));
        };
        client.get_mut().get_mut().inbound = io::Cursor::new(std::mem::take(&mut self.head));
        match client.handshake() {
            Ok(_) => Ok(true),
            Err(HandshakeError::Failure(error)) => Err(judge(error)),
            Err(HandshakeError::Interrupted(_)) => Err(bad_http("the head of the answer is incomplete")),
        }
    }

    /// The error to end with when nothing more is to come because of `reason`: a refusal whose body
    /// is incomplete says more than that.
    pub(crate) fn give_up(&self, reason: WireError) -> WireError {
        match &self.refusal {
            Some((status, body)) => refusal(*status, body),
            None => reason,
        }
    }

    /// Bytes held.
    pub(crate) fn memory(&self) -> usize {
        self.head.len() + self.refusal.as_ref().map_or(0, |(_, body)| body.len())
    }

    /// Moves the answer's head over; true when it is complete. Bytes after it are left.
    fn collect_head(&mut self, input: &mut InBuffer) -> Result<bool, WireError> {
        let before = self.head.len();
        let fresh = &input.unread()[..input.len().min(MAX_HEAD - before)];
        self.head.extend_from_slice(fresh);
        // Found out now and not at a blank line that may never come.
        let start = self.head.len().min(PROTOCOL.len());
        if self.head[..start] != PROTOCOL[..start] {
            return Err(bad_http("the answer does not start with HTTP/1"));
        }
        let end = find_blank_line(&self.head, before);
        let taken = end.unwrap_or(self.head.len()) - before;
        input.consume(taken);
        match end {
            Some(end) => {
                self.head.truncate(end);
                Ok(true)
            }
            None if self.head.len() == MAX_HEAD => Err(WireError::HeadTooLarge { limit: MAX_HEAD }),
            None => Ok(false),
        }
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

/// Puts the headers in front of the blank line that ends the request.
fn with_headers(request: &[u8], headers: &Headers) -> Zeroizing<Vec<u8>> {
    let extra: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    // Never grows: what a growing vector leaves behind is not wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(request.len() + extra));
    bytes.extend_from_slice(request.strip_suffix(b"\r\n").unwrap_or(request));
    for (name, value) in headers.iter() {
        for part in [name, ": ", value, "\r\n"] {
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// What an answer other than 101 means (protocol.md, section 6).
fn refusal(status: StatusCode, body: &Body) -> WireError {
    let body = body.text();
    if status == StatusCode::OK
        && let Some(error) = in_band_refusal(&body)
    {
        return error;
    }
    WireError::Http { status: status.as_u16(), body }
}

/// A JSON body with `"status":false`.
fn in_band_refusal(body: &str) -> Option<WireError> {
    let json: Value = serde_json::from_str(body).ok()?;
    if json.get("status") != Some(&Value::Bool(false)) {
        return None;
    }
    let text = |name| json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let reason = text("reason").or(text("message")).or(text("error"))?.to_owned();
    // The 2023-11 server sends no code with its throttling, only the words.
    let throttled = match text("error") {
        Some(code) => code == "request_throttled",
        None => reason.contains("too many requests"),
    };
    Some(if throttled { WireError::Throttled { reason } } else { WireError::Refused { reason, body: body.to_owned() } })
}

/// What tungstenite says against a 101 answer.
fn judge(error: Error) -> WireError {
    match error {
        Error::Protocol(ProtocolError::MissingUpgradeWebSocketHeader) => UpgradeError::Upgrade.into(),
        Error::Protocol(ProtocolError::MissingConnectionUpgradeHeader) => UpgradeError::Connection.into(),
        Error::Protocol(ProtocolError::SecWebSocketAcceptKeyMismatch) => UpgradeError::Accept.into(),
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(
            SubProtocolError::ServerSentSubProtocolNoneRequested,
        )) => UpgradeError::Subprotocol.into(),
        error => bad_http(error),
    }
}

fn bad_http(problem: impl ToString) -> WireError {
    WireError::BadHttp { problem: problem.to_string() }
}

/// What tungstenite takes for the socket.
#[derive(Debug, Default)]
struct Exchange {
    inbound: io::Cursor<Vec<u8>>,
    outbound: Vec<u8>,
}

impl Read for Exchange {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.inbound.read(buf)? {
            0 if !buf.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            n => Ok(n),
        }
    }
}

impl Write for Exchange {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outbound.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
