//! The `chatnio` command: asks servers that speak the Chat Nio (CoAI) chat protocol, and plays one.

mod args;
mod ask;
mod chat;
mod connect;
mod interrupt;
mod lines;
mod output;
mod record;
mod replay;
mod serve;
mod status;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Ask(args) => ask::run(&args),
        Command::Chat(args) => chat::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Serve(args) => serve::run(&args),
    };
    let status = done.unwrap_or_else(|failure| failure.report());
    // Threads that still wait for input end with the process.
    ExitCode::from(status.code())
}
