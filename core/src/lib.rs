//! x
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod answer;
mod auth;
mod chunk;
mod config;
mod event;
mod json;
mod message;
mod request;
mod session;

pub use answer::{Answer, Interruption, Outcome};
pub use auth::{Auth, AuthError};
pub use chunk::{Chunk, Malformed, Quota, Reason, Text};
pub use config::Config;
pub use event::{Conversation, End, Event};
pub use message::{Message, MessageKind};
pub use request::{MaskMessage, Request, RequestError, RequestKind};
pub use session::{CloseReason, Counters, ReceiveError, Session, State};
