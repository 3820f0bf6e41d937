//! `Hop`: what a connection's socket is connected to.

use crate::endpoint::Endpoint;
use crate::proxy::Proxy;

/// The first hop to a server: itself, or the proxy on the way there. For clients of another kind than
/// [`Client`](crate::Client).
#[derive(Debug, Clone, Copy)]
pub struct Hop<'a> {
    endpoint: &'a Endpoint,
    proxy: Option<&'a Proxy>,
}

impl<'a> Hop<'a> {
    /// That to `endpoint`, where connections go through `proxy`, if there is one.
    #[must_use]
    pub fn new(endpoint: &'a Endpoint, proxy: Option<&'a Proxy>) -> Self {
        Hop { endpoint, proxy }
    }

    /// The host to connect to.
    #[must_use]
    pub fn host(&self) -> &'a str {
        self.proxy.map_or(self.endpoint.host(), Proxy::host)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.proxy.map_or(self.endpoint.port(), Proxy::port)
    }

    /// How errors call it that is not connected to.
    #[must_use]
    pub fn name(&self) -> String {
        self.proxy.map_or_else(|| self.endpoint.address(), |proxy| format!("the proxy {proxy}"))
    }

    /// How errors call it whose name is not found: it has no port.
    #[must_use]
    pub fn name_to_look_up(&self) -> String {
        self.proxy.map_or_else(|| self.endpoint.host().to_owned(), |_| self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_is_the_first_hop_where_there_is_one() {
        let endpoint = Endpoint::parse("wss://chat.example").unwrap();
        let hop = Hop::new(&endpoint, None);
        assert_eq!((hop.host(), hop.port()), ("chat.example", 443));
        assert_eq!((hop.name(), hop.name_to_look_up()), ("chat.example:443".to_owned(), "chat.example".to_owned()));

        let proxy = Proxy::parse("socks5://me:s3cret@proxy.example:1081").unwrap();
        let hop = Hop::new(&endpoint, Some(&proxy));
        assert_eq!((hop.host(), hop.port()), ("proxy.example", 1081));
        assert_eq!(hop.name(), "the proxy socks5://proxy.example:1081");
        assert_eq!(hop.name_to_look_up(), hop.name());
    }
}
