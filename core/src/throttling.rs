//! How a server says that it throttles.

/// Whether a server that refuses does so because too many connections or calls come (protocol.md, R6.1 and R6.2): by its `error`, and by
/// its words where it sends no code, as the 2023-11 server does.
#[must_use]
pub fn is_throttling(code: Option<&str>, words: &str) -> bool {
    code == Some("request_throttled") || words.contains("too many requests")
}

#[cfg(test)]
mod tests {
    use super::is_throttling;

    #[test]
    fn a_code_or_words() {
        assert!(is_throttling(Some("request_throttled"), "later"));
        assert!(is_throttling(None, "You have sent too many requests."));
        // Where the words stand in the code's place.
        assert!(is_throttling(Some("too many requests"), "too many requests"));
        assert!(!is_throttling(Some("unauthorized"), "who are you?"));
    }
}
