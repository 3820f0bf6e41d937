//! A server that speaks three generations of the streaming chat protocol on 127.0.0.1, for demos, for
//! tests and for embedders' own tests.

mod answer;
mod chat;
mod conversation;
mod form;
mod frame;
mod generation;
mod options;
mod peer;
mod plan;
mod queue;
mod quota;
mod script;
mod server;
mod throttle;
mod tls;
mod upgrade;
mod wire;
mod world;

pub use chat::{Chat, Output};
pub use form::Message;
pub use generation::{Generation, UnknownGeneration};
pub use options::{Certificate, Options, Refusal};
pub use peer::Peer;
pub use plan::{Access, Ending, Piece, Plan};
pub use script::{Script, ScriptError};
pub use server::Server;
pub use tls::{Tls, TlsError};
pub use world::{Stats, World};
