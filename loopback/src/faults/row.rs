//! The table, read.

use super::{Fault, TABLE};

/// What a client is to make of a fault, plain or over TLS.
#[derive(Debug, Clone)]
pub struct Row {
    /// The fault.
    pub fault: Fault,
    /// Whether it is over TLS.
    pub tls: bool,
    /// What the caller gets: see [`faults`](super).
    pub status: String,
    /// The deadline that must pass first, by the name of its setting; `-` for none.
    pub by: String,
    /// The text of the answer that is kept, without white space at its end, at most 40 characters.
    pub text: String,
}

/// The table's rows, one for each way that a fault is played.
///
/// # Panics
/// When it is none: that it is one is tested.
#[must_use]
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut faults = Fault::all().into_iter();
    for line in TABLE.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, plain, over_tls, by, text] = cells[..] else { panic!("five columns: {line:?}") };
        let fault = faults.next().filter(|fault| fault.name == name);
        let fault = fault.unwrap_or_else(|| panic!("{name} is not the next fault"));
        for tls in [false, true] {
            if fault.is_played(tls) {
                let status = if tls && over_tls != "-" { over_tls } else { plain };
                let (fault, status, by) = (fault.clone(), status.to_owned(), by.to_owned());
                rows.push(Row { fault, tls, status, by, text: unescaped(text) });
            }
        }
    }
    rows
}

/// A text with each `\u{..}` as the character that it stands for.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('}').unwrap_or_else(|| panic!("no end of an escape: {text}"));
        let code = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
        plain.push(code.unwrap_or_else(|| panic!("no character: {text}")));
        plain += rest;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many there are: one that goes with its fault would show nowhere else.
    const ROWS: usize = 574;

    #[test]
    fn every_fault_has_its_rows() {
        let rows = rows();
        assert_eq!(rows.len(), ROWS);
        for row in &rows {
            assert!(row.status != "-" && row.text.chars().count() <= 40 && row.text.trim_end() == row.text, "{row:?}");
        }
        for fault in Fault::all() {
            let count = usize::from(fault.is_played(false)) + usize::from(fault.is_played(true));
            assert_eq!(rows.iter().filter(|row| row.fault.name == fault.name).count(), count, "{fault:?}");
        }
    }

    #[test]
    fn escapes_are_read() {
        assert_eq!(unescaped(r"a\u{0}b\u{1f600}"), "a\0b\u{1f600}");
    }
}
