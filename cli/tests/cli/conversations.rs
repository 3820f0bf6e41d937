//! `-c`: the last conversation.

use std::process::Command;

use chatnio_loopback::{Generation, Options, Server};

use crate::process::{Directory, KEY, Running, ask, chatnio, run, run_with, server, server_with};

fn ask_in(directory: &Directory, server: &Server) -> Command {
    let mut command = ask(server, "hello");
    command.env("XDG_STATE_HOME", directory.file(""));
    command
}

#[test]
fn the_last_one_with_this_server_goes_on() {
    let directory = Directory::new("last");
    let (server, other) = (server(), server());
    run(&mut ask_in(&directory, &server)).with(0);
    run(&mut ask_in(&directory, &server)).with(0);
    run(&mut ask_in(&directory, &other)).with(0);
    run(ask_in(&directory, &server).arg("-c")).with(0);
    let lengths = [1, 2].map(|id| server.world().messages(KEY, id).unwrap().len());
    assert_eq!((lengths, other.world().conversations(KEY)), ([2, 4], vec![1]));

    // A chat goes on in what `ask` began, and the other way round.
    let arguments = ["chat", "-c", "--url", &server.url(), "--token", KEY, "--model", "hello"];
    let mut chat = chatnio(arguments);
    chat.env("XDG_STATE_HOME", directory.file("")).stdin(std::process::Stdio::piped());
    let ended = run_with(&mut chat, b"one\n/new\ntwo\n").with(0);
    assert!(
        ended.stderr.contains("note: conversation 2\n") && ended.stderr.contains("note: conversation 3\n"),
        "{ended:?}"
    );
    run(ask_in(&directory, &server).arg("--continue")).with(0);
    assert_eq!([2, 3].map(|id| server.world().messages(KEY, id).unwrap().len()), [6, 4]);
    for both in [["-c", "--conversation=1"], ["-c", "--share=x"], ["--conversation=1", "--share=x"]] {
        let ended = run(ask_in(&directory, &server).args(both)).with(2);
        assert!(ended.stderr.contains("cannot be used with"), "{ended:?}");
    }
}

#[test]
fn anonymous_ones_and_those_without_an_id_are_not_kept() {
    let directory = Directory::new("last-none");
    let server = server();
    let mut anonymous = chatnio(["chat", "--url", &server.url(), "--model", "anon"]);
    anonymous.env("XDG_STATE_HOME", directory.file("")).stdin(std::process::Stdio::piped());
    let ended = run_with(&mut anonymous, b"one\n/conversation\n").with(0);
    assert_eq!(ended.stderr.matches("anonymous conversations are not kept").count(), 2, "{ended:?}");
    let old = server_with(Options::new(Generation::G2023));
    run(&mut ask_in(&directory, &old)).with(0);
    let ended = run(ask_in(&directory, &old).arg("-c")).with(2);
    assert!(ended.stderr.contains("servers of 2023 tell no ids"), "{ended:?}");
}

#[test]
fn those_that_begin_at_once_are_all_kept() {
    let directory = Directory::new("last-many");
    let server = server();
    let profiles: Vec<_> = (0..12).map(|n| format!("p{n}")).collect();
    let configuration: String = profiles.iter().map(|name| format!("[profiles.{name}]\n")).collect();
    let file = directory.write("config.toml", configuration);
    let ask = |name: &str| {
        let mut command = ask_in(&directory, &server);
        command.args(["--config", &file, "--profile", name]);
        command
    };
    let running: Vec<_> = profiles.iter().map(|name| Running::start(&mut ask(name))).collect();
    for running in running {
        running.end().with(0);
    }
    for name in &profiles {
        run(ask(name).arg("-c")).with(0);
    }
}

#[test]
fn what_cannot_be_kept_leaves_nothing_behind() {
    let directory = Directory::new("last-unwritable");
    let server = server();
    std::fs::create_dir_all(directory.file("chatnio/conversations.json")).unwrap();
    let ended = run(&mut ask_in(&directory, &server)).with(0);
    assert!(ended.stderr.contains("-c will not find this conversation: cannot write"), "{ended:?}");
    let left = std::fs::read_dir(directory.file("chatnio")).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["conversations.json", "conversations.lock"]);
}
