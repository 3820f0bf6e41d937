//! The Chat Nio (CoAI) client of [`chatnio`] on tokio.
//!
//! Thin: the protocol is [`chatnio::Connection`]'s, and this crate adds the socket, the timer and a task for each
//! connection, which needs a runtime with I/O and time enabled. What a connection is set up with, requests, answers and
//! errors are `chatnio`'s own types; they are re-exported.
//!
//! ```no_run
//! use chatnio_tokio::{Auth, Client, ConnectionConfig, Request};
//!
//! # async fn run() -> Result<(), chatnio_tokio::ClientError> {
//! let mut client = Client::connect("wss://api.chatnio.net", Auth::new("sk-..."), &ConnectionConfig::default()).await?;
//! let mut pieces = client.ask(&Request::chat("hi").model("gpt-4")).await?;
//! while let Some(piece) = pieces.next().await {
//!     print!("{}", piece?);
//! }
//! println!("{:?}", pieces.answer());
//! client.close().await
//! # }
//! ```
//!
//! With the feature `rest` the module `rest` makes the companion HTTP calls: stored conversations, quota, models.
//!
//! # Leaving
//! Every future and stream here may be dropped at any time:
//!
//! | dropped | what happens |
//! | --- | --- |
//! | what [`Client::connect`] returned | nothing is left: the socket is closed |
//! | [`Pieces`], [`Events`] before the end | the answer is stopped at the server; the connection takes in what still comes |
//! | what [`Client::ask`] returned | nothing was asked, or, once it was, it is stopped |
//! | what [`Client::reconnect`] returned | the client has no connection, until it is reconnected |
//! | what [`Client::close`] returned | the connection closes all the same |
//! | [`Client`], and the streams of its answers | the running answer is stopped, and the connection is closed in an orderly way, by its task |
//! | the runtime | the connection is lost; who waits on another runtime is told so |
//!
//! # Runtimes
//! A client belongs to the runtime on which it was connected last. It may be used on any, but what it does is done there. A
//! `current_thread` runtime rests as soon as its `block_on` returns: then nothing is read and no ping is answered, and who
//! waits on another runtime waits for the client's deadlines: an answer ends late
//! ([`Interruption::FirstFrameDeadline`] or the like), and [`Client::close`] within
//! [`ConnectionConfig::close`](chatnio::ConnectionConfig::close) by an error that says that the server did not answer. Keep
//! that runtime running, or [`reconnect`](Client::reconnect) on the other, to which the client belongs from then on.
//! (Outside of every runtime there are no timers, and who waits there waits until the client's runtime runs.)
//!
//! # Slow readers
//! What arrives waits for its reader, up to 4096 events or 4 MiB. Then the socket is read no further, which holds the server
//! back, and no deadline counts until the reader goes on.

mod client;
mod clock;
mod connect;
mod deputy;
mod dial;
mod drive;
mod event;
#[cfg(feature = "rest")]
pub mod rest;
mod shared;
mod stopper;
mod streams;
mod turn;

/// All that is not named here: transcripts, refusals, the levels below.
pub use chatnio;
pub use chatnio::{
    Answer, Auth, ClientError, Config, ConnectionConfig, ConnectionEnd, Conversation, Counters, Endpoint, Interruption,
    Limiter, MaskMessage, Outcome, Proxy, Request, RequestError, RequestKind, State, TlsOptions, Trust, WireError,
};

pub use client::Client;
pub use event::{Event, Frame, Quota};
pub use stopper::Stopper;
pub use streams::{Events, Pieces};
