//! The client and its stoppers on several threads, in thousands of schedules: `make interleavings`.

use chatnio_core::{Auth, Outcome};
use shuttle::thread;

use super::*;
use crate::config::ConnectionConfig;
use crate::endpoint::Endpoint;
use crate::os::model::TcpStream;

const SCHEDULES: usize = 3000;

/// Runs `body` under many schedules, chosen at random and by priorities; each is told when it fails, to be replayed.
fn under_many_schedules(body: fn()) {
    shuttle::check_random(body, SCHEDULES);
    shuttle::check_pct(body, SCHEDULES, 3);
}

fn client() -> (Client, TcpStream) {
    let socket = TcpStream::new();
    let endpoint = Endpoint::parse("ws://localhost").unwrap();
    let client = Client::from_stream(socket.clone(), &endpoint, Auth::anonymous(), &ConnectionConfig::default());
    (client.unwrap(), socket)
}

/// Takes all events of the running turn; the answer at its end.
fn drain(client: &mut Client) -> Box<Answer> {
    let mut answer = None;
    while let Some(event) = client.next().unwrap() {
        if let Event::End(end) = event {
            assert!(answer.replace(end.answer).is_none(), "one end a turn");
        }
    }
    answer.expect("every turn has an end")
}

#[test]
fn a_stop_reaches_the_server_once_and_the_end_comes() {
    under_many_schedules(|| {
        let (mut client, socket) = client();
        client.request(&Request::chat("hi")).unwrap();
        let stoppers = [client.stopper(), client.stopper()];
        let threads = stoppers.map(|stopper| thread::spawn(move || usize::from(stopper.stop())));
        let answer = drain(&mut client);
        let stops: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!((stops, socket.stops()), (1, 1));
        assert_eq!(answer.outcome, Some(Outcome::Stopped));
    });
}

#[test]
fn a_stop_and_the_end_may_cross() {
    under_many_schedules(|| {
        let (mut client, socket) = client();
        client.request(&Request::chat("hi")).unwrap();
        let stopper = client.stopper();
        let server = socket.clone();
        let ends = thread::spawn(move || server.end());
        let stops = thread::spawn(move || stopper.stop());
        let answer = drain(&mut client);
        ends.join().unwrap();
        let stopped = stops.join().unwrap();
        let expected = if stopped { Outcome::Stopped } else { Outcome::Complete };
        assert_eq!((answer.outcome, &*answer.text), (Some(expected), "piece"));
        assert_eq!(socket.stops(), usize::from(stopped));
        assert_eq!(client.state(), State::Idle);
    });
}

#[test]
fn a_close_ends_the_answer_and_the_waiting() {
    under_many_schedules(|| {
        let (mut client, _) = client();
        client.request(&Request::chat("hi")).unwrap();
        let stopper = client.stopper();
        let closes = thread::spawn(move || {
            stopper.stop();
            stopper.close();
        });
        drain(&mut client);
        closes.join().unwrap();
        assert!(client.next().unwrap().is_none());
        assert!(client.next_within(Duration::ZERO).unwrap().is_none());
        assert_eq!(client.state(), State::Closed);
    });
}

#[test]
fn a_close_ends_a_wait_that_has_no_other_end() {
    under_many_schedules(|| {
        let (mut client, socket) = client();
        socket.fall_silent();
        let stopper = client.stopper();
        let closes = thread::spawn(move || stopper.close());
        assert!(client.next_within(Duration::MAX).unwrap().is_none());
        closes.join().unwrap();
        assert_eq!(client.state(), State::Closed);
    });
}

#[test]
fn a_close_during_a_reconnect_is_not_forgotten() {
    under_many_schedules(|| {
        let (mut client, _) = client();
        let stopper = client.stopper();
        client.leave();
        // Whatever closes from now on means the new connection.
        let closes = thread::spawn(move || stopper.close());
        let opened = client.reopen(TcpStream::new(), None);
        let reconnected = client.arrive(opened);
        closes.join().unwrap();
        assert!(matches!(reconnected, Ok(None) | Err(ClientError::Ended(ConnectionEnd::Clean))), "{reconnected:?}");
        // Whichever connection it is that was closed.
        assert!(client.next_within(Duration::ZERO).unwrap().is_none());
        assert_eq!(client.state(), State::Closed);
    });
}

#[test]
fn a_stopper_may_outlive_its_client() {
    under_many_schedules(|| {
        let (client, _) = client();
        let stopper = client.stopper();
        let other = stopper.clone();
        let uses = thread::spawn(move || {
            other.stop();
            other.close();
        });
        drop(client);
        stopper.close();
        uses.join().unwrap();
        assert!(!stopper.stop());
    });
}
