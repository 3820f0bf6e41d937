//! `chatnio replay`: transcripts through a session, without a network.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use chatnio::transcript::{Replay, Transcript};
use chatnio::{Config, Session};

use crate::args::ReplayArgs;
use crate::output::{self, Printer};
use crate::status::{Failure, Status};
use crate::trace::{self, Trace};
use crate::words;

pub(crate) fn run(args: &ReplayArgs) -> Result<Status, Failure> {
    if args.trace || args.html {
        return look_inside(args);
    }
    let mut printer = Printer::for_replay(args.json);
    for file in &args.files {
        let read = read(file).and_then(|transcript| replay(&transcript, file, &mut printer));
        match read {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Failure::output(&error).map_or(Ok(printer.status()), Err),
            Err(failure) => printer.raise(failure.report()),
        }
    }
    Ok(printer.status())
}

/// `--trace` and `--html`.
fn look_inside(args: &ReplayArgs) -> Result<Status, Failure> {
    let mut status = Status::Done;
    let mut traces = Vec::new();
    for file in &args.files {
        let name = name(file);
        let trace = read(file).and_then(|transcript| {
            Trace::new(name.clone(), &transcript)
                .map_err(|why| Failure::new(Status::Malformed, format!("{name}: {why}")))
        });
        match trace {
            Ok(trace) => {
                status = status.max(trace.status);
                traces.push(trace);
            }
            Err(failure) => status = status.max(failure.report()),
        }
    }
    // A page without one would show nothing.
    if traces.is_empty() {
        return Ok(status);
    }
    let written = if args.html { output::write(&trace::page(&traces)) } else { output::write_trace(&traces) };
    match written {
        Ok(()) => Ok(status),
        Err(error) => Failure::output(&error).map_or(Ok(status), Err),
    }
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn name(file: &Path) -> String {
    if is_stdin(file) { "standard input".to_owned() } else { file.display().to_string() }
}

fn read(file: &Path) -> Result<Transcript, Failure> {
    let name = name(file);
    let bytes = if is_stdin(file) {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    let bytes = bytes
        .map_err(|error| Failure::usage(format!("cannot read the transcript {name}: {}", words::system(&error))))?;
    let text = words::utf8(bytes).map_err(|why| Failure::new(Status::Malformed, format!("{name}: {why}")))?;
    let transcript =
        Transcript::parse(&text).map_err(|error| Failure::new(Status::Malformed, format!("{name}: {error}")))?;
    if transcript.entries.is_empty() {
        output::say("warning", &format!("{name}: nothing was sent or received in it"));
    }
    Ok(transcript)
}

/// The inner error is stdout's.
fn replay(transcript: &Transcript, file: &Path, printer: &mut Printer) -> Result<io::Result<()>, Failure> {
    let name = name(file);
    let (replay, auth) = Replay::new(transcript);
    let mut session = Session::new(auth, Config::default(), Duration::ZERO)
        .map_err(|error| Failure::new(Status::Malformed, format!("{name}: {error}")))?;
    printer.begin();
    let mut printed = Ok(());
    replay.run(&mut session, Duration::ZERO, |replayed| {
        if printed.is_ok() {
            printed = printer.replayed(&replayed, &name);
        }
    });
    Ok(printed)
}
