//! `Secrets`: what is taken out of a text from outside that repeats it.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
use zeroize::Zeroizing;

use crate::json::push_string;

/// What is shorter is no secret, and would tear words apart.
const MIN_SECRET: usize = 4;

/// How Go writes signs in JSON, beyond what JSON demands.
const JSON_OF_GO: &[(char, &str)] = &[('&', "\\u0026"), ('<', "\\u003c"), ('>', "\\u003e")];
/// How most write signs in a page, and how Go does.
const PAGE: &[(char, &str)] = &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")];
const PAGE_OF_GO: &[(char, &str)] = &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&#34;"), ('\'', "&#39;")];

/// A secret as it is, as it stands in JSON and as Go writes it there, and in a page as most write it and as Go does; each once,
/// and what is a part of another one last.
pub(crate) fn written(secret: &str) -> Vec<Zeroizing<String>> {
    // Sized so that growing leaves no copy behind.
    let sized = |plain: &str| Zeroizing::new(String::with_capacity(6 * plain.len() + 2));
    let with = |plain: &str, signs: &[(char, &str)]| {
        let mut text = sized(plain);
        for c in plain.chars() {
            match signs.iter().find(|(sign, _)| *sign == c) {
                Some((_, written)) => text.push_str(written),
                None => text.push(c),
            }
        }
        text
    };
    let mut json = sized(secret);
    push_string(&mut json, secret);
    json.pop();
    json.remove(0);
    let by_go = with(&json, JSON_OF_GO);
    let mut forms = vec![with(secret, &[]), json, by_go, with(secret, PAGE), with(secret, PAGE_OF_GO)];
    // Most have nothing that is written in another way.
    forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    forms.dedup();
    forms
}

/// What is secret in what was sent, to be taken out of what comes back: some servers and gateways repeat it, in an HTTP
/// answer or in the reason of a Close.
///
/// Each is looked for as it is, and as JSON and pages write it. One of less than four bytes is none. All are zeroized when
/// they are dropped.
///
/// ```
/// use chatnio_core::{Auth, Secrets};
///
/// let mut secrets = Secrets::default();
/// secrets.add("key=in-the-query");
/// secrets.add_token(&Auth::new("sk-secret"));
/// assert_eq!(secrets.redact("no sk-secret in /chat?key=in-the-query"), "no sk-... in /chat?...");
/// ```
#[derive(Default)]
pub struct Secrets {
    /// With what stands in its place.
    forms: Vec<(Zeroizing<String>, &'static str)>,
}

impl Secrets {
    /// Adds one, in whose place `...` stands.
    pub fn add(&mut self, secret: &str) {
        self.add_shown(secret, "...");
    }

    /// Adds one, and what stands in its place.
    pub(crate) fn add_shown(&mut self, secret: &str, shown: &'static str) {
        if secret.len() >= MIN_SECRET {
            self.forms.extend(written(secret).into_iter().map(|form| (form, shown)));
        }
    }

    /// The text without them.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut forms: Vec<_> = self.forms.iter().collect();
        // What is a part of another one last.
        forms.sort_by_key(|(form, _)| Reverse(form.len()));
        forms.into_iter().fold(text.into(), |text: String, (form, shown)| text.replace(form.as_str(), shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Auth;
    use alloc::format;

    #[test]
    fn one_is_hidden_however_it_is_written() {
        let mut secrets = Secrets::default();
        secrets.add(r#"a"b\c&d<e>'f"#);
        for written in [
            r#"a"b\c&d<e>'f"#,
            r#"a\"b\\c&d<e>'f"#,
            r#"a\"b\\c\u0026d\u003ce\u003e'f"#,
            r"a&quot;b\c&amp;d&lt;e&gt;'f",
            r"a&#34;b\c&amp;d&lt;e&gt;&#39;f",
        ] {
            assert_eq!(secrets.redact(&format!("no {written}.")), "no ....", "{written}");
        }
    }

    #[test]
    fn one_that_is_a_part_of_another_leaves_nothing_of_it_behind() {
        for order in [["abcd", "\"abcd"], ["\"abcd", "abcd"]] {
            let mut secrets = Secrets::default();
            order.iter().for_each(|secret| secrets.add(secret));
            assert_eq!(secrets.redact(r#"{"m":"no \"abcd, abcd"}"#), r#"{"m":"no ..., ..."}"#);
        }
    }

    #[test]
    fn what_is_short_is_none() {
        let mut secrets = Secrets::default();
        secrets.add("in");
        secrets.add_token(&Auth::anonymous());
        assert_eq!(secrets.redact("in time, anonymous"), "in time, anonymous");
    }
}
