//! What differs on a terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use chatnio_loopback::{Generation, Options, Plan, Server};

use crate::process::{Directory, KEY, Running, ask, chatnio, gated, server, server_with, wait_until};

const CTRL_C: &[u8] = b"\x03";
const CTRL_D: &[u8] = b"\x04";

fn chat(server: &Server, model: &str) -> Running {
    Running::start_on_terminal(chatnio(["chat", "--url", &server.url(), "--token", KEY, "--model", model]))
}

#[test]
fn an_answer_cannot_drive_it() {
    const EVIL: &str = "a\u{1b}[31mb\u{9b}2J\r\u{7}c\n\td";
    let mut options = Options::default();
    options.plans.insert("evil".to_owned(), Plan::text(Duration::ZERO, [EVIL]));
    let pieces: Vec<String> = EVIL.chars().map(String::from).collect();
    options.plans.insert("pieces".to_owned(), Plan::text(Duration::ZERO, pieces.iter().map(String::as_str)));
    let server = server_with(options);
    // Also as it comes by default, rendered; in one piece or cut anywhere.
    for (model, way) in [
        ("evil", None),
        ("pieces", None),
        ("evil", Some("--plain")),
        ("pieces", Some("--plain")),
        ("evil", Some("--json")),
    ] {
        let mut command = ask(&server, model);
        command.args(way);
        let ended = Running::start_on_terminal(command).end().with(0);
        // Escaped in JSON, and gone otherwise. The terminal makes CR LF of LF.
        let mut text = ended.stdout.replace("\r\n", "\n");
        if way.is_none() {
            // What it renders by: what is indented is code, and in a colour of its own.
            for own in ["\r\u{1b}[J", "\u{1b}[38;5;10m", "\u{1b}[39m"] {
                text = text.replace(own, "");
            }
        }
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\r', '\u{7}']), "{model} {way:?}: {text:?}");
        match way {
            Some("--json") => {}
            Some(_) => assert!(text.ends_with("\na[31mb2Jc\n\td\n"), "{model}: {text:?}"),
            None => assert!(text.contains("a[31mb2Jc"), "{model}: {text:?}"),
        }
    }
}

#[test]
fn neither_can_what_is_no_answer() {
    let server = server();
    let url = server.url();
    let reach = ["--url", &url, "--token", KEY];
    let shown = |command: &[&str]| {
        Running::start_on_terminal(chatnio(command.iter().chain(&reach).copied())).end().with(0).stdout
    };
    let recorded = shown(&["ask", "--record", "-", "a\u{9b}31m"]);
    assert!(recorded.contains("31m") && recorded.contains("> SEND"), "{recorded:?}");
    let listed = [shown(&["conversations"]), shown(&["conversations", "--json"])];
    for text in [&recorded, &listed[0], &listed[1]] {
        assert!(text.contains("a31m") && !text.contains('\u{9b}'), "{text:?}");
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
    chat.stdout_until("cost: ");
    chat.write(b"\x1b[A two\r");
    wait_until(|| server.world().messages(KEY, 1).is_some_and(|messages| messages.len() >= 4));
    let messages = server.world().messages(KEY, 1).unwrap();
    assert_eq!((messages[0].content.as_str(), messages[2].content.as_str()), ("one", "one two"));
    chat.write(b"/quit\r");
    chat.end().with(0);
}

#[test]
fn ctrl_c_clears_a_line_and_quits_when_it_comes_twice_on_an_empty_one() {
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
    chat.stdout_until("Ctrl-C once more quits");
    chat.stdout_until("> ");
    chat.write(b"x");
    chat.write(CTRL_C);
    chat.write(CTRL_C);
    chat.stdout_until("Ctrl-C once more quits");
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
    chat.end().with(143);
}

#[test]
fn so_does_ctrl_backslash_in_an_answer() {
    let server = gated(Generation::G2026);
    let mut chat = chat(&server, "gated");
    let before = chat.terminal_modes();
    chat.stdout_until("> ");
    chat.write(b"one\r");
    chat.stdout_until("first");
    assert_ne!(chat.terminal_modes(), before, "what is typed does not show");
    chat.signal("QUIT");
    chat.stdout_end();
    assert_eq!(chat.terminal_modes(), before);
    assert_eq!(chat.end().status, None, "the signal has ended it");
}

#[test]
fn an_interrupt_from_elsewhere_ends_a_chat_that_waits_for_a_line() {
    let server = server();
    let mut chat = chat(&server, "hello");
    let before = chat.terminal_modes();
    chat.stdout_until("> ");
    chat.write(b"typed");
    chat.stdout_until("typed");
    chat.signal("INT");
    chat.stdout_end();
    assert_eq!(chat.terminal_modes(), before);
    chat.end().with(130);
}

/// Where nothing is edited, Ctrl-C comes as a signal.
#[test]
fn ctrl_c_quits_when_it_comes_twice_on_a_terminal_of_few_abilities() {
    let server = server();
    let mut command = chatnio(["chat", "--url", &server.url(), "--token", KEY, "--model", "hello"]);
    command.env("TERM", "dumb");
    let mut chat = Running::start_on_terminal(command);
    for line in ["one\n", "two\n"] {
        chat.stdout_until("> ");
        chat.signal("INT");
        chat.stdout_until("note: Ctrl-C once more quits, as /quit and Ctrl-D do\r\n> ");
        chat.write(line.as_bytes());
        chat.stdout_until("cost: ");
    }
    chat.stdout_until("> ");
    chat.signal("INT");
    chat.stdout_until("Ctrl-C once more quits");
    chat.signal("INT");
    chat.end().with(130);
    assert_eq!(server.stats().requests, 2);
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
fn what_is_typed_while_an_answer_runs_waits_for_the_prompt() {
    let server = gated(Generation::G2026);
    let mut chat = chat(&server, "gated");
    chat.stdout_until("> ");
    chat.write(b"one\r");
    chat.stdout_until("first");
    chat.write(b"/model hello\rtwo\rthr");
    chat.signal("INT");
    chat.stdout_until("Hello! How can I help?");
    chat.stdout_until("thr");
    chat.write(b"ee\r");
    chat.stdout_until("Hello! How can I help?");
    chat.write(b"/quit\r");
    let ended = chat.end().with(0);
    let messages = server.world().messages(KEY, 1).unwrap();
    let questions: Vec<_> = messages.iter().step_by(2).map(|message| message.content.as_str()).collect();
    assert_eq!(questions, ["one", "two", "three"]);
    assert!(!ended.stdout.contains("firstthr"), "what is typed does not show in the answer: {ended:?}");
}

#[test]
fn lines_that_are_pasted_are_asked_one_after_the_other() {
    let server = server();
    let mut chat = chat(&server, "hello");
    chat.stdout_until("> ");
    // Without the marks of a bracketed paste; longer than what an editor reads at once.
    let lines: Vec<_> = (0..40).map(|n| format!("line {n} {}", "x".repeat(50))).collect();
    chat.write(format!("{}\r", lines.join("\r")).as_bytes());
    for _ in &lines {
        chat.stdout_until("cost: ");
    }
    chat.write(b"/quit\r");
    chat.end().with(0);
    let messages = server.world().messages(KEY, 1).unwrap();
    let questions: Vec<_> = messages.iter().step_by(2).map(|message| message.content.as_str()).collect();
    assert_eq!(questions, lines);
}

#[test]
fn a_bracketed_paste_and_alt_enter_make_one_question_of_several_lines() {
    let server = server();
    let mut chat = chat(&server, "hello");
    chat.stdout_until("> ");
    chat.write(b"\x1b[200~one\rtwo\x1b[201~\x1b\rthree\r");
    chat.stdout_until("cost: ");
    chat.write(b"/quit\r");
    chat.end().with(0);
    assert_eq!(server.world().messages(KEY, 1).unwrap()[0].content, "one\ntwo\nthree");
}

#[test]
fn what_is_pasted_behind_a_command_is_asked() {
    let server = server();
    let mut chat = chat(&server, "gated");
    chat.stdout_until("> ");
    chat.write(b"\x1b[200~/model hello\r/restart \rone\rtwo\x1b[201~\r");
    chat.stdout_until("cost: ");
    chat.write(b"/model\r");
    chat.stdout_until("model: hello\r\n");
    chat.write(b"/quit\r");
    chat.end().with(2);
    assert_eq!(server.world().messages(KEY, 1).unwrap()[0].content, "one\ntwo");
}

#[test]
fn tab_completes() {
    let server = server();
    let mut chat = chat(&server, "hello");
    chat.stdout_until("> ");
    chat.write(b"/mo\t\r");
    chat.stdout_until("model: hello");
    chat.write(b"/model h\tx\r/model\r");
    chat.stdout_until("model: hellox");
    chat.write(b"/quit\r");
    chat.end().with(0);
}

#[test]
fn the_history_lasts_and_has_no_keys_in_it() {
    let directory = Directory::new("history");
    let server = server();
    let start = || {
        let mut command = chatnio(["chat", "--url", &server.url(), "--token", KEY, "--model", "hello"]);
        command.env("XDG_STATE_HOME", directory.file(""));
        Running::start_on_terminal(command)
    };
    let mut chat = start();
    for line in ["a task-list", "my key is sk-abc123", " spaced"] {
        chat.stdout_until("> ");
        chat.write(format!("{line}\r").as_bytes());
        chat.stdout_until("cost: ");
    }
    chat.write(b"/quit\r");
    chat.end().with(0);
    let history = fs::read_to_string(directory.file("chatnio/history")).unwrap();
    assert!(history.contains("a task-list") && !history.contains("abc123") && !history.contains("spaced"), "{history}");
    let mode = fs::metadata(directory.file("chatnio/history")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let mut chat = start();
    chat.stdout_until("> ");
    // The last two lines were `/quit` and what is remembered.
    chat.write(b"\x1b[A\x1b[A!\r");
    chat.stdout_until("cost: ");
    chat.write(b"/quit\r");
    chat.end().with(0);
    assert_eq!(server.world().messages(KEY, 2).unwrap()[0].content, "a task-list!");
}

#[test]
fn markdown_is_rendered_unless_told_otherwise() {
    let mut options = Options::default();
    options
        .plans
        .insert("markdown".to_owned(), Plan::text(Duration::ZERO, ["some **bo", "ld** text\n\n- one\n", "- two"]));
    let server = server_with(options);
    let said = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = ask(&server, "markdown");
        command.args(arguments).envs(environment.iter().copied());
        Running::start_on_terminal(command).end().with(0).stdout.replace("\r\n", "\n")
    };
    let rendered = said(&[], &[]);
    assert!(rendered.contains("\x1b[1mbold\x1b[0m text\n") && rendered.contains("•\x1b[39m two\n"), "{rendered:?}");
    let plain = "some **bold** text\n\n- one\n- two\n";
    for (arguments, environment) in
        [(&["--plain"][..], &[][..]), (&[], &[("NO_COLOR", "1")]), (&[], &[("TERM", "dumb")])]
    {
        let said = said(arguments, environment);
        assert!(said.ends_with(plain), "{said:?}");
    }
}
