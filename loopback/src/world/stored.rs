//! Stored conversations, shares and masks as the companion calls see them (docs/rest.md).

use serde_json::{Value, json};

use super::World;
use crate::conversation::Conversation;
use crate::form::Message;

/// How many of the newest conversations a list has.
const LISTED: usize = 100;

/// When every share was made: there is no clock here.
const SHARED_AT: &str = "2026-11-28T11:31:29Z";

/// A stored conversation.
#[derive(Default)]
pub(crate) struct Stored {
    pub(super) messages: Vec<Message>,
    model: String,
    web: bool,
    /// What it was renamed to.
    name: Option<String>,
}

impl Stored {
    /// Takes over what a connection has; a name stays.
    pub(super) fn take(&mut self, conversation: &Conversation) {
        self.messages.clone_from(&conversation.messages);
        self.model.clone_from(&conversation.model);
        self.web = conversation.web;
    }

    /// The first question, unless it was renamed.
    fn name(&self) -> &str {
        let question = self.messages.iter().find(|message| message.role == "user");
        self.name.as_deref().or(question.map(|message| message.content.as_str())).unwrap_or("new chat")
    }

    fn listed(&self, id: i64) -> Value {
        json!({
            "auth": false, "user_id": 0, "id": id, "name": self.name(), "message": null, "model": "",
            "enable_web": false, "shared": false, "context": 0,
        })
    }

    fn loaded(&self, id: i64) -> Value {
        json!({
            "auth": false, "user_id": 1, "id": id, "name": self.name(), "message": messages(&self.messages),
            "model": self.model, "enable_web": self.web, "shared": false, "context": 0,
        })
    }
}

fn messages(messages: &[Message]) -> Value {
    messages.iter().map(|message| json!({ "role": message.role, "content": message.content })).collect()
}

impl World {
    /// Stores a conversation for a key, as if it had been asked before; gives its id.
    pub fn store(&self, key: &str, model: &str, messages: Vec<Message>) -> i64 {
        let mut state = self.state();
        let of_key = state.conversations.entry(key.to_owned()).or_default();
        let id = of_key.keys().next_back().map_or(1, |last| last + 1);
        of_key.insert(id, Stored { messages, model: model.to_owned(), ..Stored::default() });
        id
    }

    /// The newest first; null when there are none.
    pub(crate) fn list(&self, key: &str) -> Value {
        let state = self.state();
        match state.conversations.get(key).filter(|of| !of.is_empty()) {
            Some(of_key) => of_key.iter().rev().take(LISTED).map(|(id, stored)| stored.listed(*id)).collect(),
            None => Value::Null,
        }
    }

    pub(crate) fn load(&self, key: &str, id: i64) -> Option<Value> {
        Some(self.state().conversations.get(key)?.get(&id)?.loaded(id))
    }

    /// Whether there was one.
    pub(crate) fn delete(&self, key: &str, id: i64) -> bool {
        self.state().conversations.get_mut(key).is_some_and(|of_key| of_key.remove(&id).is_some())
    }

    /// Whether there is one.
    pub(crate) fn rename(&self, key: &str, id: i64, name: &str) -> bool {
        let mut state = self.state();
        let Some(stored) = state.conversations.get_mut(key).and_then(|of_key| of_key.get_mut(&id)) else {
            return false;
        };
        stored.name = Some(name.to_owned());
        true
    }

    /// The conversation behind a share's hash.
    pub(crate) fn view(&self, hash: &str) -> Option<Value> {
        let state = self.state();
        let (key, id) = state.shares.get(hash)?;
        let stored = state.conversations.get(key)?.get(id)?;
        Some(json!({ "username": "root", "name": stored.name(), "messages": messages(&stored.messages) }))
    }

    /// The shares of a key; null when there are none.
    pub(crate) fn shares(&self, key: &str) -> Value {
        let state = self.state();
        let mut own: Vec<_> = state.shares.iter().filter(|(_, (owner, _))| owner == key).collect();
        own.sort_unstable();
        let shares = own.into_iter().map(|(hash, (_, id))| {
            let name = state.conversations.get(key).and_then(|of_key| of_key.get(id)).map_or("", Stored::name);
            json!({ "name": name, "conversation_id": id, "time": SHARED_AT, "hash": hash })
        });
        Some(shares.collect::<Vec<_>>()).filter(|shares| !shares.is_empty()).into()
    }

    /// Ends a key's own share.
    pub(crate) fn unshare(&self, key: &str, hash: &str) {
        let mut state = self.state();
        if state.shares.get(hash).is_some_and(|(owner, _)| owner == key) {
            state.shares.remove(hash);
        }
    }

    pub(crate) fn masks(&self, key: &str) -> Value {
        self.state().masks.get(key).cloned().into()
    }

    /// Stores a mask: a new one, or over the one with its id.
    pub(crate) fn save_mask(&self, key: &str, mut mask: Value) {
        let mut state = self.state();
        let masks = state.masks.entry(key.to_owned()).or_default();
        match masks.iter_mut().find(|stored| stored["id"] == mask["id"]) {
            Some(stored) => *stored = mask,
            None => {
                let last = masks.iter().filter_map(|stored| stored["id"].as_i64()).max().unwrap_or(0);
                mask["id"] = (last + 1).into();
                masks.push(mask);
            }
        }
    }

    pub(crate) fn delete_mask(&self, key: &str, id: i64) {
        if let Some(masks) = self.state().masks.get_mut(key) {
            masks.retain(|stored| stored["id"] != id);
        }
    }
}
