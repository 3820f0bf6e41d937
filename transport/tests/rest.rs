//! The companion calls against the loopback server, over real sockets on 127.0.0.1.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use chatnio::rest::{self, Client, ClientError, Error, RequestError};
use chatnio::{Auth, ConnectionConfig, EndpointError, Proxy, ProxyError, TlsError, TlsOptions, Trust};
use chatnio_loopback::{Certificate, Fault, Generation, Message, Options, Server};

const KEY: &str = "sk-secret-token";

fn serve(change: impl FnOnce(&mut Options)) -> Server {
    let mut options = Options::default();
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

/// With two conversations.
fn served() -> (Server, Client) {
    let server = serve(|_| {});
    for question in ["hi", "more"] {
        let message = |role: &str, content: &str| Message { role: role.to_owned(), content: content.to_owned() };
        server.world().store(KEY, "hello", vec![message("user", question), message("assistant", "Hello!")]);
    }
    let client = client_of(&server, KEY);
    (server, client)
}

#[test]
fn a_client_is_sent_and_shared() {
    fn check<T: Send + Sync>() {}
    check::<Client>();
    check::<ClientError>();
}

#[test]
fn conversations_are_listed_loaded_renamed_shared_and_deleted() {
    let (_server, client) = served();
    let list = client.call(&rest::conversations()).unwrap();
    assert_eq!(
        list.iter().map(|listed| (listed.id, listed.name.as_str())).collect::<Vec<_>>(),
        [(2, "more"), (1, "hi")]
    );
    assert_eq!(list[0].messages, None);
    client.call(&rest::rename_conversation(1, "é \"x\"\n")).unwrap();
    let loaded = client.call(&rest::conversation(1)).unwrap();
    assert_eq!((loaded.name.as_str(), loaded.model.as_str()), ("é \"x\"\n", "hello"));
    assert_eq!(loaded.messages.unwrap()[1].content, "Hello!");

    let hash = client.call(&rest::share_conversation(1, &[-1])).unwrap();
    assert_eq!(client.call(&rest::shared_conversation(&hash)).unwrap().messages.len(), 2);
    assert_eq!(client.call(&rest::shares()).unwrap()[0].conversation_id, 1);
    client.call(&rest::delete_share(&hash)).unwrap();
    assert_eq!(client.call(&rest::shares()).unwrap(), []);

    client.call(&rest::delete_conversation(1)).unwrap();
    for call in [rest::delete_conversation(1), rest::rename_conversation(1, "x")] {
        let Err(ClientError::Answer(Error::NotFound { words })) = client.call(&call) else { panic!("{call:?}") };
        assert_eq!(words, "conversation not found");
    }
}

#[test]
fn every_other_call_is_answered_too() {
    let (_server, client) = served();
    assert_eq!(client.call(&rest::quota()).unwrap(), 500.0);
    assert!(!client.call(&rest::subscription()).unwrap().is_subscribed);
    assert_eq!(client.call(&rest::package()).unwrap(), None);
    assert!(client.call(&rest::models()).unwrap().iter().any(|model| model.id == "hello"));
    assert_eq!(client.call(&rest::charges()).unwrap()[0].kind, "token-billing");
    assert_eq!(client.call(&rest::user()).unwrap().name, "root");
    assert_eq!(client.call(&rest::info()).unwrap().title, "");
    assert_eq!(client.call(&rest::market()).unwrap().len() + client.call(&rest::plans()).unwrap().len(), 0);
    assert_eq!(client.call(&rest::billing_usage()).unwrap().total_usage, 0.0);
    assert_eq!(client.call(&rest::billing_limits()).unwrap().hard_limit, 50000.0);
    assert_eq!(client.call(&rest::api_key()).unwrap().expose(), KEY);
    let mask = rest::Mask::new("n", vec![rest::Message::new("system", "x")]);
    client.call(&rest::save_mask(&mask)).unwrap();
    assert_eq!(client.call(&rest::masks()).unwrap()[0].context, mask.context);
    client.call(&rest::delete_mask(1)).unwrap();
    assert!(matches!(client.call(&rest::buy(1)), Err(ClientError::Answer(Error::Refused { .. }))));
    assert!(matches!(client.call(&rest::subscribe(1, 1)), Err(ClientError::Answer(Error::Refused { .. }))));
    for call in [rest::invite("a b"), rest::redeem("a b")] {
        assert!(matches!(client.call(&call), Err(ClientError::Answer(Error::NotFound { .. }))));
    }
}

#[test]
fn every_fault_is_named() {
    let code = |faults: &[Fault], url_end: &str| {
        let server = serve(|options| options.faults = faults.to_vec());
        let url = format!("ws://{}{url_end}", server.addr());
        let client = Client::new(&url, Auth::new(KEY), &once()).unwrap();
        match client.call(&rest::quota()) {
            Ok(quota) => quota.to_string(),
            Err(ClientError::Answer(error)) => error.code().to_owned(),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(code(&[], ""), "500");
    assert_eq!(code(&[Fault::TwoObjects], "/api"), "500");
    assert_eq!(code(&[Fault::Throttled], ""), "throttled");
    assert_eq!(code(&[Fault::BadKey], ""), "bad_key");
    assert_eq!(code(&[Fault::BlackListed], ""), "black_listed");
    assert_eq!(code(&[Fault::WebPage], ""), "web_page");
    assert_eq!(code(&[Fault::WebPage], "/api"), "500");
    assert_eq!(code(&[Fault::BadGateway], ""), "http");

    let server = serve(|options| options.faults = vec![Fault::NullData]);
    server.world().store(KEY, "hello", Vec::new());
    assert_eq!(client_of(&server, KEY).call(&rest::conversations()).unwrap(), []);
    assert!(client_of(&server, KEY).call(&rest::conversation(1)).is_err());
}

#[test]
fn keys_are_told_apart() {
    let server = serve(|options| {
        options.generation = Generation::G2023;
        options.bad_keys = vec!["sk-bad".into(), "a.bad.login".into()];
    });
    let code = |key: &str| match client_of(&server, key).call(&rest::quota()) {
        Err(ClientError::Answer(error)) => error.code(),
        Err(ClientError::Request(RequestError::Key | RequestError::EmptyKey)) => "unsent",
        Err(error) => panic!("{error}"),
        Ok(_) => "good",
    };
    let keys = ["sk-good", "a.good.login", "sk-bad", "a.bad.login", "anonymous", "", "sk-a\r\nX: y"];
    assert_eq!(keys.map(code), ["good", "good", "bad_key", "no_key", "no_key", "unsent", "unsent"]);
    let models = client_of(&server, "anonymous").call(&rest::models()).unwrap();
    assert_eq!(models[0].id, "anon");
    let refused = client_of(&server, "sk-good").call(&rest::rename_conversation(1, "x"));
    assert!(matches!(refused, Err(ClientError::Answer(Error::NoSuchCall { .. }))));
}

#[test]
fn certificates_are_those_of_the_chat() {
    for (certificate, roots, expected) in [
        (Certificate::Valid, true, None),
        (Certificate::Valid, false, Some("UnknownIssuer")),
        (Certificate::Expired, true, Some("Expired")),
        (Certificate::WrongName, true, Some("WrongName")),
    ] {
        let server = serve(|options| options.tls = Some(certificate));
        let mut config = ConnectionConfig::default();
        if roots {
            let tls = TlsOptions::new().trust(Trust::GivenOnly);
            config.tls = tls.roots_pem(server.ca_pem().unwrap().as_bytes()).unwrap().build().unwrap();
        }
        let called = Client::new(&server.url(), Auth::new(KEY), &config).unwrap().call(&rest::quota());
        match (called, expected) {
            (Ok(_), None) => {}
            (Err(ClientError::Tls(error)), Some(expected)) => {
                assert!(format!("{error:?}").starts_with(expected), "{error:?}");
            }
            (called, _) => panic!("{certificate:?}: {called:?}"),
        }
    }
    let (url, server) = raw(vec![b"HTTP/1.1 400 Bad Request\r\n\r\n"]);
    let called = quota_at(&url.replace("ws://", "wss://"));
    assert!(matches!(called, Err(ClientError::Tls(TlsError::NotTls { .. }))), "{called:?}");
    server.join().unwrap();
}

/// A server that gives each connection one answer, and what it was asked.
fn raw(answers: Vec<&'static [u8]>) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            // A TLS record, which begins with this byte, has no such end.
            while !request.ends_with(b"\r\n\r\n") && request.first() != Some(&22) {
                let mut byte = [0];
                socket.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            requests.push(String::from_utf8_lossy(&request).into_owned());
            socket.write_all(answer).unwrap();
        }
        requests
    });
    (url, server)
}

fn quota_at(url: &str) -> Result<f64, ClientError> {
    let mut config = once();
    config.headers.add("X-Gate", "open").unwrap();
    Client::new(url, Auth::new(KEY), &config).unwrap().call(&rest::quota())
}

#[test]
fn a_request_is_as_it_should_be_and_no_redirect_is_followed() {
    let (url, server) = raw(vec![
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/quota\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ]);
    let Err(ClientError::Answer(Error::Http { status: 302, .. })) = quota_at(&url) else { panic!("no redirect") };
    let request = server.join().unwrap().remove(0).to_lowercase();
    assert!(request.starts_with("get /quota http/1.1\r\n"), "{request}");
    let headers = ["authorization: bearer sk-secret-token", "accept: application/json", "x-gate: open"];
    for header in headers {
        assert_eq!(request.matches(&format!("\r\n{header}\r\n")).count(), 1, "{header}: {request}");
    }
    assert!(request.contains("\r\nuser-agent: chatnio/"), "{request}");
}

#[test]
fn the_urls_query_goes_along_and_shows_in_no_error() {
    let (url, server) = raw(vec![
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 27\r\n\r\nno: /quota?gate=open-sesame",
        b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{\"quota\":7,\"status\":true}",
    ]);
    let url = format!("{url}/api?gate=open-sesame");
    let error = quota_at(&url).unwrap_err();
    assert!(matches!(error, ClientError::Answer(Error::Http { status: 403, .. })), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
    assert_eq!(quota_at(&url).unwrap(), 7.0);
    for request in server.join().unwrap() {
        assert!(request.starts_with("GET /api/quota?gate=open-sesame HTTP/1.1\r\n"), "{request}");
    }
}

#[test]
fn a_query_changes_no_answer_and_a_secret_is_one_however_it_is_written() {
    let (url, server) = raw(vec![
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"status\":false,\"message\":\"user not found\"}",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"status\":false,\"message\":\"no se\\u0073ame\\/seed\"}",
    ]);
    // Its names and values are those of an answer's fields.
    let url = format!("{url}/api?user=false&status=message&gate=sesame/seed");
    let error = quota_at(&url).unwrap_err();
    assert!(matches!(error, ClientError::Answer(Error::NoKey { .. })), "{error:?}");
    let error = quota_at(&url).unwrap_err();
    assert!(error.to_string().ends_with(": no ...") && !format!("{error:?}").contains("same"), "{error:?}");
    server.join().unwrap();
}

#[test]
fn a_server_that_repeats_the_key_is_not_quoted() {
    let (url, server) = raw(vec![
        b"HTTP/1.1 401 x\r\nConnection: close\r\n\r\n{\"code\":401,\"message\":\"Incorrect key: sk-s\\u0065cret-token.\"}",
        b"HTTP/1.1 500 x\r\nConnection: close\r\n\r\n<p>Bearer sk-secret-token</p>",
    ]);
    let error = quota_at(&url).unwrap_err();
    assert!(matches!(error, ClientError::Answer(Error::BadKey { .. })), "{error:?}");
    assert!(
        error.to_string().contains("Incorrect key: sk-....") && !format!("{error:?}").contains("token."),
        "{error:?}"
    );
    let error = quota_at(&url).unwrap_err();
    assert!(format!("{error:?}").contains("<p>Bearer sk-...</p>"), "{error:?}");
    server.join().unwrap();
}

#[test]
fn what_breaks_off_is_lost_and_what_is_no_http_is_named() {
    let (url, server) = raw(vec![
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"quota\":1",
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n{\"quota\":7,\"status\":true}",
    ]);
    assert!(matches!(quota_at(&url), Err(ClientError::Lost { .. })));
    assert!(matches!(quota_at(&url), Err(ClientError::Lost { .. })));
    let error = quota_at(&url).unwrap_err();
    assert!(matches!(error, ClientError::BadHttp { .. }), "{error:?}");
    assert_eq!(quota_at(&url).unwrap(), 7.0);
    server.join().unwrap();
}

#[test]
fn it_is_tried_again_when_the_gateway_wants_it() {
    let away = b"HTTP/1.1 503 x\r\nRetry-After: 600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".as_slice();
    let busy = b"HTTP/1.1 429 x\r\nRetry-After: 600\r\nConnection: close\r\n\r\n{\"error\":\"request_throttled\",\"status\":false}";
    for answer in [away, busy] {
        let (url, server) = raw(vec![answer]);
        let mut config = ConnectionConfig::default();
        config.connect_retries = 5;
        let error = Client::new(&url, Auth::new(KEY), &config).unwrap().call(&rest::quota()).unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(600)), "{error:?}");
        assert_eq!(server.join().unwrap().len(), 1, "which is longer than a call may take");
    }
}

#[test]
fn what_only_reads_is_tried_again_and_nothing_else_is() {
    const AWAY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (url, server) = raw(vec![AWAY, b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{\"quota\":7,\"status\":true}"]);
    let mut config = ConnectionConfig::default();
    config.connect_retries = 1;
    let client = Client::new(&url, Auth::new(KEY), &config).unwrap();
    assert_eq!(client.call(&rest::quota()).unwrap(), 7.0);
    server.join().unwrap();

    let (url, server) = raw(vec![AWAY]);
    let client = Client::new(&url, Auth::new(KEY), &config).unwrap();
    let error = client.call(&rest::delete_conversation(1)).unwrap_err();
    assert!(matches!(error, ClientError::Answer(Error::Http { status: 503, .. })), "{error:?}");
    assert_eq!(server.join().unwrap().len(), 1);
}

#[test]
fn a_proxy_is_gone_through() {
    let server = serve(|options| options.tls = Some(Certificate::Valid));
    let target = server.addr();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap();
    let proxied = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let mut server = std::net::TcpStream::connect(target).unwrap();
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        let (mut back, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let answers = thread::spawn(move || std::io::copy(&mut back, &mut to));
        let _ = std::io::copy(&mut client, &mut server);
        let _ = server.shutdown(std::net::Shutdown::Both);
        let _ = answers.join().unwrap();
        String::from_utf8(head).unwrap()
    });
    let mut config = ConnectionConfig::default();
    let tls = TlsOptions::new().trust(Trust::GivenOnly);
    config.tls = tls.roots_pem(server.ca_pem().unwrap().as_bytes()).unwrap().build().unwrap();
    config.proxy = Some(Proxy::parse(&format!("http://me:hush@{proxy}")).unwrap());
    let client = Client::new(&server.url(), Auth::new(KEY), &config).unwrap();
    assert_eq!(client.call(&rest::quota()).unwrap(), 500.0);
    drop(client);
    let head = proxied.join().unwrap();
    assert!(head.starts_with(&format!("CONNECT localhost:{} HTTP/1.1\r\n", target.port())), "{head}");
    assert!(!head.contains(KEY), "{head}");

    let (url, server) = raw(vec![b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"]);
    config.proxy = Some(Proxy::parse(&url.replace("ws://", "http://")).unwrap());
    let client = Client::new("wss://localhost:1", Auth::new(KEY), &config).unwrap();
    let error = client.call(&rest::quota()).unwrap_err();
    assert!(matches!(error, ClientError::Proxy(ProxyError::Authentication { .. })), "{error:?}");
    server.join().unwrap();
}

#[test]
fn what_a_proxy_could_do_better_is_tried_again_as_when_the_chat_connects() {
    const WAY: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
    let tried = |first: &'static [u8]| {
        let (url, proxy) = raw(vec![first, WAY]);
        let mut config = ConnectionConfig::default();
        config.connect_retries = 1;
        config.proxy = Some(Proxy::parse(&url.replace("ws://", "http://")).unwrap());
        let error = Client::new("ws://localhost:1", Auth::new(KEY), &config).unwrap().call(&rest::quota()).unwrap_err();
        // Whoever was not tried again is let go.
        let is_again = matches!(error, ClientError::Lost { .. });
        if !is_again {
            drop(
                std::net::TcpStream::connect(url.trim_start_matches("ws://"))
                    .map(|mut last| last.write_all(b"\r\n\r\n")),
            );
        }
        proxy.join().unwrap();
        is_again
    };
    // After the way is open the proxy hangs up, which nothing is tried after once more.
    for first in
        [b"HTTP/1.1 502 x\r\n\r\n".as_slice(), b"HTTP/1.1 504 x\r\n\r\n", b"HTTP/1.1 429 x\r\n\r\n", b"HTTP/1.1", b""]
    {
        assert!(tried(first), "{}", first.escape_ascii());
    }
    for first in [b"HTTP/1.1 403 x\r\n\r\n".as_slice(), b"HTTP/1.1 407 x\r\n\r\n", b"SSH-2.0\r\n"] {
        assert!(!tried(first), "{}", first.escape_ascii());
    }
}

#[test]
fn what_the_first_try_says_is_not_hidden_by_a_second_that_runs_out_of_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        first.write_all(b"HTTP/1.1 503 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        // Nobody answers the second.
        (first, listener.accept().unwrap())
    });
    let client = Client::new(&url, Auth::new(KEY), &ConnectionConfig::default()).unwrap();
    // Long enough for the first answer, should the machine stand still meanwhile.
    let error = client.within(Duration::from_secs(6)).call(&rest::quota()).unwrap_err();
    assert!(matches!(error, ClientError::Answer(Error::Http { status: 503, .. })), "{error:?}");
    server.join().unwrap();
}

#[test]
fn a_silent_server_ends_by_the_limit() {
    // The system accepts for it, and nobody answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let limit = Duration::from_millis(50);
    let client = Client::new(&url, Auth::new(KEY), &once()).unwrap().within(limit);
    let error = client.call(&rest::quota()).unwrap_err();
    assert!(matches!(error, ClientError::Timeout { limit: of } if of == limit), "{error:?}");
    assert!(error.is_retryable());
    // Port 1 is nobody's.
    let client = Client::new("ws://127.0.0.1:1", Auth::new(KEY), &once()).unwrap();
    let error = client.call(&rest::quota()).unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error:?}");
}

#[test]
fn a_key_does_not_go_to_another_machine_in_the_clear() {
    let server = serve(|_| {});
    // This very machine, but not by its form.
    let url = format!("ws://0.0.0.0:{}", server.addr().port());
    let mut config = ConnectionConfig::default();
    let call = |config: &ConnectionConfig| Client::new(&url, Auth::new(KEY), config).unwrap().call(&rest::quota());
    assert!(matches!(call(&config), Err(ClientError::PlainKey { host }) if host == "0.0.0.0"));
    assert_eq!(server.stats().connections, 0);
    config.allow_token_over_plain_ws = true;
    assert_eq!(call(&config).unwrap(), 500.0);

    // Nor to a proxy that is one: of the call itself, which asks nobody.
    let mut config = ConnectionConfig::default();
    config.proxy = Some("http://proxy.invalid:3128".parse().unwrap());
    let client = Client::new(&server.url(), Auth::new(KEY), &config).unwrap();
    let error = client.call(&rest::quota()).unwrap_err();
    assert!(matches!(&error, ClientError::PlainKey { host } if host == "proxy.invalid"), "{error:?}");
}

#[test]
fn a_bad_url_is_refused_and_no_key_shows() {
    let config = ConnectionConfig::default();
    let refused = Client::new("ftp://h", Auth::new(KEY), &config).map(|_| ());
    assert!(matches!(refused, Err(ClientError::Endpoint(EndpointError::Scheme))));
    let client = Client::new("wss://h", Auth::new(KEY), &config).unwrap();
    assert!(!format!("{client:?}").contains("secret"));
}
