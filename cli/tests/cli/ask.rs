//! Questions and answers.

use std::fs;
use std::io::Read;
use std::time::Duration;

use chatnio_loopback::{Ending, Generation, Options, Plan, closed_port};

use crate::process::{Directory, KEY, Running, ask, chatnio, gated, project_file, run, run_with, server, server_with};

/// The three lines of `--json` for the official example.
const EXAMPLE_LOG: &str = r#"{"event":"delta","turn":1,"text":"Hello","quota":0}
{"event":"delta","turn":1,"text":"!","quota":0.0034000003}
{"event":"end","turn":1,"request":"chat","outcome":"complete","text":"Hello!","notice":null,"quota":0.0034000003,"keyword":"","conversation":null,"plan":false,"chunks":2}
"#;

#[test]
fn without_url_and_token_the_embedded_server_answers() {
    let ended = run(&mut chatnio(["ask", "hi"])).with(0);
    assert!(ended.stdout.contains("loopback server") && ended.stdout.ends_with("“hi”\n"), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("embedded loopback server at ws://127.0.0.1:"), "{ended:?}");
}

#[test]
fn only_the_answer_is_on_stdout() {
    let server = server();
    let ended = run(&mut ask(&server, "hello")).with(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("Hello! How can I help?\n", ""));
}

#[test]
fn a_text_that_ends_its_line_gets_no_second_end() {
    let mut options = Options::default();
    options.plans.insert("lines".to_owned(), Plan::text(Duration::ZERO, ["one\n", "two\n"]));
    options.plans.insert("nothing".to_owned(), Plan::text(Duration::ZERO, [""; 0]));
    let server = server_with(options);
    assert_eq!(run(&mut ask(&server, "lines")).with(0).stdout, "one\ntwo\n");
    assert_eq!(run(&mut ask(&server, "nothing")).stdout, "");
}

#[test]
fn an_empty_answer_is_told_from_a_program_that_failed() {
    let server = server();
    for arguments in [&[][..], &["--json"]] {
        let ended = run(ask(&server, "tools").args(arguments)).with(0);
        assert_eq!(ended.stderr, "note: the answer is empty\n");
        assert_eq!(ended.stdout.is_empty(), arguments.is_empty(), "{ended:?}");
    }
}

#[test]
fn pieces_are_there_before_the_end() {
    for generation in [Generation::G2024, Generation::G2026] {
        let server = gated(generation);
        for json in [false, true] {
            let mut command = ask(&server, "gated");
            if json {
                command.arg("--json");
            }
            let mut running = Running::start(&mut command);
            // The end is an hour away.
            running.stdout_until("first");
        }
    }
}

#[test]
fn json_is_the_event_log() {
    let mut options = Options::new(Generation::G2023);
    let example = fs::read_to_string(project_file("transcripts/docs-example.txt")).unwrap();
    options.script = Some(example.parse().unwrap());
    let server = server_with(options);
    let ended = run(ask(&server, "gpt-4").arg("--json")).with(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), (EXAMPLE_LOG, ""));
}

#[test]
fn what_is_recorded_replays_to_the_same_log() {
    let directory = Directory::new("record");
    let server = server();
    for (model, status) in
        [("hello", 0), ("unicode", 0), ("err", 3), ("drop", 4), ("garbage", 5), ("my key sk-0123456789abcdef?", 0)]
    {
        let record = directory.file("record.txt");
        let asked = run(ask(&server, model).args(["--json", "--record", &record])).with(status);
        let text = fs::read_to_string(&record).unwrap();
        assert!(
            text.starts_with(&format!(
                "WEBSOCKET {}\n\n> SEND {{\"token\":\"sk-...\",\"id\":-1}} // +0.",
                server.url()
            ))
        );
        assert!(!text.contains("0123456789"), "{text}");
        let (frames, times) = (text.lines().skip(2), text.matches(" // +").count());
        // What is no JSON has no room for it.
        let without = text.matches("RECV not json\n").count();
        assert_eq!(frames.count(), times + without, "every frame has its time: {text}");
        let replayed = run(&mut chatnio(["replay", "--json", &record])).with(status);
        let without_lines = |log: &str| {
            let lines = log.lines().map(|line| match line.strip_prefix("{\"event\":\"warning\",\"line\":") {
                Some(rest) => {
                    rest.trim_start_matches("null").trim_start_matches(|c: char| c.is_ascii_digit()).to_owned()
                }
                None => line.to_owned(),
            });
            // A transcript has no binary messages, but what is as malformed.
            lines.map(|line| line.replace("binary message", "not a JSON object")).collect::<Vec<_>>()
        };
        assert_eq!(without_lines(&replayed.stdout), without_lines(&asked.stdout), "{model}");
    }
}

/// Also where a file is there that others may read.
#[cfg(unix)]
#[test]
fn what_is_secret_is_for_nobody_else_to_read() {
    use std::os::unix::fs::PermissionsExt;

    let directory = Directory::new("record-private");
    let server = server();
    let files = ["record", "record.2", "keys"].map(|name| directory.write(name, "old\n"));
    for file in &files {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let [record, second, keys] = &files;
    let arguments = ["chat", "--url", &server.url(), "--token", KEY, "--model", "hello", "--record", record];
    let mut chat = chatnio(arguments);
    run_with(chat.args(["--key-log", keys]), b"one\n/new\ntwo\n").with(0);
    for file in &files {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    for (file, question) in [(record, "one"), (second, "two")] {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(question) && !text.contains("old"), "{text}");
    }
    assert_eq!(fs::read_to_string(keys).unwrap(), "old\n", "nothing went over TLS");
    // A device stays one.
    run(ask(&server, "hello").args(["--record", "/dev/null"])).with(0);
    assert_ne!(fs::metadata("/dev/null").unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_recording_is_written_without_a_connection_too() {
    let directory = Directory::new("record-nothing");
    let record = directory.file("record.txt");
    let url = format!("ws://{}/chat", closed_port());
    run(&mut chatnio(["ask", "--url", &url, "--record", &record, "hi"])).with(4);
    assert_eq!(fs::read_to_string(&record).unwrap(), format!("WEBSOCKET {url}\n\n"));
    let replayed = run(&mut chatnio(["replay", &record])).with(0);
    assert_eq!(replayed.stdout, "");
    assert!(replayed.stderr.ends_with("record.txt: nothing was sent or received in it\n"), "{replayed:?}");
}

#[test]
fn the_environment_stands_in_for_options() {
    let server = server();
    let url = server.url();
    let environment = [("CHATNIO_URL", url.as_str()), ("CHATNIO_TOKEN", KEY), ("CHATNIO_MODEL", "hello")];
    let hello = "Hello! How can I help?\n";
    assert_eq!(run(chatnio(["ask", "hi"]).envs(environment)).with(0).stdout, hello);
    let other = server_with(Options::default());
    let options = ["ask", "--url", &other.url(), "--model", "unicode", "--token", "anonymous", "hi"];
    let ended = run(chatnio(options).envs(environment)).with(3);
    assert!(ended.stderr.contains("(model: unicode)"), "{ended:?}");
    assert_eq!((server.stats().connections, other.stats().connections), (1, 1));

    let empty = environment.map(|(name, _)| (name, ""));
    assert!(run(chatnio(["ask", "hi"]).envs(empty)).with(0).stderr.contains("embedded"));
    let help = run(chatnio(["ask", "--help"]).envs(environment)).with(0);
    assert!(help.stdout.contains("CHATNIO_TOKEN") && !help.stdout.contains(KEY));
}

#[test]
fn a_url_without_a_token_asks_as_anonymous() {
    let server = server();
    let ended = run(&mut chatnio(["ask", "--url", &server.url(), "--model", "hello", "hi"])).with(3);
    assert_eq!(
        (ended.stdout.as_str(), ended.stderr.as_str()),
        ("", "notice: not authenticated error (model: hello)\n")
    );
    assert_eq!(server.stats().anonymous, 1);
    run(&mut chatnio(["ask", "--url", &server.url(), "--model", "anon", "hi"])).with(0);
}

#[test]
fn the_question_comes_from_standard_input_too() {
    let server = server();
    let url = server.url();
    let arguments = ["ask", "--url", &url, "--token", KEY, "--model", "hello"];
    for (text, input, question) in [
        (Some("-"), "one\n", "one"),
        (None, " two\nthree ✓\r\n", " two\nthree ✓"),
        (None, "four\n\n", "four\n"),
        (Some("five"), "six\n", "five\n\nsix"),
    ] {
        run_with(chatnio(arguments).args(text), input.as_bytes()).with(0);
        let id = *server.world().conversations(KEY).last().unwrap();
        assert_eq!(server.world().messages(KEY, id).unwrap()[0].content, question);
    }
    let before = server.stats().connections;
    let ended = run_with(&mut chatnio(arguments), b"caf\xe9").with(2);
    assert!(ended.stderr.contains("not valid UTF-8 (byte 3)"), "{ended:?}");
    assert!(run_with(&mut chatnio(arguments), b"\n").with(2).stderr.contains("no question"));
    let long = "é".repeat(600_000);
    let limited = run_with(chatnio(arguments).args(["--max-question", "1M"]), long.as_bytes()).with(2);
    assert!(limited.stderr.contains("limit of 1048576 bytes"), "{limited:?}");
    assert_eq!(server.stats().connections, before, "nothing was asked");
}

#[test]
fn options_of_the_question_are_sent() {
    let directory = Directory::new("parameters");
    let record = directory.file("record.txt");
    let server = server();
    run(ask(&server, "hello").args(["--web", "--ignore-context", "--context", "3", "--max-tokens", "100"]).args([
        "--temperature",
        "0.5",
        "--top-p",
        "0.25",
        "--top-k",
        "4",
        "--presence-penalty",
        "-0.5",
        "--frequency-penalty",
        "0.75",
        "--repetition-penalty",
        "1.5",
        "--record",
        &record,
    ]))
    .with(0);
    let sent = concat!(
        r#"> SEND {"type":"chat","message":"hi","model":"hello","web":true,"ignore_context":true,"context":3,"#,
        r#""max_tokens":100,"temperature":0.5,"top_p":0.25,"top_k":4,"presence_penalty":-0.5,"#,
        r#""frequency_penalty":0.75,"repetition_penalty":1.5}"#
    );
    let text = fs::read_to_string(record).unwrap();
    let (line, time) = text.lines().nth(3).unwrap().split_once(" // +").unwrap();
    assert!(line == sent && time.ends_with(" s"), "{text}");
}

#[test]
fn a_conversation_goes_on_or_is_replaced_with_a_warning() {
    let server = server();
    run(&mut ask(&server, "hello")).with(0);
    assert_eq!(run(ask(&server, "hello").args(["--conversation", "1"])).with(0).stderr, "");
    assert_eq!(server.world().messages(KEY, 1).unwrap().len(), 4);
    let ended = run(ask(&server, "hello").args(["--conversation", "77"])).with(0);
    assert!(ended.stderr.contains("no conversation 77") && ended.stderr.contains("conversation 2"), "{ended:?}");
    let hash = server.world().share(KEY, 1).unwrap();
    run(ask(&server, "hello").args(["--share", &hash])).with(0);
    assert_eq!(server.world().messages(KEY, 3).unwrap().len(), 6);
}

#[test]
fn a_closed_pipe_stops_the_answer_quietly() {
    let directory = Directory::new("pipe");
    let mut options = Options::default();
    let mut plan = Plan::text(Duration::ZERO, ["line\n"]).ending(Ending::Silent);
    plan.pieces.resize(4000, (Duration::from_millis(20), "line\n".into()));
    options.plans.insert("lines".to_owned(), plan);
    let server = server_with(options);
    let record = directory.file("record.txt");
    for json in [false, true] {
        let before = server.stats().stops_received;
        let mut command = ask(&server, "lines");
        command.args(["--record", &record]).args(json.then_some("--json"));
        let (running, mut stdout) = Running::start_unread(&mut command);
        stdout.read_exact(&mut [0; 5]).unwrap();
        drop(stdout);
        assert_eq!(running.end().with(0).stderr, "");
        assert!(server.stats().stops_received > before);
        assert!(fs::read_to_string(&record).unwrap().contains("> SEND {\"type\":\"stop\"}"));
    }
}

#[test]
fn the_token_shows_nowhere() {
    let directory = Directory::new("secret");
    let record = directory.file("record.txt");
    let server = server();
    for model in ["hello", "nosuch", "drop", "garbage", "silent"] {
        let arguments = ["ask", "--url", &server.url(), "--token", KEY, "--timeout", "0.4", "--model", model];
        for json in [&[][..], &["--json"]] {
            let ended =
                run(chatnio(arguments).args(json).args(["--record", &record, "--header", "X-Key: hush-hush", "hi"]));
            let all = format!("{ended:?}{}", fs::read_to_string(&record).unwrap());
            assert!(!all.contains("0123456789") && !all.contains("hush"), "{model}: {all}");
        }
    }
    for arguments in [
        &["--url", "ws://example.com"][..],
        &["--url", "wss://me:sk-0123456789abcdef@h"],
        &["--header", "sk-0123456789abcdef"],
        &["--header", "a b: sk-0123456789abcdef"],
        &["--header", "host: sk-0123456789abcdef"],
        &["--timeout", "0"],
        &["--tokn"],
    ] {
        let ended = run(chatnio(["ask", "--token", KEY, "hi"]).args(arguments)).with(2);
        assert!(!ended.stderr.contains("0123456789"), "{ended:?}");
    }
}

#[test]
fn words_and_images_are_one_question() {
    let directory = Directory::new("image");
    let image = directory.write("cat", b"GIF89a...");
    let server = server();
    let arguments = ["ask", "--url", &server.url(), "--token", KEY, "--model", "hello"];
    run(chatnio(arguments).args(["what", "is", "this?", "--image", &image, "--image", "https://h/cat.png"])).with(0);
    let messages = server.world().messages(KEY, 1).unwrap();
    assert_eq!(messages[0].content, "what is this?\n\ndata:image/gif;base64,R0lGODlhLi4u\n\nhttps://h/cat.png");
}

#[test]
fn a_recording_on_stdout_is_there_instead_of_the_answer() {
    let directory = Directory::new("record-stdout");
    let server = server();
    let ended = run(ask(&server, "hello").args(["--record", "-"])).with(0);
    assert!(ended.stdout.starts_with("WEBSOCKET ws://") && ended.stderr.is_empty(), "{ended:?}");
    let replayed = run(&mut chatnio(["replay", &directory.write("record", &ended.stdout)])).with(0);
    assert_eq!(replayed.stdout, "Hello! How can I help?\n");
}

#[test]
fn extra_fields_go_out_with_the_question() {
    let server = server();
    let directory = Directory::new("extra");
    let file = directory.file("extra.txt");
    let mut command = ask(&server, "hello");
    command.args(["--extra", "think=true", "--extra", "web_search_mode=\"auto\"", "--record"]).arg(&file);
    run(&mut command).with(0);
    let recorded = fs::read_to_string(&file).unwrap();
    assert!(recorded.contains(r#","think":true,"web_search_mode":"auto"}"#), "{recorded}");
    let refused = run(ask(&server, "hello").args(["--extra", "model=1"])).with(2);
    assert!(refused.stderr.contains("`model` is no extra field"), "{refused:?}");
}
