//! A client for the Chat Nio streaming chat protocol, over bytes that the host moves.
#![cfg_attr(
    not(test),
    allow(dead_code, reason = "the connection is put on top of the wire")
)]

mod buffer;
mod clock;
mod endpoint;
mod error;
mod frame;
mod handshake;
mod headers;
mod http_body;
mod pipe;
mod tls;
mod tls_options;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the connection is put on top of it")
)]
mod wire;

pub use clock::WallClock;
pub use endpoint::{Endpoint, EndpointError};
pub use error::{Step, TlsError, UpgradeError, WireError};
pub use headers::{HeaderError, Headers};
pub use tls_options::{TlsConfig, TlsOptions, TlsOptionsError, Trust};
