//! Connecting anew.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use chatnio::{
    Auth, Client, ClientError, ConnectionEnd, Conversation, Endpoint, Event, Interruption, Outcome, RequestError, State,
};
use chatnio_loopback::closed_port;

use crate::support::{LONG, ask, chat, config, connect, serve};

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
