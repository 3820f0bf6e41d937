//! Exit statuses, and the failures that lead to them.

use std::io;

use chatnio::{ClientError, RequestError, StartError, TlsError, WireError};

use crate::output::say;

/// An HTTP error page can be long; this much of it tells what it is about.
const BODY_SHOWN: usize = 1000;

/// What the process ends with. Of several the highest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// Answered, or stopped as asked.
    Done = 0,
    /// The output or the recording could not be written.
    Output = 1,
    /// The command line, the environment or a named file is wrong.
    Usage = 2,
    /// The server answered instead of the model.
    Notice = 3,
    /// No connection, or an answer without its end.
    Connection = 4,
    /// A message or a transcript that cannot be read.
    Malformed = 5,
    /// Ctrl-C with nothing left to stop: what shells expect after SIGINT.
    Quit = 130,
}

impl Status {
    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

/// Why a command cannot go on.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    message: String,
}

impl Failure {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Failure { status, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::new(Status::Usage, message)
    }

    /// Says it on stderr, and gives the status to end with.
    pub(crate) fn report(&self) -> Status {
        say("error", &self.message);
        self.status
    }

    /// What is left of a failure to write an answer: a reader that has gone away is no failure.
    pub(crate) fn output(error: &io::Error) -> Option<Self> {
        (error.kind() != io::ErrorKind::BrokenPipe)
            .then(|| Failure::new(Status::Output, format!("cannot write the answer to standard output: {error}")))
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let status = match &error {
            ClientError::Endpoint(_) | ClientError::Start(StartError::Auth(_) | StartError::PlainToken { .. }) => {
                Status::Usage
            }
            ClientError::Request(error) if *error != RequestError::Closed => Status::Usage,
            _ => Status::Connection,
        };
        let mut message = error.to_string();
        if let Some(body) = wire(&error).and_then(body) {
            message.push_str("\nthe server says: ");
            message.extend(body.chars().take(BODY_SHOWN));
            if body.chars().nth(BODY_SHOWN).is_some() {
                message.push_str(" ...");
            }
        }
        if let Some(hint) = hint(&error) {
            message.push_str("\nhint: ");
            message.push_str(hint);
        }
        Failure { status, message }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        ClientError::from(error).into()
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        ClientError::from(error).into()
    }
}

fn wire(error: &ClientError) -> Option<&WireError> {
    match error {
        ClientError::Ended(chatnio::ConnectionEnd::Lost(error)) | ClientError::Start(StartError::Wire(error)) => {
            Some(error)
        }
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
        ClientError::Start(StartError::PlainToken { .. }) => Some("the option is --allow-token-over-plain-ws"),
        ClientError::ConnectTimeout { .. } => Some("--timeout allows more time"),
        _ => match wire(error)? {
            WireError::Tls(TlsError::UnknownIssuer { .. } | TlsError::NoPlatformRoots { .. }) => {
                Some("--ca-file FILE adds a root certificate")
            }
            WireError::HandshakeTimeout { .. } => Some("--timeout allows more time"),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_page_is_cut() {
        let error = WireError::Http(chatnio::HttpRefusal::new(404, "é".repeat(BODY_SHOWN + 1)).into());
        let failure = Failure::from(ClientError::Ended(error.into()));
        assert_eq!(failure.status, Status::Connection);
        assert!(failure.message.ends_with("é ..."), "{}", failure.message);
        assert_eq!(failure.message.matches('é').count(), BODY_SHOWN);
    }

    #[test]
    fn what_the_user_can_correct_is_usage() {
        let plain = StartError::PlainToken { host: "h".into() };
        assert_eq!(Failure::from(plain).status, Status::Usage);
        assert_eq!(Failure::from(RequestError::EmptyMessage).status, Status::Usage);
        assert_eq!(Failure::from(RequestError::Closed).status, Status::Connection);
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        assert!(Failure::output(&io::ErrorKind::BrokenPipe.into()).is_none());
        assert!(Failure::output(&io::ErrorKind::StorageFull.into()).is_some());
    }
}
