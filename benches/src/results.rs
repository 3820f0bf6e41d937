//! What was measured, as it is kept in files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::rounds::Ratio;

/// What one run has measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Results {
    /// What it ran on and with: names and values, in this order.
    pub about: Vec<(String, String)>,
    /// The groups, in their order.
    pub groups: Vec<GroupResult>,
    /// Single figures, in their order: memory, sizes, times.
    pub figures: Vec<Figure>,
    /// What the plots show beside them, by name: points of x and y.
    pub series: BTreeMap<String, Vec<(f64, f64)>>,
}

/// What was measured of a group. The first row is the reference.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupResult {
    /// Its short name.
    pub id: String,
    /// For people.
    pub title: String,
    /// Its contenders.
    pub rows: Vec<RowResult>,
}

/// What was measured of a contender.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RowResult {
    /// For people.
    pub title: String,
    /// Whether it is this library.
    #[serde(default)]
    pub is_ours: bool,
    /// How much of the reference's time it may take.
    pub goal: Option<f64>,
    /// The least processor time a chunk, in nanoseconds.
    pub nanoseconds: f64,
    /// To the reference.
    pub ratio: Ratio,
    /// A chunk.
    pub instructions: Option<f64>,
    /// In KiB.
    pub peak_memory: Option<u64>,
}

/// A single figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// For people.
    pub title: String,
    /// How much it may be.
    pub goal: Option<f64>,
    /// How much it is.
    pub value: f64,
    /// Of what.
    pub unit: String,
}

impl Results {
    /// Reads a file.
    ///
    /// # Errors
    /// When there is none, or it is not one of these.
    pub fn read(path: &Path) -> io::Result<Self> {
        serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other)
    }

    /// Writes one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_string_pretty(self)? + "\n")
    }

    /// The same, with what `newer` has in its place. What it ran on stays that of the whole run.
    #[must_use]
    pub fn with(mut self, newer: Results) -> Self {
        for group in newer.groups {
            match self.groups.iter_mut().find(|other| other.id == group.id) {
                Some(other) => *other = group,
                None => self.groups.push(group),
            }
        }
        for figure in newer.figures {
            match self.figures.iter_mut().find(|other| other.title == figure.title) {
                Some(other) => *other = figure,
                None => self.figures.push(figure),
            }
        }
        self.series.extend(newer.series);
        self
    }

    /// What was measured of a group.
    pub fn group(&self, id: &str) -> Option<&GroupResult> {
        self.groups.iter().find(|group| group.id == id)
    }

    /// A single figure.
    pub fn figure(&self, title: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.title == title)
    }
}

impl GroupResult {
    /// What was measured of a contender.
    pub fn row(&self, title: &str) -> Option<&RowResult> {
        self.rows.iter().find(|row| row.title == title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_newer_takes_its_place() {
        let with = |id: &str, title: &str, value| Results {
            groups: vec![GroupResult { id: id.to_owned(), title: title.to_owned(), rows: Vec::new() }],
            figures: vec![Figure { title: "size".to_owned(), goal: None, value, unit: String::new() }],
            ..Results::default()
        };
        let results = with("a", "old", 1.0).with(with("a", "new", 2.0)).with(with("b", "other", 3.0));
        assert_eq!(results.groups.iter().map(|group| &*group.title).collect::<Vec<_>>(), ["new", "other"]);
        assert_eq!(results.figures.iter().map(|figure| figure.value).collect::<Vec<_>>(), [3.0]);
    }
}
