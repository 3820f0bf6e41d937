//! Connecting: refusals, addresses, certificates, proxies, tries.

use std::time::Duration;

use chatnio::{AuthError, StartError, TlsError, Trust};
#[cfg(target_os = "linux")]
use chatnio_loopback::Silent;
use chatnio_loopback::{Certificate, Refusal, closed_port};
use chatnio_tokio::{
    Auth, Client, ClientError, ConnectionConfig, ConnectionEnd, Endpoint, Outcome, TlsOptions, WireError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, pause};

use crate::support::{ask, bounded, config, serve, until};

async fn refused(url: &str, auth: Auth, config: &ConnectionConfig) -> ClientError {
    bounded(Client::connect(url, auth, config)).await.unwrap_err()
}

#[tokio::test]
async fn connecting_fails_as_what_it_is() {
    let closed = closed_port();
    let error = refused(&format!("ws://{closed}"), Auth::anonymous(), &config()).await;
    assert!(matches!(&error, ClientError::Connect { host, .. } if host.starts_with("127.0.0.1:")), "{error:?}");

    let mut config = config();
    config.connect = Duration::from_secs(2);
    let error = refused("ws://no-such-host.invalid", Auth::anonymous(), &config).await;
    let fits = matches!(&error, ClientError::Resolve { host, .. } | ClientError::ConnectTimeout { host, .. } if host.starts_with("no-such-host.invalid"));
    assert!(fits, "{error:?}");

    for (url, token) in [("ws://h/#token=sk-1", "sk-1"), ("ws://sk-2@h", "sk-2"), ("ftp://h", "sk-3")] {
        let error = refused(url, Auth::new(token), &config).await;
        assert!(matches!(error, ClientError::Endpoint(_)) && !error.to_string().contains("sk-"), "{error}");
    }
    // What the settings forbid is found out before anybody is asked.
    let error = refused("ws://chat.invalid", Auth::new("sk-4"), &config).await;
    assert!(matches!(error, ClientError::Start(StartError::PlainToken { .. })), "{error:?}");
    let error = refused("wss://chat.invalid", Auth::new(""), &config).await;
    assert!(matches!(error, ClientError::Start(StartError::Auth(AuthError::EmptyToken))), "{error:?}");
}

#[tokio::test]
async fn refusals_before_the_websocket_say_why() {
    for two_segments in [false, true] {
        let server = serve(|options| {
            options.refusal = Some(Refusal::throttled());
            options.two_segments = two_segments;
        });
        let error = refused(&server.url(), Auth::anonymous(), &config()).await;
        let ClientError::Ended(ConnectionEnd::Lost(WireError::Throttled(refusal))) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(refusal.reason.as_deref().unwrap(), "You have sent too many requests. Please try again later.");
    }
}

#[tokio::test]
async fn every_address_is_tried() {
    let server = serve(|_| ());
    let closed = closed_port();
    let endpoint = Endpoint::parse("ws://chat.example").unwrap();
    let addresses = [closed, closed, server.addr()];
    let mut client = Client::connect_to(&addresses, &endpoint, Auth::anonymous(), &config()).await.unwrap();
    assert_eq!(ask(&mut client, "anon").await.outcome, Some(Outcome::Complete));
    client.reconnect().await.unwrap();
    assert_eq!(ask(&mut client, "anon").await.outcome, Some(Outcome::Complete), "by the same addresses");
    let none = Client::connect_to(&[], &endpoint, Auth::anonymous(), &config()).await;
    assert!(matches!(none, Err(ClientError::Connect { .. })));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_silent_address_does_not_hold_up_the_next() {
    let held = Silent::at(0).unwrap();
    let silent = held.address();
    let server = serve(|_| ());
    let endpoint = Endpoint::parse(&server.url()).unwrap();
    let addresses = [silent, server.addr()];
    let mut client = bounded(Client::connect_to(&addresses, &endpoint, Auth::anonymous(), &config())).await.unwrap();
    client.close().await.unwrap();
    // What TLS needs is read meanwhile.
    let over_tls = Endpoint::parse("wss://chat.example").unwrap();
    let mut soon = config();
    soon.connect = Duration::from_millis(300);
    Client::connect_to(&[silent], &over_tls, Auth::anonymous(), &soon).await.unwrap_err();
    until(|| soon.tls.is_loaded()).await;
    pause();
    let started = Instant::now();
    let error = Client::connect_to(&[silent], &endpoint, Auth::anonymous(), &config()).await.unwrap_err();
    assert!(matches!(error, ClientError::ConnectTimeout { .. }), "{error:?}");
    let limit = Duration::from_secs(10);
    assert!(started.elapsed() >= limit && started.elapsed() < limit + Duration::from_secs(1));
}

#[tokio::test]
async fn a_stream_of_the_hosts_own_is_used() {
    let server = serve(|_| ());
    let endpoint = Endpoint::parse("ws://chat.example").unwrap();
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    let mut client = Client::from_stream(stream, &endpoint, Auth::anonymous(), &config()).await.unwrap();
    assert_eq!(ask(&mut client, "anon").await.outcome, Some(Outcome::Complete));
    // Nobody else knows the way.
    assert!(matches!(client.reconnect().await, Err(ClientError::GivenStream)));
    assert_eq!(ask(&mut client, "anon").await.outcome, Some(Outcome::Complete), "and nothing has changed");
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    client.reconnect_stream(stream).await.unwrap();
    assert_eq!(ask(&mut client, "anon").await.outcome, Some(Outcome::Complete));
}

#[tokio::test]
async fn tls_trusts_whom_it_is_told_to() {
    let server = serve(|options| options.tls = Some(Certificate::Valid));
    let options = TlsOptions::new().trust(Trust::GivenOnly);
    let mut config = config();
    config.tls = options.roots_pem(server.ca_pem().unwrap().as_bytes()).unwrap().build().unwrap();
    let url = format!("wss://localhost:{}", server.addr().port());
    let mut client = Client::connect(&url, Auth::new("sk-x"), &config).await.unwrap();
    assert!(client.tls().is_some());
    let answer = ask(&mut client, "long-20000").await;
    assert_eq!((answer.chunks, answer.text.len()), (20_000, 20_000 * "piece ".len()));
    client.close().await.unwrap();

    config.tls = TlsOptions::new().build().unwrap();
    let error = refused(&url, Auth::new("sk-x"), &config).await;
    let fits =
        matches!(&error, ClientError::Ended(ConnectionEnd::Lost(WireError::Tls(TlsError::UnknownIssuer { .. }))));
    assert!(fits, "{error:?}");
}

#[tokio::test]
async fn connecting_is_tried_again_where_that_may_help() {
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            for answer in list {
                let (mut socket, _) = listener.accept().await.unwrap();
                read_head(&mut socket).await;
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let mut config = config();
        config.connect_retries = retries;
        let error = refused(&url, Auth::anonymous(), &config).await;
        let ClientError::Ended(ConnectionEnd::Lost(error)) = error else { panic!("{error:?}") };
        let last = if list.ends_with(&[GONE]) { 404 } else { 503 };
        assert_eq!(error.refusal().map(|refusal| refusal.status), Some(last), "{list:?}: {error}");
        served.await.unwrap();
    }
}

async fn read_head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn what_a_try_was_told_is_not_hidden_by_the_end_of_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        read_head(&mut first).await;
        first.write_all(b"HTTP/1.1 503 x\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nbusy").await.unwrap();
        // The second has no answer, and less time than its own handshake.
        let (mut second, _) = listener.accept().await.unwrap();
        let _ = second.read_to_end(&mut Vec::new()).await;
    });
    let mut config = config();
    config.connect_retries = 2;
    // The second try is made also where the machine stands still for a while.
    (config.connect, config.handshake) = (Duration::from_secs(1), Duration::from_secs(8));
    let error = refused(&url, Auth::anonymous(), &config).await;
    let ClientError::Ended(ConnectionEnd::Lost(WireError::Unavailable(refusal))) = error else { panic!("{error:?}") };
    assert_eq!((refusal.body.as_str(), refusal.retry_after), ("busy", Some(Duration::from_secs(2))));
}

#[tokio::test]
async fn a_proxy_is_gone_through_and_asked_again() {
    let server = serve(|_| ());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://me:hush@{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut inside, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let head = read_head(&mut inside).await;
                assert!(head.starts_with("CONNECT ") && head.contains("\r\nProxy-Authorization: Basic "), "{head}");
                let mut outside = TcpStream::connect(head.split(' ').nth(1).unwrap()).await.unwrap();
                inside.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = copy_bidirectional(&mut inside, &mut outside).await;
            });
        }
    });
    let mut config = config();
    config.proxy = Some(proxy.parse().unwrap());
    let mut client = Client::connect(&server.url(), Auth::anonymous(), &config).await.unwrap();
    assert_eq!(ask(&mut client, "anon").await.outcome, Some(Outcome::Complete));
    client.reconnect().await.unwrap();
    assert_eq!(ask(&mut client, "anon").await.outcome, Some(Outcome::Complete));
    assert!(!format!("{client:?}").contains("hush"));
}

#[tokio::test]
async fn a_socks_proxy_is_told_the_address_that_was_looked_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config();
    config.proxy = Some(format!("socks5://{}", listener.local_addr().unwrap()).parse().unwrap());
    let asked = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut hello = [0; 3];
        socket.read_exact(&mut hello).await.unwrap();
        socket.write_all(&[5, 0]).await.unwrap();
        let mut request = [0; 10];
        socket.read_exact(&mut request).await.unwrap();
        request
    });
    assert!(bounded(Client::connect("ws://localhost:7", Auth::anonymous(), &config)).await.is_err());
    assert_eq!(asked.await.unwrap(), [5, 1, 0, 1, 127, 0, 0, 1, 0, 7]);
}
