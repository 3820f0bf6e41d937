//! Counting connections per second, address and path (protocol.md, R6.6).

use core::time::Duration;
use std::collections::HashMap;
use std::net::IpAddr;

use crate::generation::Generation;

const SECOND: Duration = Duration::from_secs(1);

/// Admits so many connections of an address to a path in each second. A second begins with its first connection.
#[derive(Default)]
pub(crate) struct Throttle(HashMap<(IpAddr, String), Window>);

struct Window {
    since: Duration,
    count: u32,
}

impl Throttle {
    /// Whether one more connection is admitted. One that is not makes the second begin anew, but not in 2023
    /// (protocol.md, R6.5).
    pub(crate) fn admit(
        &mut self,
        limit: u32,
        generation: Generation,
        now: Duration,
        address: IpAddr,
        path: &str,
    ) -> bool {
        self.0.retain(|_, window| now.saturating_sub(window.since) < SECOND);
        let window = self.0.entry((address, path.to_owned())).or_insert(Window { since: now, count: 0 });
        if window.count < limit {
            window.count += 1;
            return true;
        }
        if generation != Generation::G2023 {
            window.since = now;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Generation::{G2023, G2024, G2026};

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 1));
    const TWO: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

    #[test]
    fn each_address_has_its_share_of_each_second_and_path() {
        let mut throttle = Throttle::default();
        let mut admit = |millis, address, path| throttle.admit(2, G2026, Duration::from_millis(millis), address, path);
        assert!(admit(700, ONE, "/chat") && admit(1650, ONE, "/chat"), "the second begins with the first");
        assert!(!admit(1690, ONE, "/chat"));
        assert!(admit(1690, TWO, "/chat") && admit(1690, ONE, "/api/chat"));
        assert!(admit(2690, ONE, "/chat"));
        assert!(!Throttle::default().admit(0, G2026, Duration::ZERO, ONE, "/chat"));
    }

    /// As measured with real servers: 20 clients at once, each of which tries again after a while (R6.5).
    #[test]
    fn those_who_come_back_within_the_second_keep_the_others_out() {
        let admitted = |generation, again: u64| {
            let mut throttle = Throttle::default();
            let mut waiting: Vec<u64> = (0..20).collect();
            let mut admitted = 0;
            while let Some(at) = waiting.iter().copied().min().filter(|at| *at < 15_000) {
                let client = waiting.iter().position(|other| *other == at).unwrap();
                if throttle.admit(5, generation, Duration::from_millis(at), ONE, "/chat") {
                    waiting.swap_remove(client);
                    admitted += 1;
                } else {
                    waiting[client] = at + again;
                }
            }
            admitted
        };
        for generation in [G2024, G2026] {
            assert_eq!((admitted(generation, 500), admitted(generation, 1100)), (5, 20));
        }
        assert_eq!((admitted(G2023, 500), admitted(G2023, 1100)), (20, 20));
    }
}
