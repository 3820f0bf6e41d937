//! A target's corpus as one text: a line for each input, with its bytes as a Rust byte string would have them.

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
    fn another_line_is_named() {
        for bad in ["", "a", "\"", "\"\"\"", "\"\\q\"", "\"\\x0\"", "\"\\xg0\"", "\"\u{e9}\"", "\"\\\""] {
            assert_eq!(read(&format!("\"\"\n{bad}\n")), Err("line 2 is no input".to_owned()), "{bad}");
        }
    }
}
