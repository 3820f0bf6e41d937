//! The blocking client against the loopback server, over real sockets on 127.0.0.1.

mod answers;
mod connecting;
mod deadlines;
mod reconnecting;
mod stopping;
mod support;
