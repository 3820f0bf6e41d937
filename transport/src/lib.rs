//! A client for the Chat Nio (CoAI) streaming chat protocol.
//!
//! Three levels, each on top of the one before:
//!
//! | level | for hosts with | |
//! | --- | --- | --- |
//! | message | a WebSocket of their own | [`Session`], from the crate `chatnio-core` (all of it is re-exported) |
//! | byte | a socket and an event loop of their own | [`Connection`]: TLS, WebSocket and session, without I/O |
//! | blocking | nothing of the kind | [`Client`]: a `TcpStream` and a connection |
//!
//! With the feature `rest` the module `rest` makes the companion HTTP calls: stored conversations, quota, models.
//!
//! # Errors
//!
//! What ends a turn or a session is told in the table of `chatnio-core`. Above it:
//!
//! | error | what to do |
//! | --- | --- |
//! | [`EndpointError`], [`HeaderError`], [`TlsOptionsError`], [`StartError`] | correct the settings |
//! | [`WireError::Throttled`], inside [`ConnectionEnd::Lost`] | reconnect after a while: [`HttpRefusal::retry_after`], or 1.1 s |
//! | [`WireError::Unavailable`] | reconnect after a while: the server behind the gateway is away |
//! | [`WireError::Http`], [`WireError::Refused`], [`WireError::Upgrade`], [`WireError::BadHttp`], [`WireError::Tls`] | check the URL and whom you trust: trying again brings the same |
//! | any other [`ConnectionEnd::Lost`], [`ConnectionEnd::ByServer`] | the session has ended: reconnect, which goes on in the same conversation |
//! | [`ClientError::Resolve`], [`Connect`](ClientError::Connect), [`ConnectTimeout`](ClientError::ConnectTimeout) | check the host, or try again |
//! | [`ClientError::Interrupted`] | the connection holds and drains: ask again when it is idle, or reconnect |
//! | [`ClientError::Request`] | as [`RequestError`] says |
//!
//! No error shows a token, nor another secret that a server repeats: see [`ConnectionEnd`]. Otherwise what a server said in one
//! (a reason, a body) is bounded, and as it came: a terminal wants control characters filtered.

mod buffer;
mod client;
mod client_certificate;
mod clock;
mod config;
mod connection;
mod dial;
mod end;
mod endpoint;
mod error;
mod handshake;
mod headers;
mod hop;
mod http_answer;
mod http_body;
mod http_head;
mod http_refusal;
mod key_log;
mod masked;
mod os;
mod os_words;
mod pipe;
mod proxy;
mod proxy_error;
mod random;
#[cfg(feature = "rest-calls")]
pub mod rest;
mod retry_after;
mod secret_url;
mod secrets;
#[cfg(test)]
mod test_peer;
mod tls;
mod tls_error;
mod tls_options;
mod tls_verifier;
mod tls_words;
mod websocket;
mod wire;

pub use chatnio_core::*;

pub use client::{Client, ClientError, Pieces, Stopper, Tries};
pub use clock::WallClock;
pub use config::{ConnectionConfig, Limiter};
pub use connection::{Connection, ConnectionEvent, StartError, Undrained};
pub use dial::{Dial, Dialer};
pub use end::ConnectionEnd;
pub use endpoint::{Endpoint, EndpointError};
pub use error::{Step, UpgradeError, WireError};
pub use headers::{HeaderError, Headers};
pub use hop::Hop;
pub use http_refusal::HttpRefusal;
pub use os_words::os_words;
pub use proxy::{Proxy, ProxyUrlError, Tunnel};
pub use proxy_error::ProxyError;
pub use tls::TlsSession;
pub use tls_error::TlsError;
pub use tls_options::{TlsConfig, TlsOptions, TlsOptionsError, Trust};

/// The README's programs, compiled and run with the other examples of the docs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
