//! The table of errors in the crate's docs, row by row.

use chatnio_core::{
    Auth, AuthError, CloseReason, Config, Interruption, Malformed, MaskMessage, Outcome, Reason, Request, RequestError,
    Session, State,
};

use crate::frames::{end, piece};
use crate::host::{Host, Seen, secs};

/// A row of the table, its cells as they stand in the docs, and what provokes its errors.
struct Row {
    error: &'static str,
    retry: &'static str,
    ends_turn: &'static str,
    ends_session: &'static str,
    provoke: &'static [fn() -> Provoked],
}

/// What a provoked error has left.
struct Provoked {
    /// `None` when no session came to be.
    host: Option<Host>,
    failure: Failure,
    /// Whether a turn ran just before, and whether it ended.
    ran: bool,
    ended: bool,
}

enum Failure {
    Auth,
    Request(RequestError),
    Receive(Malformed),
    Interruption(Interruption),
}

const ROWS: &[Row] = &[
    Row {
        error: "`AuthError`",
        retry: "no: correct it",
        ends_turn: "",
        ends_session: "there is none yet",
        provoke: &[
            || auth(Auth::new(""), AuthError::EmptyToken),
            || auth(Auth::new("t").conversation(0), AuthError::InvalidConversation { id: 0 }),
            || auth(Auth::new("t").share(""), AuthError::EmptyShare),
            || auth(Auth::new("t".repeat(200)), AuthError::TooLong { len: 220, limit: LIMIT }),
        ],
    },
    Row {
        error: "`RequestError::Busy`",
        retry: "yes, after the turn's end",
        ends_turn: "no",
        ends_session: "no",
        provoke: &[|| request(answering(), Request::chat("hi"), RequestError::Busy { turn: 1 })],
    },
    Row {
        error: "`RequestError::Unsent`",
        retry: "yes, once more was sent",
        ends_turn: "no",
        ends_session: "no",
        provoke: &[|| {
            let host = congested();
            let waiting = host.session.memory();
            request(host, Request::chat("hi"), RequestError::Unsent { waiting, limit: 4 * LIMIT })
        }],
    },
    Row {
        error: "`RequestError::Closed`",
        retry: "after `Session::reconnect`",
        ends_turn: "",
        ends_session: "it has ended",
        provoke: &[|| request(closed(), Request::chat("hi"), RequestError::Closed)],
    },
    Row {
        error: "any other `RequestError`",
        retry: "no: correct it",
        ends_turn: "no",
        ends_session: "no",
        provoke: &[
            || request(host(), Request::chat(""), RequestError::EmptyMessage),
            || request(host(), Request::share(""), RequestError::EmptyShare),
            || request(host(), Request::mask([MaskMessage::new("robot", "hi")]), RequestError::InvalidMask),
            || {
                let error = RequestError::NotFinite { parameter: "top_p" };
                request(host(), Request::chat("hi").top_p(f32::NAN), error)
            },
            || {
                let stop = Request::stop().web(true);
                let error = RequestError::UnexpectedParameters { kind: stop.kind() };
                request(answering(), stop, error)
            },
            || request(host(), Request::chat("x".repeat(200)), RequestError::TooLong { len: 228, limit: LIMIT }),
            || request(host(), Request::restart(), RequestError::NothingToRestart),
        ],
    },
    Row {
        error: "`Malformed`",
        retry: "",
        ends_turn: "no; the `Answer` counts it",
        ends_session: "no",
        provoke: &[|| receive(answering(), "garbage"), || receive(answering(), r#"{"message":1}"#)],
    },
    Row {
        error: "`Reason::TooLong`",
        retry: "",
        ends_turn: "no turn runs",
        ends_session: "no",
        provoke: &[|| receive(host(), &"x".repeat(200)), || receive(draining(), &"x".repeat(200))],
    },
    Row {
        error: "`Interruption::FirstFrameDeadline`, `NextFrameDeadline`, `AfterStopDeadline`, `AnswerDeadline`",
        retry: "ask again once it is idle, or reconnect",
        ends_turn: "yes",
        ends_session: "no: it drains",
        provoke: &[
            || interrupt(asking(), Interruption::FirstFrameDeadline, |host| host.sleep(secs(120)).remove(0)),
            || interrupt(answering(), Interruption::NextFrameDeadline, |host| host.sleep(secs(120)).remove(0)),
            || {
                interrupt(asking(), Interruption::AfterStopDeadline, |host| {
                    host.stop().unwrap();
                    host.sleep(secs(10)).remove(0)
                })
            },
            || {
                let mut asking = host();
                asking.request(&Request::chat("hi").answer_within(secs(30))).unwrap();
                interrupt(asking, Interruption::AnswerDeadline, |host| host.sleep(secs(30)).remove(0))
            },
        ],
    },
    Row {
        error: "`Interruption::MessageTooLong`, `AnswerTooLong`",
        retry: "ask again once it is idle, or reconnect",
        ends_turn: "yes",
        ends_session: "no: it drains",
        provoke: &[
            || {
                let why = Interruption::MessageTooLong { limit: LIMIT };
                interrupt(answering(), why, |host| host.receive(&"x".repeat(200)))
            },
            || {
                let why = Interruption::AnswerTooLong { limit: 10 };
                interrupt(answering(), why, |host| host.receive(&piece("0123456789", 0.1)))
            },
        ],
    },
    Row {
        error: "`Interruption::ClosedByServer`, `ConnectionLost`, `NotConnected`, `ProtocolBroken`, `InvalidUtf8`, `Unresponsive`, `TlsFailed`, `ClosedByHost`",
        retry: "after `Session::reconnect`",
        ends_turn: "yes",
        ends_session: "yes",
        provoke: &[
            || interrupt(answering(), Interruption::ClosedByServer, |host| host.close(CloseReason::Server).unwrap()),
            || interrupt(answering(), Interruption::ConnectionLost, |host| host.close(CloseReason::Lost).unwrap()),
            || given_up(Interruption::NotConnected),
            || given_up(Interruption::ProtocolBroken),
            || given_up(Interruption::InvalidUtf8),
            || given_up(Interruption::Unresponsive),
            || given_up(Interruption::TlsFailed),
            || interrupt(answering(), Interruption::ClosedByHost, |host| host.close(CloseReason::Host).unwrap()),
        ],
    },
    Row {
        error: "`Interruption::Reconnected`",
        retry: "yes, at once",
        ends_turn: "yes",
        ends_session: "no: it is fresh",
        provoke: &[|| interrupt(answering(), Interruption::Reconnected, |host| host.reconnect().unwrap())],
    },
];

const LIMIT: usize = 199;

fn given_up(why: Interruption) -> Provoked {
    interrupt(answering(), why, |host| host.close(CloseReason::GivenUp(why)).unwrap())
}

fn limits() -> Config {
    let mut config = Config::default();
    (config.max_message, config.max_request, config.max_answer) = (LIMIT, LIMIT, 10);
    config
}

// --- where the errors come about ---

fn host() -> Host {
    Host::with(Auth::new("t"), limits())
}

/// With requests that nobody has sent yet.
fn congested() -> Host {
    let mut host = host();
    while host.session.request(host.now, &Request::share("x".repeat(100))).is_ok() {}
    host
}

fn asking() -> Host {
    let mut host = host();
    host.ask("hi");
    host
}

fn answering() -> Host {
    let mut host = asking();
    host.receive(&piece("a", 0.1));
    host
}

fn draining() -> Host {
    let mut host = asking();
    host.sleep(secs(120));
    assert_eq!(host.state(), State::Draining);
    host
}

fn closed() -> Host {
    let mut host = host();
    host.close(CloseReason::Lost);
    host
}

// --- how they come about ---

fn auth(auth: Auth, error: AuthError) -> Provoked {
    assert_eq!(Session::new(auth, limits(), secs(0)).unwrap_err(), error);
    Provoked { host: None, failure: Failure::Auth, ran: false, ended: false }
}

fn request(mut host: Host, request: Request, error: RequestError) -> Provoked {
    let ran = host.session.answer().is_some();
    assert_eq!(host.request(&request), Err(error));
    let ended = ran && host.session.answer().is_none();
    Provoked { host: Some(host), failure: Failure::Request(error), ran, ended }
}

fn receive(mut host: Host, message: &str) -> Provoked {
    let ran = host.session.answer().is_some();
    let error = host.malformed(message);
    let ended = ran && host.session.answer().is_none();
    Provoked { host: Some(host), failure: Failure::Receive(error), ran, ended }
}

fn interrupt(mut host: Host, why: Interruption, by: impl Fn(&mut Host) -> Seen) -> Provoked {
    assert_eq!(by(&mut host).outcome(), Outcome::Interrupted(why));
    let ended = host.session.answer().is_none();
    Provoked { host: Some(host), failure: Failure::Interruption(why), ran: true, ended }
}

// --- the checks ---

#[test]
fn the_rows_are_those_of_the_docs() {
    let docs = include_str!("../../src/lib.rs");
    let (_, errors) = docs.split_once("//! # Errors").unwrap();
    let rows: Vec<Vec<String>> = errors
        .lines()
        .filter_map(|line| line.strip_prefix("//! |"))
        .map(|line| line.trim_end_matches('|').split('|').map(|cell| without_links(cell.trim())).collect())
        .collect();
    assert_eq!(rows[0], ["error", "retry?", "ends the turn", "ends the session"]);
    let tested: Vec<_> = ROWS.iter().map(|row| [row.error, row.retry, row.ends_turn, row.ends_session]).collect();
    assert_eq!(rows[2..], tested[..]);
}

/// Markdown with its links' texts only.
fn without_links(cell: &str) -> String {
    let mut parts = cell.split(']');
    let mut text: String = parts.next().unwrap_or("").replace('[', "");
    for part in parts {
        let part = match part.strip_prefix('(') {
            Some(target) => target.split_once(')').unwrap().1,
            None => part,
        };
        text.push_str(&part.replace('[', ""));
    }
    text
}

#[test]
fn every_row_names_the_errors_that_it_covers() {
    for row in ROWS {
        for provoke in row.provoke {
            let name = match provoke().failure {
                Failure::Auth => "AuthError".into(),
                Failure::Request(RequestError::Busy { .. }) => "RequestError::Busy".into(),
                Failure::Request(RequestError::Unsent { .. }) => "RequestError::Unsent".into(),
                Failure::Request(RequestError::Closed) => "RequestError::Closed".into(),
                Failure::Request(_) => "RequestError".into(),
                Failure::Receive(Malformed { reason: reason @ Reason::TooLong { .. }, .. }) => {
                    format!("Reason::{}", variant(&reason))
                }
                Failure::Receive(_) => "Malformed".into(),
                Failure::Interruption(why) => variant(&why),
            };
            assert!(row.error.contains(&format!("{name}`")), "{name} is not in the row of {}", row.error);
        }
    }
}

/// The name of an enum's variant, from its `Debug`.
fn variant(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").chars().take_while(|c| c.is_alphanumeric()).collect()
}

#[test]
fn ends_the_turn() {
    for row in ROWS {
        for provoke in row.provoke {
            let provoked = provoke();
            match row.ends_turn {
                "yes" => assert!(provoked.ran && provoked.ended, "{}", row.error),
                "" | "no turn runs" => assert!(!provoked.ran, "{}", row.error),
                "no" => assert!(!provoked.ended, "{}", row.error),
                "no; the `Answer` counts it" => {
                    assert!(provoked.ran && !provoked.ended, "{}", row.error);
                    assert_eq!(provoked.host.unwrap().session.answer().unwrap().malformed, 1);
                }
                other => panic!("what does {other:?} mean?"),
            }
        }
    }
}

#[test]
fn ends_the_session() {
    for row in ROWS {
        for provoke in row.provoke {
            let provoked = provoke();
            let state = provoked.host.map(|host| host.state());
            match row.ends_session {
                "there is none yet" => assert_eq!(state, None, "{}", row.error),
                "yes" | "it has ended" => assert_eq!(state, Some(State::Closed), "{}", row.error),
                "no" => assert_ne!(state, Some(State::Closed), "{}", row.error),
                "no: it drains" => assert_eq!(state, Some(State::Draining), "{}", row.error),
                "no: it is fresh" => assert_eq!(state, Some(State::Idle), "{}", row.error),
                other => panic!("what does {other:?} mean?"),
            }
        }
    }
}

#[test]
fn retry() {
    let again = Request::chat("again");
    for row in ROWS {
        for provoke in row.provoke {
            let Provoked { host, failure, .. } = provoke();
            if let Failure::Request(error) = &failure {
                assert_eq!(error.is_retryable(), row.retry.starts_with("yes"), "{}", row.error);
            }
            let Some(mut host) = host else {
                assert_eq!(row.retry, "no: correct it");
                continue;
            };
            match row.retry {
                "" => {}
                "yes, once more was sent" => {
                    host.sent();
                    host.request(&again).unwrap();
                }
                "no: correct it" if host.state() == State::Idle => host.request(&again).unwrap(),
                "no: correct it" => host.request(&Request::stop()).unwrap(),
                "yes, at once" => host.request(&again).unwrap(),
                "yes, after the turn's end" => {
                    host.receive(&end("", 0.1));
                    host.request(&again).unwrap();
                }
                "after `Session::reconnect`" => {
                    assert_eq!(host.request(&again), Err(RequestError::Closed));
                    assert_eq!(host.reconnect(), None);
                    host.request(&again).unwrap();
                }
                "ask again once it is idle, or reconnect" => {
                    assert_eq!(host.request(&again), Err(RequestError::Busy { turn: 1 }));
                    host.receive(&end("", 0.1));
                    host.request(&again).unwrap();
                    let mut host = provoke().host.unwrap();
                    assert_eq!(host.reconnect(), None);
                    host.request(&again).unwrap();
                }
                other => panic!("what does {other:?} mean?"),
            }
        }
    }
}
