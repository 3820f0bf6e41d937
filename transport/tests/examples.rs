//! The programs in examples/rust do what they say, against the loopback server.

use std::path::Path;
use std::process::{Command, Output};

use chatnio_loopback::{Generation, Options, Server};

/// Runs an example, against a server and with a model. `cargo test` has built it beside this test, unless it was told to build
/// this test alone.
fn output(example: &str, url: &str, model: &str, questions: &[&str]) -> Output {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("examples").join(example);
    assert!(built.exists(), "build the examples first: cargo build -p chatnio --examples");
    let mut command = Command::new(built);
    command.args(questions).env("CHATNIO_URL", url).env("CHATNIO_TOKEN", "sk-x").env("CHATNIO_MODEL", model);
    command.output().unwrap()
}

/// What an example that does its work prints.
fn run(example: &str, url: &str, model: &str, questions: &[&str]) -> String {
    let output = output(example, url, model, questions);
    assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_level_gets_its_answer() {
    for generation in Generation::ALL {
        let server = Server::start(Options { pace: 0.1, ..Options::new(generation) }).unwrap();
        let url = server.url();
        let answer = "Hello! How can I help?";
        assert_eq!(run("ask", &url, "hello", &["@hello"]), format!("{answer}\n"));
        // With its path and without.
        for url in [&*url, url.trim_end_matches("/chat")] {
            assert_eq!(run("own_websocket", url, "anon", &["@anon"]), format!("{answer}\n"));
        }
        let printed = run("event_loop", &url, "anon", &["@anon"; 3]);
        for chat in 0..3 {
            assert!(printed.contains(&format!("{chat}: end, 6 pieces")), "{printed}");
            assert!(printed.contains(&format!("{chat}: the connection was closed")), "{printed}");
        }
    }
}

#[test]
fn a_notice_is_no_answer() {
    let server = Server::start(Options { pace: 0.1, ..Options::new(Generation::G2026) }).unwrap();
    for example in ["ask", "own_websocket", "event_loop"] {
        let output = output(example, &server.url(), "nosuch", &["hi"]);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success() && said.contains("cannot find channel for model nosuch"), "{example}: {said}");
    }
}

#[test]
fn a_program_is_tested_by_transcripts() {
    assert_eq!(run("bot_test", "", "", &[]), "the bot does what it should\n");
}
