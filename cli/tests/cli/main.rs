//! The `chatnio` command, run as users run it, against servers on 127.0.0.1.

mod ask;
mod chat;
mod configuration;
mod conversations;
mod failures;
#[cfg(unix)]
mod install;
#[cfg(unix)]
mod interrupts;
mod process;
mod proxy;
mod replay;
mod rest;
mod serve;
#[cfg(target_os = "linux")]
mod terminal;
mod tls;
#[cfg(target_os = "linux")]
mod tmux;
