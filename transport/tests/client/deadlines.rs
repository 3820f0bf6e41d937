//! Every wait has an end.

use std::net::TcpListener;
use std::time::Duration;

use chatnio::{
    Auth, Client, ClientError, ConnectionEnd, Event, Interruption, Outcome, Request, RequestError, State, WireError,
};
use chatnio_loopback::Generation;

use crate::support::{LONG, ask, chat, config, connect, serve};

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
