//! Many connections in one process, and their server in another: whatever is cut, throttled, stopped, closed and connected
//! anew, no answer is another's, and neither memory nor descriptors grow.
//!
//! A small one is a part of the tests. `make load` makes it a thousand connections with a hundred questions each, `make soak`
//! goes on for as long as is asked:
//!
//! | variable | what it says | by default |
//! | --- | --- | --- |
//! | `LOAD_CONNECTIONS` | how many connections | 40 |
//! | `LOAD_ASKS` | how many questions a round, on each | 5 |
//! | `LOAD_ROUNDS` | how many rounds | 4 |
//! | `LOAD_SECONDS` | begins rounds for so long, in place of `LOAD_ROUNDS` | |
//! | `LOAD_SEED` | decides what happens | 1 |

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chatnio_loopback::{Generation, Options, Server};
use chatnio_tokio::{Auth, Client, ClientError, ConnectionConfig, ConnectionEnd, Outcome, Request, WireError};
use fastrand::Rng;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;

/// No step needs as long: whatever hangs fails.
const LONG: Duration = Duration::from_secs(300);

/// In the environment of the process that is the server: how many connections a second it takes.
const SERVER: &str = "LOAD_SERVER";

/// The variables, with what they are by default.
struct Size {
    connections: usize,
    asks: usize,
    rounds: usize,
    seconds: Option<u64>,
    seed: u64,
}

impl Size {
    fn from_environment() -> Self {
        let number = |name: &str| {
            let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
            Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
        };
        let or = |name, default| number(name).unwrap_or(default);
        let size = |name, default| usize::try_from(or(name, default)).unwrap();
        Self {
            connections: size("LOAD_CONNECTIONS", 40),
            asks: size("LOAD_ASKS", 5),
            rounds: size("LOAD_ROUNDS", 4),
            seconds: number("LOAD_SECONDS"),
            seed: or("LOAD_SEED", 1),
        }
    }
}

/// The server's process, which ends with its input.
struct Serving {
    process: Child,
    url: String,
    /// Kept open: a test that runs for long is told of there, and ends where that cannot be written.
    _told: BufReader<ChildStdout>,
}

impl Serving {
    /// This program again, with its one other test.
    fn start(throttle: u32) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_server", "--nocapture"])
            .env(SERVER, throttle.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(process.stdout.take().unwrap());
        let url = loop {
            let mut line = String::new();
            assert_ne!(told.read_line(&mut line).unwrap(), 0, "the server says where it is");
            // The test's name may stand before it.
            if let Some(at) = line.find("ws://") {
                break line[at..].trim_end().to_owned();
            }
        };
        Self { process, url, _told: told }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

#[test]
fn the_server() {
    let Ok(throttle) = std::env::var(SERVER) else { return };
    all_descriptors();
    let options = Options { pace: 0.02, throttle: Some(throttle.parse().unwrap()), ..Options::new(Generation::G2026) };
    let server = Server::start(options).unwrap();
    println!("{}", server.url());
    let _ = io::stdin().read(&mut [0]);
}

/// As many as the system allows.
fn all_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

/// What a process holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    descriptors: usize,
    kilobytes: u64,
}

impl Held {
    fn by(process: u32) -> Self {
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        Self { descriptors, kilobytes: line.trim().trim_end_matches(" kB").parse().unwrap() }
    }
}

/// What happened, counted.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    complete: u64,
    stopped: u64,
    cut_by_server: u64,
    cut_by_client: u64,
    closed: u64,
    throttled: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.complete += other.complete;
        self.stopped += other.stopped;
        self.cut_by_server += other.cut_by_server;
        self.cut_by_client += other.cut_by_client;
        self.closed += other.closed;
        self.throttled += other.throttled;
    }
}

/// Where all connect to, and when: a server that throttles begins its second anew with each that it sends away, so that those
/// who try on by themselves keep it shut for all.
struct Gate {
    url: String,
    open: Mutex<Instant>,
    config: ConnectionConfig,
}

impl Gate {
    fn new(url: &str) -> Self {
        let mut config = ConnectionConfig::default();
        config.connect = LONG;
        config.handshake = LONG;
        // It is counted how often.
        config.connect_retries = 0;
        config.session.first_frame = LONG;
        config.session.next_frame = LONG;
        config.session.after_stop = LONG;
        Self { url: url.to_owned(), open: Mutex::new(Instant::now()), config }
    }

    /// Waits until nobody was sent away for a while.
    async fn pass(&self) {
        loop {
            let rest = self.open.lock().unwrap().saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return;
            }
            tokio::time::sleep(rest).await;
        }
    }

    /// Whether a connection failed because the server throttles: then there is a wait before the next.
    fn throttled(&self, error: &ClientError) -> bool {
        let throttles = matches!(error, ClientError::Ended(ConnectionEnd::Lost(WireError::Throttled(_))));
        if throttles {
            *self.open.lock().unwrap() = Instant::now() + Duration::from_millis(1200);
        }
        throttles
    }

    async fn connect(&self, number: usize, counts: &mut Counts) -> Client {
        loop {
            self.pass().await;
            match Client::connect(&self.url, Auth::new(format!("sk-{number}")), &self.config).await {
                Ok(client) => return client,
                Err(error) if self.throttled(&error) => counts.throttled += 1,
                Err(error) => panic!("connection {number}: {error}"),
            }
        }
    }
}

/// One connection, which is made anew whenever it was cut.
struct Caller {
    client: Client,
    gate: Arc<Gate>,
    number: usize,
    asked: u64,
    rng: Rng,
    counts: Counts,
}

impl Caller {
    async fn new(gate: Arc<Gate>, number: usize, seed: u64) -> Self {
        let mut counts = Counts::default();
        let client = gate.connect(number, &mut counts).await;
        let rng = Rng::with_seed(seed ^ (number as u64) << 20);
        Self { client, gate, number, asked: 0, rng, counts }
    }

    async fn connect_anew(&mut self) {
        self.client = self.gate.connect(self.number, &mut self.counts).await;
    }

    async fn reconnect(&mut self) {
        self.gate.pass().await;
        if let Err(error) = self.client.reconnect().await {
            assert!(self.gate.throttled(&error), "connection {}: {error}", self.number);
            self.counts.throttled += 1;
            self.connect_anew().await;
        }
    }

    /// Asks what nobody else does, and does to the answer whatever chance says. What comes of it must be its beginning.
    async fn ask(&mut self) {
        self.asked += 1;
        let marker = format!("{} {}", self.number, self.asked);
        let wanted = format!(
            "Hello! This is the loopback server, a stand-in for a real one on this machine. You asked: \u{201c}{marker}\u{201d}"
        );
        let chance = self.rng.u8(0..100);
        if chance < 5 {
            // The server cuts it.
            let answer = self.client.ask(&Request::chat(&*marker).model("drop")).await.unwrap();
            assert!(matches!(answer.into_answer().await, Ok(answer) if answer.outcome != Some(Outcome::Complete)));
            self.counts.cut_by_server += 1;
            return self.reconnect().await;
        }
        let mut pieces = self.client.ask(&Request::chat(&*marker).model("echo")).await.unwrap();
        let mut text = String::new();
        let enough = if chance < 75 { usize::MAX } else { self.rng.usize(0..18) };
        let mut taken = 0;
        while taken < enough {
            match pieces.next().await {
                Some(piece) => text += &piece.unwrap_or_else(|error| panic!("connection {marker}: {error}")),
                None => break,
            }
            taken += 1;
        }
        assert!(wanted.starts_with(&text), "{marker}: {text:?}");
        if let Some(answer) = pieces.answer() {
            assert_eq!((&*answer.text, answer.outcome), (&*wanted, Some(Outcome::Complete)));
            self.counts.complete += 1;
        } else if chance < 90 {
            pieces.stop();
            let answer = pieces.into_answer().await.unwrap();
            // It may have come to its end before.
            assert!(wanted.starts_with(&answer.text) && answer.text.starts_with(&text), "{marker}: {:?}", answer.text);
            self.counts.stopped += 1;
        } else if chance < 95 {
            // Without a word; what still comes to the old connection is nobody's.
            drop(pieces);
            self.counts.cut_by_client += 1;
            if self.rng.bool() { self.reconnect().await } else { self.connect_anew().await }
        } else {
            drop(pieces);
            let closed = self.client.close().await;
            assert!(matches!(closed, Ok(()) | Err(ClientError::Ended(_))), "{marker}: {closed:?}");
            self.counts.closed += 1;
            self.reconnect().await;
        }
    }
}

/// Each connection asks so many questions, all at once.
async fn round(callers: Vec<Caller>, asks: usize) -> Vec<Caller> {
    let mut running = JoinSet::new();
    for mut caller in callers {
        running.spawn(async move {
            for _ in 0..asks {
                caller.ask().await;
            }
            caller
        });
    }
    tokio::time::timeout(LONG, running.join_all()).await.expect("a round hangs")
}

/// A connection that was dropped or cut ends a little later, on either side: waits until a process holds no more than `most`.
async fn settled(process: u32, most: usize) -> Held {
    let start = Instant::now();
    loop {
        let held = Held::by(process);
        if held.descriptors <= most || start.elapsed() > LONG / 10 {
            return held;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn no_answer_is_anothers_and_nothing_grows() {
    let size = Size::from_environment();
    all_descriptors();
    // Small enough that some are sent away when all come at once.
    let server = Serving::start(u32::try_from(size.connections / 2).unwrap().max(1));
    let gate = Arc::new(Gate::new(&server.url));
    let start = Instant::now();
    let mut connecting = JoinSet::new();
    for number in 0..size.connections {
        connecting.spawn(Caller::new(Arc::clone(&gate), number, size.seed));
    }
    let mut callers = tokio::time::timeout(LONG, connecting.join_all()).await.expect("connecting hangs");
    let own = std::process::id();
    let (mut before, mut servers_before) = (Held::by(own), Held::by(server.process.id()));
    for number in 0.. {
        match size.seconds {
            Some(seconds) if start.elapsed().as_secs() >= seconds => break,
            None if number == size.rounds => break,
            _ => {}
        }
        callers = round(callers, size.asks).await;
        let now = settled(own, before.descriptors).await;
        let servers = settled(server.process.id(), servers_before.descriptors).await;
        if number == 0 {
            // What is allocated once was, by now.
            (before, servers_before) = (Held { descriptors: before.descriptors, ..now }, servers);
        }
        assert!(now.descriptors <= before.descriptors, "descriptors grow: {before:?}, then {now:?}");
        assert!(servers.descriptors <= servers_before.descriptors, "{servers_before:?}, then {servers:?}");
        // An allocator keeps some of what it had.
        let most = before.kilobytes + before.kilobytes / 10 + 8 * 1024;
        assert!(now.kilobytes <= most, "memory grows: {before:?}, then {now:?}");
    }
    let mut counts = Counts::default();
    let mut asked = 0;
    for caller in &callers {
        counts.add(caller.counts);
        asked += caller.asked;
    }
    let now = Held::by(own);
    println!("{asked} questions on {} connections: {counts:?}; {before:?}, at the end {now:?}", callers.len());
    // All of it has happened, except what the clock decides.
    let Counts { complete, stopped, cut_by_server, cut_by_client, closed, throttled: _ } = counts;
    for count in [complete, stopped, cut_by_server, cut_by_client, closed] {
        assert!(count > 0, "{counts:?}");
    }
}
