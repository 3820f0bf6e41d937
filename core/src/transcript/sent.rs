//! What a recorded SEND says: only what this crate could have sent itself counts.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::auth::Auth;
use crate::fields::Fields;
use crate::message::{PING, RequestKind};
use crate::parameters::{Parameters, integer, text};
use crate::request::Request;

pub(crate) enum Sent {
    Auth(Auth),
    Request {
        request: Request,
        /// Fields that this request cannot carry, which a replay leaves out.
        unknown: Vec<String>,
    },
    Ping,
}

/// Reads a message that was sent; the error says in words why it cannot be sent.
pub(crate) fn parse(message: &str) -> Result<Sent, String> {
    if message == PING {
        return Ok(Sent::Ping);
    }
    let mut fields = Fields::parse(message).map_err(|_| "not a JSON object")?;
    if let Some(token) = text(&mut fields, "token")? {
        let mut auth = Auth::new(token).conversation(integer(&mut fields, "id")?.unwrap_or(-1));
        // An empty one is none, as for the server.
        if let Some(hash) = text(&mut fields, "ref")?.filter(|hash| !hash.is_empty()) {
            auth = auth.share(hash);
        }
        auth.check(0).map_err(|error| error.to_string())?;
        return Ok(Sent::Auth(auth));
    }
    let kind = text(&mut fields, "type")?;
    let message = text(&mut fields, "message")?.unwrap_or_default();
    let mut parameters = Parameters::take(&mut fields)?;
    // Left out it is a chat (protocol.md, R2.1).
    let kind = match kind {
        None => RequestKind::Chat,
        Some(name) => RequestKind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| format!("unknown type `{name}`"))?,
    };
    let mut unknown = Vec::new();
    if kind.begins_turn() {
        for (name, json) in fields.rest() {
            if parameters.set_extra(name, json).is_err() {
                unknown.push(name.to_string());
            }
        }
    } else {
        unknown = fields.into_names();
    }
    let request = match kind {
        RequestKind::Chat => Request::chat(message).with_parameters(parameters),
        RequestKind::Restart => Request::restart().with_parameters(parameters),
        // Web clients send a whole form with each of these; the server reads the message alone.
        RequestKind::Stop => Request::stop(),
        RequestKind::Share => Request::share(message),
        RequestKind::Mask => Request::mask_json(&message).map_err(|error| error.to_string())?,
        RequestKind::Edit => {
            let (index, text) = message.split_once(':').ok_or("edit: the message must be `INDEX:NEW TEXT`")?;
            Request::edit(index_of(index)?, text)
        }
        RequestKind::Remove => Request::remove(index_of(&message)?),
    };
    request.encode(0).map_err(|error| error.to_string())?;
    Ok(Sent::Request { request, unknown })
}

fn index_of(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("`{text}` is no index"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn request(message: &str) -> (String, Vec<String>) {
        match parse(message) {
            Ok(Sent::Request { request, unknown }) => (request.encode(0).unwrap().to_string(), unknown),
            _ => panic!("{message} is no request"),
        }
    }

    #[test]
    fn extra_fields_of_a_question_are_kept() {
        for message in [
            r#"{"type":"chat","message":"hi","web":true,"think":true,"web_search_mode":{"a":[1, 2.50]},"x":null}"#,
            r#"{"type":"restart","model":"m","a \"b\"":"\ud83d"}"#,
        ] {
            assert_eq!(request(message), (message.to_string(), vec![]));
        }
        let twice = r#"{"type":"restart","think":1,"x":2,"think":3}"#;
        assert_eq!(request(twice).0, r#"{"type":"restart","think":3,"x":2}"#);
    }

    #[test]
    fn what_a_request_cannot_carry_is_named() {
        let left_out = |message| request(message).1;
        assert_eq!(left_out(r#"{"type":"chat","message":"hi","Model":"m","think":1}"#), ["Model"]);
        assert_eq!(left_out(r#"{"type":"remove","message":"0","think":1,"a":2}"#), ["a", "think"]);
    }
}
