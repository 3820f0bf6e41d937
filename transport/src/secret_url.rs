//! URLs with secrets in them: their parser keeps copies, and wipes none.

use url::{ParseError, Url};
use zeroize::Zeroizing;

/// Parses `scheme://rest`, has it read, and wipes what the parser held.
pub(crate) fn read<T>(scheme: &str, rest: &str, read: impl FnOnce(&Url) -> T) -> Result<T, ParseError> {
    // Never grows: what a growing text leaves behind is not wiped.
    let mut whole = Zeroizing::new(String::with_capacity(scheme.len() + 3 + rest.len()));
    for part in [scheme, "://", rest] {
        whole.push_str(part);
    }
    let url = Url::parse(&whole)?;
    let value = read(&url);
    drop(Zeroizing::new(String::from(url)));
    Ok(value)
}
