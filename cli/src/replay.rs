//! `chatnio replay`: transcripts through a session, without a network.

use std::io;
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
        let name = file.display().to_string();
        let trace = read(file).and_then(|transcript| {
            Trace::new(name, &transcript)
                .map_err(|why| Failure::new(Status::Malformed, format!("{}: {why}", file.display())))
        });
        match trace {
            Ok(trace) => {
                status = status.max(trace.status);
                traces.push(trace);
            }
            Err(failure) => status = status.max(failure.report()),
        }
    }
    let written = if args.html { output::write(&trace::page(&traces)) } else { output::write_trace(&traces) };
    match written {
        Ok(()) => Ok(status),
        Err(error) => Failure::output(&error).map_or(Ok(status), Err),
    }
}

fn read(file: &Path) -> Result<Transcript, Failure> {
    let name = file.display();
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::usage(format!("cannot read the transcript {name}: {}", words::system(&error))))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        Failure::new(Status::Malformed, format!("{name}: line {line}: the text is not valid UTF-8"))
    })?;
    Transcript::parse(&text).map_err(|error| Failure::new(Status::Malformed, format!("{name}: {error}")))
}

/// The inner error is stdout's.
fn replay(transcript: &Transcript, file: &Path, printer: &mut Printer) -> Result<io::Result<()>, Failure> {
    let (replay, auth) = Replay::new(transcript);
    let mut session = Session::new(auth, Config::default(), Duration::ZERO)
        .map_err(|error| Failure::new(Status::Malformed, format!("{}: {error}", file.display())))?;
    printer.begin();
    let mut printed = Ok(());
    replay.run(&mut session, Duration::ZERO, |replayed| {
        if printed.is_ok() {
            printed = printer.replayed(&replayed, &file.display());
        }
    });
    Ok(printed)
}
