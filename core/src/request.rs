//! `Request`: what a host may ask of the server (protocol.md, section 2).

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use zeroize::Zeroizing;

use crate::fields::Fields;
use crate::json::{Value, push_string};
use crate::message::{Message, MessageKind, RequestKind};
use crate::parameters::{Deadlines, Parameters};
use crate::request_error::RequestError;

/// A request to the server: reusable, and sent by [`Session::request`](crate::Session::request).
///
/// What cannot be sent is either impossible to build or refused before anything is sent, because servers answer
/// a bad request with silence, a dropped connection or a request loop that is dead (protocol.md, R2.11, R2.13 and R2.27).
///
/// The parameters (`model` and those below it) belong to [`chat`](Self::chat) and [`restart`](Self::restart);
/// what is not set is left out and takes the server's default. 2023 servers ignore `context` and the sampling
/// parameters.
///
/// ```
/// use chatnio_core::Request;
///
/// let request = Request::chat("hi").model("gpt-4").temperature(0.5);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    body: Body,
    parameters: Parameters,
}

#[derive(Debug, Clone, PartialEq)]
enum Body {
    Chat(String),
    Restart,
    Stop,
    Share(String),
    Mask(Vec<MaskMessage>),
    Edit { index: u32, text: String },
    Remove { index: u32 },
}

/// One message of a mask: who says what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskMessage {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// The text.
    pub content: String,
}

impl MaskMessage {
    /// A message by `role` (`system`, `user` or `assistant`).
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        MaskMessage { role: role.into(), content: content.into() }
    }
}

impl Request {
    fn new(body: Body) -> Self {
        Request { body, parameters: Parameters::default() }
    }

    /// A question. Must hold more than white space: an empty one would never be answered.
    pub fn chat(message: impl Into<String>) -> Self {
        Request::new(Body::Chat(message.into()))
    }

    /// Answers the last question again. The old answer stays in the stored history; left-out parameters take the
    /// server's defaults, not the question's. 2023 servers ignore the parameters.
    pub fn restart() -> Self {
        Request::new(Body::Restart)
    }

    /// Ends the running answer; the same as [`Session::stop`](crate::Session::stop).
    pub fn stop() -> Self {
        Request::new(Body::Stop)
    }

    /// Puts a shared conversation, by its hash, before this one. Only a connection's first counts, an unknown hash
    /// is ignored, and there is no answer. Only send a hash that the user gave: one of a share that is broken can end the
    /// server's process (protocol.md, R2.28).
    pub fn share(hash: impl Into<String>) -> Self {
        Request::new(Body::Share(hash.into()))
    }

    /// Puts messages at the front of the conversation. There is no answer.
    pub fn mask(messages: impl Into<Vec<MaskMessage>>) -> Self {
        Request::new(Body::Mask(messages.into()))
    }

    /// A mask from its JSON: an array of `{"role":"...","content":"..."}`.
    ///
    /// # Errors
    /// [`RequestError::InvalidMask`] when it is anything else: a server would ignore it without a word.
    pub fn mask_json(json: &str) -> Result<Self, RequestError> {
        // An object each, which a derived struct would not insist on: to that, `["user","hi"]` is one too.
        let objects = Fields::parse_list(json).map_err(|_| RequestError::InvalidMask)?;
        let text = |object: &mut Fields, name| match object.remove(name) {
            Some(Value::String(text)) => Ok(text.to_str().into_owned()),
            _ => Err(RequestError::InvalidMask),
        };
        let message = |mut object: Fields| {
            Ok(MaskMessage { role: text(&mut object, "role")?, content: text(&mut object, "content")? })
        };
        Ok(Request::mask(objects.into_iter().map(message).collect::<Result<Vec<_>, _>>()?))
    }

    /// Replaces the text of the stored message at `index`. Each chat adds two messages (question; answer or notice),
    /// a restart one, mask and share theirs at the front; an index out of range is ignored, and there is no answer.
    /// 2023 servers have no edit.
    pub fn edit(index: u32, text: impl Into<String>) -> Self {
        Request::new(Body::Edit { index, text: text.into() })
    }

    /// Removes the stored message at `index`, counted as for [`edit`](Self::edit). 2023 servers have no remove.
    pub fn remove(index: u32) -> Self {
        Request::new(Body::Remove { index })
    }

    /// The model's id. Left out: `gpt-3.5-turbo`, also on a restart.
    #[must_use]
    pub fn model(mut self, id: impl Into<String>) -> Self {
        self.parameters.model = Some(id.into());
        self
    }

    /// Searches the web first, which can make the first frame late.
    #[must_use]
    pub fn web(mut self, on: bool) -> Self {
        self.parameters.web = Some(on);
        self
    }

    /// Answers without the conversation so far.
    #[must_use]
    pub fn ignore_context(mut self, on: bool) -> Self {
        self.parameters.ignore_context = Some(on);
        self
    }

    /// How many messages to send to the model, the question included; 0 or negative is the server's default of 8.
    #[must_use]
    pub fn context(mut self, messages: i64) -> Self {
        self.parameters.context = Some(messages);
        self
    }

    /// The most tokens that the model may answer with.
    #[must_use]
    pub fn max_tokens(mut self, tokens: i64) -> Self {
        self.parameters.max_tokens = Some(tokens);
        self
    }

    /// The sampling temperature. Some models are always asked with 1 (protocol.md, R2.9).
    #[must_use]
    pub fn temperature(mut self, value: f32) -> Self {
        self.parameters.temperature = Some(value);
        self
    }

    /// Nucleus sampling: the share of probability to sample from.
    #[must_use]
    pub fn top_p(mut self, value: f32) -> Self {
        self.parameters.top_p = Some(value);
        self
    }

    /// Samples from the `k` likeliest tokens only. Many servers do not pass it on (protocol.md, R2.9).
    #[must_use]
    pub fn top_k(mut self, k: i64) -> Self {
        self.parameters.top_k = Some(k);
        self
    }

    /// Penalty on tokens that have occurred.
    #[must_use]
    pub fn presence_penalty(mut self, value: f32) -> Self {
        self.parameters.presence_penalty = Some(value);
        self
    }

    /// Penalty on tokens by how often they have occurred.
    #[must_use]
    pub fn frequency_penalty(mut self, value: f32) -> Self {
        self.parameters.frequency_penalty = Some(value);
        self
    }

    /// Penalty on repetition. Many servers do not pass it on (protocol.md, R2.9).
    #[must_use]
    pub fn repetition_penalty(mut self, value: f32) -> Self {
        self.parameters.repetition_penalty = Some(value);
        self
    }

    /// Sends a field that this crate does not know with a chat or a restart: its name, and its value as JSON. Newer servers
    /// know `think`, `web_search_mode` and `enable_mcp`, say; others ignore it (protocol.md, R2.10). The field counts
    /// towards [`Config::max_request`](crate::Config::max_request). Of one name the last stands.
    ///
    /// ```
    /// use chatnio_core::{Request, RequestError};
    ///
    /// let request = Request::chat("hi").extra("think", "true")?.extra("web_search_mode", "\"auto\"")?;
    /// assert_eq!(Request::chat("hi").extra("model", "1"), Err(RequestError::KnownField { name: "model" }));
    /// # Ok::<(), RequestError>(())
    /// ```
    ///
    /// # Errors
    /// - [`RequestError::KnownField`] for a name of this crate's own, in whatever case (protocol.md, R2.12).
    /// - [`RequestError::InvalidExtra`] for what is not one whole JSON value: servers drop a connection that sends it
    ///   (protocol.md, R2.11).
    pub fn extra(mut self, name: &str, json: &str) -> Result<Self, RequestError> {
        self.parameters.set_extra(name, json)?;
        Ok(self)
    }

    /// How long the first frame of this request's answer may take, in place of
    /// [`Config::first_frame`](crate::Config::first_frame). Zero is off. As a parameter, it is for a chat or a restart.
    #[must_use]
    pub fn first_frame(mut self, within: Duration) -> Self {
        self.parameters.deadlines.first_frame = Some(within);
        self
    }

    /// How long each further frame of this request's answer may take, in place of
    /// [`Config::next_frame`](crate::Config::next_frame). Zero is off.
    #[must_use]
    pub fn next_frame(mut self, within: Duration) -> Self {
        self.parameters.deadlines.next_frame = Some(within);
        self
    }

    /// How long this request's whole answer may take, in place of
    /// [`Config::answer_within`](crate::Config::answer_within). Zero is off.
    #[must_use]
    pub fn answer_within(mut self, within: Duration) -> Self {
        self.parameters.deadlines.answer_within = Some(within);
        self
    }

    /// Takes the parameters and deadlines of another request, whatever was set here before: a restart does not have those of its
    /// question by itself.
    #[must_use]
    pub fn parameters_of(self, other: &Request) -> Self {
        self.with_parameters(other.parameters.clone())
    }

    pub(crate) fn deadlines(&self) -> Deadlines {
        self.parameters.deadlines
    }

    pub(crate) fn with_parameters(mut self, parameters: Parameters) -> Self {
        self.parameters = parameters;
        self
    }

    /// What kind of request this is.
    pub fn kind(&self) -> RequestKind {
        match self.body {
            Body::Chat(_) => RequestKind::Chat,
            Body::Restart => RequestKind::Restart,
            Body::Stop => RequestKind::Stop,
            Body::Share(_) => RequestKind::Share,
            Body::Mask(_) => RequestKind::Mask,
            Body::Edit { .. } => RequestKind::Edit,
            Body::Remove { .. } => RequestKind::Remove,
        }
    }

    pub(crate) fn encode(&self, max_request: usize) -> Result<Message, RequestError> {
        let kind = self.kind();
        if kind.begins_turn() {
            self.parameters.check()?;
        } else if self.parameters != Parameters::default() {
            return Err(RequestError::UnexpectedParameters { kind });
        }
        let owned;
        let message = match &self.body {
            Body::Chat(message) if message.trim().is_empty() => return Err(RequestError::EmptyMessage),
            Body::Share(hash) if hash.trim().is_empty() => return Err(RequestError::EmptyShare),
            Body::Chat(message) | Body::Share(message) => Some(message.as_str()),
            Body::Restart | Body::Stop => None,
            Body::Mask(messages) => {
                let role = |m: &MaskMessage| matches!(&*m.role, "system" | "user" | "assistant");
                if messages.is_empty() || !messages.iter().all(role) {
                    return Err(RequestError::InvalidMask);
                }
                owned = mask_to_json(messages);
                Some(owned.as_str())
            }
            Body::Edit { index, text } => {
                owned = alloc::format!("{index}:{text}");
                Some(owned.as_str())
            }
            Body::Remove { index } => {
                owned = alloc::format!("{index}");
                Some(owned.as_str())
            }
        };
        let mut text = Zeroizing::new(String::with_capacity(64 + message.map_or(0, str::len)));
        text.push_str("{\"type\":");
        push_string(&mut text, kind.name());
        if let Some(message) = message {
            text.push_str(",\"message\":");
            push_string(&mut text, message);
        }
        self.parameters.push(&mut text);
        text.push('}');
        if max_request != 0 && text.len() > max_request {
            return Err(RequestError::TooLong { len: text.len(), limit: max_request });
        }
        Ok(Message::new(text, MessageKind::Request(kind)))
    }
}

fn mask_to_json(messages: &[MaskMessage]) -> String {
    let mut out = String::new();
    for message in messages {
        out.push_str(if out.is_empty() { "[{\"role\":" } else { ",{\"role\":" });
        push_string(&mut out, &message.role);
        out.push_str(",\"content\":");
        push_string(&mut out, &message.content);
        out.push('}');
    }
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(request: Request) -> String {
        String::from(&*request.encode(0).unwrap())
    }

    #[test]
    fn every_kind_encodes_as_the_protocol_has_it() {
        let pairs = [MaskMessage::new("system", "Be \"brief\""), MaskMessage::new("user", "hi")];
        for (request, expected) in [
            (Request::chat("hi"), r#"{"type":"chat","message":"hi"}"#),
            (Request::restart().model("m"), r#"{"type":"restart","model":"m"}"#),
            (Request::stop(), r#"{"type":"stop"}"#),
            (Request::share("ab12"), r#"{"type":"share","message":"ab12"}"#),
            (
                Request::mask(pairs),
                r#"{"type":"mask","message":"[{\"role\":\"system\",\"content\":\"Be \\\"brief\\\"\"},{\"role\":\"user\",\"content\":\"hi\"}]"}"#,
            ),
            (Request::edit(3, "a:b"), r#"{"type":"edit","message":"3:a:b"}"#),
            (Request::remove(0), r#"{"type":"remove","message":"0"}"#),
        ] {
            assert_eq!(encoded(request), expected);
        }
    }

    #[test]
    fn every_parameter_is_sent() {
        let request = Request::chat("hi")
            .model("hello")
            .web(false)
            .ignore_context(true)
            .context(3)
            .max_tokens(10)
            .temperature(0.5)
            .top_p(0.9)
            .top_k(3)
            .presence_penalty(0.1)
            .frequency_penalty(0.2)
            .repetition_penalty(1.1);
        assert_eq!(
            encoded(request),
            concat!(
                r#"{"type":"chat","message":"hi","model":"hello","web":false,"ignore_context":true,"context":3,"#,
                r#""max_tokens":10,"temperature":0.5,"top_p":0.9,"top_k":3,"presence_penalty":0.1,"#,
                r#""frequency_penalty":0.2,"repetition_penalty":1.1}"#
            )
        );
    }

    #[test]
    fn extra_fields_come_last_and_count() {
        let request = Request::chat("hi").extra("think", "true").unwrap().model("m");
        assert_eq!(encoded(request.clone()), r#"{"type":"chat","message":"hi","model":"m","think":true}"#);
        assert_eq!(request.encode(54).unwrap_err(), RequestError::TooLong { len: 55, limit: 54 });
        assert!(request.encode(55).is_ok());
        assert_eq!(
            encoded(Request::restart().parameters_of(&request)),
            r#"{"type":"restart","model":"m","think":true}"#
        );
        let other = Request::remove(0).extra("think", "true").unwrap();
        assert_eq!(other.encode(0).unwrap_err(), RequestError::UnexpectedParameters { kind: RequestKind::Remove });
    }

    #[test]
    fn a_restart_can_have_the_parameters_of_its_question() {
        let question = Request::chat("hi").model("gpt-4").top_k(3);
        assert_eq!(
            encoded(Request::restart().web(true).parameters_of(&question)),
            r#"{"type":"restart","model":"gpt-4","top_k":3}"#
        );
    }

    #[test]
    fn what_would_not_be_answered_is_refused() {
        use RequestError::*;
        for (request, error) in [
            (Request::chat(""), EmptyMessage),
            (Request::chat(" \n\t"), EmptyMessage),
            (Request::share(""), EmptyShare),
            (Request::mask([]), InvalidMask),
            (Request::mask([MaskMessage::new("robot", "hi")]), InvalidMask),
            (Request::chat("x").temperature(f32::NAN), NotFinite { parameter: "temperature" }),
            (Request::chat("x").top_p(f32::INFINITY), NotFinite { parameter: "top_p" }),
            (Request::restart().repetition_penalty(f32::NEG_INFINITY), NotFinite { parameter: "repetition_penalty" }),
            (Request::chat("x").presence_penalty(f32::NAN), NotFinite { parameter: "presence_penalty" }),
            (Request::chat("x").frequency_penalty(f32::NAN), NotFinite { parameter: "frequency_penalty" }),
            (Request::edit(1, "x").model("m"), UnexpectedParameters { kind: RequestKind::Edit }),
        ] {
            assert_eq!(request.encode(0).unwrap_err(), error);
        }
        assert_eq!(Request::chat("hi").encode(29).unwrap_err(), TooLong { len: 30, limit: 29 });
        assert!(Request::chat("hi").encode(30).is_ok());
    }

    #[test]
    fn a_mask_is_role_content_pairs() {
        let good = r#"[{"role":"user","content":"a"},{"content":"b","role":"assistant"}]"#;
        assert_eq!(
            Request::mask_json(good).unwrap(),
            Request::mask([MaskMessage::new("user", "a"), MaskMessage::new("assistant", "b")])
        );
        for bad in
            ["", "{}", r#"[{"role":"user"}]"#, r#"["user","a"]"#, r#"[["user","a"]]"#, r#"[{"role":1,"content":"a"}]"#]
        {
            assert_eq!(Request::mask_json(bad), Err(RequestError::InvalidMask), "{bad}");
        }
    }
}
