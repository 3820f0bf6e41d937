//! `chatnio ask`: one question, one answer.

use std::io::{self, IsTerminal};

use chatnio::transcript::Transcript;
use chatnio::{Client, Event, MaskMessage, Request, State, Stopper};

use crate::args::AskArgs;
use crate::conversation::{Conversations, Told};
use crate::interrupt::Interrupts;
use crate::output::Printer;
use crate::question;
use crate::record::Recording;
use crate::settings::Settings;
use crate::status::{Failure, Status};
use crate::target::Target;

pub(crate) fn run(args: &AskArgs) -> Result<Status, Failure> {
    let interrupts = Interrupts::install()?;
    let settings = Settings::new(&args.connection, &args.question, &interrupts)?;
    let mut target = Target::new(&args.connection, &settings)?.in_conversation(&args.conversation, &settings)?;
    if args.output.record.is_some() {
        target.record();
    }
    let text = question::read(&args.text, &args.image, target.max_request())?;
    let request = settings.parameters.add_to(Request::chat(text).model(&settings.model));
    target.check(Some(&request))?;
    let recording = args.output.record.as_deref().map(Recording::create).transpose()?;
    let mut printer = Printer::new(&args.output, settings.plain);

    let mut transcript = None;
    let stopper = Stopper::new();
    interrupts.watch(stopper.clone());
    let connected = target.connect(&stopper);
    let asked = connected.and_then(|mut client| {
        let answered =
            Turn { client: &mut client, target: &target, settings: &settings, printer: &mut printer }.run(&request);
        transcript = client.transcript();
        if client.state() == State::Idle {
            // Whatever goes wrong now, the answer is complete.
            let _ = client.close();
        }
        answered
    });
    if let Err(failure) = asked
        && !interrupts.leaving()
    {
        printer.raise(failure.report());
    }
    if let Some(mut recording) = recording {
        let nothing = || {
            let mut transcript = Transcript::default();
            transcript.url = target.endpoint().map(ToString::to_string);
            transcript
        };
        if let Err(failure) = recording.write(&transcript.unwrap_or_else(nothing)) {
            printer.raise(failure.report());
        }
    }
    if let Some(status) = interrupts.status() {
        printer.raise(status);
    }
    Ok(printer.status())
}

struct Turn<'a> {
    client: &'a mut Client,
    target: &'a Target,
    settings: &'a Settings,
    printer: &'a mut Printer,
}

impl Turn<'_> {
    /// Asks, and prints the answer as it comes. When nobody reads it any more, it is stopped.
    fn run(self, request: &Request) -> Result<(), Failure> {
        let failed = |error| self.target.failure(&error);
        let conversations = Conversations::new(self.target.lasting_endpoint(), self.settings.profile.as_deref());
        let mut told = Told::default();
        if let Some(system) = self.target.system(self.settings) {
            self.client.request(&Request::mask([MaskMessage::new("system", &system.text)])).map_err(failed)?;
        }
        self.client.request(request).map_err(failed)?;
        while let Some(event) = self.client.next().map_err(failed)? {
            if let Event::Opened { conversation, .. } = &event
                && let Some(id) = told.tell(*conversation, io::stderr().is_terminal())
            {
                conversations.keep(id);
            }
            let ended = matches!(event, Event::End(_));
            if let Err(error) = self.printer.event(&event) {
                let _ = self.client.stop();
                return Failure::output(&error).map_or(Ok(()), Err);
            }
            if ended {
                break;
            }
        }
        if self.client.state() == State::Closed {
            // It knows more than the answer does about why.
            self.client.next().map_err(failed)?;
        }
        Ok(())
    }
}
