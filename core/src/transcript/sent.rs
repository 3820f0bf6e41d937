//! What a recorded SEND says: only what this crate could have sent itself counts.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::auth::Auth;
use crate::decimal;
use crate::fields::Fields;
use crate::json::Value;
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

impl Fields<'_> {
    /// Takes a field; null counts as left out.
    fn take<T>(&mut self, name: &str, expected: &str, read: impl Fn(Value) -> Option<T>) -> Result<Option<T>, String> {
        match self.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| format!("`{name}` must be {expected}")),
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        self.take(name, "a string", |value| match value {
            Value::String(text) => Some(text.to_str().into_owned()),
            _ => None,
        })
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>, String> {
        self.take(name, "true or false", |value| match value {
            Value::Bool(flag) => Some(flag),
            _ => None,
        })
    }

    fn integer(&mut self, name: &str) -> Result<Option<i64>, String> {
        self.take(name, "an integer", |value| match value {
            Value::Number(text) => text.parse().ok(),
            _ => None,
        })
    }

    fn float(&mut self, name: &str) -> Result<Option<f32>, String> {
        self.take(name, "a 32-bit float", |value| match value {
            Value::Number(text) => decimal::to_f32(text).filter(|value| value.is_finite()),
            _ => None,
        })
    }

    fn parameters(&mut self) -> Result<Parameters, String> {
        Ok(Parameters {
            model: self.text("model")?,
            web: self.flag("web")?,
            ignore_context: self.flag("ignore_context")?,
            context: self.integer("context")?,
            max_tokens: self.integer("max_tokens")?,
            temperature: self.float("temperature")?,
            top_p: self.float("top_p")?,
            top_k: self.integer("top_k")?,
            presence_penalty: self.float("presence_penalty")?,
            frequency_penalty: self.float("frequency_penalty")?,
            repetition_penalty: self.float("repetition_penalty")?,
        })
    }
}

/// Reads a message that was sent; the error says in words why it cannot be sent.
pub(crate) fn parse(message: &str) -> Result<Sent, String> {
    if message == PING {
        return Ok(Sent::Ping);
    }
    let mut fields = Fields::parse(message).map_err(|_| "not a JSON object")?;
    if let Some(token) = fields.text("token")? {
        let mut auth = Auth::new(token).conversation(fields.integer("id")?.unwrap_or(-1));
        // An empty one is none, as for the server.
        if let Some(hash) = fields.text("ref")?.filter(|hash| !hash.is_empty()) {
            auth = auth.share(hash);
        }
        auth.check(0).map_err(|error| error.to_string())?;
        return Ok(Sent::Auth(auth));
    }
    let kind = fields.text("type")?;
    let text = fields.text("message")?.unwrap_or_default();
    let parameters = fields.parameters()?;
    let request = match kind.as_deref().unwrap_or("chat") {
        "chat" => Request::chat(text).with_parameters(parameters),
        "restart" => Request::restart().with_parameters(parameters),
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
    Ok(Sent::Request { request, unknown: fields.into_names() })
}

fn index_of(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("`{text}` is no index"))
}
