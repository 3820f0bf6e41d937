//! The table of states in the crate's docs, row by row.

use std::time::Duration;

use chatnio_core::{Auth, CloseReason, Event, EventStorage, MessageKind, Request, RequestError, RequestKind, State};

use crate::frames::{end, opener, piece};
use crate::host::{Host, config, secs};

/// What became of an input: the next state, the event or the refusal, and what is sent.
type Outcome = (State, &'static str, &'static str);

const LIMIT: usize = 400;

/// A host whose session is in `state`, with everything sent. Of the timers only that of `input` is on.
fn in_state(state: State, input: &str) -> Host {
    let config = config(|config| {
        config.max_message = LIMIT;
        let off = |name, time: &mut Duration| *time = if input == name { *time } else { Duration::ZERO };
        off("late", &mut config.first_frame);
        off("late", &mut config.next_frame);
        off("late", &mut config.after_stop);
        off("late", &mut config.answer_within);
        off("silence", &mut config.keep_alive);
        if input != "repeat" {
            config.stop_repeats.clear();
        }
    });
    let mut host = Host::with(Auth::new("sk-secret"), config);
    let ask = |host: &mut Host| host.ask("hi");
    // An opener comes first, if it comes.
    let is_opener = input == "opener" && state != State::Answering;
    let open = |host: &mut Host| {
        if !is_opener {
            host.receive(&piece("x", 0.1));
        }
    };
    match state {
        // The second end that a stop leaves.
        State::Idle if matches!(input, "end" | "stray") => {
            ask(&mut host);
            host.receive(&opener(29));
            host.stop().unwrap();
            host.receive(&end("", 0.1));
        }
        State::Idle => {}
        // A frame that is nobody's is the second end that the last answer has left.
        State::Asking | State::Stopping | State::Draining if input == "stray" => {
            ask(&mut host);
            host.receive(&opener(29));
            host.stop().unwrap();
            host.receive(&end("", 0.1));
            ask(&mut host);
            match state {
                State::Stopping => drop(host.stop().unwrap()),
                State::Draining => drop(host.receive(&"x".repeat(LIMIT + 1))),
                _ => {}
            }
        }
        State::Asking if input == "out of place" => {
            ask(&mut host);
            host.receive(&opener(29));
            host.receive(&end("", 0.1));
            ask(&mut host);
        }
        State::Asking => ask(&mut host),
        State::Answering => {
            ask(&mut host);
            open(&mut host);
        }
        State::Stopping => {
            ask(&mut host);
            open(&mut host);
            host.stop().unwrap();
        }
        State::Draining => {
            ask(&mut host);
            open(&mut host);
            host.receive(&"x".repeat(LIMIT + 1));
        }
        State::Closed => drop(host.close(CloseReason::Lost)),
        other => panic!("no test knows {other:?}"),
    }
    host.sent();
    assert_eq!(host.state(), state);
    host
}

/// Lets the host do or meet what the table calls `input`; the event that came of it, or how it was refused.
fn apply(host: &mut Host, input: &str) -> &'static str {
    let (now, was_closed) = (host.now, host.state() == State::Closed);
    let mut storage = EventStorage::new();
    let message = match input {
        "opener" => opener(29),
        "piece" => piece("a", 0.1),
        "end" | "stray" => end("", 0.1),
        // An answer that was not opened.
        "out of place" if host.state() == State::Asking => end("x", 0.1),
        "out of place" => opener(29),
        "too long" => "x".repeat(LIMIT + 1),
        _ => "garbage".into(),
    };
    let event = match input {
        "ask" => return refused(host.request(&Request::chat("again"))),
        "tell" => return refused(host.request(&Request::remove(0))),
        "stop" => return host.stop().map_or("closed", |_| "-"),
        "opener" | "piece" | "end" | "stray" | "out of place" | "too long" | "unreadable" => {
            host.session.receive(now, &message, &mut storage)
        }
        "late" => host.session.handle_timeout(now + secs(120), &mut storage),
        "repeat" => host.session.handle_timeout(now + secs(1), &mut storage),
        "silence" => host.session.handle_timeout(now + secs(25), &mut storage),
        "close" => host.session.closed(CloseReason::Lost),
        "reconnect" => host.session.reconnect(now),
        other => panic!("no test knows the input {other}"),
    };
    match event {
        None if was_closed && input != "reconnect" => "closed",
        None => "-",
        Some(Event::Opened { .. }) => "opened",
        Some(Event::Delta { .. }) => "delta",
        Some(Event::End(_)) => "end",
        Some(Event::Stray { .. }) => "stray",
        Some(Event::Malformed { .. }) => "malformed",
        Some(Event::StopRepeated { .. }) => "stop repeated",
        Some(Event::KeepAlive) => "keep-alive",
        Some(other) => panic!("no test knows {other:?}"),
    }
}

fn refused(result: Result<(), RequestError>) -> &'static str {
    match result {
        Ok(()) => "-",
        Err(RequestError::Busy { .. }) => "busy",
        Err(RequestError::Closed) => "closed",
        Err(other) => panic!("no test knows {other:?}"),
    }
}

fn sends(host: &mut Host) -> &'static str {
    // The authentication goes before the first request; whether it has gone, no state tells.
    match host.sent_kinds().last() {
        None => "-",
        Some(MessageKind::Request(RequestKind::Stop)) => "stop",
        Some(MessageKind::Request(_)) => "request",
        Some(MessageKind::Ping) => "ping",
        Some(other) => panic!("no test knows {other:?}"),
    }
}

/// The rows of the docs' table: state, input, and what comes of it.
fn rows() -> Vec<[&'static str; 5]> {
    let table = include_str!("../../src/states.md");
    let cells = |row: &'static str| -> Option<[&'static str; 5]> {
        let cells: Vec<_> = row.strip_prefix('|')?.trim_end().strip_suffix('|')?.split('|').map(str::trim).collect();
        cells.try_into().ok()
    };
    table.lines().filter_map(cells).skip(2).collect()
}

fn state(name: &str) -> State {
    State::ALL.into_iter().find(|state| state.name() == name).unwrap_or_else(|| panic!("no state {name}"))
}

#[test]
fn every_row_is_what_a_session_does() {
    let rows = rows();
    assert!(rows.len() > 60, "{}", rows.len());
    for [from, input, next, tells, sent] in rows {
        if [from, input] == ["answering", "stray"] {
            // Once an answer has begun, a frame is its own or cannot be.
            continue;
        }
        let mut host = in_state(state(from), input);
        let expected: Outcome = (state(next), tells, sent);
        let told = apply(&mut host, input);
        assert_eq!((host.state(), told, sends(&mut host)), expected, "{from}, {input}");
    }
}

#[test]
fn every_state_and_input_has_one_row() {
    let rows = rows();
    let mut inputs: Vec<_> = rows.iter().map(|row| row[1]).collect();
    inputs.sort_unstable();
    inputs.dedup();
    for state in State::ALL {
        for input in &inputs {
            let count = rows.iter().filter(|row| row[0] == state.name() && row[1] == *input).count();
            assert_eq!(count, 1, "{state}, {input}");
        }
    }
}
