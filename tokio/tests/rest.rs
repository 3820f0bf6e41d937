//! The companion calls on tokio against the loopback server, and against servers that misbehave.

use std::time::Duration;

use chatnio::{EndpointError, ProxyError, TlsError, Trust};
use chatnio_loopback::{Certificate, Fault, Generation, Options, Server};
use chatnio_tokio::rest::{self, Client, ClientError, Error, RequestError};
use chatnio_tokio::{Auth, ConnectionConfig, Proxy, TlsOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const KEY: &str = "sk-secret-token";

fn serve(change: impl FnOnce(&mut Options)) -> Server {
    let mut options = Options::new(Generation::G2026);
    change(&mut options);
    Server::start(options).unwrap()
}

/// The defaults, and each call once: the server is there for as many.
fn once() -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.connect_retries = 0;
    config
}

fn client_of(server: &Server, key: &str) -> Client {
    Client::new(&server.url(), Auth::new(key), &ConnectionConfig::default()).unwrap()
}

fn trusting(server: &Server) -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    let tls = TlsOptions::new().trust(Trust::GivenOnly);
    config.tls = tls.roots_pem(server.ca_pem().unwrap().as_bytes()).unwrap().build().unwrap();
    config
}

#[tokio::test]
async fn conversations_are_listed_loaded_renamed_and_deleted() {
    let server = serve(|_| {});
    server.world().store(KEY, "hello", Vec::new());
    server.world().store(KEY, "hello", Vec::new());
    let client = client_of(&server, KEY);
    let list = client.call(&rest::conversations()).await.unwrap();
    assert_eq!(list.iter().map(|listed| listed.id).collect::<Vec<_>>(), [2, 1]);
    client.call(&rest::rename_conversation(1, "é \"x\"\n")).await.unwrap();
    assert_eq!(client.call(&rest::conversation(1)).await.unwrap().name, "é \"x\"\n");
    client.call(&rest::delete_conversation(1)).await.unwrap();
    let error = client.call(&rest::delete_conversation(1)).await.unwrap_err();
    assert!(matches!(error, ClientError::Answer(Error::NotFound { .. })), "{error:?}");
    assert_eq!(client.call(&rest::quota()).await.unwrap(), 500.0);
    assert!(client.call(&rest::models()).await.unwrap().iter().any(|model| model.id == "hello"));
    let (quota, info, user) = (rest::quota(), rest::info(), rest::user());
    let (quota, info, user) = tokio::join!(client.call(&quota), client.call(&info), client.call(&user));
    assert_eq!((quota.unwrap(), &*info.unwrap().title, &*user.unwrap().name), (500.0, "", "root"), "also at once");
}

#[tokio::test]
async fn every_fault_is_named() {
    for (faults, url_end, expected) in [
        (&[][..], "", "500"),
        (&[Fault::TwoObjects], "/api", "500"),
        (&[Fault::Throttled], "", "throttled"),
        (&[Fault::BadKey], "", "bad_key"),
        (&[Fault::BlackListed], "", "black_listed"),
        (&[Fault::WebPage], "", "web_page"),
        (&[Fault::BadGateway], "", "http"),
    ] {
        let server = serve(|options| options.faults = faults.to_vec());
        let url = format!("ws://{}{url_end}", server.addr());
        let client = Client::new(&url, Auth::new(KEY), &once()).unwrap();
        let code = match client.call(&rest::quota()).await {
            Ok(quota) => quota.to_string(),
            Err(ClientError::Answer(error)) => error.code().to_owned(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(code, expected);
    }
}

#[tokio::test]
async fn keys_are_told_apart_and_none_shows() {
    let server = serve(|options| options.bad_keys = vec!["sk-bad".into()]);
    let error = client_of(&server, "sk-bad").call(&rest::quota()).await.unwrap_err();
    assert!(matches!(&error, ClientError::Answer(error) if error.code() == "bad_key"), "{error:?}");
    let error = client_of(&server, "sk-a\r\nX: y").call(&rest::quota()).await.unwrap_err();
    assert!(matches!(error, ClientError::Request(RequestError::Key)), "{error:?}");
    let refused = Client::new("ftp://h", Auth::new(KEY), &ConnectionConfig::default()).map(|_| ());
    assert!(matches!(refused, Err(ClientError::Endpoint(EndpointError::Scheme))));
    assert!(!format!("{:?}", client_of(&server, KEY)).contains("secret"));
    // This very machine, but not by its form.
    let url = format!("ws://0.0.0.0:{}", server.addr().port());
    let mut config = ConnectionConfig::default();
    let error = Client::new(&url, Auth::new(KEY), &config).unwrap().call(&rest::quota()).await.unwrap_err();
    assert!(matches!(error, ClientError::PlainKey { host } if host == "0.0.0.0"));
    config.allow_token_over_plain_ws = true;
    assert_eq!(Client::new(&url, Auth::new(KEY), &config).unwrap().call(&rest::quota()).await.unwrap(), 500.0);
}

#[tokio::test]
async fn certificates_are_those_of_the_chat() {
    for (certificate, expected) in [
        (Certificate::Valid, None),
        (Certificate::Expired, Some("Expired")),
        (Certificate::WrongName, Some("WrongName")),
    ] {
        let server = serve(|options| options.tls = Some(certificate));
        let client = Client::new(&server.url(), Auth::new(KEY), &trusting(&server)).unwrap();
        match (client.call(&rest::quota()).await, expected) {
            (Ok(_), None) => {}
            (Err(ClientError::Tls(error)), Some(expected)) => {
                assert!(format!("{error:?}").starts_with(expected), "{error:?}");
            }
            (called, _) => panic!("{certificate:?}: {called:?}"),
        }
        let error = client_of(&server, KEY).call(&rest::quota()).await.unwrap_err();
        assert!(matches!(error, ClientError::Tls(_)), "nobody trusted signed it: {error:?}");
    }
    let (url, server) = raw(vec![b"HTTP/1.1 400 Bad Request\r\n\r\n"]).await;
    let called = quota_at(&url.replace("ws://", "wss://")).await;
    assert!(matches!(called, Err(ClientError::Tls(TlsError::NotTls { .. }))), "{called:?}");
    server.await.unwrap();
}

/// A server that gives each connection one answer, and what it was asked.
async fn raw(answers: Vec<&'static [u8]>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            requests.push(read_head(&mut socket).await);
            socket.write_all(answer).await.unwrap();
        }
        requests
    });
    (url, server)
}

async fn read_head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    // A TLS record, which begins with this byte, has no such end.
    while !head.ends_with(b"\r\n\r\n") && head.first() != Some(&22) {
        head.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8_lossy(&head).into_owned()
}

async fn quota_at(url: &str) -> Result<f64, ClientError> {
    let mut config = once();
    config.headers.add("X-Gate", "open").unwrap();
    Client::new(url, Auth::new(KEY), &config).unwrap().call(&rest::quota()).await
}

const SEVEN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{\"quota\":7,\"status\":true}";

#[tokio::test]
async fn a_request_is_as_it_should_be_and_no_redirect_is_followed() {
    let (url, server) = raw(vec![
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/quota\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ])
    .await;
    let error = quota_at(&url).await.unwrap_err();
    assert!(matches!(error, ClientError::Answer(Error::Http { status: 302, .. })), "{error:?}");
    let request = server.await.unwrap().remove(0).to_lowercase();
    assert!(request.starts_with("get /quota http/1.1\r\n"), "{request}");
    let host = format!("host: {}", url.trim_start_matches("ws://"));
    let headers = ["authorization: bearer sk-secret-token", "accept: application/json", "x-gate: open", &host];
    for header in headers {
        assert_eq!(request.matches(&format!("\r\n{header}\r\n")).count(), 1, "{header}: {request}");
    }
    assert!(request.contains("\r\nuser-agent: chatnio/"), "{request}");
}

#[tokio::test]
async fn the_urls_query_goes_along_and_shows_in_no_error() {
    let (url, server) =
        raw(vec![b"HTTP/1.1 403 Forbidden\r\nContent-Length: 27\r\n\r\nno: /quota?gate=open-sesame", SEVEN]).await;
    let url = format!("{url}/api?gate=open-sesame");
    let error = quota_at(&url).await.unwrap_err();
    assert!(matches!(error, ClientError::Answer(Error::Http { status: 403, .. })), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
    assert_eq!(quota_at(&url).await.unwrap(), 7.0);
    for request in server.await.unwrap() {
        assert!(request.starts_with("GET /api/quota?gate=open-sesame HTTP/1.1\r\n"), "{request}");
    }
}

#[tokio::test]
async fn what_breaks_off_is_lost_and_what_is_no_http_is_named() {
    let (url, server) = raw(vec![
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"quota\":1",
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n{\"quota\":7,\"status\":true}",
    ])
    .await;
    for _ in 0..2 {
        let error = quota_at(&url).await.unwrap_err();
        assert!(matches!(error, ClientError::Lost { .. }), "{error:?}");
    }
    let error = quota_at(&url).await.unwrap_err();
    assert!(matches!(error, ClientError::BadHttp { .. }), "{error:?}");
    assert_eq!(quota_at(&url).await.unwrap(), 7.0);
    server.await.unwrap();
}

#[tokio::test]
async fn what_only_reads_is_tried_again_and_nothing_else_is() {
    const AWAY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let mut config = ConnectionConfig::default();
    config.connect_retries = 1;
    let (url, server) = raw(vec![AWAY, SEVEN]).await;
    let client = Client::new(&url, Auth::new(KEY), &config).unwrap();
    assert_eq!(client.call(&rest::quota()).await.unwrap(), 7.0);
    server.await.unwrap();
    let (url, server) = raw(vec![AWAY]).await;
    let client = Client::new(&url, Auth::new(KEY), &config).unwrap();
    let error = client.call(&rest::delete_conversation(1)).await.unwrap_err();
    assert!(matches!(error, ClientError::Answer(Error::Http { status: 503, .. })), "{error:?}");
    assert_eq!(server.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_proxy_is_gone_through() {
    let server = serve(|options| options.tls = Some(Certificate::Valid));
    let target = server.addr();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap();
    let proxied = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let head = read_head(&mut client).await;
        let mut server = TcpStream::connect(target).await.unwrap();
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
        head
    });
    let mut config = trusting(&server);
    config.proxy = Some(Proxy::parse(&format!("http://me:hush@{proxy}")).unwrap());
    let client = Client::new(&server.url(), Auth::new(KEY), &config).unwrap();
    assert_eq!(client.call(&rest::quota()).await.unwrap(), 500.0);
    let head = proxied.await.unwrap();
    assert!(head.starts_with(&format!("CONNECT localhost:{} HTTP/1.1\r\n", target.port())), "{head}");
    assert!(!head.contains(KEY) && !format!("{client:?}").contains("hush"), "{head}");

    let (url, server) = raw(vec![b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"]).await;
    config.proxy = Some(Proxy::parse(&url.replace("ws://", "http://")).unwrap());
    let client = Client::new("wss://localhost:1", Auth::new(KEY), &config).unwrap();
    let error = client.call(&rest::quota()).await.unwrap_err();
    assert!(matches!(error, ClientError::Proxy(ProxyError::Authentication { .. })), "{error:?}");
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_ends_by_the_limits() {
    // The system accepts for it, and nobody answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::new(&format!("ws://{address}"), Auth::new(KEY), &once()).unwrap();
    let started = tokio::time::Instant::now();
    let error = client.call(&rest::quota()).await.unwrap_err();
    let limit = Duration::from_secs(30);
    assert!(matches!(error, ClientError::Timeout { limit: of } if of == limit), "{error:?}");
    assert!(error.is_retryable() && started.elapsed() >= limit);
    let client = Client::new(&format!("wss://{address}"), Auth::new(KEY), &once()).unwrap();
    let error = client.call(&rest::quota()).await.unwrap_err();
    assert!(matches!(error, ClientError::ConnectTimeout { .. }), "{error:?}");
    // Port 1 is nobody's.
    let client = Client::new("wss://127.0.0.1:1", Auth::new(KEY), &once()).unwrap();
    let error = client.call(&rest::quota()).await.unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error:?}");
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_nothing() {
    fn is_sent<T: Send>(future: T) -> T {
        future
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let client = Client::new(&url, Auth::new(KEY), &ConnectionConfig::default()).unwrap();
    let call = rest::quota();
    let mut called = Box::pin(is_sent(client.call(&call)));
    let mut socket = tokio::select! {
        accepted = listener.accept() => accepted.unwrap().0,
        _ = &mut called => panic!("nobody answers"),
    };
    tokio::select! {
        _ = read_head(&mut socket) => {}
        _ = &mut called => panic!("nobody answers"),
    }
    drop(called);
    assert_eq!(socket.read(&mut [0]).await.unwrap_or(0), 0);
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}
