//! `Case`: what a case's number decides.

use std::time::Duration;

use chatnio_core::{Config, Request};
use chatnio_loopback::{Ending, Generation, Plan};
use fastrand::Rng;

/// Which server is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    G2023,
    G2024,
    G2026,
    /// One of them, that on each connection once does what no server does.
    Deviant,
}

impl Server {
    /// The test that plays it.
    pub(crate) fn test(self) -> &'static str {
        match self {
            Server::G2023 => "against_2023",
            Server::G2024 => "against_2024",
            Server::G2026 => "against_2026",
            Server::Deviant => "against_one_that_deviates",
        }
    }
}

/// What the host or the network does.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Ask(Shape, Option<Within>),
    /// Asks as soon as the running turn has ended, which is when a second end is still on its way.
    AskAfterEnd(Shape),
    Restart(Shape),
    Stop,
    Wait(Duration),
    /// A request that is not answered.
    Tell(u8),
    /// Messages take so long from now on, up and down.
    Latency(Duration, Duration),
    /// The connection is lost and made anew.
    Lose,
    /// The host closes, and connects anew later.
    Close(Duration),
    /// The host reconnects, without a word of loss.
    Reconnect,
}

/// Deadlines of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Within {
    first_frame: Duration,
    next_frame: Duration,
    answer: Duration,
}

impl Within {
    pub(crate) fn bound(self, request: Request) -> Request {
        request.first_frame(self.first_frame).next_frame(self.next_frame).answer_within(self.answer)
    }
}

/// What a turn's plan looks like.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// So many pieces, so far apart.
    Pieces(u8, Duration),
    /// The first piece comes after so long.
    Late(Duration),
    /// A notice after so many pieces.
    Notice(u8),
    Empty,
}

impl Shape {
    fn any(rng: &mut Rng) -> Self {
        match rng.u8(..7) {
            0..4 => Shape::Pieces(rng.u8(..20), millis(rng, 150)),
            4 => Shape::Late(millis(rng, 9000)),
            5 => Shape::Notice(rng.u8(..4)),
            _ => Shape::Empty,
        }
    }

    /// The plan, whose pieces name its number.
    pub(crate) fn plan(&self, number: usize) -> Plan {
        let text = |gap, count: u8| Plan::text(gap, (0..count).map(|i| format!("<{number}.{i}>")));
        match *self {
            Shape::Pieces(count, gap) => text(gap, count),
            Shape::Late(delay) => {
                let mut plan = text(Duration::from_millis(20), 3);
                plan.pieces[0].0 = delay;
                plan
            }
            Shape::Notice(count) => {
                text(Duration::from_millis(40), count).ending(Ending::Notice(format!("notice {number}")))
            }
            Shape::Empty => text(Duration::ZERO, 0),
        }
    }
}

/// A case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) generation: Generation,
    pub(crate) is_deviant: bool,
    pub(crate) config: Config,
    /// How long the server takes to store something, and in what sequence.
    pub(crate) write_time: Duration,
    pub(crate) seed: u64,
    pub(crate) ops: Vec<Op>,
}

impl Case {
    pub(crate) fn new(server: Server, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let generation = match server {
            Server::G2023 => Generation::G2023,
            Server::G2024 => Generation::G2024,
            Server::G2026 => Generation::G2026,
            Server::Deviant => Generation::ALL[rng.usize(..3)],
        };
        let mut config = Config::default();
        config.first_frame = Duration::from_secs(5);
        config.next_frame = Duration::from_secs(5);
        config.after_stop = Duration::from_secs(3);
        config.keep_alive = Duration::from_millis(rng.u64(..4) * 1000);
        config.keep_text = rng.u8(..4) > 0;
        config.auth_at_once = rng.u8(..4) == 0;
        let write_time = if rng.bool() { Duration::ZERO } else { millis(&mut rng, 30) };
        let ops = (0..rng.usize(1..40)).map(|_| op(&mut rng)).collect();
        Case { generation, is_deviant: server == Server::Deviant, config, write_time, seed, ops }
    }
}

fn op(rng: &mut Rng) -> Op {
    match rng.u8(..25) {
        0..3 => Op::Ask(Shape::any(rng), None),
        3 => {
            let within =
                Within { first_frame: millis(rng, 2000), next_frame: millis(rng, 500), answer: millis(rng, 3000) };
            Op::Ask(Shape::any(rng), Some(within))
        }
        4..8 => Op::AskAfterEnd(Shape::any(rng)),
        8 => Op::Restart(Shape::any(rng)),
        9..14 => Op::Stop,
        14..19 => {
            let most = [20, 300, 12_000][rng.usize(..3)];
            Op::Wait(millis(rng, most))
        }
        19..21 => Op::Tell(rng.u8(..)),
        21 => Op::Latency(millis(rng, 60), millis(rng, 60)),
        22 => Op::Lose,
        23 => Op::Close(millis(rng, 1000)),
        _ => Op::Reconnect,
    }
}

fn millis(rng: &mut Rng, most: u64) -> Duration {
    Duration::from_millis(rng.u64(..most))
}
