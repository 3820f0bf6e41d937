//! What the events that the caller is shown point to.

use chatnio_core::{Answer, Chunk, Event, Outcome};

use crate::event::chatnio_event_kind::*;
use crate::event::{chatnio_answer, chatnio_event};
use crate::failure::of_malformed;
use crate::growing::Target;
use crate::view::chatnio_text;

/// What an event that is shown points to, beside its message and its session.
#[derive(Default)]
pub(crate) struct Kept {
    answer: Option<Box<KeptAnswer>>,
    text: String,
}

struct KeptAnswer {
    shown: chatnio_answer,
    /// What it points to.
    _answer: Box<Answer>,
    _reason: Option<String>,
}

impl Kept {
    /// Lets go of what the last event pointed to.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.answer = None;
        self.text.clear();
    }

    /// About how many bytes it holds.
    pub(crate) fn memory(&self) -> usize {
        let answer = self.answer.as_ref().map_or(0, |kept| size_of::<KeptAnswer>() + kept.shown.text.len);
        answer + self.text.capacity()
    }

    /// Shows an event. What it points to stays where it is until the message, its storage or this changes.
    // What a page loads has it once.
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(crate) fn show(&mut self, target: Target<chatnio_event>, event: Event<'_>) {
        self.clear();
        // Nearly all are.
        if let Event::Delta { turn, text, quota, chunk } = event {
            return target.fill_by(|| chatnio_event::new(CHATNIO_EVENT_DELTA).frame(turn, text, Some(quota), &chunk));
        }
        target.fill(self.show_other(event));
    }

    #[cold]
    fn show_other(&mut self, event: Event<'_>) -> chatnio_event {
        match event {
            Event::Opened { turn, conversation, quota, chunk } => {
                let mut shown = chatnio_event::new(CHATNIO_EVENT_OPENED).frame(turn, "", Some(quota), &chunk);
                shown.text = chatnio_text::ABSENT;
                shown.conversation = conversation.into();
                shown
            }
            Event::Stray { text, chunk } => chatnio_event::new(CHATNIO_EVENT_STRAY).frame(0, text, chunk.quota, &chunk),
            Event::End(end) => {
                let text = chatnio_text::new(end.text);
                let raw = chatnio_text::optional(end.chunk.as_ref().map(Chunk::raw));
                let frame_end = end.chunk.as_ref().is_some_and(|chunk| chunk.end);
                chatnio_event { text, raw, frame_end, ..self.show_end(end.answer) }
            }
            Event::Malformed { error, raw } => {
                let mut shown = chatnio_event::new(CHATNIO_EVENT_MALFORMED);
                shown.raw = chatnio_text::optional(raw);
                shown.status = of_malformed(&error) as i32;
                shown.text = self.keep(error.to_string());
                shown
            }
            Event::StopRepeated { turn } => chatnio_event { turn, ..chatnio_event::new(CHATNIO_EVENT_STOP_REPEATED) },
            Event::KeepAlive => chatnio_event::new(CHATNIO_EVENT_KEEP_ALIVE),
            // Shown before.
            Event::Delta { .. } => chatnio_event::none(),
            _ => chatnio_event::none(),
        }
    }

    /// Shows the end of a turn, as far as its answer tells it.
    pub(crate) fn show_end(&mut self, answer: Box<Answer>) -> chatnio_event {
        let reason = if let Some(Outcome::Interrupted(why)) = answer.outcome { Some(why.to_string()) } else { None };
        let shown = chatnio_answer::new(&answer, reason.as_deref());
        let kept = self.answer.insert(Box::new(KeptAnswer { shown, _answer: answer, _reason: reason }));
        chatnio_event {
            turn: shown.turn,
            text: chatnio_text::new(""),
            quota: shown.quota,
            quota_text: shown.quota_text,
            answer: &raw const kept.shown,
            outcome: shown.outcome,
            interruption: shown.interruption,
            ..chatnio_event::new(CHATNIO_EVENT_END)
        }
    }

    fn keep(&mut self, text: String) -> chatnio_text {
        self.text = text;
        chatnio_text::new(&self.text)
    }

    /// Shows that a connection is open.
    #[cfg(feature = "connection")]
    pub(crate) fn show_open(&mut self) -> chatnio_event {
        self.clear();
        chatnio_event::new(CHATNIO_EVENT_OPEN)
    }

    /// Shows how a connection has ended.
    #[cfg(feature = "connection")]
    pub(crate) fn show_closed(&mut self, end: &chatnio_transport::ConnectionEnd) -> chatnio_event {
        self.clear();
        let mut shown = chatnio_event::new(CHATNIO_EVENT_CLOSED);
        shown.status = crate::failure::of_end(end) as i32;
        shown.code = end.code().unwrap_or_default().into();
        shown.text = self.keep(end.to_string());
        shown
    }
}
