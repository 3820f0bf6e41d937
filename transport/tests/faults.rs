//! The blocking client against every server that does one thing wrong, plain and over TLS: what the caller gets is what
//! `loopback/faults.tsv` says.
//!
//! `FAULTS=NAME,NAME` tries some of them alone.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use chatnio::{
    Auth, Client, ClientError, ConnectionConfig, ConnectionEnd, Interruption, Request, TlsOptions, Trust, WireError,
};
use chatnio_loopback::faults::{Fault, FaultServer, TABLE};

/// No test needs as long: whatever hangs fails.
const LONG: Duration = Duration::from_secs(30);

/// The deadline that a row names, so that it passes soon.
const SHORT: Duration = Duration::from_millis(300);

/// How many are tried at once: most of them wait.
const AT_ONCE: usize = 16;

/// What a caller gets.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    status: String,
    text: String,
}

struct Row {
    plain: Seen,
    tls: Seen,
    by: String,
}

fn table() -> BTreeMap<String, Row> {
    let rows = TABLE.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [fault, status, tls, by, text] = cells[..] else { panic!("five columns: {line:?}") };
        let seen = |status: &str| Seen { status: status.to_owned(), text: text.to_owned() };
        let row = Row { plain: seen(status), tls: seen(if tls == "-" { status } else { tls }), by: by.to_owned() };
        (fault.to_owned(), row)
    });
    rows.collect()
}

/// All deadlines are long, except the one that a row names: a client that waits for another gets another status.
fn config(by: &str, ca: Option<&str>) -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.session.max_message = 64 << 10;
    config.session.max_answer = 1 << 20;
    let deadline = |name| if by == name { SHORT } else { LONG };
    config.handshake = deadline("handshake");
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

/// One question, to its end.
fn ask(fault: &Fault, by: &str, tls: bool) -> Seen {
    let server = FaultServer::start(fault, tls).unwrap();
    let start = Instant::now();
    let mut text = String::new();
    let result =
        Client::connect(&server.url(), Auth::new("sk-secret"), &config(by, server.ca_pem())).and_then(|mut client| {
            let mut pieces = client.ask(&Request::chat("hi"))?;
            for piece in pieces.by_ref() {
                text += &piece?;
            }
            pieces.into_answer()
        });
    let status = match result {
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
    let text = text.trim_end().chars().flat_map(char::escape_default).take(40).collect();
    Seen { status: status + late, text }
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
            WireError::Tls(_) => "TLS",
            other => return format!("{other:?}"),
        },
        ClientError::Interrupted(why) => match why {
            Interruption::FirstFrameDeadline => "FIRST_FRAME",
            Interruption::NextFrameDeadline => "NEXT_FRAME",
            Interruption::MessageTooLong { .. } => "MESSAGE_TOO_LONG",
            Interruption::AnswerTooLong { .. } => "ANSWER_TOO_LONG",
            other => return format!("{other:?}"),
        },
        other => return format!("{other:?}"),
    };
    name.to_owned()
}

#[test]
fn a_caller_gets_what_the_table_says() {
    let wanted = std::env::var("FAULTS").ok();
    let table = table();
    let faults: Vec<Fault> = Fault::all()
        .into_iter()
        .filter(|fault| wanted.as_ref().is_none_or(|wanted| wanted.split(',').any(|name| name == fault.name)))
        .collect();
    let waiting = Arc::new(Mutex::new(
        faults.into_iter().flat_map(|fault| [(fault.clone(), false), (fault, true)]).collect::<Vec<_>>(),
    ));
    let by: BTreeMap<String, String> = table.iter().map(|(name, row)| (name.clone(), row.by.clone())).collect();
    let by = Arc::new(by);
    let (seen, came) = mpsc::channel();
    for _ in 0..AT_ONCE {
        let (waiting, by, seen) = (Arc::clone(&waiting), Arc::clone(&by), seen.clone());
        thread::spawn(move || {
            loop {
                let Some((fault, tls)) = waiting.lock().unwrap().pop() else { return };
                let by = by.get(&fault.name).map_or("-", String::as_str);
                let _ = seen.send((fault.name.clone(), tls, ask(&fault, by, tls)));
            }
        });
    }
    drop(seen);
    let mut wrong = Vec::new();
    let mut left: Vec<(String, bool)> =
        waiting.lock().unwrap().iter().map(|(fault, tls)| (fault.name.clone(), *tls)).collect();
    let mut count = 0;
    while let Ok((name, tls, seen)) = came.recv_timeout(LONG * 4) {
        count += 1;
        let row = table.get(&name);
        let expected = row.map(|row| if tls { &row.tls } else { &row.plain });
        if expected != Some(&seen) {
            wrong.push(format!("{name}\t{tls}\t{}\t{}", seen.status, seen.text));
        }
        left.retain(|other| *other != (name.clone(), tls));
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {count} are not as in the table:\n{}\n{left:?}", wrong.len(), wrong.join("\n"));
}
