//! What is made from the command line itself: completions of shells, and manual pages.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::status::{Failure, Status};
use crate::words;

pub(crate) fn completions(args: &CompletionsArgs) -> Result<Status, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "chatnio", &mut script);
    match io::stdout().write_all(&script).and_then(|()| io::stdout().flush()) {
        Ok(()) => Ok(Status::Done),
        Err(error) => Failure::output(&error).map_or(Ok(Status::Done), Err),
    }
}

pub(crate) fn man(args: &ManArgs) -> Result<Status, Failure> {
    std::fs::create_dir_all(&args.directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &args.directory))
        .map_err(|error| {
        Failure::new(
            Status::Output,
            format!("cannot write manual pages to {}: {}", args.directory.display(), words::system(&error)),
        )
    })?;
    Ok(Status::Done)
}
