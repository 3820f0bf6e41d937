//! `rest::Client`: makes the companion calls over sockets of its own, blocking.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use chatnio_core::Auth;
use chatnio_core::rest::Call;
use ureq::http::response::Parts;
use ureq::http::{Request, Response};
use ureq::{Agent, Body, Error, Timeout};

use super::connect::{Link, Names};
use super::{Caller, ClientError};
use crate::client::Tries;
use crate::config::{ConnectionConfig, on};

/// Makes the companion calls of one server. Blocking; may be used from several threads at once, and keeps connections
/// open for the next call.
///
/// No redirect is followed, and the environment is not looked at.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    /// Scheme, host and port.
    origin: String,
    caller: Caller,
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
        let caller = Caller::new(url, auth, config)?;
        let endpoint = caller.endpoint();
        let scheme = if endpoint.is_tls() { "https" } else { "http" };
        let settings = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_resolve(on(config.connect))
            .timeout_connect(Tries::new(config).limit())
            .build();
        let link = Link::new(endpoint.clone(), config.proxy.clone(), config.tls.clone());
        Ok(Client {
            agent: Agent::with_parts(settings, link, Names::new(config.proxy.as_ref())),
            origin: format!("{scheme}://{}", endpoint.host_header()),
            caller,
            within: Caller::WITHIN,
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
    /// [`ClientError`], of the last try; of the one before, where the last one only ran out of time.
    pub fn call<T>(&self, call: &Call<T>) -> Result<T, ClientError> {
        let started = Instant::now();
        let limit = on(self.within);
        let mut tries = self.caller.tries(call, limit);
        loop {
            let left = limit.map(|limit| limit.saturating_sub(started.elapsed()));
            let error = match self.try_once(call, left) {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            let at = tries.failed(started.elapsed(), error)?;
            thread::sleep(at.saturating_sub(started.elapsed()));
        }
    }

    fn try_once<T>(&self, call: &Call<T>, within: Option<Duration>) -> Result<T, ClientError> {
        let request = self.caller.request(call, &self.origin)?;
        let (head, body) = self.send(request, within).map_err(|error| self.explain(error))?;
        self.caller.decode(call, &head, &body)
    }

    fn send(&self, request: Request<Option<String>>, within: Option<Duration>) -> Result<(Parts, Vec<u8>), Error> {
        let (parts, body) = request.into_parts();
        let response: Response<Body> = match body {
            Some(body) => self.agent.run(self.configured(Request::from_parts(parts, body), within)),
            None => self.agent.run(self.configured(Request::from_parts(parts, ()), within)),
        }?;
        let (head, mut body) = response.into_parts();
        Ok((head, body.with_config().limit(Caller::MAX_ANSWER).read_to_vec()?))
    }

    fn configured<B: ureq::AsSendBody>(&self, request: Request<B>, within: Option<Duration>) -> Request<B> {
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
                let hop = self.caller.hop();
                ClientError::ConnectTimeout { host: hop.host().to_owned(), port: hop.port() }
            }
            Error::Timeout(_) => ClientError::Timeout { limit: self.within },
            Error::BodyExceedsLimit(limit) => ClientError::TooLong { limit },
            Error::Io(source) => ClientError::Lost { source: Arc::new(source) },
            error => ClientError::BadHttp { problem: error.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_does_not_answer_is_named() {
        let proxy = Some(crate::Proxy::parse("http://proxy.example:3128").unwrap());
        let config = ConnectionConfig { proxy, ..ConnectionConfig::default() };
        let client = Client::new("wss://chat.example", Auth::anonymous(), &config).unwrap();
        let error = client.explain(Error::Timeout(Timeout::Connect));
        let ClientError::ConnectTimeout { host, port } = &error else { panic!("{error:?}") };
        assert_eq!((host.as_str(), *port), ("proxy.example", 3128));
    }

    #[test]
    fn no_limit_is_too_long() {
        let mut config = ConnectionConfig::default();
        (config.connect, config.handshake) = (Duration::MAX, Duration::MAX);
        assert!(Client::new("ws://localhost", Auth::anonymous(), &config).is_ok());
    }
}
