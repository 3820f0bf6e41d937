//! What is secret in a request, taken out of what comes back: some gateways repeat it in their answers.

use std::cmp::Reverse;

use zeroize::Zeroizing;

use crate::endpoint::Endpoint;
use crate::headers::Headers;

/// The shortest value that is hidden where it stands alone: below that it is no secret, and occurs anywhere.
const MIN_SECRET: usize = 4;

/// How a text stands in a page, as most write it and as Go does, and in JSON, as Go writes it and as others do.
const WRITTEN: [&[(&str, &str)]; 4] = [
    &[("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")],
    &[("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&#34;"), ("'", "&#39;")],
    &[("\\", "\\\\"), ("\"", "\\\""), ("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e")],
    &[("\\", "\\\\"), ("\"", "\\\"")],
];

/// Secrets in all their forms.
pub(crate) struct Secrets(Vec<Zeroizing<String>>);

impl Secrets {
    /// The query of a URL, and the values of the host's headers.
    pub(crate) fn of(endpoint: &Endpoint, headers: &Headers) -> Self {
        let mut secrets: Vec<Zeroizing<String>> = Vec::new();
        let mut add = |secret: &str| secrets.push(secret.to_owned().into());
        if let Some(query) = endpoint.query() {
            add(query);
            for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
                add(&name);
                add(&value);
            }
            query.split('&').filter_map(|pair| pair.split_once('=')).for_each(|(_, value)| add(value));
        }
        for (_, value) in headers.iter() {
            add(value);
            // Behind the scheme of an `Authorization`.
            if let Some((_, credentials)) = value.split_once(' ') {
                add(credentials);
            }
        }
        Self::new(secrets)
    }

    /// All of these that are long enough to be secrets.
    pub(crate) fn new(mut secrets: Vec<Zeroizing<String>>) -> Self {
        secrets.retain(|secret| secret.len() >= MIN_SECRET);
        let written = |secret: &str, pairs: &[(&str, &str)]| -> Zeroizing<String> {
            pairs.iter().fold(secret.to_owned().into(), |text: Zeroizing<String>, (plain, written)| {
                text.replace(plain, written).into()
            })
        };
        for at in 0..secrets.len() {
            let forms: Vec<_> = WRITTEN.iter().map(|pairs| written(&secrets[at], pairs)).collect();
            secrets.extend(forms);
        }
        // What is a part of another one last.
        secrets.sort_by_key(|secret| Reverse(secret.len()));
        secrets.dedup();
        Self(secrets)
    }

    pub(crate) fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(&**secret, "..."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_hidden_however_they_are_written() {
        let endpoint = Endpoint::parse("wss://example.com/chat").unwrap();
        let mut headers = Headers::new();
        headers.add("Authorization", r#"Bearer a"b\c&d<e>'f"#).unwrap();
        headers.add("X-Short", "abc").unwrap();
        let secrets = Secrets::of(&endpoint, &headers);
        for written in [
            r#"Bearer a"b\c&d<e>'f"#,
            r#"a"b\c&d<e>'f"#,
            r"a&quot;b\c&amp;d&lt;e&gt;'f",
            r"a&#34;b\c&amp;d&lt;e&gt;&#39;f",
            r#"a\"b\\c\u0026d\u003ce\u003e'f"#,
            r#"a\"b\\c&d<e>'f"#,
        ] {
            assert_eq!(secrets.redact(&format!("you sent {written}, abc")), "you sent ..., abc");
        }
    }
}
