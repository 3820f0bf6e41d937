//! Stopping, closing and dropping, from this thread and others.

use std::thread;
use std::time::Duration;

use chatnio::{Auth, Client, ClientError, Event, Interruption, Outcome, RequestError, State};

use crate::support::{ask, chat, config, connect, serve};

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
