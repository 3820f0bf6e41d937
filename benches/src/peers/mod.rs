//! What this library is compared with.

pub mod json;
pub mod websocket;
