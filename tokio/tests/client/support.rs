//! What the tests share.

use std::future::Future;
use std::time::Duration;

use chatnio_loopback::{Ending, Generation, Options, Plan, Server};
use chatnio_tokio::{Answer, Auth, Client, ConnectionConfig, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// No test needs as long: whatever hangs fails.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn serve(change: impl FnOnce(&mut Options)) -> Server {
    let mut options = Options { pace: 0.1, ..Options::new(Generation::G2026) };
    options.plans.insert("one".into(), Plan::text(Duration::ZERO, ["one"]));
    // Never ends by itself within a test.
    let endless = Plan { rounds: 100_000, ..Plan::text(Duration::from_millis(50), ["more "]) };
    options.plans.insert("endless".into(), endless);
    let mute = Plan::text(Duration::ZERO, ["said"]).ending(Ending::Silent);
    options.plans.insert("mute".into(), mute);
    change(&mut options);
    Server::start(options).unwrap()
}

pub(crate) fn config() -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.session.record = true;
    config.connect_retries = 0;
    config.session.first_frame = LONG;
    config.session.next_frame = LONG;
    config
}

pub(crate) async fn connect(server: &Server) -> Client {
    Client::connect(&server.url(), Auth::new("sk-secret-token"), &config()).await.unwrap()
}

/// A client whose connection a relay has opened at the server: the relay's sockets to both, which nothing goes between any more.
pub(crate) async fn relayed(server: &Server, config: &ConnectionConfig) -> (Client, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let address = server.addr();
    let relay = tokio::spawn(async move {
        let (mut inside, _) = listener.accept().await.unwrap();
        let mut outside = TcpStream::connect(address).await.unwrap();
        let mut buffer = [0; 4096];
        let count = inside.read(&mut buffer).await.unwrap();
        outside.write_all(&buffer[..count]).await.unwrap();
        let count = outside.read(&mut buffer).await.unwrap();
        inside.write_all(&buffer[..count]).await.unwrap();
        (inside, outside)
    });
    let client = Client::connect(&url, Auth::anonymous(), config).await.unwrap();
    let (inside, outside) = relay.await.unwrap();
    (client, inside, outside)
}

pub(crate) fn chat(model: &str) -> Request {
    Request::chat("hi").model(model)
}

pub(crate) async fn ask(client: &mut Client, model: &str) -> Box<Answer> {
    client.ask(&chat(model)).await.unwrap().into_answer().await.unwrap()
}

/// Runs a test that must not hang, whatever it does.
pub(crate) async fn bounded<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, test).await.expect("it hangs")
}

/// Waits for what another thread brings about.
pub(crate) async fn until(mut so: impl FnMut() -> bool) {
    bounded(async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}
