//! Every exit status but success, and what is said with it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use chatnio_loopback::{Generation, Options, Refusal, closed_port};

use crate::process::{Directory, Running, ask, chatnio, run, server, server_with};

#[test]
fn wrong_usage_is_2_and_asks_nothing() {
    let directory = Directory::new("usage");
    let server = server();
    let url = server.url();
    let large = directory.write("large.gif", format!("GIF89a{}", ".".repeat(43)));
    for (arguments, says) in [
        (&["ask", "--no-such-option", "hi"][..], "--no-such-option"),
        (&["no-such-command"], "no-such-command"),
        (&["ask", "--url", &url, " "], "empty"),
        (&["ask", "--url", &url, "--temperature", "NaN", "hi"], "temperature"),
        (&["ask", "--url", &url, "--temperature", "99", "hi"], "from 0 to 2"),
        (&["ask", "--url", &url, "--max-tokens", "-5", "hi"], "1 or more"),
        (&["ask", "--url", &url, "--temperature", "warm", "hi"], "expected a number"),
        (&["ask", "--url", &url, "--max-tokens", "1.5", "hi"], "expected a whole number"),
        (&["ask", "--url", &url, "--top-k", "99999999999999999999", "hi"], "expected a smaller number"),
        (&["ask", "--url", &url, "--connect-retries", "-1", "hi"], "0 or more"),
        (&["ask", "--url", &url, "--config", &directory.file("none.toml"), "hi"], "cannot be read: No such file"),
        (&["ask", "--url", &url, "--cert", &directory.file("none"), "hi"], "--cert: "),
        (&["ask", "--url", &url], "no question"),
        (&["serve", "--port", "65536"], "expected a smaller number"),
        (&["serve", "--port", "-1"], "0 or more"),
        (&["ask", "--url", &url, "--profile", "none", "hi"], "no profile"),
        (&["ask", "-c", "hi"], "embedded"),
        (&["ask", "--url", &url, "-c", "hi"], "anonymous conversations are not kept"),
        (&["ask", "--url", &url, "-c", "--token", "sk-x", "hi"], "no conversation with 127.0.0.1:"),
        (&["ask", "--url", &url, "--image", &directory.write("no.png", "text"), "hi"], "no PNG, JPEG, GIF or WebP"),
        (&["ask", "--url", &url, "--image", &directory.file("none.png"), "hi"], "--image: cannot read"),
        (
            &["ask", "--url", &url, "--max-question", "64", "--image", &large, "hi"],
            "over what a question of 64 bytes has room for",
        ),
        (&["ask", "--url", &url, "--max-question", "1KB", "hi"], "--max-question"),
        (
            &["ask", "--url", &url, "--max-question", "10", "hi"],
            "that brings the token has 29 bytes, over the limit of 10",
        ),
        (&["ask", "--url", &url, "--max-question", "40", "hi"], "the question has 54 bytes as it is sent"),
        (&["ask", "--url", &url, "--token", "", "hi"], "token is empty"),
        (&["ask", "--url", &url, "--conversation", "0", "hi"], "no conversation id"),
        (&["ask", "--url", &url, "--share", "", "hi"], "share"),
        (&["ask", "--url", &url, "--model", "", "hi"], "--model"),
        (&["ask", "--url", &url, "--timeout", "-1", "hi"], "--timeout"),
        (&["ask", "--url", "ftp://h", "hi"], "scheme"),
        (&["ask", "--url", &url, "--ca-file", &directory.file("none"), "hi"], "cannot be read"),
        (&["ask", "--url", &url, "--ca-file", &directory.write("empty.pem", ""), "hi"], "no certificate"),
        (&["ask", "--url", &url, "--record", &directory.file("none/record"), "hi"], "--record: cannot write"),
        (&["ask", "--url", &url, "--header", "no colon", "hi"], "colon"),
        (&["ask", "--url", "ws://example.com", "--token", "sk-x", "hi"], "--allow-token-over-plain-ws"),
        (&["replay"], "FILE"),
        (&["serve", "--ca-out", "x"], "--tls"),
    ] {
        // Conversations of another server that had the same port are none of these.
        let mut command = chatnio(arguments.iter().copied());
        let ended = run(command.env("XDG_STATE_HOME", directory.file("state"))).with(2);
        assert!(ended.stderr.contains(says) && ended.stdout.is_empty(), "{arguments:?}: {ended:?}");
        // Neither the system's numbers nor the compiler's types are the user's words.
        let technical = ["os error", "literal", "digit", "target type", "unexpected argument '-"];
        let is_technical = technical.iter().any(|word| ended.stderr.contains(word));
        assert!(!is_technical || arguments.contains(&"--no-such-option"), "{arguments:?}: {ended:?}");
    }
    assert_eq!(server.stats().connections, 0);
}

/// What it cannot read is not taken for its end.
#[cfg(unix)]
#[test]
fn input_that_cannot_be_read_is_2() {
    let directory = Directory::new("input");
    let server = server();
    for command in ["ask", "chat"] {
        let mut reading = chatnio([command, "--url", &server.url(), "--token", "sk-x"]);
        reading.stdin(std::fs::File::open(directory.file(".")).unwrap());
        let ended = run(&mut reading).with(2);
        assert!(ended.stderr.contains("from standard input: Is a directory"), "{ended:?}");
    }
}

#[cfg(unix)]
#[test]
fn text_that_is_not_utf8_is_2() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let ended = run(chatnio(["ask"]).arg(OsStr::from_bytes(b"caf\xe9"))).with(2);
    assert!(ended.stderr.contains("UTF-8"), "{ended:?}");
    let ended = run(chatnio(["ask", "hi"]).env("CHATNIO_TOKEN", OsStr::from_bytes(b"sk-caf\xe9"))).with(2);
    assert!(ended.stderr.contains("CHATNIO_TOKEN is not valid UTF-8") && !ended.stderr.contains("caf"), "{ended:?}");
}

#[test]
fn a_notice_is_3() {
    for generation in Generation::ALL {
        let server = server_with(Options::new(generation));
        let ended = run(&mut ask(&server, "notice")).with(3);
        assert!(
            ended.stderr.starts_with("notice: ") && ended.stderr.contains("enough quota")
                || ended.stderr.contains("quota is not enough"),
            "{ended:?}"
        );
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn a_lost_connection_is_4_and_keeps_what_came() {
    let server = server();
    let ended = run(&mut ask(&server, "drop")).with(4);
    assert_eq!(ended.stdout, "Hello! How\n");
    assert!(ended.stderr.contains("interrupted: the connection was lost"), "{ended:?}");
    assert!(ended.stderr.contains("error: the server ended the connection"), "{ended:?}");
}

#[test]
fn a_silent_model_ends_in_the_configured_time() {
    let server = server();
    let ended = run(ask(&server, "silent").args(["--timeout", "0.3"])).with(4);
    assert!(ended.stderr.contains("interrupted: ") && ended.stderr.contains("did not go on in time"), "{ended:?}");
}

#[test]
fn an_answer_that_never_ends_has_the_time_that_it_was_given() {
    let server = server();
    let ended = run(ask(&server, "long-1000000000").args(["--answer-within", "0.3"])).with(4);
    assert!(ended.stderr.contains("interrupted: ") && ended.stderr.contains("--answer-within"), "{ended:?}");
    assert!(!ended.stdout.is_empty(), "what came is shown");
}

#[test]
fn a_silent_server_ends_in_the_configured_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let ended = run(&mut chatnio(["ask", "--url", &url, "--timeout", "0.3", "hi"])).with(4);
    assert!(ended.stderr.contains("WebSocket handshake in time"), "{ended:?}");
    assert!(ended.stderr.contains("--timeout"), "{ended:?}");
}

#[test]
fn a_closed_port_is_4() {
    let url = format!("ws://{}", closed_port());
    let ended = run(&mut chatnio(["ask", "--url", &url, "hi"])).with(4);
    assert!(ended.stderr.contains(&format!("cannot connect to {}: Connection refused\n", &url[5..])), "{ended:?}");
}

#[test]
fn throttling_shows_the_servers_reason() {
    for two_segments in [false, true] {
        let server = server_with(Options { throttle: Some(0), two_segments, ..Options::default() });
        let ended = run(&mut ask(&server, "hello")).with(4);
        assert!(ended.stderr.contains("You have sent too many requests. Please try again later."), "{ended:?}");
    }
}

#[test]
fn an_error_page_is_shown_without_what_drives_a_terminal() {
    let refusal = Refusal { status: 503, body: "down \u{1b}[31mfor\u{9b}2J maintenance\n".to_owned() };
    let server = server_with(Options { refusal: Some(refusal), ..Options::default() });
    let ended = run(&mut ask(&server, "hello")).with(4);
    assert!(ended.stderr.contains("HTTP 503"), "{ended:?}");
    assert!(ended.stderr.contains("the server says: down [31mfor2J maintenance"), "{ended:?}");
}

#[test]
fn an_error_that_is_not_http_is_shown_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let peer = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _ = socket.write_all(b"220 mail.example ready\r\n");
        let _ = socket.read_to_end(&mut Vec::new());
    });
    let ended = run(&mut chatnio(["ask", "--url", &url, "hi"])).with(4);
    assert!(ended.stderr.contains("does not speak HTTP"), "{ended:?}");
    peer.join().unwrap();
}

#[test]
fn a_query_in_the_url_is_sent_and_does_not_show() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/chat?key=hush-hush", listener.local_addr().unwrap());
    let peer = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = socket.read(&mut request).unwrap();
        let _ = socket.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 13\r\n\r\nnot hush-hush");
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let ended = run(&mut chatnio(["ask", "--url", &url, "hi"])).with(4);
    assert!(ended.stderr.contains("HTTP 403") && !ended.stderr.contains("hush"), "{ended:?}");
    assert!(peer.join().unwrap().starts_with("GET /chat?key=hush-hush HTTP/1.1\r\n"));
}

#[test]
fn malformed_messages_are_5_and_are_counted() {
    let server = server();
    let ended = run(&mut ask(&server, "garbage")).with(5);
    assert_eq!(ended.stdout, "Hello! How are you?\n");
    assert!(ended.stderr.contains("warning: 4 messages could not be read"), "{ended:?}");
    let ended = run(ask(&server, "garbage").arg("--json")).with(5);
    assert_eq!(ended.stdout.matches("{\"event\":\"warning\",\"line\":null,\"message\":\"").count(), 4);
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_full_is_1() {
    use std::fs::File;

    let server = server();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ended = Running::start(ask(&server, "hello").stdout(full)).end().with(1);
    assert!(ended.stderr.contains("cannot write the answer"), "{ended:?}");
    let ended = run(ask(&server, "hello").args(["--record", "/dev/full"])).with(1);
    assert!(ended.stderr.contains("--record: cannot write /dev/full"), "{ended:?}");
}
