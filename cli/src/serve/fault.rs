//! `serve --fault`: what there is, and what goes together.

use std::io::{self, Write};

use chatnio_loopback::Generation;
use chatnio_loopback::faults::Fault;
use clap::ValueEnum;

use crate::args::{CallFault, CertificateKind, ServeArgs, ServeFault};
use crate::status::{Failure, Status};

/// Prints the names of all, with what the server does.
pub(super) fn list() -> Result<Status, Failure> {
    let calls = CallFault::value_variants().iter().filter_map(CallFault::to_possible_value);
    let calls = calls
        .map(|value| (value.get_name().to_owned(), value.get_help().map_or_else(String::new, ToString::to_string)));
    let chat = Fault::all().into_iter().map(|fault| {
        let over = if fault.is_played(false) { "" } else { " (with --tls)" };
        (fault.name, fault.what + over)
    });
    let mut stdout = io::stdout();
    for (name, what) in calls.chain(chat) {
        if let Err(error) = writeln!(stdout, "{name:24} {what}") {
            return Failure::output(&error).map_or(Ok(Status::Done), Err);
        }
    }
    Ok(Status::Done)
}

/// Refuses what would be passed over: one of the chat's is all that a server does.
pub(super) fn check(args: &ServeArgs) -> Result<(), Failure> {
    let alone = args.fault.iter().find_map(|fault| match fault {
        ServeFault::All => Some(("all", None)),
        ServeFault::Chat(fault) => Some((fault.name.as_str(), Some(fault))),
        ServeFault::List | ServeFault::Calls(_) => None,
    });
    let Some((name, fault)) = alone else { return Ok(()) };
    if args.fault.len() > 1 {
        return Err(Failure::usage(format!("--fault {name} is all that the server does: give no other --fault")));
    }
    if fault.is_some_and(|fault| !args.tls && !fault.is_played(false)) {
        return Err(Failure::usage(format!("--fault {name} is one of TLS: add --tls")));
    }
    let given = [
        ("--port", fault.is_none() && args.port != 0),
        ("--certificate", !matches!(args.certificate, CertificateKind::Valid)),
        ("--script", args.script.is_some()),
        ("--pace", args.pace != 1.0),
        ("--generation", args.generation != Generation::default()),
        ("--throttle", args.throttle.is_some()),
        ("--requests", args.requests.is_some()),
        ("--www", args.www.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => {
            Err(Failure::usage(format!("--fault {name} is all that the server does: {option} has no place beside it")))
        }
        None => Ok(()),
    }
}
