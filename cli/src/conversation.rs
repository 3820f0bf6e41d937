//! Which conversation it is: said, and kept for `-c`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chatnio::{Conversation, Endpoint};

use crate::output::say;
use crate::paths;
use crate::words;

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
        let mut all = read(file);
        if all.insert(key.clone(), id) == Some(id) {
            return;
        }
        if let Err(error) = write(file, &all) {
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

/// Writes it whole or not at all: another command may read it.
fn write(file: &Path, all: &BTreeMap<String, i64>) -> io::Result<()> {
    paths::make_parent(file)?;
    let new = file.with_extension(format!("{}.new", std::process::id()));
    let mut written = paths::create_private(&new)?;
    written.write_all(&serde_json::to_vec_pretty(all)?)?;
    fs::rename(&new, file)
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
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing else is left there");
        fs::write(&file, "broken").unwrap();
        assert_eq!(of("wss://one", None).last(), None);
        fs::remove_dir_all(directory).unwrap();
    }
}
