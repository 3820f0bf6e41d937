//! `chatnio serve`: the loopback server as a process of its own.

use std::fs;
use std::io::{self, Write};
use std::process;
use std::sync::mpsc;
use std::thread;

use chatnio_loopback::{Options, Script, Server};

use crate::args::ServeArgs;
use crate::interrupt::{self, Signal};
use crate::status::{Failure, Status};

pub(crate) fn run(args: &ServeArgs) -> Result<Status, Failure> {
    let mut options = Options::new(args.generation);
    options.port = args.port;
    options.pace = args.pace;
    options.throttle = args.throttle;
    options.faults = args.fault.iter().copied().map(Into::into).collect();
    options.tls = args.tls.then(|| args.certificate.into());
    if let Some(file) = &args.script {
        let name = file.display();
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("--script: cannot read {name}: {error}")))?;
        let script: Script =
            text.parse().map_err(|error| Failure::new(Status::Malformed, format!("--script: {name}: {error}")))?;
        options.script = Some(script);
    }

    let (end, ended) = mpsc::channel();
    let told = end.clone();
    let mut again = false;
    interrupt::handle(move |signal| {
        if signal == Signal::Continue {
            return;
        }
        // A second one does not wait for the server's orderly end.
        if std::mem::replace(&mut again, true) {
            process::exit(signal.status().code().into());
        }
        let _ = told.send(());
    })?;

    let mut server = Server::start(options)
        .map_err(|error| Failure::usage(format!("cannot start the server on port {}: {error}", args.port)))?;
    if let (Some(file), Some(ca)) = (&args.ca_out, server.ca_pem()) {
        fs::write(file, ca)
            .map_err(|error| Failure::usage(format!("--ca-out: cannot write {}: {error}", file.display())))?;
    }
    // Whoever started it waits for this line; the root certificate is there by now.
    let mut stdout = io::stdout();
    match writeln!(stdout, "{}", server.url()).and_then(|()| stdout.flush()) {
        Ok(()) => {}
        Err(error) => return Failure::output(&error).map_or(Ok(Status::Done), Err),
    }
    if args.until_stdin_closes {
        thread::spawn(move || {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            let _ = end.send(());
        });
    }
    let _ = ended.recv();
    server.stop();
    Ok(Status::Done)
}
