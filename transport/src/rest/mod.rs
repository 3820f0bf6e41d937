//! The companion HTTP calls (docs/rest.md), and a client that makes them.
//!
//! The calls and their answers are those of `chatnio_core::rest`, all of which is re-exported; with the feature `rest` a
//! `Client` does the HTTP, blocking, by `ureq`.
//!
#![cfg_attr(feature = "rest", doc = "```no_run")]
#![cfg_attr(not(feature = "rest"), doc = "```ignore")]
//! use chatnio::{Auth, ConnectionConfig, rest};
//!
//! let client = rest::Client::new("wss://chat.example.com/api", Auth::new("sk-..."), &ConnectionConfig::default())?;
//! println!("{} left", client.call(&rest::quota())?);
//! for conversation in client.call(&rest::conversations())? {
//!     println!("{} {}", conversation.id, conversation.name);
//! }
//! # Ok::<(), rest::ClientError>(())
//! ```

mod caller;
#[cfg(feature = "rest")]
mod client;
#[cfg(feature = "rest")]
mod connect;
mod error;

pub use chatnio_core::rest::*;

pub use caller::{CallTries, Caller};
#[cfg(feature = "rest")]
pub use client::Client;
pub use error::ClientError;
