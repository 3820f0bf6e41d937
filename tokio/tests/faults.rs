//! The client against every server that does one thing wrong, as the blocking client is tried.
//!
//! `FAULTS=NAME,NAME` tries some of them alone.

#[path = "../../transport/tests/faults/table.rs"]
mod table;

use chatnio_loopback::faults::{FaultServer, Row};
use chatnio_tokio::{Auth, Client, Request};

use table::{Seen, config};

/// A row's questions, each to its end.
fn ask(row: &Row) -> Seen {
    let server = FaultServer::start(&row.fault, row.tls).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut connected = None;
    Seen::of(row, |text| {
        runtime.block_on(async {
            let client = match &mut connected {
                Some(client) => client,
                None => {
                    let config = config(row, server.ca_pem());
                    connected.insert(Client::connect(&server.url(), Auth::new("sk-secret"), &config).await?)
                }
            };
            let mut pieces = client.ask(&Request::chat("hi")).await?;
            while let Some(piece) = pieces.next().await {
                *text += &piece?;
            }
            pieces.into_answer().await
        })
    })
}

#[test]
fn a_caller_gets_what_the_table_says() {
    table::compare(ask);
}
