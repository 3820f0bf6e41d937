//! `chatnio_transcript` and `chatnio_replay`: recorded frames, and how to play them.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;

use chatnio_core::transcript::{Replay, Step, Transcript};
use chatnio_core::{Auth, State};

use crate::auth::chatnio_auth;
use crate::boundary::{Health, Object, boundary, free, input, put};
use crate::error::{chatnio_error, construct};
use crate::event::state_of;
use crate::failure::Failure;
use crate::growing::{Growing, Target};
use crate::request::chatnio_request;
use crate::view::chatnio_text;

/// The frames of one connection, as readable text, which is never changed:
///
///     WEBSOCKET wss://api.chatnio.net/chat
///
///     > SEND {"token":"sk-...","id":-1}
///     > SEND {"type":"chat","message":"hi"}  // a comment
///     < RECV {"message":"Hello","quota":0.1,"end":false}
///     ! CLOSED
pub struct chatnio_transcript {
    health: Health,
    value: Transcript,
    text: String,
}

impl Object for chatnio_transcript {
    fn health(&self) -> &Health {
        &self.health
    }
}

impl chatnio_transcript {
    fn new(value: Transcript) -> Self {
        chatnio_transcript { health: Health::new(), text: value.to_string(), value }
    }

    /// Hands a recording over, if there is one.
    pub(crate) fn hand_over(
        out: Option<&mut MaybeUninit<*mut chatnio_transcript>>,
        recorded: Option<Transcript>,
    ) -> Result<(), Failure> {
        let out = out.ok_or(Failure::invalid("out is NULL"))?;
        let recorded = recorded.ok_or_else(Failure::absent)?;
        crate::boundary::hand_over(out, chatnio_transcript::new(recorded));
        Ok(())
    }

    #[cfg(feature = "testing")]
    pub(crate) fn value(&self) -> &Transcript {
        &self.value
    }
}

/// Reads a transcript. Its messages are not decoded: a recording may hold malformed ones.
///
/// On failure `error`, if it is not NULL, gets a text to be freed, which names the line.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`, `CHATNIO_BAD_TRANSCRIPT`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_transcript_parse(
    text: *const c_char,
    text_len: usize,
    out: Option<&mut MaybeUninit<*mut chatnio_transcript>>,
    error: Option<&mut MaybeUninit<*mut chatnio_error>>,
) -> i32 {
    construct(out, error, || Ok(chatnio_transcript::new(Transcript::parse(input!(text text, text_len)?)?)))
}

/// Gets a transcript as text, in the form that `chatnio_transcript_parse()` reads. It lives until
/// `chatnio_transcript_free()`.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_transcript_text(
    transcript: Option<&chatnio_transcript>,
    text: Option<&mut MaybeUninit<chatnio_text>>,
) -> i32 {
    boundary!(transcript => put(text, chatnio_text::new(&transcript.text)))
}

/// Frees a transcript; NULL is fine. A replay of it goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_transcript_free(transcript: Option<Box<chatnio_transcript>>) {
    free(transcript);
}

/// The client's side of a transcript, step by step: what a test plays through a session or a connection.
pub struct chatnio_replay {
    health: Health,
    replay: Replay,
    auth: Auth,
    /// What the last step points to.
    text: String,
    request: Option<Box<chatnio_request>>,
}

impl Object for chatnio_replay {
    fn health(&self) -> &Health {
        &self.health
    }
}

/// The kinds of steps. A minor version may add more.
#[repr(C)]
pub enum chatnio_step_kind {
    /// Make this request.
    CHATNIO_STEP_REQUEST = 1,
    /// This message arrives, in `text`.
    CHATNIO_STEP_RECEIVE = 2,
    /// The server closes the connection.
    CHATNIO_STEP_CLOSED = 3,
    /// Something on this line cannot be replayed as it stands: `text` says what, and what becomes of it.
    CHATNIO_STEP_WARNING = 4,
}

use chatnio_step_kind::*;

/// One step of a replay. The caller sets `size`, the library fills the rest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct chatnio_step {
    /// As in `chatnio_event`.
    pub size: usize,
    /// What to do (`chatnio_step_kind`).
    pub kind: i32,
    /// The line of the transcript, from 1.
    pub line: usize,
    /// A message that arrives, or a warning; otherwise absent.
    pub text: chatnio_text,
    /// The request to make, whose type `chatnio_request_get_type()` tells; otherwise NULL. It belongs to the replay.
    pub request: *const chatnio_request,
}

// SAFETY: `repr(C)`, and `size` is the first field.
unsafe impl Growing for chatnio_step {
    const V1: usize = size_of::<Self>();
}

/// Begins a replay of `transcript`, which may be freed then.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_replay_new(
    transcript: Option<&chatnio_transcript>,
    out: Option<&mut MaybeUninit<*mut chatnio_replay>>,
) -> i32 {
    boundary!(transcript => {
        let out = out.ok_or(Failure::invalid("out is NULL"))?;
        let (replay, auth) = Replay::new(&transcript.value);
        let health = Health::new();
        crate::boundary::hand_over(out, chatnio_replay { health, replay, auth, text: String::new(), request: None });
        Ok(())
    })
}

/// Makes the authentication that the session or connection is to be made with: the transcript's own, or anonymous where
/// it has none. Free it with `chatnio_auth_free()`.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_replay_auth(
    replay: Option<&chatnio_replay>,
    out: Option<&mut MaybeUninit<*mut chatnio_auth>>,
) -> i32 {
    boundary!(replay => {
        crate::boundary::hand_over(out.ok_or(Failure::invalid("out is NULL"))?, chatnio_auth::new(replay.auth.clone()));
        Ok(())
    })
}

/// Gets the next step, given the state that all steps before it have led to (`chatnio_state`). A request that has to
/// wait for the end of a turn is held back, with a warning, until the state is idle.
///
/// What the step points to lives until the next step, or `chatnio_replay_free()`.
///
/// Errors: `CHATNIO_INVALID`, also for an unknown state; `CHATNIO_ABSENT` at the end of the transcript.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_replay_next_step(
    replay: Option<&mut chatnio_replay>,
    state: i32,
    step: *mut chatnio_step,
) -> i32 {
    boundary!(replay => {
        let target = Target::new(step)?;
        let state = state_from(state)?;
        let step = replay.replay.next_step(state).ok_or_else(Failure::absent)?;
        let (kind, line, text, request) = match step {
            Step::Request { line, request } => (CHATNIO_STEP_REQUEST, line, None, Some(request)),
            Step::Receive { line, message } => (CHATNIO_STEP_RECEIVE, line, Some(message), None),
            Step::Closed { line } => (CHATNIO_STEP_CLOSED, line, None, None),
            Step::Warning { line, message } => (CHATNIO_STEP_WARNING, line, Some(message), None),
            _ => return Err(Failure::absent()),
        };
        let has_text = text.is_some();
        replay.text = text.unwrap_or_default();
        replay.request = request.map(|request| Box::new(chatnio_request::ready(request)));
        target.fill(chatnio_step {
            size: size_of::<chatnio_step>(),
            kind: kind as i32,
            line,
            text: chatnio_text::optional(has_text.then_some(&replay.text)),
            request: replay.request.as_deref().map_or(ptr::null(), ptr::from_ref),
        });
        Ok(())
    })
}

/// Frees a replay; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_replay_free(replay: Option<Box<chatnio_replay>>) {
    free(replay);
}

fn state_from(state: i32) -> Result<State, Failure> {
    let found = State::ALL.into_iter().find(|known| state_of(*known) == state);
    found.ok_or(Failure::invalid("no such state"))
}
