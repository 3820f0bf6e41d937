//! The configuration file.

use std::process::Command;

use chatnio_loopback::Server;

#[cfg(unix)]
use crate::process::Running;
use crate::process::{Directory, KEY, chatnio, run, run_with, server};

/// `chatnio ask hi` with this configuration.
fn ask_with(directory: &Directory, configuration: &str) -> Command {
    let file = directory.write("config.toml", configuration);
    let mut command = chatnio(["ask", "hi"]);
    command.env("CHATNIO_CONFIG", file);
    command
}

fn connections(servers: [&Server; 2]) -> [u64; 2] {
    servers.map(|server| server.stats().connections)
}

#[test]
fn it_stands_in_for_options_and_environment() {
    let directory = Directory::new("config");
    let (one, two) = (server(), server());
    directory.write("token", format!("{KEY}\n"));
    let configuration = format!(
        "url = {:?}\ntoken-file = {:?}\nmodel = \"hello\"\n[profiles.other]\nurl = {:?}\ntoken-command = \"echo {KEY}\"\n",
        one.url(),
        directory.file("token"),
        two.url()
    );
    let hello = "Hello! How can I help?\n";
    assert_eq!(run(&mut ask_with(&directory, &configuration)).with(0).stdout, hello);
    assert_eq!(connections([&one, &two]), [1, 0]);
    assert_eq!(run(ask_with(&directory, &configuration).args(["--profile", "other"])).with(0).stdout, hello);
    assert_eq!(run(ask_with(&directory, &configuration).env("CHATNIO_PROFILE", "other")).with(0).stdout, hello);
    assert_eq!(connections([&one, &two]), [1, 2]);
    let changed = run(ask_with(&directory, &configuration).env("CHATNIO_MODEL", "unicode")).with(0);
    assert_ne!(changed.stdout, hello);

    // Where it is looked for.
    std::fs::create_dir_all(directory.file("chatnio")).unwrap();
    directory.write("chatnio/config.toml", &configuration);
    let found = run(chatnio(["ask", "hi"]).env("XDG_CONFIG_HOME", directory.file(""))).with(0);
    assert_eq!(found.stdout, hello);
    assert_eq!(connections([&one, &two]), [3, 2]);
}

#[test]
fn its_token_goes_to_no_other_url() {
    let directory = Directory::new("config-token");
    let server = server();
    let configuration = format!("url = \"wss://example.com\"\ntoken-command = \"echo {KEY}\"\n");
    let ended = run(ask_with(&directory, &configuration).args(["--url", &server.url(), "--model", "hello"])).with(3);
    assert!(ended.stderr.contains("is not sent to this one"), "{ended:?}");
    assert_eq!(server.stats().anonymous, 1);
}

#[test]
fn parameters_and_the_system_prompt_are_sent() {
    let directory = Directory::new("config-parameters");
    let server = server();
    let configuration = format!(
        "url = {:?}\ntoken-command = \"echo {KEY}\"\nmodel = \"hello\"\nsystem = \"Be brief.\"\n[parameters]\ntemperature = 0.5\ntop-k = 3\nweb = true\nextra = [\"think=true\"]\n",
        server.url()
    );
    let ended =
        run(ask_with(&directory, &configuration).args(["--top-k", "4", "--web=false", "--record", "-"])).with(0);
    let sent = ended.stdout.lines().filter(|line| line.starts_with("> SEND")).skip(1);
    let sent: Vec<_> = sent.map(|line| line.split(" // +").next().unwrap()).collect();
    assert_eq!(
        sent,
        [
            r#"> SEND {"type":"mask","message":"[{\"role\":\"system\",\"content\":\"Be brief.\"}]"}"#,
            r#"> SEND {"type":"chat","message":"hi","model":"hello","web":false,"temperature":0.5,"top_k":4,"think":true}"#
        ]
    );
    // A conversation that goes on has it already.
    let ended = run(ask_with(&directory, &configuration).args(["--conversation", "1", "--record", "-"])).with(0);
    assert!(!ended.stdout.contains("mask"), "{ended:?}");
    let more = ["--conversation", "1", "--system", "Be kind.", "--record", "-"];
    assert!(run(ask_with(&directory, &configuration).args(more)).with(0).stdout.contains("Be kind."));
}

#[test]
fn what_is_wrong_with_it_is_said_without_what_it_says() {
    let directory = Directory::new("config-wrong");
    for (configuration, says) in [
        ("token = \"sk-secret\"", "token-command or token-file"),
        ("tokn = \"secret\"", "unknown field `tokn`"),
        ("timeout = \"secret\"", "timeout: expected a number"),
        ("a = \n", "line 1"),
        ("timeout = 0", "timeout: expected more than 0 seconds"),
        ("max-message = \"4 secret\"", "max-message: expected bytes"),
        ("url = \"wss://h\"\nproxy = \"ftp://me:secret@h\"", "scheme"),
        ("token-command = \"echo secret; false\"", "token-command: it failed"),
        ("token-command = \"true\"", "no token"),
        ("token-file = \"/nowhere/token\"", "token-file: cannot read /nowhere/token"),
        ("token-command = \"a\\u0000secret\"", "token-command: it cannot be run: it has a NUL character"),
        ("token-file = \"a\\u0000b\"", "it has a NUL character"),
        ("[parameters]\nextra = [\"secret\"]", "parameters.extra: expected NAME=JSON"),
        ("[parameters]\nextra = [\"model=5\"]", "no parameter's of its own"),
        ("[parameters]\ntemperature = 3", "temperature is 3: it goes from 0 to 2"),
    ] {
        let ended = run(&mut ask_with(&directory, configuration)).with(2);
        assert!(ended.stderr.contains(says) && !ended.stderr.contains("secret"), "{configuration}: {ended:?}");
    }
    directory.write("latin", b"model = \"m\"\nsystem = \"\xe9\"\n");
    let ended = run(&mut chatnio(["ask", "--config", &directory.file("latin"), "hi"])).with(2);
    assert!(ended.stderr.ends_with("latin: line 2: the text is not valid UTF-8\n"), "{ended:?}");
    let ended = run(chatnio(["ask", "--config", &directory.file("none"), "hi"]).env("CHATNIO_CONFIG", "")).with(2);
    assert!(ended.stderr.contains("cannot be read"), "{ended:?}");
}

/// What a command leaves in the background, or prints behind its first line, is not waited for.
#[cfg(unix)]
#[test]
fn a_token_command_is_done_when_it_has_ended() {
    let directory = Directory::new("config-token-command");
    let server = server();
    let file = directory.file("background");
    let background = format!("sleep 600 & echo $! > {file}; echo {KEY}");
    for command in [&*background, &format!("yes {KEY}")] {
        let configuration = format!("url = {:?}\nmodel = \"hello\"\ntoken-command = {command:?}\n", server.url());
        let mut ask = ask_with(&directory, &configuration);
        // The background's own copy would keep it open here.
        run(ask.stderr(std::process::Stdio::null())).with(0);
    }
    assert_eq!(server.stats().anonymous, 0);
    let background = std::fs::read_to_string(file).unwrap();
    assert!(Command::new("kill").arg(background.trim()).status().unwrap().success(), "it ran still");
}

#[cfg(unix)]
#[test]
fn a_token_command_ends_with_the_program() {
    let directory = Directory::new("config-token-ended");
    for (signal, status) in [("TERM", 143), ("HUP", 129)] {
        let configuration = "token-command = \"echo ready >&2; exec sleep 3600\"";
        let mut running = Running::start(&mut ask_with(&directory, configuration));
        running.stderr_until("ready");
        running.signal(signal);
        // Its standard error, which the command has too, is at its end.
        running.end().with(status);
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_writes_to_is_none() {
    let directory = Directory::new("config-pipe");
    let file = directory.file("pipe");
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    let ended = run(&mut chatnio(["ask", "--config", &file, "hi"])).with(2);
    assert!(ended.stderr.contains("it is a pipe"), "{ended:?}");
    // But a shell's is one.
    let mut piped = chatnio(["ask", "--config", "/dev/stdin", "--url", "wss://h", "hi"]);
    assert!(run_with(&mut piped, b"timeout = 0").with(2).stderr.contains("timeout: expected"));
    let endless = run(&mut chatnio(["ask", "--config", "/dev/zero", "hi"])).with(2);
    assert!(endless.stderr.contains("over 1 MiB"), "{endless:?}");
}

#[test]
fn a_chat_takes_it_too_and_begins_again() {
    let directory = Directory::new("config-chat");
    let server = server();
    let file = directory.write(
        "config.toml",
        format!(
            "url = {:?}\ntoken-command = \"echo {KEY}\"\nmodel = \"hello\"\nsystem = \"Be brief.\"\n",
            server.url()
        ),
    );
    let record = directory.file("record");
    let mut command = chatnio(["chat", "--config", &file, "--json", "--record", &record]);
    command.stdin(std::process::Stdio::piped());
    let lines = "one\n/conversation\n/new\n/system Be kind.\n/system\ntwo\n/conversation 1\nthree\n";
    let ended = run_with(&mut command, lines.as_bytes()).with(0);
    assert_eq!(ended.stdout.matches("\"event\":\"end\"").count(), 3, "{ended:?}");
    for says in ["conversation: 1\n", "system: Be kind.\n", "note: conversation 2\n", "note: conversation 1\n"] {
        assert!(ended.stderr.contains(says), "{says}: {ended:?}");
    }
    let said = |id| -> Vec<_> {
        let messages = server.world().messages(KEY, id).unwrap();
        messages.into_iter().filter(|message| message.role != "assistant").map(|message| message.content).collect()
    };
    assert_eq!(
        (said(1), said(2)),
        (
            vec!["Be kind.".into(), "Be brief.".into(), "one".into(), "three".into()],
            vec!["Be kind.".into(), "two".into()]
        )
    );
    // A recording each connection.
    for (file, question) in [(record.clone(), "one"), (format!("{record}.2"), "two"), (format!("{record}.3"), "three")]
    {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.starts_with("WEBSOCKET ") && text.contains(&format!("\"message\":\"{question}\"")), "{text}");
    }
}
