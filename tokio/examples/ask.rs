//! Asks one question and prints the answer as it comes, on tokio. Ctrl-C stops the answer.
//!
//! `CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... cargo run -p chatnio-tokio --example tokio_ask -- "hi"`

use chatnio_tokio::{Auth, Client, ConnectionConfig, Request};
use std::env::var;
use std::io::Write;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [question] = arguments.as_slice() else {
        return Err("usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... tokio_ask QUESTION".into());
    };
    let url = var("CHATNIO_URL").unwrap_or_else(|_| "ws://127.0.0.1:8094".into());
    let auth = var("CHATNIO_TOKEN").map_or_else(|_| Auth::anonymous(), Auth::new);
    let mut request = Request::chat(question);
    if let Ok(model) = var("CHATNIO_MODEL") {
        request = request.model(model);
    }

    let mut client = Client::connect(&url, auth, &ConnectionConfig::default()).await?;
    let mut pieces = client.ask(&request).await?;
    let stopper = client.stopper();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            stopper.stop();
        }
    });
    while let Some(piece) = pieces.next().await {
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
    client.close().await?;
    Ok(())
}
