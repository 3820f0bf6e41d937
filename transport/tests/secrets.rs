//! No secret is in what a program could print, log or store: every fault of the table, plain and over TLS, to a client that has
//! one of each kind; and again with the faulty server in the place of a proxy.

use std::error::Error as _;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use chatnio::{Auth, Client, ClientError, ConnectionConfig, Proxy, Request, TlsOptions, Trust};
use chatnio_loopback::faults::{FaultServer, Row, rows};
use rcgen::{CertificateParams, KeyPair};

const TOKEN: &str = "sk-MARKEDtoken";
const HEADER: &str = "MARKEDheader";
const QUERY: &str = "MARKEDquery";
const PASSWORD: &str = "MARKEDpassword";
/// `user:MARKEDpassword`, as a proxy is told it.
const PASSWORD_BASE64: &str = "dXNlcjpNQVJLRURwYXNzd29yZA";

/// No row needs as long: whatever hangs fails.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(100);

/// The client's own certificate, and its key.
struct Identity {
    chain: String,
    key: String,
}

fn identity() -> &'static Identity {
    static MADE: OnceLock<Identity> = OnceLock::new();
    MADE.get_or_init(|| {
        let key = KeyPair::generate().unwrap();
        let chain = CertificateParams::new(["client".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
        Identity { chain, key: key.serialize_pem() }
    })
}

/// Everything that is logged, by whomever.
static LOG: Mutex<String> = Mutex::new(String::new());

struct Capture;

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        // The server's side logs what it hears, and lies in this process.
        if !record.target().starts_with("rustls::server") {
            *LOG.lock().unwrap() += &format!("{} {}\n", record.target(), record.args());
        }
    }

    fn flush(&self) {}
}

/// What was searched.
#[derive(Default)]
struct Seen {
    texts: Vec<String>,
}

impl Seen {
    fn shown(&mut self, value: &impl Debug) {
        self.texts.push(format!("{value:?} {value:#?}"));
    }

    fn error(&mut self, error: &ClientError) {
        self.shown(error);
        self.texts.push(error.to_string());
        let mut source = error.source();
        while let Some(error) = source {
            self.texts.push(format!("{error} {error:?}"));
            source = error.source();
        }
    }
}

/// How much of a secret is too much.
const START: usize = 8;

/// Which secrets a text holds, or begins to.
fn found(text: &str) -> Vec<&'static str> {
    let key = identity().key.lines().nth(1).unwrap();
    let mut found: Vec<&str> = [TOKEN, HEADER, QUERY, PASSWORD, PASSWORD_BASE64]
        .into_iter()
        .filter(|secret| text.contains(&secret[..START]))
        .collect();
    found.extend(text.contains(&key[..START]).then_some("the key"));
    found
}

fn config(row: &Row, ca: Option<&str>, proxy: Option<Proxy>) -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.connect_retries = 0;
    config.session.record = true;
    config.session.max_message = 64 << 10;
    config.session.max_answer = 1 << 20;
    let long = if proxy.is_some() { SHORT } else { LONG };
    let deadline = |name| if row.by == name { SHORT } else { long };
    config.connect = deadline("connect");
    config.handshake = deadline("handshake");
    config.session.first_frame = deadline("first_frame");
    config.session.next_frame = deadline("next_frame");
    config.session.answer_within = deadline("answer_within");
    config.close = SHORT;
    config.headers.add("authorization", HEADER).unwrap();
    config.proxy = proxy;
    if let Some(ca) = ca {
        let options = TlsOptions::new().trust(Trust::GivenOnly).roots_pem(ca.as_bytes()).unwrap();
        let Identity { chain, key } = identity();
        config.tls = options.client_certificate_pem(chain.as_bytes(), key.as_bytes()).unwrap().build().unwrap();
    }
    config
}

/// One question, to its end; everything there is to see of it.
fn ask(url: &str, config: &ConnectionConfig) -> Seen {
    let mut seen = Seen::default();
    seen.shown(config);
    let auth = Auth::new(TOKEN);
    seen.shown(&auth);
    match Client::connect(url, auth, config) {
        Err(error) => seen.error(&error),
        Ok(mut client) => {
            let answer = client.ask(&Request::chat("hi")).and_then(|mut pieces| {
                for piece in pieces.by_ref() {
                    let piece = piece?;
                    seen.shown(&piece);
                }
                pieces.into_answer()
            });
            match answer {
                Ok(answer) => seen.shown(&answer),
                Err(error) => seen.error(&error),
            }
            seen.shown(&client);
            let transcript = client.transcript().expect("it is recorded").to_string();
            assert!(transcript.contains("SEND"), "{transcript}");
            seen.texts.push(transcript);
            if let Err(error) = client.close() {
                seen.error(&error);
            }
        }
    }
    seen
}

/// Tries a row straight, and plain ones by each kind of proxy; which secrets show, and where.
fn try_row(row: &Row) -> Vec<String> {
    let server = FaultServer::start(&row.fault, row.tls).unwrap();
    let url = format!("{}?key={QUERY}", server.url());
    let mut ways = vec![("straight", url.clone(), config(row, server.ca_pem(), None))];
    if !row.tls {
        let address = url.trim_start_matches("ws://").split('/').next().unwrap();
        for kind in ["http", "socks5", "socks5h"] {
            let proxy = Proxy::parse(&format!("{kind}://user:{PASSWORD}@{address}")).unwrap();
            ways.push((kind, format!("ws://localhost:9/chat?key={QUERY}"), config(row, None, Some(proxy))));
        }
    }
    let mut shown = Vec::new();
    for (way, url, config) in &ways {
        let seen = ask(url, config);
        assert!(seen.texts.len() > 2);
        for text in &seen.texts {
            for secret in found(text) {
                shown.push(format!("{} ({way}): {secret} is in {text}", row.fault.name));
            }
        }
    }
    shown
}

#[test]
fn no_text_shows_a_secret() {
    log::set_logger(&Capture).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let waiting = Arc::new(Mutex::new(rows()));
    let workers: Vec<_> = (0..16)
        .map(|_| {
            let waiting = Arc::clone(&waiting);
            thread::spawn(move || {
                let mut shown = Vec::new();
                loop {
                    let Some(row) = waiting.lock().unwrap().pop() else { return shown };
                    shown.extend(try_row(&row));
                }
            })
        })
        .collect();
    let shown: Vec<String> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    assert!(shown.is_empty(), "{} texts show a secret:\n{}", shown.len(), shown[..shown.len().min(5)].join("\n"));
    log::info!("that it is captured");
    let log = LOG.lock().unwrap();
    assert!(log.contains("that it is captured"));
    for line in log.lines() {
        assert_eq!(found(line), [""; 0], "{line}");
    }
}

/// That what is searched for would be found.
#[test]
fn a_secret_that_shows_is_found() {
    for text in [TOKEN, HEADER, QUERY, PASSWORD, PASSWORD_BASE64] {
        assert_eq!(found(&format!("so {text}.")), [text]);
        assert_eq!(found(&format!("{}...", &text[..START])), [text]);
    }
    assert_eq!(found(&identity().key), ["the key"]);
}
