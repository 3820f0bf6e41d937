//! The blocking client against the loopback server, over real sockets on 127.0.0.1.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use chatnio::{
    Answer, Auth, AuthError, Client, ClientError, ConnectionConfig, ConnectionEnd, Conversation, Endpoint, Event,
    Interruption, Outcome, Request, RequestError, StartError, State, Stopper, TlsError, TlsOptions, Trust, WireError,
};
use chatnio_loopback::{Certificate, Ending, Generation, Options, Plan, Refusal, Server};

/// No test needs as long: whatever hangs fails.
const LONG: Duration = Duration::from_secs(60);

fn serve(change: impl FnOnce(&mut Options)) -> Server {
    let mut options = Options { pace: 0.1, ..Options::new(Generation::G2026) };
    options.plans.insert("one".into(), Plan::text(Duration::ZERO, ["one"]));
    // Never ends by itself within a test.
    options
        .plans
        .insert("endless".into(), Plan { rounds: 100_000, ..Plan::text(Duration::from_millis(50), ["more "]) });
    let mute = Plan::text(Duration::ZERO, ["said"]).ending(Ending::Silent);
    options.plans.insert("mute".into(), mute);
    change(&mut options);
    Server::start(options).unwrap()
}

fn config() -> ConnectionConfig {
    let mut config = ConnectionConfig::default();
    config.session.record = true;
    config.connect_retries = 0;
    config.session.first_frame = LONG;
    config.session.next_frame = LONG;
    config
}

fn connect(server: &Server) -> Client {
    Client::connect(&server.url(), Auth::new("sk-secret-token"), &config()).unwrap()
}

/// An address that refuses connections: port 1 is nobody's. One that was free a moment ago may be another test's by now.
fn closed_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

fn chat(model: &str) -> Request {
    Request::chat("hi").model(model)
}

fn ask(client: &mut Client, model: &str) -> Box<Answer> {
    client.ask(&chat(model)).unwrap().into_answer().unwrap()
}

#[test]
fn an_image_comes_in_one_frame_and_goes_in_one_question() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    let image = ask(&mut client, "image-16000000");
    assert_eq!((image.outcome, image.chunks), (Some(Outcome::Complete), 1));
    assert!(image.text.starts_with("![image](data:image/png;base64,") && image.text.len() > 16_000_000);
    let photo = format!("What is this? {}", &image.text[..6_000_000]);
    let answer = client.ask(&Request::chat(&*photo).model("one")).unwrap().into_answer().unwrap();
    assert_eq!(answer.text, "one", "{answer:?}");
}

#[test]
fn pieces_come_one_by_one_and_then_the_answer() {
    for generation in Generation::ALL {
        let server = serve(|options| options.generation = generation);
        let mut client = connect(&server);
        // 2023 takes the plan from the question.
        let mut pieces = client.ask(&Request::chat("@hello hi").model("hello")).unwrap();
        assert!(pieces.answer().is_none());
        let texts: Vec<String> = pieces.by_ref().map(Result::unwrap).collect();
        assert_eq!(texts, ["Hello", "!", " How", " can", " I", " help?"]);
        let answer = pieces.answer().unwrap();
        assert_eq!((&*answer.text, answer.outcome), ("Hello! How can I help?", Some(Outcome::Complete)));
        assert!(answer.quota() > 0.0);
        drop(pieces);
        assert!(client.next().unwrap().is_none(), "no turn runs");
        assert_eq!(client.state(), State::Idle);
        let again = client.ask(&Request::restart().model("hello")).unwrap().into_answer().unwrap();
        assert_eq!((again.turn, &*again.text), (2, "Hello! How can I help?"));
        assert!(client.close().unwrap().is_none());
    }
}

#[test]
fn a_notice_has_no_pieces() {
    let server = serve(|_| ());
    let answer = ask(&mut connect(&server), "notice");
    assert_eq!((answer.outcome, &*answer.text), (Some(Outcome::Notice), ""));
    assert!(answer.notice.unwrap().contains("quota"));
}

#[test]
fn one_turn_at_a_time() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    client.request(&chat("endless")).unwrap();
    let busy = client.request(&chat("one"));
    assert!(matches!(busy, Err(ClientError::Request(RequestError::Busy { turn: 1 }))), "{busy:?}");
    assert!(matches!(client.ask(&chat("one")), Err(ClientError::Request(RequestError::Busy { turn: 1 }))));
    assert!(client.stop().unwrap());
    assert!(!client.stop().unwrap());
    let mut outcome = None;
    while let Some(event) = client.next().unwrap() {
        if let Event::End(end) = event {
            outcome = end.answer.outcome;
        }
    }
    assert_eq!(outcome, Some(Outcome::Stopped));
}

#[test]
fn only_what_is_answered_can_be_asked() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    for request in [Request::stop(), Request::share("x"), Request::remove(1)] {
        let kind = request.kind();
        assert!(matches!(client.ask(&request), Err(ClientError::NotAnswered { kind: of }) if of == kind));
        client.request(&request).unwrap();
    }
}

#[test]
fn another_thread_stops_the_answer() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    let stopper = client.stopper();
    let mut pieces = client.ask(&chat("endless")).unwrap();
    assert_eq!(pieces.next().unwrap().unwrap(), "more ");
    let other = thread::spawn(move || (stopper.stop(), stopper.stop()));
    let answer = pieces.into_answer().unwrap();
    assert_eq!(other.join().unwrap(), (true, false), "one stop a turn");
    assert_eq!(answer.outcome, Some(Outcome::Stopped));
    assert!(answer.quota() > 0.0, "what a stopped answer cost is known");
}

#[test]
fn a_stop_that_the_server_swallows_is_repeated() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    // The stop has to come within 100 ms of the answer before, and behind the next question: that needs no luck, but
    // a machine that does not stand still.
    for _ in 0..20 {
        ask(&mut client, "one");
        let stopper = client.stopper();
        client.request(&chat("endless")).unwrap();
        thread::spawn(move || stopper.stop()).join().unwrap();
        let mut outcome = None;
        while let Some(event) = client.next().unwrap() {
            if let Event::End(end) = event {
                outcome = end.answer.outcome;
            }
        }
        assert_eq!(outcome, Some(Outcome::Stopped));
        if server.stats().stops_swallowed > 0 {
            assert!(client.counters().repeated_stops > 0);
            return;
        }
    }
    panic!("no stop was swallowed");
}

#[test]
fn another_thread_closes_the_connection() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    let stopper = client.stopper();
    client.request(&chat("mute")).unwrap();
    while !matches!(client.next().unwrap(), Some(Event::Delta { text: "said", .. })) {}
    let other = thread::spawn(move || stopper.close());
    let Some(Event::End(end)) = client.next().unwrap() else { panic!("the turn ends first") };
    assert_eq!(end.answer.outcome, Some(Outcome::Interrupted(Interruption::ClosedByHost)));
    assert_eq!(end.answer.text, "said");
    assert!(client.next().unwrap().is_none());
    other.join().unwrap();
    assert!(matches!(client.ask(&chat("one")), Err(ClientError::Request(RequestError::Closed))));
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
fn a_close_during_a_reconnect_is_not_forgotten() {
    // Accepts, and answers no handshake.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = serve(|_| ());
    let endpoint = Endpoint::parse("ws://chat.example").unwrap();
    let stream = TcpStream::connect(server.addr()).unwrap();
    let mut config = config();
    config.handshake = LONG;
    let mut client = Client::from_stream(stream, &endpoint, Auth::anonymous(), &config).unwrap();
    let stopper = client.stopper();
    let stream = TcpStream::connect(silent.local_addr().unwrap()).unwrap();
    let other = thread::spawn(move || {
        let (mut accepted, _) = silent.accept().unwrap();
        // The handshake's request has come, so the reconnect is under way.
        std::io::Read::read(&mut accepted, &mut [0; 16]).unwrap();
        stopper.close();
    });
    let error = client.reconnect_stream(stream).unwrap_err();
    assert!(matches!(error, ClientError::Ended(ConnectionEnd::Clean)), "{error:?}");
    other.join().unwrap();
}

#[test]
fn another_thread_closes_an_idle_connection() {
    let server = serve(|_| ());
    let mut config = config();
    // Nothing is due, ever.
    config.session.keep_alive = Duration::ZERO;
    config.ping_after = Duration::ZERO;
    let mut client = Client::connect(&server.url(), Auth::anonymous(), &config).unwrap();
    let stopper = client.stopper();
    let other = thread::spawn(move || stopper.close());
    assert!(client.next_within(Duration::MAX).unwrap().is_none());
    other.join().unwrap();
    assert_eq!(client.state(), State::Closed);
}

#[test]
fn a_stopper_may_outlive_its_client() {
    let server = serve(|_| ());
    let client = connect(&server);
    let stopper = client.stopper();
    drop(client);
    assert!(!stopper.stop());
    stopper.close();
}

#[test]
fn stopper_and_client_can_go_to_other_threads() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    is_send::<Client>();
    is_send::<chatnio::Stopper>();
    is_sync::<chatnio::Stopper>();
}

#[test]
fn an_answer_that_is_left_is_stopped() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    let piece = client.ask(&chat("endless")).unwrap().next();
    assert_eq!(piece.unwrap().unwrap(), "more ");
    assert_eq!(client.state(), State::Stopping);
    // The next question waits for its end, and gets an answer of its own.
    let answer = ask(&mut client, "one");
    assert_eq!((&*answer.text, answer.outcome), ("one", Some(Outcome::Complete)));
    assert_eq!(server.stats().stops_seen, 1);
}

#[test]
fn a_client_that_is_dropped_mid_answer_stops_it() {
    let mut server = serve(|_| ());
    let mut client = connect(&server);
    client.request(&chat("endless")).unwrap();
    while !matches!(client.next().unwrap(), Some(Event::Delta { text: "more ", .. })) {}
    drop(client);
    server.stop();
    assert_eq!(server.stats().stops_received, 1);
}

#[test]
fn a_client_that_is_abandoned_says_nothing() {
    let mut server = serve(|_| ());
    let mut client = connect(&server);
    client.request(&chat("endless")).unwrap();
    while client.state() != State::Answering {
        client.next().unwrap();
    }
    client.set_polite(false);
    drop(client);
    server.stop();
    assert_eq!(server.stats().stops_received, 0);
}

#[test]
fn a_client_that_was_closed_can_be_connected_anew() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    assert!(client.close().unwrap().is_none());
    assert!(client.next().unwrap().is_none() && client.state() == State::Closed);
    assert!(matches!(client.request(&chat("one")), Err(ClientError::Request(RequestError::Closed))));
    assert!(client.reconnect().unwrap().is_none());
    assert_eq!(ask(&mut client, "one").text, "one");
}

#[test]
fn a_client_that_was_closed_leaves_no_socket_half_open() {
    let server = serve(|_| ());
    let relay = TcpListener::bind("127.0.0.1:0").unwrap();
    let way = relay.local_addr().unwrap();
    let upstream = TcpStream::connect(server.addr()).unwrap();
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let (near, _) = relay.accept().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                io::copy(&mut &upstream, &mut &near).unwrap();
                near.shutdown(Shutdown::Write).unwrap();
            });
            // Until the client's side of the stream ends.
            let _ = io::copy(&mut &near, &mut &upstream);
        });
        done.send(()).unwrap();
    });
    let endpoint = Endpoint::parse("ws://chat.example").unwrap();
    let mut client = Client::connect_to(&[way], &endpoint, Auth::anonymous(), &config()).unwrap();
    assert!(client.close().unwrap().is_none());
    ended.recv_timeout(LONG).expect("the client is held, and its socket is to be closed all the same");
    drop(client);
}

#[test]
fn a_lost_connection_keeps_the_text_and_can_be_made_anew() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    let mut pieces = client.ask(&chat("drop")).unwrap();
    let (good, bad): (Vec<_>, Vec<_>) = pieces.by_ref().partition(Result::is_ok);
    assert!(!good.is_empty());
    assert!(matches!(&bad[..], [Err(ClientError::Ended(ConnectionEnd::Lost(_)))]), "{bad:?}");
    let text: String = good.into_iter().map(Result::unwrap).collect();
    assert_eq!(pieces.answer().unwrap().text, text);
    drop(pieces);
    for _ in 0..2 {
        assert!(matches!(client.next(), Err(ClientError::Ended(ConnectionEnd::Lost(_)))), "said at every call");
    }
    let Conversation::New { id } = client.conversation() else { panic!() };

    client.reconnect().unwrap();
    let answer = ask(&mut client, "one");
    assert_eq!(answer.text, "one");
    assert_eq!(client.conversation(), Conversation::Resumed { id });
}

#[test]
fn reconnecting_mid_answer_hands_out_its_end() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    client.request(&chat("mute")).unwrap();
    while !matches!(client.next().unwrap(), Some(Event::Delta { text: "said", .. })) {}
    let answer = client.reconnect().unwrap().unwrap();
    assert_eq!(answer.outcome, Some(Outcome::Interrupted(Interruption::Reconnected)));
    assert_eq!(answer.text, "said");
    let answer = ask(&mut client, "one");
    assert_eq!((answer.turn, &*answer.text), (2, "one"));
}

#[test]
fn an_end_that_a_failed_reconnect_brought_is_not_lost() {
    let mut server = serve(|_| ());
    let mut client = connect(&server);
    client.request(&chat("mute")).unwrap();
    while !matches!(client.next().unwrap(), Some(Event::Delta { text: "said", .. })) {}
    server.stop();
    assert!(client.reconnect().is_err());
    let Some(Event::End(end)) = client.next().unwrap() else { panic!() };
    assert_eq!(end.answer.text, "said");
    assert!(client.next().is_err());
}

#[test]
fn a_reconnect_that_fails_leaves_no_connection() {
    let down = closed_port();
    let server = serve(|_| ());
    let mut client = connect(&server);
    client.request(&chat("endless")).unwrap();
    while !matches!(client.next().unwrap(), Some(Event::Delta { text: "more ", .. })) {}
    // However early it fails: here no socket is ever made.
    let error = client.reconnect_by(|| TcpStream::connect(down)).unwrap_err();
    assert!(matches!(error, ClientError::Socket(_)), "{error:?}");
    let Some(Event::End(end)) = client.next().unwrap() else { panic!("the old connection goes on") };
    assert_eq!(end.answer.outcome, Some(Outcome::Interrupted(Interruption::Reconnected)));
    for _ in 0..2 {
        assert!(matches!(client.next(), Err(ClientError::Socket(_))), "said at every call");
        assert!(matches!(client.ask(&chat("one")), Err(ClientError::Socket(_))));
    }
    assert_eq!((client.state(), client.end()), (State::Closed, Some(ConnectionEnd::Clean)));

    client.reconnect().unwrap();
    assert_eq!(client.end(), None);
    assert_eq!(ask(&mut client, "one").text, "one");
}

#[test]
fn an_answer_over_the_limit_is_drained_with_what_came_behind_it() {
    let server = serve(|options| {
        let plan = Plan::text(Duration::ZERO, ["x".repeat(20)]);
        options.plans.insert("wide".into(), plan);
    });
    let mut config = config();
    config.session.max_answer = 10;
    let mut client = Client::connect(&server.url(), Auth::new("sk-x"), &config).unwrap();
    let mut pieces = client.ask(&chat("wide")).unwrap();
    let error = pieces.next().unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Interrupted(Interruption::AnswerTooLong { limit: 10 })), "{error:?}");
    drop(pieces);
    // Its end is on its way, or has come in the same segment: nothing of it is lost, and nothing waits for it.
    while client.next().unwrap().is_some() {}
    let answer = (0..10_000).find_map(|_| match client.ask(&chat("one")) {
        Ok(pieces) => Some(pieces.into_answer().unwrap()),
        Err(ClientError::Request(RequestError::Busy { turn: 1 })) => None,
        Err(error) => panic!("{error:?}"),
    });
    assert_eq!(answer.unwrap().text, "one", "asking again is enough");
}

#[test]
fn every_deadline_of_an_answer_bounds_the_call() {
    let server = serve(|_| ());
    let short = Duration::from_millis(50);
    for (model, set, why) in [
        ("silent", 0, Interruption::FirstFrameDeadline),
        ("mute", 1, Interruption::NextFrameDeadline),
        ("mute", 2, Interruption::AfterStopDeadline),
    ] {
        let mut config = config();
        let session = &mut config.session;
        *[&mut session.first_frame, &mut session.next_frame, &mut session.after_stop][set] = short;
        // 2024 opens and then looks for a stop only when the model speaks; 2023 says nothing at first.
        let generation = if set == 0 { Generation::G2023 } else { Generation::G2024 };
        let server = serve(|options| options.generation = generation);
        let mut client = Client::connect(&server.url(), Auth::new("sk-x"), &config).unwrap();
        client.request(&Request::chat(format!("@{model} hi")).model(model)).unwrap();
        let outcome = loop {
            match client.next().unwrap() {
                Some(Event::Delta { text: "said", .. }) if set == 2 => assert!(client.stop().unwrap()),
                Some(Event::End(end)) => break end.answer.outcome,
                Some(_) => {}
                None => panic!("{model}"),
            }
        };
        assert_eq!(outcome, Some(Outcome::Interrupted(why)), "{model}");
        assert_eq!(client.state(), State::Draining);
        assert!(matches!(client.ask(&chat("one")), Err(ClientError::Request(RequestError::Busy { .. }))));
    }
    drop(server);
}

#[test]
fn a_server_that_never_ends_a_turn_does_not_keep_its_host() {
    let server = serve(|_| ());
    let mut config = config();
    config.session.next_frame = Duration::from_millis(50);
    config.session.stop_repeats.clear();
    let mut client = Client::connect(&server.url(), Auth::new("sk-x"), &config).unwrap();
    client.request(&Request::chat("@mute").model("mute")).unwrap();
    let mut ends = 0;
    while let Some(event) = client.next().unwrap() {
        ends += u32::from(matches!(event, Event::End(_)));
    }
    assert_eq!(ends, 1);
}

#[test]
fn waiting_can_be_bounded_by_the_call() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    assert!(client.next_within(Duration::ZERO).unwrap().is_none());
    client.request(&chat("mute")).unwrap();
    let mut said = false;
    while let Some(event) = client.next_within(if said { Duration::from_millis(20) } else { LONG }).unwrap() {
        said |= matches!(event, Event::Delta { text: "said", .. });
    }
    assert_eq!(client.state(), State::Answering);
}

#[test]
fn an_idle_connection_is_kept_alive_while_it_is_waited_on() {
    let server = serve(|_| ());
    let mut config = config();
    config.session.keep_alive = Duration::from_millis(10);
    let mut client = Client::connect(&server.url(), Auth::anonymous(), &config).unwrap();
    for _ in 0..3 {
        assert!(matches!(client.next_within(LONG).unwrap(), Some(Event::KeepAlive)));
    }
    assert_eq!(ask(&mut client, "one").text, "one");
    assert!(server.stats().pings >= 3);
}

#[test]
fn a_server_that_accepts_and_stays_silent_ends_in_the_configured_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for scheme in ["ws", "wss"] {
        let url = format!("{scheme}://{}", silent.local_addr().unwrap());
        let mut config = config();
        config.handshake = Duration::from_millis(100);
        let error = Client::connect(&url, Auth::anonymous(), &config).unwrap_err();
        let timeout = matches!(error, ClientError::Ended(ConnectionEnd::Lost(WireError::HandshakeTimeout { .. })));
        assert!(timeout, "{error:?}");
    }
}

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

#[test]
fn a_recording_has_everything_but_the_token() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    ask(&mut client, "hello");
    let recording = client.transcript().unwrap().to_string();
    assert!(
        recording.starts_with(&format!("WEBSOCKET {}\n\n> SEND {{\"token\":\"sk-...\",\"id\":-1}}\n", server.url()))
    );
    assert!(recording.contains("\"message\":\" help?\"") && !recording.contains("secret"), "{recording}");
    assert!(!format!("{client:?}").contains("secret"));
}

#[test]
fn a_long_answer_comes_whole() {
    for tls in [None, Some(Certificate::Valid)] {
        let server = serve(|options| options.tls = tls);
        let mut config = config();
        if let Some(ca) = server.ca_pem() {
            config.tls = TlsOptions::new().trust(Trust::GivenOnly).roots_pem(ca.as_bytes()).unwrap().build().unwrap();
        }
        let mut client = Client::connect(&server.url(), Auth::new("sk-x"), &config).unwrap();
        let answer = ask(&mut client, "long-20000");
        assert_eq!((answer.chunks, answer.text.len()), (20_000, 20_000 * "piece ".len()));
    }
}

/// An address that takes no connection and refuses none: its queue is full, and what comes is dropped. Together with what
/// keeps it so.
#[cfg(target_os = "linux")]
fn silent_address() -> (SocketAddr, impl Sized) {
    let listener =
        rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
    rustix::net::bind(&listener, &"127.0.0.1:0".parse::<SocketAddr>().unwrap()).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let listener = TcpListener::from(listener);
    let address = listener.local_addr().unwrap();
    let mut filling = Vec::new();
    while let Ok(socket) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        filling.push(socket);
    }
    (address, (listener, filling))
}

#[cfg(target_os = "linux")]
#[test]
fn a_silent_address_does_not_hold_up_the_next() {
    let (silent, _held) = silent_address();
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
    let (silent, _held) = silent_address();
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
    (config.connect, config.handshake) = (Duration::from_millis(1500), Duration::from_millis(1500));
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
