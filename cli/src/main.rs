//! The `chatnio` command: asks servers that speak the Chat Nio (CoAI) chat protocol, and plays one.

mod args;
mod ask;
mod chat;
mod configuration;
mod conversation;
mod embedded;
mod generate;
mod image;
mod interrupt;
mod output;
mod paths;
mod question;
mod record;
mod replay;
mod rest;
mod serve;
mod settings;
mod status;
mod target;
mod terminal;
mod token;
mod trace;
mod words;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use status::{Failure, Status};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => return refuse(&refusal),
    };
    let done = match cli.command {
        Command::Ask(args) => ask::run(&args),
        Command::Chat(args) => chat::run(&args),
        Command::Rest(command) => rest::run(&command),
        Command::Replay(args) => replay::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Completions(args) => generate::completions(&args),
        Command::Man(args) => generate::man(&args),
    };
    let status = done.unwrap_or_else(|failure| failure.report());
    // Threads that still wait for input end with the process.
    ExitCode::from(status.code())
}

/// Prints what the parser says: help on stdout, an error on stderr. An error repeats what it does not understand; a key
/// in the wrong place must not show.
fn refuse(refusal: &clap::Error) -> ExitCode {
    let mut text = refusal.render().to_string();
    for argument in env::args_os().skip(1) {
        let argument = argument.to_string_lossy();
        if let Some(at) = output::find_key(&argument) {
            text = text.replace(&argument[at..], "sk-...");
        }
    }
    let printed = if refusal.use_stderr() {
        io::stderr().write_all(text.as_bytes())
    } else {
        io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush())
    };
    let status = match printed.err().and_then(|error| Failure::output(&error)) {
        Some(failure) if !refusal.use_stderr() => failure.report(),
        _ if refusal.use_stderr() => Status::Usage,
        _ => Status::Done,
    };
    ExitCode::from(status.code())
}
