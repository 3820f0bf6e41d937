//! `Pieces`: an answer as it comes.

use chatnio_core::{Answer, Event, Outcome};

use super::{Client, ClientError};
use crate::connection::ConnectionEnd;

/// The pieces of one answer as they come, by [`Client::ask`]; each is owned and not empty. At its end the whole
/// [`answer`](Self::answer) is there.
///
/// An answer that did not come to its end yields an error last; what came of it is kept. A notice (the server answered
/// instead of the model) has no pieces: see [`Answer::notice`].
///
/// Dropping it before the end stops the answer, so that nobody pays for text that was thrown away.
#[derive(Debug)]
pub struct Pieces<'c> {
    pub(super) client: &'c mut Client,
    /// The turn that it waits for; `None` once that has ended.
    pub(super) turn: Option<u64>,
    pub(super) answer: Option<Box<Answer>>,
}

impl Pieces<'_> {
    /// The whole answer; `None` before its end.
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_deref()
    }

    /// Waits for the end and returns the whole answer, whatever its outcome.
    ///
    /// # Errors
    /// [`ClientError`] when there is no answer.
    pub fn into_answer(mut self) -> Result<Box<Answer>, ClientError> {
        let mut failed = None;
        for piece in self.by_ref() {
            failed = piece.err().or(failed);
        }
        self.answer.take().ok_or_else(|| failed.unwrap_or(ClientError::Ended(ConnectionEnd::Clean)))
    }

    /// Why the answer did not come to its end, if it did not.
    fn interruption(&self, outcome: Option<Outcome>) -> Option<ClientError> {
        let Some(Outcome::Interrupted(why)) = outcome else { return None };
        // If the connection was the reason, it knows more.
        Some(match self.client.shared.lock().connection.end() {
            None | Some(ConnectionEnd::Clean) => ClientError::Interrupted(why),
            Some(end) => ClientError::Ended(end.clone()),
        })
    }
}

impl Drop for Pieces<'_> {
    fn drop(&mut self) {
        if self.turn.is_some() {
            self.client.abandoned = true;
            let _ = self.client.stop();
        }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Result<String, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(turn) = self.turn {
            let (piece, answer) = match self.client.next() {
                Ok(Some(Event::Delta { turn: of, text, .. })) if of == turn => (text.to_owned(), None),
                Ok(Some(Event::End(end))) if end.turn() == turn => (end.text().to_owned(), Some(end.answer)),
                Ok(Some(_)) => continue,
                over => {
                    self.turn = None;
                    return over.err().map(Err);
                }
            };
            if let Some(answer) = answer {
                self.turn = None;
                let outcome = answer.outcome;
                self.answer = Some(answer);
                if piece.is_empty() {
                    return self.interruption(outcome).map(Err);
                }
            }
            if !piece.is_empty() {
                return Some(Ok(piece));
            }
        }
        None
    }
}
