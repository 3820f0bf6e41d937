//! TLS, handshake and WebSocket in one machine over bytes: everything below the session.

use std::io;
use std::time::Duration;

use chatnio_core::Auth;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

use crate::buffer::OutBuffer;
use crate::config::{ConnectionConfig, on};
use crate::end::ConnectionEnd;
use crate::endpoint::Endpoint;
use crate::error::{Step, WireError};
use crate::handshake::Handshake;
use crate::masked::write_masked;
use crate::pipe::Pipe;
use crate::proxy::Tunnel;
use crate::random::{Random, begin_masking};
use crate::secrets::all_of;
use crate::tls::{Tls, TlsSession};
use crate::websocket::{Received, WebSocket};

/// With so much waiting to go out, only the newest ping is still answered: a server that pings
/// without reading must not fill the memory.
const MAX_BACKLOG_FOR_PONG: usize = 16 * 1024;

/// What came from the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// The WebSocket is open. First, and once.
    Open,
    /// A text message, which is in the caller's string.
    Text,
    /// A binary message, which no server sends; its content is dropped.
    Binary,
    /// The connection is over. Last, and once.
    Closed(ConnectionEnd),
}

/// One connection to a server, without its socket and without a clock.
///
/// # What must follow what
/// - After [`Wire::new`]: `poll_transmit`, `next_deadline`.
/// - After `receive` and `handle_eof`: `next` until `None`, then `poll_transmit` and
///   `next_deadline`. The wire buffers what it was given, so whoever does not want more does not
///   read the socket.
/// - After `handle_timeout`, `send_text`, `close`: the same (`next` may hold the end).
/// - Bytes that are already there are to be received before `handle_timeout` is called, or a host
///   that was busy for long takes its own silence for the server's.
/// - When `is_finished` says so: close the socket.
///
/// # Time
/// `now` is the time since an origin of the host's choice; one that goes back counts as the last
/// one.
///
/// # After the end
/// [`Incoming::Closed`] is handed out once. From then on input is dropped, `send_text` answers
/// [`WireError::NotOpen`], and the rest does nothing; only a goodbye may still wait to be sent.
pub(crate) struct Wire {
    now: Duration,
    timing: Timing,
    max_message: usize,
    random: Random,
    /// Until it is open, everything else waits.
    tunnel: Option<Box<Tunnel>>,
    tls: Option<Box<Tls>>,
    /// With TLS: what waits to go out. Without: unused, it is `pipe.outbound`.
    encrypted: OutBuffer,
    pipe: Pipe,
    stage: Stage,
    /// Of the handshake, the close or the goodbye, whichever the stage is.
    stage_deadline: Option<Duration>,
    last_heard: Duration,
    pong_deadline: Option<Duration>,
    /// Why nothing more comes in. What came before is still handed out, and then this.
    over: Option<WireError>,
}

#[derive(Clone, Copy)]
struct Timing {
    ping_after: Option<Duration>,
    pong_within: Option<Duration>,
    close: Option<Duration>,
}

enum Stage {
    Handshake(Box<Handshake>),
    Open(Box<WebSocket>),
    /// Our Close was sent.
    Closing(Box<WebSocket>),
    /// With the end, until it is handed out.
    Closed(Option<ConnectionEnd>),
}

impl Wire {
    /// Starts the handshake. What a refusal says comes without the secrets of all these; a Close's reason comes as it is.
    ///
    /// # Errors
    /// [`WireError::NoRandom`], and with `wss` [`WireError::Tls`] when the roots cannot be loaded
    /// or the host cannot have a certificate.
    pub(crate) fn new(
        now: Duration,
        endpoint: &Endpoint,
        config: &ConnectionConfig,
        auth: &Auth,
        random: Random,
    ) -> Result<Self, WireError> {
        let secrets = all_of(endpoint, &config.headers, config.proxy.as_ref(), auth);
        // First: without randomness TLS fails too, but cannot say why.
        let (handshake, request) = Handshake::start(endpoint, &config.headers, secrets, random)?;
        begin_masking(random)?;
        let tls =
            if endpoint.is_tls() { Some(Box::new(Tls::new(config.tls.rustls()?, endpoint.host())?)) } else { None };
        let mut pipe = Pipe::default();
        pipe.outbound.push(&request);
        let mut wire = Self {
            now,
            timing: Timing {
                ping_after: on(config.ping_after),
                pong_within: on(config.pong_within),
                close: on(config.close),
            },
            max_message: config.max_message(),
            random,
            tunnel: config.proxy.as_ref().map(|proxy| Box::new(Tunnel::new(proxy, endpoint))),
            tls,
            encrypted: OutBuffer::default(),
            pipe,
            stage: Stage::Handshake(Box::new(handshake)),
            stage_deadline: on(config.handshake).map(|limit| now.saturating_add(limit)),
            last_heard: now,
            pong_deadline: None,
            over: None,
        };
        wire.encrypt();
        Ok(wire)
    }

    /// Takes bytes from the server, split in any way. Nothing is said about them until
    /// [`Wire::next`]; what is wrong with them comes from there too.
    pub(crate) fn receive(&mut self, now: Duration, bytes: &[u8]) {
        self.advance_clock(now);
        if bytes.is_empty() || self.over.is_some() || matches!(self.stage, Stage::Closed(_)) {
            return;
        }
        // Whatever it is: somebody is there.
        self.last_heard = self.now;
        self.pong_deadline = None;
        if self.tunnel.is_some() {
            return self.receive_from_proxy(bytes);
        }
        let Some(tls) = &mut self.tls else {
            self.pipe.inbound.push(bytes);
            return;
        };
        let step = step_of(&self.stage, Some(tls));
        match tls.receive(bytes, &mut self.pipe.inbound, &mut self.encrypted) {
            Ok(false) => {}
            Ok(true) => self.over = Some(WireError::EndOfStream { step }),
            Err(error) => self.over = Some(error.into()),
        }
        self.encrypt();
    }

    /// Until the tunnel is open; what comes behind it is the server's.
    fn receive_from_proxy(&mut self, bytes: &[u8]) {
        match self.tunnel.as_mut().map(|tunnel| tunnel.receive(bytes)) {
            Some(Ok(Some(rest))) => {
                self.tunnel = None;
                self.receive(self.now, &rest);
            }
            Some(Err(error)) => self.over = Some(error.into()),
            Some(Ok(None)) | None => {}
        }
    }

    /// The stream failed. A repeated call does nothing.
    pub(crate) fn handle_error(&mut self, now: Duration, kind: io::ErrorKind) {
        self.advance_clock(now);
        let step = self.step();
        self.over.get_or_insert(WireError::Io { kind, step });
    }

    /// The server ended the stream. A repeated call does nothing.
    pub(crate) fn handle_eof(&mut self, now: Duration) {
        self.advance_clock(now);
        if self.over.is_some() || matches!(self.stage, Stage::Closed(_)) {
            return;
        }
        let step = self.step();
        self.over = Some(match (&self.tls, step) {
            // Without its closing message an encrypted stream may have been cut by anybody.
            (Some(_), Step::Upgrade | Step::Session) => WireError::Truncated { step },
            _ => WireError::EndOfStream { step },
        });
    }

    /// Hands out what came, one thing at a time; `None` until there is more input. `message` gets a text.
    #[inline]
    pub(crate) fn next(&mut self, now: Duration, message: &mut String) -> Option<Incoming> {
        if let Stage::Open(websocket) | Stage::Closing(websocket) = &mut self.stage
            && let Some(received) = websocket.next_text(&mut self.pipe.inbound, message)
        {
            match received {
                Ok(()) => return Some(Incoming::Text),
                Err(error) => self.fail(error),
            }
        }
        self.next_other(now, message)
    }

    #[inline(never)]
    fn next_other(&mut self, now: Duration, message: &mut String) -> Option<Incoming> {
        self.advance_clock(now);
        let incoming = loop {
            match &mut self.stage {
                Stage::Open(websocket) | Stage::Closing(websocket) => {
                    // A pong that cannot be sent now is sent when there is room.
                    self.pipe.is_full = backlog(&self.encrypted, &self.pipe) > MAX_BACKLOG_FOR_PONG;
                    let received = websocket.next(&mut self.pipe, message);
                    self.pipe.is_full = false;
                    match received {
                        Ok(Some(Received::Text)) => break Some(Incoming::Text),
                        Ok(Some(Received::Binary)) => break Some(Incoming::Binary),
                        Ok(Some(Received::Close(frame))) => self.close_received(frame),
                        Ok(None) => match self.over.clone() {
                            Some(reason) => self.finish(end_of(&self.stage, reason)),
                            None => break None,
                        },
                        Err(error) => self.fail(error),
                    }
                }
                Stage::Closed(end) => break end.take().map(Incoming::Closed),
                Stage::Handshake(handshake) => match handshake.advance(&mut self.pipe.inbound) {
                    Ok(true) => {
                        self.open();
                        break Some(Incoming::Open);
                    }
                    Ok(false) => {
                        let Some(reason) = self.over.clone() else {
                            break None;
                        };
                        let end = handshake.give_up(reason);
                        self.finish(ConnectionEnd::Lost(end));
                    }
                    Err(error) => self.finish(ConnectionEnd::Lost(error)),
                },
            }
        };
        self.encrypt();
        incoming
    }

    /// Whether bytes wait that may be a message.
    #[inline]
    pub(crate) fn holds_input(&self) -> bool {
        !self.pipe.inbound.unread().is_empty()
    }

    /// Writes a text message.
    ///
    /// # Errors
    /// [`WireError::NotOpen`]: nothing was changed. [`WireError::NoRandom`]: the wire is over.
    pub(crate) fn send_text(&mut self, text: &str) -> Result<(), WireError> {
        if !matches!(self.stage, Stage::Open(_)) || self.over.is_some() {
            return Err(WireError::NotOpen);
        }
        let sent = write_masked(&mut self.pipe.outbound, OpCode::Data(Data::Text), text.as_bytes(), self.random);
        if let Err(error) = &sent {
            // Nothing can be sent any more, and what was to be sent is lost.
            self.over = Some(error.clone());
        }
        self.encrypt();
        sent
    }

    /// Starts the close handshake; before the WebSocket is open, ends at once. Messages that still
    /// come are handed out. A repeated call does nothing.
    pub(crate) fn close(&mut self, now: Duration) {
        self.advance_clock(now);
        match std::mem::replace(&mut self.stage, Stage::Closed(None)) {
            Stage::Handshake(_) => {
                self.finish(ConnectionEnd::Clean);
                self.drop_output();
            }
            Stage::Open(websocket) if begin_masking(self.random).is_err() => {
                self.stage = Stage::Open(websocket);
                self.finish(ConnectionEnd::Lost(WireError::NoRandom));
            }
            Stage::Open(mut websocket) => {
                websocket.close(&mut self.pipe, Some(CloseCode::Normal));
                self.stage = Stage::Closing(websocket);
                self.stage_deadline = self.after(self.timing.close);
                self.pong_deadline = None;
                self.encrypt();
            }
            unchanged => self.stage = unchanged,
        }
    }

    /// Whether the server has not closed in time.
    pub(crate) fn is_late_to_close(&self) -> bool {
        self.over == Some(WireError::CloseTimeout)
    }

    /// Ends because of that, without what the server has sent instead.
    pub(crate) fn give_up_closing(&mut self) -> Option<ConnectionEnd> {
        self.finish(ConnectionEnd::Lost(WireError::CloseTimeout));
        match &mut self.stage {
            Stage::Closed(end) => end.take(),
            _ => None,
        }
    }

    /// What came in the messages is none of the server's business to send: says so to it, and ends.
    pub(crate) fn refuse(&mut self, error: WireError) {
        self.fail(error);
        self.encrypt();
    }

    /// Ends at once, without a word to the server, and without an [`Incoming::Closed`].
    pub(crate) fn abandon(&mut self) {
        self.stage = Stage::Closed(None);
        self.pipe.inbound.clear();
        self.drop_output();
    }

    /// The bytes to send next; `None` when there are none.
    #[inline]
    pub(crate) fn poll_transmit(&self) -> Option<&[u8]> {
        if let Some(tunnel) = self.tunnel.as_ref().filter(|_| matches!(self.stage, Stage::Handshake(_))) {
            return Some(tunnel.pending()).filter(|bytes| !bytes.is_empty());
        }
        let out = if self.tls.is_some() { &self.encrypted } else { &self.pipe.outbound };
        Some(out.pending()).filter(|bytes| !bytes.is_empty())
    }

    /// Says that the first `n` of those bytes were sent.
    pub(crate) fn transmitted(&mut self, n: usize) {
        if let Some(tunnel) = &mut self.tunnel {
            return tunnel.transmitted(n);
        }
        let out = if self.tls.is_some() { &mut self.encrypted } else { &mut self.pipe.outbound };
        out.consume(n);
        // A pong that found no room earlier.
        if self.pipe.refused
            && begin_masking(self.random).is_ok()
            && backlog(&self.encrypted, &self.pipe) <= MAX_BACKLOG_FOR_PONG
        {
            self.pipe.refused = false;
            if let Stage::Open(websocket) = &mut self.stage {
                websocket.flush(&mut self.pipe);
                self.encrypt();
            }
        }
    }

    /// When [`Wire::handle_timeout`] is to be called, unless something happens before.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        match self.stage {
            Stage::Closed(_) if self.poll_transmit().is_none() => None,
            Stage::Closed(_) => self.stage_deadline,
            // The end waits to be handed out.
            _ if self.over.is_some() => None,
            Stage::Handshake(_) | Stage::Closing(_) => self.stage_deadline,
            Stage::Open(_) => self.pong_deadline.or(self.ping_at()),
        }
    }

    /// Does what is due at `now`; nothing if nothing is.
    pub(crate) fn handle_timeout(&mut self, now: Duration) {
        self.advance_clock(now);
        if self.next_deadline().is_none_or(|deadline| self.now < deadline) {
            return;
        }
        match self.stage {
            Stage::Handshake(_) => {
                let step = self.step();
                self.over = Some(WireError::HandshakeTimeout { step });
            }
            Stage::Open(_) if self.pong_deadline.is_some() => {
                let silence = self.now.saturating_sub(self.last_heard);
                self.over = Some(WireError::Unresponsive { silence });
            }
            Stage::Open(_) => self.ping(),
            Stage::Closing(_) => self.over = Some(WireError::CloseTimeout),
            Stage::Closed(_) => self.drop_output(),
        }
    }

    /// Whether it is over and nothing is left to send: the socket can be closed. The end may still
    /// wait in [`Wire::next`] when [`Wire::close`] was called before the WebSocket was open.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Closed(_)) && self.poll_transmit().is_none()
    }

    /// About how many bytes are held, never less than the input that is held and not handed out,
    /// plus the output that is not sent. What rustls keeps of an unfinished record (at most 18 KiB)
    /// is not counted.
    pub(crate) fn memory(&self) -> usize {
        let inside = match &self.stage {
            Stage::Handshake(handshake) => handshake.memory(),
            Stage::Open(websocket) | Stage::Closing(websocket) => websocket.memory(),
            Stage::Closed(_) => 0,
        };
        let inside = inside + self.tunnel.as_ref().map_or(0, |tunnel| tunnel.memory());
        inside + self.pipe.inbound.len() + backlog(&self.encrypted, &self.pipe)
    }

    /// What the server has shown in its TLS handshake.
    pub(crate) fn tls(&self) -> Option<TlsSession> {
        self.tls.as_ref()?.session()
    }

    /// Gives memory back that the last answer has needed: what follows may be long silence.
    pub(crate) fn trim(&mut self) {
        self.pipe.inbound.trim();
        self.pipe.outbound.trim();
        self.encrypted.trim();
        if let Some(tls) = &mut self.tls {
            tls.trim();
        }
    }

    /// The latest time that it was told.
    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    fn step(&self) -> Step {
        if self.tunnel.is_some() { Step::Proxy } else { step_of(&self.stage, self.tls.as_deref()) }
    }

    fn advance_clock(&mut self, now: Duration) {
        self.now = self.now.max(now);
    }

    fn after(&self, time: Option<Duration>) -> Option<Duration> {
        time.map(|time| self.now.saturating_add(time))
    }

    fn ping_at(&self) -> Option<Duration> {
        // Beyond all time there is none: it would be due for ever.
        self.last_heard.checked_add(self.timing.ping_after?)
    }

    fn open(&mut self) {
        self.stage = Stage::Open(Box::new(WebSocket::new(self.max_message, self.random)));
        self.stage_deadline = None;
        self.last_heard = self.now;
    }

    /// The server's Close: the answer to ours, or one that is answered with its code.
    fn close_received(&mut self, frame: Option<CloseFrame>) {
        let Stage::Open(websocket) = &mut self.stage else {
            return self.finish(ConnectionEnd::Clean);
        };
        // RFC 6455, section 7.4.
        if frame.as_ref().is_some_and(|frame| !frame.code.is_allowed()) {
            let problem = "its Close has a code that must not be sent".to_owned();
            return self.fail(WireError::Protocol { problem });
        }
        websocket.close(&mut self.pipe, frame.as_ref().map(|frame| frame.code));
        self.finish(ConnectionEnd::ByServer {
            code: frame.as_ref().map(|frame| frame.code.into()),
            reason: frame.map(|frame| frame.reason.to_string()).unwrap_or_default(),
        });
    }

    /// The server broke the protocol or a limit: says so to it, once, and ends.
    fn fail(&mut self, error: WireError) {
        let code = match error {
            WireError::MessageTooLong { .. } => CloseCode::Size,
            WireError::InvalidUtf8 => CloseCode::Invalid,
            _ => CloseCode::Protocol,
        };
        if let Stage::Open(websocket) = &mut self.stage
            && begin_masking(self.random).is_ok()
        {
            websocket.close(&mut self.pipe, Some(code));
        }
        self.finish(ConnectionEnd::Lost(error));
    }

    fn ping(&mut self) {
        // Without random bytes there is no ping, and without an answer the connection ends as it
        // should.
        let _ = write_masked(&mut self.pipe.outbound, OpCode::Control(Control::Ping), b"", self.random);
        self.encrypt();
        match self.after(self.timing.pong_within) {
            Some(deadline) => self.pong_deadline = Some(deadline),
            // Nobody waits for an answer: the next ping is due after as much silence again.
            None => self.last_heard = self.now,
        }
    }

    /// Ends. What waits to go out stays while somebody may read it.
    fn finish(&mut self, end: ConnectionEnd) {
        let listening = match (&end, &self.over) {
            // The Close or the alert that says why.
            (ConnectionEnd::Lost(WireError::Tls(_)), _) | (ConnectionEnd::ByServer { .. }, _) => true,
            (_, over) => over.is_none(),
        };
        // What is left of a request has become pointless.
        if matches!(self.stage, Stage::Handshake(_)) {
            self.pipe.outbound.clear();
        }
        // A proxy that lets nobody through is told nothing that is the server's.
        if self.tunnel.take().is_some() {
            self.drop_output();
        }
        self.stage = Stage::Closed(Some(end));
        self.pipe.inbound.clear();
        self.stage_deadline = self.after(self.timing.close);
        if listening {
            self.encrypt();
            if let Some(tls) = &mut self.tls {
                tls.close(&mut self.encrypted);
            }
        } else {
            self.drop_output();
        }
    }

    fn drop_output(&mut self) {
        self.pipe.outbound.clear();
        self.encrypted.clear();
    }

    /// Moves what was written through TLS, once the server is known.
    fn encrypt(&mut self) {
        let Some(tls) = &mut self.tls else { return };
        if tls.is_handshaking() || self.pipe.outbound.is_empty() {
            tls.drain(&mut self.encrypted);
            return;
        }
        if let Err(error) = tls.send(self.pipe.outbound.pending(), &mut self.encrypted) {
            self.over.get_or_insert(error.into());
        }
        self.pipe.outbound.clear();
    }
}

/// What the wire is doing, once there is no proxy on the way any more: the handshake of TLS, if there is TLS, then that of the
/// WebSocket, then the session.
fn step_of(stage: &Stage, tls: Option<&Tls>) -> Step {
    match stage {
        Stage::Handshake(_) if tls.is_some_and(Tls::is_handshaking) => Step::Tls,
        Stage::Handshake(_) => Step::Upgrade,
        Stage::Open(_) | Stage::Closing(_) | Stage::Closed(_) => Step::Session,
    }
}

/// How an open WebSocket ends when nothing more comes in. Two generations of servers drop the
/// connection instead of answering a Close (protocol.md, R7.1).
fn end_of(stage: &Stage, reason: WireError) -> ConnectionEnd {
    match (stage, reason) {
        (Stage::Closing(_), WireError::EndOfStream { .. } | WireError::Truncated { .. } | WireError::Io { .. }) => {
            ConnectionEnd::Clean
        }
        (_, reason) => ConnectionEnd::Lost(reason),
    }
}

fn backlog(encrypted: &OutBuffer, pipe: &Pipe) -> usize {
    encrypted.pending().len() + pipe.outbound.pending().len()
}

#[cfg(test)]
pub(crate) mod tests;
