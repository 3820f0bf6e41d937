//! The examples do what they say.

use std::path::Path;
use std::process::Command;

use crate::support::serve;

/// Runs an example, and gives what it printed. `cargo test` has built it beside this test, unless it was told to build
/// this test alone.
fn run(example: &str, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("examples").join(example);
    assert!(built.exists(), "build the examples first: cargo build -p chatnio-tokio --examples");
    let output = Command::new(built).args(arguments).envs(environment.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn one_question_is_answered() {
    let server = serve(|_| ());
    let url = server.url();
    let environment = [("CHATNIO_URL", &*url), ("CHATNIO_TOKEN", "sk-x"), ("CHATNIO_MODEL", "hello")];
    assert_eq!(run("tokio_ask", &["hi"], &environment), "Hello! How can I help?\n");
}

#[test]
fn a_thousand_chats_are_answered() {
    let printed = run("thousand", &[], &[]);
    assert!(printed.starts_with("1000 of 1000 answers are complete: 6000 pieces in "), "{printed}");
}
