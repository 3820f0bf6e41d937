//! A server that speaks three generations of the streaming chat protocol on 127.0.0.1, for demos, for
//! tests and for embedders' own tests. It shares no code with the client, so that each can be tested
//! against the other.
//!
//! Four layers, each of use on its own and knowing only the one below:
//!
//! - [`Server`]: real TCP, one thread a connection.
//! - [`Peer`]: one connection's bytes; TLS, the HTTP upgrade and the WebSocket, without a socket.
//! - [`Chat`]: one connection's messages; the server's request loop, without a clock.
//! - [`World`]: what the connections share; stored conversations, shares, counters.
//!
//! [`Firehose`] stands beside them: for benchmarks, answers that were made before.
//!
//! What is answered depends on the model that a request names ([`Options::plans`] adds others):
//!
//! | model | answer |
//! | --- | --- |
//! | `hello` | a short greeting, 30 ms a piece |
//! | `slow` | 81 pieces, 80 ms apart |
//! | `long`, `long-N` | 5000 or N pieces, as fast as the socket takes them; 2023-11 loses some from 5000 on |
//! | `unicode` | signs of many kinds |
//! | `latestart` | the first piece comes after 1.5 s |
//! | `none`, `err`, `err429`, `nosuch` | the notice of an upstream that says nothing, fails, throttles or is missing |
//! | `notice`, `paid` | a notice about the user's quota |
//! | `silent` | nothing, for ever |
//! | `cut` | the upstream breaks off half-way |
//! | `noprice` | the notice of a model that nobody set a price for |
//! | `image`, `image-N` | one frame with an image of 2,000,000 or N characters in it |
//! | `video` | a video job, whose frames are minutes apart |
//! | `think` | its thinking as `<think>...</think>`, then an answer |
//! | `tools` | calls tools, which nobody sees: complete, without text |
//! | `parameters`, `parameters-M` | the parameters that reach the model, or a model M such as `o1` |
//! | `drop` | the socket is cut mid-answer |
//! | `garbage` | malformed messages between good ones |
//! | `anon` | as `hello`, also without a key |
//! | any other | a few words that quote the question, also without a key |
//!
//! In 2023-11 the question's first word may name the model: `@slow hi`. Every token but `anonymous` is
//! good, an API key or a login token, and is a user of its own.
//!
//! It answers the companion calls (docs/rest.md), too: what was asked in the chat can be listed, loaded and shared. Every
//! key has a quota of 500, nothing can be bought, and [`Options::faults`] makes the calls fail as real servers do.
//!
//! ```
//! use chatnio_loopback::{Generation, Options, Server};
//!
//! let mut server = Server::start(Options::new(Generation::G2026))?;
//! println!("ask away at {}", server.url());
//! server.stop();
//! # std::io::Result::Ok(())
//! ```

mod answer;
mod channel;
mod chat;
mod conversation;
mod expectation;
pub mod faults;
mod firehose;
mod form;
mod frame;
mod generation;
mod options;
mod page;
mod peer;
mod plan;
mod queue;
mod quota;
mod rest;
mod script;
mod server;
mod storage;
mod throttle;
mod tls;
mod unreachable;
mod upgrade;
mod wire;
mod world;

pub use chat::{Chat, Output};
pub use expectation::{Difference, Expectation};
pub use firehose::Firehose;
pub use form::Message;
pub use generation::{Generation, UnknownGeneration};
pub use options::{Certificate, Hearer, Options, Refusal};
pub use page::{Page, Pages};
pub use peer::Peer;
pub use plan::{Access, Ending, Piece, Plan};
pub use rest::Fault;
pub use script::Script;
pub use server::Server;
pub use tls::{Tls, TlsError};
pub use unreachable::{Silent, closed_port};
pub use world::{Stats, World};
