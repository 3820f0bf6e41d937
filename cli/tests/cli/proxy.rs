//! `--proxy`.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use crate::process::{Directory, KEY, ask, chatnio, run, server};
use chatnio_loopback::closed_port;

/// An HTTP proxy for one connection; its URL, without a user, and the head of the request that it gets.
fn proxy(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    let served = thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        let mut head = String::new();
        let mut lines = BufReader::new(near.try_clone().unwrap());
        while !head.ends_with("\r\n\r\n") {
            lines.read_line(&mut head).unwrap();
        }
        near.write_all(answer.as_bytes()).unwrap();
        let target = head.split(' ').nth(1).unwrap().to_owned();
        if answer.starts_with("HTTP/1.1 200")
            && let Ok(far) = TcpStream::connect(target)
        {
            let (mut far_in, mut near_out) = (far.try_clone().unwrap(), near.try_clone().unwrap());
            let back = thread::spawn(move || io::copy(&mut far_in, &mut near_out));
            let _ = io::copy(&mut lines, &mut &far);
            let _ = far.shutdown(std::net::Shutdown::Both);
            let _ = back.join();
        }
        head
    });
    (url, served)
}

#[test]
fn a_question_goes_through_it() {
    let server = server();
    let (address, served) = proxy("HTTP/1.1 200 OK\r\n\r\n");
    let ended = run(ask(&server, "hello").args(["--proxy", &format!("http://me:hush@{address}")])).with(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("Hello! How can I help?\n", ""));
    let head = served.join().unwrap();
    let host = server.url().trim_start_matches("ws://").trim_end_matches("/chat").to_owned();
    assert!(head.starts_with(&format!("CONNECT {host} HTTP/1.1\r\n")), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic "), "{head}");
}

#[test]
fn what_it_refuses_is_said_without_its_password() {
    let server = server();
    let (address, served) = proxy("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\ncontent-length: 0\r\n\r\n");
    let ended = run(ask(&server, "hello").args(["--proxy", &format!("http://me:hush-hush@{address}")])).with(4);
    assert!(ended.stderr.contains(&format!("the proxy http://{address} does not take this user name")), "{ended:?}");
    assert!(!ended.stderr.contains("hush"), "{ended:?}");
    served.join().unwrap();

    let closed = closed_port();
    let options = ["--proxy", &format!("socks5h://me:hush-hush@{closed}"), "--connect-retries", "0"];
    let ended = run(ask(&server, "hello").args(options)).with(4);
    assert!(ended.stderr.contains(&format!("cannot connect to the proxy socks5h://{closed}: ")), "{ended:?}");
    assert!(!ended.stderr.contains("hush"), "{ended:?}");
    let ended = run(ask(&server, "hello").args(["--proxy", "ftp://me:hush-hush@h"])).with(2);
    assert!(ended.stderr.contains("scheme") && !ended.stderr.contains("hush"), "{ended:?}");
}

#[test]
fn the_configuration_and_the_environment_name_one_for_other_machines() {
    let directory = Directory::new("proxy");
    let server = server();
    let closed = format!("http://{}", closed_port());
    let file = directory.write("config.toml", format!("proxy = {closed:?}\nconnect-retries = 0\n"));
    // Not on the way to this machine itself.
    run(ask(&server, "hello").args(["--config", &file]).env("all_proxy", &closed)).with(0);
    let other = ["ask", "--url", "wss://chat.example", "--token", KEY, "hi"];
    let refused = format!("cannot connect to the proxy {closed}: ");
    let ended = run(chatnio(other).args(["--config", &file])).with(4);
    assert!(ended.stderr.contains(&refused), "{ended:?}");
    let ended = run(chatnio(other).args(["--connect-retries", "0"]).env("https_proxy", &closed)).with(4);
    assert!(ended.stderr.contains(&refused), "{ended:?}");
    let ended = run(chatnio(other).env("https_proxy", "hush://hush")).with(2);
    assert!(ended.stderr.contains("--proxy none") && !ended.stderr.contains("hush"), "{ended:?}");
}
