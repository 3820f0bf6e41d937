//! SOCKS5 (RFC 1928), with user name and password (RFC 1929).

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::{Credentials, Proxy};
use crate::endpoint::Endpoint;
use crate::proxy_error::ProxyError;

const VERSION: u8 = 5;
const AUTH_VERSION: u8 = 1;
const NO_AUTH: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;

pub(crate) struct Socks {
    proxy: String,
    credentials: Option<Credentials>,
    /// The request to connect.
    request: Vec<u8>,
    awaited: Awaited,
    input: Vec<u8>,
}

/// Which answer of the proxy's comes next.
enum Awaited {
    Method,
    Authentication,
    Reply,
}

impl Socks {
    pub(crate) fn start(proxy: &Proxy, endpoint: &Endpoint) -> (Self, Zeroizing<Vec<u8>>) {
        let credentials = proxy.credentials.clone();
        let hello = match credentials {
            Some(_) => vec![VERSION, 2, NO_AUTH, PASSWORD],
            None => vec![VERSION, 1, NO_AUTH],
        };
        let socks = Socks {
            proxy: proxy.to_string(),
            credentials,
            request: request(proxy.target, endpoint),
            awaited: Awaited::Method,
            input: Vec::new(),
        };
        (socks, hello.into())
    }

    /// Takes bytes; writes what is to be sent to `answer`, which is empty.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        answer: &mut Zeroizing<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, ProxyError> {
        self.input.extend_from_slice(bytes);
        loop {
            let is_authenticating = matches!(self.awaited, Awaited::Authentication);
            let version = if is_authenticating { AUTH_VERSION } else { VERSION };
            if self.input.first().is_some_and(|first| *first != version) {
                return Err(self.not_a_proxy("it does not answer with SOCKS5"));
            }
            if let Awaited::Reply = self.awaited {
                return self.reply();
            }
            let Some(&[_, answered]) = self.input.get(..2) else { return Ok(None) };
            self.input.drain(..2);
            // What follows may be there already: a proxy need not wait for what it will not look at.
            self.awaited =
                if is_authenticating { self.authenticated(answered)? } else { self.chosen(answered, answer)? };
            if let Awaited::Reply = self.awaited {
                answer.extend_from_slice(&self.request);
            }
        }
    }

    /// The proxy has chosen a way to authenticate.
    fn chosen(&self, method: u8, answer: &mut Zeroizing<Vec<u8>>) -> Result<Awaited, ProxyError> {
        match (method, &self.credentials) {
            (NO_AUTH, _) => Ok(Awaited::Reply),
            (PASSWORD, Some(credentials)) => {
                *answer = password_message(credentials, self.request.len());
                Ok(Awaited::Authentication)
            }
            (NONE_ACCEPTABLE, credentials) => Err(ProxyError::Authentication {
                proxy: self.proxy.clone(),
                given: credentials.is_some(),
                wanted: None,
            }),
            _ => Err(self.not_a_proxy("it chose an authentication that was not offered")),
        }
    }

    fn authenticated(&self, status: u8) -> Result<Awaited, ProxyError> {
        if status == 0 {
            Ok(Awaited::Reply)
        } else {
            Err(ProxyError::Authentication { proxy: self.proxy.clone(), given: true, wanted: None })
        }
    }

    fn reply(&mut self) -> Result<Option<Vec<u8>>, ProxyError> {
        let Some(&[_, reply, _, kind, first]) = self.input.get(..5) else {
            // A refusal may be cut short behind its code.
            return match self.input.get(1) {
                Some(&reply) if reply != 0 => Err(self.failed(reply)),
                _ => Ok(None),
            };
        };
        if reply != 0 {
            return Err(self.failed(reply));
        }
        let address = match kind {
            1 => 4,
            4 => 16,
            3 => 1 + usize::from(first),
            _ => return Err(self.not_a_proxy("its answer has an address of an unknown kind")),
        };
        let len = 4 + address + 2;
        Ok((self.input.len() >= len).then(|| self.input.split_off(len)))
    }

    pub(crate) fn memory(&self) -> usize {
        self.input.len() + self.request.len()
    }

    fn failed(&self, reply: u8) -> ProxyError {
        let problem = match reply {
            1 => "it failed in general",
            2 => "its rules do not allow this server",
            3 => "the server's network cannot be reached",
            4 => "the server cannot be reached",
            5 => "the server refused the connection",
            6 => "the server did not answer in time",
            7 => "it does not know how to connect",
            8 => "it does not know this kind of address",
            _ => "it gave a code that is unknown",
        };
        ProxyError::Failed { proxy: self.proxy.clone(), problem }
    }

    fn not_a_proxy(&self, problem: &str) -> ProxyError {
        ProxyError::NotAProxy { proxy: self.proxy.clone(), problem: problem.to_owned() }
    }
}

/// User name and password, with room behind them for what may follow: a vector that grows leaves them behind.
fn password_message(Credentials { user, password }: &Credentials, room: usize) -> Zeroizing<Vec<u8>> {
    let mut message = Zeroizing::new(Vec::with_capacity(3 + user.len() + password.len() + room));
    message.push(AUTH_VERSION);
    for part in [user, password] {
        // Parsing has bounded both.
        message.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
        message.extend_from_slice(part.as_bytes());
    }
    message
}

/// Connect to the server: by its address where it is known, and by its name where not.
fn request(target: Option<IpAddr>, endpoint: &Endpoint) -> Vec<u8> {
    let mut request = vec![VERSION, 1, 0];
    match target.or_else(|| endpoint.host().parse().ok()) {
        Some(IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Some(IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        None => {
            // No name in the DNS is longer than 253 bytes.
            let name = &endpoint.host().as_bytes()[..endpoint.host().len().min(255)];
            request.extend_from_slice(&[3, u8::try_from(name.len()).unwrap_or(u8::MAX)]);
            request.extend_from_slice(name);
        }
    }
    request.extend_from_slice(&endpoint.port().to_be_bytes());
    request
}
