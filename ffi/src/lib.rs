//! `libchatnio`: the chat protocol for programs that link a C library.
//!
//! The conventions of the interface are README.md's; the header is include/chatnio.h, which is generated from this
//! crate. Each function is a thin wrapper: what it does is done by `chatnio-core` and `chatnio`.

#[cfg(not(any(feature = "session", feature = "rest")))]
compile_error!("a feature is needed: `session`, `connection`, `client` or `rest`");

pub mod auth;
mod boundary;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "session")]
pub mod config;
#[cfg(feature = "connection")]
pub mod config_network;
#[cfg(feature = "connection")]
pub mod config_transport;
#[cfg(feature = "connection")]
pub mod connection;
#[cfg(feature = "session")]
pub mod error;
#[cfg(feature = "session")]
pub mod event;
mod failure;
mod growing;
#[cfg(feature = "session")]
mod kept;
#[cfg(feature = "session")]
pub mod name;
#[cfg(feature = "session")]
pub mod refusal;
#[cfg(feature = "session")]
pub mod request;
#[cfg(feature = "rest")]
pub mod rest_answer;
#[cfg(feature = "rest")]
pub mod rest_call;
#[cfg(feature = "connection")]
pub mod retry;
#[cfg(feature = "session")]
pub mod session;
pub mod status;
#[cfg(feature = "client")]
pub mod stopper;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "session")]
pub mod time;
#[cfg(feature = "connection")]
mod tls;
#[cfg(feature = "session")]
pub mod transcript;
pub mod version;
pub mod view;
#[cfg(target_family = "wasm")]
pub mod wasm;
