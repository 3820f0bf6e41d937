//! Ctrl-C, and being told to go.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use chatnio_loopback::{Generation, Options, Plan, Server};

use crate::process::{Directory, KEY, Running, ask, chatnio, gated, relay, server, server_with, wait_until};

#[test]
fn the_first_stops_the_answer() {
    let server = gated(Generation::G2026);
    let mut running = Running::start(&mut ask(&server, "gated"));
    running.stdout_until("first");
    running.signal("INT");
    let ended = running.end().with(130);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("first\n", "note: stopped\n"));
    assert_eq!(server.stats().stops_seen, 1);

    let mut running = Running::start(ask(&server, "gated").arg("--json"));
    running.stdout_until("first");
    running.signal("TERM");
    let ended = running.end().with(143);
    assert!(ended.stdout.contains("\"outcome\":\"stopped\",\"text\":\"first\""), "{ended:?}");
}

#[test]
fn the_second_quits() {
    let directory = Directory::new("quit");
    let record = directory.file("record.txt");
    // This generation sees a stop only when the model sends its next piece.
    let server = gated(Generation::G2024);
    let mut running = Running::start(ask(&server, "gated").args(["--record", &record]));
    running.stdout_until("first");
    running.signal("INT");
    wait_until(|| server.stats().stops_received > 0);
    running.signal("INT");
    let ended = running.end().with(130);
    assert_eq!(ended.stdout, "first\n");
    let text = fs::read_to_string(record).unwrap();
    assert!(text.contains("first") && text.contains("> SEND {\"type\":\"stop\"}"), "{text}");
}

#[test]
fn the_first_quits_before_the_connection_is_open() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let running = Running::start(&mut chatnio(["ask", "--url", &url, "hi"]));
    let _socket = listener.accept().unwrap();
    running.signal("INT");
    running.end().with(130);
}

/// A server whose model `flood` says more than any pipe holds.
fn flood() -> Server {
    let mut options = Options::default();
    let mut plan = Plan::text(Duration::ZERO, ["x".repeat(10_000)]);
    plan.rounds = 1000;
    options.plans.insert("flood".to_owned(), plan);
    server_with(options)
}

#[test]
fn the_second_quits_even_when_nobody_reads_the_answer() {
    let server = flood();
    let (running, mut stdout) = Running::start_unread(&mut ask(&server, "flood"));
    stdout.read_exact(&mut [0]).unwrap();
    running.signal("INT");
    wait_until(|| server.stats().stops_received > 0);
    running.signal("INT");
    running.end().with(130);
}

#[test]
fn one_is_enough_when_nobody_reads_the_answer() {
    let server = flood();
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let (running, mut stdout) = Running::start_unread(&mut ask(&server, "flood"));
        stdout.read_exact(&mut [0]).unwrap();
        running.signal(signal);
        running.end().with(status);

        let arguments = ["chat", "--url", &server.url(), "--token", KEY, "--model", "flood"];
        let (mut running, mut stdout) = Running::start_unread(chatnio(arguments).stdin(Stdio::piped()));
        running.write(b"one\n");
        stdout.read_exact(&mut [0]).unwrap();
        running.signal(signal);
        running.end().with(status);
    }
}

/// Of signals other than Ctrl-C only Linux tells whether they are ignored.
#[cfg(target_os = "linux")]
#[test]
fn what_is_ignored_at_the_start_stays_so() {
    let mut options = Options::default();
    let mut plan = Plan::text(Duration::ZERO, ["first", ", last"]);
    plan.pieces[1].0 = Duration::from_secs(1);
    options.plans.insert("two".to_owned(), plan);
    let server = server_with(options);
    let started = ["HUP", "INT", "TERM"].map(|signal| {
        let command = ask(&server, "two");
        let mut nohup = Command::new("sh");
        nohup.args(["-c", "trap '' $1; shift; exec \"$@\"", "sh", signal]);
        nohup.arg(command.get_program()).args(command.get_args());
        nohup.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        (Running::start(&mut nohup), signal)
    });
    let signalled = started.map(|(mut running, signal)| {
        running.stdout_until("first");
        running.signal(signal);
        running
    });
    for running in signalled {
        assert_eq!(running.end().with(0).stdout, "first, last\n");
    }
}

#[test]
fn a_chat_that_is_told_to_go_stops_its_answer_and_goes() {
    let server = gated(Generation::G2026);
    let arguments = ["chat", "--url", &server.url(), "--token", KEY, "--model", "gated"];
    let mut running = Running::start(chatnio(arguments).stdin(Stdio::piped()));
    running.write(b"one\ntwo\nthree\n");
    running.stdout_until("first");
    running.signal("TERM");
    running.end().with(143);
    assert_eq!((server.stats().stops_received, server.stats().openers), (1, 1), "what waits is not asked any more");
}

#[test]
fn in_a_chat_it_stops_the_answer_and_the_chat_goes_on() {
    let server = gated(Generation::G2026);
    let arguments = ["chat", "--url", &server.url(), "--token", KEY, "--model", "gated"];
    let mut running = Running::start(chatnio(arguments).stdin(Stdio::piped()));
    running.write(b"one\n");
    running.stdout_until("first");
    running.signal("INT");
    running.stderr_until("cost: ");
    running.write(b"/model hello\ntwo\n");
    running.stdout_until("Hello! How can I help?\n");
    running.stderr_until("cost: ");
    running.end().with(0);
}

#[test]
fn in_a_chat_it_gives_up_a_connect_and_the_chat_goes_on() {
    for (model, lines, status) in [("hello", "/new\n", 0), ("drop", "one\ntwo\n", 4)] {
        let server = server();
        let (sender, silent) = mpsc::channel();
        let url = relay(&server, move |socket| sender.send(socket).unwrap());
        let arguments = ["chat", "--url", &url, "--token", KEY, "--model", model, "--timeout", "3600"];
        let mut running = Running::start(chatnio(arguments).stdin(Stdio::piped()));
        running.write(lines.as_bytes());
        let _socket = silent.recv().unwrap();
        running.signal("INT");
        running.stderr_until("note: gave up connecting; the next question tries it again\n");
        running.write(b"/model hello\nthree\n");
        running.stdout_until("Hello! How can I help?\n");
        running.end().with(status);
        let asked = server.world().messages(KEY, 1).unwrap();
        assert!(asked.iter().all(|message| message.content != "two"), "{asked:?}");
    }
}

#[test]
fn being_told_to_go_ends_a_chat_that_connects() {
    for (signal, status) in [("TERM", 143), ("HUP", 129)] {
        let server = server();
        let (sender, silent) = mpsc::channel();
        let url = relay(&server, move |socket| sender.send(socket).unwrap());
        let arguments = ["chat", "--url", &url, "--token", KEY, "--timeout", "3600"];
        let mut running = Running::start(chatnio(arguments).stdin(Stdio::piped()));
        running.write(b"/new\n");
        let _socket = silent.recv().unwrap();
        running.signal(signal);
        running.end().with(status);
    }
}

/// As long as `docker stop` and its like allow, and not as long as an answer's end may take.
#[test]
fn what_is_told_to_go_does_not_wait_for_a_server_that_is_silent() {
    // This generation sees a stop only when the model sends its next piece.
    let server = gated(Generation::G2024);
    let directory = Directory::new("told-to-go");
    for name in ["ask", "chat"] {
        let record = directory.file(name);
        let options = ["--url", &server.url(), "--token", KEY, "--model", "gated", "--timeout", "3600"];
        let mut command = chatnio([name].into_iter().chain(options).chain(["--record", &record]));
        let mut running = Running::start(command.stdin(Stdio::piped()));
        running.write(b"hi\n");
        if name == "ask" {
            running.close_stdin();
        }
        running.stdout_until("first");
        running.signal("TERM");
        running.end().with(143);
        let text = fs::read_to_string(record).unwrap();
        assert!(text.contains("first") && text.contains("> SEND {\"type\":\"stop\"}"), "{text}");
    }
}
