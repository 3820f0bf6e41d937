//! Where the configuration and what is kept between two runs lie.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// The configuration file, `config.toml`.
pub(crate) fn configuration() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.config_dir().join("chatnio").join("config.toml"))
}

/// A file that is kept between two runs. Its directory is made when the file is written.
pub(crate) fn state(name: &str) -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("chatnio").join(name))
}

/// A path as users write it: `~/` is their home.
pub(crate) fn expand(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), etcetera::home_dir()) {
        (Ok(rest), Ok(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// Makes the directory that a file is to lie in.
pub(crate) fn make_parent(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Opens a file to write it anew, for nobody else to read: a conversation is nobody else's business.
pub(crate) fn create_private(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}
