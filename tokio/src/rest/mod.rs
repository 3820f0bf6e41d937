//! The companion HTTP calls (docs/rest.md), and a client that makes them on tokio.
//!
//! The calls, their answers and errors are those of `chatnio::rest`, all of which is re-exported; a [`Client`] does the HTTP
//! by `hyper`, over sockets, proxies and TLS that are the chat's.
//!
//! ```no_run
//! use chatnio_tokio::{Auth, ConnectionConfig, rest};
//!
//! # async fn run() -> Result<(), rest::ClientError> {
//! let client = rest::Client::new("wss://chat.example.com/api", Auth::new("sk-..."), &ConnectionConfig::default())?;
//! println!("{} left", client.call(&rest::quota()).await?);
//! for conversation in client.call(&rest::conversations()).await? {
//!     println!("{} {}", conversation.id, conversation.name);
//! }
//! # Ok(())
//! # }
//! ```

mod client;
mod connect;

pub use chatnio::rest::*;

pub use client::Client;
