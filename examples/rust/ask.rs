//! Asks one question and prints the answer as it comes, with the blocking client.
//!
//! `CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... cargo run -p chatnio --example ask -- "hi"`

use chatnio::{Auth, Client, ConnectionConfig, Request};
use std::env::var;
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [question] = arguments.as_slice() else {
        return Err("usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... ask QUESTION".into());
    };
    let url = var("CHATNIO_URL").unwrap_or_else(|_| "ws://127.0.0.1:8094".into());
    let auth = var("CHATNIO_TOKEN").map_or_else(|_| Auth::anonymous(), Auth::new);
    let mut request = Request::chat(question);
    if let Ok(model) = var("CHATNIO_MODEL") {
        request = request.model(model);
    }

    let mut client = Client::connect(&url, auth, &ConnectionConfig::default())?;
    let mut pieces = client.ask(&request)?;
    for piece in &mut pieces {
        print!("{}", piece?);
        std::io::stdout().flush()?;
    }
    println!();

    if let Some(answer) = pieces.answer() {
        eprintln!("quota {}", answer.quota_text());
        if let Some(notice) = &answer.notice {
            return Err(format!("the server says: {notice}").into());
        }
    }
    Ok(())
}
