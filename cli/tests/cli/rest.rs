//! The commands that make companion calls.

use std::fs;

use chatnio_loopback::{Certificate, Fault, Generation, Message, Options, Server, closed_port};

use crate::process::{Directory, KEY, ask, chatnio, run, run_with, server, server_with};

/// A command to this server with a key.
fn rest(server: &Server, arguments: &[&str]) -> std::process::Command {
    let mut command = chatnio(arguments.iter().copied());
    command.args(["--url", &server.url(), "--token", KEY]);
    command
}

fn with_faults(faults: &[Fault]) -> Server {
    server_with(Options { faults: faults.to_vec(), ..Options::default() })
}

fn store(server: &Server, question: &str) -> i64 {
    let message = |role: &str, content: &str| Message { role: role.to_owned(), content: content.to_owned() };
    server.world().store(KEY, "hello", vec![message("user", question), message("assistant", "Hello!\n")])
}

#[test]
fn the_embedded_server_has_something_to_list_and_to_continue() {
    let ended = run(&mut chatnio(["conversations"])).with(0);
    assert!(ended.stderr.contains("embedded loopback server at ws://127.0.0.1:"), "{ended:?}");
    let ids: Vec<&str> = ended.stdout.lines().skip(1).map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(ids, ["2", "1"]);
    let check = run(&mut chatnio(["check"])).with(0);
    assert_eq!(check.stdout, "the key of user root is good, with a quota of 500\n");
    let asked = run(&mut chatnio(["ask", "--conversation", ids[0], "and?"])).with(0);
    assert!(!asked.stderr.contains("new conversation"), "{asked:?}");
}

#[test]
fn conversations_are_listed_shown_continued_and_deleted() {
    let server = server();
    run(&mut ask(&server, "hello")).with(0);
    store(&server, "two\nlines \u{1b}[31m");
    let list = run(&mut rest(&server, &["conversations"])).with(0);
    assert_eq!((list.stdout.as_str(), list.stderr.as_str()), ("ID  NAME\n 2  two lines [31m\n 1  hi\n", ""));
    let show = run(&mut rest(&server, &["show", "1"])).with(0);
    assert_eq!(show.stdout, "conversation 1: hi\n\nuser:\nhi\n\nassistant:\nHello! How can I help?\n");
    let json = run(&mut rest(&server, &["show", "2", "--json"])).with(0);
    assert!(json.stdout.starts_with(r#"{"id":2,"name":"two\nlines \u001b[31m","model":"hello","messages":[{"role":"#));
    run(ask(&server, "hello").args(["--conversation", "2"])).with(0);
    assert_eq!(server.world().messages(KEY, 2).unwrap().len(), 4);

    assert!(run_with(&mut rest(&server, &["delete", "1"]), b"y\n").with(2).stderr.contains("--yes"));
    assert_eq!(server.world().conversations(KEY), [1, 2]);
    run(&mut rest(&server, &["delete", "1", "--yes"])).with(0);
    assert_eq!(run(&mut rest(&server, &["delete", "2", "--yes", "--json"])).with(0).stdout, "{\"deleted\":2}\n");
    assert_eq!(run(&mut rest(&server, &["conversations"])).with(0).stdout, "ID  NAME\n");
    assert_eq!(run(&mut rest(&server, &["conversations", "--json"])).with(0).stdout, "[]\n");
    for command in ["show", "delete"] {
        let yes = (command == "delete").then_some("--yes");
        let gone = run(rest(&server, &[command, "1"]).args(yes)).with(3);
        assert!(gone.stderr.contains("conversation not found") && gone.stderr.contains("chatnio conversations"));
    }
}

#[test]
fn quota_and_models_are_told() {
    let server = server();
    assert_eq!(run(&mut rest(&server, &["quota"])).with(0).stdout, "500\n");
    assert_eq!(run(&mut rest(&server, &["quota", "--json"])).with(0).stdout, "{\"quota\":500.0}\n");
    let models = run(&mut rest(&server, &["models"])).with(0).stdout;
    assert!(models.contains("\nhello          0.01 in, 0.03 out, for 1000 tokens\n"), "{models}");
    let json = run(&mut rest(&server, &["models", "--json"])).with(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json[0]["id"], &json[0]["charge"]["type"]), (&"anon".into(), &"token-billing".into()));
    // No key is needed, and the oldest servers have no prices.
    let old = server_with(Options::new(Generation::G2023));
    let models = run(&mut chatnio(["models", "--url", &old.url()])).with(0).stdout;
    assert!(models.starts_with("MODEL          PRICE\nanon\n"), "{models}");
}

#[test]
fn check_tells_a_good_key_from_a_bad_one() {
    let server = server_with(Options { bad_keys: vec![KEY.into()], ..Options::default() });
    let bad = run(&mut rest(&server, &["check"])).with(3);
    assert!(bad.stderr.contains("does not accept the key") && bad.stderr.contains("CHATNIO_TOKEN"), "{bad:?}");
    let json = run(&mut rest(&server, &["check", "--json"])).with(3);
    assert!(json.stdout.starts_with(r#"{"error":"bad_key","good":false,"words":"Access denied."#), "{json:?}");
    assert!(!format!("{bad:?}{json:?}").contains("0123456789"));
    let none = run(&mut chatnio(["check", "--url", &server.url()])).with(3);
    assert!(none.stderr.contains("needs a key"), "{none:?}");
    let good = run(&mut chatnio(["check", "--json", "--url", &server.url(), "--token", "sk-other"])).with(0);
    assert_eq!(good.stdout, "{\"good\":true,\"quota\":500.0,\"user\":\"root\"}\n");
}

#[test]
fn every_fault_has_its_status_and_says_what_to_do() {
    for (fault, status, words) in [
        (Fault::Throttled, 4, "wait a second"),
        (Fault::BadKey, 3, "does not accept the key"),
        (Fault::BlackListed, 3, "20 minutes"),
        (Fault::BadGateway, 4, "HTTP 502"),
    ] {
        let ended = run(&mut rest(&with_faults(&[fault]), &["quota"])).with(status);
        assert!(ended.stderr.contains(words) && ended.stdout.is_empty(), "{ended:?}");
    }
    let page = with_faults(&[Fault::WebPage]);
    let at = |path: &str| format!("ws://{}{path}", page.addr());
    let lost = run(&mut chatnio(["quota", "--url", &at(""), "--token", KEY])).with(2);
    assert!(lost.stderr.contains("/api"), "{lost:?}");
    run(&mut chatnio(["quota", "--url", &at("/api"), "--token", KEY])).with(0);

    let closed = format!("ws://{}", closed_port());
    let ended = run(&mut chatnio(["quota", "--url", &closed, "--token", KEY])).with(4);
    assert!(ended.stderr.contains("cannot connect to 127.0.0.1 port"), "{ended:?}");
    let plain = run(&mut chatnio(["quota", "--url", "ws://h.invalid", "--token", KEY])).with(2);
    assert!(plain.stderr.contains("--allow-token-over-plain-ws"), "{plain:?}");
}

#[test]
fn certificates_are_those_of_the_chat() {
    let directory = Directory::new("rest-tls");
    let server = server_with(Options { tls: Some(Certificate::Valid), ..Options::default() });
    let root = directory.file("root.pem");
    fs::write(&root, server.ca_pem().unwrap()).unwrap();
    let untrusted = run(&mut rest(&server, &["quota"])).with(4);
    assert!(untrusted.stderr.contains("--ca-file"), "{untrusted:?}");
    run(&mut rest(&server, &["quota", "--ca-file", &root])).with(0);
}

#[test]
fn serve_has_the_faults_too() {
    let mut serve =
        crate::process::Running::start(&mut chatnio(["serve", "--fault", "throttled", "--fault", "two-objects"]));
    let url = serve.stdout_until("\n").trim().to_owned();
    let ended = run(&mut chatnio(["quota", "--url", &url, "--token", KEY])).with(4);
    assert!(ended.stderr.contains("throttles"), "{ended:?}");
}
