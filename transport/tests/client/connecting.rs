//! Connecting: refusals, addresses, certificates, proxies, tries.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use chatnio::{
    Auth, AuthError, Client, ClientError, ConnectionConfig, ConnectionEnd, Endpoint, Outcome, Request, StartError,
    Stopper, TlsError, TlsOptions, Trust, WireError,
};
#[cfg(target_os = "linux")]
use chatnio_loopback::Silent;
use chatnio_loopback::{Certificate, Refusal, Server, closed_port};

use crate::support::{ask, config, serve};

#[test]
fn connecting_fails_as_what_it_is() {
    let closed = closed_port();
    let error = Client::connect(&format!("ws://{closed}"), Auth::anonymous(), &config()).unwrap_err();
    assert!(matches!(&error, ClientError::Connect { host, .. } if host.starts_with("127.0.0.1:")), "{error:?}");

    let mut config = config();
    config.connect = Duration::from_secs(2);
    let error = Client::connect("ws://no-such-host.invalid", Auth::anonymous(), &config).unwrap_err();
    let fits = matches!(&error, ClientError::Resolve { host, .. } | ClientError::ConnectTimeout { host, .. } if host.starts_with("no-such-host.invalid"));
    assert!(fits, "{error:?}");

    for (url, token) in [("ws://h/#token=sk-1", "sk-1"), ("ws://sk-2@h", "sk-2"), ("ftp://h", "sk-3")] {
        let error = Client::connect(url, Auth::new(token), &config).unwrap_err();
        assert!(matches!(error, ClientError::Endpoint(_)) && !error.to_string().contains("sk-"), "{error}");
    }
    // What the settings forbid is found out before anybody is asked.
    let error = Client::connect("ws://chat.invalid", Auth::new("sk-4"), &config).unwrap_err();
    assert!(matches!(error, ClientError::Start(StartError::PlainToken { .. })), "{error:?}");
    let error = Client::connect("wss://chat.invalid", Auth::new(""), &config).unwrap_err();
    assert!(matches!(error, ClientError::Start(StartError::Auth(AuthError::EmptyToken))), "{error:?}");
}

#[test]
fn every_address_is_tried() {
    let server = serve(|_| ());
    let closed = closed_port();
    let endpoint = Endpoint::parse("ws://chat.example").unwrap();
    let addresses: [SocketAddr; 3] = [closed, closed, server.addr()];
    let mut client = Client::connect_to(&addresses, &endpoint, Auth::anonymous(), &config()).unwrap();
    assert_eq!(ask(&mut client, "one").text, "one");
    client.reconnect().unwrap();
    assert_eq!(ask(&mut client, "one").text, "one", "by the same addresses");
    let none = Client::connect_to(&[], &endpoint, Auth::anonymous(), &config());
    assert!(matches!(none, Err(ClientError::Connect { .. })));
}

#[test]
fn a_stream_of_the_hosts_own_is_used() {
    let server = serve(|_| ());
    let stream = TcpStream::connect(server.addr()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let endpoint = Endpoint::parse("ws://chat.example").unwrap();
    let mut client = Client::from_stream(stream, &endpoint, Auth::anonymous(), &config()).unwrap();
    assert_eq!(ask(&mut client, "one").text, "one");
    // Nobody else knows the way.
    assert!(matches!(client.reconnect(), Err(ClientError::GivenStream)));
    assert!(client.reconnect_stream(TcpStream::connect(server.addr()).unwrap()).unwrap().is_none());
    assert_eq!(ask(&mut client, "one").text, "one");
}

#[cfg(unix)]
#[test]
fn a_socket_of_unix_is_a_stream_too() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::{UnixDatagram, UnixStream};

    let server = serve(|_| ());
    let (ours, inside) = UnixStream::pair().unwrap();
    let outside = TcpStream::connect(server.addr()).unwrap();
    let (mut from, mut to) = (inside.try_clone().unwrap(), outside.try_clone().unwrap());
    let there = thread::spawn(move || std::io::copy(&mut from, &mut to).map(|_| to.shutdown(Shutdown::Write)));
    let back =
        thread::spawn(move || std::io::copy(&mut &outside, &mut &inside).map(|_| inside.shutdown(Shutdown::Write)));
    let endpoint = Endpoint::parse("ws://localhost").unwrap();
    let stream = TcpStream::from(OwnedFd::from(ours));
    let mut client = Client::from_stream(stream, &endpoint, Auth::anonymous(), &config()).unwrap();
    let answer = client.ask(&Request::chat("hi")).unwrap().into_answer().unwrap();
    assert_eq!(answer.outcome, Some(Outcome::Complete));
    client.close().unwrap();
    drop(client);
    let _ = (there.join().unwrap(), back.join().unwrap());

    let (datagrams, _other) = UnixDatagram::pair().unwrap();
    let stream = TcpStream::from(OwnedFd::from(datagrams));
    let error = Client::from_stream(stream, &endpoint, Auth::anonymous(), &config()).unwrap_err();
    assert!(matches!(error, ClientError::NotAStream), "{error:?}");
}

#[test]
fn refusals_before_the_websocket_say_why() {
    for two_segments in [false, true] {
        let server = serve(|options| {
            options.refusal = Some(Refusal::throttled());
            options.two_segments = two_segments;
        });
        let error = Client::connect(&server.url(), Auth::anonymous(), &config()).unwrap_err();
        let ClientError::Ended(ConnectionEnd::Lost(WireError::Throttled(refusal))) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(refusal.reason.as_deref().unwrap(), "You have sent too many requests. Please try again later.");
    }
    let server = serve(|_| ());
    let error =
        Client::connect(&format!("{}/nowhere", server.url().trim_end_matches("/chat")), Auth::anonymous(), &config());
    let Err(ClientError::Ended(end)) = error else { panic!("{error:?}") };
    assert!(matches!(end, ConnectionEnd::Lost(WireError::Http(_))), "{end:?}");
    assert_eq!(end.code(), Some(404));
    assert!(end.refusal().unwrap().body.contains("not found"));
}

#[test]
fn tls_trusts_whom_it_is_told_to() {
    let connect = |server: &Server, host: &str, trusted: bool| {
        let mut config = config();
        let mut options = TlsOptions::new();
        if trusted {
            options = options.trust(Trust::GivenOnly).roots_pem(server.ca_pem().unwrap().as_bytes()).unwrap();
        }
        config.tls = options.build().unwrap();
        let url = format!("wss://{host}:{}", server.addr().port());
        let endpoint = Endpoint::parse(&url).unwrap();
        match Client::connect_to(&[server.addr()], &endpoint, Auth::new("sk-secret-token"), &config) {
            Ok(mut client) => Ok(ask(&mut client, "one").text),
            Err(ClientError::Ended(ConnectionEnd::Lost(WireError::Tls(error)))) => Err(error),
            Err(error) => panic!("{error:?}"),
        }
    };
    let server = serve(|options| options.tls = Some(Certificate::Valid));
    assert_eq!(connect(&server, "localhost", true), Ok("one".into()));
    assert_eq!(connect(&server, "127.0.0.1", true), Ok("one".into()));
    assert!(matches!(connect(&server, "localhost", false), Err(TlsError::UnknownIssuer { .. })));
    assert!(matches!(connect(&server, "chat.example", true), Err(TlsError::WrongName { .. })));
    let server = serve(|options| options.tls = Some(Certificate::WrongName));
    assert!(matches!(connect(&server, "localhost", true), Err(TlsError::WrongName { .. })));
    let server = serve(|options| options.tls = Some(Certificate::Expired));
    assert!(matches!(connect(&server, "localhost", true), Err(TlsError::Expired { .. })));
}

#[cfg(target_os = "linux")]
#[test]
fn a_silent_address_does_not_hold_up_the_next() {
    let held = Silent::at(0).unwrap();
    let silent = held.address();
    let server = serve(|_| ());
    let endpoint = Endpoint::parse(&server.url()).unwrap();
    let good = SocketAddr::from(([127, 0, 0, 1], endpoint.port()));
    let mut client = Client::connect_to(&[silent, good], &endpoint, Auth::anonymous(), &config()).unwrap();
    client.close().unwrap();
    let mut config = config();
    config.connect = Duration::from_millis(300);
    let error = Client::connect_to(&[silent], &endpoint, Auth::anonymous(), &config).unwrap_err();
    assert!(matches!(error, ClientError::ConnectTimeout { .. }), "{error:?}");
    // What TLS needs was read meanwhile.
    assert!(!config.tls.is_loaded());
    let endpoint = Endpoint::parse("wss://chat.example").unwrap();
    Client::connect_to(&[silent], &endpoint, Auth::anonymous(), &config).unwrap_err();
    assert!(config.tls.is_loaded());
}

#[cfg(target_os = "linux")]
#[test]
fn a_stopper_that_is_there_first_ends_the_connect() {
    let held = Silent::at(0).unwrap();
    let silent = held.address();
    let stopper = Stopper::new();
    let closer = stopper.clone();
    let connects = thread::spawn(move || {
        let mut config = config();
        config.connect = Duration::ZERO;
        Client::connect_with(&format!("ws://{silent}"), Auth::anonymous(), &config, &stopper)
    });
    closer.close();
    let error = connects.join().unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Ended(ConnectionEnd::Clean)), "{error:?}");

    let server = serve(|_| ());
    let stopper = Stopper::new();
    let mut client = Client::connect_with(&server.url(), Auth::anonymous(), &config(), &stopper).unwrap();
    stopper.close();
    assert!(client.next_within(Duration::from_secs(10)).unwrap().is_none());
    assert_eq!(client.end(), Some(ConnectionEnd::Clean));
}

/// A server that answers each of its connections with the next of these, and then waits to be asked how many came.
fn answers(list: &'static [&'static str]) -> (SocketAddr, thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let counts = thread::spawn(move || {
        for (at, answer) in list.iter().enumerate() {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 1000];
            while !request.ends_with(b"\r\n\r\n") {
                match socket.read(&mut buffer).unwrap() {
                    0 => return at,
                    n => request.extend_from_slice(&buffer[..n]),
                }
            }
            socket.write_all(answer.as_bytes()).unwrap();
        }
        list.len()
    });
    (address, counts)
}

#[test]
fn connecting_is_tried_again_where_that_may_help() {
    const AWAY: &str = "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n";
    const LATER: &str = "HTTP/1.1 503 x\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n";
    const GONE: &str = "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n";
    let by_default = ConnectionConfig::default().connect_retries;
    let lists = [
        (&[AWAY, "", GONE][..], by_default),
        (&[AWAY, "", AWAY], by_default),
        (&[AWAY, AWAY], 1),
        (&[AWAY], 0),
        (&[LATER], 5),
        (&[GONE], 5),
    ];
    for (list, retries) in lists {
        let (address, counts) = answers(list);
        let mut config = config();
        config.connect_retries = retries;
        let error = Client::connect(&format!("ws://{address}"), Auth::anonymous(), &config).unwrap_err();
        let ClientError::Ended(ConnectionEnd::Lost(error)) = error else { panic!("{error:?}") };
        let last = if list.ends_with(&[GONE]) { 404 } else { 503 };
        assert_eq!(error.refusal().map(|refusal| refusal.status), Some(last), "{list:?}: {error}");
        assert_eq!(counts.join().unwrap(), list.len());
    }
}

#[test]
fn what_a_try_was_told_is_not_hidden_by_the_end_of_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        assert!(first.read(&mut [0; 1000]).unwrap() > 0);
        first.write_all(b"HTTP/1.1 503 x\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nbusy").unwrap();
        // The second has no answer, and less time than its own handshake.
        let (mut second, _) = listener.accept().unwrap();
        let _ = second.read_to_end(&mut Vec::new());
    });
    let mut config = config();
    config.connect_retries = 2;
    // The second try is made also where the machine stands still for a while.
    (config.connect, config.handshake) = (Duration::from_secs(1), Duration::from_secs(8));
    let error = Client::connect(&url, Auth::anonymous(), &config).unwrap_err();
    let ClientError::Ended(ConnectionEnd::Lost(WireError::Unavailable(refusal))) = error else { panic!("{error:?}") };
    assert_eq!((refusal.body.as_str(), refusal.retry_after), ("busy", Some(Duration::from_secs(2))));
}

#[test]
fn a_proxy_that_throttles_is_asked_again_when_it_says() {
    const SLOW: &str = "HTTP/1.1 429 x\r\nRetry-After: 1\r\n\r\n";
    const NONE: &str = "HTTP/1.1 403 x\r\n\r\n";
    let (address, counts) = answers(&[SLOW, NONE]);
    let mut config = config();
    config.connect_retries = 1;
    config.proxy = Some(format!("http://{address}").parse().unwrap());
    let before = Instant::now();
    let error = Client::connect("ws://chat.example", Auth::anonymous(), &config).unwrap_err();
    // Throttling counts what it refuses, too: never sooner.
    assert!(before.elapsed() >= Duration::from_millis(1100));
    assert_eq!(counts.join().unwrap(), 2);
    let ClientError::Ended(end) = error else { panic!("{error:?}") };
    assert_eq!((end.code(), end.retry_cause()), (Some(403), None));
}

#[test]
fn a_proxy_is_gone_through() {
    let server = serve(|_| ());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let forwards = thread::spawn(move || {
        let (mut inside, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") {
            inside.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        let request = String::from_utf8(request).unwrap();
        let target = request.split(' ').nth(1).unwrap().to_owned();
        let mut outside = TcpStream::connect(target).unwrap();
        inside.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let (mut from, mut to) = (inside.try_clone().unwrap(), outside.try_clone().unwrap());
        let there = thread::spawn(move || std::io::copy(&mut from, &mut to).map(|_| to.shutdown(Shutdown::Write)));
        let _ = std::io::copy(&mut outside, &mut inside);
        let _ = inside.shutdown(Shutdown::Both);
        let _ = there.join();
    });
    let mut config = config();
    config.proxy = Some(proxy.parse().unwrap());
    let mut client = Client::connect(&server.url(), Auth::anonymous(), &config).unwrap();
    let answer = client.ask(&Request::chat("hi")).unwrap().into_answer().unwrap();
    assert_eq!(answer.outcome, Some(Outcome::Complete));
    client.close().unwrap();
    drop(client);
    forwards.join().unwrap();
}
