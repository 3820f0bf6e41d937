//! The environment's proxies, as curl reads them.

use std::net::IpAddr;

use super::{Proxy, ProxyUrlError};
use crate::endpoint::Endpoint;

impl Proxy {
    /// The proxy that the environment names for a server: `https_proxy` or `HTTPS_PROXY` where there is TLS, else
    /// `http_proxy` (in small letters alone: a web server's CGI programs get the other one from anybody), then `all_proxy`
    /// or `ALL_PROXY`; none for what `no_proxy` or `NO_PROXY` names, and none for loopback. The library never looks there
    /// by itself.
    ///
    /// # Errors
    /// [`ProxyUrlError`] for a variable that is no proxy's URL.
    pub fn from_env(endpoint: &Endpoint) -> Result<Option<Self>, ProxyUrlError> {
        Self::from_variables(endpoint, |name| std::env::var(name).ok())
    }

    fn from_variables(
        endpoint: &Endpoint,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ProxyUrlError> {
        let first =
            |names: &[&str]| names.iter().find_map(|name| variable(name).filter(|value| !value.trim().is_empty()));
        let excluded = first(&["no_proxy", "NO_PROXY"]).is_some_and(|list| is_excluded(endpoint.host(), &list));
        if endpoint.is_loopback() || excluded {
            return Ok(None);
        }
        let own: &[&str] = if endpoint.is_tls() { &["https_proxy", "HTTPS_PROXY"] } else { &["http_proxy"] };
        first(own).or_else(|| first(&["all_proxy", "ALL_PROXY"])).map(|url| Proxy::parse(&url)).transpose()
    }
}

/// Whether a list of names, addresses and networks, divided by commas or spaces, names the host; `*` names all.
fn is_excluded(host: &str, list: &str) -> bool {
    let host = host.trim_end_matches('.');
    let address: Option<IpAddr> = host.parse().ok();
    list.split([',', ' ', '\t']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.trim_matches(['[', ']']);
        match address {
            _ if entry == "*" => true,
            Some(address) => is_in_network(address, entry),
            None => {
                let name = entry.trim_start_matches('.').trim_end_matches('.').to_ascii_lowercase();
                !name.is_empty()
                    && host.strip_suffix(&name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
        }
    })
}

/// Whether an address is this one, or in this network (`192.0.2.0/24`).
fn is_in_network(address: IpAddr, network: &str) -> bool {
    let (base, bits) = match network.split_once('/') {
        Some((base, bits)) => (base, bits.parse().ok()),
        None => (network, Some(128)),
    };
    let bytes = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let (Ok(base), Some(bits)) = (base.parse::<IpAddr>(), bits) else { return false };
    let (address, base) = (bytes(address), bytes(base));
    let bits: usize = bits;
    address.len() == base.len()
        && (0..bits.min(8 * base.len())).all(|bit| (address[bit / 8] ^ base[bit / 8]) & (0x80 >> (bit % 8)) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let variable = |name: &str| Some(variables.iter().find(|(known, _)| *known == name)?.1.to_owned());
        let proxy = Proxy::from_variables(&Endpoint::parse(url).unwrap(), variable).unwrap();
        proxy.map(|proxy| proxy.host().to_owned())
    }

    #[test]
    fn the_scheme_decides_which_variable_counts() {
        let all = [
            ("https_proxy", "a:1"),
            ("HTTPS_PROXY", "b:1"),
            ("http_proxy", "c:1"),
            ("HTTP_PROXY", "d:1"),
            ("all_proxy", "e:1"),
            ("ALL_PROXY", "socks5h://f:1"),
        ];
        let without = |names: &[&str]| all.into_iter().filter(|(name, _)| !names.contains(name)).collect::<Vec<_>>();
        assert_eq!(found("wss://x", &all).as_deref(), Some("a"));
        assert_eq!(found("wss://x", &without(&["https_proxy"])).as_deref(), Some("b"));
        assert_eq!(found("wss://x", &without(&["https_proxy", "HTTPS_PROXY"])).as_deref(), Some("e"));
        assert_eq!(found("ws://x", &all).as_deref(), Some("c"));
        assert_eq!(found("ws://x", &without(&["http_proxy"])).as_deref(), Some("e"), "HTTP_PROXY does not count");
        assert_eq!(found("ws://x", &all[5..]).as_deref(), Some("f"));
        assert_eq!(found("ws://x", &[]), None);
        assert_eq!(found("ws://x", &[("http_proxy", " ")]), None);
        for loopback in ["ws://localhost", "wss://127.0.0.1", "ws://[::1]"] {
            assert_eq!(found(loopback, &all), None);
        }
        let bad = |_: &str| Some("ftp://a".to_owned());
        assert_eq!(Proxy::from_variables(&Endpoint::parse("wss://x").unwrap(), bad), Err(ProxyUrlError::Scheme));
    }

    #[test]
    fn some_hosts_are_excluded() {
        for (host, list, expected) in [
            ("a.example", "*", true),
            ("a.example", "b.example, a.example", true),
            ("a.example", "b.example .EXAMPLE.", true),
            ("a.example", "example", true),
            ("a.example", "ple", false),
            ("a.example", "b.a.example", false),
            ("a.example.", "a.example", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.0/24", true),
            ("192.0.2.7", "192.0.3.0/24", false),
            ("192.0.2.7", "2.7", false),
            ("2001:db8::1", "[2001:db8::]/32,x", false),
            ("2001:db8::1", "2001:db8::/32", true),
            ("2001:db8::1", "[2001:db8::1]", true),
            ("192.0.2.7", "192.0.2.0/x", false),
            ("a.example", "", false),
        ] {
            assert_eq!(is_excluded(host, list), expected, "{host} in {list:?}");
        }
    }
}
