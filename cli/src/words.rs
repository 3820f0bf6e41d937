//! What goes wrong, in the words of somebody at a command line: options instead of the library's settings.

use std::fmt::Display;

use chatnio::{
    AuthError, ClientError, ConnectionEnd, Endpoint, Interruption, Malformed, Reason, RequestError, StartError,
    TlsError, WireError, os_words,
};

use crate::status::{Failure, Status};

/// An HTTP error page can be long; this much of it tells what it is about.
const BODY_SHOWN: usize = 1000;

/// What a client's error is to the user; `endpoint` is where it was to connect to.
pub(crate) fn failure(error: &ClientError, endpoint: Option<&Endpoint>) -> Failure {
    let status = match error {
        ClientError::Endpoint(_) | ClientError::Start(StartError::Auth(_) | StartError::PlainToken { .. }) => {
            Status::Usage
        }
        ClientError::Request(error) if *error != RequestError::Closed => Status::Usage,
        _ => Status::Connection,
    };
    let mut message = message(error, endpoint);
    if let Some(body) = wire(error).and_then(body) {
        message.push_str("\nthe server says: ");
        message.extend(body.chars().take(BODY_SHOWN));
        if body.chars().nth(BODY_SHOWN).is_some() {
            message.push_str(" ...");
        }
    }
    if let Some(hint) = hint(error) {
        message.push_str("\nhint: ");
        message.push_str(hint);
    }
    Failure::new(status, message)
}

fn message(error: &ClientError, endpoint: Option<&Endpoint>) -> String {
    match (error, endpoint) {
        (ClientError::Connect { host, source }, Some(endpoint)) => {
            format!("cannot connect to {}: {}", where_to(host, endpoint), system(source))
        }
        (ClientError::Resolve { host, source }, Some(endpoint)) => {
            format!("cannot look up {}: {}", where_to(host, endpoint), system(source))
        }
        (ClientError::ConnectTimeout { host, limit }, Some(endpoint)) => {
            format!("cannot connect to {} within {} s", where_to(host, endpoint), limit.as_secs_f32())
        }
        (ClientError::Start(StartError::PlainToken { host }), _) => {
            format!("the token does not go to {host} without TLS: use wss://")
        }
        (ClientError::Request(RequestError::TooLong { len, limit }), _) => {
            format!("the question has {len} bytes as it is sent, over the limit of {limit}")
        }
        (ClientError::Start(StartError::Auth(AuthError::TooLong { len, limit })), _) => {
            format!("the message that brings the token has {len} bytes, over the limit of {limit}")
        }
        (ClientError::Interrupted(why), _) => interruption(*why),
        (error, _) => without_setting(&error.to_string()).to_owned(),
    }
}

/// The server with its port, or a proxy as the error names it.
fn where_to(host: &str, endpoint: &Endpoint) -> String {
    if host == endpoint.host() { endpoint.address() } else { host.to_owned() }
}

/// Why an answer has no end.
pub(crate) fn interruption(why: Interruption) -> String {
    match why {
        Interruption::FirstFrameDeadline => "the answer did not begin in time; --timeout S allows more".to_owned(),
        Interruption::NextFrameDeadline => "the answer did not go on in time; --timeout S allows more".to_owned(),
        Interruption::AfterStopDeadline => "the answer was stopped, and its end did not come in time".to_owned(),
        Interruption::AnswerDeadline => "the answer was not over in time; --answer-within S allows more".to_owned(),
        Interruption::MessageTooLong { limit } => {
            format!("a message was over the limit of {limit} bytes; --max-message SIZE allows more")
        }
        Interruption::AnswerTooLong { limit } => format!("the answer was over the limit of {limit} bytes"),
        Interruption::ClosedByHost => "it was ended here before the answer was".to_owned(),
        Interruption::Reconnected => "a new connection was made before the answer's end".to_owned(),
        why => without_setting(&why.to_string()).to_owned(),
    }
}

/// What is wrong with a message.
pub(crate) fn received(error: &Malformed) -> String {
    match error.reason {
        Reason::TooLong { len, limit } => {
            format!("the message has {len} bytes, over the limit of {limit}; --max-message SIZE allows more")
        }
        _ => without_setting(&error.to_string()).to_owned(),
    }
}

/// What an answer has cost, in the server's unit. Servers count in 32-bit floats, whose last digits say nothing.
pub(crate) fn cost(quota: f64) -> String {
    let text = format!("{quota:.6}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "0" if quota > 0.0 => "less than 0.000001".to_owned(),
        text => text.to_owned(),
    }
}

/// The library ends a message by the setting in question, `(next_frame)`: that is no word of this program.
fn without_setting(message: &str) -> &str {
    let is_setting = |name: &str| name.contains('_') && name.chars().all(|c| c == '_' || c.is_ascii_lowercase());
    match message.strip_suffix(')').and_then(|message| message.rsplit_once(" (")) {
        Some((message, name)) if is_setting(name) => message,
        _ => message,
    }
}

/// Bytes as text, or the line that is none.
pub(crate) fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        format!("line {line}: the text is not valid UTF-8")
    })
}

/// What the operating system says, without the number behind it.
pub(crate) fn system(error: &dyn Display) -> String {
    let text = os_words(error);
    // Rust's words.
    if matches!(&*text, "nul byte found in provided data" | "file name contained an unexpected NUL byte") {
        return "it has a NUL character in it, which no command and no name of a file can have".to_owned();
    }
    text
}

fn wire(error: &ClientError) -> Option<&WireError> {
    match error {
        ClientError::Ended(ConnectionEnd::Lost(error)) | ClientError::Start(StartError::Wire(error)) => Some(error),
        _ => None,
    }
}

/// The page that came with an HTTP status. A refusal's words are in the error's own text.
fn body(error: &WireError) -> Option<&str> {
    match error {
        WireError::Http(refusal) | WireError::Unavailable(refusal) => {
            Some(refusal.body.trim()).filter(|body| !body.is_empty())
        }
        _ => None,
    }
}

/// The option that may help.
fn hint(error: &ClientError) -> Option<&'static str> {
    match error {
        ClientError::Start(StartError::PlainToken { .. }) => {
            Some("--allow-token-over-plain-ws lets it go, readable for everybody on the way")
        }
        ClientError::ConnectTimeout { .. } => Some("--timeout allows more time"),
        ClientError::Request(RequestError::TooLong { .. })
        | ClientError::Start(StartError::Auth(AuthError::TooLong { .. })) => Some("--max-question SIZE allows more"),
        _ => match wire(error)? {
            WireError::Tls(TlsError::UnknownIssuer { .. } | TlsError::NoPlatformRoots { .. }) => {
                Some("--ca-file FILE adds a root certificate")
            }
            WireError::HandshakeTimeout { .. } => Some("--timeout allows more time"),
            WireError::MessageTooLong { .. } => Some("--max-message SIZE allows more"),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::Arc;

    fn said(error: impl Into<ClientError>) -> Failure {
        failure(&error.into(), Some(&Endpoint::parse("ws://h:8094").unwrap()))
    }

    /// A message over the limit, between turns.
    fn too_long() -> Malformed {
        let mut config = chatnio::Config::default();
        config.max_message = 1;
        let now = std::time::Duration::ZERO;
        let mut session = chatnio::Session::new(chatnio::Auth::anonymous(), config, now).unwrap();
        match session.receive(now, "{}", &mut chatnio::EventStorage::new()) {
            Some(chatnio::Event::Malformed { error, .. }) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_long_page_is_cut() {
        let error = WireError::Http(chatnio::HttpRefusal::new(404, "é".repeat(BODY_SHOWN + 1)).into());
        let failure = said(ConnectionEnd::from(error));
        assert_eq!(failure.status, Status::Connection);
        assert!(failure.message().ends_with("é ..."), "{}", failure.message());
        assert_eq!(failure.message().matches('é').count(), BODY_SHOWN);
    }

    #[test]
    fn what_the_user_can_correct_is_usage() {
        assert_eq!(said(StartError::PlainToken { host: "h".into() }).status, Status::Usage);
        assert_eq!(said(RequestError::EmptyMessage).status, Status::Usage);
        assert_eq!(said(RequestError::Closed).status, Status::Connection);
    }

    #[test]
    fn a_connect_that_fails_names_the_port_and_no_number() {
        let source = Arc::new(io::Error::from_raw_os_error(111));
        let failure = said(ClientError::Connect { host: "h".into(), source });
        assert!(failure.message().starts_with("cannot connect to h:8094: "), "{}", failure.message());
        assert!(!failure.message().contains("os error"), "{}", failure.message());
    }

    #[test]
    fn a_cost_is_a_short_number() {
        let costs = [0.0, 0.001, 0.00011000001, 12.5, 100.0, 0.0000001].map(cost);
        assert_eq!(costs, ["0", "0.001", "0.00011", "12.5", "100", "less than 0.000001"]);
    }

    #[test]
    fn no_word_is_a_setting_of_the_library() {
        let mut texts = vec![
            received(&too_long()),
            said(RequestError::TooLong { len: 2, limit: 1 }).message().to_owned(),
            said(StartError::PlainToken { host: "h".into() }).message().to_owned(),
        ];
        texts.extend(Interruption::ALL.map(interruption));
        for text in texts {
            assert!(!text.contains('_'), "{text}");
        }
        assert_eq!(without_setting("too late (next_frame)"), "too late");
        assert_eq!(without_setting("too late (really)"), "too late (really)");
    }
}
