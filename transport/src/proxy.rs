//! Proxies: HTTP CONNECT and SOCKS5.

mod environment;
mod http;
mod socks;
mod tunnel;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use chatnio_core::RetryCause;
use data_encoding::BASE64;
use thiserror::Error;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::http_refusal::when;
use crate::secret_url;

pub use tunnel::Tunnel;

/// The port of a proxy whose URL gives none, as curl has it.
const DEFAULT_PORT: u16 = 1080;

/// The longest user name and the longest password: what SOCKS5 has room for (RFC 1929).
const MAX_CREDENTIAL: usize = 255;

/// A proxy that connections go through. Its user name and password are secrets: never shown, and wiped when dropped.
///
/// The host connects to [`host`](Self::host) and [`port`](Self::port) instead of the server's;
/// [`Client`](crate::Client) does so by itself.
///
/// ```
/// use chatnio::Proxy;
///
/// let proxy = Proxy::parse("socks5h://me:s3cret@proxy.example:1080")?;
/// assert_eq!(proxy.to_string(), "socks5h://proxy.example:1080");
/// # Ok::<(), chatnio::ProxyUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
    credentials: Option<Credentials>,
    /// For SOCKS5: the server's address, where the host has looked it up.
    target: Option<IpAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// HTTP CONNECT.
    Http,
    /// SOCKS5; the host looks names up.
    Socks5,
    /// SOCKS5; the proxy looks names up.
    Socks5h,
}

#[derive(Clone, PartialEq, Eq)]
struct Credentials {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl Credentials {
    /// As basic authentication has them (RFC 7617).
    fn basic(&self) -> Zeroizing<String> {
        let plain = Zeroizing::new(format!("{}:{}", *self.user, *self.password));
        Zeroizing::new(BASE64.encode(plain.as_bytes()))
    }
}

/// Why a text is not the URL of a proxy. None of these repeats any part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProxyUrlError {
    /// The scheme is none of the known ones.
    #[error("the proxy URL's scheme is not supported: use http, socks5 or socks5h")]
    Scheme,
    /// There is no valid host, or no valid port.
    #[error("the proxy URL is not valid: write it like http://user:password@proxy.example:3128")]
    Invalid,
    /// There is a path, a query or a fragment.
    #[error("the proxy URL has something behind its port: remove it")]
    Path,
    /// The user name or the password is too long or not UTF-8.
    #[error("the proxy URL's user name or password is over {MAX_CREDENTIAL} bytes, or not UTF-8")]
    Credentials,
}

/// Why a proxy did not let a connection through.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The proxy wants a user name and a password, or others than were given (HTTP 407 is one of these).
    #[error("the proxy {proxy} {}{}", if *.given { "does not take this user name and password" } else { "wants a user name and a password" }, wanted.as_ref().map_or(String::new(), |wanted| format!(" ({wanted})")))]
    Authentication {
        /// The proxy, without its secrets.
        proxy: String,
        /// Whether some were given.
        given: bool,
        /// The authentication that an HTTP proxy asks for with its 407, without the user name and the password where it
        /// repeats them; only "Basic" is known here.
        wanted: Option<String>,
    },
    /// An HTTP proxy refused with another status.
    #[error("the proxy {proxy} answered HTTP {status}: {}", http_hint(*.status, *.retry_after))]
    Refused {
        /// The proxy, without its secrets.
        proxy: String,
        /// The HTTP status; 429 is throttling, as by a server.
        status: u16,
        /// After how long to try again, by `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// A SOCKS proxy refused, or could not reach the server.
    #[error("the proxy {proxy} did not connect: {problem}")]
    Failed {
        /// The proxy, without its secrets.
        proxy: String,
        /// The proxy's answer in words.
        problem: &'static str,
    },
    /// What answered is not such a proxy.
    #[error("{proxy} does not answer as a proxy of this kind: check the proxy's URL ({problem})")]
    NotAProxy {
        /// The proxy, without its secrets.
        proxy: String,
        /// What was wrong.
        problem: String,
    },
}

impl ProxyError {
    /// The status of an HTTP proxy's answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            ProxyError::Refused { status, .. } => Some(*status),
            ProxyError::Authentication { wanted: Some(_), .. } => Some(407),
            _ => None,
        }
    }

    /// Why connecting may be tried again, if it may: as for a gateway's answer with the same status.
    pub(crate) fn retry_cause(&self) -> Option<RetryCause> {
        match self {
            ProxyError::Refused { status: 429, .. } => Some(RetryCause::Throttled),
            ProxyError::Refused { status: 502..=504, .. } => Some(RetryCause::Unavailable),
            _ => None,
        }
    }

    /// After how long an HTTP proxy wants to be asked again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            ProxyError::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl Proxy {
    /// Parses a proxy's URL: `http://`, `socks5://` (this host looks names up) or `socks5h://` (the proxy does), and nothing
    /// for `http`; a user name and a password before an `@`, with `%` escapes; the port is 1080 if none is given.
    ///
    /// # Errors
    /// [`ProxyUrlError`]; none of them echoes the text.
    pub fn parse(text: &str) -> Result<Self, ProxyUrlError> {
        let (scheme, rest) = text.trim().split_once("://").unwrap_or(("http", text.trim()));
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => Kind::Http,
            "socks5" => Kind::Socks5,
            "socks5h" => Kind::Socks5h,
            _ => return Err(ProxyUrlError::Scheme),
        };
        // With another scheme a host would not be read as one; http's own port would be left out.
        secret_url::read("ws", rest, |url| Self::of_url(kind, rest, url)).map_err(|_| ProxyUrlError::Invalid)?
    }

    /// `rest` is what stood behind the scheme.
    fn of_url(kind: Kind, rest: &str, url: &Url) -> Result<Self, ProxyUrlError> {
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(ProxyUrlError::Path);
        }
        let host = match url.host().ok_or(ProxyUrlError::Invalid)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let is_bare = rest.rsplit('@').next().is_some_and(|authority| {
            let after_host = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
            !after_host.contains(':')
        });
        let port = if is_bare { DEFAULT_PORT } else { url.port_or_known_default().unwrap_or(DEFAULT_PORT) };
        if port == 0 {
            return Err(ProxyUrlError::Invalid);
        }
        let decode = |part: &str| -> Result<Zeroizing<String>, ProxyUrlError> {
            // Never grows: what a growing vector leaves behind is not wiped.
            let mut bytes = Zeroizing::new(Vec::with_capacity(part.len()));
            bytes.extend(percent_encoding::percent_decode_str(part));
            let text = std::str::from_utf8(&bytes).map_err(|_| ProxyUrlError::Credentials)?;
            let is_plain = text.len() <= MAX_CREDENTIAL && !text.contains(char::is_control);
            if is_plain { Ok(text.to_owned().into()) } else { Err(ProxyUrlError::Credentials) }
        };
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        let credentials = if has_credentials {
            let password = decode(url.password().unwrap_or_default())?;
            Some(Credentials { user: decode(url.username())?, password })
        } else {
            None
        };
        Ok(Proxy { kind, host, port, credentials, target: None })
    }

    /// Where to connect to.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the host is to look the server's name up itself and to tell the proxy its address, by
    /// [`with_target`](Self::with_target): for `socks5`.
    #[must_use]
    pub fn wants_target(&self) -> bool {
        self.kind == Kind::Socks5
    }

    /// Names the server to a `socks5` proxy by this address. Without one it is named by its name, as for `socks5h`.
    #[must_use]
    pub fn with_target(mut self, address: IpAddr) -> Self {
        self.target = Some(address).filter(|_| self.wants_target());
        self
    }
}

impl fmt::Display for Proxy {
    /// The URL without user name and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Socks5 => "socks5",
            Kind::Socks5h => "socks5h",
        };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

impl std::str::FromStr for Proxy {
    type Err = ProxyUrlError;

    fn from_str(text: &str) -> Result<Self, ProxyUrlError> {
        Self::parse(text)
    }
}

fn http_hint(status: u16, retry_after: Option<Duration>) -> String {
    match status {
        403 => "it does not let connections to this host or port through".to_owned(),
        404 | 405 | 501 => "it does not know CONNECT: is it a proxy?".to_owned(),
        429 => format!("it takes no more connections of this address for now: try again {}", when(retry_after)),
        500 => {
            "it cannot reach the server, or has a problem: check the server's URL, or ask the proxy's owner".to_owned()
        }
        502..=504 => format!("it cannot reach the server: check the server's URL, or try again {}", when(retry_after)),
        _ => "ask its owner".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_curl_reads() {
        for (text, shown) in [
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("proxy.example", "http://proxy.example:1080"),
            ("http://proxy.example:80/", "http://proxy.example:80"),
            ("HTTP://u:p@proxy.example", "http://proxy.example:1080"),
            ("http://u:p@[::1]", "http://[::1]:1080"),
            ("socks5://127.0.0.1:9050", "socks5://127.0.0.1:9050"),
            ("socks5h://[::1]:9050", "socks5h://[::1]:9050"),
        ] {
            let proxy = Proxy::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(proxy.to_string(), shown, "{text}");
            assert!(format!("{proxy:?}").contains(shown));
        }
        let proxy = Proxy::parse("http://m%C3%A9:s%3Aecret@proxy.example:1").unwrap();
        let credentials = proxy.credentials.as_ref().unwrap();
        assert_eq!((credentials.user.as_str(), credentials.password.as_str()), ("m\u{e9}", "s:ecret"));
        let address = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(Proxy::parse("socks5://a").unwrap().with_target(address).target, Some(address));
        assert_eq!(Proxy::parse("socks5h://a").unwrap().with_target(address).target, None);
    }

    #[test]
    fn refuses_everything_else_without_echoing_it() {
        for (text, expected) in [
            ("ftp://SECRET@a", ProxyUrlError::Scheme),
            ("https://SECRET@a", ProxyUrlError::Scheme),
            ("socks4://a", ProxyUrlError::Scheme),
            ("", ProxyUrlError::Invalid),
            ("http://", ProxyUrlError::Invalid),
            ("http://a:SECRET", ProxyUrlError::Invalid),
            ("http://a:0", ProxyUrlError::Invalid),
            ("http://a:1/SECRET", ProxyUrlError::Path),
            ("http://a:1?SECRET", ProxyUrlError::Path),
            ("http://SECRET%ff@a", ProxyUrlError::Credentials),
            ("http://SECRET%0a@a", ProxyUrlError::Credentials),
            (&format!("http://{}@a", "x".repeat(256)), ProxyUrlError::Credentials),
        ] {
            let error = Proxy::parse(text).expect_err(text);
            assert_eq!(error, expected, "{text}");
            assert!(!format!("{error} {error:?}").contains("SECRET"));
        }
    }
}
