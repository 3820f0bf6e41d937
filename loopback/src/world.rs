//! What the connections of one server share: stored conversations, shares and counters.

use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::conversation::{ANONYMOUS_ID, Conversation};
use crate::form::Message;
use crate::generation::Generation;
use crate::throttle::Throttle;
use stored::Stored;

mod stored;

/// The shared state of one server. Cheap to clone: clones are the same world.
///
/// Each key is a user of its own. A new conversation's id is the user's highest stored id plus one; it
/// is taken when a connection authenticates, but nothing is stored before the first chat, so two new
/// connections of one key share an id and the last writer wins (protocol.md, R1.10 and R1.11).
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// By key, then by conversation id.
    conversations: HashMap<String, BTreeMap<i64, Stored>>,
    /// By hash: whose conversation is shared.
    shares: HashMap<String, (String, i64)>,
    /// Hashes of shares whose stored indexes are out of range.
    broken_shares: HashSet<String>,
    /// By key: the masks as they were saved.
    masks: HashMap<String, Vec<serde_json::Value>>,
    throttle: Throttle,
    /// How many chats were begun.
    chats: u64,
    stats: Stats,
}

/// Counters since the world was made, for tests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that were accepted, refused ones included.
    pub connections: u64,
    /// Connections that were refused before the WebSocket opened.
    pub refused: u64,
    /// WebSockets that were opened.
    pub upgrades: u64,
    /// Authentications that were read.
    pub authentications: u64,
    /// Authentications that ended as anonymous.
    pub anonymous: u64,
    /// Exact pings, which are never queued.
    pub pings: u64,
    /// Requests that were queued, stops included.
    pub requests: u64,
    /// Stop requests among them.
    pub stops_received: u64,
    /// Stops (or removes) that ended the running answer.
    pub stops_seen: u64,
    /// Stops (or removes) that the poller of an earlier answer took (2026).
    pub stops_swallowed: u64,
    /// Stops that came to the request loop because nothing was running.
    pub stops_idle: u64,
    /// Requests that a full queue evicted.
    pub evicted: u64,
    /// Openers that were sent.
    pub openers: u64,
    /// All frames that were sent.
    pub frames: u64,
    /// Frames among them that ended something.
    pub ends: u64,
    /// Answers whose text was saved, the ones of lost connections included.
    pub answers: u64,
    /// Sockets that the server dropped.
    pub drops: u64,
    /// Companion calls (docs/rest.md) that were answered, refused ones included.
    pub calls: u64,
}

impl World {
    /// A world without conversations.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counters as they stand now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.state().stats
    }

    /// The ids of the conversations stored for a key, lowest first.
    #[must_use]
    pub fn conversations(&self, key: &str) -> Vec<i64> {
        let state = self.state();
        state.conversations.get(key).map(|of| of.keys().copied().collect()).unwrap_or_default()
    }

    /// The messages stored in a conversation, oldest first.
    #[must_use]
    pub fn messages(&self, key: &str, id: i64) -> Option<Vec<Message>> {
        Some(self.state().conversations.get(key)?.get(&id)?.messages.clone())
    }

    /// Shares a stored conversation and returns the hash that `ref` and `share` take. The hash shows
    /// what is stored when it is used, not when it was made.
    #[must_use]
    pub fn share(&self, key: &str, id: i64) -> Option<String> {
        let mut state = self.state();
        state.conversations.get(key)?.get(&id)?;
        let hash = format!("{:032x}", state.shares.len() + 1);
        state.shares.insert(hash.clone(), (key.to_owned(), id));
        Some(hash)
    }

    /// Makes a share whose stored index is out of range, and returns its hash. It costs who uses it the connection
    /// (protocol.md, R2.28).
    #[must_use]
    pub fn broken_share(&self) -> String {
        let mut state = self.state();
        let hash = format!("b{:031x}", state.broken_shares.len() + 1);
        state.broken_shares.insert(hash.clone());
        hash
    }

    pub(crate) fn is_broken(&self, hash: &str) -> bool {
        self.state().broken_shares.contains(hash)
    }

    /// The conversation that a fresh connection starts with; a new one when the id is not known (protocol.md, R1.3).
    pub(crate) fn open(&self, user: Option<String>, id: i64, hash: &str) -> Conversation {
        let shared = self.shared(hash);
        let state = self.state();
        let Some(user) = user else {
            return Conversation::new(None, ANONYMOUS_ID, shared.unwrap_or_default());
        };
        let stored = state.conversations.get(&user);
        if shared.is_none()
            && let Some(found) = stored.and_then(|of| of.get(&id))
        {
            return Conversation::new(Some(user), id, found.messages.clone());
        }
        let last = stored.and_then(|of| of.keys().next_back()).copied().unwrap_or(0);
        Conversation::new(Some(user), last + 1, shared.unwrap_or_default())
    }

    /// The messages behind a share's hash.
    pub(crate) fn shared(&self, hash: &str) -> Option<Vec<Message>> {
        let state = self.state();
        let (key, id) = state.shares.get(hash)?;
        Some(state.conversations.get(key)?.get(id)?.messages.clone())
    }

    /// Stores a conversation over whatever is there; an anonymous one is not stored.
    pub(crate) fn save(&self, conversation: &Conversation) {
        if let Some(owner) = &conversation.owner {
            let mut state = self.state();
            let of_owner = state.conversations.entry(owner.clone()).or_default();
            of_owner.entry(conversation.id).or_default().take(conversation);
        }
    }

    /// Whether a generation's server admits one more connection.
    pub(crate) fn admit(&self, limit: u32, generation: Generation, now: Duration, address: IpAddr, path: &str) -> bool {
        self.state().throttle.admit(limit, generation, now, address, path)
    }

    /// The number of a new connection's chat, from 1.
    pub(crate) fn next_chat(&self) -> u64 {
        let mut state = self.state();
        state.chats += 1;
        state.chats
    }

    /// Changes the counters.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.state().stats);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete when the lock is let go, so a poisoned lock guards sound data.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without the conversations: their owners are keys.
impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(world: &World, id: i64) -> Conversation {
        world.open(Some("sk-a".to_owned()), id, "")
    }

    #[test]
    fn new_ids_are_not_reserved_and_the_last_writer_wins() {
        let world = World::new();
        let (mut one, mut two) = (open(&world, -1), open(&world, 99));
        assert_eq!((one.id, two.id), (1, 1));
        one.add("user", "one".to_owned());
        two.add("user", "two".to_owned());
        world.save(&one);
        world.save(&two);
        assert_eq!(open(&world, -1).id, 2);
        assert_eq!(open(&world, 1).messages[0].content, "two");
        world.save(&one);
        assert_eq!(world.messages("sk-a", 1).unwrap()[0].content, "one");
        assert_eq!(world.conversations("sk-a"), [1]);
        assert_eq!(world.open(Some("sk-b".to_owned()), 1, "").messages, []);
    }

    #[test]
    fn anonymous_conversations_are_not_stored() {
        let world = World::new();
        let conversation = world.open(None, 1, "");
        assert_eq!(conversation.id, -1);
        world.save(&conversation);
        assert_eq!(open(&world, -1).id, 1);
    }

    #[test]
    fn a_valid_share_wins_over_the_id() {
        let world = World::new();
        let mut one = open(&world, -1);
        one.add("user", "one".to_owned());
        world.save(&one);
        let hash = world.share("sk-a", 1).unwrap();
        assert_eq!(world.share("sk-a", 2), None);
        let from = world.open(Some("sk-a".to_owned()), 1, &hash);
        assert_eq!((from.id, from.messages.len()), (2, 1));
        assert_eq!(world.open(Some("sk-a".to_owned()), 1, "none").id, 1);
        assert_eq!(world.open(None, -1, &hash).messages.len(), 1);
    }

    #[test]
    fn keys_do_not_show() {
        let world = World::new();
        world.save(&open(&world, -1));
        assert!(!format!("{world:?}").contains("sk-"));
    }
}
