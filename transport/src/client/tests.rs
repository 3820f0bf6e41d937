//! How long the client sleeps. The rest is in tests/client.rs, over real sockets.

use chatnio_core::Auth;

use super::drive::longest_wait;
use super::*;
use crate::config::ConnectionConfig;
use crate::endpoint::Endpoint;
use crate::test_peer::Peer;

/// Moves bytes both ways, and takes all events, until there are none.
fn exchange(connection: &mut Connection, peer: &mut Peer, now: Duration) {
    loop {
        while connection.poll_event(now, &mut EventStorage::new()).is_some() {}
        let sent = connection.poll_transmit().map(<[u8]>::to_vec).unwrap_or_default();
        connection.transmitted(sent.len());
        peer.receive(&sent);
        if peer.has_request() {
            peer.accept();
        }
        let received = peer.output();
        if sent.is_empty() && received.is_empty() {
            return;
        }
        connection.receive(now, &received).unwrap();
    }
}

#[test]
fn only_a_turn_that_may_be_stopped_is_looked_after() {
    let now = Duration::from_secs(1000);
    let mut config = ConnectionConfig::default();
    config.session.keep_alive = Duration::from_secs(20);
    let endpoint = Endpoint::parse("ws://localhost").unwrap();
    let mut connection = Connection::new(&endpoint, Auth::anonymous(), &config, now).unwrap();
    let mut peer = Peer::plain();
    exchange(&mut connection, &mut peer, now);

    assert_eq!(longest_wait(&connection, now), Duration::from_secs(20), "until the keep-alive");
    connection.request(now, &Request::chat("hi")).unwrap();
    exchange(&mut connection, &mut peer, now);
    assert_eq!((connection.session().state(), longest_wait(&connection, now)), (State::Asking, TICK));
    peer.send(r#"{"message":"piece"}"#);
    exchange(&mut connection, &mut peer, now);
    assert_eq!((connection.session().state(), longest_wait(&connection, now)), (State::Answering, TICK));
    connection.stop(now).unwrap();
    exchange(&mut connection, &mut peer, now);
    assert_eq!(longest_wait(&connection, now), Duration::from_millis(150), "until the stop is repeated");
    peer.send(r#"{"end":true}"#);
    exchange(&mut connection, &mut peer, now);
    assert_eq!(longest_wait(&connection, now + Duration::from_secs(5)), Duration::from_secs(15));
}
