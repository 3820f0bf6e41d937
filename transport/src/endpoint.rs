//! The address of a chat server.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::proxy::Proxy;
use crate::secret_url;

/// The longest URL in bytes, written out: what every HTTP server is to support (RFC 9110, section 4.1).
const MAX_URL: usize = 8000;

/// Where a chat server listens: scheme, host, port, path, and a query if a gateway wants one.
///
/// Parsed from a URL by [`Endpoint::parse`]. It may be shown and logged: user info and fragment are refused, and of a
/// query, which is where gateways want their keys, only `?...` is shown.
///
/// ```
/// use chatnio::Endpoint;
///
/// let endpoint = Endpoint::parse("https://chat.example.com/api")?;
/// assert_eq!(endpoint.to_string(), "wss://chat.example.com/api/chat");
/// # Ok::<(), chatnio::EndpointError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    is_tls: bool,
    host: String,
    /// As it stands in a URL: an IPv6 address has brackets.
    url_host: String,
    port: u16,
    path: String,
    query: Option<Query>,
    is_loopback: bool,
}

/// What stands behind the `?`. A secret: wiped when dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
struct Query(Zeroizing<String>);

impl Hash for Query {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("...")
    }
}

/// Why a text is not the address of a chat server.
///
/// None of these repeats any part of the text: it may hold a secret in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The URL holds a user name or a password.
    #[error("the server URL holds a user name or password: remove everything up to the `@`")]
    UserInfo,
    /// The URL holds a fragment (`#...`).
    #[error("the server URL holds a fragment: remove the `#` and what follows")]
    Fragment,
    /// The scheme is none of the four known ones.
    #[error("the server URL's scheme is not supported: use wss, ws, https or http")]
    Scheme,
    /// There is no host.
    #[error("the server URL has no host: write it like wss://chat.example.com")]
    EmptyHost,
    /// The host is neither a valid name nor an address.
    #[error("the server URL's host is neither a valid name nor an IP address (IPv6 addresses need brackets)")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the server URL's port is not a number from 1 to 65535")]
    Port,
    /// White space, a control character or a backslash stands in the URL.
    #[error("the server URL holds white space, a control character or a backslash: remove it")]
    Character,
    /// It is no URL but a token, as an API key begins: the two were exchanged.
    #[error("the server URL looks like a token: the URL belongs here, and the token in its own place")]
    Token,
    /// The URL is longer than anything sensible.
    #[error("the server URL is over {MAX_URL} bytes: is it one?")]
    TooLong,
}

impl Endpoint {
    /// Parses a server URL.
    ///
    /// The schemes `wss` and `https` mean TLS, `ws` and `http` mean none; a bare
    /// `host[:port][/path]` means `wss`. Without a path `/chat` is added, `/api` becomes
    /// `/api/chat` (protocol.md, R0.2), and any other path is used as it
    /// is.
    ///
    /// # Errors
    /// See [`EndpointError`]; none of them echoes the text.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim();
        // The URL standard silently drops or rewrites these; an address that is not what was
        // written is not what was meant.
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(EndpointError::Character);
        }
        // As a host's name it would be looked up, and shown.
        if text.starts_with("sk-") && !text.contains(['.', ':', '/']) {
            return Err(EndpointError::Token);
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("wss", text));
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "wss" | "https" => true,
            "ws" | "http" => false,
            _ => return Err(EndpointError::Scheme),
        };
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        if authority.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        if rest.contains('#') {
            return Err(EndpointError::Fragment);
        }
        // The standard would take the host of `wss:///x` from the path.
        if authority.is_empty() || authority.starts_with(':') {
            return Err(EndpointError::EmptyHost);
        }
        // The query may be a secret.
        let read = secret_url::read(scheme_name(is_tls), rest, |url| Self::of_url(url, is_tls));
        read.map_err(|error| match error {
            url::ParseError::EmptyHost => EndpointError::EmptyHost,
            url::ParseError::InvalidPort => EndpointError::Port,
            _ => EndpointError::Host,
        })?
    }

    fn of_url(url: &Url, is_tls: bool) -> Result<Self, EndpointError> {
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(EndpointError::Port)?;
        let host = url.host().ok_or(EndpointError::EmptyHost)?;
        let is_loopback = is_loopback(&host);
        let host = bare(&host);
        let path = match url.path().trim_end_matches('/') {
            "" => "/chat".to_owned(),
            "/api" => "/api/chat".to_owned(),
            _ => url.path().to_owned(),
        };
        let query = url.query().filter(|query| !query.is_empty()).map(|query| Query(query.to_owned().into()));
        let url_host = url.host_str().ok_or(EndpointError::EmptyHost)?.to_owned();
        let endpoint = Self { is_tls, host, url_host, port, path, query, is_loopback };
        // Written out: what is not ASCII has become longer.
        if endpoint.to_string().len() + endpoint.query().map_or(0, str::len) > MAX_URL {
            Err(EndpointError::TooLong)
        } else {
            Ok(endpoint)
        }
    }

    /// Whether the connection is encrypted (`wss`).
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The host's name (in its ASCII form) or address, for name look-up and for the certificate's
    /// check; an IPv6 address has no brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port; 443 or 80 when the URL gave none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port, as one writes them, and as a proxy is told them: `chat.example:443`, `[::1]:8094`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.url_host, self.port)
    }

    /// The path of the WebSocket handshake's request, starting with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What the handshake's request asks for: the path, and the query with its secrets.
    pub(crate) fn target(&self) -> Zeroizing<String> {
        let query = self.query();
        // Never grows: what a growing text leaves behind is not wiped.
        let mut target = String::with_capacity(self.path.len() + 1 + query.map_or(0, str::len));
        target.push_str(&self.path);
        if let Some(query) = query {
            target.push('?');
            target.push_str(query);
        }
        target.into()
    }

    pub(crate) fn query(&self) -> Option<&str> {
        self.query.as_ref().map(|query| query.0.as_str())
    }

    /// Whether there is a query, which is a secret.
    #[must_use]
    pub fn has_query(&self) -> bool {
        self.query.is_some()
    }

    /// Whether the host is this machine by its very form: `localhost`, a name under `.localhost`,
    /// `127.0.0.0/8` or `::1`. No name is looked up.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// The other machine that gets what is sent without TLS, readable for everybody on the way: the server, or the proxy
    /// that leads to it. What is this machine for us is another one for a proxy elsewhere.
    pub(crate) fn exposed_to<'a>(&'a self, proxy: Option<&'a Proxy>) -> Option<&'a str> {
        if self.is_tls {
            None
        } else if !self.is_loopback {
            Some(&self.host)
        } else {
            proxy.filter(|proxy| !proxy.is_loopback()).map(Proxy::host)
        }
    }

    /// The value of the `Host` header: the port is left out when it is the scheme's own.
    #[must_use]
    pub fn host_header(&self) -> String {
        let default = if self.is_tls { 443 } else { 80 };
        if self.port == default { self.url_host.clone() } else { self.address() }
    }
}

impl fmt::Display for Endpoint {
    /// The normalized URL, for example `wss://chat.example.com/chat`; a query is only `?...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = if self.has_query() { "?..." } else { "" };
        write!(f, "{}://{}{}{query}", scheme_name(self.is_tls), self.host_header(), self.path)
    }
}

impl std::str::FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text)
    }
}

fn scheme_name(is_tls: bool) -> &'static str {
    if is_tls { "wss" } else { "ws" }
}

/// RFC 6761, section 6.3: these names never leave the machine. A trailing dot only says that the
/// name is complete.
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether a host is this machine by its very form.
pub(crate) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_localhost(name),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => is_loopback_v6(*address),
    }
}

/// A host as it is looked up and connected to: an IPv6 address has no brackets.
pub(crate) fn bare(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => (*name).to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

fn is_loopback_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.to_ipv4_mapped().is_some_and(|mapped: Ipv4Addr| mapped.is_loopback())
}

#[cfg(test)]
mod tests;
