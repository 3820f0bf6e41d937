//! What a connection adds to a session.

use super::*;
use crate::proxy::Proxy;
use chatnio_core::State;

const OPENER: &str = r#"{"conversation":29,"quota":0,"message":"","end":false}"#;
const PIECE: &str = r#"{"conversation":0,"quota":0.1,"message":"Hello","end":false}"#;
const END: &str = r#"{"conversation":0,"quota":0.1,"message":"","end":true}"#;

fn ask(link: &mut Link) {
    link.connection.request(link.now, &Request::chat("hi")).unwrap();
    link.exchange();
}

/// A link with a turn that has brought a piece.
fn answering() -> Link {
    let mut link = Link::open();
    ask(&mut link);
    assert_eq!(link.messages(), [r#"{"token":"sk-secret-token","id":-1}"#, r#"{"type":"chat","message":"hi"}"#]);
    link.peer.send(OPENER);
    link.peer.send(PIECE);
    assert_eq!(link.exchange(), ["opened New { id: 29 }", "delta Hello"]);
    link
}

#[test]
fn requests_wait_until_the_websocket_is_open() {
    let mut link = Link::new(Auth::anonymous(), false, |_| ());
    link.connection.request(link.now, &Request::chat("hi")).unwrap();
    assert_eq!(link.connection.session().state(), State::Asking);
    assert!(!link.connection.is_open());
    assert_eq!(link.exchange(), ["open"]);
    assert_eq!(link.messages(), [r#"{"token":"anonymous","id":-1}"#, r#"{"type":"chat","message":"hi"}"#]);
}

#[test]
fn a_token_needs_tls_beyond_loopback() {
    let new = |url: &str, auth: Auth, allow: bool| {
        let config = ConnectionConfig { allow_token_over_plain_ws: allow, ..ConnectionConfig::default() };
        Connection::new(&Endpoint::parse(url).unwrap(), auth, &config, Duration::ZERO).map(drop)
    };
    let refused = Err(StartError::PlainToken { host: "chat.example".into() });
    assert_eq!(new("ws://chat.example", Auth::new("sk-x"), false), refused);
    assert_eq!(new("http://chat.example", Auth::new("sk-x"), false), refused);
    assert_eq!(new("ws://chat.example", Auth::new("sk-x"), true), Ok(()));
    assert_eq!(new("ws://chat.example", Auth::anonymous(), false), Ok(()));
    assert_eq!(new("wss://chat.example", Auth::new("sk-x"), false), Ok(()));
    for loopback in ["ws://localhost", "ws://127.0.0.1:81", "ws://[::1]"] {
        assert_eq!(new(loopback, Auth::new("sk-x"), false), Ok(()), "{loopback}");
    }
    // A proxy elsewhere gets it first, and this machine is another one for it.
    let by = |proxy: &str, url: &str, auth: Auth, allow: bool| {
        let mut config = ConnectionConfig { allow_token_over_plain_ws: allow, ..ConnectionConfig::default() };
        config.proxy = Some(Proxy::parse(proxy).unwrap());
        Connection::new(&Endpoint::parse(url).unwrap(), auth, &config, Duration::ZERO).map(drop)
    };
    for proxy in ["http://proxy.example:3128", "socks5://proxy.example", "socks5h://proxy.example"] {
        let refused = Err(StartError::PlainToken { host: "proxy.example".into() });
        assert_eq!(by(proxy, "ws://localhost:9", Auth::new("sk-x"), false), refused, "{proxy}");
        assert_eq!(by(proxy, "ws://localhost:9", Auth::new("sk-x"), true), Ok(()));
        assert_eq!(by(proxy, "ws://localhost:9", Auth::anonymous(), false), Ok(()));
        assert_eq!(by(proxy, "wss://localhost:9", Auth::new("sk-x"), false), Ok(()));
    }
    assert_eq!(by("127.0.0.1:3128", "ws://localhost:9", Auth::new("sk-x"), false), Ok(()));
    assert_eq!(by("127.0.0.1:3128", "ws://chat.example", Auth::new("sk-x"), false), refused);
}

#[test]
fn an_impossible_authentication_is_refused() {
    let endpoint = Endpoint::parse("ws://localhost").unwrap();
    let result = Connection::new(&endpoint, Auth::new(""), &ConnectionConfig::default(), Duration::ZERO);
    assert_eq!(result.err(), Some(StartError::Auth(AuthError::EmptyToken)));
}

#[test]
fn closing_ends_the_turn_and_then_the_connection() {
    let mut link = answering();
    link.connection.close(link.now);
    link.connection.close(link.now);
    assert_eq!(link.connection.request(link.now, &Request::chat("x")), Err(RequestError::Closed));
    // What was on its way is still handed out.
    link.peer.send(PIECE);
    assert_eq!(link.exchange(), ["delta Hello"]);
    assert!(!link.connection.is_finished());
    let end = "end HelloHello interrupted: this program closed the session";
    assert_eq!(link.eof(), [end, "closed: the connection was closed"]);
    assert!(link.connection.is_finished());
    assert_eq!(link.connection.end(), Some(&ConnectionEnd::Clean));
    assert_eq!(link.connection.next_deadline(), None);
    assert!(!link.connection.transcript().unwrap().to_string().contains("CLOSED"));
}

#[test]
fn a_close_that_nobody_answers_is_bounded() {
    let mut link = Link::open();
    link.connection.close(link.now);
    link.exchange();
    let before = link.now;
    assert_eq!(link.wait(), ["closed: the server did not answer the closing of the connection in time"]);
    assert_eq!(link.now - before, Duration::from_secs(3));
}

#[test]
fn the_server_closes_in_the_middle() {
    let mut link = answering();
    link.peer.close(Some(tungstenite::protocol::CloseFrame {
        code: tungstenite::protocol::frame::coding::CloseCode::Away,
        reason: "restarting".into(),
    }));
    let end = "end Hello interrupted: the server closed the connection";
    assert_eq!(link.exchange(), [end, "closed: the server closed the connection (1001: restarting)"]);
    assert!(link.connection.transcript().unwrap().to_string().ends_with("! CLOSED\n"));
}

#[test]
fn a_server_that_repeats_the_token_when_it_closes_is_not_quoted() {
    let mut link = answering();
    link.peer.close(Some(tungstenite::protocol::CloseFrame {
        code: tungstenite::protocol::frame::coding::CloseCode::Policy,
        reason: "invalid key sk-secret-token".into(),
    }));
    assert_eq!(link.exchange()[1], "closed: the server closed the connection (1008: invalid key sk-...)");
    assert!(!format!("{:?}", link.connection).contains("secret"));
}

#[test]
fn the_stream_ends_in_the_middle() {
    let mut link = answering();
    let log = link.eof();
    assert_eq!(log[0], "end Hello interrupted: the connection was lost");
    assert_eq!(log[1], "closed: the server ended the connection during the session");
    assert_eq!(link.eof(), Log::new(), "said once");
    assert!(link.connection.transcript().unwrap().to_string().ends_with("! CLOSED\n"));
}

#[test]
fn a_stream_that_fails_says_how() {
    let mut link = answering();
    link.connection.handle_error(link.now, io::ErrorKind::ConnectionReset);
    let log = link.eof();
    assert_eq!(log[0], "end Hello interrupted: the connection was lost");
    assert_eq!(log[1], "closed: the connection failed during the session: connection reset");
    let mut link = Link::open();
    link.connection.close(link.now);
    link.exchange();
    link.connection.handle_error(link.now, io::ErrorKind::ConnectionReset);
    assert_eq!(link.exchange(), ["closed: the connection was closed"], "it was over anyway");
}

#[test]
fn an_answer_is_told_what_ended_it() {
    fn delivered(bytes: &[u8]) -> Log {
        let mut link = answering();
        let mut log = Log::new();
        link.deliver(bytes, &mut |event| log.push(describe(event)));
        log
    }
    let mut unanswered = Link::new(Auth::anonymous(), false, |_| ());
    unanswered.connection.request(unanswered.now, &Request::chat("hi")).unwrap();
    let mut encrypted = Link::new(Auth::anonymous(), true, |_| ());
    encrypted.exchange();
    ask(&mut encrypted);
    let mut garbled = Log::new();
    encrypted.deliver(b"this is no record of TLS", &mut |event| garbled.push(describe(event)));
    // Its server reads no ping, and so answers none.
    let mut silent = Link::open_with(|config| config.session.first_frame = Duration::ZERO);
    ask(&mut silent);
    let mut silence = Log::new();
    while silence.len() < 2 {
        silence = silent.wait();
    }
    for (log, why) in [
        (unanswered.wait(), "the connection could not be made"),
        (delivered(&[0x85, 0]), "the server broke the protocol of the connection"),
        (delivered(&[0x81, 1, 0xff]), "the server sent text that is not UTF-8"),
        (garbled, "the encryption of the connection failed"),
        (silence, "the server answers nothing any more, not even a ping"),
    ] {
        let end = log.first().is_some_and(|end| end.ends_with(&format!(" interrupted: {why}")));
        assert!(end, "{why}: {log:?}");
    }
}

#[test]
fn a_message_over_the_limit_ends_the_connection() {
    let mut link = Link::open_with(|config| config.session.max_message = 100);
    ask(&mut link);
    link.peer.send(PIECE);
    link.peer.send(format!("{{\"message\":\"{}\"}}", "x".repeat(100)));
    let log = link.exchange();
    assert_eq!(
        log[..2],
        ["delta Hello", "end Hello interrupted: a message was over the limit of 100 bytes (max_message)"]
    );
    assert!(matches!(link.connection.end(), Some(ConnectionEnd::Lost(WireError::MessageTooLong { limit: 100 }))));
    let recorded = link.connection.transcript().unwrap().to_string();
    assert!(!recorded.contains("CLOSED"), "the server did not close it: {recorded}");
}

#[test]
fn a_length_that_nobody_could_hold_is_refused_also_without_a_limit() {
    for len in [u64::MAX >> 1, 1 << 46, 300 << 20] {
        let mut link = Link::open_with(|config| config.session.max_message = 0);
        let head = [&[0x81, 127][..], &len.to_be_bytes()].concat();
        let mut log = Log::new();
        link.deliver(&head, &mut |event| log.push(describe(event)));
        assert!(
            matches!(link.connection.end(), Some(ConnectionEnd::Lost(WireError::MessageTooLong { .. }))),
            "{log:?}"
        );
    }
}

#[test]
fn an_answer_over_the_limit_is_stopped_at_the_server() {
    let mut link = Link::open_with(|config| config.session.max_answer = 8);
    ask(&mut link);
    link.messages();
    link.peer.send(PIECE);
    link.peer.send(PIECE);
    let end = "end Hello interrupted: the answer was over the limit of 8 bytes (max_answer)";
    assert_eq!(link.exchange(), ["delta Hello", end]);
    assert_eq!(link.messages(), [r#"{"type":"stop"}"#]);
    assert_eq!(link.connection.session().state(), State::Draining);
}

#[test]
fn a_stop_goes_out_and_is_repeated() {
    let mut link = answering();
    assert_eq!(link.connection.stop(link.now), Ok(true));
    assert_eq!(link.connection.stop(link.now), Ok(false));
    link.exchange();
    assert_eq!(link.messages(), [r#"{"type":"stop"}"#]);
    let start = link.now;
    for after in [150, 1000, 2000, 4000] {
        assert_eq!(link.wait(), ["StopRepeated { turn: 1 }"]);
        assert_eq!(link.now - start, Duration::from_millis(after));
        assert_eq!(link.messages(), [r#"{"type":"stop"}"#]);
    }
    assert_eq!(link.wait(), ["end Hello interrupted: the end did not come in time after the stop (after_stop)"]);
    assert_eq!(link.now - start, Duration::from_secs(10));
}

#[test]
fn the_session_and_the_websocket_each_have_their_deadlines() {
    let mut link = Link::open();
    let start = link.now;
    assert_eq!(link.wait(), ["KeepAlive"]);
    assert_eq!(link.now - start, Duration::from_secs(25));
    assert_eq!(link.messages(), [r#"{"type":"ping"}"#]);
    // The WebSocket's own ping, which the server answers.
    assert_eq!(link.wait(), Log::new());
    assert_eq!(link.now - start, Duration::from_secs(30));
    link.peer.read();
    assert_eq!(link.exchange(), Log::new());
    // From now on nothing comes any more.
    let silent = link.now;
    while link.connection.end().is_none() {
        link.wait();
    }
    assert_eq!(link.now - silent, Duration::from_secs(40));
    assert!(matches!(link.connection.end(), Some(ConnectionEnd::Lost(WireError::Unresponsive { .. }))));
}

#[test]
fn a_handshake_that_nobody_answers_is_bounded() {
    let mut link = Link::new(Auth::anonymous(), false, |_| ());
    link.connection.request(link.now, &Request::chat("hi")).unwrap();
    let start = link.now;
    link.connection.poll_transmit();
    link.now = link.connection.next_deadline().unwrap();
    assert_eq!(link.now - start, Duration::from_secs(10));
    link.connection.handle_timeout(link.now);
    let mut log = Log::new();
    link.poll(&mut |event| log.push(describe(event)));
    assert_eq!(log[0], "end  interrupted: the connection could not be made");
    assert!(log[1].starts_with("closed: the server did not complete"), "{log:?}");
}

#[test]
fn the_time_is_told_also_where_nothing_is_due() {
    let mut link = Link::new(Auth::anonymous(), false, |_| ());
    let start = link.now;
    link.connection.handle_timeout(start + Duration::from_secs(1));
    let _ = link.connection.reconnect(start - Duration::from_secs(500)).unwrap();
    assert_eq!(link.connection.next_deadline(), Some(start + Duration::from_secs(11)));
}

#[test]
fn malformed_messages_are_events() {
    let mut link = answering();
    link.peer.send("nonsense");
    link.peer.send(tungstenite::Message::binary(vec![1]));
    let log = link.exchange();
    assert!(log.len() == 2 && log.iter().all(|event| event.starts_with("Malformed {")), "{log:?}");
    // To look at, where there is something to be seen.
    assert!(log[0].ends_with(r#"raw: Some("nonsense") }"#) && log[1].ends_with("raw: None }"), "{log:?}");
    link.peer.send(END);
    assert_eq!(link.exchange(), ["end Hello complete"]);
    assert_eq!(link.connection.session().counters().malformed, 2);
}

#[test]
fn reconnecting_goes_on_in_the_same_conversation() {
    for lost in [true, false] {
        let mut link = answering();
        if lost {
            link.eof();
        }
        link.peer = Peer::plain();
        let end = link.connection.reconnect(link.now).unwrap();
        assert_eq!(end.is_some(), !lost, "the running turn's end is handed out once");
        assert_eq!(link.connection.end(), None);
        assert_eq!(link.exchange(), ["open"]);
        ask(&mut link);
        assert_eq!(link.messages()[0], r#"{"token":"sk-secret-token","id":29}"#);
        link.peer.send(OPENER);
        link.peer.send(END);
        assert_eq!(link.exchange(), ["opened Resumed { id: 29 }", "end  complete"]);
        let recorded = link.connection.transcript().unwrap().to_string();
        assert!(!recorded.contains("Hello") && recorded.contains("\"id\":29"), "a recording of its own: {recorded}");
    }
}

#[test]
fn what_came_before_a_reconnect_counts() {
    for (messages, expected) in [
        (&[OPENER, PIECE, PIECE][..], "HelloHello interrupted: this program reconnected"),
        (&[OPENER, PIECE, "nonsense", END], "Hello complete"),
        (&[], " interrupted: this program reconnected"),
    ] {
        let mut link = Link::open();
        ask(&mut link);
        for message in messages {
            link.peer.send(*message);
        }
        let bytes = link.peer.output();
        link.connection.receive(link.now, &bytes).unwrap();
        let Some(Event::End(end)) = link.connection.reconnect(link.now).unwrap() else { panic!() };
        assert_eq!(format!("{} {}", end.answer.text, end.answer.outcome.unwrap()), expected);
        assert_eq!(end.answer.malformed, link.connection.session().counters().malformed);
        assert_eq!(link.connection.session().state(), State::Idle);
        // In the conversation that its opener named.
        link.peer = Peer::plain();
        link.exchange();
        ask(&mut link);
        let id = if messages.is_empty() { -1 } else { 29 };
        assert_eq!(link.messages()[0], format!(r#"{{"token":"sk-secret-token","id":{id}}}"#));
    }
}

#[test]
fn what_waits_to_be_sent_is_bounded() {
    for is_open in [false, true] {
        let mut link = Link::new(Auth::anonymous(), false, |config| config.session.max_request = 1000);
        if is_open {
            link.exchange();
        }
        let share = Request::share("x".repeat(900));
        let mut count = 0;
        let error = loop {
            match link.connection.request(link.now, &share) {
                Ok(()) => count += 1,
                Err(error) => break error,
            }
        };
        // The fifth is the one more.
        assert_eq!(count, 5);
        assert!(matches!(error, RequestError::Unsent { waiting: 4001..6000, limit: 4000 }), "{error:?}");
        assert!(link.connection.memory() < 20_000, "{}", link.connection.memory());
        // Nothing is lost, and what is sent makes room.
        link.exchange();
        assert_eq!(link.messages().len(), 6, "with the authentication");
        ask(&mut link);
        // A stop goes out however much waits.
        assert!(link.connection.stop(link.now).unwrap());
    }
}

#[test]
fn the_token_shows_nowhere() {
    let mut link = answering();
    let shown = |link: &Link| format!("{:?} {:?}", link.connection, link.connection.transcript());
    assert!(!shown(&link).contains("secret"), "{}", shown(&link));
    link.eof();
    assert!(!shown(&link).contains("secret"));
}

#[test]
fn memory_is_what_was_received() {
    let mut link = Link::open();
    let before = link.connection.memory();
    ask(&mut link);
    link.peer.send(format!("{{\"message\":\"{}\"}}", "x".repeat(100_000)));
    link.exchange();
    let during = link.connection.memory();
    assert!(during - before >= 100_000, "{before} {during}");
    link.peer.send(END);
    link.exchange();
    assert!(link.connection.memory() < during - 90_000);
}

#[test]
fn it_can_be_sent_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Connection>();
    is_send::<ConnectionConfig>();
}

#[test]
fn several_events_can_be_held_at_once() {
    let mut link = Link::open();
    link.connection.request(link.now, &Request::chat("hi")).unwrap();
    link.exchange();
    for message in
        [r#"{"message":"a\u00e9"}"#, r#"{"message":"plain"}"#, "[]", r#"{"message":"b\n","quota":1,"end":true}"#]
    {
        link.peer.send(message);
    }
    let bytes = link.peer.output();
    link.connection.receive(link.now, &bytes).unwrap();
    let mut storage: [EventStorage; 5] = Default::default();
    let events: Vec<_> =
        storage.iter_mut().filter_map(|storage| link.connection.poll_event(link.now, storage)).collect();
    let log: Vec<_> = events.into_iter().map(describe).collect();
    assert_eq!(log[..2], ["delta aé", "delta plain"]);
    assert!(log[2].starts_with("Malformed") && log[2].ends_with(r#"raw: Some("[]") }"#), "{log:?}");
    assert_eq!(log[3..], ["end aéplainb\n complete"]);
}

/// A connection that holds a request, because an answer has just ended.
fn holding() -> Link {
    let mut link = Link::open();
    hold(&mut link);
    link
}

fn hold(link: &mut Link) {
    ask(link);
    link.peer.send(END);
    link.exchange();
    link.messages();
    link.connection.request(link.now, &Request::remove(0)).unwrap();
    link.exchange();
    assert_eq!(link.messages(), [""; 0], "the server is left in peace");
}

const REMOVE: &str = r#"{"type":"remove","message":"0"}"#;

#[test]
fn what_is_held_goes_out_before_the_close_and_at_its_time() {
    let mut link = holding();
    let before = link.now;
    link.connection.close(link.now);
    link.connection.close(link.now);
    assert_eq!(link.connection.request(link.now, &Request::remove(1)), Err(RequestError::Closed));
    assert_eq!(link.connection.stop(link.now), Err(RequestError::Closed));
    assert_eq!(link.exchange(), [""; 0]);
    assert_eq!(link.messages(), [""; 0]);
    assert_eq!(link.wait(), [""; 0]);
    assert_eq!(link.now - before, Duration::from_millis(250));
    assert_eq!(link.messages(), [REMOVE]);
    assert_eq!(link.eof(), ["closed: the connection was closed"], "the Close has gone behind it");
}

#[test]
fn a_message_that_comes_when_the_wait_is_over_does_not_hold_up_the_close() {
    // No other timer, which would wake the host.
    let mut link = Link::open_with(|config| {
        config.ping_after = Duration::ZERO;
        config.session.keep_alive = Duration::ZERO;
    });
    hold(&mut link);
    link.connection.close(link.now);
    link.exchange();
    link.now += Duration::from_millis(250);
    // A host takes what the socket has before it looks at its timer.
    link.peer.send("late");
    assert!(matches!(&*link.exchange(), [event] if event.starts_with("Malformed")));
    if link.connection.next_deadline().is_some_and(|deadline| deadline <= link.now) {
        link.connection.handle_timeout(link.now);
        link.exchange();
    }
    assert_eq!(link.messages(), [REMOVE]);
    assert_eq!(link.eof(), ["closed: the connection was closed"]);
}

#[test]
fn a_close_does_not_wait_longer_than_it_may() {
    let mut link = Link::open_with(|config| config.session.settle = Duration::from_secs(3600));
    hold(&mut link);
    link.connection.close(link.now);
    link.exchange();
    assert_eq!(link.messages(), [REMOVE]);
    assert_eq!(link.eof(), ["closed: the connection was closed"]);
}

#[test]
fn a_close_that_does_not_wait_lets_what_is_held_go_at_once() {
    let mut link = holding();
    link.connection.close(link.now);
    link.connection.close_at_once(link.now);
    link.exchange();
    assert_eq!(link.messages(), [REMOVE]);
    assert_eq!(link.eof(), ["closed: the connection was closed"]);
}

#[test]
fn a_server_that_closes_before_ends_the_wait() {
    let mut link = holding();
    link.connection.close(link.now);
    assert_eq!(link.eof(), ["closed: the server ended the connection during the session"]);
    assert!(link.connection.is_finished());
    assert_eq!(link.connection.next_deadline(), None);
}

#[test]
fn a_question_that_is_held_does_not_hold_up_a_close() {
    let mut link = holding();
    link.connection.request(link.now, &Request::chat("next")).unwrap();
    link.connection.close(link.now);
    link.exchange();
    assert_eq!(link.messages(), [REMOVE, r#"{"type":"chat","message":"next"}"#]);
}

#[test]
fn what_nobody_asked_for_ends_the_connection() {
    let text = "the server answered what was not asked, and which answer is whose cannot be known any more: reconnect";
    // In a turn: an opener behind its own.
    let mut link = answering();
    link.peer.send(OPENER);
    link.peer.send(PIECE);
    link.peer.send(END);
    assert_eq!(
        link.exchange(),
        ["end Hello interrupted: the server broke the protocol of the connection", &format!("closed: {text}")]
    );
    assert_eq!(link.connection.end(), Some(&ConnectionEnd::Lost(WireError::Unasked)));
    assert_eq!(link.peer.read().last().and_then(close_code), Some(1002), "the server is told");
    assert!(link.connection.is_finished());
    assert_eq!(link.connection.request(link.now, &Request::chat("next")), Err(RequestError::Closed));

    // Between turns, and while a close is under way.
    for closes in [false, true] {
        let mut link = Link::open();
        if closes {
            link.connection.close(link.now);
        }
        link.peer.send(OPENER);
        let log = link.exchange();
        assert_eq!(log, ["stray ", &format!("closed: {text}")], "{closes}");
        assert_eq!(link.connection.next_deadline().filter(|_| link.connection.is_finished()), None);
    }

    // A new connection knows nothing of it.
    let end = link.connection.reconnect(link.now).unwrap();
    assert!(end.is_none());
    assert_eq!(link.connection.session().state(), State::Idle);
}

fn close_code(message: &tungstenite::Message) -> Option<u16> {
    match message {
        tungstenite::Message::Close(Some(frame)) => Some(frame.code.into()),
        _ => None,
    }
}

/// A link whose first answer's end was told, with this behind it in the same read, and which has then asked again.
fn asked_at_the_end(behind: &[&str]) -> Link {
    let mut link = answering();
    for message in [END].iter().chain(behind) {
        link.peer.send((*message).to_owned());
    }
    let bytes = link.peer.output();
    link.connection.receive(link.now, &bytes).unwrap();
    let mut storage = EventStorage::new();
    while let Some(event) = link.connection.poll_event(link.now, &mut storage) {
        if describe(event).starts_with("end") {
            break;
        }
    }
    link.connection.request(link.now, &Request::chat("two")).unwrap();
    link
}

#[test]
fn what_was_read_before_a_question_is_no_answer_to_it() {
    let mut link = asked_at_the_end(&[OPENER, END]);
    assert_eq!(link.connection.poll_transmit(), None);
    assert_eq!(link.connection.next_deadline(), Some(Duration::ZERO), "who waits for more now waits in vain");
    let log = link.exchange();
    assert!(log[0].starts_with("end  interrupted: "), "{log:?}");
    assert!(link.messages().is_empty(), "it was never asked");
}

#[test]
fn nor_is_it_behind_a_change_of_the_history_that_is_held() {
    let mut link = answering();
    for message in [END, r#"{"conversation":29,"quota":1,"message":"whose?","end":true}"#] {
        link.peer.send(message.to_owned());
    }
    link.connection.receive(link.now, &link.peer.output()).unwrap();
    let mut storage = EventStorage::new();
    while !describe(link.connection.poll_event(link.now, &mut storage).unwrap()).starts_with("end") {}
    link.connection.request(link.now, &Request::remove(0)).unwrap();
    link.connection.request(link.now, &Request::chat("two")).unwrap();
    let log = link.exchange();
    assert!(log[0].starts_with("end  interrupted: "), "{log:?}");
}

#[test]
fn a_question_goes_once_what_came_before_it_is_told() {
    let link = asked_at_the_end(&[]);
    assert!(link.connection.poll_transmit().is_some(), "nothing is in its way");
    let mut link = asked_at_the_end(&["nonsense"]);
    assert_eq!(link.connection.poll_transmit(), None);
    let log = link.exchange();
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(link.messages().len(), 1);
}

/// What comes of messages that are received when all is late.
fn late(link: &mut Link, messages: impl IntoIterator<Item = String>) -> Log {
    link.now += Duration::from_secs(1000);
    messages.into_iter().for_each(|message| link.peer.send(message));
    link.connection.receive(link.now, &link.peer.output()).unwrap();
    link.connection.handle_timeout(link.now);
    let mut log = Log::new();
    link.poll(&mut |event| log.push(describe(event)));
    log
}

/// A message that nobody can read, so no sign of life.
const JUNK: &str = r#"{"end":1}"#;

#[test]
fn what_has_come_goes_before_what_is_late_but_not_all_of_it() {
    let messages = |count| vec![JUNK.to_owned(); count];
    let log = late(&mut answering(), [messages(900), vec![PIECE.into()]].concat());
    assert_eq!((log.len(), &*log[900]), (901, "delta Hello"));
    let end = "end Hello interrupted: the next frame did not come in time";
    let log = late(&mut answering(), messages(5000));
    assert!(log.iter().position(|line| line.starts_with(end)).is_some_and(|at| at == 1000), "{log:?}");
    // Frames of one message, too, when the time goes on meanwhile.
    let mut link = answering();
    link.peer.send(JUNK.repeat(5000));
    link.connection.receive(link.now, &link.peer.output()).unwrap();
    let (mut storage, mut count) = (EventStorage::new(), 0);
    while let Some(event) = link.connection.poll_event(link.now, &mut storage) {
        if describe(event).starts_with(end) {
            break;
        }
        count += 1;
        link.now += Duration::from_secs(1);
    }
    assert!((1000..1200).contains(&count), "{count}");
}

#[test]
fn a_close_ends_in_its_time_whatever_has_come() {
    for messages in [vec![JUNK.repeat(5000)], vec![JUNK.to_owned(); 5000]] {
        let mut link = answering();
        link.connection.close(link.now);
        let log = late(&mut link, messages);
        assert!(log.len() < 1100, "{}", log.len());
        let end = "end Hello interrupted: this program closed the session";
        assert_eq!(
            log[log.len() - 2..],
            [end, "closed: the server did not answer the closing of the connection in time"]
        );
        assert!(link.connection.is_finished());
    }
}

#[test]
fn what_comes_behind_the_end_of_a_connection_is_passed_over() {
    let mut link = answering();
    let mut storage = EventStorage::new();
    link.connection.handle_eof(link.now);
    while link.connection.poll_event(link.now, &mut storage).is_some() {}
    for _ in 0..40 {
        assert_eq!(link.connection.receive(link.now, &vec![0; MIN_UNDRAINED]), Ok(()));
        assert!(link.connection.poll_event(link.now, &mut storage).is_none());
    }
}
