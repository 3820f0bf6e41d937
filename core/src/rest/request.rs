//! A call's request as data, for whatever speaks HTTP.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;
use zeroize::Zeroizing;

use super::RequestError;
use crate::Auth;
use crate::auth::REDACTED;

/// The HTTP methods that calls use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
}

impl Method {
    /// As it stands in a request: `GET` or `POST`.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An HTTP request to send. Neither `Debug` nor anything else shows the key.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, with its query where there is one: `/api/conversation/load?id=29`.
    pub target: String,
    /// The body, which is JSON; only with POST.
    pub body: Option<String>,
    /// The value of the `Authorization` header; `None` without an account. A secret.
    pub authorization: Option<Zeroizing<String>>,
}

impl Request {
    /// # Errors
    /// [`RequestError`].
    pub(crate) fn new(
        method: Method,
        path: &str,
        body: Option<String>,
        auth: &Auth,
        prefix: &str,
    ) -> Result<Self, RequestError> {
        let prefix = prefix.trim_end_matches('/');
        if !prefix.is_empty() && !is_path(prefix) {
            return Err(RequestError::Prefix);
        }
        Ok(Request { method, target: format!("{prefix}{path}"), body, authorization: authorization(auth)? })
    }

    /// The headers to send beside those that every HTTP client sets itself (`Host`, `Content-Length`): names and
    /// values, the key's among them.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let authorization = self.authorization.as_ref().map(|value| ("Authorization", value.as_str()));
        let content = self.body.as_ref().map(|_| ("Content-Type", "application/json"));
        [Some(("Accept", "application/json")), content, authorization].into_iter().flatten()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("body", &self.body)
            .field("authorization", &self.authorization.as_ref().map(|_| REDACTED))
            .finish()
    }
}

/// The prefix of the calls of the server whose chat is at `path`: `/chat` has none, `/api/chat` has `/api`. Any other
/// path is taken for the prefix itself.
///
/// ```
/// use chatnio_core::rest::prefix_of;
///
/// assert_eq!(["/chat", "/api/chat", "/api", "/"].map(prefix_of), ["", "/api", "/api", ""]);
/// ```
pub fn prefix_of(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.strip_suffix("/chat").unwrap_or(path)
}

fn authorization(auth: &Auth) -> Result<Option<Zeroizing<String>>, RequestError> {
    if auth.is_anonymous() {
        return Ok(None);
    }
    let key = auth.token();
    if key.trim().is_empty() {
        return Err(RequestError::EmptyKey);
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(RequestError::Key);
    }
    // Never grows: what a growing string leaves behind is not wiped.
    let mut value = Zeroizing::new(String::with_capacity("Bearer ".len() + key.len()));
    value.push_str("Bearer ");
    value.push_str(key);
    Ok(Some(value))
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\\"<>^`{|}".contains(&byte))
}

/// A value in a query, escaped.
pub(crate) fn query(path: &str, name: &str, value: &str) -> String {
    let escaped = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
    format!("{path}?{name}={escaped}")
}

/// A JSON body.
pub(crate) fn json(body: &impl serde::Serialize) -> String {
    // Only maps with keys that are no strings fail, and there are none.
    serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(auth: &Auth, prefix: &str) -> Result<Request, RequestError> {
        Request::new(Method::Get, "/quota", None, auth, prefix)
    }

    #[test]
    fn the_key_is_in_its_header_and_nowhere_else() {
        let request = request(&Auth::new("sk-SECRET"), "").unwrap();
        assert_eq!(
            request.headers().collect::<alloc::vec::Vec<_>>(),
            [("Accept", "application/json"), ("Authorization", "Bearer sk-SECRET")]
        );
        assert!(!format!("{request:?}").contains("SECRET"));
        let anonymous = super::Request::new(Method::Post, "/x", Some("{}".into()), &Auth::anonymous(), "").unwrap();
        assert!(anonymous.headers().all(|(name, _)| name != "Authorization"));
        assert!(anonymous.headers().any(|header| header == ("Content-Type", "application/json")));
    }

    #[test]
    fn a_key_that_no_header_carries_is_refused() {
        for (key, error) in [
            ("", RequestError::EmptyKey),
            (" ", RequestError::EmptyKey),
            ("sk-a\r\nX: y", RequestError::Key),
            ("sk-a b", RequestError::Key),
            ("sk-é", RequestError::Key),
        ] {
            assert_eq!(request(&Auth::new(key), "").unwrap_err(), error, "{key:?}");
        }
    }

    #[test]
    fn the_prefix_is_a_path() {
        let anonymous = Auth::anonymous();
        for (prefix, target) in [("", "/quota"), ("/", "/quota"), ("/api", "/api/quota"), ("/a/b/", "/a/b/quota")] {
            assert_eq!(request(&anonymous, prefix).unwrap().target, target);
        }
        for prefix in ["api", "/a?b", "/a#b", "/a b", "/a\r\n", "/é", "https://h"] {
            assert_eq!(request(&anonymous, prefix).unwrap_err(), RequestError::Prefix, "{prefix:?}");
        }
    }

    #[test]
    fn what_stands_in_a_query_is_escaped() {
        assert_eq!(query("/p", "hash", "a b&c=é"), "/p?hash=a%20b%26c%3D%C3%A9");
    }
}
