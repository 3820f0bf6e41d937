//! `Turn`: one question and the answer to it, until the host has had its end; and `Stop`, which may last longer.

use alloc::boxed::Box;
use alloc::string::String;
use core::time::Duration;

use crate::answer::{Answer, Interruption, Outcome};
use crate::chunk::Chunk;
use crate::config::Config;
use crate::message::RequestKind;
use crate::parameters::Deadlines;
use crate::unescape::{first_half, last_half};

/// A turn whose end the host has not had.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) answer: Box<Answer>,
    asked: Duration,
    deadlines: Deadlines,
    /// When the last frame came; `None` before the first.
    heard: Option<Duration>,
    /// How much text has come, in bytes, with the piece that is too much.
    pub(crate) text_len: usize,
    /// The first half of a surrogate pair that the text so far ends with: its other half is to come.
    pub(crate) half: Option<u16>,
}

/// When something that takes `span` from `since` is over; never, when the span is zero (off) or beyond all time.
pub(crate) fn deadline(since: Duration, span: Duration) -> Option<Duration> {
    if span.is_zero() { None } else { since.checked_add(span) }
}

impl Turn {
    pub(crate) fn new(number: u64, request: RequestKind, now: Duration, deadlines: Deadlines) -> Self {
        Turn {
            answer: Box::new(Answer::new(number, request)),
            asked: now,
            deadlines,
            heard: None,
            text_len: 0,
            half: None,
        }
    }

    /// Puts a character together that is split over two frames: `text`, what `chunk` says, gets the half that was held
    /// back before it, and the half that it ends with is held back. On the last frame nothing is.
    pub(crate) fn join_halves(&mut self, chunk: &Chunk<'_>, text: &mut String) {
        let raw = chunk.message.map_or("", |message| message.raw());
        if raw.is_empty() && !chunk.end {
            return;
        }
        let held = self.half.take();
        if !chunk.end {
            self.half = last_half(raw, text);
            if self.half.is_some() {
                text.truncate(text.len() - char::REPLACEMENT_CHARACTER.len_utf8());
            }
        }
        let Some(high) = held else { return };
        match first_half(raw).and_then(|low| char::decode_utf16([high, low]).next()?.ok()) {
            Some(whole) => text.replace_range(..char::REPLACEMENT_CHARACTER.len_utf8(), whole.encode_utf8(&mut [0; 4])),
            None => text.insert(0, char::REPLACEMENT_CHARACTER),
        }
    }

    /// When the next frame is late, and what that is called.
    pub(crate) fn frame_due(&self, config: &Config) -> Option<(Duration, Interruption)> {
        let (since, within, why) = match self.heard {
            None => {
                let within = self.deadlines.first_frame.unwrap_or(config.first_frame);
                (self.asked, within, Interruption::FirstFrameDeadline)
            }
            Some(heard) => {
                let within = self.deadlines.next_frame.unwrap_or(config.next_frame);
                (heard, within, Interruption::NextFrameDeadline)
            }
        };
        deadline(since, within).map(|at| (at, why))
    }

    /// When the whole answer is late, and what that is called.
    pub(crate) fn answer_due(&self, config: &Config) -> Option<(Duration, Interruption)> {
        let within = self.deadlines.answer_within.unwrap_or(config.answer_within);
        deadline(self.asked, within).map(|at| (at, Interruption::AnswerDeadline))
    }

    /// Takes a frame in, and its text where that is the model's. Returns how it ends the answer, if it does.
    #[inline(always)]
    pub(crate) fn take(&mut self, chunk: &Chunk<'_>, text: &str, now: Duration, config: &Config) -> Option<Outcome> {
        self.heard = Some(now);
        let is_notice = is_notice(chunk);
        self.answer.update(chunk, text, is_notice);
        if is_notice {
            return Some(Outcome::Notice);
        }
        self.text_len += text.len();
        if config.max_answer != 0 && self.text_len > config.max_answer {
            return Some(Outcome::Interrupted(Interruption::AnswerTooLong { limit: config.max_answer }));
        }
        if config.keep_text {
            self.answer.text.push_str(text);
        }
        self.answer.chunks += u64::from(!text.is_empty());
        chunk.end.then_some(Outcome::Complete)
    }
}

/// Whether the text is the server's own, not the model's: it is on an end frame that costs nothing (protocol.md,
/// R4.1 and R4.8).
#[inline(always)]
pub(crate) fn is_notice(chunk: &Chunk<'_>) -> bool {
    let costs = || chunk.quota.is_some_and(|quota| quota.value() > 0.0);
    chunk.end && chunk.message.is_some_and(|text| !text.is_empty()) && !costs()
}

/// A stop that was sent: of the running turn, or of one that drains.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    since: Duration,
    /// How many of [`Config::stop_repeats`] are behind it.
    repeats: usize,
}

impl Stop {
    pub(crate) fn new(now: Duration) -> Self {
        Stop { since: now, repeats: 0 }
    }

    /// Whether it was sent more than once.
    pub(crate) fn was_repeated(&self) -> bool {
        self.repeats > 0
    }

    /// When the end is late.
    pub(crate) fn end_due(&self, config: &Config) -> Option<Duration> {
        deadline(self.since, config.after_stop)
    }

    /// When it is to be sent again.
    pub(crate) fn repeat_due(&self, config: &Config) -> Option<Duration> {
        let at = self.since.checked_add(*config.stop_repeats.get(self.repeats)?)?;
        // What has not stopped the turn by its deadline will not.
        Some(at).filter(|at| self.end_due(config).is_none_or(|end| *at < end))
    }

    /// It was sent again. A host that comes late sends one stop, not all that it has missed.
    pub(crate) fn repeated(&mut self, now: Duration, config: &Config) {
        let elapsed = now.saturating_sub(self.since);
        let behind = config.stop_repeats.iter().filter(|after| **after <= elapsed).count();
        self.repeats = behind.max(self.repeats + 1);
    }
}
