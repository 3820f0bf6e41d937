//! Running the command, bounded: whatever hangs is ended and fails its test.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use chatnio_loopback::{Generation, Options, Plan, Server};

/// A key that servers accept.
pub(crate) const KEY: &str = "sk-0123456789abcdef";

/// The longest that anything here may take; only a failure needs it.
const LIMIT: Duration = Duration::from_secs(60);

/// The command with these arguments, without a terminal and without the environment of whoever runs the tests.
pub(crate) fn chatnio<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    take_signals_over();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatnio"));
    command.args(arguments);
    let names = [
        ["CHATNIO_URL", "CHATNIO_TOKEN", "CHATNIO_MODEL", "CHATNIO_PROFILE", "CHATNIO_CONFIG", "NO_COLOR"].as_slice(),
        &["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"],
    ];
    for name in names.concat() {
        command.env_remove(name);
    }
    // Nobody's own configuration and history.
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("chatnio-cli");
    command.env("HOME", &home).env("XDG_CONFIG_HOME", home.join("config")).env("XDG_STATE_HOME", home.join("state"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Shells have what runs in the background ignore Ctrl-C and Ctrl-\, `nohup` has it ignore SIGHUP, and so would the command then. A
/// signal that is handled here is none that is ignored there.
fn take_signals_over() {
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT};
        use std::sync::{Arc, Once};

        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // Where it is not ignored it ends the tests, as it does otherwise.
            let take = |signal| signal_hook::flag::register(signal, Arc::default()).expect("it can be handled");
            if ctrlc::try_set_handler(|| std::process::exit(130)).is_err() {
                take(SIGINT);
            }
            take(SIGHUP);
            take(SIGQUIT);
        });
    }
}

/// `chatnio ask` to this server with a key, a model and the question `hi`.
pub(crate) fn ask(server: &Server, model: &str) -> Command {
    chatnio(["ask", "--url", &server.url(), "--token", KEY, "--model", model, "hi"])
}

/// What a command that has ended has left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Checks the status, and shows everything when it is another.
    #[track_caller]
    pub(crate) fn with(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:#?}");
        self
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    Running::start(command).end()
}

/// Runs a command to its end, with this on standard input.
pub(crate) fn run_with(command: &mut Command, input: &[u8]) -> Ended {
    let mut running = Running::start(command.stdin(Stdio::piped()));
    running.write(input);
    running.end()
}

/// A command that runs.
pub(crate) struct Running {
    child: Child,
    stdin: Option<Box<dyn Write>>,
    stdout: Stream,
    stderr: Stream,
    /// The near side of its terminal, if it runs on one.
    #[cfg(target_os = "linux")]
    terminal: Option<std::fs::File>,
}

/// One of its outputs, read by a thread.
struct Stream {
    pieces: Receiver<Vec<u8>>,
    text: Vec<u8>,
    /// How much of the text was waited for.
    seen: usize,
}

impl Stream {
    fn new(source: Option<impl Read + Send + 'static>) -> Self {
        let (sender, pieces) = mpsc::channel();
        if let Some(mut source) = source {
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(n @ 1..) = source.read(&mut buffer) {
                    if sender.send(buffer[..n].to_vec()).is_err() {
                        return;
                    }
                }
            });
        }
        Stream { pieces, text: Vec::new(), seen: 0 }
    }

    /// Waits for more; whether there is any.
    fn more(&mut self) -> Result<bool, &'static str> {
        match self.pieces.recv_timeout(LIMIT) {
            Ok(piece) => {
                self.text.extend(piece);
                Ok(true)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Ok(false),
            Err(mpsc::RecvTimeoutError::Timeout) => Err("it hangs"),
        }
    }

    /// Waits for `text` behind what was waited for before.
    fn until(&mut self, text: &str) -> Result<(), &'static str> {
        loop {
            let rest = &self.text[self.seen..];
            if let Some(at) = rest.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.seen += at + text.len();
                return Ok(());
            }
            if !self.more()? {
                return Err("it ended before");
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.text.clone()).expect("it says only UTF-8")
    }
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the command starts");
        Running {
            stdin: child.stdin.take().map(|stdin| Box::new(stdin) as Box<dyn Write>),
            stdout: Stream::new(child.stdout.take()),
            stderr: Stream::new(child.stderr.take()),
            child,
            #[cfg(target_os = "linux")]
            terminal: None,
        }
    }

    /// Starts it without reading its stdout, which is returned.
    pub(crate) fn start_unread(command: &mut Command) -> (Self, impl Read + use<>) {
        let mut child = command.spawn().expect("the command starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let running = Running {
            stdin: child.stdin.take().map(|stdin| Box::new(stdin) as Box<dyn Write>),
            stdout: Stream::new(None::<io::Empty>),
            stderr: Stream::new(child.stderr.take()),
            child,
            #[cfg(target_os = "linux")]
            terminal: None,
        };
        (running, stdout)
    }

    /// Starts it on a terminal, which takes all that it says.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_on_terminal(mut command: Command) -> Self {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        use std::fs::File;

        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there is a free terminal");
        grantpt(&near).and_then(|()| unlockpt(&near)).expect("it can be used");
        let name = ptsname(&near, Vec::new()).expect("it has a name");
        let far = File::options().read(true).write(true).open(name.to_str().unwrap()).expect("it can be opened");
        let near = File::from(near);
        let clone = |file: &File| file.try_clone().expect("it can be cloned");
        if command.get_envs().all(|(name, _)| name != "TERM") {
            command.env("TERM", "xterm");
        }
        command.stdin(clone(&far)).stdout(clone(&far)).stderr(far);
        let child = command.spawn().expect("the command starts");
        // The command's own ends: the terminal is at its end when the child's are closed.
        drop(command);
        Running {
            stdin: Some(Box::new(clone(&near))),
            terminal: Some(clone(&near)),
            stdout: Stream::new(Some(near)),
            stderr: Stream::new(None::<io::Empty>),
            child,
        }
    }

    /// The modes of its terminal, as text.
    #[cfg(target_os = "linux")]
    pub(crate) fn terminal_modes(&self) -> String {
        let modes = rustix::termios::tcgetattr(self.terminal.as_ref().expect("it runs on a terminal"));
        format!("{:?}", modes.expect("a terminal has modes"))
    }

    /// Waits until its stdout is closed.
    #[cfg(target_os = "linux")]
    pub(crate) fn stdout_end(&mut self) {
        while self.stdout.more().expect("it ends") {}
    }

    /// Waits until it has written `text` to stdout, behind what was waited for before; returns all that it has
    /// written.
    #[track_caller]
    pub(crate) fn stdout_until(&mut self, text: &str) -> String {
        let found = self.stdout.until(text);
        assert_eq!(found, Ok(()), "waiting for {text:?} after {:?}", self.stdout.text());
        self.stdout.text()
    }

    /// The same for stderr.
    #[track_caller]
    pub(crate) fn stderr_until(&mut self, text: &str) -> String {
        let found = self.stderr.until(text);
        assert_eq!(found, Ok(()), "waiting for {text:?} after {:?}", self.stderr.text());
        self.stderr.text()
    }

    /// Writes to its standard input. It may have ended without reading it.
    pub(crate) fn write(&mut self, input: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is piped and open");
        let _ = stdin.write_all(input).and_then(|()| stdin.flush());
    }

    /// Closes its standard input.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends it a signal, by name.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().expect("there is a kill command");
        assert!(sent.success());
    }

    /// Stops it, as Ctrl-Z does, and has it go on.
    #[cfg(target_os = "linux")]
    pub(crate) fn stop_and_go_on(&self) {
        let stat = format!("/proc/{}/stat", self.child.id());
        // The state stands behind the name.
        let is_stopped = || fs::read_to_string(&stat).expect("it runs").contains(") T ");
        self.signal("STOP");
        wait_until(is_stopped);
        self.signal("CONT");
        wait_until(|| !is_stopped());
    }

    /// Closes its standard input and waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        self.stdin = None;
        for stream in [&mut self.stdout, &mut self.stderr] {
            while stream.more().expect("it ends") {}
        }
        // Both streams are at their end, so the process is about to be.
        let status = self.child.wait().expect("it can be waited for").code();
        Ended { status, stdout: self.stdout.text(), stderr: self.stderr.text() }
    }
}

/// Whatever runs still when its test has failed is not left behind.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a server, which cannot call back, says that something has happened.
#[track_caller]
pub(crate) fn wait_until(happened: impl Fn() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < LIMIT, "it does not happen");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A server of the newest generation.
pub(crate) fn server() -> Server {
    server_with(Options::default())
}

pub(crate) fn server_with(options: Options) -> Server {
    Server::start(options).expect("the server starts")
}

/// A server whose model `gated` sends `first` and then, unless it is stopped, nothing for an hour.
pub(crate) fn gated(generation: Generation) -> Server {
    let mut options = Options::new(generation);
    let mut plan = Plan::text(Duration::ZERO, ["first", "never"]);
    plan.pieces[1].0 = Duration::from_secs(3600);
    options.plans.insert("gated".to_owned(), plan);
    server_with(options)
}

/// The URL of a relay to the server, which hands the second connection over to `second` instead.
pub(crate) fn relay(server: &Server, mut second: impl FnMut(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let server = server.url().trim_start_matches("ws://").trim_end_matches("/chat").to_owned();
    thread::spawn(move || {
        for (number, near) in listener.incoming().enumerate() {
            let near = near.unwrap();
            if number == 1 {
                second(near);
                continue;
            }
            let far = TcpStream::connect(&server).unwrap();
            for (mut from, mut to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    url
}

/// A directory of a test's own, removed at its end.
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// `name` is the test's.
    pub(crate) fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("chatnio-cli-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("the directory can be made");
        Directory(path)
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("the path is UTF-8").to_owned()
    }

    /// Writes a file in it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let file = self.file(name);
        fs::write(&file, content).expect("the file can be written");
        file
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A file of the project.
pub(crate) fn project_file(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}
