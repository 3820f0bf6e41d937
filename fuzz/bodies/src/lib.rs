//! What the fuzz targets do: for each a module with a function `run`, which takes any bytes and panics where something is
//! wrong. libFuzzer calls it by `fuzz/fuzz_targets`, and the test `replay` with the committed corpora.

pub mod capi;
pub mod connection;
pub mod corpus;
pub mod frame;
mod input;
pub mod refusal;
pub mod request;
pub mod rest;
pub mod session;
pub mod tls;
pub mod transcript;

pub use input::Seed;

/// A target: its name, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("capi", capi::run),
    ("connection", connection::run),
    ("frame", frame::run),
    ("refusal", refusal::run),
    ("request", request::run),
    ("rest", rest::run),
    ("session", session::run),
    ("tls", tls::run),
    ("transcript", transcript::run),
];
