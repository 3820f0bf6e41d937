//! The WebSocket's frames: whole text messages are read where they lie, all else is tungstenite's.

use std::io::{Cursor, ErrorKind};

use tungstenite::error::{CapacityError, ProtocolError};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message, Utf8Bytes};

use crate::buffer::InBuffer;
use crate::error::WireError;
use crate::pipe::Pipe;
use crate::random::{Random, begin_masking};

/// Tungstenite sees one whole WebSocket frame at a time, and few of them: it need not read far.
const READ_BUFFER: usize = 1024;

/// Largest payload of a control frame (RFC 6455, section 5.5).
const MAX_CONTROL: usize = 125;

/// How the WebSocket frame of a whole text message begins: final, without reserved bits, a text.
const WHOLE_TEXT: u8 = 0x81;

/// An open WebSocket, without its stream.
///
/// tungstenite's state machine answers pings, puts fragments together and sends Closes. It is shown a WebSocket frame when all of it has
/// come, so that nothing is reserved for what a header only announces; a header that cannot stand is found at once.
pub(crate) struct WebSocket {
    context: WebSocketContext,
    random: Random,
    max_message: usize,
    /// The bytes of a message whose last fragment has not come; `None` between messages.
    fragments: Option<usize>,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// A text message, which is in the caller's string.
    Text,
    Binary,
    Close(Option<CloseFrame>),
}

impl WebSocket {
    pub(crate) fn new(max_message: usize, random: Random) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            // Room for a few control frames, the only ones that pass through it.
            .max_write_buffer_size(4 * (MAX_CONTROL + 6))
            .max_message_size(Some(max_message))
            .max_frame_size(Some(max_message.max(MAX_CONTROL)));
        WebSocket { context: WebSocketContext::new(Role::Client, Some(config)), random, max_message, fragments: None }
    }

    /// A whole text message, if that is what comes next and all of it is there: what nearly every message is, at the
    /// price of comparing its header. `None` says nothing: [`next`](Self::next) does.
    #[inline]
    pub(crate) fn next_text(&mut self, inbound: &mut InBuffer, message: &mut String) -> Option<Result<(), WireError>> {
        let unread = inbound.unread();
        let (start, len) = match *unread {
            [WHOLE_TEXT, len @ 0..126, ..] => (2, usize::from(len)),
            [WHOLE_TEXT, 126, high, low, ..] if high > 0 || low >= 126 => {
                (4, usize::from(u16::from_be_bytes([high, low])))
            }
            _ => return None,
        };
        if self.fragments.is_some() || len > self.max_message {
            return None;
        }
        let payload = unread.get(start..start + len)?;
        Some(take_text(payload, message).map(|()| inbound.consume(start + len)))
    }

    /// The next message or Close; `None` until more has come. Pings are answered on the way. `message` gets a text.
    ///
    /// # Errors
    /// What the server did wrong.
    pub(crate) fn next(&mut self, pipe: &mut Pipe, message: &mut String) -> Result<Option<Received>, WireError> {
        loop {
            let unread = pipe.inbound.unread();
            let mut cursor = Cursor::new(unread);
            let parsed = FrameHeader::parse(&mut cursor).map_err(|error| self.explain(error))?;
            let Some((header, len)) = parsed else { return Ok(None) };
            let start = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
            self.check(&header, start, len)?;
            let end = start.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
            let Some(payload) = unread.get(start..end) else { return Ok(None) };
            if header.opcode == OpCode::Data(Data::Text) && header.is_final {
                take_text(payload, message)?;
                pipe.inbound.consume(end);
                return Ok(Some(Received::Text));
            }
            if header.opcode == OpCode::Control(Control::Close) {
                let frame = self.read_close(payload)?;
                pipe.inbound.consume(end);
                return Ok(Some(Received::Close(frame)));
            }
            if let Some(received) = self.next_other(&header, payload.len(), end, pipe, message)? {
                return Ok(Some(received));
            }
        }
    }

    /// Refuses a header that cannot stand, whatever follows it. It has `size` bytes, and announces `len` of a payload.
    fn check(&self, header: &FrameHeader, size: usize, len: u64) -> Result<(), WireError> {
        if let Some(flaw) = self.flaw(header, len) {
            return Err(self.explain(flaw.into()));
        }
        // RFC 6455, section 5.2: it must be. Nobody who writes WebSocket frames by a library sends another, so whoever does may have lost
        // its place in the stream.
        if size != header.len(len) {
            let problem = "the length of a frame is not written in the shortest way".to_owned();
            return Err(WireError::Protocol { problem });
        }
        let before = self.fragments.unwrap_or_default() as u64;
        if matches!(header.opcode, OpCode::Data(_)) && len.saturating_add(before) > self.max_message as u64 {
            return Err(WireError::MessageTooLong { limit: self.max_message });
        }
        Ok(())
    }

    fn explain(&self, error: Error) -> WireError {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => {
                WireError::MessageTooLong { limit: self.max_message }
            }
            // Tungstenite's text holds the bytes themselves.
            Error::Utf8(_) => WireError::InvalidUtf8,
            Error::Protocol(error) => WireError::Protocol { problem: error.to_string() },
            error => WireError::Protocol { problem: error.to_string() },
        }
    }

    fn flaw(&self, header: &FrameHeader, len: u64) -> Option<ProtocolError> {
        let has_begun = self.fragments.is_some();
        Some(match header.opcode {
            _ if header.rsv1 || header.rsv2 || header.rsv3 => ProtocolError::NonZeroReservedBits,
            _ if header.mask.is_some() => ProtocolError::MaskedFrameFromServer,
            OpCode::Control(_) if !header.is_final => ProtocolError::FragmentedControlFrame,
            OpCode::Control(_) if len > MAX_CONTROL as u64 => ProtocolError::ControlFrameTooBig,
            OpCode::Control(Control::Reserved(code)) => ProtocolError::UnknownControlFrameType(code),
            OpCode::Data(Data::Reserved(code)) => ProtocolError::UnknownDataFrameType(code),
            OpCode::Data(Data::Continue) if !has_begun => ProtocolError::UnexpectedContinueFrame,
            OpCode::Data(data @ (Data::Text | Data::Binary)) if has_begun => ProtocolError::ExpectedFragment(data),
            _ => return None,
        })
    }

    /// Reads a Close here: tungstenite would log its reason.
    #[cold]
    fn read_close(&self, payload: &[u8]) -> Result<Option<CloseFrame>, WireError> {
        // For the answer.
        begin_masking(self.random)?;
        let [high, low, reason @ ..] = payload else {
            let flaw = ProtocolError::InvalidCloseSequence;
            return if payload.is_empty() { Ok(None) } else { Err(self.explain(flaw.into())) };
        };
        let reason = simdutf8::basic::from_utf8(reason).map_err(|_| WireError::InvalidUtf8)?;
        Ok(Some(CloseFrame { code: u16::from_be_bytes([*high, *low]).into(), reason: reason.into() }))
    }

    /// Shows tungstenite the WebSocket frame that ends at `end`.
    #[cold]
    fn next_other(
        &mut self,
        header: &FrameHeader,
        len: usize,
        end: usize,
        pipe: &mut Pipe,
        message: &mut String,
    ) -> Result<Option<Received>, WireError> {
        // A sandbox may have been entered since, or another thread.
        begin_masking(self.random)?;
        if let OpCode::Data(_) = header.opcode {
            self.fragments = if header.is_final { None } else { Some(self.fragments.unwrap_or_default() + len) };
        }
        pipe.shown = end;
        let received = match self.context.read(pipe) {
            Ok(Message::Text(text)) => {
                message.clear();
                message.push_str(&text);
                Some(Received::Text)
            }
            Ok(Message::Binary(_)) => Some(Received::Binary),
            // A ping, whose answer is ready, or a pong.
            Ok(_) => None,
            // A fragment of a message that goes on.
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => return Err(self.explain(error)),
        };
        if received.is_none() {
            self.flush(pipe);
        }
        Ok(received)
    }

    /// Writes what tungstenite keeps. Writing to memory does not fail; the second time is for a pong that found
    /// tungstenite's own buffer full the first time.
    pub(crate) fn flush(&mut self, pipe: &mut Pipe) {
        let _ = self.context.flush(pipe);
        let _ = self.context.flush(pipe);
    }

    /// Lets tungstenite write the Close, so that it knows that nothing follows: it answers no ping after it.
    pub(crate) fn close(&mut self, pipe: &mut Pipe, code: Option<CloseCode>) {
        // A pong that found no room may still be there, and might leave none for the Close.
        self.flush(pipe);
        let frame = code.map(|code| CloseFrame { code, reason: Utf8Bytes::default() });
        let _ = self.context.close(pipe, frame);
    }

    /// About how many bytes are held.
    pub(crate) fn memory(&self) -> usize {
        READ_BUFFER + self.fragments.unwrap_or_default()
    }
}

/// Puts a text into `message`, in place of what is there.
#[inline]
fn take_text(payload: &[u8], message: &mut String) -> Result<(), WireError> {
    let text = simdutf8::basic::from_utf8(payload).map_err(|_| WireError::InvalidUtf8)?;
    message.clear();
    message.push_str(text);
    Ok(())
}
