//! What a faulty server does, step by step.

use std::borrow::Cow;
use std::time::Duration;

pub(super) type Bytes = Cow<'static, [u8]>;

/// One step. After the last the server is silent until the client goes.
#[derive(Clone)]
pub(super) enum Step {
    /// Waits for the first bytes of a client that speaks TLS.
    Hello,
    /// Waits for the request's head.
    Head,
    /// Sends text; `{accept}` stands for the key that the request's key makes, `{head}` for the request's head.
    Reply(Cow<'static, str>),
    /// Opens the WebSocket, and sends bytes in the same write.
    AcceptAnd(Bytes),
    /// Waits for so many text messages of the client.
    Messages(usize),
    /// Sends a Close with this code, whose reason repeats what it was told: the token, the request's target and its
    /// `Authorization`, as far as they fit.
    Repeat(u16),
    /// Sends bytes.
    Send(Bytes),
    /// Sends bytes one by one, with a pause after each.
    Slowly(Bytes, Duration),
    /// Sends bytes again and again, while the client takes them; what the client sends is read or not.
    Flood { bytes: Bytes, read: bool },
    /// Sends bytes past TLS.
    Raw(Bytes),
    /// Waits.
    Wait(Duration),
    /// Says that nothing more will be sent: with TLS by its closing message.
    Goodbye,
    /// Ends the stream.
    Fin,
    /// Resets the connection.
    Reset,
}

/// The answer that opens the WebSocket.
pub(super) const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n";

/// An opener.
pub(super) const OPENER: &str =
    "{\"conversation\":1,\"quota\":0,\"keyword\":\"\",\"message\":\"\",\"end\":false,\"plan\":false}\n";

/// A normal end.
pub(super) const END: &str =
    "{\"conversation\":0,\"quota\":0.0002,\"keyword\":\"\",\"message\":\"\",\"end\":true,\"plan\":false}\n";

/// A piece of the answer; `text` is as it stands in JSON.
pub(super) fn piece(text: &str) -> String {
    format!(
        "{{\"conversation\":0,\"quota\":0.0001,\"keyword\":\"\",\"message\":\"{text}\",\"end\":false,\"plan\":false}}\n"
    )
}

/// A WebSocket frame of the server's; `first` is its first byte: FIN, reserved bits, opcode.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(u8::try_from(length).unwrap_or_default()),
        length => match u16::try_from(length) {
            Ok(length) => {
                bytes.push(126);
                bytes.extend(length.to_be_bytes());
            }
            Err(_) => {
                bytes.push(127);
                bytes.extend((length as u64).to_be_bytes());
            }
        },
    }
    bytes.extend(payload);
    bytes
}

/// A text message in one WebSocket frame.
pub(super) fn text(message: impl AsRef<str>) -> Step {
    Step::Send(frame(0x81, message.as_ref().as_bytes()).into())
}

/// A WebSocket frame as a step.
pub(super) fn send(first: u8, payload: impl AsRef<[u8]>) -> Step {
    Step::Send(frame(first, payload.as_ref()).into())
}

/// Text messages, each in one WebSocket frame.
pub(super) fn texts(messages: &[&str]) -> Vec<u8> {
    messages.iter().flat_map(|message| frame(0x81, message.as_bytes())).collect()
}

/// Text messages in one write: who has one of them has all.
pub(super) fn together(messages: &[&str]) -> Step {
    Step::Send(texts(messages).into())
}

/// The WebSocket is open.
pub(super) fn open() -> Vec<Step> {
    vec![Step::Head, Step::Reply(ACCEPTED.into())]
}

/// The question has come, and the opener went out.
pub(super) fn asked() -> Vec<Step> {
    let mut steps = open();
    steps.extend([Step::Messages(2), text(OPENER)]);
    steps
}

/// The first of two pieces went out.
pub(super) fn answering() -> Vec<Step> {
    let mut steps = asked();
    steps.push(text(piece("one ")));
    steps
}

/// The rest of the answer, after what `answering` sent.
pub(super) fn rest() -> [Step; 2] {
    [text(piece("two")), text(END)]
}

/// A second question comes, and is answered.
pub(super) fn again() -> [Step; 2] {
    [Step::Messages(1), together(&[OPENER, &piece("again"), END])]
}

/// Steps one after the other.
pub(super) fn then(mut steps: Vec<Step>, more: impl IntoIterator<Item = Step>) -> Vec<Step> {
    steps.extend(more);
    steps
}
