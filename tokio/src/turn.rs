//! `Turn`: one question, and what has come of it that nobody has taken yet.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use chatnio::{Answer, ClientError, ConnectionEnd};

use crate::event::Event;

/// How many events may wait for a slow reader, and of how many bytes of the server's, before the socket is read no further.
const MOST_EVENTS: usize = 4096;
const MOST_BYTES: usize = 4 << 20;

/// What the reader of a turn takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    Pieces,
    Events,
}

/// What the connection and the reader of a turn share.
#[derive(Debug)]
pub(crate) struct Turn {
    wants: Wants,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    items: VecDeque<Item>,
    /// Of how many bytes of the server's they are.
    bytes: usize,
    /// Whether its end has come.
    is_over: bool,
    /// Whether nobody wants it any more.
    is_left: bool,
    /// Whether the socket is not read because of it.
    is_full: bool,
    reader: Option<Waker>,
}

/// What a reader takes.
#[derive(Debug)]
pub(crate) enum Item {
    Piece(String),
    /// The end, for who takes pieces: why it was none, if it was none.
    End(Box<Answer>, Option<ClientError>),
    Event(Event),
}

impl Turn {
    pub(crate) fn new(wants: Wants) -> Self {
        Turn { wants, inside: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event of the connection's in; `end` is how that has ended, if it has. While it `closes` nobody wants pieces.
    pub(crate) fn add(&self, event: chatnio::Event<'_>, end: Option<&ConnectionEnd>, closes: bool) {
        let mut inside = self.lock();
        if inside.is_over {
            return;
        }
        let is_end = matches!(event, chatnio::Event::End(_));
        inside.is_over = is_end;
        if inside.is_left || (closes && !is_end) {
            return;
        }
        match (self.wants, event) {
            (Wants::Pieces, chatnio::Event::Delta { text, .. }) => inside.piece(text),
            (Wants::Pieces, chatnio::Event::End(last)) => {
                inside.piece(last.text);
                let why = ClientError::of_outcome(last.answer.outcome, end);
                inside.items.push_back(Item::End(last.answer, why));
            }
            (Wants::Pieces, _) => {}
            (Wants::Events, event) => {
                if let Some(event) = Event::from_borrowed(event) {
                    inside.bytes += event.len();
                    inside.items.push_back(Item::Event(event));
                }
            }
        }
        if !inside.items.is_empty() {
            inside.wake();
        }
    }

    /// Whether so much waits for the reader that no more is to be read. Once it is, it is until the reader has taken all.
    pub(crate) fn is_full(&self) -> bool {
        let mut inside = self.lock();
        let is_much = inside.items.len() >= MOST_EVENTS || inside.bytes >= MOST_BYTES;
        inside.is_full |= is_much && !inside.is_over;
        inside.is_full
    }

    /// Lets the socket be read whatever waits: what is behind that is wanted.
    pub(crate) fn resume(&self) {
        let mut inside = self.lock();
        inside.is_full = false;
        // Its deadlines may have moved.
        inside.wake();
    }

    /// Takes what comes next, and whether the socket may be read on; nothing behind the end.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>) -> Poll<(Option<Item>, bool)> {
        let mut inside = self.lock();
        let item = inside.items.pop_front();
        if item.is_none() && !inside.is_over {
            match &mut inside.reader {
                Some(reader) => reader.clone_from(context.waker()),
                reader => *reader = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        if inside.items.is_empty() {
            inside.bytes = 0;
        }
        let goes_on = inside.is_full && inside.items.is_empty();
        inside.is_full &= !goes_on;
        Poll::Ready((item, goes_on))
    }

    /// Nobody wants what still comes.
    pub(crate) fn leave(&self) {
        let mut inside = self.lock();
        inside.is_left = true;
        inside.is_full = false;
        inside.items = VecDeque::new();
    }

    /// Whether its end has come; the reader may not have had it.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().is_over
    }

    /// Whether it was left, and its end has not come.
    pub(crate) fn is_draining(&self) -> bool {
        let inside = self.lock();
        inside.is_left && !inside.is_over
    }
}

impl Inside {
    fn piece(&mut self, text: &str) {
        if !text.is_empty() {
            self.bytes += text.len();
            self.items.push_back(Item::Piece(text.to_owned()));
        }
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}
