//! A target's corpus as one text: a line for each input, with its bytes as a Rust byte string would have them. And how many
//! inputs each has, as another.

use std::collections::BTreeMap;

/// The lines of so many inputs.
pub fn write<'a>(inputs: impl IntoIterator<Item = &'a [u8]>) -> String {
    inputs.into_iter().map(|input| format!("\"{}\"\n", input.escape_ascii())).collect()
}

/// The inputs of those lines; an error names the line.
///
/// # Errors
/// For a line that [`write()`] would not have written.
pub fn read(text: &str) -> Result<Vec<Vec<u8>>, String> {
    (1..)
        .zip(text.lines())
        .map(|(number, line)| input(line).ok_or_else(|| format!("line {number} is no input")))
        .collect()
}

/// How many inputs each target's corpus has: so that one which is cut short shows.
pub type Counts = BTreeMap<String, usize>;

/// A line for each target.
#[must_use]
pub fn write_counts(counts: &Counts) -> String {
    counts.iter().map(|(target, count)| format!("{target}\t{count}\n")).collect()
}

/// The counts of those lines; an error names the line.
///
/// # Errors
/// For a line that [`write_counts()`] would not have written.
pub fn read_counts(text: &str) -> Result<Counts, String> {
    let count = |line: &str| {
        let (target, count) = line.split_once('\t')?;
        Some((target.to_owned(), count.parse().ok()?))
    };
    (1..)
        .zip(text.lines())
        .map(|(number, line)| count(line).ok_or_else(|| format!("line {number} is no count")))
        .collect()
}

fn input(line: &str) -> Option<Vec<u8>> {
    let mut rest = line.strip_prefix('"')?.strip_suffix('"')?.bytes();
    let mut input = Vec::new();
    while let Some(byte) = rest.next() {
        input.push(match byte {
            b'\\' => match rest.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let mut digit = || char::from(rest.next()?).to_digit(16);
                    u8::try_from(digit()? * 16 + digit()?).ok()?
                }
                byte @ (b'\\' | b'"' | b'\'') => byte,
                _ => return None,
            },
            b'"' | 0x7f.. => return None,
            byte => byte,
        });
    }
    Some(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_written_and_read() {
        let all: Vec<u8> = (0..=255).collect();
        let text = write([&all[..], b"", b"\" \\ '\n "]);
        assert!(text.is_ascii() && text.lines().count() == 3);
        assert_eq!(read(&text), Ok(vec![all, Vec::new(), b"\" \\ '\n ".to_vec()]));
    }

    #[test]
    fn counts_are_written_and_read() {
        let counts = Counts::from([("b".to_owned(), 0), ("a".to_owned(), 12)]);
        assert_eq!(write_counts(&counts), "a\t12\nb\t0\n");
        assert_eq!(read_counts(&write_counts(&counts)), Ok(counts));
        assert_eq!(read_counts("a\t1\nb 2\n"), Err("line 2 is no count".to_owned()));
    }

    #[test]
    fn another_line_is_named() {
        for bad in ["", "a", "\"", "\"\"\"", "\"\\q\"", "\"\\x0\"", "\"\\xg0\"", "\"\u{e9}\"", "\"\\\""] {
            assert_eq!(read(&format!("\"\"\n{bad}\n")), Err("line 2 is no input".to_owned()), "{bad}");
        }
    }
}
