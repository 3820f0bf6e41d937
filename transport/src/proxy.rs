//! Proxies: HTTP CONNECT and SOCKS5.

mod environment;
mod http;
mod socks;
mod tunnel;

use std::fmt;
use std::net::IpAddr;

use chatnio_core::Secrets;
use data_encoding::BASE64;
use thiserror::Error;
use url::Url;
use zeroize::Zeroizing;

use crate::endpoint::{bare, is_loopback};
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
    is_loopback: bool,
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

impl Proxy {
    /// What it is told of whoever asks, as it stands in the URL and as it goes out.
    pub(crate) fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        if let Some(known) = &self.credentials {
            [&known.user, &known.password, &known.basic()].into_iter().for_each(|secret| secrets.add(secret));
        }
        secrets
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
        let host = url.host().ok_or(ProxyUrlError::Invalid)?;
        let is_loopback = is_loopback(&host);
        let host = bare(&host);
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
        Ok(Proxy { kind, host, is_loopback, port, credentials, target: None })
    }

    /// Where to connect to.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is on this machine by its very form, as [`Endpoint::is_loopback`](crate::Endpoint::is_loopback) has it.
    pub(crate) fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// The TCP port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port, as they stand in a URL: an IPv6 address has brackets.
    pub(crate) fn address(&self) -> String {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        format!("{open}{}{close}:{}", self.host, self.port)
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
        write!(f, "{scheme}://{}", self.address())
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
