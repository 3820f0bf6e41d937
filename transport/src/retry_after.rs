//! The header `Retry-After`.

use std::time::Duration;

/// The longest wait that is believed, in seconds.
const MAX_WAIT: u64 = 999_999_999;

/// Seconds, or a date (RFC 9110, section 10.2.3). There is no clock here but the server's own.
pub(crate) fn retry_after<'h>(header: impl Fn(&'static str) -> Option<&'h str>) -> Option<Duration> {
    let value = header("retry-after")?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits are a very long time, too.
        return Some(Duration::from_secs(value.parse().unwrap_or(MAX_WAIT).min(MAX_WAIT)));
    }
    let date = |text| httpdate::parse_http_date(text).ok();
    let (at, now) = (date(value)?, date(header("date")?)?);
    // What is past is now.
    Some(at.duration_since(now).unwrap_or_default())
}
