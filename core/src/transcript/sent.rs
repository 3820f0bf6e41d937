//! What a recorded SEND says: only what this crate could have sent itself counts.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::auth::Auth;
use crate::message::PING;
use crate::request::{Parameters, Request};

pub(crate) enum Sent {
    Auth(Auth),
    Request {
        request: Request,
        /// Fields that the protocol does not have, which a replay leaves out.
        unknown: Vec<String>,
    },
    Ping,
}

/// Any message that a client may send, with the types that the server expects.
#[derive(Deserialize)]
struct Fields {
    token: Option<String>,
    id: Option<i64>,
    r#ref: Option<String>,
    r#type: Option<String>,
    message: Option<String>,
    #[serde(flatten)]
    parameters: Parameters,
    #[serde(flatten)]
    unknown: BTreeMap<String, IgnoredAny>,
}

/// Reads a message that was sent; the error says in words why it cannot be sent.
pub(crate) fn parse(message: &str) -> Result<Sent, String> {
    if message == PING {
        return Ok(Sent::Ping);
    }
    let fields: Fields = serde_json::from_str(message).map_err(|error| error.to_string())?;
    if let Some(token) = fields.token {
        let mut auth = Auth::new(token).conversation(fields.id.unwrap_or(-1));
        if let Some(hash) = fields.r#ref {
            auth = auth.share(hash);
        }
        auth.encode(0).map_err(|error| error.to_string())?;
        return Ok(Sent::Auth(auth));
    }
    let text = fields.message.unwrap_or_default();
    let request = match fields.r#type.as_deref().unwrap_or("chat") {
        "chat" => Request::chat(text).with_parameters(fields.parameters),
        "restart" => Request::restart().with_parameters(fields.parameters),
        // Web clients send a whole form with each of these; the server reads the message alone.
        "stop" => Request::stop(),
        "share" => Request::share(text),
        "mask" => Request::mask_json(&text).map_err(|error| error.to_string())?,
        "edit" => {
            let (index, text) = text.split_once(':').ok_or("edit: the message must be `INDEX:NEW TEXT`")?;
            Request::edit(index_of(index)?, text)
        }
        "remove" => Request::remove(index_of(&text)?),
        other => return Err(format!("unknown type `{other}`")),
    };
    request.encode(0).map_err(|error| error.to_string())?;
    Ok(Sent::Request { request, unknown: fields.unknown.into_keys().collect() })
}

fn index_of(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("`{text}` is no index"))
}
