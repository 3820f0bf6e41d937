//! `libchatnio`: the chat protocol for programs that link a C library.
//!
//! The conventions of the interface are README.md's; the header is include/chatnio.h, which is generated from this
//! crate. Each function is a thin wrapper: what it does is done by `chatnio-core` and `chatnio`.

#[cfg(not(feature = "session"))]
compile_error!("a level is needed: the feature `session`, `connection` or `client`");

pub mod auth;
mod boundary;
#[cfg(feature = "client")]
pub mod client;
pub mod config;
#[cfg(feature = "connection")]
pub mod config_network;
#[cfg(feature = "connection")]
pub mod config_transport;
#[cfg(feature = "connection")]
pub mod connection;
pub mod error;
pub mod event;
mod growing;
pub mod name;
pub mod refusal;
pub mod request;
#[cfg(feature = "rest")]
pub mod rest_answer;
#[cfg(feature = "rest")]
pub mod rest_call;
#[cfg(feature = "session")]
pub mod session;
pub mod status;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod transcript;
pub mod version;
pub mod view;
#[cfg(target_family = "wasm")]
pub mod wasm;
