//! `Turn`: one question and the answer to it, from the request that was sent to the server's end.

use alloc::boxed::Box;
use alloc::string::String;
use core::time::Duration;

use crate::answer::{Answer, Interruption, Outcome};
use crate::chunk::Chunk;
use crate::config::Config;
use crate::message::RequestKind;
use crate::session::State;

/// A turn that the server has not ended.
#[derive(Debug)]
pub(crate) struct Turn {
    number: u64,
    /// `None` once the turn was interrupted: then it only drains.
    answer: Option<Box<Answer>>,
    /// Whether its opener has come.
    opened: bool,
    /// Whether a frame has come, so that `frame_deadline` is the next one's, not the first's.
    answering: bool,
    /// When the next frame is due; `None` when the deadline is off.
    frame_deadline: Option<Duration>,
    stop: Option<Stop>,
    /// How much text has come, in bytes.
    text_len: usize,
}

#[derive(Debug)]
struct Stop {
    since: Duration,
    /// How many of [`Config::stop_repeats`] are behind it.
    repeats: usize,
}

/// What is to be done about a turn now.
pub(crate) enum Due {
    /// It is given up.
    Interruption(Interruption),
    /// Its stop is sent again.
    StopRepeat { turn: u64 },
}

/// What a frame has added to a turn.
pub(crate) struct Absorbed<'a> {
    pub(crate) turn: u64,
    /// The frame's piece of the answer, where it lies in the message as it is.
    pub(crate) plain: Option<&'a str>,
    /// Where the piece begins in the answer's text (or in the scratch space, when no text is kept), otherwise.
    pub(crate) start: usize,
    /// Whether it is the opener and nothing else.
    pub(crate) opened: bool,
    /// How it ends the turn for the host, if it does.
    pub(crate) outcome: Option<Outcome>,
}

/// When something that takes `span` from `since` is over; never, when the span is zero (off) or beyond all time.
pub(crate) fn deadline(since: Duration, span: Duration) -> Option<Duration> {
    if span.is_zero() { None } else { since.checked_add(span) }
}

impl Turn {
    pub(crate) fn new(number: u64, request: RequestKind, now: Duration, config: &Config) -> Self {
        Turn {
            number,
            answer: Some(Box::new(Answer::new(number, request))),
            opened: false,
            answering: false,
            frame_deadline: deadline(now, config.first_frame),
            stop: None,
            text_len: 0,
        }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn answer(&self) -> Option<&Answer> {
        self.answer.as_deref()
    }

    pub(crate) fn state(&self) -> State {
        match self {
            Turn { answer: None, .. } => State::Draining,
            Turn { stop: Some(_), .. } => State::Stopping,
            Turn { answering: true, .. } => State::Answering,
            _ => State::Asking,
        }
    }

    pub(crate) fn is_opened(&self) -> bool {
        self.opened
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_some()
    }

    /// Takes note of the opener; returns whether `chunk` is the first.
    pub(crate) fn open(&mut self, chunk: &Chunk<'_>) -> bool {
        let opens = !self.opened && chunk.opener().is_some();
        self.opened |= opens;
        opens
    }

    /// Takes note that the stop is sent; returns whether it is the first.
    pub(crate) fn begin_stop(&mut self, now: Duration) -> bool {
        let begins = self.stop.is_none();
        if begins {
            self.stop = Some(Stop { since: now, repeats: 0 });
        }
        begins
    }

    /// Ends the turn for the host, once; from then on it only drains.
    pub(crate) fn take_answer(&mut self, outcome: Outcome) -> Option<Box<Answer>> {
        let mut answer = self.answer.take()?;
        answer.outcome = Some(outcome);
        Some(answer)
    }

    pub(crate) fn next_deadline(&self, config: &Config) -> Option<Duration> {
        let interruption = self.interruption_due(config).map(|(at, _)| at);
        [interruption, self.stop_repeat_due(config)].into_iter().flatten().min()
    }

    /// What is due at `now`. That a stop is repeated is noted.
    pub(crate) fn due(&mut self, now: Duration, config: &Config) -> Option<Due> {
        if let Some((_, why)) = self.interruption_due(config).filter(|(at, _)| *at <= now) {
            return Some(Due::Interruption(why));
        }
        self.stop_repeat_due(config).filter(|at| *at <= now)?;
        let stop = self.stop.as_mut()?;
        let elapsed = now.saturating_sub(stop.since);
        // A host that comes late sends one stop, not all that it has missed.
        let behind = config.stop_repeats.iter().filter(|after| **after <= elapsed).count();
        stop.repeats = behind.max(stop.repeats + 1);
        Some(Due::StopRepeat { turn: self.number })
    }

    /// When and why the turn is given up.
    fn interruption_due(&self, config: &Config) -> Option<(Duration, Interruption)> {
        self.answer.as_ref()?;
        let stop = self.stop.as_ref().and_then(|stop| deadline(stop.since, config.after_stop));
        let frame = if self.answering { Interruption::NextFrameDeadline } else { Interruption::FirstFrameDeadline };
        let stop = stop.map(|at| (at, Interruption::AfterStopDeadline));
        let frame = self.frame_deadline.map(|at| (at, frame));
        [stop, frame].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn stop_repeat_due(&self, config: &Config) -> Option<Duration> {
        let stop = self.stop.as_ref()?;
        let at = stop.since.checked_add(*config.stop_repeats.get(stop.repeats)?)?;
        // What has not stopped it by its deadline will not.
        let end = deadline(stop.since, config.after_stop);
        Some(at).filter(|at| end.is_none_or(|end| *at < end))
    }

    /// A message came that could not be read: a hole, but a sign of life.
    pub(crate) fn malformed(&mut self, now: Duration, config: &Config) {
        if let Some(answer) = &mut self.answer {
            answer.malformed += 1;
        }
        if self.answering {
            self.frame_deadline = deadline(now, config.next_frame);
        }
    }

    /// Takes a frame in; `None` when the turn only drains. `scratch` takes an unescaped piece when no text is kept.
    pub(crate) fn absorb<'a>(
        &mut self,
        chunk: &Chunk<'a>,
        now: Duration,
        config: &Config,
        scratch: &mut String,
    ) -> Option<Absorbed<'a>> {
        self.answering = true;
        self.frame_deadline = deadline(now, config.next_frame);
        let answer = self.answer.as_mut()?;

        // Text on an end frame that costs nothing is the server's own, not the model's (protocol.md, section 4).
        let costs = chunk.quota.is_some_and(|quota| quota.value() > 0.0);
        let notice = chunk.message.filter(|text| chunk.end && !costs && !text.is_empty());
        let text = chunk.message.filter(|text| notice.is_none() && !text.is_empty());
        let opened = text.is_none() && answer.conversation.is_none() && chunk.opener().is_some();
        answer.update(chunk, notice);

        let buffer = if config.keep_text {
            &mut answer.text
        } else {
            scratch.clear();
            scratch
        };
        let start = buffer.len();
        let mut plain = text.map_or(Some(""), |text| text.as_plain());
        if let Some(text) = text.filter(|_| config.keep_text || plain.is_none()) {
            text.append_to(buffer);
        }
        self.text_len += plain.map_or(buffer.len() - start, str::len);
        let limit = config.max_answer;
        let outcome = if limit != 0 && self.text_len > limit {
            buffer.truncate(start);
            plain = Some("");
            Some(Outcome::Interrupted(Interruption::AnswerTooLong { limit }))
        } else {
            answer.chunks += u64::from(text.is_some());
            chunk.end.then_some(match notice {
                _ if self.stop.is_some() => Outcome::Stopped,
                Some(_) => Outcome::Notice,
                None => Outcome::Complete,
            })
        };
        Some(Absorbed { turn: self.number, plain, start, opened, outcome })
    }
}
