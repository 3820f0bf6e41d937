//! Where the configuration and what is kept between two runs lie.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

#[cfg(unix)]
use crate::output::say;

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

/// Opens a file to write it anew, for nobody else to read: a conversation is nobody else's business. The same is so of one
/// that is there.
pub(crate) fn create_private(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(file)?;
    make_private(file);
    Ok(opened)
}

/// Makes a file one for nobody else to read. A device stays as it is; so does somebody else's file, which is said.
pub(crate) fn make_private(file: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let is_open = |metadata: &fs::Metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0;
        if file.metadata().is_ok_and(|metadata| is_open(&metadata))
            && fs::set_permissions(file, fs::Permissions::from_mode(0o600)).is_err()
        {
            say("warning", &format!("{} is somebody else's: others may be able to read it", file.display()));
        }
    }
    #[cfg(not(unix))]
    let _ = file;
}
