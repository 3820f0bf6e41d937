//! The blocking client against every server that does one thing wrong, plain and over TLS: what the caller gets is what
//! `loopback/faults.tsv` says.
//!
//! `FAULTS=NAME,NAME` tries some of them alone.

mod table;

use chatnio::{Auth, Client, Request};
use chatnio_loopback::faults::{FaultServer, Row};

use table::{Seen, config};

/// A row's questions, each to its end.
fn ask(row: &Row) -> Seen {
    let server = FaultServer::start(&row.fault, row.tls).unwrap();
    let mut connected = None;
    Seen::of(row, |text| {
        let client = match &mut connected {
            Some(client) => client,
            None => {
                let config = config(row, server.ca_pem());
                connected.insert(Client::connect(&server.url(), Auth::new("sk-secret"), &config)?)
            }
        };
        let mut pieces = client.ask(&Request::chat("hi"))?;
        for piece in pieces.by_ref() {
            *text += &piece?;
        }
        pieces.into_answer()
    })
}

#[test]
fn a_caller_gets_what_the_table_says() {
    table::compare(ask);
}
