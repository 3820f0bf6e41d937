//! What a message from the server means.

use alloc::boxed::Box;
use alloc::string::String;

use super::Session;
use crate::answer::{Answer, Interruption, Outcome};
use crate::backlog::{Backlog, MOST_AT_ONCE};
use crate::chunk::Chunk;
use crate::event::{Event, EventStorage};
use crate::malformed::Malformed;
use crate::openers::Whose;
use crate::state::{Input, State, Tells};
use crate::turn::is_notice;
use crate::unescape::unescape;
use crate::usual::Usual;

impl Session {
    pub(super) fn take_in<'m>(
        &mut self,
        message: &'m str,
        text: &'m mut String,
        quota: &'m mut String,
    ) -> Option<Event<'m>> {
        // What nearly every message is, on a way of its own, so that what is known of it costs nothing.
        let usual = Usual::split(message);
        let holds_half = self.holds_half();
        if let Some(usual) = usual.as_ref().filter(|usual| usual.is_plain && !holds_half) {
            return self.frame(Chunk::of_usual(message, usual), usual.text, quota);
        }
        self.any_message(usual, message, text, quota)
    }

    /// Whether the running answer breaks off in the middle of a character, as far as it has come.
    #[inline(always)]
    fn holds_half(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.half.is_some())
    }

    /// Takes a message while frames wait that came before it.
    #[cold]
    pub(super) fn receive_behind<'m>(&mut self, message: String, storage: &'m mut EventStorage) -> Option<Event<'m>> {
        self.backlog.push(message);
        self.take_waiting(storage)
    }

    /// Takes the next frame that waits.
    #[cold]
    pub(super) fn take_waiting<'m>(&mut self, storage: &'m mut EventStorage) -> Option<Event<'m>> {
        let EventStorage { message, text, quota } = storage;
        self.backlog.pop(message)?;
        self.any_message(Usual::split(message), message, text, quota)
    }

    /// Takes some of the frames that wait, and drops the others: there may be millions. Returns the running turn's answer, if one
    /// of them ends it.
    pub(super) fn take_rest(&mut self) -> Option<Box<Answer>> {
        let mut storage = EventStorage::new();
        let mut ended = None;
        for _ in 0..MOST_AT_ONCE {
            match self.take_waiting(&mut storage) {
                Some(Event::End(end)) => ended = Some(end.answer),
                Some(_) => {}
                None => break,
            }
        }
        self.backlog = Backlog::default();
        ended
    }

    #[inline(never)]
    fn any_message<'m>(
        &mut self,
        usual: Option<Usual<'m>>,
        message: &'m str,
        text: &'m mut String,
        quota: &'m mut String,
    ) -> Option<Event<'m>> {
        let usual = usual.filter(|usual| unescape(usual.text, text).is_some());
        let chunk = match &usual {
            Some(usual) => Chunk::of_usual(message, usual),
            None => match self.decode(message) {
                Ok(chunk) => chunk,
                Err((error, raw)) => return self.malformed(error, Some(raw)),
            },
        };
        if !self.holds_half()
            && let Some(plain) = chunk.plain_text()
        {
            return self.frame(chunk, plain, quota);
        }
        if usual.is_none() {
            chunk.copy_text(text);
        }
        let is_awaited = self.is_awaited();
        if let Some(turn) = &mut self.turn
            && is_awaited
            && self.openers.whose(&chunk) == Whose::Own
            && !is_notice(&chunk)
        {
            turn.join_halves(&chunk, text);
        }
        self.frame(chunk, text, quota)
    }

    /// Decodes the message's first frame, and keeps those behind it. What cannot be read comes with what is wrong with it.
    fn decode<'m>(&mut self, message: &'m str) -> Result<Chunk<'m>, (Malformed, &'m str)> {
        Chunk::decode_any(message).or_else(|error| match Chunk::split_first(message) {
            Some((first, rest)) if rest.starts_with('{') => {
                self.backlog.push(rest.into());
                Chunk::decode_any(first).map_err(|error| (error, first))
            }
            _ => Err((error, message)),
        })
    }

    /// A message of `len` bytes is too long, with those that wait before it.
    #[cold]
    pub(super) fn too_long(&mut self, len: usize) -> Option<Event<'static>> {
        let (len, limit) = (self.backlog.len() + len, self.config.max_message);
        self.count_malformed();
        let end = self.interrupt(Input::TooLong, Interruption::MessageTooLong { limit });
        end.or_else(|| Some(Event::Malformed { error: Malformed::too_long(len, limit), raw: None }))
    }

    #[cold]
    pub(super) fn malformed<'m>(&mut self, error: Malformed, raw: Option<&'m str>) -> Option<Event<'m>> {
        self.go(Input::Unreadable);
        self.count_malformed();
        Some(Event::Malformed { error, raw })
    }

    #[cold]
    #[inline(never)]
    fn count_malformed(&mut self) {
        self.counters.malformed += 1;
        if let Some(turn) = &mut self.turn {
            turn.answer.malformed += 1;
        }
    }

    /// A frame, and its text.
    #[inline(always)]
    fn frame<'m>(&mut self, chunk: Chunk<'m>, text: &'m str, quota: &'m mut String) -> Option<Event<'m>> {
        let whose = self.openers.take(&chunk, self.is_awaited());
        if whose != Whose::Own {
            return self.not_own(whose, chunk, text);
        }
        if let Some(id) = chunk.opener() {
            self.conversation = self.conversation.opened(&self.auth, id);
        }
        let Some(turn) = &mut self.turn else {
            return self.stray(if chunk.end { Input::End } else { Input::Piece }, chunk, text);
        };
        let is_opener = text.is_empty() && chunk.opener().is_some() && turn.answer.conversation.is_none();
        let outcome = turn.take(&chunk, text, self.now, &self.config);
        let input = match outcome {
            None if is_opener => Input::Opener,
            None => Input::Piece,
            Some(Outcome::Interrupted(_)) if !chunk.end => Input::TooLong,
            Some(_) => Input::End,
        };
        if let Some(outcome) = outcome {
            return self.end(input, outcome, chunk, text);
        }
        let number = turn.answer.turn;
        let quota = match chunk.quota {
            Some(quota) => quota,
            None => turn.answer.running_quota(quota),
        };
        match self.go(input).tells {
            Tells::Opened => Some(Event::Opened { turn: number, conversation: self.conversation, quota, chunk }),
            _ => Some(Event::Delta { turn: number, text, quota, chunk }),
        }
    }

    /// The frame that ends the turn for the host.
    #[cold]
    fn end<'m>(&mut self, input: Input, outcome: Outcome, chunk: Chunk<'m>, text: &'m str) -> Option<Event<'m>> {
        let text = if let Outcome::Complete = outcome { text } else { "" };
        let outcome = match outcome {
            Outcome::Complete | Outcome::Notice if self.state == State::Stopping => Outcome::Stopped,
            outcome => outcome,
        };
        self.go(input);
        self.end_turn(outcome, text, Some(chunk))
    }

    #[cold]
    fn not_own<'m>(&mut self, whose: Whose, chunk: Chunk<'m>, text: &'m str) -> Option<Event<'m>> {
        if whose != Whose::OutOfPlace {
            return self.stray(Input::Stray, chunk, text);
        }
        self.forget();
        if self.turn.is_none() {
            return self.stray(Input::OutOfPlace, chunk, text);
        }
        self.go(Input::OutOfPlace);
        self.end_turn(Outcome::Interrupted(Interruption::ProtocolBroken), "", Some(chunk))
    }

    #[cold]
    fn stray<'m>(&mut self, input: Input, chunk: Chunk<'m>, text: &'m str) -> Option<Event<'m>> {
        self.go(input);
        self.counters.strays += 1;
        Some(Event::Stray { text, chunk })
    }
}
