//! The blocking level.

use std::hint::black_box;

use chatnio::{Auth, Client, Event, Request};

use crate::ours::connection::config;

/// A client that is connected; with TLS, one that trusts this certificate.
pub struct Connected(Client);

impl Connected {
    /// Connects.
    pub fn new(url: &str, ca: Option<&str>) -> Self {
        Connected(Client::connect(url, Auth::anonymous(), &config(ca)).expect("a connection"))
    }

    /// Asks, and takes the answer event by event; how many pieces it had.
    pub fn events(&mut self, question: &str) -> usize {
        self.0.request(&Request::chat(question)).expect("an idle client");
        let mut pieces = 0;
        while let Some(event) = self.0.next().expect("an answer") {
            match event {
                Event::Delta { text, .. } => {
                    black_box(text);
                    pieces += 1;
                }
                Event::End(_) => break,
                _ => {}
            }
        }
        pieces
    }

    /// Asks, and takes the answer piece by piece; how many it had.
    pub fn pieces(&mut self, question: &str) -> usize {
        let mut pieces = self.0.ask(&Request::chat(question)).expect("an idle client");
        let mut count = 0;
        while let Some(piece) = pieces.next_piece().expect("a piece") {
            black_box(piece);
            count += 1;
        }
        count
    }
}
