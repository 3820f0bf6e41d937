//! Counting connections per second and address.

use core::time::Duration;
use std::collections::HashMap;
use std::net::IpAddr;

/// Admits so many connections of an address in each second since the server's start.
pub(crate) struct Throttle {
    limit: Option<u32>,
    second: u64,
    counts: HashMap<IpAddr, u32>,
}

impl Throttle {
    pub(crate) fn new(limit: Option<u32>) -> Self {
        Self { limit, second: 0, counts: HashMap::new() }
    }

    /// Whether one more connection is admitted.
    pub(crate) fn admit(&mut self, now: Duration, address: IpAddr) -> bool {
        let Some(limit) = self.limit else { return true };
        if now.as_secs() != self.second {
            self.second = now.as_secs();
            self.counts.clear();
        }
        let count = self.counts.entry(address).or_default();
        *count = count.saturating_add(1);
        *count <= limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_share_of_each_second() {
        let (one, two) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let mut throttle = Throttle::new(Some(2));
        let admitted = [one, one, one, two].map(|address| throttle.admit(Duration::ZERO, address));
        assert_eq!(admitted, [true, true, false, true]);
        assert!(throttle.admit(Duration::from_secs(1), one));
        assert!(!Throttle::new(Some(0)).admit(Duration::ZERO, one));
        assert!(Throttle::new(None).admit(Duration::ZERO, one));
    }
}
