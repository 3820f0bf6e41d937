//! `rest::Client`: makes the companion calls, each over a connection of its own.

use std::error::Error as _;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chatnio::rest::{Call, Caller, ClientError};
use chatnio::{Auth, ConnectionConfig, TlsError};
use http::header::{CONNECTION, HOST, HeaderValue};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until, timeout};

use super::connect::Link;

/// Makes the companion calls of one server. Each opens a connection of its own, so that one dropped leaves nothing behind.
///
/// No redirect is followed, and the environment is not looked at.
#[derive(Debug)]
pub struct Client {
    caller: Caller,
    link: Link,
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
        let link = Link::new(caller.endpoint(), config);
        Ok(Client { caller, link, within: Caller::WITHIN })
    }

    /// Sets how long a call may take in all, with every try, from the name's look-up to the answer's last byte: 30 s unless
    /// it is set; zero is no limit.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// Makes a call and waits for its answer. One that [only reads](Call::is_repeatable) is tried again as connecting is.
    /// Dropping what this returns breaks the call off; whether the server has heard of it is open then.
    ///
    /// # Errors
    /// [`ClientError`], of the last try; of the one before, where the last one only ran out of time.
    pub async fn call<T>(&self, call: &Call<T>) -> Result<T, ClientError> {
        let started = Instant::now();
        let limit = Some(self.within).filter(|limit| !limit.is_zero());
        let mut tries = self.caller.tries(call, limit);
        loop {
            let tried = self.try_once(call);
            let tried = match limit {
                None => tried.await,
                Some(limit) => match timeout(limit.saturating_sub(started.elapsed()), tried).await {
                    Ok(tried) => tried,
                    Err(_) => Err(ClientError::Timeout { limit }),
                },
            };
            let error = match tried {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            let at = tries.failed(started.elapsed(), error)?;
            sleep_until(started + at).await;
        }
    }

    async fn try_once<T>(&self, call: &Call<T>) -> Result<T, ClientError> {
        let mut request = self.caller.request(call, "")?.map(|body| Full::new(Bytes::from(body.unwrap_or_default())));
        let host = HeaderValue::from_str(&self.caller.endpoint().host_header());
        let host = host.map_err(|error| ClientError::BadHttp { problem: error.to_string() })?;
        request.headers_mut().insert(HOST, host);
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        let stream = self.link.connect().await?;
        let exchange = async {
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            let answer = async {
                let (head, body) = sender.send_request(request).await?.into_parts();
                Ok((head, Limited::new(body, MAX).collect().await))
            };
            beside(connection, answer).await
        };
        let (head, body) = exchange.await.map_err(|error| self.explain(error))?;
        let body = body.map_err(|error| match error.downcast::<hyper::Error>() {
            Ok(error) => self.explain(*error),
            Err(error) if error.is::<LengthLimitError>() => ClientError::TooLong { limit: Caller::MAX_ANSWER },
            Err(error) => ClientError::BadHttp { problem: error.to_string() },
        })?;
        self.caller.decode(call, &head, &body.to_bytes())
    }

    /// What `hyper` says, in our words.
    fn explain(&self, error: hyper::Error) -> ClientError {
        if error.is_parse() {
            return ClientError::BadHttp { problem: error.to_string() };
        }
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        let kind = source.map_or(io::ErrorKind::UnexpectedEof, io::Error::kind);
        let tls = source
            .and_then(|source| source.get_ref())
            .and_then(|inner| inner.downcast_ref::<tokio_rustls::rustls::Error>());
        if let Some(tls) = tls
            && let Ok(error) = TlsError::of_io(io::Error::new(kind, tls.clone()), self.caller.endpoint().host())
        {
            return error.into();
        }
        ClientError::Lost { source: Arc::new(io::Error::new(kind, error)) }
    }
}

/// The longest answer.
#[expect(clippy::cast_possible_truncation, reason = "it is a small number")]
const MAX: usize = Caller::MAX_ANSWER as usize;

/// Waits for `wanted`, which needs `driver` to go on beside it.
async fn beside<T>(driver: impl Future, wanted: impl Future<Output = T>) -> T {
    let (mut driver, mut wanted) = (pin!(driver), pin!(wanted));
    let mut drives = true;
    poll_fn(|context| {
        if drives {
            // Of how it fails, what is wanted tells.
            drives = driver.as_mut().poll(context).is_pending();
        }
        wanted.as_mut().poll(context)
    })
    .await
}
