//! `--image`: pictures in a question, as URLs or `data:` URLs between its words (protocol.md, R9.2).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use data_encoding::BASE64;

use crate::paths;
use crate::status::Failure;
use crate::words;

/// How many of a file's first bytes say what it is.
const HEAD: u64 = 12;

/// What stands in the question for an image: a URL as it is, and a file as a `data:` URL. `limit` is the longest request, in
/// bytes; 0 for none.
pub(crate) fn embed(image: &str, limit: usize) -> Result<String, Failure> {
    if ["http://", "https://", "data:image/"].iter().any(|scheme| image.starts_with(scheme)) {
        if image.contains(char::is_whitespace) {
            return Err(Failure::usage("--image: a URL has no spaces"));
        }
        return Ok(image.to_owned());
    }
    let path = paths::expand(Path::new(image));
    let unread = |error| Failure::usage(format!("--image: cannot read {}: {}", path.display(), words::system(&error)));
    let mut file = File::open(&path).map_err(unread)?;
    let mut bytes = Vec::new();
    // A file without an end, or a large one by mistake, is not read for nothing.
    file.by_ref().take(HEAD).read_to_end(&mut bytes).map_err(unread)?;
    let Some(kind) = kind(&bytes) else {
        return Err(Failure::usage(format!("--image: {} is no PNG, JPEG, GIF or WebP image", path.display())));
    };
    // Base64 makes four bytes of three.
    let most = if limit == 0 { u64::MAX } else { limit as u64 / 4 * 3 };
    file.take(most.saturating_sub(HEAD).saturating_add(1)).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > most {
        let path = path.display();
        return Err(Failure::usage(format!(
            "--image: {path} is over what a question of {limit} bytes has room for: --max-question SIZE allows more"
        )));
    }
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
        assert_eq!(embed("https://h/cat.png", 4).ok().as_deref(), Some("https://h/cat.png"));
        assert!(embed("https://h/a cat.png", 0).is_err());
    }

    #[test]
    fn no_more_of_a_file_is_read_than_a_question_has_room_for() {
        let file = std::env::temp_dir().join(format!("chatnio-image-{}", std::process::id()));
        let name = file.to_str().unwrap();
        let bytes = [b"GIF89a".as_slice(), &[0; 42]].concat();
        std::fs::write(&file, &bytes).unwrap();
        for limit in [64, 67, 0] {
            assert_eq!(embed(name, limit).unwrap(), format!("data:image/gif;base64,{}", BASE64.encode(&bytes)));
        }
        for limit in [63, 12, 1] {
            assert!(embed(name, limit).unwrap_err().message().contains("--max-question"), "{limit}");
        }
        std::fs::remove_file(&file).unwrap();
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
