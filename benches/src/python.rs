//! The Python package and the official one, by the programs of `bindings/python/bench`.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::results::{GroupResult, RowResult};
use crate::rounds::Measured;
use crate::sample::Sample;
use crate::world::World;

/// Two interpreters, each with one of the packages.
#[derive(Debug, Clone, Copy)]
pub struct Interpreters<'a> {
    /// That has this package.
    pub ours: &'a Path,
    /// That has the official one.
    pub official: &'a Path,
}

/// A line that those programs write: microseconds a chunk.
#[derive(Deserialize)]
struct Line {
    name: String,
    elapsed: f64,
    cpu: f64,
}

/// Name, title and goal; the first of each group is the official package's.
type Rows = &'static [(&'static str, &'static str, Option<f64>)];

const GROUPS: [(&str, &str, Rows); 2] = [
    (
        "python-decode",
        "Python: decoding",
        &[
            ("decode", "`chatnio` of PyPI: `json.loads` and its object", None),
            ("Connection", "`Connection`, WebSocket frames to events", Some(0.2)),
            ("Connection, quotas", "the same, and each event's quota looked at", Some(0.2)),
            ("Session", "`Session`, one message at a time", None),
        ],
    ),
    (
        "python-socket",
        "Python: over TCP",
        &[
            ("ask", "`chatnio` of PyPI, over `websockets`", None),
            ("AsyncClient", "`AsyncClient`, pieces", Some(0.12)),
            ("AsyncClient.events", "`AsyncClient`, events", None),
            ("Client", "`Client`, pieces", None),
            ("bytes", "(the bytes, received and thrown away)", None),
        ],
    ),
];

/// Whose lines are not this package's.
const PEERS: [&str; 3] = ["decode", "ask", "bytes"];

/// Has both packages work in turns over the firehose.
///
/// # Errors
/// When one of them fails.
pub fn measure(world: &World, interpreters: Interpreters<'_>, rounds: usize) -> io::Result<Vec<GroupResult>> {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings/python/bench");
    let url = world.addresses.plain.trim_end_matches("/chat");
    let mut all: BTreeMap<String, Measured> = BTreeMap::new();
    for _ in 0..rounds {
        for (interpreter, program) in [(interpreters.official, "official.py"), (interpreters.ours, "ours.py")] {
            let mut command = Command::new(interpreter);
            command.arg(bench.join(program)).arg(url).stderr(Stdio::inherit());
            let output = command.output()?;
            if !output.status.success() {
                return Err(io::Error::other(format!("{program} has failed")));
            }
            for line in String::from_utf8_lossy(&output.stdout).lines() {
                let Line { name, elapsed, cpu } = serde_json::from_str(line)?;
                let sample = Sample { cpu: cpu * 1000.0, elapsed: elapsed * 1000.0, chunks: 1 };
                all.entry(name).or_default().samples.push(sample);
            }
        }
    }
    let group = |(id, title, rows): &(&str, &str, Rows)| {
        let reference = all.get(rows[0].0)?;
        let row = |(name, title, goal): &(&str, &str, Option<f64>)| {
            let measured = all.get(*name)?;
            Some(RowResult {
                title: (*title).to_owned(),
                is_ours: !PEERS.contains(name),
                goal: *goal,
                nanoseconds: measured.least(),
                ratio: measured.ratio_to(reference),
                instructions: None,
                peak_memory: None,
            })
        };
        let rows = rows.iter().filter_map(row).collect();
        Some(GroupResult { id: (*id).to_owned(), title: (*title).to_owned(), rows })
    };
    Ok(GROUPS.iter().filter_map(group).collect())
}
