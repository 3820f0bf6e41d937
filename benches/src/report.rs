//! RESULTS.md: the tables, with what was before beside what is now.

use std::fmt::Write;

use crate::plots::PLOTS;
use crate::results::{Figure, GroupResult, Results, RowResult};

const HEAD: &str = "# What a chunk costs

Written by `make bench`; [README.md](README.md) says how it is measured. Only ratios compare, and only of one run: each is
to the group's first row, which does not change when this library does. A ratio is the median of all rounds, with the
least of them in parentheses. ns is processor time a chunk, the least of all rounds.
";

/// The whole file.
pub fn write(before: Option<&Results>, now: &Results) -> String {
    let mut out = HEAD.to_owned();
    out += "\n| | before | now |\n| --- | --- | --- |\n";
    for (name, value) in &now.about {
        let was = before.and_then(|before| before.about.iter().find(|(other, _)| other == name));
        line(&mut out, &[name, was.map_or("", |(_, value)| value), value]);
    }
    out += "\n## Goals\n\n| what | goal | before | now | |\n| --- | ---: | ---: | ---: | --- |\n";
    for group in &now.groups {
        for row in &group.rows {
            let Some(goal) = row.goal else { continue };
            let was = before.and_then(|before| before.group(&group.id)?.row(&row.title));
            let what = format!("{}: {}", group.title, row.title);
            let cells = [
                what,
                format!("{goal:.2}"),
                was.map_or(String::new(), |was| format!("{:.2}", was.ratio.median)),
                format!("{:.2}", row.ratio.median),
                met(row.ratio.median <= goal),
            ];
            line(&mut out, &cells.each_ref().map(String::as_str));
        }
    }
    for figure in now.figures.iter().filter(|figure| figure.goal.is_some()) {
        let cells = [
            figure.title.clone(),
            figure.goal.map_or(String::new(), |goal| amount(goal, &figure.unit)),
            before.and_then(|before| before.figure(&figure.title)).map_or(String::new(), value),
            value(figure),
            met(figure.goal.is_none_or(|goal| figure.value <= goal)),
        ];
        line(&mut out, &cells.each_ref().map(String::as_str));
    }
    for group in &now.groups {
        table(&mut out, before.and_then(|before| before.group(&group.id)), group);
    }
    if !now.series.is_empty() {
        out += "\n## Cost against size and number\n\n";
        for plot in PLOTS {
            let _ = writeln!(out, "![{}](plots/{}.svg)", plot.x, plot.id);
        }
    }
    out += "\n## Memory, sizes, times\n\n| what | before | now |\n| --- | ---: | ---: |\n";
    for figure in &now.figures {
        let was = before.and_then(|before| before.figure(&figure.title)).map_or(String::new(), value);
        line(&mut out, &[&figure.title, &was, &value(figure)]);
    }
    out
}

fn met(is_met: bool) -> String {
    if is_met { "met" } else { "missed" }.to_owned()
}

fn value(figure: &Figure) -> String {
    amount(figure.value, &figure.unit)
}

fn amount(value: f64, unit: &str) -> String {
    let digits = if value.fract() == 0.0 || value >= 100.0 { 0 } else { 2 };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}

fn table(out: &mut String, before: Option<&GroupResult>, group: &GroupResult) {
    // Memory writes take everything.
    let _ = write!(out, "\n## {}\n\n[As a plot](plots/{}.svg)\n\n", group.title, group.id);
    let has_memory = group.rows.iter().any(|row| row.peak_memory.is_some());
    let mut head = vec!["who", "ratio before", "ratio now", "ns before", "ns now", "instructions before", "now"];
    if has_memory {
        head.push("peak KiB");
    }
    line(out, &head);
    *out += "| --- |";
    *out += &" ---: |".repeat(head.len() - 1);
    out.push('\n');
    for row in &group.rows {
        let was = before.and_then(|before| before.row(&row.title));
        let ratio = |row: &RowResult| format!("{:.2} ({:.2})", row.ratio.median, row.ratio.least);
        let time = |row: &RowResult| format!("{:.*}", if row.nanoseconds < 100.0 { 1 } else { 0 }, row.nanoseconds);
        let count = |row: &RowResult| row.instructions.map_or(String::new(), |count| format!("{count:.0}"));
        let mut cells = vec![
            row.title.clone(),
            was.map_or(String::new(), ratio),
            ratio(row),
            was.map_or(String::new(), time),
            time(row),
            was.map_or(String::new(), count),
            count(row),
        ];
        if has_memory {
            cells.push(row.peak_memory.map_or(String::new(), |kib| kib.to_string()));
        }
        line(out, &cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

fn line(out: &mut String, cells: &[&str]) {
    *out += "|";
    for cell in cells {
        let _ = write!(out, " {cell} |");
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::Ratio;

    fn results(median: f64) -> Results {
        let row = |title: &str, goal: Option<f64>, median| RowResult {
            title: title.to_owned(),
            is_ours: goal.is_some(),
            goal,
            nanoseconds: 12.0,
            ratio: Ratio { median, least: 0.5 },
            instructions: Some(99.6),
            peak_memory: None,
        };
        let rows = vec![row("other", None, 1.0), row("ours", Some(0.6), median)];
        Results {
            groups: vec![GroupResult { id: "x".to_owned(), title: "Decoding".to_owned(), rows }],
            figures: vec![Figure { title: "size".to_owned(), goal: Some(1024.0), value: 1968.0, unit: "B".to_owned() }],
            ..Results::default()
        }
    }

    #[test]
    fn before_stands_beside_now() {
        let text = write(Some(&results(0.9)), &results(0.5));
        assert!(text.contains("| Decoding: ours | 0.60 | 0.90 | 0.50 | met |\n"), "{text}");
        assert!(text.contains("| ours | 0.90 (0.50) | 0.50 (0.50) | 12.0 | 12.0 | 100 | 100 |\n"), "{text}");
        assert!(text.contains("| size | 1024 B | 1968 B | 1968 B | missed |\n"), "{text}");
        assert!(write(None, &results(0.7)).contains("| Decoding: ours | 0.60 |  | 0.70 | missed |\n"));
    }
}
