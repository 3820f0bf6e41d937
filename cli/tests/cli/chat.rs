//! A chat by a pipe.

use std::process::{Command, Stdio};
use std::time::Duration;

use chatnio_loopback::{Generation, Options, Plan, Server};

use crate::process::{KEY, Running, chatnio, gated, relay, run_with, server, server_with};

const HELLO: &str = "Hello! How can I help?\n";

fn chat(server: &Server, model: &str) -> Command {
    let mut command = chatnio(["chat", "--url", &server.url(), "--token", KEY, "--model", model, "--timeout", "20"]);
    command.stdin(Stdio::piped());
    command
}

#[test]
fn questions_are_answered_one_after_the_other_in_one_conversation() {
    for generation in Generation::ALL {
        let server = server_with(Options::new(generation));
        let ended = run_with(&mut chat(&server, "hello"), "one\n\n  two\n/restart\nlast".as_bytes()).with(0);
        assert_eq!(ended.stdout, HELLO.repeat(4));
        assert_eq!(ended.stderr.matches("cost: ").count(), 4, "{ended:?}");
        let messages = server.world().messages(KEY, 1).unwrap();
        let questions: Vec<_> =
            messages.iter().filter(|message| message.role == "user").map(|message| message.content.as_str()).collect();
        assert_eq!(questions, ["one", "  two", "last"]);
        assert_eq!(server.stats().connections, 1);
    }
}

#[test]
fn stop_is_taken_while_an_answer_runs_and_other_lines_wait() {
    let server = gated(Generation::G2026);
    let mut running = Running::start(&mut chat(&server, "gated"));
    running.write(b"one\n");
    running.stdout_until("first");
    running.write(b"/stop\n/model hello\ntwo\n");
    let text = running.stdout_until(HELLO);
    assert_eq!(text, format!("first\n{HELLO}"));
    running.write(b"/model\n");
    running.stderr_until("model: hello");
    running.write(b"/stop\n");
    running.stderr_until("no answer is running");
    let ended = running.end().with(0);
    assert_eq!(ended.stderr.matches("note: stopped\ncost: ").count(), 1, "{ended:?}");
}

#[test]
fn a_stop_is_for_the_answer_of_the_question_before_it() {
    let mut options = Options::default();
    options.plans.insert("slow".to_owned(), Plan::text(Duration::from_millis(100), ["a", "b", "c"]));
    let mut gated = Plan::text(Duration::ZERO, ["first", "never"]);
    gated.pieces[1].0 = Duration::from_secs(3600);
    options.plans.insert("gated".to_owned(), gated);
    let server = server_with(options);
    let ended = run_with(&mut chat(&server, "slow"), b"one\n/model gated\ntwo\n/stop\n/model hello\nthree\n").with(0);
    // A stop that comes before the first piece leaves none.
    assert!([format!("abc\nfirst\n{HELLO}"), format!("abc\n{HELLO}")].contains(&ended.stdout), "{ended:?}");
    assert_eq!(ended.stderr.matches("note: stopped").count(), 1, "{ended:?}");
}

#[test]
fn a_stop_is_taken_behind_lines_that_ask_nothing() {
    let server = gated(Generation::G2026);
    let mut running = Running::start(&mut chat(&server, "gated"));
    running.write(b"one\n");
    running.stdout_until("first");
    running.write(b"\n/model hello\n/help\n/no such\n/stop\ntwo\n");
    running.stdout_until(HELLO);
    let ended = running.end().with(2);
    assert_eq!(ended.stderr.matches("note: stopped\ncost: ").count(), 1, "{ended:?}");
    assert!(!ended.stderr.contains("no answer is running"), "{ended:?}");
}

#[test]
fn quit_ends_it_and_nothing_behind_is_asked() {
    let server = server();
    let ended = run_with(&mut chat(&server, "hello"), b"one\n/help\n/quit now\n/exit\ntwo\n").with(2);
    assert_eq!(ended.stdout, HELLO);
    assert!(ended.stderr.contains("/quit takes nothing behind it"), "{ended:?}");
    assert!(ended.stderr.contains("/restart "), "{ended:?}");
    assert_eq!(server.stats().requests, 1);
}

#[test]
fn what_makes_no_sense_is_said_and_the_chat_goes_on() {
    let server = server();
    let ended = run_with(&mut chat(&server, "hello"), b"/restart\n/what is it\ncaf\xe9\n /stops at?\n").with(2);
    assert_eq!(ended.stdout, HELLO);
    for says in ["error: ", "/what: no such command", "not valid UTF-8"] {
        assert!(ended.stderr.contains(says), "{ended:?}");
    }
    assert_eq!(server.world().messages(KEY, 1).unwrap()[0].content, " /stops at?");
}

#[test]
fn the_highest_status_of_several_turns_counts() {
    let server = server();
    let ended = run_with(&mut chat(&server, "hello"), b"one\n/model err\ntwo\n/model hello\nthree\n").with(3);
    assert_eq!(ended.stdout, HELLO.repeat(2));
    assert!(ended.stderr.contains("notice: bad thing happened"), "{ended:?}");
}

#[test]
fn a_lost_connection_is_made_anew_in_the_same_conversation() {
    let server = server();
    let ended = run_with(&mut chat(&server, "drop"), b"one\n/model hello\ntwo\n/restart\n").with(4);
    assert_eq!(ended.stdout, format!("Hello! How\n{HELLO}{HELLO}"));
    assert!(ended.stderr.contains("interrupted: the connection was lost"), "{ended:?}");
    assert!(ended.stderr.contains("connecting anew, in the same conversation"), "{ended:?}");
    assert_eq!((server.stats().connections, server.world().conversations(KEY)), (2, vec![1]));
}

#[test]
fn an_answer_that_never_ends_does_not_hold_up_the_next() {
    let server = server();
    let mut command = chatnio(["chat", "--url", &server.url(), "--token", KEY, "--model", "silent"]);
    command.args(["--timeout", "0.3"]).stdin(Stdio::piped());
    let ended = run_with(&mut command, b"one\n/model hello\ntwo\n").with(4);
    assert_eq!(ended.stdout, HELLO);
    assert!(ended.stderr.contains("did not go on in time"), "{ended:?}");
}

#[test]
fn a_server_that_is_gone_fails_each_question() {
    let mut server = server();
    let mut running = Running::start(&mut chat(&server, "hello"));
    running.write(b"one\n");
    running.stdout_until(HELLO);
    server.stop();
    running.write(b"two\nthree\n");
    let ended = running.end().with(4);
    assert_eq!(ended.stderr.matches("error: cannot connect").count(), 2, "{ended:?}");
}

#[test]
fn what_follows_a_new_conversation_that_could_not_be_reached_is_not_asked_in_the_old_one() {
    for (command, conversations) in [("/new", vec![1, 2]), ("/conversation 1", vec![1])] {
        let server = server();
        let mut chat = chatnio(["chat", "--url", &relay(&server, drop), "--token", KEY, "--model", "hello"]);
        chat.args(["--connect-retries", "0", "--system", "Be brief."]).stdin(Stdio::piped());
        let lines = format!("one\n{command}\n/conversation\ntwo\n/conversation\n");
        let ended = run_with(&mut chat, lines.as_bytes()).with(4);
        assert_eq!(ended.stdout, HELLO.repeat(2), "{ended:?}");
        assert!(!ended.stderr.contains("connecting anew"), "{ended:?}");
        assert_eq!(server.world().conversations(KEY).len(), conversations.len(), "{ended:?}");
        let last = server.world().messages(KEY, conversations.len() as i64).unwrap();
        assert!(last.iter().any(|message| message.content == "two"), "{last:?}");
        assert!(last[0].content == "Be brief.", "{last:?}");
    }
}

#[test]
fn where_a_server_tells_no_id_a_lost_conversation_begins_anew() {
    let server = server_with(Options::new(Generation::G2023));
    let mut chat = chat(&server, "drop");
    chat.args(["--system", "Be brief."]);
    let ended = run_with(&mut chat, b"one\n/model hello\ntwo\n").with(4);
    assert!(ended.stderr.contains("connecting anew, in a new conversation: the server has told no id"), "{ended:?}");
    let last = server.world().messages(KEY, 2).unwrap();
    let said: Vec<_> = last.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(said[..2], ["Be brief.", "two"]);
}

#[test]
fn a_system_prompt_goes_where_the_next_question_goes_until_there_is_none() {
    let server = server();
    let lines = "one\n/system Be kind.\n/conversation 1\ntwo\n/system none\n/system\n/new\nthree\n";
    let ended = run_with(&mut chat(&server, "hello"), lines.as_bytes()).with(0);
    assert!(ended.stderr.contains("system: none"), "{ended:?}");
    let said = |id| -> Vec<_> {
        let messages = server.world().messages(KEY, id).unwrap();
        messages.into_iter().filter(|message| message.role != "assistant").map(|message| message.content).collect()
    };
    assert_eq!((said(1), said(2)), (vec!["Be kind.".into(), "one".into(), "two".into()], vec!["three".to_owned()]));
}
