//! That nothing is asked twice, wherever a connection is lost: the loopback server counts what a real client asks.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chatnio::{Auth, Client, ConnectionConfig, Outcome, Request};
use chatnio_loopback::{Generation, Options, Server};

/// No test needs as long: whatever hangs fails.
const LONG: Duration = Duration::from_secs(60);

/// Where the first connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Never,
    /// After so many bytes of the client, the rest of which goes nowhere.
    Asking(usize),
    /// After so many bytes of the server.
    Answering(usize),
}

/// Stands between a client and a server.
struct Relay {
    address: SocketAddr,
    /// What the first connection has brought, from the client and from the server.
    first: [Passed; 2],
    is_over: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

type Passed = Arc<Mutex<Vec<u8>>>;

impl Relay {
    fn start(server: SocketAddr, cut: Cut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (first, is_over) = ([Passed::default(), Passed::default()], Arc::new(AtomicBool::new(false)));
        let (passed, over) = (first.clone(), is_over.clone());
        let acceptor = thread::spawn(move || {
            let mut pipes = Vec::new();
            for client in listener.incoming().take_while(|_| !over.load(Ordering::Relaxed)) {
                let (client, server) = (client.unwrap(), TcpStream::connect(server).unwrap());
                let [asking, answering] = match cut {
                    _ if !pipes.is_empty() => [usize::MAX; 2],
                    Cut::Never => [usize::MAX; 2],
                    Cut::Asking(after) => [after, usize::MAX],
                    Cut::Answering(after) => [usize::MAX, after],
                };
                let both = || (client.try_clone().unwrap(), server.try_clone().unwrap());
                let ((c1, s1), (c2, s2)) = (both(), both());
                let [mut from_client, mut from_server] = [Passed::default(), Passed::default()];
                if pipes.is_empty() {
                    [from_client, from_server] = passed.clone();
                }
                pipes.push(thread::spawn(move || pass(c1, s1, asking, &from_client)));
                pipes.push(thread::spawn(move || pass(s2, c2, answering, &from_server)));
            }
            pipes.into_iter().for_each(|pipe| pipe.join().unwrap());
        });
        Relay { address, first, is_over, acceptor: Some(acceptor) }
    }

    fn passed(&self) -> [Vec<u8>; 2] {
        self.first.each_ref().map(|bytes| bytes.lock().unwrap().clone())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // `accept` has no deadline: a connection wakes it up.
        drop(TcpStream::connect(self.address));
        let joined = self.acceptor.take().unwrap().join();
        assert!(joined.is_ok() || thread::panicking());
    }
}

/// Hands on at most so many bytes, and then ends both ways; also when one of them has ended. Whose bytes are cut is cut off
/// before the last of them arrive: what they bring about does not come back.
fn pass(mut from: TcpStream, mut to: TcpStream, most: usize, passed: &Passed) {
    let mut buffer = [0; 4096];
    let mut left = most;
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let count = count.min(left);
        passed.lock().unwrap().extend(&buffer[..count]);
        left -= count;
        if left == 0 {
            let _ = from.shutdown(Shutdown::Both);
        }
        if to.write_all(&buffer[..count]).is_err() || left == 0 {
            break;
        }
    }
    for socket in [from, to] {
        let _ = socket.shutdown(Shutdown::Both);
    }
}

/// What came of two questions, each asked once.
struct Seen {
    /// Whether the first one was answered.
    is_answered: bool,
    /// How many the server has got.
    requests: u64,
    /// What the first connection has brought by the first question's end.
    passed: [Vec<u8>; 2],
}

fn ask_two(cut: Cut) -> Seen {
    let mut server = Server::start(Options { pace: 0.0, ..Options::new(Generation::G2026) }).unwrap();
    let relay = Relay::start(server.addr(), cut);
    let mut config = ConnectionConfig::default();
    config.session.first_frame = LONG;
    config.session.next_frame = LONG;
    // With its tries to connect again, as by default.
    let url = format!("ws://{}", relay.address);
    let mut client = Client::connect(&url, Auth::new("sk-a"), &config).unwrap();
    let question = Request::chat("hi").model("hello");
    let first = client.ask(&question).and_then(|pieces| pieces.into_answer());
    let is_answered = first.is_ok_and(|answer| answer.outcome == Some(Outcome::Complete));
    let passed = relay.passed();
    if !is_answered {
        // Said at every call, which asks nothing.
        assert!(client.next().is_err() && client.next().is_err(), "{cut:?}");
        client.reconnect().unwrap();
        assert!(client.next().unwrap().is_none(), "{cut:?}: no turn runs");
    }
    let second = client.ask(&question).and_then(|pieces| pieces.into_answer());
    let second = second.unwrap_or_else(|error| panic!("{cut:?}: {error:?}, of {}", passed[1].len()));
    assert_eq!((&*second.text, second.outcome), ("Hello! How can I help?", Some(Outcome::Complete)), "{cut:?}");
    client.close().unwrap();
    drop(client);
    drop(relay);
    // What it was sent, it has read then.
    server.stop();
    Seen { is_answered, requests: server.stats().requests, passed }
}

#[test]
fn no_question_is_asked_twice_wherever_the_connection_is_lost() {
    let whole = ask_two(Cut::Never);
    assert!(whole.is_answered && whole.requests == 2);
    let [asked, answered] = whole.passed;
    let head_of = |bytes: &[u8]| bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    let (request, head) = (head_of(&asked), head_of(&answered));

    // While connecting, which is tried again.
    for cut in [Cut::Asking(request / 2), Cut::Answering(head / 2)] {
        let seen = ask_two(cut);
        assert!(seen.is_answered && seen.requests == 2, "{cut:?}: {}", seen.requests);
    }
    // While asking: only what came whole is a question.
    for after in (request + 1..asked.len()).step_by(16) {
        let seen = ask_two(Cut::Asking(after));
        assert!(!seen.is_answered && seen.requests == 1, "after {after} bytes of a client: {}", seen.requests);
    }
    let seen = ask_two(Cut::Asking(asked.len()));
    assert!(!seen.is_answered && seen.requests <= 2, "behind the question: {}", seen.requests);
    // While it is answered.
    for after in (head + 1..answered.len()).step_by(64) {
        let seen = ask_two(Cut::Answering(after));
        assert!(!seen.is_answered && seen.requests == 2, "after {after} bytes of a server: {}", seen.requests);
    }
}
