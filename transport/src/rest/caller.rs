//! `Caller`: what a client of the calls does beside I/O.

use std::cell::LazyCell;
use std::time::Duration;

use chatnio_core::rest::{Call, prefix_of};
use chatnio_core::{Auth, Retry};
use http::HeaderValue;
use http::header::{self, HeaderName};

use super::ClientError;
use crate::client::jitter;
use crate::config::ConnectionConfig;
use crate::endpoint::Endpoint;
use crate::handshake::USER_AGENT;
use crate::headers::Headers;
#[cfg(feature = "rest")]
use crate::hop::Hop;
use crate::proxy::Proxy;
use crate::retry_after::retry_after;
use crate::secrets::all_of;

/// What a client of the calls does beside I/O: the request with its headers, the answer without its secrets, and when to try
/// again. For clients of other kinds than the blocking one.
#[derive(Debug)]
pub struct Caller {
    endpoint: Endpoint,
    prefix: String,
    auth: Auth,
    headers: Headers,
    /// For its secrets, and for where it is.
    proxy: Option<Proxy>,
    allow_plain_key: bool,
    retries: u32,
}

impl Caller {
    /// How long a call may take in all, when nothing else is said.
    pub const WITHIN: Duration = Duration::from_secs(30);

    /// The longest answer in bytes: a conversation with many long messages, and pictures in them.
    pub const MAX_ANSWER: u64 = 64 << 20;

    /// For the server whose chat is at `url`; the calls' prefix follows from its path. Of `auth` only the token counts.
    ///
    /// # Errors
    /// [`ClientError::Endpoint`].
    pub fn new(url: &str, auth: Auth, config: &ConnectionConfig) -> Result<Self, ClientError> {
        let endpoint = Endpoint::parse(url)?;
        Ok(Caller {
            prefix: prefix_of(endpoint.path()).to_owned(),
            endpoint,
            auth,
            headers: config.headers.clone(),
            proxy: config.proxy.clone(),
            allow_plain_key: config.allow_token_over_plain_ws,
            retries: config.connect_retries,
        })
    }

    /// Where the server is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What is connected to for that.
    #[cfg(feature = "rest")]
    pub(super) fn hop(&self) -> Hop<'_> {
        Hop::new(&self.endpoint, self.proxy.as_ref())
    }

    /// The request of a call, and the body that it may have. Its URI is a path behind `origin`, which is empty or a scheme, a
    /// host and a port; a `Host` is not among the headers.
    ///
    /// # Errors
    /// [`ClientError::PlainKey`], [`ClientError::Request`], and [`ClientError::BadHttp`] for what HTTP cannot carry.
    pub fn request<T>(&self, call: &Call<T>, origin: &str) -> Result<http::Request<Option<String>>, ClientError> {
        let request = call.request(&self.auth, &self.prefix)?;
        match self.endpoint.exposed_to(self.proxy.as_ref()) {
            Some(host) if request.authorization.is_some() && !self.allow_plain_key => {
                return Err(ClientError::PlainKey { host: host.to_owned() });
            }
            _ => {}
        }
        let bad = |error: &dyn std::fmt::Display| ClientError::BadHttp { problem: error.to_string() };
        let uri = self.uri(origin, &request.target);
        let mut parts = http::Request::builder().method(request.method.name()).uri(uri);
        for (name, value) in self.headers.iter().chain(request.headers()) {
            let mut value = HeaderValue::from_str(value).map_err(|error| bad(&error))?;
            // All of them: any may be a secret, and who logs requests leaves these out.
            value.set_sensitive(true);
            parts = parts.header(HeaderName::from_bytes(name.as_bytes()).map_err(|error| bad(&error))?, value);
        }
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(header::USER_AGENT.as_str())) {
            parts = parts.header(header::USER_AGENT, USER_AGENT);
        }
        parts.body(request.body.clone()).map_err(|error| bad(&error))
    }

    /// With the query that the server's URL has, which is where gateways want their keys.
    fn uri(&self, origin: &str, target: &str) -> String {
        match self.endpoint.query() {
            None => format!("{origin}{target}"),
            Some(query) => format!("{origin}{target}{}{query}", if target.contains('?') { '&' } else { '?' }),
        }
    }

    /// What the answer to a call says.
    ///
    /// # Errors
    /// [`ClientError::Answer`].
    pub fn decode<T>(&self, call: &Call<T>, head: &http::response::Parts, body: &[u8]) -> Result<T, ClientError> {
        // Some servers repeat what they were asked, and with it its secrets. Only words of a failure are searched.
        let secrets = LazyCell::new(|| all_of(&self.endpoint, &self.headers, self.proxy.as_ref(), &self.auth));
        let redact = |text: &str| secrets.redact(text);
        call.decode_redacted(head.status.as_u16(), body, &redact).map_err(|error| {
            let after = retry_after(|name| head.headers.get(name)?.to_str().ok());
            error.with_retry_after(after).into()
        })
    }

    /// The tries of a call, which is to be over within `limit`, if there is one.
    #[must_use]
    pub fn tries<T>(&self, call: &Call<T>, limit: Option<Duration>) -> CallTries {
        let retry = Retry::new(if call.is_repeatable() { self.retries } else { 0 }, limit);
        CallTries { retry, limit, told: None }
    }
}

/// When a call is tried again: only one that [only reads](Call::is_repeatable), as connecting is. Times are those since the
/// call began.
#[derive(Debug)]
pub struct CallTries {
    retry: Retry,
    limit: Option<Duration>,
    /// What the try before failed by.
    told: Option<ClientError>,
}

impl CallTries {
    /// A try has failed at `now`. Returns when to try again.
    ///
    /// # Errors
    /// `error`, when it is not to be tried again. Where this try only ran out of time, what the try before has failed by: that
    /// says more.
    pub fn failed(&mut self, now: Duration, error: ClientError) -> Result<Duration, ClientError> {
        let again = error.retry_cause().and_then(|cause| self.retry.failed(now, cause, error.retry_after(), jitter()));
        let is_late = match error {
            ClientError::Timeout { .. } => true,
            ClientError::ConnectTimeout { .. } => self.limit.is_some_and(|limit| now >= limit),
            _ => false,
        };
        match again {
            Some(at) => {
                self.told = Some(error);
                Ok(at)
            }
            None if is_late => Err(self.told.take().unwrap_or(error)),
            None => Err(error),
        }
    }
}
