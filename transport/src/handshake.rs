//! The client's side of the WebSocket handshake, over bytes.
//!
//! What a refusal says stands in its body (protocol.md, R6.3), which may come in a later segment than its head.

use chatnio_core::Secrets;
use data_encoding::BASE64;
use tungstenite::handshake::derive_accept_key;
use zeroize::Zeroizing;

use crate::buffer::InBuffer;
use crate::endpoint::Endpoint;
use crate::error::{UpgradeError, WireError};
use crate::headers::Headers;
use crate::http_answer::refusal;
use crate::http_body::Body;
use crate::http_head::{Head, HeadCollector, bad_http};
use crate::random::Random;

/// More interim answers (HTTP 1xx) than any server sends.
const MAX_INTERIM: u8 = 8;

/// Who asks, unless the host says otherwise: some gateways refuse what does not say.
pub(crate) const USER_AGENT: &str = concat!("chatnio/", env!("CARGO_PKG_VERSION"));

/// A handshake whose request was made.
pub(crate) struct Handshake {
    secrets: Secrets,
    /// What `Sec-WebSocket-Accept` must be.
    accept: String,
    head: HeadCollector,
    /// How many interim answers came.
    interim: u8,
    refusal: Option<(Head, Body)>,
}

impl Handshake {
    /// Starts; also gives the request's bytes. A refusal's texts are without the `secrets`.
    pub(crate) fn start(
        endpoint: &Endpoint,
        headers: &Headers,
        secrets: Secrets,
        random: Random,
    ) -> Result<(Self, Zeroizing<Vec<u8>>), WireError> {
        let key = BASE64.encode(&random.bytes::<16>()?);
        let request = request(endpoint, &key, headers);
        let handshake = Self {
            secrets,
            accept: derive_accept_key(key.as_bytes()),
            head: HeadCollector::default(),
            interim: 0,
            refusal: None,
        };
        Ok((handshake, request))
    }

    /// Reads on. True when the WebSocket is open: what is left of `input` are WebSocket frames. False when
    /// more input is needed.
    pub(crate) fn advance(&mut self, input: &mut InBuffer) -> Result<bool, WireError> {
        while self.refusal.is_none() {
            let Some(head) = self.head.take(input)? else { return Ok(false) };
            match head.status {
                101 => return judge(&head, &self.accept).map(|()| true),
                // 100 Continue, 103 Early Hints: the answer is still to come (RFC 9110, section 15.2).
                100..=199 => {
                    self.interim += 1;
                    if self.interim > MAX_INTERIM {
                        return Err(bad_http("it never comes to an answer"));
                    }
                }
                _ => {
                    let body = Body::new(&head)?;
                    self.refusal = Some((head, body));
                }
            }
        }
        let Some((head, body)) = &mut self.refusal else { return Ok(false) };
        let complete = body.push(input.unread());
        input.clear();
        if complete { Err(refusal(head, &body.text(), &self.secrets)) } else { Ok(false) }
    }

    /// The error to end with when nothing more is to come because of `reason`: a refusal whose body
    /// is incomplete says more than that.
    pub(crate) fn give_up(&self, reason: WireError) -> WireError {
        match &self.refusal {
            Some((head, body)) => refusal(head, &body.text(), &self.secrets),
            None => reason,
        }
    }

    /// Bytes held.
    pub(crate) fn memory(&self) -> usize {
        self.head.len() + self.refusal.as_ref().map_or(0, |(_, body)| body.len())
    }
}

/// The handshake's request (RFC 6455, section 4.1).
fn request(endpoint: &Endpoint, key: &str, headers: &Headers) -> Zeroizing<Vec<u8>> {
    let (target, host) = (endpoint.target(), endpoint.host_header());
    let own = [
        ("Host", host.as_str()),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
        ("User-Agent", USER_AGENT),
    ];
    let own = own.into_iter().filter(|(name, _)| !headers.iter().any(|(given, _)| name.eq_ignore_ascii_case(given)));
    let lines: Vec<_> = own.chain(headers.iter()).collect();
    let size: usize = lines.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    // Never grows: what a growing vector leaves behind is not wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(target.len() + size + 17));
    let mut write = |text: &str| bytes.extend_from_slice(text.as_bytes());
    for part in ["GET ", &target, " HTTP/1.1\r\n"] {
        write(part);
    }
    for (name, value) in lines {
        for part in [name, ": ", value, "\r\n"] {
            write(part);
        }
    }
    write("\r\n");
    bytes
}

/// Checks a 101 answer (RFC 6455, section 4.1).
fn judge(head: &Head, accept: &str) -> Result<(), WireError> {
    if !head.is_current {
        return Err(bad_http("a WebSocket needs HTTP/1.1, and this is HTTP/1.0"));
    }
    let accepts: Vec<_> = head.values("sec-websocket-accept").collect();
    // No list: a server that also speaks something else has not said which it speaks now.
    let upgrades: Vec<_> = head.elements("upgrade").collect();
    Err(if !matches!(*upgrades, [upgrade] if upgrade.eq_ignore_ascii_case("websocket")) {
        UpgradeError::Upgrade
    } else if !head.has_token("connection", "upgrade") {
        UpgradeError::Connection
    } else if accepts.is_empty() || accepts.iter().any(|value| *value != accept) {
        UpgradeError::Accept
    } else if head.elements("sec-websocket-extensions").next().is_some() {
        UpgradeError::Extension
    } else if head.elements("sec-websocket-protocol").next().is_some() {
        UpgradeError::Subprotocol
    } else {
        return Ok(());
    }
    .into())
}
