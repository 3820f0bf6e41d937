//! What is secret in what was sent, taken out of what comes back: some servers and gateways repeat it. Errors alone are
//! searched; an answer stays as it came.

use chatnio_core::{Auth, Secrets};
use data_encoding::BASE64_NOPAD;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::endpoint::Endpoint;
use crate::headers::Headers;
use crate::proxy::Proxy;

/// The token, the query of a URL, the values of the host's headers, and what a proxy is told.
pub(crate) fn all_of(endpoint: &Endpoint, headers: &Headers, proxy: Option<&Proxy>, auth: &Auth) -> Secrets {
    let mut secrets = proxy.map(Proxy::secrets).unwrap_or_default();
    if let Some(query) = endpoint.query() {
        secrets.add(query);
        for pair in query.split('&') {
            secrets.add(&decoded(pair.split('=').next().unwrap_or_default()));
            add_value(&mut secrets, pair);
        }
    }
    for (name, value) in headers.iter() {
        secrets.add(value);
        if name.eq_ignore_ascii_case("cookie") {
            value.split(';').for_each(|cookie| add_value(&mut secrets, cookie.trim()));
        }
        // Behind the scheme of an `Authorization`.
        if let Some((scheme, credentials)) = value.split_once(' ') {
            secrets.add(credentials);
            if scheme.eq_ignore_ascii_case("basic") {
                add_basic(&mut secrets, credentials.trim());
            }
        }
    }
    secrets.add_token(auth);
    secrets
}

/// The value of one of several pairs, as it is and as whoever takes them apart has it.
fn add_value(secrets: &mut Secrets, pair: &str) {
    if let Some((_, value)) = pair.split_once('=') {
        secrets.add(value);
        secrets.add(value.trim_matches('"'));
        secrets.add(&decoded(value));
    }
}

/// As whoever reads a query has it. What is made of a secret is wiped.
fn decoded(text: &str) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    for (number, part) in text.split('+').enumerate() {
        bytes.extend((number > 0).then_some(b' '));
        bytes.extend(percent_decode_str(part));
    }
    Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
}

/// The user name and the password (RFC 7617).
fn add_basic(secrets: &mut Secrets, credentials: &str) {
    let credentials = credentials.trim_end_matches('=').as_bytes();
    let Ok(plain) = BASE64_NOPAD.decode(credentials).map(Zeroizing::new) else { return };
    let Ok(plain) = str::from_utf8(&plain) else { return };
    secrets.add(plain);
    if let Some((user, password)) = plain.split_once(':') {
        secrets.add(user);
        secrets.add(password);
    }
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

    #[test]
    fn all_that_was_sent_is_hidden_however_it_is_repeated() {
        let mut count = 0;
        for row in include_str!("../../rest/secrets.tsv").lines().skip(1) {
            let [of, sent, repeated, shown] = *row.split('\t').collect::<Vec<_>>() else { panic!("{row}") };
            let (mut query, mut headers, mut auth) = (String::new(), Headers::new(), Auth::anonymous());
            match of.split_once(' ') {
                Some(("header", name)) => {
                    headers.add(name, sent).unwrap();
                }
                None if of == "query" => query = format!("?{sent}"),
                None if of == "token" => auth = Auth::new(sent),
                // Of any kind: the core's own.
                _ => continue,
            }
            let endpoint = Endpoint::parse(&format!("wss://example.com/chat{query}")).unwrap();
            assert_eq!(all_of(&endpoint, &headers, None, &auth).redact(repeated), shown, "{row}");
            count += 1;
        }
        assert!(count > 10, "{count}");
    }
}
