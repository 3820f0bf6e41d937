//! `Config`: a session's settings.

use alloc::vec::Vec;
use core::time::Duration;

use crate::request_error::RequestError;

/// A session's settings. Every deadline and limit is off when it is zero.
///
/// ```
/// use std::time::Duration;
///
/// let mut config = chatnio_core::Config::default();
/// config.first_frame = Duration::from_secs(30);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Send the authentication at once instead of with the first request. Off: the server takes a new
    /// conversation's id when it reads the authentication and does not reserve it, so two idle connections would
    /// share one (protocol.md, R1.10 and R1.12).
    pub auth_at_once: bool,
    /// Gather each answer's text in its [`Answer`](crate::Answer). On; a host that only wants the pieces can spare
    /// the memory.
    pub keep_text: bool,
    /// Send a keep-alive after this long without a message in either direction. 25 s.
    pub keep_alive: Duration,
    /// How long a turn's first frame may take. 120 s: a web search comes before it.
    pub first_frame: Duration,
    /// How long each further frame may take, counted from the last. 120 s. A message that cannot be read is none: a server
    /// that sends nothing else comes to its end. An empty piece is one, for servers send many: those for ever are bounded by
    /// [`answer_within`](Self::answer_within) alone. A video job sends a frame only when its progress changes, and may take
    /// 30 minutes: such a question wants more, by [`Request::next_frame`](crate::Request::next_frame).
    pub next_frame: Duration,
    /// How long a whole answer may take, counted from when its request goes out. Off: answers may be long, and a video job
    /// takes up to 30 minutes.
    pub answer_within: Duration,
    /// How long a turn may go on after its stop was sent. 10 s.
    pub after_stop: Duration,
    /// How long the server is left in peace after the end of an answer, before a request goes out that it could lose: one
    /// that has no answer, and any at all when the stop was repeated (protocol.md, R5.5, R5.6). Also before any question
    /// on a connection that opens its turns and has ended one by a notice, without its opener: should that still come, and the
    /// answer behind it, it is seen to be no later question's (R5.13). Such a request is accepted at once, and held. A
    /// connection that is lost or made anew meanwhile loses it. 0.25 s.
    pub settle: Duration,
    /// When a stop is sent again, counted from the first, in rising order. 0.15, 1, 2 and 4 s: servers may swallow
    /// a stop (protocol.md, R5.3), but their queue holds only ten requests (R2.35). Empty: never.
    pub stop_repeats: Vec<Duration>,
    /// The longest message to accept from the server, in bytes. 32 MiB: an image comes as one frame of up to 16 MiB
    /// (protocol.md, R3.21). Memory is taken as the bytes come, not as a header announces them.
    pub max_message: usize,
    /// The longest message to send, in bytes. 8 MiB: a question may hold photos, and one of 20 MB is
    /// never answered (protocol.md, R9.2 and R2.14). Four times as much may wait to be sent, and one request more.
    pub max_request: usize,
    /// The longest answer to accept, in bytes of its text. 64 MiB.
    pub max_answer: usize,
    /// Record what is sent and received, without tokens: see [`Session::transcript`](crate::Session::transcript). Off.
    pub record: bool,
    /// Record when that was, too: see [`Entry::at`](crate::transcript::Entry::at). Off.
    pub record_times: bool,
    /// How much to record, in bytes; what comes after is left out. 64 MiB.
    pub max_recording: usize,
}

impl Config {
    /// Whether a request may be added to `waiting` bytes that were not sent: [`max_request`](Self::max_request) says.
    /// [`Session`](crate::Session) counts what was not taken from it. This is for hosts that count what they have taken and
    /// not sent.
    ///
    /// # Errors
    /// [`RequestError::Unsent`].
    pub fn check_unsent(&self, waiting: usize) -> Result<(), RequestError> {
        let limit = self.max_request.saturating_mul(4);
        if limit != 0 && waiting > limit { Err(RequestError::Unsent { waiting, limit }) } else { Ok(()) }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            auth_at_once: false,
            keep_text: true,
            keep_alive: Duration::from_secs(25),
            first_frame: Duration::from_secs(120),
            next_frame: Duration::from_secs(120),
            answer_within: Duration::ZERO,
            after_stop: Duration::from_secs(10),
            settle: Duration::from_millis(250),
            stop_repeats: [150, 1000, 2000, 4000].map(Duration::from_millis).into(),
            max_message: 32 << 20,
            max_request: 8 << 20,
            max_answer: 64 << 20,
            record: false,
            record_times: false,
            max_recording: 64 << 20,
        }
    }
}
