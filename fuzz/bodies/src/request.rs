//! Requests: what is encoded says just what was set, with `serde_json` as the reader, and is read back as the same request.

use std::collections::BTreeMap;
use std::time::Duration;

use chatnio::transcript::{Recorder, Replay, Step};
use chatnio::{Auth, AuthError, Config, MaskMessage, MessageKind, Request, RequestError, Session, State};
use serde_json::{Value, json};

use crate::input::Input;

/// The parameters that are 32-bit floats.
const FLOATS: [&str; 5] = ["temperature", "top_p", "presence_penalty", "frequency_penalty", "repetition_penalty"];

/// The fields that a client sends by itself.
const OWN: [&str; 16] = [
    "type",
    "message",
    "token",
    "id",
    "ref",
    "model",
    "web",
    "ignore_context",
    "context",
    "max_tokens",
    "top_k",
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
];

/// The authentication, the kind of request with its texts, and any number of parameters.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    authentication(&mut input);
    let Some((request, expected)) = build(&mut input) else { return };
    encode(&request, expected);
}

/// What should come of it: the fields, or the error that refuses it.
struct Expected {
    fields: BTreeMap<String, Value>,
    error: Option<RequestError>,
    /// Whether serde_json can read it: it has no half of a surrogate pair.
    is_readable: bool,
}

/// An authentication, as it is sent or refused.
fn authentication(input: &mut Input<'_>) {
    let (token, flags) = (input.text(), input.byte());
    let mut auth = Auth::new(token.as_str());
    let mut expected = json!({ "token": token, "id": -1 });
    let mut error = token.trim().is_empty().then_some(AuthError::EmptyToken);
    if flags & 1 != 0 {
        let id = input.integer();
        auth = auth.conversation(id);
        expected["id"] = json!(id);
        let is_fine = id > 0 || id == -1;
        error = error.or((!is_fine).then_some(AuthError::InvalidConversation { id }));
    }
    if flags & 2 != 0 {
        let hash = input.text();
        auth = auth.share(hash.as_str());
        error = error.or(hash.is_empty().then_some(AuthError::EmptyShare));
        expected["ref"] = json!(hash);
    }
    let mut config = Config::default();
    config.auth_at_once = true;
    match Session::new(auth, config, Duration::ZERO) {
        Ok(mut session) => {
            assert_eq!(error, None, "it was not found");
            let message = session.poll_transmit().expect("the authentication");
            assert_eq!(message.kind(), MessageKind::Auth);
            assert_eq!(serde_json::from_str::<Value>(&message).expect("JSON"), expected);
            assert!(session.poll_transmit().is_none());
        }
        Err(refused) => assert_eq!(Some(refused), error),
    }
}

fn build(input: &mut Input<'_>) -> Option<(Request, Expected)> {
    let mut fields = BTreeMap::new();
    let mut set = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    let kind = input.byte() % 7;
    let (mut request, mut error) = match kind {
        0 => {
            let text = input.text();
            set("message", json!(text));
            (Request::chat(text.as_str()), text.trim().is_empty().then_some(RequestError::EmptyMessage))
        }
        1 => (Request::restart(), None),
        2 => {
            let hash = input.text();
            set("message", json!(hash));
            (Request::share(hash.as_str()), hash.trim().is_empty().then_some(RequestError::EmptyShare))
        }
        3 => {
            let messages: Vec<_> = (0..input.byte() % 4)
                .map(|_| {
                    let role = match input.byte() % 8 {
                        0 => input.text(),
                        other => ["system", "user", "assistant"][usize::from(other) % 3].to_owned(),
                    };
                    MaskMessage::new(role, input.text())
                })
                .collect();
            let said: Vec<_> =
                messages.iter().map(|message| json!({ "role": message.role, "content": message.content })).collect();
            let is_fine = |message: &MaskMessage| ["system", "user", "assistant"].contains(&&*message.role);
            let is_mask = !messages.is_empty() && messages.iter().all(is_fine);
            set("message", Value::Array(said));
            (Request::mask(messages), (!is_mask).then_some(RequestError::InvalidMask))
        }
        4 => {
            let (index, text) = (u32::from(input.short()), input.text());
            set("message", json!(format!("{index}:{text}")));
            (Request::edit(index, text), None)
        }
        5 => {
            let index = u32::from(input.short());
            set("message", json!(index.to_string()));
            (Request::remove(index), None)
        }
        // As JSON, which is taken or refused; the JSON of a mask is one.
        _ => {
            let text = input.text();
            let request = Request::mask_json(&text).ok()?;
            let Ok(said) = serde_json::from_str::<Value>(&text) else {
                // Half of a surrogate pair.
                return None;
            };
            let messages = said.as_array().expect("an array");
            let role = |message: &Value| message["role"].as_str().expect("a role").to_owned();
            let is_fine = |message: &Value| ["system", "user", "assistant"].contains(&&*role(message));
            let is_mask = !messages.is_empty() && messages.iter().all(is_fine);
            let said = messages.iter().map(|one| json!({ "role": one["role"], "content": one["content"] })).collect();
            set("message", Value::Array(said));
            (request, (!is_mask).then_some(RequestError::InvalidMask))
        }
    };
    set("type", json!(request.kind().name()));
    let takes_parameters = request.kind().begins_turn();
    let mut not_finite: [bool; 5] = [false; 5];
    let mut is_readable = true;
    while !input.is_empty() {
        let which = input.byte() % 12;
        request = match which {
            0 => {
                let id = input.text();
                set("model", json!(id));
                request.model(id)
            }
            1..=4 => {
                let flag = which & 1 == 0;
                set(if which < 3 { "web" } else { "ignore_context" }, json!(flag));
                if which < 3 { request.web(flag) } else { request.ignore_context(flag) }
            }
            5 => {
                let value = input.integer();
                set("context", json!(value));
                request.context(value)
            }
            6 => {
                let value = input.integer();
                set("max_tokens", json!(value));
                request.max_tokens(value)
            }
            7 => {
                let value = input.integer();
                set("top_k", json!(value));
                request.top_k(value)
            }
            8 | 9 => {
                let (at, value) = (usize::from(input.byte() % 5), input.float());
                set(FLOATS[at], json!(value));
                not_finite[at] = !value.is_finite();
                match at {
                    0 => request.temperature(value),
                    1 => request.top_p(value),
                    2 => request.presence_penalty(value),
                    3 => request.frequency_penalty(value),
                    _ => request.repetition_penalty(value),
                }
            }
            _ => {
                let (name, value) = (input.text(), input.text());
                match request.clone().extra(&name, &value) {
                    Ok(request) => {
                        match serde_json::from_str::<Value>(&value) {
                            Ok(value) => set(&name, value),
                            Err(_) => is_readable = false,
                        }
                        request
                    }
                    Err(error) => {
                        let is_own = OWN.iter().any(|own| {
                            own.eq_ignore_ascii_case(&name.replace('\u{17f}', "s").replace('\u{212a}', "k"))
                        });
                        match error {
                            RequestError::KnownField { name: known } => assert!(is_own && OWN.contains(&known)),
                            RequestError::InvalidExtra => {
                                assert!(!is_own && serde_json::from_str::<serde::de::IgnoredAny>(&value).is_err());
                            }
                            error => panic!("{error}"),
                        }
                        request
                    }
                }
            }
        };
    }
    if takes_parameters {
        let at = not_finite.iter().position(|bad| *bad);
        // The first by the order in which they are sent, and before the texts are looked at.
        if let Some(at) = at {
            error = Some(RequestError::NotFinite { parameter: FLOATS[at] });
        }
    } else if fields_are_set(&request) {
        error = Some(RequestError::UnexpectedParameters { kind: request.kind() });
    }
    Some((request, Expected { fields, error, is_readable }))
}

/// Whether anything but the body is set.
fn fields_are_set(request: &Request) -> bool {
    request.clone().parameters_of(&Request::restart()) != *request
}

fn encode(request: &Request, expected: Expected) {
    // No token that a recording would hide.
    let auth = Auth::anonymous().share("s");
    let mut session = Session::new(auth, Config::default(), Duration::ZERO).expect("it can be sent");
    let result = session.request(Duration::ZERO, request);
    assert_eq!(result.err(), expected.error);
    if result.is_err() {
        assert!(session.poll_transmit().is_none() && session.state() == State::Idle, "nothing has changed");
        return;
    }
    let mut recorder = Recorder::new(None);
    let auth = session.poll_transmit().expect("the authentication");
    recorder.sent(&auth);
    let message = session.poll_transmit().expect("the request");
    recorder.sent(&message);
    assert_eq!(message.kind(), MessageKind::Request(request.kind()));
    assert!(session.poll_transmit().is_none());
    if expected.is_readable {
        reference(&message, expected.fields);
    }
    replay(&recorder, request);
}

/// What another reader finds in it.
fn reference(message: &str, mut expected: BTreeMap<String, Value>) {
    let mut said: BTreeMap<String, Value> = serde_json::from_str(message).expect("an object");
    if expected["type"] == "mask" {
        let mask = said["message"].as_str().expect("a mask is JSON in a string");
        let mask = serde_json::from_str(mask).expect("JSON");
        said.insert("message".to_owned(), mask);
    }
    for name in FLOATS {
        for fields in [&mut said, &mut expected] {
            fields
                .entry(name.to_owned())
                .and_modify(|value| *value = json!((value.as_f64().unwrap() as f32).to_bits()));
        }
    }
    assert_eq!(said, expected);
}

/// What this library's own reader makes of the recording: the request that it was.
fn replay(recorder: &Recorder, request: &Request) {
    let (mut replay, _) = Replay::new(recorder.transcript());
    let recorded = recorder.transcript().to_string();
    match replay.next_step(State::Idle) {
        Some(Step::Request { request: read, .. }) => {
            let session = |request| {
                let auth = Auth::new("t").share("s");
                let mut session = Session::new(auth, Config::default(), Duration::ZERO).expect("it can be sent");
                session.request(Duration::ZERO, request).expect("it was sent before");
                session.poll_transmit();
                session.poll_transmit().expect("the request").to_string()
            };
            // White space in a value of JSON is not kept by a recording.
            let plain = |text: String| text.replace(['\n', '\r'], " ");
            assert_eq!(plain(session(&read)), plain(session(request)), "{recorded}");
        }
        step => panic!("{step:?} in place of the request: {recorded}"),
    }
}
