//! `Pieces`: an answer as it comes.

use std::mem;

use chatnio_core::{Answer, Event};

use super::{Client, ClientError};
use crate::end::ConnectionEnd;

/// The pieces of one answer as they come, by [`Client::ask`]; none is empty. At its end the whole
/// [`answer`](Self::answer) is there.
///
/// [`next_piece`](Self::next_piece) lends each piece and allocates nothing; as an iterator it hands each out owned.
///
/// An answer that did not come to its end yields an error last; what came of it is kept. A notice (the server answered
/// instead of the model) has no pieces: see [`Answer::notice`].
///
/// Dropping it before the end stops the answer, so that nobody pays for text that was thrown away.
#[derive(Debug)]
pub struct Pieces<'c> {
    client: &'c mut Client,
    /// The turn that it waits for; `None` once that has ended.
    turn: Option<u64>,
    answer: Option<Box<Answer>>,
    /// The last piece.
    piece: String,
}

impl<'c> Pieces<'c> {
    pub(super) fn new(turn: Option<u64>, client: &'c mut Client) -> Self {
        Pieces { client, turn, answer: None, piece: String::new() }
    }

    /// Waits for the next piece; `None` behind the last.
    ///
    /// # Errors
    /// Once, when the answer did not come to its end.
    pub fn next_piece(&mut self) -> Result<Option<&str>, ClientError> {
        self.piece.clear();
        while let Some(turn) = self.turn {
            match self.client.next() {
                Ok(Some(Event::Delta { turn: of, text, .. })) if of == turn && !text.is_empty() => {
                    self.piece.push_str(text);
                    break;
                }
                Ok(Some(Event::End(end))) if end.turn() == turn => {
                    self.turn = None;
                    self.piece.push_str(end.text);
                    let outcome = end.answer.outcome;
                    self.answer = Some(end.answer);
                    let why = ClientError::of_outcome(outcome, self.client.shared.lock().connection.end());
                    match why {
                        Some(error) => return Err(error),
                        None => break,
                    }
                }
                Ok(Some(_)) => {}
                // Nothing is lost by that: the next call goes on.
                Err(ClientError::Signal) => return Err(ClientError::Signal),
                over => {
                    self.turn = None;
                    over?;
                }
            }
        }
        Ok(Some(&*self.piece).filter(|piece| !piece.is_empty()))
    }

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
        while self.turn.is_some() {
            failed = self.next_piece().err().or(failed);
        }
        self.answer.take().ok_or_else(|| failed.unwrap_or(ClientError::Ended(ConnectionEnd::Clean)))
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
        match self.next_piece() {
            Ok(Some(_)) => Some(Ok(mem::take(&mut self.piece))),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use chatnio_core::{Auth, Outcome, Request};
    use chatnio_loopback::{Generation, Options, Server};

    use super::*;
    use crate::config::ConnectionConfig;

    #[test]
    fn a_signal_loses_nothing() {
        let server = Server::start(Options::new(Generation::G2026)).unwrap();
        let mut client = Client::connect(&server.url(), Auth::new("sk-any"), &ConnectionConfig::default()).unwrap();
        let mut pieces = client.ask(&Request::chat("hi").model("hello")).unwrap();
        let first = pieces.next_piece().unwrap().map(str::to_owned);
        assert_eq!(first.as_deref(), Some("Hello"));
        for _ in 0..2 {
            // As a wait ends that a signal comes to.
            pieces.client.failed = Some(ClientError::Signal);
            assert!(matches!(pieces.next_piece(), Err(ClientError::Signal)));
            assert!(pieces.answer().is_none());
        }
        pieces.client.failed = None;
        let rest: Vec<String> = pieces.by_ref().map(Result::unwrap).collect();
        assert_eq!(rest.concat(), "! How can I help?");
        assert_eq!(pieces.answer().unwrap().outcome, Some(Outcome::Complete));
    }
}
