//! `rest::Client`: makes the companion calls over sockets of its own, blocking.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use chatnio_core::rest::{self, Call, Request, prefix_of};
use chatnio_core::{Auth, Retry};
use ureq::http::{self, HeaderValue};
use ureq::{Agent, Body, Error, Timeout};

use super::ClientError;
use super::connect::{Link, Names};
use crate::client::jitter;
use crate::config::ConnectionConfig;
use crate::endpoint::Endpoint;
use crate::headers::Headers;

/// How long a call may take, when nothing else is said.
const WITHIN: Duration = Duration::from_secs(30);

/// The longest answer: a conversation with many long messages, and pictures in them.
const MAX_ANSWER: u64 = 64 << 20;

/// Says who asks: some gateways refuse requests that do not.
const USER_AGENT: &str = concat!("chatnio/", env!("CARGO_PKG_VERSION"));

/// Makes the companion calls of one server. Blocking; may be used from several threads at once, and keeps connections
/// open for the next call.
///
/// No redirect is followed, and the environment is not looked at.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    /// Scheme, host and port.
    origin: String,
    endpoint: Endpoint,
    prefix: String,
    auth: Auth,
    headers: Headers,
    allow_plain_key: bool,
    retries: u32,
    within: Duration,
}

impl Client {
    /// A client for the server whose chat is at `url`, as in [`Client::connect`](crate::Client::connect); the calls'
    /// prefix follows from its path. Nothing is connected yet.
    ///
    /// Of `auth` only the token counts. Of `config` count the TLS settings, the extra headers, the proxy, the limits of
    /// connecting ([`connect`](ConnectionConfig::connect) and [`handshake`](ConnectionConfig::handshake)), how often to try
    /// again ([`connect_retries`](ConnectionConfig::connect_retries)), and whether a token may go over plain HTTP.
    ///
    /// # Errors
    /// [`ClientError::Endpoint`].
    pub fn new(url: &str, auth: Auth, config: &ConnectionConfig) -> Result<Self, ClientError> {
        let endpoint = Endpoint::parse(url)?;
        let scheme = if endpoint.is_tls() { "https" } else { "http" };
        let limit = |limit: Duration| Some(limit).filter(|limit| !limit.is_zero());
        let settings = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(USER_AGENT)
            .timeout_resolve(limit(config.connect))
            .timeout_connect(limit(config.connect).zip(limit(config.handshake)).map(|(tcp, tls)| tcp + tls))
            .build();
        let link = Link::new(endpoint.clone(), config.proxy.clone(), config.tls.clone());
        Ok(Client {
            agent: Agent::with_parts(settings, link, Names::new(config.proxy.as_ref())),
            origin: format!("{scheme}://{}", endpoint.host_header()),
            prefix: prefix_of(endpoint.path()).to_owned(),
            endpoint,
            auth,
            headers: config.headers.clone(),
            allow_plain_key: config.allow_token_over_plain_ws,
            retries: config.connect_retries,
            within: WITHIN,
        })
    }

    /// Sets how long a call may take in all, with every try, from the name's look-up to the answer's last byte: 30 s unless
    /// it is set; zero is no limit.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// Makes a call and waits for its answer. One that [only reads](Call::is_repeatable) is tried again as connecting is.
    ///
    /// # Errors
    /// [`ClientError`], of the last try.
    pub fn call<T>(&self, call: &Call<T>) -> Result<T, ClientError> {
        let started = Instant::now();
        let limit = Some(self.within).filter(|limit| !limit.is_zero());
        let mut retry = Retry::new(if call.is_repeatable() { self.retries } else { 0 }, limit);
        loop {
            let left = limit.map(|limit| limit.saturating_sub(started.elapsed()));
            let error = match self.try_once(call, left) {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            let again = error.retry_cause().and_then(|cause| retry.failed(started.elapsed(), cause, None, jitter()));
            let Some(at) = again else { return Err(error) };
            thread::sleep(at.saturating_sub(started.elapsed()));
        }
    }

    fn try_once<T>(&self, call: &Call<T>, within: Option<Duration>) -> Result<T, ClientError> {
        let request = call.request(&self.auth, &self.prefix)?;
        let is_open = !self.endpoint.is_tls() && !self.endpoint.is_loopback();
        if request.authorization.is_some() && is_open && !self.allow_plain_key {
            return Err(ClientError::PlainKey { host: self.endpoint.host().to_owned() });
        }
        let (status, body) = self.send(request, within).map_err(|error| self.explain(error))?;
        call.decode(status, &body).map_err(|error| self.without_secrets(call, status, &body, error).into())
    }

    /// Some gateways repeat what they were asked, and with it the URL's query.
    fn without_secrets<T>(&self, call: &Call<T>, status: u16, body: &[u8], error: rest::Error) -> rest::Error {
        if !self.endpoint.has_query() {
            return error;
        }
        let body = self.endpoint.redact(&String::from_utf8_lossy(body));
        call.decode(status, body.as_bytes()).err().unwrap_or(error)
    }

    fn send(&self, request: Request, within: Option<Duration>) -> Result<(u16, Vec<u8>), Error> {
        let mut parts = http::Request::builder().method(request.method.name()).uri(self.url_of(&request.target));
        for (name, value) in self.headers.iter().chain(request.headers()) {
            let mut value = HeaderValue::from_str(value).map_err(http::Error::from)?;
            // All of them: any may be a secret, and who logs requests leaves these out.
            value.set_sensitive(true);
            parts = parts.header(name, value);
        }
        let mut response: http::Response<Body> = match request.body.as_deref() {
            Some(body) => self.agent.run(self.configured(parts.body(body)?, within)),
            None => self.agent.run(self.configured(parts.body(())?, within)),
        }?;
        let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec()?;
        Ok((response.status().as_u16(), body))
    }

    /// With the query that the server's URL has, which is where gateways want their keys.
    fn url_of(&self, target: &str) -> String {
        match self.endpoint.query() {
            None => format!("{}{target}", self.origin),
            Some(query) => format!("{}{target}{}{query}", self.origin, if target.contains('?') { '&' } else { '?' }),
        }
    }

    fn configured<B: ureq::AsSendBody>(&self, request: http::Request<B>, within: Option<Duration>) -> http::Request<B> {
        self.agent.configure_request(request).timeout_global(within).build()
    }

    /// What `ureq` says, in our words.
    fn explain(&self, error: Error) -> ClientError {
        match error {
            Error::Other(error) => match error.downcast::<ClientError>() {
                Ok(error) => *error,
                Err(error) => ClientError::BadHttp { problem: error.to_string() },
            },
            Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
                ClientError::ConnectTimeout { host: self.endpoint.host().to_owned(), port: self.endpoint.port() }
            }
            Error::Timeout(_) => ClientError::Timeout { limit: self.within },
            Error::BodyExceedsLimit(limit) => ClientError::TooLong { limit },
            Error::Io(source) => ClientError::Lost { source: Arc::new(source) },
            error => ClientError::BadHttp { problem: error.to_string() },
        }
    }
}
