//! Asks one question and prints the answer as it comes, with the blocking client.
//!
//! `cargo run -p chatnio --example ask -- wss://api.chatnio.net sk-... gpt-4 "hi"`

use chatnio::{Auth, Client, ConnectionConfig, Request};
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, model, question] = arguments.as_slice() else {
        return Err("usage: ask URL TOKEN|anonymous MODEL QUESTION".into());
    };

    let mut client = Client::connect(url, Auth::new(token), &ConnectionConfig::default())?;
    let mut pieces = client.ask(&Request::chat(question).model(model))?;
    for piece in &mut pieces {
        print!("{}", piece?);
        std::io::stdout().flush()?;
    }
    println!();

    if let Some(answer) = pieces.answer() {
        if let Some(notice) = &answer.notice {
            eprintln!("the server says: {notice}");
        }
        eprintln!("quota {}", answer.quota_text());
    }
    Ok(())
}
