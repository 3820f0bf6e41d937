//! A call that failed: which status each error of the crates below is.

use std::borrow::Cow;

#[cfg(feature = "session")]
use crate::refusal::Refusal;
use crate::status::chatnio_status;
use crate::status::chatnio_status::*;

/// A call that failed: what it answers, and the text for the handle or the `chatnio_error`.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: chatnio_status,
    pub(crate) text: Cow<'static, str>,
    /// The WebSocket's close code or the HTTP status; 0 where there was none.
    #[cfg(feature = "session")]
    pub(crate) code: i32,
    /// The HTTP answer that refused the connection.
    #[cfg(feature = "session")]
    pub(crate) refusal: Option<Box<Refusal>>,
}

impl Failure {
    pub(crate) fn new(status: chatnio_status, text: impl Into<Cow<'static, str>>) -> Self {
        Failure {
            status,
            text: text.into(),
            #[cfg(feature = "session")]
            code: 0,
            #[cfg(feature = "session")]
            refusal: None,
        }
    }

    /// An argument that cannot be.
    pub(crate) fn invalid(text: &'static str) -> Self {
        Failure::new(CHATNIO_INVALID, text)
    }

    /// What was asked for is not there. An answer and no failure: what an earlier one has said stays, so it has no words.
    pub(crate) fn absent() -> Self {
        Failure::new(CHATNIO_ABSENT, "")
    }

    /// There is nothing, which wants no words.
    #[cfg(feature = "session")]
    pub(crate) const AGAIN: Failure =
        Failure { status: CHATNIO_AGAIN, text: Cow::Borrowed(""), code: 0, refusal: None };
}

/// Statuses of the errors below, each with its own text.
macro_rules! failures {
    ($($error:ty: |$value:ident| $status:expr;)*) => {$(
        impl From<$error> for Failure {
            fn from($value: $error) -> Self {
                let text = $value.to_string();
                Failure::new($status, text)
            }
        }
    )*};
}

#[cfg(feature = "session")]
failures! {
    chatnio_core::AuthError: |error| of_auth(&error);
    chatnio_core::RequestError: |error| of_request(&error);
    chatnio_core::transcript::TranscriptError: |_error| CHATNIO_BAD_TRANSCRIPT;
}

#[cfg(feature = "rest")]
failures! {
    chatnio_core::rest::RequestError: |error| of_rest_request(error);
    chatnio_core::rest::Error: |error| of_rest(&error);
}

#[cfg(feature = "rest")]
fn of_rest_request(error: chatnio_core::rest::RequestError) -> chatnio_status {
    use chatnio_core::rest::RequestError;
    match error {
        RequestError::EmptyKey => CHATNIO_EMPTY_TOKEN,
        RequestError::Key => CHATNIO_BAD_TOKEN,
        RequestError::Prefix => CHATNIO_BAD_URL,
        _ => CHATNIO_INVALID,
    }
}

#[cfg(feature = "rest")]
fn of_rest(error: &chatnio_core::rest::Error) -> chatnio_status {
    use chatnio_core::rest::Error;
    match error {
        Error::BadKey { .. } => CHATNIO_REST_BAD_KEY,
        Error::NoKey { .. } => CHATNIO_REST_NO_KEY,
        Error::BlackListed { .. } => CHATNIO_REST_BLACK_LISTED,
        Error::Throttled { .. } => CHATNIO_REST_THROTTLED,
        Error::NotFound { .. } => CHATNIO_REST_NOT_FOUND,
        Error::Refused { .. } => CHATNIO_REST_REFUSED,
        Error::NoSuchCall { .. } => CHATNIO_REST_NO_SUCH_CALL,
        Error::WebPage => CHATNIO_REST_WEB_PAGE,
        Error::Http { .. } => CHATNIO_REST_HTTP,
        Error::Malformed { .. } => CHATNIO_REST_MALFORMED,
        _ => CHATNIO_REST_MALFORMED,
    }
}

#[cfg(feature = "session")]
fn of_auth(error: &chatnio_core::AuthError) -> chatnio_status {
    use chatnio_core::AuthError;
    match error {
        AuthError::EmptyToken => CHATNIO_EMPTY_TOKEN,
        AuthError::InvalidConversation { .. } => CHATNIO_BAD_CONVERSATION,
        AuthError::EmptyShare => CHATNIO_EMPTY_SHARE,
        AuthError::TooLong { .. } => CHATNIO_REQUEST_TOO_LONG,
        _ => CHATNIO_INVALID,
    }
}

#[cfg(feature = "session")]
fn of_request(error: &chatnio_core::RequestError) -> chatnio_status {
    use chatnio_core::RequestError;
    match error {
        RequestError::Busy { .. } => CHATNIO_BUSY,
        RequestError::Unsent { .. } => CHATNIO_UNSENT,
        RequestError::EmptyMessage => CHATNIO_EMPTY_MESSAGE,
        RequestError::EmptyShare => CHATNIO_EMPTY_SHARE,
        RequestError::InvalidMask => CHATNIO_BAD_MASK,
        RequestError::NotFinite { .. } => CHATNIO_NOT_FINITE,
        RequestError::UnexpectedParameters { .. } => CHATNIO_BAD_PARAMETERS,
        RequestError::KnownField { .. } => CHATNIO_KNOWN_FIELD,
        RequestError::InvalidExtra => CHATNIO_BAD_EXTRA,
        RequestError::TooLong { .. } => CHATNIO_REQUEST_TOO_LONG,
        RequestError::NothingToRestart => CHATNIO_NOTHING_TO_RESTART,
        RequestError::Closed => CHATNIO_CLOSED,
        _ => CHATNIO_INVALID,
    }
}

#[cfg(feature = "session")]
pub(crate) fn of_malformed(error: &chatnio_core::Malformed) -> chatnio_status {
    let is_too_long = matches!(error.reason, chatnio_core::Reason::TooLong { .. });
    if is_too_long { CHATNIO_MESSAGE_TOO_LONG } else { CHATNIO_MALFORMED }
}

#[cfg(feature = "connection")]
mod transport {
    use chatnio_transport::{
        ConnectionEnd, EndpointError, HeaderError, ProxyError, ProxyUrlError, StartError, TlsError, TlsOptionsError,
        Undrained, WireError,
    };

    use super::*;

    failures! {
        EndpointError: |_error| CHATNIO_BAD_URL;
        HeaderError: |_error| CHATNIO_BAD_HEADER;
        TlsOptionsError: |error| of_tls_options(&error);
        ProxyUrlError: |_error| CHATNIO_BAD_PROXY;
        Undrained: |_error| CHATNIO_UNDRAINED;
        WireError: |error| of_wire(&error);
        TlsError: |error| of_tls(&error);
        StartError: |error| of_start(&error);
    }

    fn of_tls_options(error: &TlsOptionsError) -> chatnio_status {
        match error {
            TlsOptionsError::BadClientCertificate { .. } => CHATNIO_BAD_CERTIFICATE,
            TlsOptionsError::KeyLog { .. } => CHATNIO_SYSTEM,
            TlsOptionsError::Read { .. }
            | TlsOptionsError::NoCertificate { .. }
            | TlsOptionsError::BadCertificate { .. }
            | TlsOptionsError::NoRoots => CHATNIO_BAD_ROOTS,
            _ => CHATNIO_BAD_ROOTS,
        }
    }

    fn of_start(error: &StartError) -> chatnio_status {
        match error {
            StartError::Auth(error) => of_auth(error),
            StartError::PlainToken { .. } => CHATNIO_PLAIN_TOKEN,
            StartError::Wire(error) => of_wire(error),
            _ => CHATNIO_INVALID,
        }
    }

    pub(crate) fn of_end(end: &ConnectionEnd) -> chatnio_status {
        match end {
            ConnectionEnd::Clean => CHATNIO_CLOSED,
            ConnectionEnd::ByServer { .. } => CHATNIO_CLOSED_BY_SERVER,
            ConnectionEnd::Lost(error) => of_wire(error),
            _ => CHATNIO_IO,
        }
    }

    fn of_wire(error: &WireError) -> chatnio_status {
        match error {
            WireError::NoRandom => CHATNIO_NO_RANDOM,
            WireError::Tls(error) => of_tls(error),
            WireError::Proxy(ProxyError::Authentication { .. }) => CHATNIO_PROXY_AUTH,
            WireError::Proxy(ProxyError::NotAProxy { .. }) => CHATNIO_NOT_A_PROXY,
            WireError::Proxy(ProxyError::Refused { status: 429, .. }) => CHATNIO_THROTTLED,
            WireError::Proxy(ProxyError::Refused { status: 502..=504, .. }) => CHATNIO_UNAVAILABLE,
            WireError::Proxy(ProxyError::Refused { .. } | ProxyError::Failed { .. }) => CHATNIO_PROXY_REFUSED,
            WireError::Proxy(_) => CHATNIO_PROXY_REFUSED,
            WireError::Throttled(_) => CHATNIO_THROTTLED,
            WireError::Refused(_) => CHATNIO_REFUSED,
            WireError::Unavailable(_) => CHATNIO_UNAVAILABLE,
            WireError::Http(_) => CHATNIO_HTTP,
            WireError::Upgrade(_) => CHATNIO_UPGRADE,
            WireError::BadHttp { .. } | WireError::HeadTooLarge { .. } => CHATNIO_BAD_HTTP,
            WireError::HandshakeTimeout { .. } => CHATNIO_HANDSHAKE_TIMEOUT,
            WireError::EndOfStream { .. } => CHATNIO_END_OF_STREAM,
            WireError::Truncated { .. } => CHATNIO_TRUNCATED,
            WireError::Protocol { .. } | WireError::Unasked => CHATNIO_PROTOCOL,
            WireError::InvalidUtf8 => CHATNIO_SERVER_NOT_UTF8,
            WireError::MessageTooLong { .. } => CHATNIO_OVERSIZED,
            WireError::Unresponsive { .. } => CHATNIO_UNRESPONSIVE,
            WireError::CloseTimeout => CHATNIO_CLOSE_TIMEOUT,
            WireError::NotOpen => CHATNIO_CLOSED,
            WireError::Io { .. } => CHATNIO_IO,
            _ => CHATNIO_IO,
        }
    }

    fn of_tls(error: &TlsError) -> chatnio_status {
        match error {
            TlsError::UnknownIssuer { .. } => CHATNIO_TLS_UNKNOWN_ISSUER,
            TlsError::WrongName { .. } => CHATNIO_TLS_WRONG_NAME,
            TlsError::Expired { .. } => CHATNIO_TLS_EXPIRED,
            TlsError::NotYetValid { .. } => CHATNIO_TLS_NOT_YET_VALID,
            TlsError::Certificate { .. } | TlsError::Host { .. } => CHATNIO_TLS_CERTIFICATE,
            TlsError::NotTls { .. } => CHATNIO_TLS_NOT_TLS,
            TlsError::NoPlatformRoots { .. } => CHATNIO_TLS_NO_ROOTS,
            TlsError::NoRandom => CHATNIO_NO_RANDOM,
            TlsError::ClientCertificate { .. } => CHATNIO_TLS_CLIENT_CERTIFICATE,
            TlsError::Alert { .. } | TlsError::Setup { .. } | TlsError::Other { .. } => CHATNIO_TLS,
            _ => CHATNIO_TLS,
        }
    }

    #[cfg(feature = "client")]
    impl From<chatnio_transport::ClientError> for Failure {
        fn from(error: chatnio_transport::ClientError) -> Self {
            use chatnio_transport::ClientError;
            let status = match &error {
                ClientError::Endpoint(_) => CHATNIO_BAD_URL,
                ClientError::Start(error) => of_start(error),
                ClientError::Resolve { .. } => CHATNIO_RESOLVE,
                ClientError::Connect { .. } => CHATNIO_CONNECT,
                ClientError::ConnectTimeout { .. } => CHATNIO_CONNECT_TIMEOUT,
                ClientError::Ended(end) => of_end(end),
                ClientError::GivenStream => CHATNIO_GIVEN_SOCKET,
                ClientError::NotAStream => CHATNIO_INVALID,
                ClientError::NotAnswered { .. } | ClientError::Answered { .. } => CHATNIO_BAD_PARAMETERS,
                ClientError::Request(error) => of_request(error),
                ClientError::Signal => CHATNIO_INTERRUPTED,
                ClientError::Exhausted { .. } | ClientError::Socket(_) => CHATNIO_SYSTEM,
                // That of a stream of pieces, which C has not.
                ClientError::Interrupted(_) => CHATNIO_SYSTEM,
                _ => CHATNIO_SYSTEM,
            };
            let mut failure = Failure::new(status, error.to_string());
            if let ClientError::Ended(end) = &error {
                failure.code = end.code().unwrap_or_default().into();
                failure.refusal = Refusal::of(end);
            }
            failure
        }
    }
}

#[cfg(feature = "connection")]
pub(crate) use transport::of_end;

#[cfg(all(test, feature = "client"))]
mod tests {
    use std::collections::HashSet;
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    use chatnio_core::RequestError;
    use chatnio_transport::{
        ClientError, ConnectionEnd, HttpRefusal, ProxyError, Step, TlsError, UpgradeError, WireError,
    };

    use super::*;
    use crate::status::{TABLE, chatnio_status_is_fatal, chatnio_status_is_retryable};

    fn text() -> String {
        "x".to_owned()
    }

    fn of_wire() -> Vec<WireError> {
        let step = Step::Session;
        let refusal = || Box::new(HttpRefusal::new(500, ""));
        let refused = |status| ProxyError::Refused { proxy: text(), status, retry_after: None };
        let tls = [
            TlsError::UnknownIssuer { host: text() },
            TlsError::WrongName { host: text(), presented: Vec::new() },
            TlsError::Expired { host: text() },
            TlsError::NotYetValid { host: text() },
            TlsError::Certificate { host: text(), problem: text() },
            TlsError::NotTls { host: text() },
            TlsError::ClientCertificate { host: text() },
            TlsError::Alert { host: text(), alert: text() },
            TlsError::Host { host: text() },
            TlsError::NoPlatformRoots { problem: text() },
            TlsError::NoRandom,
            TlsError::Setup { problem: text() },
            TlsError::Other { host: text(), problem: text() },
        ];
        let proxy = [
            ProxyError::Authentication { proxy: text(), given: false, wanted: None },
            refused(429),
            refused(503),
            refused(403),
            ProxyError::Failed { proxy: text(), problem: "x" },
            ProxyError::NotAProxy { proxy: text(), problem: text() },
        ];
        let others = [
            WireError::NoRandom,
            WireError::Throttled(refusal()),
            WireError::Refused(refusal()),
            WireError::Unavailable(refusal()),
            WireError::Http(refusal()),
            WireError::Upgrade(UpgradeError::Accept),
            WireError::BadHttp { problem: text() },
            WireError::HeadTooLarge { limit: 1 },
            WireError::HandshakeTimeout { step },
            WireError::EndOfStream { step },
            WireError::Io { kind: io::ErrorKind::Other, step },
            WireError::Truncated { step },
            WireError::Protocol { problem: text() },
            WireError::Unasked,
            WireError::InvalidUtf8,
            WireError::MessageTooLong { limit: 1 },
            WireError::Unresponsive { silence: Duration::ZERO },
            WireError::CloseTimeout,
            WireError::NotOpen,
        ];
        tls.into_iter().map(WireError::Tls).chain(proxy.into_iter().map(WireError::Proxy)).chain(others).collect()
    }

    fn of_client() -> Vec<ClientError> {
        let source = || Arc::new(io::Error::other("x"));
        let mut errors: Vec<_> = of_wire().into_iter().map(|end| ConnectionEnd::Lost(end).into()).collect();
        errors.extend([
            ConnectionEnd::Clean.into(),
            ConnectionEnd::ByServer { code: None, reason: String::new() }.into(),
            ClientError::Resolve { host: text(), source: source() },
            ClientError::Connect { host: text(), source: source() },
            ClientError::ConnectTimeout { host: text(), limit: Duration::ZERO },
            ClientError::Exhausted { what: "x", source: source() },
            ClientError::Socket(source()),
            ClientError::GivenStream,
            ClientError::NotAStream,
            ClientError::Signal,
            RequestError::Closed.into(),
        ]);
        errors
    }

    #[test]
    fn c_and_rust_agree_on_what_may_be_tried_again() {
        let mut compared = HashSet::from([CHATNIO_PANIC as i32]);
        for error in of_client() {
            let is_retryable = error.is_retryable();
            let status = Failure::from(error.clone()).status as i32;
            assert_eq!(chatnio_status_is_retryable(status), is_retryable, "{error:?}");
            compared.insert(status);
        }
        for status in TABLE.iter().map(|(status, ..)| *status as i32) {
            let is_compared = compared.contains(&status) || !chatnio_status_is_fatal(status);
            assert!(is_compared, "no error above is {status}");
        }
    }
}
