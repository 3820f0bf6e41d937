//! Unit-testing a program by a transcript: no network, no clock, the same result every time.
//!
//! `cargo run -p chatnio --example bot_test`; in a program of your own `main` would be a `#[test]`.

use chatnio::transcript::{Replay, Replayed, Transcript};
use chatnio::{Config, Event, Outcome, Session};
use std::time::Duration;

/// The program under test: it counts words as they stream in, and says what it made of the answer.
#[derive(Default)]
struct Bot {
    words: usize,
    verdict: Option<String>,
}

impl Bot {
    fn on_event(&mut self, event: &Event<'_>) {
        match event {
            Event::Delta { text, .. } => self.words += text.split_whitespace().count(),
            Event::End(end) => {
                self.words += end.text.split_whitespace().count();
                self.verdict = Some(match end.answer.outcome {
                    Some(Outcome::Complete) => format!("{} words", self.words),
                    Some(Outcome::Notice) => format!("no answer: {}", end.answer.notice.as_deref().unwrap_or("")),
                    other => format!("cut short: {other:?}"),
                });
            }
            _ => {}
        }
    }
}

// ANCHOR: test
/// Plays a transcript to a bot.
fn play(text: &str) -> Bot {
    let transcript = Transcript::parse(text).unwrap();
    let (replay, auth) = Replay::new(&transcript);
    let mut session = Session::new(auth, Config::default(), Duration::ZERO).unwrap();
    let mut bot = Bot::default();
    replay.run(&mut session, Duration::ZERO, |replayed| match replayed {
        Replayed::Event { event, .. } => bot.on_event(&event),
        other => panic!("a clean recording has nothing to warn of: {other:?}"),
    });
    bot
}

fn main() {
    let answered = play(include_str!("../../transcripts/2026-03/hello.txt"));
    assert_eq!(answered.verdict.as_deref(), Some("6 words"));
    let refused = play(include_str!("../../transcripts/2026-03/anon_denied.txt"));
    assert_eq!(refused.verdict.as_deref(), Some("no answer: not authenticated error (model: hello)"));
    println!("the bot does what it should");
}
// ANCHOR_END: test
