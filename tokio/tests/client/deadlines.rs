//! Deadlines, by tokio's clock, which stands still here and jumps from one timer to the next.

use std::time::Duration;

use chatnio_loopback::{Generation, closed_port};
use chatnio_tokio::{
    Auth, Client, ClientError, ConnectionEnd, Event, Interruption, Limiter, Outcome, Request, RequestError, State,
    WireError,
};
use tokio::net::TcpListener;
use tokio::time::{Instant, pause};

use crate::support::{LONG, ask, bounded, chat, config, relayed, serve, until};

#[tokio::test]
async fn every_deadline_of_an_answer_ends_it_in_time() {
    const SHORT: Duration = Duration::from_secs(7);
    for (model, set, why) in [
        ("silent", 0, Interruption::FirstFrameDeadline),
        ("mute", 1, Interruption::NextFrameDeadline),
        ("mute", 2, Interruption::AfterStopDeadline),
    ] {
        let mut config = config();
        // The server's answers do not keep up with this clock.
        (config.session.keep_alive, config.ping_after) = (Duration::ZERO, Duration::ZERO);
        config.session.stop_repeats.clear();
        let session = &mut config.session;
        *[&mut session.first_frame, &mut session.next_frame, &mut session.after_stop][set] = SHORT;
        // 2024 opens and then looks for a stop only when the model speaks; 2023 says nothing at first.
        let generation = if set == 0 { Generation::G2023 } else { Generation::G2024 };
        let server = serve(|options| options.generation = generation);
        let mut client = Client::connect(&server.url(), Auth::new("sk-x"), &config).await.unwrap();
        let mut pieces = client.ask(&Request::chat(format!("@{model} hi")).model(model)).await.unwrap();
        if set > 0 {
            assert_eq!(bounded(pieces.next()).await.unwrap().unwrap(), "said");
        }
        pause();
        let asked = Instant::now();
        if set == 2 {
            assert!(client.stop());
        }
        let error = pieces.next().await.unwrap().unwrap_err();
        assert!(matches!(error, ClientError::Interrupted(of) if of == why), "{model}: {error:?}");
        // What was asked before the clock stood still took a moment of it.
        assert!(asked.elapsed() <= SHORT + Duration::from_millis(1), "{:?}", asked.elapsed());
        assert!(asked.elapsed() > SHORT / 2, "{:?}", asked.elapsed());
        assert_eq!(client.state(), State::Draining);
        let busy = client.ask(&chat("one")).await;
        assert!(matches!(busy, Err(ClientError::Request(RequestError::Busy { .. }))), "{busy:?}");
        tokio::time::resume();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_stays_silent_ends_in_the_configured_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for scheme in ["ws", "wss"] {
        let url = format!("{scheme}://{}", silent.local_addr().unwrap());
        let started = Instant::now();
        let error = Client::connect(&url, Auth::anonymous(), &config()).await.unwrap_err();
        let fits = matches!(error, ClientError::Ended(ConnectionEnd::Lost(WireError::HandshakeTimeout { .. })));
        assert!(fits, "{error:?}");
        assert!(started.elapsed() >= Duration::from_secs(10) && started.elapsed() < Duration::from_secs(11));
    }
}

#[tokio::test]
async fn a_dead_connection_is_noticed_while_nobody_asks() {
    let server = serve(|_| ());
    let mut config = config();
    config.session.keep_alive = Duration::ZERO;
    let (client, _inside, _outside) = relayed(&server, &config).await;
    pause();
    until(|| client.end().is_some()).await;
    let Some(ConnectionEnd::Lost(WireError::Unresponsive { silence })) = client.end() else { panic!("{client:?}") };
    assert!(silence >= Duration::from_secs(30), "{silence:?}");
}

#[tokio::test]
async fn an_idle_connection_is_kept_alive() {
    let server = serve(|_| ());
    let mut config = config();
    config.session.keep_alive = Duration::from_millis(10);
    let mut client = Client::connect(&server.url(), Auth::new("sk-x"), &config).await.unwrap();
    until(|| server.stats().pings >= 3).await;
    assert_eq!(ask(&mut client, "one").await.text, "one");
}

#[tokio::test]
async fn a_stop_that_the_server_swallows_is_repeated_though_nobody_waits() {
    let server = serve(|_| ());
    let mut client = Client::connect(&server.url(), Auth::new("sk-x"), &config()).await.unwrap();
    // The stop has to come within 100 ms of the answer before, and behind the next question: that needs no luck, but a
    // machine that does not stand still.
    for _ in 0..20 {
        ask(&mut client, "one").await;
        drop(client.ask(&chat("endless")).await.unwrap());
        until(|| client.state() == State::Idle).await;
        if server.stats().stops_swallowed > 0 {
            assert!(client.counters().repeated_stops > 0);
            return;
        }
    }
    panic!("no stop was swallowed");
}

#[tokio::test]
async fn the_repeats_show_among_the_events() {
    let mut config = config();
    (config.session.keep_alive, config.ping_after) = (Duration::ZERO, Duration::ZERO);
    let server = serve(|options| options.generation = Generation::G2024);
    let mut client = Client::connect(&server.url(), Auth::new("sk-x"), &config).await.unwrap();
    let mut events = client.events(&chat("mute")).await.unwrap();
    while !matches!(bounded(events.next()).await, Some(Event::Delta { text, .. }) if text == "said") {}
    pause();
    assert!(events.stop());
    let mut repeats = 0;
    let outcome = loop {
        match events.next().await {
            Some(Event::StopRepeated { turn: 1 }) => repeats += 1,
            Some(Event::End { answer, .. }) => break answer.outcome,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(outcome, Some(Outcome::Interrupted(Interruption::AfterStopDeadline)));
    assert_eq!(repeats, config.session.stop_repeats.len());
}

#[tokio::test(start_paused = true)]
async fn a_limiter_spaces_connects() {
    // Nobody is there: each try fails at once, and takes its place all the same.
    let closed = closed_port();
    let mut config = config();
    config.limiter = Some(Limiter::new(1));
    let started = Instant::now();
    for _ in 0..3 {
        assert!(Client::connect(&format!("ws://{closed}"), Auth::anonymous(), &config).await.is_err());
    }
    // Its places go by the system's clock, of which hardly any has passed.
    assert!(started.elapsed() > Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(started.elapsed() < LONG);
}
