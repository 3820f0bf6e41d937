//! Dropping and closing, in every order.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use chatnio_loopback::{Ending, Plan, Server};
use chatnio_tokio::{Auth, Client, ClientError, ConnectionEnd, Interruption, Outcome, RequestError, State};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::support::{ask, bounded, chat, config, connect, serve, until};

#[tokio::test]
async fn an_answer_that_is_left_is_stopped() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    let mut pieces = client.ask(&chat("endless")).await.unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), "more ");
    drop(pieces);
    assert_eq!(client.state(), State::Stopping);
    // The next question waits for its end, and gets an answer of its own.
    let answer = bounded(ask(&mut client, "one")).await;
    assert_eq!((&*answer.text, answer.outcome), ("one", Some(Outcome::Complete)));
    assert_eq!(server.stats().stops_seen, 1);
}

#[tokio::test]
async fn an_answer_that_is_left_ends_without_anybody_waiting() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    drop(client.events(&chat("endless")).await.unwrap());
    until(|| client.state() == State::Idle).await;
    assert_eq!(server.stats().stops_received, 1);
}

#[tokio::test]
async fn a_client_that_is_dropped_mid_answer_stops_it() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    let mut pieces = client.ask(&chat("endless")).await.unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), "more ");
    drop(client);
    assert_eq!(bounded(pieces.next()).await.unwrap().unwrap(), "more ", "its stream goes on");
    drop(pieces);
    until(|| server.stats().stops_received == 1).await;
    until(|| Handle::current().metrics().num_alive_tasks() == 0).await;
}

#[tokio::test]
async fn a_connect_that_is_dropped_leaves_nothing() {
    // Accepts, and answers no handshake.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", silent.local_addr().unwrap());
    let config = config();
    let mut connecting = Box::pin(Client::connect(&url, Auth::anonymous(), &config));
    let accepted = tokio::select! {
        accepted = silent.accept() => accepted.unwrap().0,
        _ = &mut connecting => panic!("nobody answers"),
    };
    drop(connecting);
    let mut rest = Vec::new();
    bounded(async {
        loop {
            accepted.readable().await.unwrap();
            match accepted.try_read_buf(&mut rest) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            }
        }
    })
    .await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test]
async fn a_question_whose_future_is_dropped_was_not_asked() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    drop(client.ask(&chat("endless")).await.unwrap());
    {
        // Waits for the end of the one that was left.
        let request = chat("endless");
        let mut asking = pin!(client.ask(&request));
        assert!(asking.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    until(|| client.state() == State::Idle).await;
    assert_eq!(bounded(ask(&mut client, "one")).await.turn, 2);
}

#[tokio::test]
async fn closing_ends_the_answer_and_can_be_repeated() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    let mut pieces = client.ask(&chat("mute")).await.unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), "said");
    for _ in 0..2 {
        bounded(client.close()).await.unwrap();
    }
    let error = bounded(pieces.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Interrupted(Interruption::ClosedByHost)), "{error:?}");
    assert_eq!(pieces.answer().unwrap().text, "said");
    assert!(matches!(client.ask(&chat("one")).await, Err(ClientError::Request(RequestError::Closed))));
    assert_eq!((client.state(), client.end()), (State::Closed, Some(ConnectionEnd::Clean)));
    assert!(!client.stop() && !pieces.stop());
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    client.reconnect().await.unwrap();
    assert_eq!(ask(&mut client, "one").await.text, "one");
}

#[tokio::test]
async fn a_close_that_is_dropped_closes_all_the_same() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    {
        let mut closing = pin!(client.close());
        assert!(closing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    until(|| client.end().is_some()).await;
    assert_eq!(client.end(), Some(ConnectionEnd::Clean));
}

#[tokio::test]
async fn a_stopper_closes_an_idle_client_and_may_outlive_it() {
    let server = serve(|_| ());
    let client = connect(&server).await;
    let stopper = client.stopper();
    let other = std::thread::spawn({
        let stopper = stopper.clone();
        move || stopper.close()
    });
    until(|| client.end() == Some(ConnectionEnd::Clean)).await;
    other.join().unwrap();
    drop(client);
    assert!(!stopper.stop());
    stopper.close();
}

#[tokio::test]
async fn reconnecting_mid_answer_ends_it() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    let mut pieces = client.ask(&chat("mute")).await.unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), "said");
    client.reconnect().await.unwrap();
    let error = bounded(pieces.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Interrupted(Interruption::Reconnected)), "{error:?}");
    let answer = ask(&mut client, "one").await;
    assert_eq!((answer.turn, &*answer.text), (2, "one"));
    drop(pieces);
    assert_eq!(client.state(), State::Idle);
}

#[tokio::test]
async fn a_reconnect_that_fails_leaves_no_connection() {
    let mut server = serve(|_| ());
    let mut client = connect(&server).await;
    let mut pieces = client.ask(&chat("mute")).await.unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), "said");
    server.stop();
    let error = bounded(client.reconnect()).await.unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error:?}");
    assert!(bounded(pieces.next()).await.unwrap().is_err());
    assert_eq!(pieces.answer().unwrap().text, "said");
    for _ in 0..2 {
        let error = client.ask(&chat("one")).await.unwrap_err();
        assert!(matches!(error, ClientError::Connect { .. }), "said at every call: {error:?}");
    }
    assert_eq!((client.state(), client.end()), (State::Closed, Some(ConnectionEnd::Clean)));
}

#[tokio::test]
async fn a_reconnect_that_is_dropped_or_closed_leaves_no_connection() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let way = silent.local_addr().unwrap();
    let server = serve(|_| ());
    let stream = |address| async move { tokio::net::TcpStream::connect(address).await.unwrap() };
    let endpoint = "ws://chat.example".parse().unwrap();
    let first = stream(server.addr()).await;
    let mut client = Client::from_stream(first, &endpoint, Auth::anonymous(), &config()).await.unwrap();
    let pieces = client.ask(&chat("anon")).await.unwrap();
    let to_silent = stream(way).await;
    {
        let mut reconnecting = pin!(client.reconnect_stream(to_silent));
        assert!(reconnecting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let answer = bounded(pieces.into_answer()).await.unwrap();
    assert_eq!(answer.outcome, Some(Outcome::Interrupted(Interruption::Reconnected)));
    assert!(matches!(client.ask(&chat("anon")).await, Err(ClientError::Request(RequestError::Closed))));
    bounded(client.close()).await.unwrap();

    let stopper = client.stopper();
    let to_silent = stream(way).await;
    let closed = async {
        tokio::task::yield_now().await;
        stopper.close();
    };
    let (reconnected, ()) = bounded(async { tokio::join!(client.reconnect_stream(to_silent), closed) }).await;
    let error = reconnected.unwrap_err();
    assert!(matches!(error, ClientError::Ended(ConnectionEnd::Clean)), "{error:?}");

    let again = stream(server.addr()).await;
    client.reconnect_stream(again).await.unwrap();
    assert_eq!(ask(&mut client, "anon").await.outcome, Some(Outcome::Complete));
}

#[test]
fn who_waits_on_another_runtime_is_told_that_this_one_is_gone() {
    let server = serve(|_| ());
    let first = Builder::new_current_thread().enable_all().build().unwrap();
    let (client, mut pieces) = first.block_on(async {
        let mut client = connect(&server).await;
        let mut pieces = client.ask(&chat("mute")).await.unwrap();
        assert_eq!(pieces.next().await.unwrap().unwrap(), "said");
        (client, pieces)
    });
    drop(first);
    let second = Builder::new_current_thread().enable_all().build().unwrap();
    second.block_on(async {
        let error = bounded(pieces.next()).await.unwrap().unwrap_err();
        assert!(matches!(error, ClientError::Ended(ConnectionEnd::Lost(_))), "{error:?}");
        let mut client = client;
        assert!(bounded(client.close()).await.is_err());
        bounded(client.reconnect()).await.unwrap();
        assert_eq!(ask(&mut client, "one").await.text, "one");
    });
}

/// A client of a runtime that rests since it has connected, and another runtime, whose clock jumps from one timer to the next.
fn on_a_runtime_that_rests(server: &Server) -> (Runtime, Client, Runtime) {
    const SHORT: Duration = Duration::from_secs(7);
    let mut config = config();
    (config.close, config.session.first_frame, config.session.next_frame) = (SHORT, SHORT, SHORT);
    config.session.after_stop = SHORT;
    let first = Builder::new_current_thread().enable_all().build().unwrap();
    let client = first.block_on(Client::connect(&server.url(), Auth::new("sk-x"), &config)).unwrap();
    (first, client, Builder::new_current_thread().enable_all().start_paused(true).build().unwrap())
}

#[test]
fn who_closes_on_another_runtime_while_the_first_rests_waits_no_longer_than_a_close_may_take() {
    let server = serve(|_| ());
    let (first, mut client, second) = on_a_runtime_that_rests(&server);
    second.block_on(async {
        let error = bounded(client.close()).await.unwrap_err();
        assert!(matches!(error, ClientError::Ended(ConnectionEnd::Lost(_))), "{error:?}");
        // From here on the server answers, which knows no such clock.
        tokio::time::resume();
        bounded(client.reconnect()).await.unwrap();
    });
    // It belongs to the second one now.
    drop(first);
    second.block_on(async {
        assert_eq!(bounded(ask(&mut client, "one")).await.text, "one");
        bounded(client.close()).await.unwrap();
    });
}

#[test]
fn who_asks_on_another_runtime_while_the_first_rests_waits_no_longer_than_an_answer_may_take() {
    let server = serve(|_| ());
    let (first, mut client, second) = on_a_runtime_that_rests(&server);
    second.block_on(async {
        let answer = bounded(async { client.ask(&chat("one")).await.unwrap().into_answer().await }).await.unwrap();
        assert_eq!(answer.outcome, Some(Outcome::Interrupted(Interruption::FirstFrameDeadline)));
        let busy = bounded(client.ask(&chat("one"))).await;
        assert!(matches!(busy, Err(ClientError::Request(RequestError::Busy { .. }))), "{busy:?}");
    });
    // What the server said meanwhile is there once the first one runs again.
    first.block_on(async {
        until(|| client.state() == State::Idle).await;
        assert_eq!(bounded(ask(&mut client, "one")).await.text, "one");
    });
}

#[test]
fn an_answer_that_was_left_is_waited_for_no_longer_than_a_stop_may_take_while_its_runtime_rests() {
    let server = serve(|_| ());
    let (first, mut client, second) = on_a_runtime_that_rests(&server);
    first.block_on(async {
        let mut pieces = client.ask(&chat("endless")).await.unwrap();
        assert_eq!(pieces.next().await.unwrap().unwrap(), "more ");
    });
    second.block_on(async {
        let busy = bounded(client.ask(&chat("one"))).await;
        assert!(matches!(busy, Err(ClientError::Request(RequestError::Busy { .. }))), "{busy:?}");
    });
}

#[test]
fn a_slow_reader_on_another_runtime_waits_no_longer_than_a_frame_may_take_while_the_first_rests() {
    // More than is held for a reader.
    let server = serve(|options| {
        let much = Plan::text(Duration::ZERO, vec!["piece "; 5000]).ending(Ending::Silent);
        options.plans.insert("much".into(), much);
    });
    let (first, mut client, second) = on_a_runtime_that_rests(&server);
    let mut pieces = first.block_on(async {
        let pieces = client.ask(&chat("much")).await.unwrap();
        until(|| client.with_session(|session| session.answer().unwrap().chunks) >= 4096).await;
        pieces
    });
    second.block_on(async {
        let mut error = None;
        while let Some(piece) = bounded(pieces.next()).await {
            error = piece.err();
        }
        assert!(matches!(error, Some(ClientError::Interrupted(Interruption::NextFrameDeadline))), "{error:?}");
    });
}
