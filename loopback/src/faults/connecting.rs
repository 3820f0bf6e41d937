//! No connection is made at all.

use super::{Fault, Over};

pub(super) fn faults() -> Vec<Fault> {
    let fault = |name: &str, what: &str, over| Fault::new(name, what, []).over(over);
    vec![
        fault("refused", "nobody listens there", Over::Nobody),
        fault("dead", "who listens there takes no more connections", Over::Full),
        // The system says so at once, and sends nothing: it is no address that anybody has.
        fault("unreachable", "an address that cannot be reached", Over::Elsewhere("wss://255.255.255.255:9/chat")),
    ]
}
