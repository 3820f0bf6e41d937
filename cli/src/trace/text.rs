//! A trace as text.

use std::fmt::Write;

use termimad::crossterm::style::Stylize;

use super::{Direction, Trace};
use crate::output::printable;

/// What is shown of a text where the terminal has no room for it.
const LEAST: usize = 8;

/// Writes a trace; `width` is how long a frame's line may be, 0 for no limit.
pub(crate) fn print(trace: &Trace, is_coloured: bool, width: usize, out: &mut String) {
    let paint = |text: &str, paint: fn(&str) -> String| if is_coloured { paint(text) } else { text.to_owned() };
    let title = match &trace.url {
        Some(url) => format!("{}  {url}", trace.name),
        None => trace.name.clone(),
    };
    let title = printable(&title);
    let _ = writeln!(out, "{}", paint(&title, |text| text.bold().to_string()));
    let has_times = trace.moments.iter().any(|moment| moment.at.is_some());
    let margin = if has_times { 18 } else { 8 };
    let left = |taken| if width == 0 { 0 } else { width.saturating_sub(taken).max(LEAST) };
    for moment in &trace.moments {
        let mark = match moment.direction {
            Direction::Sent => paint(">", |text| text.cyan().to_string()),
            Direction::Received => paint("<", |text| text.green().to_string()),
            Direction::Closed => paint("!", |text| text.red().to_string()),
            Direction::Here => " ".to_owned(),
        };
        let frame = match moment.direction {
            Direction::Closed => "the server closed the connection".to_owned(),
            Direction::Here => "(nothing was sent or received)".to_owned(),
            _ => cut(&printable(&moment.frame), left(margin)),
        };
        let time = match moment.at {
            Some(at) => format!("{at:>9.3} "),
            None if has_times => " ".repeat(10),
            None => String::new(),
        };
        let _ = writeln!(out, "{:>5} {}{mark} {frame}", moment.line, paint(&time, |text| text.dim().to_string()));
        let states = match (moment.before, moment.after) {
            (before, after) if before == after => before.to_owned(),
            (before, after) => format!("{before} -> {after}"),
        };
        let states = paint(&format!("{states:<22}"), |text| text.yellow().to_string());
        let event = match &*moment.event {
            "" => String::new(),
            event => format!("{}  ", paint(&cut(event, left(margin + 24)), |text| text.bold().to_string())),
        };
        let why = paint(&printable(&moment.why), |text| text.dim().to_string());
        let _ = writeln!(out, "{:margin$}{states}{event}{why}", "");
    }
}

/// The beginning of a text that is too long; `longest` 0 is for no limit.
fn cut(text: &str, longest: usize) -> String {
    if longest == 0 || text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest.saturating_sub(4)).chain(" ...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatnio::transcript::Transcript;

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!((cut("ääääääää", 7).as_str(), cut("ääää", 4).as_str()), ("äää ...", "ääää"));
        assert_eq!(cut("whatever", 0), "whatever");
    }

    #[test]
    fn it_is_cut_on_the_narrowest_terminal_too() {
        let message = "x".repeat(10_000);
        let text = format!(
            "> SEND {{\"type\":\"chat\",\"message\":\"hi\"}}\n< RECV {{\"message\":\"{message}\"}}\n< RECV {{\"end\":true}}\n"
        );
        let trace = Trace::new("a".into(), &Transcript::parse(&text).unwrap()).unwrap();
        for width in [1, 8, 9, 32, 33, 80] {
            let mut out = String::new();
            print(&trace, false, width, &mut out);
            assert!(out.len() < 1000, "{width}: {out}");
        }
        let mut out = String::new();
        print(&trace, false, 0, &mut out);
        assert!(out.len() > 20_000, "without a limit all is shown");
    }
}
