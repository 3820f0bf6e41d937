//! HTTP CONNECT (RFC 9110, section 9.3.6), with basic authentication (RFC 7617).

use chatnio_core::Secrets;
use zeroize::Zeroizing;

use super::{Credentials, Proxy};
use crate::buffer::InBuffer;
use crate::endpoint::Endpoint;
use crate::error::WireError;
use crate::handshake::USER_AGENT;
use crate::http_head::HeadCollector;
use crate::proxy_error::ProxyError;

pub(crate) struct Connect {
    proxy: String,
    has_credentials: bool,
    /// Some proxies name in their realm whom they do not let through.
    secrets: Secrets,
    input: InBuffer,
    head: HeadCollector,
}

impl Connect {
    pub(crate) fn start(proxy: &Proxy, endpoint: &Endpoint) -> (Self, Zeroizing<Vec<u8>>) {
        let authority = endpoint.address();
        let basic = proxy.credentials.as_ref().map(Credentials::basic);
        let parts = [
            "CONNECT ",
            &authority,
            " HTTP/1.1\r\nHost: ",
            &authority,
            "\r\nUser-Agent: ",
            USER_AGENT,
            if basic.is_some() { "\r\nProxy-Authorization: Basic " } else { "" },
            basic.as_ref().map_or("", |basic| basic.as_str()),
            "\r\n\r\n",
        ];
        // Never grows: what a growing vector leaves behind is not wiped.
        let mut request = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
        parts.iter().for_each(|part| request.extend_from_slice(part.as_bytes()));
        let connect = Connect {
            proxy: proxy.to_string(),
            has_credentials: proxy.credentials.is_some(),
            secrets: proxy.secrets(),
            input: InBuffer::default(),
            head: HeadCollector::default(),
        };
        (connect, request)
    }

    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, ProxyError> {
        self.input.push(bytes);
        let head = loop {
            match self.head.take(&mut self.input) {
                Ok(None) => return Ok(None),
                // 100 Continue and the like.
                Ok(Some(head)) if (100..200).contains(&head.status) => {}
                Ok(Some(head)) => break head,
                Err(error) => return Err(self.not_a_proxy(&error)),
            }
        };
        match head.status {
            // What follows is the server's, whatever lengths the head may speak of.
            200..=299 => Ok(Some(self.input.unread().to_vec())),
            // 401 is what tinyproxy says to a wrong password.
            status @ (401 | 407) => Err(ProxyError::Authentication {
                proxy: self.proxy.clone(),
                given: self.has_credentials,
                wanted: (status == 407).then(|| {
                    let wanted = head.text("proxy-authenticate", |text| self.secrets.redact(text));
                    wanted.unwrap_or_else(|| "HTTP 407".to_owned())
                }),
            }),
            status => Err(ProxyError::Refused { proxy: self.proxy.clone(), status, retry_after: head.retry_after() }),
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.input.len() + self.head.len()
    }

    fn not_a_proxy(&self, error: &WireError) -> ProxyError {
        let problem = match error {
            WireError::BadHttp { problem } => problem.clone(),
            error => error.to_string(),
        };
        ProxyError::NotAProxy { proxy: self.proxy.clone(), problem }
    }
}
