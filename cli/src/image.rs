//! `--image`: pictures in a question, as URLs or `data:` URLs between its words (protocol.md, R9.2).

use std::fs;
use std::path::Path;

use data_encoding::BASE64;

use crate::paths;
use crate::status::Failure;
use crate::words;

/// What stands in the question for an image: a URL as it is, and a file as a `data:` URL.
pub(crate) fn embed(image: &str) -> Result<String, Failure> {
    if ["http://", "https://", "data:image/"].iter().any(|scheme| image.starts_with(scheme)) {
        if image.contains(char::is_whitespace) {
            return Err(Failure::usage("--image: a URL has no spaces"));
        }
        return Ok(image.to_owned());
    }
    let path = paths::expand(Path::new(image));
    let bytes = fs::read(&path).map_err(|error| {
        Failure::usage(format!("--image: cannot read {}: {}", path.display(), words::system(&error)))
    })?;
    let Some(kind) = kind(&bytes) else {
        return Err(Failure::usage(format!("--image: {} is no PNG, JPEG, GIF or WebP image", path.display())));
    };
    Ok(format!("data:image/{kind};base64,{}", BASE64.encode(&bytes)))
}

/// What an image is, by its first bytes: a file's name can lie.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_stays_as_it_is() {
        assert_eq!(embed("https://h/cat.png").ok().as_deref(), Some("https://h/cat.png"));
        assert!(embed("https://h/a cat.png").is_err());
    }

    #[test]
    fn a_kind_is_in_the_first_bytes() {
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n...."), Some("png"));
        assert_eq!(kind(b"\xff\xd8\xff\xe0"), Some("jpeg"));
        assert_eq!((kind(b"GIF89a"), kind(b"GIF90a")), (Some("gif"), None));
        assert_eq!((kind(b"RIFF\0\0\0\0WEBPVP8 "), kind(b"RIFF\0\0\0\0WAVEfmt ")), (Some("webp"), None));
        assert_eq!(kind(b""), None);
    }
}
