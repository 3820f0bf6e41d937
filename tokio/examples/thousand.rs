//! A thousand chats at once, on one thread, with a server that the program starts itself.
//!
//!     cargo run -p chatnio-tokio --example thousand

use std::error::Error;
use std::time::{Duration, Instant};

use chatnio_loopback::{Generation, Options, Server};
use chatnio_tokio::{Auth, Client, ClientError, ConnectionConfig, Outcome, Request};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const CHATS: usize = 1000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Both ends of each connection are here, and the server holds its own twice.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let server = Server::start(Options::new(Generation::G2026))?;
    let url: &'static str = server.url().leak();
    let barrier: &'static Barrier = Box::leak(Box::new(Barrier::new(CHATS)));
    let started = Instant::now();
    let mut chats = JoinSet::new();
    for number in 0..CHATS {
        chats.spawn(chat(url, number, barrier));
    }
    let (mut complete, mut pieces) = (0, 0);
    while let Some(done) = chats.join_next().await {
        let (outcome, count) = done??;
        complete += usize::from(outcome == Some(Outcome::Complete));
        pieces += count;
    }
    println!("{complete} of {CHATS} answers are complete: {pieces} pieces in {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

async fn chat(url: &str, number: usize, barrier: &Barrier) -> Result<(Option<Outcome>, usize), ClientError> {
    let mut config = ConnectionConfig::default();
    // The server is one process with a thread for each.
    config.connect = Duration::from_secs(60);
    config.handshake = Duration::from_secs(60);
    let mut client = Client::connect(url, Auth::new(format!("sk-{number}")), &config).await?;
    // All are connected before the first one asks.
    barrier.wait().await;
    let mut pieces = client.ask(&Request::chat("hi").model("hello")).await?;
    let mut count = 0;
    while let Some(piece) = pieces.next().await {
        piece?;
        count += 1;
    }
    let outcome = pieces.answer().and_then(|answer| answer.outcome);
    client.close().await?;
    Ok((outcome, count))
}
