//! A pure state machine for the Chat Nio (CoAI) streaming chat protocol: it encodes the authentication and the
//! requests, decodes and gathers the chunks of the answers, and keeps turns, deadlines and errors.
//!
//! It does no I/O at all: no socket, no clock, no thread, no randomness, `no_std` with `alloc`. Text messages of a
//! WebSocket go in and out, and the host says what time it is. For one with sockets see the crate `chatnio`.
//!
//! # The loop
//!
//! What the host of a [`Session`] does when:
//!
//! | after | do |
//! | --- | --- |
//! | any call that takes `now` | send all that [`poll_transmit`](Session::poll_transmit) hands out, then arm the timer with [`next_deadline`](Session::next_deadline) anew |
//! | a text message came | [`receive`](Session::receive): one event |
//! | a binary message came | [`receive_binary`](Session::receive_binary) |
//! | the timer ran out | [`handle_timeout`](Session::handle_timeout) until it returns `None` |
//! | the connection is gone | [`closed`](Session::closed): the running turn's end, if there is one |
//! | [`state`](Session::state) is [`Closed`](State::Closed) without that | close the WebSocket, and [`reconnect`](Session::reconnect) over another: the server answered what was not asked |
//!
//! ```
//! use chatnio_core::{Auth, CloseReason, Config, Event, EventStorage, Request, Session};
//! use std::time::Duration;
//!
//! /// A WebSocket of the host's own.
//! trait WebSocket {
//!     fn now(&self) -> Duration;
//!     fn send(&mut self, text: &str);
//!     /// The next message, or `None` at the deadline.
//!     fn receive(&mut self, until: Option<Duration>) -> Result<Option<String>, Lost>;
//! }
//! struct Lost;
//!
//! fn ask(socket: &mut impl WebSocket, question: &str) -> String {
//!     let mut session = Session::new(Auth::anonymous(), Config::default(), socket.now()).unwrap();
//!     session.request(socket.now(), &Request::chat(question).model("gpt-4")).unwrap();
//!     let mut storage = EventStorage::new();
//!     loop {
//!         while let Some(message) = session.poll_transmit() {
//!             socket.send(&message);
//!         }
//!         let received = socket.receive(session.next_deadline());
//!         let now = socket.now();
//!         let event = match &received {
//!             Ok(Some(text)) => session.receive(now, text, &mut storage),
//!             Ok(None) => session.handle_timeout(now, &mut storage),
//!             Err(Lost) => session.closed(CloseReason::Lost),
//!         };
//!         match event {
//!             Some(Event::Delta { text, .. }) => print!("{text}"),
//!             Some(Event::End(end)) => {
//!                 print!("{}", end.text);
//!                 return end.answer.text;
//!             }
//!             _ => {}
//!         }
//!     }
//! }
//! # struct Fake(Vec<&'static str>);
//! # impl WebSocket for Fake {
//! #     fn now(&self) -> Duration { Duration::ZERO }
//! #     fn send(&mut self, _: &str) {}
//! #     fn receive(&mut self, _: Option<Duration>) -> Result<Option<String>, Lost> {
//! #         if self.0.is_empty() { Err(Lost) } else { Ok(Some(self.0.remove(0).into())) }
//! #     }
//! # }
//! # assert_eq!(ask(&mut Fake(vec![r#"{"message":"Hello"}"#, r#"{"end":true}"#]), "hi"), "Hello");
//! # assert_eq!(ask(&mut Fake(vec![r#"{"message":"Hel"}"#]), "hi"), "Hel");
//! ```
//!
//! # Turns
//!
//! A chat or a restart that was sent begins a turn, and exactly one [`Event::End`] ends it, whatever happens; it
//! hands the [`Answer`] over. One turn runs at a time: the server takes nothing but a stop while it answers.
//!
//! # States
//!
//! What a session does for each input in each [`State`]: where that leads, which event comes of it, and which message
//! goes out.
//!
//! | input | what happens |
//! | --- | --- |
//! | ask, tell, stop | the host makes a request that is answered, one that is not, or a stop |
//! | opener, piece, end | such a frame comes; in `draining`, of the turn that was given up |
//! | stray | a frame that is nobody's comes, such as the second end that a stop leaves |
//! | out of place | a frame comes that the server cannot mean as it came (protocol.md, R5.13): whose the next answer is, nobody could tell |
//! | unreadable, too long | a message cannot be read; a message, or the answer, is over its limit |
//! | late, repeat, silence | a deadline of the turn passes; the stop is due again; the connection was silent for long |
//! | close, reconnect | the connection is gone; the host has another |
//!
#![doc = include_str!("states.md")]
//!
//! # Errors
//!
//! | error | retry? | ends the turn | ends the session |
//! | --- | --- | --- | --- |
//! | [`AuthError`] | no: correct it | | there is none yet |
//! | [`RequestError::Busy`] | yes, after the turn's end | no | no |
//! | [`RequestError::Unsent`] | yes, once more was sent | no | no |
//! | [`RequestError::Closed`] | after [`Session::reconnect`] | | it has ended |
//! | any other [`RequestError`] | no: correct it | no | no |
//! | [`Malformed`] | | no; the [`Answer`] counts it | no |
//! | [`Reason::TooLong`] | | no turn runs | no |
//! | [`Interruption::FirstFrameDeadline`], [`NextFrameDeadline`](Interruption::NextFrameDeadline), [`AfterStopDeadline`](Interruption::AfterStopDeadline), [`AnswerDeadline`](Interruption::AnswerDeadline) | ask again once it is idle, or reconnect | yes | no: it drains |
//! | [`Interruption::MessageTooLong`], [`AnswerTooLong`](Interruption::AnswerTooLong) | ask again once it is idle, or reconnect | yes | no: it drains |
//! | [`Interruption::ClosedByServer`], [`ConnectionLost`](Interruption::ConnectionLost), [`NotConnected`](Interruption::NotConnected), [`ProtocolBroken`](Interruption::ProtocolBroken), [`InvalidUtf8`](Interruption::InvalidUtf8), [`Unresponsive`](Interruption::Unresponsive), [`TlsFailed`](Interruption::TlsFailed), [`ClosedByHost`](Interruption::ClosedByHost) | after [`Session::reconnect`] | yes | yes |
//! | [`Interruption::Reconnected`] | yes, at once | yes | no: it is fresh |
//!
//! A call that fails changes nothing: what was received is kept, and the session can be used on. After a session
//! has ended, every call but `reconnect` is inert: requests are refused, nothing is transmitted, no deadline runs.
//!
//! # More than the chat
//!
//! With the feature `rest` the module `rest` has the companion HTTP calls: stored conversations, quota, models.
//!
//! The rules of "protocol.md" that the docs cite, such as R5.3, are those of the project's description of the
//! protocol, as real servers speak it.

#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod answer;
mod auth;
mod backlog;
mod chunk;
mod config;
mod conversation;
mod decimal;
mod event;
mod fields;
mod json;
mod malformed;
mod message;
mod names;
mod openers;
mod outbox;
mod parameters;
mod quota;
mod request;
mod request_error;
#[cfg(feature = "rest")]
pub mod rest;
mod retry;
mod secrets;
mod session;
mod state;
#[cfg(test)]
mod test_docs;
mod throttling;
pub mod transcript;
mod turn;
mod unescape;
mod usual;

pub use answer::{Answer, Interruption, Outcome};
pub use auth::{Auth, AuthError};
pub use backlog::MOST_AT_ONCE;
pub use chunk::{Chunk, Text};
pub use config::Config;
pub use conversation::Conversation;
pub use event::{End, Event, EventStorage};
pub use malformed::{Malformed, Reason};
pub use message::{Message, MessageKind, RequestKind};
pub use quota::Quota;
pub use request::{MaskMessage, Request};
pub use request_error::RequestError;
pub use retry::{ConnectLimiter, Retry, RetryCause};
pub use secrets::Secrets;
pub use session::{CloseReason, Counters, Session};
pub use state::State;
pub use throttling::is_throttling;
