//! `wss://`, with certificates that are good and not.

use chatnio_loopback::{Certificate, Options, Server};
use std::net::TcpListener;

use crate::process::{Directory, ask, chatnio, run, server_with};

fn tls_server(certificate: Certificate) -> Server {
    server_with(Options { tls: Some(certificate), ..Options::default() })
}

#[test]
fn a_root_file_makes_the_server_trusted() {
    let directory = Directory::new("tls");
    let server = tls_server(Certificate::Valid);
    let ca = directory.write("ca.pem", server.ca_pem().unwrap());
    let ended = run(ask(&server, "hello").args(["--ca-file", &ca])).with(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("Hello! How can I help?\n", ""));
}

#[test]
fn without_it_the_refusal_says_what_to_do() {
    let server = tls_server(Certificate::Valid);
    let ended = run(&mut ask(&server, "hello")).with(4);
    assert!(ended.stderr.contains("--ca-file"), "{ended:?}");
    assert_eq!(server.stats().upgrades, 0);
}

#[test]
fn a_wrong_name_and_an_expired_certificate_are_named() {
    let directory = Directory::new("tls-bad");
    for (certificate, says) in [
        (Certificate::WrongName, "not for localhost but for"),
        (Certificate::Expired, "certificate of localhost has expired"),
    ] {
        let server = tls_server(certificate);
        let ca = directory.write("ca.pem", server.ca_pem().unwrap());
        let ended = run(ask(&server, "hello").args(["--ca-file", &ca])).with(4);
        assert!(ended.stderr.contains(says), "{ended:?}");
        let ended = run(ask(&server, "hello").arg("--dangerous-accept-any-certificate")).with(0);
        assert_eq!(ended.stdout, "Hello! How can I help?\n");
    }
}

#[test]
fn a_silent_server_ends_in_the_configured_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("wss://{}", listener.local_addr().unwrap());
    let arguments = ["ask", "--url", &url, "--dangerous-accept-any-certificate", "--timeout", "0.3", "hi"];
    let ended = run(&mut chatnio(arguments)).with(4);
    assert!(ended.stderr.contains("TLS handshake in time"), "{ended:?}");
}
