//! A chat under a simulated clock.

use core::time::Duration;
use std::sync::Arc;

use super::{Chat, Output};
use crate::{Access, Ending, Fault, Generation, Options, Piece, Plan, World};
use Generation::{G2023, G2024, G2026};

mod authentication;
mod frames;
mod losing;
mod models;
mod notices;
mod requests;
mod stopping;

const AUTH: &str = r#"{"token":"sk-a","id":-1}"#;
const ANONYMOUS: &str = r#"{"token":"anonymous","id":-1}"#;
const STOP: &str = r#"{"type":"stop"}"#;
const PING: &str = r#"{"type":"ping"}"#;

/// A chat under a simulated clock, with a log of what came out and when.
struct Rig {
    world: World,
    chat: Chat,
    now: Duration,
    log: Vec<(u128, String)>,
}

impl Rig {
    fn new(generation: Generation) -> Self {
        Self::with(World::new(), Options::new(generation))
    }

    fn with(world: World, mut options: Options) -> Self {
        // Ten pieces, one each 50 ms.
        let pieces = (1..=10).map(|number| format!("p{number} "));
        let plan = Plan::text(Duration::from_millis(50), pieces);
        options.plans.entry("ten".to_owned()).or_insert(plan);
        let chat = Chat::new(world.clone(), Arc::new(options));
        Self { world, chat, now: Duration::ZERO, log: Vec::new() }
    }

    /// A rig whose connection has authenticated.
    fn open(generation: Generation) -> Self {
        let mut rig = Self::new(generation);
        rig.send(AUTH);
        rig
    }

    fn drain(&mut self) {
        while let Some(output) = self.chat.poll_output(self.now) {
            let text = match output {
                Output::Frame(text) => short(&text),
                Output::Binary(_) => "binary".to_owned(),
                Output::Drop => "drop".to_owned(),
            };
            self.log.push((self.now.as_millis(), text));
        }
    }

    fn send(&mut self, text: &str) -> &mut Self {
        self.chat.receive(self.now, text);
        self.drain();
        self
    }

    fn ask(&mut self, model: &str, message: &str) -> &mut Self {
        self.send(&format!(r#"{{"type":"chat","message":"{message}","model":"{model}"}}"#))
    }

    /// Goes on to a time in milliseconds, from deadline to deadline.
    fn until(&mut self, millis: u64) -> &mut Self {
        let end = Duration::from_millis(millis);
        while let Some(deadline) = self.chat.next_deadline().filter(|at| *at <= end) {
            assert!(deadline >= self.now, "a deadline in the past");
            self.now = deadline;
            self.chat.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
        self.chat.handle_timeout(self.now);
        self.drain();
        self
    }

    /// What came out since the last look, in short, without the times.
    fn take(&mut self) -> String {
        let log = core::mem::take(&mut self.log);
        log.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(" ")
    }

    /// When the things came out since the last look that contain a text.
    fn times(&mut self, wanted: &str) -> Vec<u128> {
        let log = core::mem::take(&mut self.log);
        log.into_iter().filter(|(_, text)| text.contains(wanted)).map(|(at, _)| at).collect()
    }

    fn history(&self) -> String {
        let messages = self.world.messages("sk-a", 1).unwrap_or_default();
        let texts: Vec<_> =
            messages.iter().map(|message| format!("{}:{}", &message.role[..1], message.content.trim())).collect();
        texts.join("|")
    }
}

/// A frame in short: `#1` an opener, `(text)` a piece, `END` an end, `END0(text)` one with quota 0.
fn short(text: &str) -> String {
    let Ok(frame) = serde_json::from_str::<serde_json::Value>(text) else {
        return "?".to_owned();
    };
    assert!(text.ends_with("}\n") || frame.is_array(), "{text}");
    let message = frame["message"].as_str().unwrap_or("?");
    let free = frame["quota"].as_f64() == Some(0.0);
    if let Some(id) = frame["conversation"].as_i64().filter(|id| *id != 0) {
        return format!("#{id}");
    }
    match (frame["end"].as_bool(), message) {
        (Some(true), "") if !free => "END".to_owned(),
        (Some(true), _) if free => format!("END0({message})"),
        (Some(true), _) => format!("END({message})"),
        _ => format!("({})", message.trim_end()),
    }
}

fn all(mut check: impl FnMut(Generation)) {
    Generation::ALL.into_iter().for_each(&mut check);
}
