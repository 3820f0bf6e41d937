//! This library, one file for each of its levels. Nothing else here knows its API.

pub mod client;
pub mod connection;
pub mod session;
