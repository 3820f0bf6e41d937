//! The server as a process.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use crate::process::{Directory, KEY, Running, chatnio, project_file, run};

/// Starts `chatnio serve`, and gives its URL too.
fn serve(arguments: &[&str]) -> (Running, String) {
    let mut command = chatnio(["serve", "--until-stdin-closes"].into_iter().chain(arguments.iter().copied()));
    let mut running = Running::start(command.stdin(Stdio::piped()));
    let url = running.stdout_until("\n").trim_end().to_owned();
    (running, url)
}

#[test]
fn its_first_line_is_its_url_and_it_ends_with_its_parent() {
    for generation in ["2023-11", "2024-03", "2026-03"] {
        let (server, url) = serve(&["--generation", generation]);
        let asked = ["ask", "--url", &url, "--token", KEY, "--model", "hello", "hi"];
        assert_eq!(run(&mut chatnio(asked)).with(0).stdout, "Hello! How can I help?\n");
        let ended = server.end().with(0);
        assert_eq!((ended.stdout, ended.stderr.as_str()), (format!("{url}\n"), ""));
    }
}

#[cfg(unix)]
#[test]
fn it_ends_orderly_when_told_to() {
    for signal in ["INT", "TERM"] {
        // Its standard input is at its end already, which it does not mind.
        let mut running = Running::start(&mut chatnio(["serve"]));
        running.stdout_until("\n");
        running.signal(signal);
        running.end().with(0);
    }
}

#[test]
fn it_serves_tls_and_writes_its_root() {
    let directory = Directory::new("serve-tls");
    let ca = directory.file("ca.pem");
    let ask = |url: &str| run(&mut chatnio(["ask", "--url", url, "--ca-file", &ca, "hi"]));
    for (certificate, status) in [("valid", 0), ("expired", 4), ("wrong-name", 4)] {
        let (server, url) = serve(&["--tls", "--certificate", certificate, "--ca-out", &ca]);
        assert!(url.starts_with("wss://"));
        ask(&url).with(status);
        server.end().with(0);
    }
}

#[test]
fn it_plays_a_script_and_throttles() {
    let (server, url) = serve(&["--script", &project_file("transcripts/docs-example.txt"), "--generation", "2023-11"]);
    let asked = ["ask", "--url", &url, "--token", KEY, "hi"];
    assert_eq!(run(&mut chatnio(asked)).with(0).stdout, "Hello!\n");
    server.end().with(0);
    let (server, url) = serve(&["--throttle", "0", "--pace", "0"]);
    run(&mut chatnio(["ask", "--url", &url, "hi"])).with(4);
    server.end().with(0);
}

#[test]
fn it_goes_wrong_as_it_is_told() {
    let list = run(&mut chatnio(["serve", "--fault", "list"])).with(0).stdout;
    assert!(list.lines().count() > 250 && list.contains("\nfin-mid-answer "), "{list}");
    let directory = Directory::new("serve-fault");
    let ca = directory.file("ca.pem");
    for (tls, says) in [(&[][..], "ended the connection"), (&["--tls", "--ca-out", &ca], "was cut")] {
        let (server, url) = serve(&[&["--fault", "fin-mid-answer"], tls].concat());
        let mut asked = vec!["ask", "--url", &url, "hi"];
        if !tls.is_empty() {
            asked.extend(["--ca-file", &ca]);
        }
        let ended = run(&mut chatnio(asked)).with(4);
        assert!(ended.stdout.starts_with("one") && ended.stderr.contains(says), "{ended:?}");
        server.end().with(0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn it_goes_on_when_it_was_stopped() {
    let head = "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for arguments in [&[][..], &["--fault", "fin-mid-head"]] {
        let (server, url) = serve(arguments);
        let mut socket = TcpStream::connect(url.trim_start_matches("ws://").trim_end_matches("/chat")).unwrap();
        // Nothing shows when it waits, which is what a stop breaks off.
        for _ in 0..10 {
            server.stop_and_go_on();
        }
        socket.write_all(head.as_bytes()).unwrap();
        let mut came = [0; 12];
        socket.read_exact(&mut came).unwrap();
        assert_eq!(came, *b"HTTP/1.1 101", "{arguments:?}");
        server.end().with(0);
    }
}

#[test]
fn it_writes_what_it_is_asked() {
    let directory = Directory::new("serve-requests");
    let file = directory.file("requests.jsonl");
    let script = project_file("transcripts/docs-example.txt");
    for (arguments, question) in
        [(vec!["--pace", "0"], "hi"), (vec!["--script", &script, "--generation", "2023-11"], "hi")]
    {
        let (server, url) = serve(&[arguments, vec!["--requests", &file]].concat());
        run(&mut chatnio(["ask", "--url", &url, "--token", KEY, "--model", "hello", question])).with(0);
        let requests = std::fs::read_to_string(&file).unwrap();
        // No authentication, and no keep-alive.
        assert_eq!(requests, format!("{{\"type\":\"chat\",\"message\":\"{question}\",\"model\":\"hello\"}}\n"));
        server.end().with(0);
    }
}

#[test]
fn it_tells_what_the_script_does_not_ask() {
    let directory = Directory::new("serve-differences");
    let file = directory.file("differences");
    let (server, url) = serve(&["--script", &project_file("transcripts/docs-example.txt"), "--differences", &file]);
    let ask = |question| run(&mut chatnio(["ask", "--url", &url, "--model", "gpt-4", question])).with(0);
    // Each on a connection of its own, which is played the script from its start.
    ask("hi");
    ask("hi");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
    ask("ho");
    let told = std::fs::read_to_string(&file).unwrap();
    assert!(told.starts_with("question 1 is another than the script's:\n  asked:  {"), "{told}");
    assert!(told.contains("\"ho\"") && told.ends_with("}\n"), "{told}");
    server.end().with(0);
}

#[test]
fn what_it_cannot_do_is_said() {
    let directory = Directory::new("serve-bad");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let broken = directory.write("broken.txt", "\nhello\n");
    for (arguments, status, says) in [
        (&["--port", &port][..], 2, "cannot start the server on port"),
        (&["--script", &directory.file("missing")], 2, "--script: cannot read"),
        (&["--script", &broken], 5, "line 2"),
        (&["--tls", "--ca-out", &directory.file("none/ca.pem")], 2, "--ca-out: cannot write"),
        (&["--generation", "2025-01"], 2, "2023-11, 2024-03 or 2026-03"),
        (&["--pace", "-1"], 2, "0 or more"),
        (&["--differences", "x"], 2, "--script"),
        (&["--fault", "wrong"], 2, "`--fault list` prints all names"),
        (&["--fault", "fin-mid-answer", "--fault", "bad-key"], 2, "give no other --fault"),
        (&["--fault", "all", "--port", "1"], 2, "--port has no place beside it"),
        (&["--fault", "fin-mid-answer", "--throttle", "0"], 2, "--throttle has no place beside it"),
    ] {
        let ended = run(&mut chatnio(["serve"].into_iter().chain(arguments.iter().copied()))).with(status);
        assert!(ended.stderr.contains(says), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn it_serves_a_folder_beside_the_chat() {
    let (server, url) = serve(&["--www", env!("CARGO_MANIFEST_DIR")]);
    let address = url.strip_prefix("ws://").and_then(|rest| rest.strip_suffix("/chat")).unwrap();
    let get = |path: &str| {
        let mut socket = TcpStream::connect(address).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        socket
    };
    let mut page = String::new();
    get("/Cargo.toml?x").read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("name = \"chatnio-cli\""), "{page}");
    for outside in ["/nothing", "/../Cargo.toml", "/%2e%2e/Cargo.toml"] {
        // What a real server refuses it leaves open for a while.
        let mut head = [0; 13];
        get(outside).read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 404 ", "{outside}");
    }
    let asked = ["ask", "--url", &url, "--token", KEY, "--model", "hello", "hi"];
    assert_eq!(run(&mut chatnio(asked)).with(0).stdout, "Hello! How can I help?\n");
    server.end().with(0);
    let refused = run(&mut chatnio(["serve", "--www", "/nothing/here"])).with(2);
    assert!(refused.stderr.contains("--www: /nothing/here is no folder"), "{}", refused.stderr);
}

#[test]
fn a_fault_of_tls_wants_tls() {
    let refused = run(&mut chatnio(["serve", "--fault", "tls-expired"])).with(2);
    assert!(refused.stderr.contains("--fault tls-expired is one of TLS: add --tls"), "{refused:?}");
    let listed = run(&mut chatnio(["serve", "--fault", "list"])).with(0);
    assert!(listed.stdout.lines().any(|line| line.starts_with("tls-expired ") && line.ends_with(" (with --tls)")));
    assert!(listed.stdout.contains("tls-expired ") && listed.stdout.contains("fin-mid-answer "), "{listed:?}");
    let mut serve = Running::start(&mut chatnio(["serve", "--fault", "tls-expired", "--tls"]));
    assert!(serve.stdout_until("\n").starts_with("wss://localhost:"));
}

#[test]
fn all_faults_are_served_with_what_is_to_come_of_them() {
    let mut serve = Running::start(&mut chatnio(["serve", "--fault", "all"]));
    let table = serve.stdout_until("\n\n");
    let rows = table.lines().count() - 2;
    let columns = "fault\tover\turl\tby\tlimit\tothers\tleast\tmost\tstatus\ttext\tsecond\tsecond_text";
    assert!(table.starts_with(&format!("{columns}\t{rows}\n")), "{table}");
    let row = table.lines().find(|line| line.starts_with("fin-after-end\ttls\t")).unwrap();
    assert!(row.ends_with("\tat once\t60000\t60000\t0\t30000\tcomplete\tone two\tTRUNCATED\t"), "{row}");
    let row = table.lines().find(|line| line.starts_with("silence-mid-answer\tplain\t")).unwrap();
    assert!(row.ends_with("\tnext_frame\t300\t60000\t298\t30300\tnext frame deadline\tone\t-\t"), "{row}");
    let row = table.lines().find(|line| line.starts_with("fin-mid-answer\tplain\t")).unwrap();
    assert!(row.ends_with("\tEND_OF_STREAM\tone\t-\t"), "{row}");
    let url = row.split('\t').nth(2).unwrap();
    let ended = run(&mut chatnio(["ask", "--url", url, "--token", "sk-x", "hi"])).with(4);
    assert!(ended.stdout.starts_with("one"), "{ended:?}");
}
