//! What is secret in what was sent, taken out of what comes back: some servers and gateways repeat it. Errors alone are
//! searched; an answer stays as it came.

use chatnio_core::{Auth, Secrets};

use crate::endpoint::Endpoint;
use crate::headers::Headers;
use crate::proxy::Proxy;

/// The token, the query of a URL, the values of the host's headers, and what a proxy is told.
pub(crate) fn all_of(endpoint: &Endpoint, headers: &Headers, proxy: Option<&Proxy>, auth: &Auth) -> Secrets {
    let mut secrets = proxy.map(Proxy::secrets).unwrap_or_default();
    if let Some(query) = endpoint.query() {
        secrets.add(query);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            secrets.add(&name);
            secrets.add(&value);
        }
        query.split('&').filter_map(|pair| pair.split_once('=')).for_each(|(_, value)| secrets.add(value));
    }
    for (_, value) in headers.iter() {
        secrets.add(value);
        // Behind the scheme of an `Authorization`.
        if let Some((_, credentials)) = value.split_once(' ') {
            secrets.add(credentials);
        }
    }
    secrets.add_token(auth);
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_was_sent_is_hidden() {
        let endpoint = Endpoint::parse("wss://example.com/chat?key=in-the-query").unwrap();
        let mut headers = Headers::new();
        headers.add("X-Key", "in-a-header").unwrap();
        let proxy = Proxy::parse("http://somebody:s3cret@proxy.example:3128").unwrap();
        let secrets = all_of(&endpoint, &headers, Some(&proxy), &Auth::new("sk-token"));
        let told = "sk-token, in-the-query, in-a-header, s3cret, c29tZWJvZHk6czNjcmV0, somebody";
        assert_eq!(secrets.redact(told), "sk-..., ..., ..., ..., ..., ...");
    }
}
