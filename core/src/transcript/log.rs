//! The event log: events as JSON, one a line, the same in every language.

use alloc::string::String;
use core::fmt::Write;

use super::Replayed;
use crate::answer::Answer;
use crate::event::Event;
use crate::json::push_string;

/// Writes events as JSON lines: what `chatnio replay --json` prints and what a test of transcripts compares.
///
/// Keys in a fixed order, no spaces, raw UTF-8, LF. A quota is the number's text as received.
///
/// ```text
/// {"event":"delta","turn":1,"text":"Hello","quota":0.1}
/// {"event":"stray","text":"","quota":0.1,"end":true}
/// {"event":"warning","line":7,"message":"skipped: the message is empty: it would never be answered"}
/// {"event":"end","turn":1,"request":"chat","outcome":"complete","text":"Hello","notice":null,"quota":0.1,"keyword":"","conversation":29,"plan":false,"chunks":1}
/// ```
///
/// There is no delta for an empty piece, and none of the other events is logged.
#[derive(Debug, Default)]
pub struct EventLog;

impl EventLog {
    /// An empty log.
    pub fn new() -> Self {
        EventLog
    }

    /// Appends what a replay told to `out`.
    pub fn replayed(&mut self, replayed: &Replayed<'_>, out: &mut String) {
        match replayed {
            Replayed::Event { line, event: Event::Malformed { error, .. } } => self.warning(*line, error, out),
            Replayed::Event { event, .. } => self.event(event, out),
            Replayed::Warning { line, message } => self.warning(Some(*line), message, out),
        }
    }

    /// Appends the lines of an event to `out`: none, one, or two (the end's piece and the end).
    pub fn event(&mut self, event: &Event<'_>, out: &mut String) {
        match event {
            Event::Delta { turn, text, quota, .. } => delta(*turn, text, quota.text(), out),
            Event::End(end) => {
                delta(end.turn(), end.text, end.answer.quota_text(), out);
                answer(&end.answer, out);
            }
            Event::Stray { text, chunk } => {
                out.push_str("{\"event\":\"stray\",\"text\":");
                push_string(out, text);
                let quota = chunk.quota.map_or("0", |quota| quota.text());
                let _ = writeln!(out, ",\"quota\":{quota},\"end\":{}}}", chunk.end);
            }
            Event::Opened { .. } | Event::Malformed { .. } | Event::StopRepeated { .. } | Event::KeepAlive => {}
        }
    }

    /// Appends a warning to `out`; the line is that of the transcript, if there is one.
    pub fn warning(&mut self, line: Option<usize>, message: &dyn core::fmt::Display, out: &mut String) {
        out.push_str("{\"event\":\"warning\",\"line\":");
        let _ = match line {
            Some(line) => write!(out, "{line}"),
            None => write!(out, "null"),
        };
        out.push_str(",\"message\":");
        push_string(out, &alloc::format!("{message}"));
        out.push_str("}\n");
    }
}

fn delta(turn: u64, text: &str, quota: &str, out: &mut String) {
    if !text.is_empty() {
        let _ = write!(out, "{{\"event\":\"delta\",\"turn\":{turn},\"text\":");
        push_string(out, text);
        let _ = writeln!(out, ",\"quota\":{quota}}}");
    }
}

fn answer(answer: &Answer, out: &mut String) {
    let outcome = answer.outcome.map_or("", |outcome| outcome.name());
    let _ = write!(
        out,
        "{{\"event\":\"end\",\"turn\":{},\"request\":\"{}\",\"outcome\":\"{outcome}\",\"text\":",
        answer.turn, answer.request
    );
    push_string(out, &answer.text);
    out.push_str(",\"notice\":");
    match &answer.notice {
        Some(notice) => push_string(out, notice),
        None => out.push_str("null"),
    }
    let _ = write!(out, ",\"quota\":{},\"keyword\":", answer.quota_text());
    push_string(out, &answer.keyword);
    out.push_str(",\"conversation\":");
    let _ = match answer.conversation {
        Some(id) => write!(out, "{id}"),
        None => write!(out, "null"),
    };
    let _ = writeln!(out, ",\"plan\":{},\"chunks\":{}}}", answer.plan, answer.chunks);
}
