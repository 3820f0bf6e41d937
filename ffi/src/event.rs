//! Events and answers: what the three levels show the caller.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;

use chatnio_core::{Answer, Chunk, Conversation, Interruption, Outcome, Quota, RequestKind, State};

use crate::boundary::{boundary, input, put};
use crate::failure::Failure;
use crate::growing::{Growing, Target};
use crate::request::chatnio_request_type::*;
use crate::view::chatnio_text;

use chatnio_conversation_kind::*;
use chatnio_event_kind::*;
use chatnio_interruption::*;
use chatnio_outcome::*;
use chatnio_state::*;

/// The kinds of events. A minor version may add more: pass an unknown one over.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum chatnio_event_kind {
    /// Nothing happened: a call that may bring an event has brought none.
    CHATNIO_EVENT_NONE = 0,
    /// Connections: the WebSocket is open.
    CHATNIO_EVENT_OPEN = 1,
    /// The turn's opener came: the server has read the question. Servers of 2023 send none.
    CHATNIO_EVENT_OPENED = 2,
    /// A piece of the answer, in `text`; it may be empty.
    CHATNIO_EVENT_DELTA = 3,
    /// The turn has ended: exactly one for every chat and restart that was sent. The last piece is in `text`, the whole
    /// in `answer`.
    CHATNIO_EVENT_END = 4,
    /// A frame that belongs to no running turn: what a stop or an interruption left behind. Nothing to do. Only one that
    /// nobody asked for also ends the session, because the next answer could be another's: a connection closes then,
    /// and a session is in `CHATNIO_STATE_CLOSED`: reconnect.
    CHATNIO_EVENT_STRAY = 5,
    /// A message that could not be read; it was skipped and counted. `status` is `CHATNIO_MALFORMED` or
    /// `CHATNIO_MESSAGE_TOO_LONG`, and `text` says what is wrong with it, naming field and byte offset.
    CHATNIO_EVENT_MALFORMED = 6,
    /// The stop goes out again: the end has not come.
    CHATNIO_EVENT_STOP_REPEATED = 7,
    /// The connection was silent, and a keep-alive goes out.
    CHATNIO_EVENT_KEEP_ALIVE = 8,
    /// Connections: it is over, and this is the last event. `status` says how, `text` in words.
    CHATNIO_EVENT_CLOSED = 9,
}

/// How a turn has ended.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum chatnio_outcome {
    /// It has not.
    CHATNIO_OUTCOME_NONE = 0,
    /// The answer came to its end.
    CHATNIO_OUTCOME_COMPLETE = 1,
    /// A stop was sent before the end came.
    CHATNIO_OUTCOME_STOPPED = 2,
    /// The server answered instead of the model, and no stop was asked: see the answer's `notice`.
    CHATNIO_OUTCOME_NOTICE = 3,
    /// The end never came. The text so far is kept; `interruption` says why.
    CHATNIO_OUTCOME_INTERRUPTED = 4,
}

/// Why a turn was interrupted. A minor version may add more.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum chatnio_interruption {
    /// It was not.
    CHATNIO_INTERRUPTION_NONE = 0,
    /// No frame came in time (`chatnio_config_set_first_frame()`). The session drains: requests answer
    /// `CHATNIO_BUSY` until the server has ended the turn, or until a reconnect.
    CHATNIO_INTERRUPTION_FIRST_FRAME_DEADLINE = 1,
    /// The next frame did not come in time (`chatnio_config_set_next_frame()`). The session drains.
    CHATNIO_INTERRUPTION_NEXT_FRAME_DEADLINE = 2,
    /// The end did not come in time after a stop (`chatnio_config_set_after_stop()`). The session drains.
    CHATNIO_INTERRUPTION_AFTER_STOP_DEADLINE = 3,
    /// A message was over the limit (`chatnio_config_set_max_message()`). A session drains, a connection is over.
    CHATNIO_INTERRUPTION_MESSAGE_TOO_LONG = 4,
    /// The text would have grown over the limit (`chatnio_config_set_max_answer()`). The session drains.
    CHATNIO_INTERRUPTION_ANSWER_TOO_LONG = 5,
    /// The server closed the connection.
    CHATNIO_INTERRUPTION_CLOSED_BY_SERVER = 6,
    /// The connection was lost.
    CHATNIO_INTERRUPTION_CONNECTION_LOST = 7,
    /// The host closed the session.
    CHATNIO_INTERRUPTION_CLOSED_BY_HOST = 8,
    /// The host reconnected.
    CHATNIO_INTERRUPTION_RECONNECTED = 9,
    /// The answer was not over in time (`chatnio_config_set_answer_within()`). The session drains.
    CHATNIO_INTERRUPTION_ANSWER_DEADLINE = 10,
    /// The connection was not made: what was requested while it was being opened is not sent.
    CHATNIO_INTERRUPTION_NOT_CONNECTED = 11,
    /// The server broke the protocol of the connection.
    CHATNIO_INTERRUPTION_PROTOCOL_BROKEN = 12,
    /// The server sent text that is not UTF-8.
    CHATNIO_INTERRUPTION_INVALID_UTF8 = 13,
    /// The server was silent for too long, and answered no ping (`chatnio_config_set_pong_within()`).
    CHATNIO_INTERRUPTION_UNRESPONSIVE = 14,
    /// The connection's encryption failed.
    CHATNIO_INTERRUPTION_TLS_FAILED = 15,
}

/// What is known of the conversation that a connection is in.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum chatnio_conversation_kind {
    /// Nothing: the server sends no openers (2023), or none has come yet.
    CHATNIO_CONVERSATION_UNKNOWN = 0,
    /// It is a new one, as asked. Its id is -1 for anonymous: it is not stored and cannot be continued.
    CHATNIO_CONVERSATION_NEW = 1,
    /// It is the one that was asked for; or a new one that happens to have got its id, from a server that has lost it.
    CHATNIO_CONVERSATION_RESUMED = 2,
    /// It is another one than that asked for: the server does not know that one, or not for this token.
    CHATNIO_CONVERSATION_REPLACED = 3,
}

/// What a session is doing.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum chatnio_state {
    /// No turn runs: any request is welcome.
    CHATNIO_STATE_IDLE = 1,
    /// A request was sent, and no frame of the answer has come.
    CHATNIO_STATE_ASKING = 2,
    /// The answer is coming in.
    CHATNIO_STATE_ANSWERING = 3,
    /// A stop was sent, and the end has not come.
    CHATNIO_STATE_STOPPING = 4,
    /// The turn was interrupted, and the server has not ended it: requests answer `CHATNIO_BUSY`. A host that will not
    /// wait reconnects.
    CHATNIO_STATE_DRAINING = 5,
    /// The connection is gone. Nothing works until a reconnect.
    CHATNIO_STATE_CLOSED = 6,
}

/// The conversation that a connection is in.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_conversation {
    /// What is known of it (`chatnio_conversation_kind`).
    pub kind: i32,
    /// Its id; 0 while unknown.
    pub id: i64,
    /// The id that was asked for, when connecting or by a reconnect; 0 where a new conversation was.
    pub asked: i64,
}

/// What a turn has brought.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_answer {
    /// As in `chatnio_event`, where the caller has it filled; in an event's `answer` the library's own size.
    pub size: usize,
    /// The turn's number, from 1, counting a session's chats and restarts.
    pub turn: u64,
    /// What was asked: `CHATNIO_REQUEST_CHAT` or `CHATNIO_REQUEST_RESTART`.
    pub request_type: i32,
    /// How the turn ended (`chatnio_outcome`); `CHATNIO_OUTCOME_NONE` while it runs.
    pub outcome: i32,
    /// Why it was interrupted, if it was (`chatnio_interruption`).
    pub interruption: i32,
    /// Paid for by a subscription.
    pub plan: bool,
    /// Whether `conversation` is known.
    pub has_conversation: bool,
    /// The text. Empty when the configuration keeps none. Never holds a notice.
    pub text: chatnio_text,
    /// What the server said instead of the model; absent if it did not.
    pub notice: chatnio_text,
    /// Words that the web search used (servers of 2023), otherwise empty.
    pub keyword: chatnio_text,
    /// Why it was interrupted, in English; absent if it was not.
    pub reason: chatnio_text,
    /// What it costs so far, in the server's unit. Servers charge nothing for an answer without text, whatever this says.
    pub quota: f64,
    /// The same as the server wrote it; "0" before any.
    pub quota_text: chatnio_text,
    /// The conversation's id from the turn's opener; -1 for anonymous.
    pub conversation: i64,
    /// How many frames carried text of the answer.
    pub chunks: u64,
    /// How many messages that could not be read came while the turn ran: each may be a hole in the text.
    pub malformed: u64,
}

/// What happened. The caller sets `size`, the library fills the rest.
///
/// All that it points to lives until the next call on the same handle that may bring an event, or frees it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_event {
    /// Set by the caller to `sizeof(chatnio_event)`, as its compiler knows it: a larger struct than the library knows is
    /// filled up with zeros, a smaller one gets as much as fits, and one smaller than version 1's is `CHATNIO_INVALID`.
    pub size: usize,
    /// What happened (`chatnio_event_kind`).
    pub kind: i32,
    /// Why, for `CHATNIO_EVENT_MALFORMED` and `CHATNIO_EVENT_CLOSED`; otherwise 0.
    pub status: i32,
    /// The turn that it belongs to; 0 for none.
    pub turn: u64,
    /// The piece of a delta, an end or a stray, decoded; what a malformed message or the close of a connection has to
    /// say. Otherwise absent.
    pub text: chatnio_text,
    /// The frame that it was made from: the message as it was received, known and unknown fields alike. Malformed: the
    /// message that could not be read, into which the offset in `text` points; absent for a binary one, and for one over
    /// the limit. Absent when no message has caused the event.
    pub raw: chatnio_text,
    /// Opened, delta, end: what the turn has cost so far. Stray: the frame's own quota, or 0.
    pub quota: f64,
    /// The same as the server wrote it, or "0"; absent in all other events.
    pub quota_text: chatnio_text,
    /// The answer, at its end; otherwise NULL.
    pub answer: *const chatnio_answer,
    /// Opened: the conversation. Otherwise zeros.
    pub conversation: chatnio_conversation,
    /// End: how it ended (`chatnio_outcome`); otherwise 0.
    pub outcome: i32,
    /// End: why it was interrupted (`chatnio_interruption`); otherwise 0.
    pub interruption: i32,
    /// Closed: the WebSocket's close code, or the status of the HTTP answer that came instead of a WebSocket (200 for
    /// `CHATNIO_REFUSED` and `CHATNIO_THROTTLED`), where there was one; otherwise 0.
    pub code: i32,
    /// Whether the frame was an answer's last (its `end` field), also in a stray.
    pub frame_end: bool,
}

// SAFETY: `repr(C)`, and `size` is the first field.
unsafe impl Growing for chatnio_answer {
    const V1: usize = size_of::<Self>();
}

// SAFETY: `repr(C)`, and `size` is the first field.
unsafe impl Growing for chatnio_event {
    const V1: usize = size_of::<Self>();
}

impl From<Conversation> for chatnio_conversation {
    fn from(conversation: Conversation) -> Self {
        let kind = match conversation {
            Conversation::New { .. } => CHATNIO_CONVERSATION_NEW,
            Conversation::Resumed { .. } => CHATNIO_CONVERSATION_RESUMED,
            Conversation::Replaced { .. } => CHATNIO_CONVERSATION_REPLACED,
            Conversation::Unknown { .. } => CHATNIO_CONVERSATION_UNKNOWN,
            _ => CHATNIO_CONVERSATION_UNKNOWN,
        };
        let (id, asked) = (conversation.id().unwrap_or(0), conversation.asked().unwrap_or(0));
        chatnio_conversation { kind: kind as i32, id, asked }
    }
}

pub(crate) fn state_of(state: State) -> i32 {
    let state = match state {
        State::Idle => CHATNIO_STATE_IDLE,
        State::Asking => CHATNIO_STATE_ASKING,
        State::Answering => CHATNIO_STATE_ANSWERING,
        State::Stopping => CHATNIO_STATE_STOPPING,
        State::Draining => CHATNIO_STATE_DRAINING,
        State::Closed => CHATNIO_STATE_CLOSED,
        _ => CHATNIO_STATE_CLOSED,
    };
    state as i32
}

pub(crate) fn type_of(kind: RequestKind) -> i32 {
    let request_type = match kind {
        RequestKind::Restart => CHATNIO_REQUEST_RESTART,
        RequestKind::Stop => CHATNIO_REQUEST_STOP,
        RequestKind::Share => CHATNIO_REQUEST_SHARE,
        RequestKind::Mask => CHATNIO_REQUEST_MASK,
        RequestKind::Edit => CHATNIO_REQUEST_EDIT,
        RequestKind::Remove => CHATNIO_REQUEST_REMOVE,
        RequestKind::Chat => CHATNIO_REQUEST_CHAT,
        _ => CHATNIO_REQUEST_CHAT,
    };
    request_type as i32
}

pub(crate) fn interruption_of(interruption: Interruption) -> i32 {
    let interruption = match interruption {
        Interruption::FirstFrameDeadline => CHATNIO_INTERRUPTION_FIRST_FRAME_DEADLINE,
        Interruption::NextFrameDeadline => CHATNIO_INTERRUPTION_NEXT_FRAME_DEADLINE,
        Interruption::AfterStopDeadline => CHATNIO_INTERRUPTION_AFTER_STOP_DEADLINE,
        Interruption::AnswerDeadline => CHATNIO_INTERRUPTION_ANSWER_DEADLINE,
        Interruption::MessageTooLong { .. } => CHATNIO_INTERRUPTION_MESSAGE_TOO_LONG,
        Interruption::AnswerTooLong { .. } => CHATNIO_INTERRUPTION_ANSWER_TOO_LONG,
        Interruption::ClosedByServer => CHATNIO_INTERRUPTION_CLOSED_BY_SERVER,
        Interruption::ClosedByHost => CHATNIO_INTERRUPTION_CLOSED_BY_HOST,
        Interruption::Reconnected => CHATNIO_INTERRUPTION_RECONNECTED,
        Interruption::NotConnected => CHATNIO_INTERRUPTION_NOT_CONNECTED,
        Interruption::ProtocolBroken => CHATNIO_INTERRUPTION_PROTOCOL_BROKEN,
        Interruption::InvalidUtf8 => CHATNIO_INTERRUPTION_INVALID_UTF8,
        Interruption::Unresponsive => CHATNIO_INTERRUPTION_UNRESPONSIVE,
        Interruption::TlsFailed => CHATNIO_INTERRUPTION_TLS_FAILED,
        Interruption::ConnectionLost => CHATNIO_INTERRUPTION_CONNECTION_LOST,
        _ => CHATNIO_INTERRUPTION_CONNECTION_LOST,
    };
    interruption as i32
}

/// Whether the same may go well when it is asked again after an interruption (`chatnio_interruption`), on a new connection if
/// this one is over: not where the host has closed it, where TLS has failed, or where the same answer is too long again. What
/// came may have been charged. `chatnio_status_is_retryable()` says it of a status.
///
/// Any thread, at any time; any number may be asked about.
#[cfg(feature = "connection")]
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_interruption_is_retryable(interruption: i32) -> bool {
    Interruption::ALL.iter().any(|why| interruption_of(*why) == interruption && why.is_retryable())
}

pub(crate) fn outcome_of(outcome: Option<Outcome>) -> (i32, i32) {
    let (outcome, interruption) = match outcome {
        None => (CHATNIO_OUTCOME_NONE, None),
        Some(Outcome::Complete) => (CHATNIO_OUTCOME_COMPLETE, None),
        Some(Outcome::Stopped) => (CHATNIO_OUTCOME_STOPPED, None),
        Some(Outcome::Notice) => (CHATNIO_OUTCOME_NOTICE, None),
        Some(Outcome::Interrupted(why)) => (CHATNIO_OUTCOME_INTERRUPTED, Some(why)),
        Some(_) => (CHATNIO_OUTCOME_INTERRUPTED, None),
    };
    (outcome as i32, interruption.map_or(CHATNIO_INTERRUPTION_NONE as i32, interruption_of))
}

impl chatnio_answer {
    /// Views into `answer`; `reason` is what [`reason`] gave.
    pub(crate) fn new(answer: &Answer, reason: Option<&str>) -> Self {
        let (outcome, interruption) = outcome_of(answer.outcome);
        chatnio_answer {
            size: size_of::<Self>(),
            turn: answer.turn,
            request_type: type_of(answer.request),
            outcome,
            interruption,
            plan: answer.plan,
            has_conversation: answer.conversation.is_some(),
            text: chatnio_text::new(&answer.text),
            notice: chatnio_text::optional(answer.notice.as_deref()),
            keyword: chatnio_text::new(&answer.keyword),
            reason: chatnio_text::optional(reason),
            quota: answer.quota(),
            quota_text: chatnio_text::new(answer.quota_text()),
            conversation: answer.conversation.unwrap_or_default(),
            chunks: answer.chunks,
            malformed: answer.malformed,
        }
    }

    /// Shows the running turn's answer, if there is one.
    pub(crate) fn show_running(target: Target<Self>, answer: Option<&Answer>) -> Result<(), Failure> {
        let answer = answer.ok_or_else(Failure::absent)?;
        target.fill(chatnio_answer::new(answer, None));
        Ok(())
    }
}

impl chatnio_event {
    #[inline]
    pub(crate) fn new(kind: chatnio_event_kind) -> Self {
        chatnio_event {
            size: size_of::<Self>(),
            kind: kind as i32,
            status: 0,
            turn: 0,
            text: chatnio_text::ABSENT,
            raw: chatnio_text::ABSENT,
            quota: 0.0,
            quota_text: chatnio_text::ABSENT,
            answer: ptr::null(),
            conversation: Conversation::Unknown { asked: None }.into(),
            outcome: 0,
            interruption: 0,
            code: 0,
            frame_end: false,
        }
    }

    /// That nothing happened.
    pub(crate) fn none() -> Self {
        Self::new(CHATNIO_EVENT_NONE)
    }

    #[inline]
    pub(crate) fn frame(mut self, turn: u64, text: &str, quota: Option<Quota<'_>>, chunk: &Chunk<'_>) -> Self {
        self.turn = turn;
        self.text = chatnio_text::new(text);
        self.raw = chatnio_text::new(chunk.raw());
        self.frame_end = chunk.end;
        self.quota = quota.map_or(0.0, |quota| quota.value());
        self.quota_text = quota.map_or(chatnio_text::new("0"), |quota| chatnio_text::new(quota.text()));
        self
    }
}

/// Gets the raw JSON of the field called `name` of an event's frame, known or unknown: for those that this library does
/// not know, such as `title` or `tool_call`. Of several with one name the last counts. The frame is read anew each time.
///
/// `value` lives as long as the event's texts. Of the event only `size` and `raw` are read: a host that has kept a frame's
/// text puts it into an event of its own, zeroed otherwise, and asks later. Any thread that may read it.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`, `CHATNIO_ABSENT` when there is no such field or no frame (a malformed
/// message is none).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_event_field(
    event: *const chatnio_event,
    name: *const c_char,
    name_len: usize,
    value: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!({
        let event = Target::given(event)?;
        let name = input!(text name, name_len)?;
        let value = value.ok_or(Failure::invalid("value is NULL"))?;
        let raw = input!(text event.raw.data, event.raw.len)?;
        let field = Chunk::decode(raw).ok().and_then(|chunk| chunk.field(name));
        value.write(chatnio_text::new(field.ok_or_else(Failure::absent)?));
        Ok(())
    })
}

/// What a session has counted since it was made; reconnecting goes on counting. The caller sets `size`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_counters {
    /// As in `chatnio_event`.
    pub size: usize,
    /// Frames that belonged to no running turn.
    pub strays: u64,
    /// Messages that could not be read, the too long ones included.
    pub malformed: u64,
    /// Stops that were sent again.
    pub repeated_stops: u64,
}

// SAFETY: `repr(C)`, and `size` is the first field.
unsafe impl Growing for chatnio_counters {
    const V1: usize = size_of::<Self>();
}

impl From<chatnio_core::Counters> for chatnio_counters {
    fn from(counters: chatnio_core::Counters) -> Self {
        chatnio_counters {
            size: size_of::<Self>(),
            strays: counters.strays,
            malformed: counters.malformed,
            repeated_stops: counters.repeated_stops,
        }
    }
}

/// Shows which conversation a handle is in.
pub(crate) fn put_conversation(
    out: Option<&mut MaybeUninit<chatnio_conversation>>,
    conversation: Conversation,
) -> Result<(), Failure> {
    put(out, conversation.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every value of the core has a number of its own, so that none is shown as another.
    fn are_told_apart<T: Copy>(all: &[T], number: impl Fn(T) -> i32) {
        let numbers: BTreeSet<i32> = all.iter().map(|value| number(*value)).collect();
        assert_eq!(numbers.len(), all.len(), "{numbers:?}");
    }

    #[test]
    fn no_value_of_the_core_is_forgotten() {
        are_told_apart(&State::ALL, state_of);
        are_told_apart(&RequestKind::ALL, type_of);
        are_told_apart(&Interruption::ALL, interruption_of);
        are_told_apart(&Outcome::ALL, |outcome| outcome_of(Some(outcome)).0);
        let conversations = [
            Conversation::Unknown { asked: Some(1) },
            Conversation::New { id: 1 },
            Conversation::Resumed { id: 1 },
            Conversation::Replaced { asked: 1, got: 2 },
        ];
        are_told_apart(&conversations, |conversation| chatnio_conversation::from(conversation).kind);
    }
}
