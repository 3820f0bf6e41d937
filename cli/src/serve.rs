//! `chatnio serve`: the loopback server as a process of its own.

mod fault;
mod www;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use chatnio_loopback::faults::{self, FaultServer, Got, Row};
use chatnio_loopback::{Hearer, Options, Script, Server};

use crate::args::{ServeArgs, ServeFault};
use crate::interrupt::{self, Signal};
use crate::status::{Failure, Status};
use crate::words;

/// A server that runs.
enum Running {
    Server(Server),
    Faulty(FaultServer),
    /// One for each row of the table of faults.
    All(Vec<(Row, FaultServer)>),
}

impl Running {
    fn all() -> io::Result<Self> {
        let rows = faults::rows().into_iter();
        let served = rows.map(|row| FaultServer::start(&row.fault, row.tls).map(|server| (row, server)));
        Ok(Self::All(served.collect::<io::Result<_>>()?))
    }

    /// What those read who have started it: a line with the URL, or of all faults where each is and what is to come of it,
    /// and then an empty line. Behind the names of those columns stands how many rows follow, so that nobody reads fewer.
    fn announcement(&self) -> String {
        match self {
            Self::Server(server) => server.url() + "\n",
            Self::Faulty(server) => server.url() + "\n",
            Self::All(served) => {
                let rows = served.iter().map(|(row, server)| cells(row, server.url()).join("\t") + "\n");
                format!("{}\t{}\n{}\n", COLUMNS.join("\t"), served.len(), rows.collect::<String>())
            }
        }
    }

    fn ca_pem(&self) -> Option<&str> {
        match self {
            Self::Server(server) => server.ca_pem(),
            Self::Faulty(server) => server.ca_pem(),
            Self::All(served) => served.iter().find_map(|(_, server)| server.ca_pem()),
        }
    }

    fn stop(&mut self) {
        match self {
            Self::Server(server) => server.stop(),
            Self::Faulty(server) => server.stop(),
            Self::All(served) => served.iter_mut().for_each(|(_, server)| server.stop()),
        }
    }
}

/// The columns of the table of all faults.
const COLUMNS: [&str; 12] =
    ["fault", "over", "url", "by", "limit", "others", "least", "most", "status", "text", "second", "second_text"];

/// A row's cells: times in milliseconds.
fn cells(row: &Row, url: String) -> [String; COLUMNS.len()] {
    let over = if row.tls { "tls" } else { "plain" };
    let limits = [row.limit(&row.by), row.limit(""), row.least(), row.most()];
    let [limit, others, least, most] = limits.map(|time| time.as_millis().to_string());
    let Got { status, text } = row.first.clone();
    let none = || Got { status: "-".to_owned(), text: String::new() };
    let second = row.second.clone().unwrap_or_else(none);
    let (fault, by) = (row.fault.name.clone(), row.by.clone());
    [fault, over.to_owned(), url, by, limit, others, least, most, status, text, second.status, second.text]
}

pub(crate) fn run(args: &ServeArgs) -> Result<Status, Failure> {
    if args.fault.iter().any(|fault| matches!(fault, ServeFault::List)) {
        return fault::list();
    }
    fault::check(args)?;
    let chat_fault = args.fault.iter().find_map(|fault| match fault {
        ServeFault::Chat(fault) => Some(fault),
        _ => None,
    });
    let mut options = Options::new(args.generation);
    options.port = args.port;
    options.pace = args.pace;
    options.throttle = args.throttle;
    let calls = args.fault.iter().filter_map(|fault| match fault {
        ServeFault::Calls(kind) => Some((*kind).into()),
        _ => None,
    });
    options.faults = calls.collect();
    options.tls = args.tls.then(|| args.certificate.into());
    if let Some(file) = &args.script {
        let name = file.display();
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("--script: cannot read {name}: {}", words::system(&error))))?;
        let script: Script =
            text.parse().map_err(|error| Failure::new(Status::Malformed, format!("--script: {name}: {error}")))?;
        options.script = Some(script);
    }
    if let Some(folder) = &args.www {
        if !folder.is_dir() {
            return Err(Failure::usage(format!("--www: {} is no folder", folder.display())));
        }
        options.pages = Some(www::pages(folder.clone()));
    }

    options.hearer = hearer(args, options.script.as_ref())?;

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

    let started = match chat_fault {
        _ if args.fault.iter().any(|fault| matches!(fault, ServeFault::All)) => Running::all(),
        Some(fault) => FaultServer::start_on(args.port, fault, args.tls).map(Running::Faulty),
        None => Server::start(options).map(Running::Server),
    };
    let mut server = started.map_err(|error| {
        Failure::usage(format!("cannot start the server on port {}: {}", args.port, words::system(&error)))
    })?;
    if let (Some(file), Some(ca)) = (&args.ca_out, server.ca_pem()) {
        fs::write(file, ca).map_err(|error| {
            Failure::usage(format!("--ca-out: cannot write {}: {}", file.display(), words::system(&error)))
        })?;
    }
    // Whoever started it waits for this; the root certificate is there by now.
    let mut stdout = io::stdout();
    match stdout.write_all(server.announcement().as_bytes()).and_then(|()| stdout.flush()) {
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

/// What takes note of the requests that come.
fn hearer(args: &ServeArgs, script: Option<&Script>) -> Result<Option<Hearer>, Failure> {
    let requests = args.requests.as_deref().map(|path| Notes::create("--requests", path)).transpose()?;
    let differences = args.differences.as_deref().map(|path| Notes::create("--differences", path)).transpose()?;
    if requests.is_none() && differences.is_none() {
        return Ok(None);
    }
    let expectation = script.map(Script::expectation);
    let taken = Mutex::new((requests, differences.zip(expectation)));
    Ok(Some(Arc::new(move |connection, request: &str| {
        let (requests, differences) = &mut *taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(requests) = requests {
            // One line, whatever white space is in it.
            requests.write(&request.replace(['\r', '\n'], " "));
        }
        if let Some((differences, expectation)) = differences
            && let Err(difference) = expectation.hear(connection, request)
        {
            differences.write(&difference.to_string());
        }
    })))
}

/// A file that is written to while the server runs.
struct Notes(fs::File);

impl Notes {
    fn create(option: &str, path: &Path) -> Result<Self, Failure> {
        let file = fs::File::create(path).map_err(|error| {
            Failure::usage(format!("{option}: cannot write {}: {}", path.display(), words::system(&error)))
        })?;
        Ok(Self(file))
    }

    /// Adds a line, at once: whoever has a request's answer reads it here.
    fn write(&mut self, line: &str) {
        // A full disk is not the clients' fault.
        let _ = self.0.write_all(format!("{line}\n").as_bytes());
    }
}
