//! A client for the Chat Nio (CoAI) streaming chat protocol.
//!
//! Three levels, each on top of the one before:
//!
//! | level | for hosts with | |
//! | --- | --- | --- |
//! | message | a WebSocket of their own | [`Session`], from the crate `chatnio-core` (all of it is re-exported) |
//! | byte | a socket and an event loop of their own | [`Connection`]: TLS, WebSocket and session, without I/O |
//! | blocking | nothing of the kind | [`Client`]: a `TcpStream` and a connection |

mod buffer;
mod client;
mod clock;
mod config;
mod connection;
mod endpoint;
mod error;
mod frame;
mod handshake;
mod headers;
mod http_body;
mod pipe;
#[cfg(test)]
mod test_peer;
mod tls;
mod tls_options;
mod wire;

pub use chatnio_core::*;

pub use client::{Client, ClientError, Pieces, Stopper};
pub use clock::WallClock;
pub use config::ConnectionConfig;
pub use connection::{Connection, ConnectionEnd, ConnectionEvent, StartError};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{Step, TlsError, UpgradeError, WireError};
pub use headers::{HeaderError, Headers};
pub use tls_options::{TlsConfig, TlsOptions, TlsOptionsError, Trust};

/// The README's programs, compiled and run with the other examples of the docs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
