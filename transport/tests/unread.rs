//! The blocking client and a server that reads nothing, and sends without an end: what waits to be sent holds nothing up.
//!
//! One that waits to write between two messages does so for each of the tens of thousands that one read brings: it fails here
//! by never coming back.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chatnio::{Auth, Client, ConnectionConfig, Endpoint, Event, Interruption, Outcome, Request};
use tungstenite::handshake::derive_accept_key;

/// No call needs as long: whatever hangs fails.
const LONG: Duration = Duration::from_secs(60);

const SHORT: Duration = Duration::from_millis(50);

/// Many messages that nobody can read, of two bytes each.
fn junk() -> Vec<u8> {
    b"\x81\x00".repeat(10_000)
}

/// A server that opens one WebSocket, reads nothing more, and sends `bytes` again and again until the client goes.
fn flooding(bytes: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = derive_accept_key(key.as_bytes());
        let upgrade = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept";
        socket.write_all(format!("{upgrade}: {accept}\r\n\r\n").as_bytes()).unwrap();
        while socket.write_all(&bytes).is_ok() {}
    });
    address
}

/// A client that has asked more than its socket and the server's hold, with a short deadline; what `then` makes of it.
fn asking<T: Send + 'static>(
    bytes: Vec<u8>,
    deadline: fn(&mut ConnectionConfig) -> &mut Duration,
    then: impl FnOnce(&mut Client) -> T + Send + 'static,
) -> T {
    let mut config = ConnectionConfig::default();
    (config.session.first_frame, config.session.after_stop, config.close) = (LONG, LONG, LONG);
    config.session.max_request = 0;
    *deadline(&mut config) = SHORT;
    connected(bytes, config, |client| {
        client.request(&Request::chat("q".repeat(12 << 20))).unwrap();
        then(client)
    })
}

/// What `then` makes of a client whose server sends `bytes` without an end.
fn connected<T: Send + 'static>(
    bytes: Vec<u8>,
    mut config: ConnectionConfig,
    then: impl FnOnce(&mut Client) -> T + Send + 'static,
) -> T {
    let address = flooding(bytes);
    config.connect_retries = 0;
    let (done, result) = mpsc::channel();
    thread::spawn(move || {
        let endpoint = Endpoint::parse("ws://localhost").unwrap();
        let mut client = Client::connect_to(&[address], &endpoint, Auth::anonymous(), &config).unwrap();
        let then = then(&mut client);
        client.set_polite(false);
        done.send(then).unwrap();
    });
    result.recv_timeout(LONG).expect("it comes back")
}

fn outcome(client: &mut Client) -> Option<Outcome> {
    client.wait_for_end(None, |end| end.answer.outcome).unwrap().unwrap()
}

#[test]
fn a_deadline_holds() {
    let outcome = asking(junk(), |config| &mut config.session.first_frame, outcome);
    assert_eq!(outcome, Some(Outcome::Interrupted(Interruption::FirstFrameDeadline)));
}

#[test]
fn so_does_that_of_a_stop_by_another_thread() {
    let outcome = asking(
        junk(),
        |config| &mut config.session.after_stop,
        |client| {
            let stopper = client.stopper();
            let stops = thread::spawn(move || stopper.stop());
            assert!(stops.join().unwrap());
            outcome(client)
        },
    );
    assert_eq!(outcome, Some(Outcome::Interrupted(Interruption::AfterStopDeadline)));
}

#[test]
fn so_does_that_of_a_close() {
    let answer = asking(junk(), |config| &mut config.close, |client| client.close().unwrap());
    assert_eq!(answer.unwrap().outcome, Some(Outcome::Interrupted(Interruption::ClosedByHost)));
}

#[test]
fn so_does_one_between_the_frames_of_a_message() {
    let message = r#"{"end":1}"#.repeat(7000);
    let length = u16::try_from(message.len()).unwrap();
    let bytes = [b"\x81\x7e", &length.to_be_bytes()[..], message.as_bytes()].concat();
    let count = asking(
        bytes,
        |config| &mut config.session.after_stop,
        |client| {
            assert!(matches!(client.next().unwrap(), Some(Event::Malformed { .. })));
            assert!(client.stop().unwrap());
            // A host that is busy for longer than the stop has: some of what has come goes first, and no more.
            thread::sleep(2 * SHORT);
            let mut count = 0;
            while !matches!(client.next().unwrap().unwrap(), Event::End(_)) {
                count += 1;
            }
            count
        },
    );
    assert!((1000..3000).contains(&count), "{count}");
}

#[test]
fn a_wait_ends_in_its_time_and_a_look_is_one() {
    asking(
        junk(),
        |config| &mut config.session.settle,
        |client| {
            assert_eq!(client.wait_for_end(Some(SHORT), |_| ()).unwrap(), None);
            // Each waited for the socket, once.
            for _ in 0..2000 {
                let event = client.next_within(Duration::ZERO).unwrap();
                assert!(matches!(event, None | Some(Event::Malformed { .. })));
            }
        },
    );
}

#[test]
fn a_wait_without_a_turn_ends_though_something_always_comes() {
    let stray = br#"{"message":"a"}"#;
    let bytes = [b"\x81", &[u8::try_from(stray.len()).unwrap()][..], stray].concat().repeat(1000);
    connected(bytes, ConnectionConfig::default(), |client| {
        let first = client.next_within(LONG).unwrap();
        assert!(matches!(first, Some(Event::Stray { .. })), "{first:?}");
        assert_eq!(client.wait_for_end(None, |_| ()).unwrap(), None);
    });
}
