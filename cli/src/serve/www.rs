//! The files that `chatnio serve --www DIR` serves.

use std::fs;
use std::path::{Component, Path, PathBuf};

use chatnio_loopback::{Page, Pages};

/// The pages of a folder: `index.html` where a path ends with a folder. Each is read when it is asked for.
pub(super) fn pages(folder: PathBuf) -> Pages {
    Pages::new(move |path| {
        let file = file(&folder, path)?;
        Some(Page { content_type: content_type(&file).to_owned(), body: fs::read(file).ok()? })
    })
}

/// The file that a path means; none outside of the folder.
fn file(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    // Windows has other names for what is elsewhere.
    if !is_inside || path.to_str()?.contains(['\\', ':', '\0']) {
        return None;
    }
    let file = folder.join(path);
    Some(if file.is_dir() { file.join("index.html") } else { file })
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_the_folder_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(file(folder, "Cargo.toml"), Some(folder.join("Cargo.toml")));
        assert_eq!(file(folder, ""), Some(folder.join("index.html")));
        assert_eq!(file(folder, "src/"), Some(folder.join("src").join("index.html")));
        for outside in ["../Cargo.toml", "src/../../Cargo.toml", "/etc/passwd", "src//../..", "C:/x", "..\\x", "\0"] {
            assert_eq!(file(folder, outside), None, "{outside:?}");
        }
    }
}
