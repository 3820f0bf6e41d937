//! `Pieces` and `Events`: an answer as it comes.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use chatnio::{Answer, ClientError, ConnectionEnd};
use futures_core::Stream;

use crate::deputy::Deputy;
use crate::event::Event;
use crate::shared::Handle;
use crate::turn::{Item, Turn};

/// The reader of a turn: dropped before the end, it stops the answer, so that nobody pays for text that was thrown away.
#[derive(Debug)]
struct Reader {
    handle: Handle,
    turn: Arc<Turn>,
    deputy: Deputy,
}

impl Reader {
    fn new(handle: Handle, turn: Arc<Turn>) -> Self {
        Reader { handle, turn, deputy: Deputy::default() }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Item>> {
        loop {
            if let Poll::Ready(item) = self.handle.poll_take(&self.turn, context) {
                return Poll::Ready(item);
            }
            ready!(self.deputy.poll(&self.handle, context));
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.handle.leave(&self.turn);
    }
}

/// The pieces of one answer as they come, by [`Client::ask`](crate::Client::ask); none is empty. At its end the whole
/// [`answer`](Self::answer) is there.
///
/// An answer that did not come to its end yields an error last; what came of it is kept. A notice (the server answered
/// instead of the model) has no pieces: see [`Answer::notice`].
///
/// Dropping it before the end stops the answer at the server. It may outlive the client: the connection is closed when both
/// are gone.
#[derive(Debug)]
pub struct Pieces {
    reader: Reader,
    answer: Option<Box<Answer>>,
    /// Whether that was handed out.
    is_over: bool,
}

impl Pieces {
    pub(crate) fn new(handle: Handle, turn: Arc<Turn>) -> Self {
        Pieces { reader: Reader::new(handle, turn), answer: None, is_over: false }
    }

    /// Waits for the next piece; `None` behind the last. May be dropped and called again: nothing is lost.
    #[allow(clippy::should_implement_trait, reason = "it is the stream's, for those without futures-util")]
    pub async fn next(&mut self) -> Option<Result<String, ClientError>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The whole answer; `None` before its end.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_deref()
    }

    /// Asks the server to end the answer; its end still comes, and with it what the answer cost. Returns whether a stop was
    /// sent: not when it has ended, or had its stop.
    pub fn stop(&self) -> bool {
        self.reader.handle.stop_turn(&self.reader.turn)
    }

    /// Waits for the end and returns the whole answer, whatever its outcome.
    ///
    /// # Errors
    /// [`ClientError`] when there is no answer.
    pub async fn into_answer(mut self) -> Result<Box<Answer>, ClientError> {
        let mut failed = None;
        while let Some(piece) = self.next().await {
            failed = piece.err().or(failed);
        }
        self.answer.take().ok_or_else(|| failed.unwrap_or(ClientError::Ended(ConnectionEnd::Clean)))
    }
}

impl Stream for Pieces {
    type Item = Result<String, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let Poll::Ready(item) = self.reader.poll_next(context) else { return Poll::Pending };
        match item {
            Some(Item::Piece(text)) => Poll::Ready(Some(Ok(text))),
            Some(Item::End(answer, why)) => {
                self.answer = Some(answer);
                self.is_over = true;
                Poll::Ready(why.map(Err))
            }
            Some(Item::Event(_)) | None => {
                self.is_over = true;
                Poll::Ready(None)
            }
        }
    }
}

/// The events of one turn as they come, by [`Client::events`](crate::Client::events), up to its [`Event::End`], which says how
/// the answer ended.
///
/// Dropping it before the end stops the answer at the server, as for [`Pieces`].
#[derive(Debug)]
pub struct Events(Reader);

impl Events {
    pub(crate) fn new(handle: Handle, turn: Arc<Turn>) -> Self {
        Events(Reader::new(handle, turn))
    }

    /// Waits for the next event; `None` behind the end. May be dropped and called again: nothing is lost.
    #[allow(clippy::should_implement_trait, reason = "it is the stream's, for those without futures-util")]
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Asks the server to end the answer: see [`Pieces::stop`].
    pub fn stop(&self) -> bool {
        self.0.handle.stop_turn(&self.0.turn)
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.0.poll_next(context).map(|item| match item {
            Some(Item::Event(event)) => Some(event),
            _ => None,
        })
    }
}
