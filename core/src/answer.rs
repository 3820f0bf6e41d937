//! `Answer`: what a turn has brought, and how it ended.

use alloc::string::String;
use core::fmt;

use crate::chunk::Chunk;
use crate::message::RequestKind;
use crate::names::names;
use crate::quota::Quota;

/// What one turn has brought. It grows with each piece and is handed over by the turn's
/// [`End`](crate::End) event.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The turn's number: 1 for a session's first chat or restart that was sent, then counting up.
    pub turn: u64,
    /// What was asked: a chat or a restart.
    pub request: RequestKind,
    /// How the turn ended; `None` while it runs.
    pub outcome: Option<Outcome>,
    /// The answer's text, Markdown as a rule (protocol.md, R9.1); what a model thinks may stand in it as
    /// `<think>...</think>` (R9.3), and an answer that only calls tools is empty (R9.4). Empty when
    /// [`Config::keep_text`](crate::Config::keep_text) is off. Never holds a notice's text.
    pub text: String,
    /// What the server said instead of the model (protocol.md, R4.1): out of quota, unknown model, the
    /// upstream's error.
    pub notice: Option<String>,
    /// Words that the web search used (2023 servers), otherwise empty.
    pub keyword: String,
    /// Paid for by a subscription: true once any frame said so.
    pub plan: bool,
    /// The conversation's id from the turn's opener (-1 for anonymous); `None` where a server sends none.
    pub conversation: Option<i64>,
    /// How many chunks carried text of the answer.
    pub chunks: u64,
    /// How many malformed messages came while the turn ran: each may be a hole in the text.
    pub malformed: u64,
    quota: f64,
    quota_text: String,
}

impl Answer {
    pub(crate) fn new(turn: u64, request: RequestKind) -> Self {
        Answer {
            turn,
            request,
            outcome: None,
            text: String::new(),
            notice: None,
            keyword: String::new(),
            plan: false,
            conversation: None,
            chunks: 0,
            malformed: 0,
            quota: 0.0,
            quota_text: String::new(),
        }
    }

    /// What the answer costs so far, in the server's unit: the running total. 0 before any. Servers charge nothing for an answer
    /// without text, such as one that was stopped before its first piece, whatever its frames have named (protocol.md, R3.19):
    /// nothing tells that apart but the empty text.
    pub fn quota(&self) -> f64 {
        self.quota
    }

    /// The quota as the server wrote it; `0` before any.
    pub fn quota_text(&self) -> &str {
        if self.quota_text.is_empty() { "0" } else { &self.quota_text }
    }

    /// What it costs so far, in the form that events have.
    pub(crate) fn running_quota<'a>(&self, space: &'a mut String) -> Quota<'a> {
        space.clear();
        space.push_str(self.quota_text());
        Quota::new(self.quota, space)
    }

    /// Takes in what a frame says beside the answer's text. A notice's quota of 0 does not reset the total.
    #[inline(always)]
    pub(crate) fn update(&mut self, chunk: &Chunk<'_>, text: &str, is_notice: bool) {
        match chunk.quota {
            _ if is_notice => self.notice = Some(text.into()),
            Some(quota) => {
                self.quota = quota.value();
                self.quota_text.clear();
                self.quota_text.push_str(quota.text());
            }
            None => {}
        }
        if let Some(keyword) = chunk.keyword.filter(|keyword| !keyword.is_empty()) {
            self.keyword.clear();
            keyword.append_to(&mut self.keyword);
        }
        self.plan |= chunk.plan;
        if self.conversation.is_none() {
            self.conversation = chunk.opener();
        }
    }
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The answer came to its end. A server ends one whose upstream broke off half-way in the same way: nothing
    /// tells them apart (protocol.md, R4.9).
    Complete,
    /// A stop was sent before the end came.
    Stopped,
    /// The server answered instead of the model, and no stop was asked: see [`Answer::notice`].
    Notice,
    /// The end never came. The text so far is kept.
    Interrupted(Interruption),
}

names! {
    impl Outcome {
        /// Every outcome; an interruption stands for all of them.
        pub ALL;
        /// `complete`, `stopped`, `notice` or `interrupted`.
        pub name;
        Complete => "complete",
        Stopped => "stopped",
        Notice => "notice",
        Interrupted(Interruption::ConnectionLost) => "interrupted",
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Interrupted(why) => write!(f, "interrupted: {why}"),
            outcome => f.write_str(outcome.name()),
        }
    }
}

/// Why a turn ended without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Interruption {
    /// No frame came within [`Config::first_frame`](crate::Config::first_frame).
    #[error("the first frame did not come in time (first_frame)")]
    FirstFrameDeadline,
    /// The next frame did not come within [`Config::next_frame`](crate::Config::next_frame).
    #[error("the next frame did not come in time (next_frame)")]
    NextFrameDeadline,
    /// The turn did not end within [`Config::after_stop`](crate::Config::after_stop) of its stop.
    #[error("the end did not come in time after the stop (after_stop)")]
    AfterStopDeadline,
    /// The answer was not over within [`Config::answer_within`](crate::Config::answer_within).
    #[error("the answer was not over in time (answer_within)")]
    AnswerDeadline,
    /// A message was over [`Config::max_message`](crate::Config::max_message).
    #[error("a message was over the limit of {limit} bytes (max_message)")]
    MessageTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The text would have grown over [`Config::max_answer`](crate::Config::max_answer). The piece that was too
    /// much is only in the event's chunk.
    #[error("the answer was over the limit of {limit} bytes (max_answer)")]
    AnswerTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The server closed the connection.
    #[error("the server closed the connection")]
    ClosedByServer,
    /// The connection was lost.
    #[error("the connection was lost")]
    ConnectionLost,
    /// The connection was not made.
    #[error("the connection could not be made")]
    NotConnected,
    /// The server broke the protocol of the connection, or that of the chat: a session ends by itself when a frame comes
    /// that cannot be the answer to what was asked (protocol.md, R5.13).
    #[error("the server broke the protocol of the connection")]
    ProtocolBroken,
    /// The server sent text that is not UTF-8.
    #[error("the server sent text that is not UTF-8")]
    InvalidUtf8,
    /// The server was silent for too long, and answered no ping.
    #[error("the server answers nothing any more, not even a ping")]
    Unresponsive,
    /// The connection's encryption failed.
    #[error("the encryption of the connection failed")]
    TlsFailed,
    /// The host closed the session.
    #[error("this program closed the session")]
    ClosedByHost,
    /// The host reconnected.
    #[error("this program reconnected")]
    Reconnected,
}

impl Interruption {
    /// Whether the same may go well when it is asked again, on a new connection if this one is over: not where the host has
    /// closed it, where TLS has failed, or where the same answer is too long again.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        match self {
            Self::FirstFrameDeadline
            | Self::NextFrameDeadline
            | Self::AfterStopDeadline
            | Self::AnswerDeadline
            | Self::ClosedByServer
            | Self::ConnectionLost
            | Self::NotConnected
            | Self::ProtocolBroken
            | Self::InvalidUtf8
            | Self::Unresponsive
            | Self::Reconnected => true,
            Self::MessageTooLong { .. } | Self::AnswerTooLong { .. } | Self::TlsFailed | Self::ClosedByHost => false,
        }
    }
}

names! {
    impl Interruption {
        /// Every interruption, with limits of 0.
        pub ALL;
        /// In the words of the settings: `first frame deadline`, ... `reconnected`.
        pub name;
        FirstFrameDeadline => "first frame deadline",
        NextFrameDeadline => "next frame deadline",
        AfterStopDeadline => "after stop deadline",
        AnswerDeadline => "answer deadline",
        MessageTooLong { limit: 0 } => "message too long",
        AnswerTooLong { limit: 0 } => "answer too long",
        ClosedByServer => "closed by server",
        ConnectionLost => "connection lost",
        NotConnected => "not connected",
        ProtocolBroken => "protocol broken",
        InvalidUtf8 => "invalid utf8",
        Unresponsive => "unresponsive",
        TlsFailed => "tls failed",
        ClosedByHost => "closed by host",
        Reconnected => "reconnected",
    }
}
