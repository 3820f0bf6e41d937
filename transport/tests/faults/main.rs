//! The blocking client against every server that does one thing wrong, plain and over TLS: what the caller gets is what
//! `loopback/faults.tsv` says.
//!
//! `FAULTS=NAME,NAME` tries some of them alone.

mod table;

use chatnio::{Auth, Client, Request};
use chatnio_loopback::faults::{FaultServer, Row};

use table::{Seen, config};

/// One question, to its end.
fn ask(row: &Row) -> Seen {
    let server = FaultServer::start(&row.fault, row.tls).unwrap();
    Seen::of(row, |text| {
        let mut client = Client::connect(&server.url(), Auth::new("sk-secret"), &config(&row.by, server.ca_pem()))?;
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
