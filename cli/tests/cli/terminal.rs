//! What differs on a terminal.

use std::time::Duration;

use chatnio_loopback::{Generation, Options, Plan, Server};

use crate::process::{KEY, Running, ask, chatnio, gated, server, server_with, wait_until};

const CTRL_C: &[u8] = b"\x03";
const CTRL_D: &[u8] = b"\x04";

fn chat(server: &Server, model: &str) -> Running {
    Running::start_on_terminal(chatnio(["chat", "--url", &server.url(), "--token", KEY, "--model", model]))
}

#[test]
fn an_answer_cannot_drive_it() {
    let mut options = Options::default();
    options.plans.insert("evil".to_owned(), Plan::text(Duration::ZERO, ["a\u{1b}[31mb\u{9b}2J\r\u{7}c\n\td"]));
    let server = server_with(options);
    for json in [false, true] {
        let mut command = ask(&server, "evil");
        command.args(json.then_some("--json"));
        let ended = Running::start_on_terminal(command).end().with(0);
        // Escaped in JSON, and gone otherwise. The terminal makes CR LF of LF.
        let text = ended.stdout.replace("\r\n", "\n");
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\r', '\u{7}']), "{text:?}");
        assert!(json || text == "a[31mb2Jc\n\td\n", "{text:?}");
    }
}

#[test]
fn a_question_is_not_awaited_from_it() {
    let ended = Running::start_on_terminal(chatnio(["ask"])).end().with(2);
    assert!(ended.stdout.contains("no question"), "{ended:?}");
}

#[test]
fn lines_are_edited_and_remembered() {
    let server = server();
    let mut chat = chat(&server, "hello");
    chat.stdout_until("> ");
    // Typed, corrected, and then recalled.
    chat.write(b"onf\x7fe\r");
    chat.stdout_until("quota: ");
    chat.write(b"\x1b[A two\r");
    wait_until(|| server.world().messages(KEY, 1).is_some_and(|messages| messages.len() >= 4));
    let messages = server.world().messages(KEY, 1).unwrap();
    assert_eq!((messages[0].content.as_str(), messages[2].content.as_str()), ("one", "one two"));
    chat.write(b"/quit\r");
    chat.end().with(0);
}

#[test]
fn ctrl_c_clears_a_line_and_quits_on_an_empty_one() {
    let server = server();
    let mut chat = chat(&server, "hello");
    chat.stdout_until("> ");
    chat.write(b"nonsense");
    chat.stdout_until("nonsense");
    chat.write(CTRL_C);
    chat.write(b"/model\r");
    chat.stdout_until("model: hello");
    chat.stdout_until("> ");
    chat.write(CTRL_C);
    chat.end().with(0);
    assert_eq!(server.stats().requests, 0);
}

#[test]
fn being_told_to_go_leaves_it_as_it_was() {
    let server = server();
    let mut chat = chat(&server, "hello");
    let before = chat.terminal_modes();
    chat.stdout_until("> ");
    assert_ne!(chat.terminal_modes(), before, "a line is being edited");
    chat.signal("TERM");
    chat.stdout_end();
    assert_eq!(chat.terminal_modes(), before);
    chat.end().with(130);
}

#[test]
fn ctrl_d_quits() {
    let server = server();
    let mut chat = chat(&server, "hello");
    chat.stdout_until("> ");
    chat.write(CTRL_D);
    chat.end().with(0);
}

#[test]
fn lines_typed_while_an_answer_runs_are_noticed() {
    let server = gated(Generation::G2026);
    let mut chat = chat(&server, "gated");
    chat.stdout_until("> ");
    chat.write(b"one\r");
    chat.stdout_until("first");
    chat.write(b"/model hello\rtwo\r/stop\r");
    chat.stdout_until("Hello! How can I help?");
    chat.write(b"/quit\r");
    chat.end().with(0);
    let messages = server.world().messages(KEY, 1).unwrap();
    assert_eq!(messages[2].content, "two");
}
