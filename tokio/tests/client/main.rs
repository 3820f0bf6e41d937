//! The client on tokio against the loopback server, over real sockets on 127.0.0.1.

mod answers;
mod connecting;
mod deadlines;
mod examples;
mod leaving;
mod life_cycle;
mod support;
mod transcripts;
