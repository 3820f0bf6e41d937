//! The fake models: what is answered, and at what pace, chosen by the model's name.

use core::time::Duration;

use crate::channel::{self, Parameters};
use crate::generation::Generation;

/// One step of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A piece of text, sent in a well-formed frame.
    Text(String),
    /// A text message sent as it is: a malformed frame.
    Raw(String),
    /// A binary message, which no real server sends (protocol.md, R0.3).
    Binary(Vec<u8>),
}

impl From<&str> for Piece {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Piece {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// How an answer ends when nobody stops it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With the usual end frame (protocol.md, R3.13).
    Complete,
    /// With this text of the model's on the end frame itself (protocol.md, R4.8).
    Content(String),
    /// With this notice from the upstream (protocol.md, R4.1 and R4.6).
    Notice(String),
    /// Never: nothing more is sent.
    Silent,
    /// By cutting the socket.
    Drop,
}

/// Who gets the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Anybody, with a key or without.
    Anyone,
    /// Only connections with a key; the others get the generation's notice.
    Keyed,
    /// Nobody: everybody with a key gets this notice, the others the one for a missing key.
    Refused(String),
}

/// A fake model's answer.
///
/// Durations are multiplied by [`Options::pace`](crate::Options::pace) when they are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The pieces in order, each with the time that passes before it.
    pub pieces: Vec<(Duration, Piece)>,
    /// How often the pieces are sent, one round after the other.
    pub rounds: usize,
    /// The time that passes between the last piece and the ending.
    pub ending_after: Duration,
    /// How the answer ends.
    pub ending: Ending,
    /// Who gets the answer.
    pub access: Access,
    /// Whether the quota stays 0, with a key too.
    pub free: bool,
    /// Whether the frames say that a subscription paid.
    pub subscription: bool,
}

/// The pace at which `hello` and the demo answer come.
const GENTLE: Duration = Duration::from_millis(30);

/// The time before each piece of `slow`.
const SLOW: Duration = Duration::from_millis(80);

/// The time before the first piece of `latestart`.
const LATE: Duration = Duration::from_millis(1500);

/// The pieces of `long` when its name brings no number.
const LONG: usize = 5000;

/// One of so many pieces of a long answer is lost by 2023.
const LOST_2023: usize = 1000;

/// The characters of the picture of `image` when its name brings no number.
const IMAGE: usize = 2_000_000;

/// The time that passes before each frame of `video`.
const VIDEO: Duration = Duration::from_secs(5 * 60);

/// The rounds in which 2023 asks a failing upstream again, sending what comes each time (protocol.md, R4.10).
const TRIES_2023: usize = 3;

/// How much of the question the demo answer quotes, in characters.
const QUOTED: usize = 200;

/// 2023's one notice for everything that has to do with money (protocol.md, R4.2 and R4.3).
const QUOTA_2023: &str = "You don't have enough quota to use this model. please [buy](/buy) or [subscribe](/subscribe) to get more. (or try to refresh the page)";

impl Plan {
    /// A complete answer for anybody, its pieces `gap` apart.
    pub fn text<P: Into<Piece>>(gap: Duration, pieces: impl IntoIterator<Item = P>) -> Self {
        Self {
            pieces: pieces.into_iter().map(|piece| (gap, piece.into())).collect(),
            rounds: 1,
            ending_after: Duration::ZERO,
            ending: Ending::Complete,
            access: Access::Anyone,
            free: false,
            subscription: false,
        }
    }

    /// The same answer, only for connections with a key.
    #[must_use]
    pub fn keyed(mut self) -> Self {
        self.access = Access::Keyed;
        self
    }

    /// The same answer with another ending.
    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// The built-in plan of a model's name; every name has one.
    pub(crate) fn named(name: &str, generation: Generation, question: &str, parameters: &Parameters) -> Self {
        let old = generation == Generation::G2023;
        if let Some(mut rounds) = numbered(name, "long", LONG) {
            // Nothing tells which are gone (protocol.md, R3.23).
            if old && rounds >= LONG {
                rounds -= rounds / LOST_2023;
            }
            return Self { rounds, ..Self::text(Duration::ZERO, ["piece "]).keyed() };
        }
        if let Some(characters) = numbered(name, "image", IMAGE) {
            return Self::image(generation, characters);
        }
        if let Some(model) = variant(name, "parameters") {
            let passed = channel::passed_on(model.unwrap_or_default(), parameters);
            return Self::text(GENTLE, [channel::shown(&passed)]).keyed().finished(generation);
        }
        let notice = |text: &str| Self::text(GENTLE, [""; 0]).keyed().upstream_error(text);
        match name {
            "hello" => Self::hello().keyed().finished(generation),
            "anon" => Self { free: true, ..Self::hello().finished(generation) },
            "slow" => {
                let words = (0..80).map(|number| format!("w{number} "));
                let pieces = core::iter::once("one ".to_owned()).chain(words);
                Self::text(SLOW, pieces).keyed().finished(generation)
            }
            "unicode" => Self::text(GENTLE, UNICODE).keyed().finished(generation),
            "latestart" => {
                let mut plan = Self::text(GENTLE, ["late", " start"]).keyed();
                plan.pieces[0].0 = LATE;
                plan.finished(generation)
            }
            // 2023 asks three times, and in the end says what went wrong (protocol.md, R4.10).
            "cut" if old => Self {
                rounds: TRIES_2023,
                ..Self::text(GENTLE, ["partial ", "answer"]).keyed().upstream_error("unexpected EOF")
            },
            // Nothing tells it from a complete one (protocol.md, R4.9).
            "cut" => Self::text(GENTLE, ["partial ", "answer"]).keyed(),
            // protocol.md, R4.7.
            "none" => notice(if old { "empty response" } else { "no response" }),
            "err" if old => notice("request failed with status: 500 Internal Server Error"),
            "err" => notice("bad thing happened  (type: upstream_error)"),
            "err429" if old => notice("request failed with status: 429 Too Many Requests"),
            "err429" => notice("Rate limit reached (type: rate_limit_error)"),
            // Unknown models (protocol.md, R4.4 and R4.5).
            "noprice" if !old => {
                let text = "the price of the model is not set (model: noprice)".to_owned();
                Self { access: Access::Refused(text), ..Self::hello() }
            }
            "nosuch" | "noprice" if old => Self {
                free: true,
                ..Self::text(
                    Duration::ZERO,
                    ["Sorry, we cannot find the model you are looking for. Please try another model."],
                )
            },
            "nosuch" => notice("cannot find channel for model nosuch"),
            // What a `reasoning_content` of the upstream says, nobody sees (protocol.md, R9.3).
            "think" => Self::text(GENTLE, ["<think>", "Hm. ", "A greeting.", "</think>", "\n\n", "Hello!"])
                .keyed()
                .finished(generation),
            // The calls are dropped (protocol.md, R9.4).
            "tools" => Self::text(GENTLE, [""]).keyed().ending(Ending::Content(String::new())),
            "video" => Self::video().finished(generation),
            "silent" => Self::text(GENTLE, [""; 0]).keyed().ending(Ending::Silent),
            "drop" => Self::text(GENTLE, ["Hello", "!", " How"]).keyed().ending(Ending::Drop),
            "garbage" => {
                let mut plan = Self::text(GENTLE, ["Hello", "!", " How", " are", " you?"]).keyed();
                let junk = [
                    Piece::Raw("not json\n".to_owned()),
                    Piece::Raw("[0,\"\",\"array\",false,false]\n".to_owned()),
                    Piece::Raw("{\"quota\":\"free\",\"message\":5,\"end\":false}\n".to_owned()),
                    Piece::Binary(vec![0, 159, 146, 150]),
                ];
                for (at, piece) in junk.into_iter().enumerate() {
                    plan.pieces.insert(2 * at + 1, (GENTLE, piece));
                }
                plan
            }
            "notice" => Self {
                access: Access::Refused(match generation {
                    Generation::G2023 => QUOTA_2023.to_owned(),
                    _ => "user quota is not enough error (model: notice, minimum quota: 1.00, your quota: 0.00)"
                        .to_owned(),
                }),
                ..Self::hello()
            },
            "paid" => Self {
                access: Access::Refused(match generation {
                    Generation::G2023 => QUOTA_2023.to_owned(),
                    Generation::G2024 => {
                        "user quota is not enough error (model: paid, minimum quota: 200000.00, your quota: 500.00)"
                            .to_owned()
                    }
                    Generation::G2026 => {
                        "estimated cost exceeds user quota (model: paid, estimated cost: 800.00, your quota: 500.00)"
                            .to_owned()
                    }
                }),
                ..Self::hello()
            },
            _ => Self::demo(question).finished(generation),
        }
    }

    /// The notice for an anonymous connection that asks a model which needs a key (protocol.md, R4.2).
    pub(crate) fn not_authenticated(generation: Generation, model: &str) -> String {
        match generation {
            Generation::G2023 => QUOTA_2023.to_owned(),
            _ => format!("not authenticated error (model: {model})"),
        }
    }

    fn hello() -> Self {
        Self::text(GENTLE, ["Hello", "!", " How", " can", " I", " help?"])
    }

    fn demo(question: &str) -> Self {
        let mut quoted: String = question.chars().take(QUOTED).collect();
        if quoted.len() < question.len() {
            quoted.push('…');
        }
        let text = format!(
            "Hello! This is the loopback server, a stand-in for a real one on this machine. You asked: “{quoted}”"
        );
        Self::text(GENTLE, text.split_inclusive(' '))
    }

    fn upstream_error(mut self, text: &str) -> Self {
        self.ending_after = GENTLE;
        self.ending(Ending::Notice(text.to_owned()))
    }

    /// An image in one frame (protocol.md, R3.21); 2023 names its address on the end frame (protocol.md, R4.8).
    fn image(generation: Generation, characters: usize) -> Self {
        if generation == Generation::G2023 {
            let text = "![image](https://images.example/1.png)".to_owned();
            return Self::text(GENTLE, [""; 0]).keyed().ending(Ending::Content(text));
        }
        let text = format!("![image](data:image/png;base64,{})", "iVBORw0K".repeat(characters.div_ceil(8)));
        Self::text(GENTLE, [text]).keyed().finished(generation)
    }

    /// A video job: frames only when its progress changes (protocol.md, R3.22).
    fn video() -> Self {
        let progress = ["```progress\n", "0\n", "40\n", "100\n", "```\n", "![video](/v1/videos/video_1/content)"];
        Self::text(VIDEO, progress).keyed()
    }

    /// Adds what models send at the end of a complete answer: 2024 and 2026 pass on an empty piece
    /// (protocol.md, R3.18).
    fn finished(mut self, generation: Generation) -> Self {
        if generation != Generation::G2023 {
            self.pieces.push((GENTLE, "".into()));
        }
        self
    }
}

/// The number that a model's name brings: `long-7`, or a default for `long`.
fn numbered(name: &str, stem: &str, default: usize) -> Option<usize> {
    variant(name, stem)?.map_or(Some(default), |number| number.parse().ok())
}

/// What stands behind a stem and a dash: `7` of `long-7`, nothing of `long`; `None` for other names.
fn variant<'a>(name: &'a str, stem: &str) -> Option<Option<&'a str>> {
    let rest = name.strip_prefix(stem)?;
    if rest.is_empty() { Some(None) } else { rest.strip_prefix('-').map(Some) }
}

/// The recorded pieces of `unicode`.
const UNICODE: [&str; 11] = [
    "你好",
    "，",
    "世界",
    "！",
    "😀",
    "👩\u{200d}👩\u{200d}👧",
    "\u{e9}\u{301}",
    "\n```py\n",
    "print(\"\\\\\")",
    "\t</script>\u{2028}",
    "\0x",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, generation: Generation) -> Plan {
        Plan::named(name, generation, "q", &Parameters::new())
    }

    #[test]
    fn long_takes_its_number_from_its_name() {
        let rounds = |name: &str| named(name, Generation::G2026).rounds;
        assert_eq!(rounds("long"), LONG);
        assert_eq!(rounds("long-7"), 7);
        assert_eq!(rounds("longer"), 1);
        assert_eq!(rounds("long-x"), 1);
    }

    #[test]
    fn a_long_answer_of_2023_loses_pieces() {
        let rounds = |name: &str| named(name, Generation::G2023).rounds;
        assert_eq!(rounds("long-4999"), 4999);
        assert_eq!(rounds("long"), 4995);
        assert_eq!(rounds("long-20000"), 19_980);
    }

    #[test]
    fn a_foreign_name_gets_the_demo_answer_with_the_question() {
        let plan = Plan::named("gpt-3.5-turbo", Generation::G2023, "why?", &Parameters::new());
        let text: String = plan
            .pieces
            .iter()
            .map(|(_, piece)| match piece {
                Piece::Text(text) => text.as_str(),
                _ => panic!("only text"),
            })
            .collect();
        assert!(text.contains("loopback server") && text.ends_with("“why?”"), "{text}");
        assert_eq!(plan.access, Access::Anyone);
    }
}
