//! Which conversation it is: said, and kept for `-c`.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use chatnio::{Conversation, Endpoint};

use crate::output::say;
use crate::paths;
use crate::words;

/// How long another command may take to change the file.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often it is tried meanwhile.
const TICK: Duration = Duration::from_millis(5);

/// The last conversation with each server, in a file.
pub(crate) struct Conversations {
    file: Option<PathBuf>,
    /// The server, and the profile that was taken: another one may have another token.
    key: Option<String>,
}

impl Conversations {
    /// Those with this server; without one nothing is kept.
    pub(crate) fn new(endpoint: Option<&Endpoint>, profile: Option<&str>) -> Self {
        Self::in_file(paths::state("conversations.json"), endpoint, profile)
    }

    fn in_file(file: Option<PathBuf>, endpoint: Option<&Endpoint>, profile: Option<&str>) -> Self {
        let key = endpoint.map(|endpoint| match profile {
            Some(profile) => format!("{profile} {endpoint}"),
            None => endpoint.to_string(),
        });
        Conversations { file, key }
    }

    /// The id of the last one.
    pub(crate) fn last(&self) -> Option<i64> {
        read(self.file.as_deref()?).get(self.key.as_ref()?).copied()
    }

    /// Keeps the id of one.
    pub(crate) fn keep(&self, id: i64) {
        let (Some(file), Some(key)) = (&self.file, &self.key) else { return };
        if read(file).get(key) == Some(&id) {
            return;
        }
        let written = paths::make_parent(file).and_then(|()| {
            let _lock = lock(file);
            let mut all = read(file);
            all.insert(key.clone(), id);
            write(file, &all)
        });
        if let Err(error) = written {
            say(
                "warning",
                &format!(
                    "-c will not find this conversation: cannot write {}: {}",
                    file.display(),
                    words::system(&error)
                ),
            );
        }
    }
}

/// A file that is not there or cannot be read knows of none.
fn read(file: &Path) -> BTreeMap<String, i64> {
    fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// While this is held no other command changes the file: what two keep at once would lose the one's otherwise. That is
/// no reason to wait long, nor to fail where files cannot be locked.
fn lock(file: &Path) -> Option<File> {
    let lock = paths::create_private(&file.with_extension("lock")).ok()?;
    let began = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Some(lock),
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => thread::sleep(TICK),
            Err(_) => return None,
        }
    }
}

/// Writes it whole or not at all: another command may read it.
fn write(file: &Path, all: &BTreeMap<String, i64>) -> io::Result<()> {
    let new = file.with_extension(format!("{}.new", std::process::id()));
    let mut opened = paths::create_private(&new)?;
    let text = serde_json::to_vec_pretty(all)?;
    let written = opened.write_all(&text).and_then(|()| fs::rename(&new, file));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

/// Says which conversation an answer is in, once each.
#[derive(Default)]
pub(crate) struct Told(Option<i64>);

impl Told {
    /// Says it if it is another one than was said last; returns the id that it can be continued by.
    pub(crate) fn tell(&mut self, conversation: Conversation, aloud: bool) -> Option<i64> {
        if let Conversation::Replaced { asked, got } = conversation
            && self.0 != Some(got)
        {
            say(
                "warning",
                &format!("the server has no conversation {asked} for this token: this is the new conversation {got}"),
            );
            self.0 = Some(got);
            return Some(got).filter(|id| *id > 0);
        }
        let id = conversation.id()?;
        if self.0.replace(id) != Some(id) && aloud {
            match id {
                1.. => say("note", &format!("conversation {id}")),
                _ => say("note", "anonymous conversations are not kept"),
            }
        }
        Some(id).filter(|id| *id > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_conversation_is_kept_by_server_and_profile() {
        let directory = std::env::temp_dir().join(format!("chatnio-conversations-{}", std::process::id()));
        let file = directory.join("deep").join("conversations.json");
        let of = |url: &str, profile| {
            Conversations::in_file(Some(file.clone()), Some(&Endpoint::parse(url).unwrap()), profile)
        };
        assert_eq!(of("wss://one", None).last(), None);
        of("wss://one", None).keep(5);
        of("wss://one", Some("work")).keep(6);
        of("wss://two", None).keep(7);
        of("wss://one", None).keep(8);
        let lasts = [of("wss://one", None), of("wss://one", Some("work")), of("wss://two", None)];
        assert_eq!(lasts.map(|of| of.last()), [Some(8), Some(6), Some(7)]);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 2, "it and its lock");
        fs::write(&file, "broken").unwrap();
        assert_eq!(of("wss://one", None).last(), None);
        fs::remove_dir_all(directory).unwrap();
    }
}
