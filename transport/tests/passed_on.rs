//! What servers and their upstreams do to questions and answers, and the client hands on as it is.

use std::time::Duration;

use chatnio::{Answer, Auth, Client, ConnectionConfig, Interruption, Outcome, Request};
use chatnio_loopback::{Generation, Options, Server};

/// No test needs as long: whatever hangs fails.
const LONG: Duration = Duration::from_secs(60);

fn serve(generation: Generation) -> Server {
    Server::start(Options { pace: 0.0, ..Options::new(generation) }).unwrap()
}

fn connect(server: &Server, auth: Auth) -> Client {
    let mut config = ConnectionConfig::default();
    config.connect_retries = 0;
    config.session.first_frame = LONG;
    config.session.next_frame = LONG;
    Client::connect(&server.url(), auth, &config).unwrap()
}

fn ask(client: &mut Client, question: &Request) -> Box<Answer> {
    client.ask(question).unwrap().into_answer().unwrap()
}

#[test]
fn thinking_comes_as_text_and_a_tool_call_as_none() {
    // protocol.md, R9.3 and R9.4.
    for generation in Generation::ALL {
        let server = serve(generation);
        let mut client = connect(&server, Auth::new("sk-a"));
        // 2023 finds the model's name in the question.
        let thought = ask(&mut client, &Request::chat("@think hi").model("think"));
        assert_eq!(thought.outcome, Some(Outcome::Complete));
        assert_eq!(thought.text, "<think>Hm. A greeting.</think>\n\nHello!");
        let called = ask(&mut client, &Request::chat("@tools hi").model("tools"));
        assert_eq!((called.outcome, &*called.text), (Some(Outcome::Complete), ""));
        assert!(called.quota() > 0.0, "{generation}");
    }
}

#[test]
fn parameters_reach_the_model_as_far_as_its_channel_has_them() {
    // protocol.md, R2.9.
    let server = serve(Generation::G2026);
    let mut client = connect(&server, Auth::new("sk-a"));
    let question = Request::chat("hi").temperature(0.5).top_p(0.25).top_k(3).repetition_penalty(1.5);
    let passed = |client: &mut Client, model: &str| ask(client, &question.clone().model(model)).text.clone();
    assert_eq!(passed(&mut client, "parameters"), "temperature=0.5 top_p=0.25");
    assert_eq!(passed(&mut client, "parameters-o1"), "temperature=1 top_p=0.25");
}

#[test]
fn what_2023_lost_of_a_long_answer_nobody_can_tell() {
    // protocol.md, R3.23.
    let server = serve(Generation::G2023);
    let answer = ask(&mut connect(&server, Auth::new("sk-a")), &Request::chat("@long hi"));
    assert_eq!((answer.outcome, answer.chunks), (Some(Outcome::Complete), 4995));
}

#[test]
fn a_broken_share_is_a_lost_connection_and_a_new_one_works() {
    // protocol.md, R2.28.
    let server = serve(Generation::G2024);
    let hash = server.world().broken_share();
    let question = Request::chat("hi").model("hello");
    let mut client = connect(&server, Auth::new("sk-a").share(&*hash));
    let lost = ask(&mut client, &question);
    assert_eq!(lost.outcome, Some(Outcome::Interrupted(Interruption::ConnectionLost)));
    let mut client = connect(&server, Auth::new("sk-a"));
    client.request(&Request::share(&*hash)).unwrap();
    let lost = ask(&mut client, &question);
    assert_eq!(lost.outcome, Some(Outcome::Interrupted(Interruption::ConnectionLost)));
    client.reconnect().unwrap();
    assert_eq!(ask(&mut client, &question).outcome, Some(Outcome::Complete), "the share is not asked for again");
}
