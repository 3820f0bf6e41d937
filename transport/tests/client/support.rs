//! What the tests share.

use std::time::Duration;

use chatnio::{Answer, Auth, Client, ConnectionConfig, Request};
use chatnio_loopback::{Ending, Generation, Options, Plan, Server};

/// No test needs as long: whatever hangs fails.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn serve(change: impl FnOnce(&mut Options)) -> Server {
    let mut options = Options { pace: 0.1, ..Options::new(Generation::G2026) };
    options.plans.insert("one".into(), Plan::text(Duration::ZERO, ["one"]));
    // Never ends by itself within a test.
    options
        .plans
        .insert("endless".into(), Plan { rounds: 100_000, ..Plan::text(Duration::from_millis(50), ["more "]) });
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

pub(crate) fn connect(server: &Server) -> Client {
    Client::connect(&server.url(), Auth::new("sk-secret-token"), &config()).unwrap()
}

pub(crate) fn chat(model: &str) -> Request {
    Request::chat("hi").model(model)
}

pub(crate) fn ask(client: &mut Client, model: &str) -> Box<Answer> {
    client.ask(&chat(model)).unwrap().into_answer().unwrap()
}
