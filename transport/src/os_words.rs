//! What the operating system says of an error, as a sentence of ours goes on.

use std::fmt::Display;

/// An `io::Error` in words, without the number that Rust puts behind them: nobody has to look one up, and `kind()` and
/// `raw_os_error()` tell programs. The errors of this crate are told so.
#[must_use]
pub fn os_words(error: &dyn Display) -> String {
    let mut text = error.to_string();
    let end = text
        .rsplit_once(" (os error ")
        .filter(|(_, number)| number.trim_end_matches(')').bytes().all(|b| b.is_ascii_digit()));
    let len = end.map_or(text.len(), |(said, _)| said.len());
    text.truncate(len);
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::os_words;

    #[test]
    fn the_number_is_left_out() {
        assert_eq!(os_words(&io::Error::from_raw_os_error(2)), "No such file or directory");
        assert_eq!(os_words(&io::Error::other("gone (os error x)")), "gone (os error x)");
        assert_eq!(os_words(&io::Error::from(io::ErrorKind::BrokenPipe)), "broken pipe");
    }
}
