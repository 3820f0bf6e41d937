//! Which of a host's addresses to connect to, and when.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::config::on;
use crate::endpoint::is_localhost;

/// How long one attempt may be alone before the next one starts (RFC 8305, section 5).
const DELAY: Duration = Duration::from_millis(250);

/// Races a host's addresses (RFC 8305, "happy eyeballs"), without I/O: which to connect to now, and when to ask again.
/// [`Client`](crate::Client) uses it; a host with an event loop of its own can as well.
///
/// The two families take turns, each in the order of its addresses. An attempt starts when the one before has failed, or
/// 250 ms after it, and goes on meanwhile: the first that is connected is used, and the others are closed.
///
/// ```
/// use chatnio::{Dial, Dialer};
/// use std::time::Duration;
///
/// let addresses = ["[2001:db8::1]:443".parse()?, "192.0.2.1:443".parse()?];
/// let mut dialer = Dialer::new(&addresses, Duration::from_secs(10), Duration::ZERO);
/// assert_eq!(dialer.poll(Duration::ZERO), Dial::Connect(addresses[0]));
/// // Nothing from there: its connect goes on.
/// assert_eq!(dialer.poll(Duration::ZERO), Dial::Wait(Some(Duration::from_millis(250))));
/// assert_eq!(dialer.poll(Duration::from_millis(250)), Dial::Connect(addresses[1]));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug)]
pub struct Dialer {
    waiting: VecDeque<SocketAddr>,
    /// How many attempts run.
    running: usize,
    /// When the next one starts, whatever became of the others.
    next: Duration,
    deadline: Option<Duration>,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dial {
    /// Start to connect to this address, and poll again.
    Connect(SocketAddr),
    /// Nothing: poll again at this time, or when an attempt has [failed](Dialer::failed). `None` is never by itself.
    Wait(Option<Duration>),
    /// Every address has failed.
    Exhausted,
    /// The time is over: give all attempts up.
    TimedOut,
}

impl Dialer {
    /// For these addresses, in the order in which the look-up gave them; altogether within `limit`, which is off when it is
    /// zero. `now` is the time since an origin of the host's choice.
    #[must_use]
    pub fn new(addresses: &[SocketAddr], limit: Duration, now: Duration) -> Self {
        let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
        let (mut first, mut second): (VecDeque<_>, VecDeque<_>) =
            addresses.iter().copied().partition(|address| address.is_ipv6() == first_is_v6);
        let mut waiting = VecDeque::with_capacity(addresses.len());
        while !first.is_empty() || !second.is_empty() {
            waiting.extend(first.pop_front());
            waiting.extend(second.pop_front());
        }
        let deadline = on(limit).map(|limit| now.saturating_add(limit));
        Dialer { waiting, running: 0, next: now, deadline }
    }

    /// The addresses of a host that need no look-up: of an IP address, and of `localhost` and what is under it. These are
    /// never to be asked of anybody, because the answer would decide where a token may go without TLS.
    #[must_use]
    pub fn known(host: &str, port: u16) -> Option<Vec<SocketAddr>> {
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        match host.parse::<IpAddr>() {
            Ok(address) => Some(vec![SocketAddr::new(address, port)]),
            Err(_) if is_localhost(host) => Some(loopback.map(|address| SocketAddr::new(address, port)).into()),
            Err(_) => None,
        }
    }

    /// What to do at `now`.
    pub fn poll(&mut self, now: Duration) -> Dial {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            return Dial::TimedOut;
        }
        let due = self.running == 0 || self.next <= now;
        match self.waiting.front() {
            Some(&address) if due => {
                self.waiting.pop_front();
                self.running += 1;
                self.next = now.saturating_add(DELAY);
                Dial::Connect(address)
            }
            Some(_) => Dial::Wait(Some(self.deadline.map_or(self.next, |deadline| deadline.min(self.next)))),
            None if self.running == 0 => Dial::Exhausted,
            None => Dial::Wait(self.deadline),
        }
    }

    /// An attempt has failed: the next one may start at once.
    pub fn failed(&mut self, now: Duration) {
        self.running = self.running.saturating_sub(1);
        self.next = self.next.min(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn families_take_turns() {
        let [a, b, c] = ["[::1]:1", "[::2]:1", "[::3]:1"].map(address);
        let [x, y] = ["1.0.0.1:1", "1.0.0.2:1"].map(address);
        let order = |addresses: &[SocketAddr]| {
            let mut dialer = Dialer::new(addresses, Duration::ZERO, ms(0));
            let mut order = Vec::new();
            while let Dial::Connect(address) = dialer.poll(ms(0)) {
                order.push(address);
                dialer.failed(ms(0));
            }
            assert_eq!(dialer.poll(ms(0)), Dial::Exhausted);
            order
        };
        assert_eq!(order(&[a, b, c, x, y]), [a, x, b, y, c]);
        assert_eq!(order(&[x, y, a]), [x, a, y]);
        assert_eq!(order(&[]), []);
    }

    #[test]
    fn the_next_starts_after_a_delay_or_a_failure() {
        let [a, b, c] = ["1.0.0.1:1", "1.0.0.2:1", "1.0.0.3:1"].map(address);
        let mut dialer = Dialer::new(&[a, b, c], ms(10_000), ms(500));
        assert_eq!(dialer.poll(ms(500)), Dial::Connect(a));
        assert_eq!(dialer.poll(ms(500)), Dial::Wait(Some(ms(750))));
        assert_eq!(dialer.poll(ms(749)), Dial::Wait(Some(ms(750))));
        assert_eq!(dialer.poll(ms(750)), Dial::Connect(b));
        dialer.failed(ms(800));
        assert_eq!(dialer.poll(ms(800)), Dial::Connect(c));
        assert_eq!(dialer.poll(ms(800)), Dial::Wait(Some(ms(10_500))));
        dialer.failed(ms(900));
        assert_eq!(dialer.poll(ms(900)), Dial::Wait(Some(ms(10_500))), "one still runs");
        dialer.failed(ms(900));
        assert_eq!(dialer.poll(ms(900)), Dial::Exhausted);
    }

    #[test]
    fn this_machine_is_never_looked_up() {
        let [v4, v6] = ["127.0.0.1:9", "[::1]:9"].map(address);
        assert_eq!(Dialer::known("localhost", 9), Some(vec![v4, v6]));
        assert_eq!(Dialer::known("a.localhost", 9), Some(vec![v4, v6]));
        assert_eq!(Dialer::known("::1", 9), Some(vec![v6]));
        assert_eq!(Dialer::known("chat.example", 9), None);
    }

    #[test]
    fn the_time_is_bounded() {
        let [a, b] = ["1.0.0.1:1", "1.0.0.2:1"].map(address);
        let mut dialer = Dialer::new(&[a, b], ms(100), ms(0));
        assert_eq!(dialer.poll(ms(0)), Dial::Connect(a));
        assert_eq!(dialer.poll(ms(0)), Dial::Wait(Some(ms(100))));
        assert_eq!(dialer.poll(ms(100)), Dial::TimedOut);
        let mut dialer = Dialer::new(&[a], ms(0), ms(0));
        assert_eq!(dialer.poll(ms(0)), Dial::Connect(a));
        assert_eq!(dialer.poll(ms(1_000_000)), Dial::Wait(None));
    }
}
