//! The rows of `loopback/faults.tsv`, and what a client of Rust says to them; also for `chatnio-tokio`'s.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use chatnio::{Answer, ClientError, ConnectionConfig, ConnectionEnd, TlsError, TlsOptions, Trust, WireError};
use chatnio_loopback::faults::{Row, rows};

/// No test needs as long: whatever hangs fails.
const LONG: Duration = Duration::from_secs(30);

/// The deadline that a row names, so that it passes soon.
const SHORT: Duration = Duration::from_millis(300);

/// A handshake's, within which a part of it is to come, on a busy machine, too.
const SHORT_HANDSHAKE: Duration = Duration::from_secs(3);

/// How many are tried at once: most of them wait.
const AT_ONCE: usize = 16;

/// What a caller gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    status: String,
    text: String,
}

/// All deadlines are long, except the one that a row names: a client that waits for another gets another status.
pub(crate) fn config(by: &str, ca: Option<&str>) -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.connect_retries = 0;
    config.session.max_message = 64 << 10;
    config.session.max_answer = 1 << 20;
    let deadline = |name| if by == name { SHORT } else { LONG };
    config.connect = deadline("connect");
    config.handshake = if by == "handshake" { SHORT_HANDSHAKE } else { LONG };
    config.session.first_frame = deadline("first_frame");
    config.session.next_frame = deadline("next_frame");
    config.ping_after = deadline("ping");
    config.pong_within = deadline("ping");
    config.close = deadline("close");
    if let Some(ca) = ca {
        config.tls = TlsOptions::new().trust(Trust::GivenOnly).roots_pem(ca.as_bytes()).unwrap().build().unwrap();
    }
    config
}

impl Seen {
    /// What `ask`, which gathers the pieces in the text it is given, comes to.
    pub(crate) fn of(
        Row { fault, .. }: &Row,
        ask: impl FnOnce(&mut String) -> Result<Box<Answer>, ClientError>,
    ) -> Self {
        let start = Instant::now();
        let mut text = String::new();
        let status = match ask(&mut text) {
            Ok(answer) => {
                assert_eq!(answer.text.trim_end(), text.trim_end(), "{fault:?}: the pieces make the text");
                answer.outcome.map_or_else(|| "-".to_owned(), |outcome| outcome.name().to_owned())
            }
            Err(error) => {
                let text = error.to_string();
                assert!(!text.contains("sk-secret"), "{fault:?}: {text}");
                status(&error)
            }
        };
        // Nothing but a deadline takes as long.
        let late = if start.elapsed() < LONG { "" } else { ", late" };
        let text = text.trim_end().chars().take(40).collect();
        Seen { status: status + late, text }
    }
}

/// The status as the C library names it, without its prefix.
fn status(error: &ClientError) -> String {
    let name = match error {
        ClientError::Ended(ConnectionEnd::ByServer { code, .. }) => {
            return format!("CLOSED_BY_SERVER {}", code.map_or_else(|| "-".to_owned(), |code| code.to_string()));
        }
        ClientError::Ended(ConnectionEnd::Lost(error)) => match error {
            WireError::Throttled(_) => "THROTTLED",
            WireError::Refused(_) => "REFUSED",
            WireError::Unavailable(_) => "UNAVAILABLE",
            WireError::Http(refusal) => return format!("HTTP {}", refusal.status),
            WireError::Upgrade(_) => "UPGRADE",
            WireError::BadHttp { .. } | WireError::HeadTooLarge { .. } => "BAD_HTTP",
            WireError::HandshakeTimeout { .. } => "HANDSHAKE_TIMEOUT",
            WireError::EndOfStream { .. } => "END_OF_STREAM",
            WireError::Truncated { .. } => "TRUNCATED",
            WireError::Io { .. } => "IO",
            WireError::Protocol { .. } | WireError::Unasked => "PROTOCOL",
            WireError::InvalidUtf8 => "SERVER_NOT_UTF8",
            WireError::MessageTooLong { .. } => "OVERSIZED",
            WireError::Unresponsive { .. } => "UNRESPONSIVE",
            WireError::CloseTimeout => "CLOSE_TIMEOUT",
            WireError::Tls(error) => match error {
                TlsError::UnknownIssuer { .. } => "TLS_UNKNOWN_ISSUER",
                TlsError::WrongName { .. } => "TLS_WRONG_NAME",
                TlsError::Expired { .. } => "TLS_EXPIRED",
                TlsError::NotYetValid { .. } => "TLS_NOT_YET_VALID",
                TlsError::Certificate { .. } => "TLS_CERTIFICATE",
                TlsError::NotTls { .. } => "TLS_NOT_TLS",
                TlsError::ClientCertificate { .. } => "TLS_CLIENT_CERTIFICATE",
                _ => "TLS",
            },
            other => return format!("{other:?}"),
        },
        ClientError::Resolve { .. } => "RESOLVE",
        ClientError::Connect { .. } => "CONNECT",
        ClientError::ConnectTimeout { .. } => "CONNECT_TIMEOUT",
        ClientError::Interrupted(why) => why.name(),
        other => return format!("{other:?}"),
    };
    name.to_owned()
}

/// Tries every row, and compares what comes of it with the table.
pub(crate) fn compare(ask: fn(&Row) -> Seen) {
    let wanted = std::env::var("FAULTS").ok();
    let is_wanted =
        |row: &Row| wanted.as_ref().is_none_or(|wanted| wanted.split(',').any(|name| name == row.fault.name));
    let rows: Vec<Row> = rows().into_iter().filter(is_wanted).collect();
    let count = rows.len();
    let waiting = Arc::new(Mutex::new(rows));
    let (seen, came) = mpsc::channel();
    for _ in 0..AT_ONCE {
        let (waiting, seen) = (Arc::clone(&waiting), seen.clone());
        thread::spawn(move || {
            loop {
                let Some(row) = waiting.lock().unwrap().pop() else { return };
                let got = ask(&row);
                let _ = seen.send((row, got));
            }
        });
    }
    drop(seen);
    let mut wrong = Vec::new();
    let mut tried = 0;
    while let Ok((row, seen)) = came.recv_timeout(LONG * 4) {
        tried += 1;
        if (&row.status, &row.text) != (&seen.status, &seen.text) {
            let over = if row.tls { "TLS" } else { "plain" };
            wrong.push(format!("{} ({over}): {}, {:?}", row.fault.name, seen.status, seen.text));
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {count} are not as in the table:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(tried, count, "some hang");
}
