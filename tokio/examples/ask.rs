//! Asks one question, and shows the answer as it comes. Ctrl-C stops it.
//!
//!     cargo run -p chatnio-tokio --example tokio_ask -- wss://api.chatnio.net sk-... gpt-4 "hi"

use std::error::Error;
use std::io::Write;

use chatnio_tokio::{Auth, Client, ConnectionConfig, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, model, question] = arguments.as_slice() else {
        return Err("usage: tokio_ask URL TOKEN MODEL QUESTION".into());
    };
    let mut client = Client::connect(url, Auth::new(token), &ConnectionConfig::default()).await?;
    let mut pieces = client.ask(&Request::chat(question).model(model)).await?;
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
    // Out of quota, unknown model, ...: the server answers instead of the model.
    if let Some(notice) = pieces.answer().and_then(|answer| answer.notice.as_ref()) {
        eprintln!("{notice}");
    }
    client.close().await?;
    Ok(())
}
