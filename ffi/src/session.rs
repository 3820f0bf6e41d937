//! `chatnio_session`: message level, for hosts with a WebSocket of their own.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use chatnio_core::{CloseReason, Event, EventStorage, Message, Session};

use crate::auth::chatnio_auth;
use crate::boundary::{Health, Object, boundary, free, input, put, put_optional};
use crate::config::chatnio_config;
use crate::error::{chatnio_error, construct};
use crate::event::{chatnio_answer, chatnio_conversation, chatnio_counters, chatnio_event, put_conversation, state_of};
use crate::failure::Failure;
use crate::growing::Target;
use crate::kept::Kept;
use crate::request::chatnio_request;
use crate::time::{deadline_ms, time};
use crate::transcript::chatnio_transcript;
use crate::view::chatnio_text;

/// Why a session is closed: what `chatnio_session_closed()` is told.
#[repr(C)]
pub enum chatnio_close_reason {
    /// The host has closed it.
    CHATNIO_CLOSE_HOST = 1,
    /// The server has closed it, in an orderly way.
    CHATNIO_CLOSE_SERVER = 2,
    /// The connection was lost.
    CHATNIO_CLOSE_LOST = 3,
}

const HOST: i32 = chatnio_close_reason::CHATNIO_CLOSE_HOST as i32;
const SERVER: i32 = chatnio_close_reason::CHATNIO_CLOSE_SERVER as i32;
const LOST: i32 = chatnio_close_reason::CHATNIO_CLOSE_LOST as i32;

/// The chat protocol on one connection, at message level: the host has the WebSocket.
///
/// Text messages of the server go in by `chatnio_session_receive()`; after every call that takes `now`, the host sends
/// what `chatnio_session_next_transmit()` hands out until it answers `CHATNIO_AGAIN`, and arms its timer anew by
/// `chatnio_session_deadline()`.
pub struct chatnio_session {
    health: Health,
    session: Session,
    /// What the last event points to.
    storage: EventStorage,
    kept: Kept,
    /// Where the next message goes, which may be a view of the last.
    next_message: String,
    /// What was handed out to be sent.
    transmit: Option<Message>,
}

impl Object for chatnio_session {
    fn health(&self) -> &Health {
        &self.health
    }
}

impl chatnio_session {
    /// Shows an event, which must not be borrowed from the session.
    fn show(&mut self, target: Target<chatnio_event>, event: Option<Event<'static>>) {
        match event {
            Some(event) => self.kept.show(target, event),
            None => target.fill(chatnio_event::none()),
        }
    }
}

/// Makes a session for a WebSocket that is open or being opened. `config` and `auth` may be NULL: the defaults, and
/// without an account. `now` is the time in milliseconds on a monotonic clock of the host's, as in all calls; one that
/// goes back counts as standing still.
///
/// On failure `error`, if it is not NULL, gets a text to be freed.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_EMPTY_TOKEN`, `CHATNIO_BAD_CONVERSATION`, `CHATNIO_EMPTY_SHARE`,
/// `CHATNIO_REQUEST_TOO_LONG`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_new(
    config: Option<&chatnio_config>,
    auth: Option<&chatnio_auth>,
    now: u64,
    out: Option<&mut MaybeUninit<*mut chatnio_session>>,
    error: Option<&mut MaybeUninit<*mut chatnio_error>>,
) -> i32 {
    construct(out, error, || {
        chatnio_config::used(
            config,
            |_| Ok(()),
            |settings| {
                Ok(chatnio_session {
                    health: Health::new(),
                    session: Session::new(chatnio_auth::given(auth)?, settings.session, time(now))?,
                    storage: EventStorage::new(),
                    kept: Kept::default(),
                    next_message: String::new(),
                    transmit: None,
                })
            },
        )
    })
}

/// Sends a request. A chat or a restart begins a turn; a stop is `chatnio_session_stop()`; the others are not answered.
/// Invalidates no view.
///
/// Errors, after which nothing has changed: `CHATNIO_BUSY`, `CHATNIO_UNSENT`; `CHATNIO_INVALID`, `CHATNIO_EMPTY_MESSAGE`,
/// `CHATNIO_EMPTY_SHARE`, `CHATNIO_BAD_MASK`, `CHATNIO_NOT_FINITE`, `CHATNIO_BAD_PARAMETERS`,
/// `CHATNIO_REQUEST_TOO_LONG`, `CHATNIO_NOTHING_TO_RESTART`; `CHATNIO_CLOSED`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_request(
    session: Option<&mut chatnio_session>,
    now: u64,
    request: Option<&chatnio_request>,
) -> i32 {
    boundary!(session => {
        let request = chatnio_request::given(request)?;
        Ok(session.session.request(time(now), &request)?)
    })
}

/// Asks the server to end the running answer; its end, and with it what it cost, still comes, and pieces may come
/// before it. The stop is repeated by itself. `sent`, which may be NULL, tells whether a stop goes out: not when no turn
/// runs, nor when this turn has had its stop. Invalidates no view.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_CLOSED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_stop(
    session: Option<&mut chatnio_session>,
    now: u64,
    sent: Option<&mut MaybeUninit<bool>>,
) -> i32 {
    boundary!(session => {
        put_optional(sent, session.session.stop(time(now))?);
        Ok(())
    })
}

/// Takes one text message of the server and fills in what it means: exactly one event. One that cannot be read is
/// `CHATNIO_EVENT_MALFORMED`. Of one that holds several frames it is the first: the others are due at once, by
/// `chatnio_session_handle_timeout()`.
///
/// The message is copied. What the event points to lives until the next call that fills an event, or frees the session.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8` (nothing has changed), `CHATNIO_CLOSED`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_receive(
    session: Option<&mut chatnio_session>,
    now: u64,
    message: *const c_char,
    message_len: usize,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(session => {
        let target = Target::new(event)?;
        let text = input!(text message, message_len)?;
        let chatnio_session { session, storage, kept, next_message, .. } = &mut **session;
        let limit = session.config().max_message;
        // In a page the event is read while its message lies where it was put.
        let is_lent = cfg!(target_family = "wasm");
        let event = if is_lent || limit != 0 && text.len() > limit {
            // Not kept: one that is too long is not looked at.
            session.receive(time(now), text, storage)
        } else {
            next_message.clear();
            next_message.push_str(text);
            std::mem::swap(storage.message_mut(), next_message);
            session.receive_stored(time(now), storage)
        };
        let Some(event) = event else { return Err(closed()) };
        kept.show(target, event);
        Ok(())
    })
}

/// Takes a binary message of the server. The protocol has none: the event is `CHATNIO_EVENT_MALFORMED`.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_CLOSED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_receive_binary(
    session: Option<&mut chatnio_session>,
    now: u64,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(session => {
        let target = Target::new(event)?;
        let event = session.session.receive_binary(time(now)).ok_or_else(closed)?;
        session.show(target, Some(event));
        Ok(())
    })
}

/// Hands out the next text message to send, exactly once. The first one holds the token.
///
/// It lives until the next `chatnio_session_next_transmit()` or `chatnio_session_free()`, which wipe it.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_AGAIN` when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_next_transmit(
    session: Option<&mut chatnio_session>,
    message: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(session => {
        let out = message.ok_or(Failure::invalid("message is NULL"))?;
        session.transmit = session.session.poll_transmit();
        let message = session.transmit.as_ref().ok_or(Failure::AGAIN)?;
        out.write(chatnio_text::new(message));
        Ok(())
    })
}

/// Gets when `chatnio_session_handle_timeout()` wants to be called, on the host's clock; `UINT64_MAX` for never. See
/// `chatnio_timeout_ms()`.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_deadline(
    session: Option<&chatnio_session>,
    deadline: Option<&mut MaybeUninit<u64>>,
) -> i32 {
    boundary!(session => put(deadline, deadline_ms(session.session.next_deadline())))
}

/// Does what is due at `now`, one thing at a time, and hands out the frames behind the first of a message. Call it, at or after the deadline, until it answers `CHATNIO_AGAIN`;
/// calling it early does nothing.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_AGAIN` when nothing is due.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_handle_timeout(
    session: Option<&mut chatnio_session>,
    now: u64,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(session => {
        let target = Target::new(event)?;
        let chatnio_session { session, storage, kept, .. } = &mut **session;
        let event = session.handle_timeout(time(now), storage).ok_or(Failure::AGAIN)?;
        kept.show(target, event);
        Ok(())
    })
}

/// Tells the session that its connection is gone, and why (`chatnio_close_reason`). A running turn ends interrupted: its
/// end is the event, otherwise that is `CHATNIO_EVENT_NONE`. Afterwards nothing works until
/// `chatnio_session_reconnect()`; a repeated call does nothing.
///
/// Frames that wait behind the first of their message count before, a thousand at most, without events of their own: the turn
/// may come to its end by them.
///
/// A host that closes the WebSocket itself calls this before, with `CHATNIO_CLOSE_HOST`, and sends what
/// `chatnio_session_next_transmit()` then still has: what was held (`chatnio_config_set_settle()`) would be lost.
///
/// Errors: `CHATNIO_INVALID`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_closed(
    session: Option<&mut chatnio_session>,
    reason: i32,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(session => {
        let target = Target::new(event)?;
        let why = match reason {
            HOST => CloseReason::Host,
            SERVER => CloseReason::Server,
            LOST => CloseReason::Lost,
            _ => return Err(Failure::invalid("no such reason")),
        };
        let event = session.session.closed(why);
        session.show(target, event);
        Ok(())
    })
}

/// Starts afresh for a new WebSocket, which continues the conversation that the server opened. Works in any state. A
/// running turn ends interrupted first: its end is the event, otherwise that is `CHATNIO_EVENT_NONE`. Turn numbers and
/// counters go on, a recording starts afresh.
///
/// What the server loads is what it saved last: the question, perhaps not the answer.
///
/// Errors: `CHATNIO_INVALID`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_reconnect(
    session: Option<&mut chatnio_session>,
    now: u64,
    event: *mut chatnio_event,
) -> i32 {
    boundary!(session => {
        let target = Target::new(event)?;
        let event = session.session.reconnect(time(now));
        session.show(target, event);
        Ok(())
    })
}

/// Gets what the session is doing (`chatnio_state`).
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_state(
    session: Option<&chatnio_session>,
    state: Option<&mut MaybeUninit<i32>>,
) -> i32 {
    boundary!(session => put(state, state_of(session.session.state())))
}

/// Gets the running turn's answer so far. Its texts live until the next call that fills an event, or frees the session.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_ABSENT` when no turn runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_answer(session: Option<&chatnio_session>, answer: *mut chatnio_answer) -> i32 {
    boundary!(session => chatnio_answer::show_running(Target::new(answer)?, session.session.answer()))
}

/// Gets which conversation the session is in, as far as the server has said.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_conversation(
    session: Option<&chatnio_session>,
    conversation: Option<&mut MaybeUninit<chatnio_conversation>>,
) -> i32 {
    boundary!(session => put_conversation(conversation, session.session.conversation()))
}

/// Gets what the session has counted.
///
/// Errors: `CHATNIO_INVALID`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_counters(
    session: Option<&chatnio_session>,
    counters: *mut chatnio_counters,
) -> i32 {
    boundary!(session => {
        Target::new(counters)?.fill(session.session.counters().into());
        Ok(())
    })
}

/// Gets about how many bytes the session holds: messages, the running answer, the last event's answer, the recording.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_memory(
    session: Option<&chatnio_session>,
    bytes: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    boundary!(session => {
        let transmit = session.transmit.as_ref().map_or(0, |message| message.len());
        let shown = session.storage.memory() + session.next_message.capacity() + session.kept.memory();
        put(bytes, size_of::<chatnio_session>() + session.session.memory() + shown + transmit)
    })
}

/// Makes a transcript of what was sent and received so far, without tokens, if the configuration records: of this
/// connection, for a reconnect begins a new one. Free it with `chatnio_transcript_free()`.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_ABSENT` when nothing is recorded.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_transcript(
    session: Option<&chatnio_session>,
    out: Option<&mut MaybeUninit<*mut chatnio_transcript>>,
) -> i32 {
    boundary!(session => {
        chatnio_transcript::hand_over(out, session.session.transcript().cloned())
    })
}

/// Copies the text of the last failed call on `session` into `buffer`: as much as fits, NUL-terminated. `length`, which
/// may be NULL, gets the whole length without the NUL; 0 when no call has failed. `(NULL, 0)` only asks for the length.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_error(
    session: Option<&chatnio_session>,
    buffer: *mut c_char,
    capacity: usize,
    length: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    crate::boundary::error_text(session, buffer, capacity, length)
}

/// Frees a session and wipes its token; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_session_free(session: Option<Box<chatnio_session>>) {
    free(session);
}

fn closed() -> Failure {
    Failure::from(chatnio_core::RequestError::Closed)
}
