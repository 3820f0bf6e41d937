//! The rows of `loopback/faults.tsv`, and what a client of Rust says to them; also for `chatnio-tokio`'s.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use chatnio::{Answer, ClientError, ConnectionConfig, ConnectionEnd, TlsError, TlsOptions, Trust, WireError};
use chatnio_loopback::faults::{Got, Row, rows};

/// No row takes as long, whatever its limits: it hangs.
const HANGS: Duration = Duration::from_mins(4);

/// How many are tried at once: most of them wait.
const AT_ONCE: usize = 16;

/// What a caller gets of a row's questions, and how long they took.
#[derive(Debug)]
pub(crate) struct Seen {
    first: Got,
    second: Option<Got>,
    took: Duration,
}

/// All limits are as the row wants them: what ends by another than its own is late.
pub(crate) fn config(row: &Row, ca: Option<&str>) -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.connect_retries = 0;
    config.session.max_message = 64 << 10;
    config.session.max_answer = 1 << 20;
    config.connect = row.limit("connect");
    config.handshake = row.limit("handshake");
    config.session.first_frame = row.limit("first_frame");
    config.session.next_frame = row.limit("next_frame");
    config.session.answer_within = row.limit("answer_within");
    config.session.after_stop = row.limit("after_stop");
    config.ping_after = row.limit("ping_after");
    config.pong_within = row.limit("pong_within");
    config.close = row.limit("close");
    if let Some(ca) = ca {
        config.tls = TlsOptions::new().trust(Trust::GivenOnly).roots_pem(ca.as_bytes()).unwrap().build().unwrap();
    }
    config
}

impl Seen {
    /// What `ask`, which asks one question and gathers the pieces in the text that it is given, comes to: once, or twice where
    /// the row wants that. The first time it connects.
    pub(crate) fn of(row: &Row, mut ask: impl FnMut(&mut String) -> Result<Box<Answer>, ClientError>) -> Self {
        let start = Instant::now();
        let first = got(row, &mut ask);
        let second = row.second.as_ref().map(|_| got(row, &mut ask));
        Seen { first, second, took: start.elapsed() }
    }

    /// What is otherwise than the row has it, if something is.
    fn differs(&self, row: &Row) -> Option<String> {
        if (&self.first, &self.second) != (&row.first, &row.second) {
            return Some(format!("{:?}, then {:?}", self.first, self.second));
        }
        let within = row.least()..=row.most();
        (!within.contains(&self.took)).then(|| format!("it took {:?}, not {within:?}", self.took))
    }
}

/// One question, to its end.
fn got(Row { fault, .. }: &Row, ask: &mut impl FnMut(&mut String) -> Result<Box<Answer>, ClientError>) -> Got {
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
    Got { status, text: text.trim_end().chars().take(40).collect() }
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
    while let Ok((row, seen)) = came.recv_timeout(HANGS) {
        tried += 1;
        if let Some(what) = seen.differs(&row) {
            let over = if row.tls { "TLS" } else { "plain" };
            wrong.push(format!("{} ({over}): {what}", row.fault.name));
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {count} are not as in the table:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(tried, count, "some hang");
}
