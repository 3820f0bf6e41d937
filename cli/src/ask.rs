//! `chatnio ask`: one question, one answer.

use std::io::{self, IsTerminal, Read};

use chatnio::transcript::Transcript;
use chatnio::{Client, Config, Event, Request, State};

use crate::args::AskArgs;
use crate::connect::{self, Target};
use crate::interrupt::Interrupts;
use crate::output::Printer;
use crate::record::Recording;
use crate::status::{Failure, Status};

pub(crate) fn run(args: &AskArgs) -> Result<Status, Failure> {
    let mut target = Target::new(&args.connection)?;
    if args.record.is_some() {
        target.record();
    }
    let model = connect::model(&args.request)?;
    let question = question(args.text.as_deref())?;
    let request = connect::with_parameters(Request::chat(question), &args.request, &model);
    target.check(Some(&request))?;
    let recording = args.record.as_deref().map(Recording::create).transpose()?;
    let interrupts = Interrupts::install()?;
    let mut printer = Printer::new(args.json);

    let mut transcript = None;
    let asked = target.connect().and_then(|mut client| {
        interrupts.watch(client.stopper());
        let answered = answer(&mut client, &request, &mut printer);
        transcript = client.transcript();
        if client.state() == State::Idle {
            // Whatever goes wrong now, the answer is complete.
            let _ = client.close();
        }
        answered
    });
    if let Err(failure) = asked {
        printer.raise(failure.report());
    }
    if let Some(recording) = recording {
        let nothing = || {
            let mut transcript = Transcript::default();
            transcript.url = target.endpoint().map(ToString::to_string);
            transcript
        };
        if let Err(failure) = recording.write(&transcript.unwrap_or_else(nothing)) {
            printer.raise(failure.report());
        }
    }
    if interrupts.quitting() {
        printer.raise(Status::Quit);
    }
    Ok(printer.status())
}

/// The question's text: the argument, or standard input.
fn question(text: Option<&str>) -> Result<String, Failure> {
    match text {
        Some(text) if text != "-" => return Ok(text.to_owned()),
        None if io::stdin().is_terminal() => {
            return Err(Failure::usage("no question: give it as TEXT, or `-` to type it"));
        }
        _ => {}
    }
    let limit = Config::default().max_request;
    let mut bytes = Vec::new();
    io::stdin()
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::usage(format!("cannot read the question from standard input: {error}")))?;
    if bytes.len() > limit {
        return Err(Failure::usage(format!("the question on standard input is over the limit of {limit} bytes")));
    }
    let mut question = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!("the question on standard input is not valid UTF-8 (byte {at})"))
    })?;
    if question.ends_with('\n') {
        question.pop();
        if question.ends_with('\r') {
            question.pop();
        }
    }
    Ok(question)
}

/// Asks, and prints the answer as it comes. When nobody reads it any more, it is stopped.
fn answer(client: &mut Client, request: &Request, printer: &mut Printer) -> Result<(), Failure> {
    client.request(request)?;
    while let Some(event) = client.next()? {
        let ended = matches!(event, Event::End(_));
        if let Err(error) = printer.event(&event) {
            let _ = client.stop();
            return Failure::output(&error).map_or(Ok(()), Err);
        }
        if ended {
            break;
        }
    }
    if client.state() == State::Closed {
        // It knows more than the answer does about why.
        client.next()?;
    }
    Ok(())
}
