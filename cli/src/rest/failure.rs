//! From a call's error to what the user is told, and to the exit status.

use chatnio::TlsError;
use chatnio::rest::{ClientError, Error};

use crate::status::{Failure, Status};

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let status = match &error {
            ClientError::Endpoint(_) | ClientError::Request(_) | ClientError::PlainKey { .. } => Status::Usage,
            ClientError::Answer(error) => match error {
                Error::Malformed { .. } => Status::Malformed,
                Error::WebPage => Status::Usage,
                Error::Throttled { .. } | Error::Http { .. } => Status::Connection,
                _ => Status::Notice,
            },
            _ => Status::Connection,
        };
        let mut message = error.to_string();
        if let Some(hint) = hint(&error) {
            message.push_str("\nhint: ");
            message.push_str(hint);
        }
        Failure::new(status, message)
    }
}

/// The option or variable that may help.
fn hint(error: &ClientError) -> Option<&'static str> {
    Some(match error {
        ClientError::PlainKey { .. } => "the option is --allow-token-over-plain-ws",
        ClientError::ConnectTimeout { .. } | ClientError::Timeout { .. } => "--timeout allows more time",
        ClientError::Tls(TlsError::UnknownIssuer { .. } | TlsError::NoPlatformRoots { .. }) => {
            "--ca-file FILE adds a root certificate"
        }
        ClientError::Answer(Error::BadKey { .. } | Error::NoKey { .. }) => {
            "the key is that of CHATNIO_TOKEN or --token"
        }
        ClientError::Answer(Error::WebPage | Error::NoSuchCall { .. }) => {
            "the URL is that of CHATNIO_URL or --url: try it with /api at its end"
        }
        ClientError::Answer(Error::NotFound { .. }) => "`chatnio conversations` lists the ids that there are",
        _ => return None,
    })
}
