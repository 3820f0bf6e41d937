//! Replaying a transcript: the client's side of it, step by step.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use core::time::Duration;

use super::sent::{self, Sent};
use super::{Entry, EntryKind, Transcript};
use crate::auth::Auth;
use crate::event::{Event, EventStorage};
use crate::request::Request;
use crate::session::{CloseReason, Session};
use crate::state::State;

/// The client's side of a [`Transcript`], step by step.
///
/// [`run`](Self::run) plays it through a [`Session`]; a host that wants to play it through something else (a
/// connection to a scripted server, say) takes the steps one by one with [`next_step`](Self::next_step).
#[derive(Debug)]
pub struct Replay {
    entries: vec::IntoIter<Entry>,
    /// The line that the authentication was taken from.
    auth_line: Option<usize>,
    /// Requests that came while a turn ran, by line, until it ends.
    held: VecDeque<(usize, Request)>,
    warnings: VecDeque<(usize, String)>,
}

/// One step of a [`Replay`].
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Make this request.
    Request {
        /// The line of the SEND.
        line: usize,
        /// The request.
        request: Request,
    },
    /// This message arrives: an event comes of each of its frames.
    Receive {
        /// The line of the RECV.
        line: usize,
        /// The message.
        message: String,
    },
    /// The server closes the connection.
    Closed {
        /// The line.
        line: usize,
    },
    /// Something on this line cannot be replayed as it stands.
    Warning {
        /// The line.
        line: usize,
        /// What, and what becomes of it.
        message: String,
    },
}

/// What [`Replay::run`] tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum Replayed<'a> {
    /// An event of the session.
    Event {
        /// The line that it came from; `None` behind the last.
        line: Option<usize>,
        /// The event.
        event: Event<'a>,
    },
    /// A warning of the replay.
    Warning {
        /// The line.
        line: usize,
        /// What could not be replayed.
        message: String,
    },
}

impl Replay {
    /// A replay from the beginning, and the authentication that the session or connection is to be made with: the
    /// transcript's own, or anonymous where it has none.
    pub fn new(transcript: &Transcript) -> (Self, Auth) {
        let first = transcript.entries.iter().find_map(|entry| match &entry.kind {
            EntryKind::Send(message) => match sent::parse(message) {
                Ok(Sent::Ping) => None,
                Ok(Sent::Auth(auth)) => Some(Ok((entry.line, auth))),
                _ => Some(Err(entry.line)),
            },
            _ => None,
        });
        let mut replay = Replay {
            entries: transcript.entries.clone().into_iter(),
            auth_line: None,
            held: VecDeque::new(),
            warnings: VecDeque::new(),
        };
        let auth = match first {
            Some(Ok((line, auth))) => {
                replay.auth_line = Some(line);
                auth
            }
            Some(Err(line)) => {
                let message = "the first SEND is no valid authentication: replayed as anonymous";
                replay.warnings.push_back((line, message.to_string()));
                Auth::anonymous()
            }
            None => Auth::anonymous(),
        };
        (replay, auth)
    }

    /// The next step, given the state that all steps before it have led to; `None` at the end. A request that has
    /// to wait for the end of a turn is held back, with a warning, until `state` is idle.
    pub fn next_step(&mut self, state: State) -> Option<Step> {
        loop {
            if let Some((line, message)) = self.warnings.pop_front() {
                return Some(Step::Warning { line, message });
            }
            if state == State::Idle
                && let Some((line, request)) = self.held.pop_front()
            {
                return Some(Step::Request { line, request });
            }
            let Some(Entry { line, kind, .. }) = self.entries.next() else {
                let (line, request) = self.held.pop_front()?;
                let message = format!("`{}` was not sent: the turn before it has no end", request.kind());
                return Some(Step::Warning { line, message });
            };
            match kind {
                EntryKind::Receive(message) => return Some(Step::Receive { line, message }),
                EntryKind::Closed => return Some(Step::Closed { line }),
                EntryKind::Send(message) => {
                    if let Some(step) = self.sent(line, &message, state) {
                        return Some(step);
                    }
                }
            }
        }
    }

    fn sent(&mut self, line: usize, message: &str, state: State) -> Option<Step> {
        let warning = |message| Some(Step::Warning { line, message });
        match sent::parse(message) {
            Ok(Sent::Ping) => None,
            Ok(Sent::Auth(_)) if self.auth_line == Some(line) => None,
            Ok(Sent::Auth(_)) => warning("skipped: a connection authenticates once, first".into()),
            Err(error) => warning(format!("skipped: {error}")),
            Ok(Sent::Request { request, unknown }) => {
                for name in unknown {
                    self.warnings
                        .push_back((line, format!("`{name}` cannot be sent with this request and was left out")));
                }
                let is_stop = request == Request::stop();
                let busy = !matches!(state, State::Idle | State::Closed);
                if !is_stop && (busy || !self.held.is_empty()) {
                    let message = format!("`{}` was held back until the running turn has ended", request.kind());
                    self.held.push_back((line, request));
                    return warning(message);
                }
                Some(Step::Request { line, request })
            }
        }
    }

    /// Plays the whole transcript through `session`, which was made with the authentication from
    /// [`new`](Self::new), and tells `tell` what comes of it. Time stands still at `now`. A transcript that ends
    /// mid-turn ends it interrupted, as closed by the host.
    pub fn run(mut self, session: &mut Session, now: Duration, mut tell: impl FnMut(Replayed<'_>)) {
        let mut storage = EventStorage::new();
        while let Some(step) = self.next_step(session.state()) {
            match step {
                Step::Warning { line, message } => tell(Replayed::Warning { line, message }),
                Step::Request { line, request } => match session.request(now, &request) {
                    Ok(()) => while session.poll_transmit().is_some() {},
                    Err(error) => tell(Replayed::Warning { line, message: format!("skipped: {error}") }),
                },
                Step::Receive { line, message } => {
                    if let Some(event) = session.receive(now, &message, &mut storage) {
                        tell(Replayed::Event { line: Some(line), event });
                    } else {
                        tell(Replayed::Warning { line, message: "the session is closed".into() });
                    }
                    // The frames behind the first are due at once.
                    while let Some(event) = session.handle_timeout(now, &mut storage) {
                        tell(Replayed::Event { line: Some(line), event });
                    }
                }
                Step::Closed { line } => {
                    if let Some(event) = session.closed(CloseReason::Server) {
                        tell(Replayed::Event { line: Some(line), event });
                    }
                }
            }
        }
        if let Some(event) = session.closed(CloseReason::Host) {
            tell(Replayed::Event { line: None, event });
        }
    }
}
