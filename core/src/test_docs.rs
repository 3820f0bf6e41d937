//! Pages that are drawn from the code.
#![allow(clippy::disallowed_methods, reason = "it writes the docs that it checks, when asked")]

/// Asserts that the page at `path`, from the crate's folder, is `expected`.
pub(crate) fn assert_shown(path: &str, expected: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(found, expected, "{}: after a wanted change, UPDATE_DOCS=1", path.display());
}
