//! What is compared with what.

use std::io;
use std::process::Command;

use crate::contender::Contender;
use crate::contenders::{self, Input};
use crate::messages::Shape;
use crate::world::World;

/// Contenders that do the same. The first is the reference: the others' ratios are to it.
pub struct Group {
    /// A short name, for files.
    pub id: &'static str,
    /// For people.
    pub title: &'static str,
    /// What they work on.
    pub task: Task,
    /// Who they are.
    pub rows: Vec<Row>,
}

/// What the contenders of a group work on.
#[derive(Debug, Clone, Copy)]
pub enum Task {
    /// Messages in memory.
    Memory(Shape),
    /// The answer of the firehose.
    Socket {
        /// Its chunks.
        shape: Shape,
        /// Whether over TLS.
        is_tls: bool,
    },
}

/// A contender in a group.
pub struct Row {
    /// For people.
    pub title: &'static str,
    /// Who does it.
    pub who: Who,
    /// Whether it is this library.
    pub is_ours: bool,
    /// How much of the reference's time it may take.
    pub goal: Option<f64>,
}

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// What [`contenders::named`] knows.
    Rust(&'static str),
    /// A program in the folder of programs, built by `benches/programs`.
    Program(&'static str),
    /// The official package of npm.
    Npm,
}

impl Task {
    /// What a contender is given.
    pub fn input(self, world: &World) -> Input {
        match self {
            Task::Memory(shape) => world.in_memory(shape),
            Task::Socket { shape, is_tls } => world.over_socket(shape, is_tls),
        }
    }
}

impl Row {
    /// Somebody else's.
    pub fn peer(title: &'static str, who: Who) -> Self {
        Row { title, who, is_ours: false, goal: None }
    }

    /// This library's.
    fn ours(title: &'static str, who: Who) -> Self {
        Row { title, who, is_ours: true, goal: None }
    }

    fn at_most(mut self, goal: f64) -> Self {
        self.goal = Some(goal);
        self
    }

    /// The contender itself, ready to work; `None` when it is not installed here.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, task: Task, world: &World) -> io::Result<Option<Contender>> {
        if let (Who::Rust(name), Task::Memory(_)) = (self.who, task) {
            return Ok(contenders::named(name, &task.input(world)));
        }
        // Over a socket each is a process: so its memory can be told.
        self.command(&task.input(world), world)?.map(Contender::apart).transpose()
    }

    /// The contender as a command; `None` when it is not installed here.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn command(&self, input: &Input, world: &World) -> io::Result<Option<Command>> {
        let mut command = match self.who {
            Who::Rust(name) => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["contender", name, "--shape", input.shape.name(), "--chunks"]);
                command.arg(input.chunks.to_string()).args(["--url", &input.url]);
                if input.ca.is_some() {
                    command.arg("--ca").arg(world.ca_file());
                }
                return Ok(Some(command));
            }
            Who::Program(name) => {
                let program = world.folder.join(name);
                if !program.exists() {
                    return Ok(None);
                }
                Command::new(program)
            }
            Who::Npm => {
                let folder = world.folder.join("npm");
                if !folder.join("node_modules").exists() {
                    return Ok(None);
                }
                let mut command = Command::new("node");
                command.arg(folder.join("contender.mjs"));
                command
            }
        };
        match &*input.url {
            "" => command.arg(world.messages(input.shape)?),
            url => command.args([url, input.shape.name()]),
        };
        command.arg(input.chunks.to_string());
        if input.ca.is_some() {
            let ca = world.ca_file();
            command.env("NODE_EXTRA_CA_CERTS", &ca).env("SSL_CERT_FILE", &ca).arg(ca);
        }
        Ok(Some(command))
    }
}

/// Every group.
pub fn all() -> Vec<Group> {
    use Who::{Npm, Program, Rust};
    let decoders = |id, title, shape, session: f64| Group {
        id,
        title,
        task: Task::Memory(shape),
        rows: vec![
            Row::peer("serde_json, typed and borrowing", Rust("serde_json")),
            Row::ours("`Chunk::decode`", Rust("decode")),
            Row::ours("`Session::receive`", Rust("session")).at_most(session),
            Row::ours("C `chatnio_session_receive`, static", Program("session-static")),
            Row::peer("serde_json, into a `Value`", Rust("serde_json-value")),
            Row::peer("sonic-rs, typed", Rust("sonic-rs")),
            Row::peer("simd-json, typed", Rust("simd-json")),
            Row::peer("cJSON", Program("cjson")),
            Row::peer("jansson", Program("jansson")),
            Row::peer("encoding/json (Go)", Program("go-decode")),
        ],
    };
    vec![
        decoders("decode-usual", "Decoding: a usual chunk of 97 bytes", Shape::Usual, 0.20),
        decoders("decode-newline", "Decoding: 97 bytes with `\\n`", Shape::Newline, 0.40),
        decoders("decode-escape", "Decoding: 97 bytes with `\\u003c`", Shape::Escape, 0.40),
        decoders("decode-multi-byte", "Decoding: 97 bytes with Chinese", Shape::MultiByte, 0.40),
        decoders("decode-code", "Decoding: 4 KiB of code full of escapes", Shape::Code, 0.60),
        Group {
            id: "decode-ascii",
            title: "Decoding: 4 KiB of ASCII",
            task: Task::Memory(Shape::Ascii),
            rows: vec![
                Row::peer("UTF-8 check and a copy into the same buffer", Rust("check-and-copy")),
                Row::ours("`Chunk::decode`", Rust("decode")).at_most(1.5),
                Row::ours("`Session::receive`", Rust("session")),
                Row::ours("C `chatnio_session_receive`, static", Program("session-static")),
                Row::peer("serde_json, typed and borrowing", Rust("serde_json")),
                Row::peer("sonic-rs, typed", Rust("sonic-rs")),
                Row::peer("simd-json, typed", Rust("simd-json")),
                Row::peer("cJSON", Program("cjson")),
                Row::peer("jansson", Program("jansson")),
                Row::peer("encoding/json (Go)", Program("go-decode")),
            ],
        },
        Group {
            id: "c",
            title: "Through C: a usual chunk",
            task: Task::Memory(Shape::Usual),
            rows: vec![
                Row::ours("`from_utf8` and Rust's `Session::receive`", Rust("session-bytes")),
                Row::ours("`chatnio_session_receive`, static", Program("session-static")).at_most(1.25),
                Row::ours("`chatnio_session_receive`, shared", Program("session-shared")).at_most(1.25),
                Row::ours("the same, of the session-only library", Program("session-small")),
            ],
        },
        Group {
            id: "turn",
            title: "A turn without chunks: the question encoded, the end decoded",
            task: Task::Memory(Shape::Usual),
            rows: vec![
                Row::peer("serde_json, both", Rust("turn-serde_json")),
                Row::ours("`Session::request`, `poll_transmit`, `receive`", Rust("turn")),
            ],
        },
        Group {
            id: "connection",
            title: "WebSocket in memory, 64 KiB at once",
            task: Task::Memory(Shape::Usual),
            rows: vec![
                Row::peer("tungstenite, 128 KiB buffer, no decoding", Rust("tungstenite-memory")),
                Row::ours("`Connection`, events", Rust("connection")),
            ],
        },
        Group {
            id: "connection-small",
            title: "WebSocket in memory, a frame at once",
            task: Task::Memory(Shape::Usual),
            rows: vec![
                Row::peer("tungstenite, 4 KiB buffer, no decoding", Rust("tungstenite-memory-small")),
                Row::ours("`Connection`, events", Rust("connection-small")),
            ],
        },
        Group {
            id: "socket",
            title: "Over TCP",
            task: Task::Socket { shape: Shape::Usual, is_tls: false },
            rows: vec![
                Row::peer("tungstenite, 128 KiB buffer, no decoding", Rust("tungstenite")),
                Row::ours("`Client::next`", Rust("client")).at_most(1.1),
                Row::ours("`Client` pieces", Rust("client-pieces")).at_most(1.1),
                Row::ours("C `chatnio_client_next`, static", Program("client-static")),
                Row::peer("(the bytes, received and thrown away)", Rust("bytes")),
                Row::peer("the Go SDK's loop: gorilla and encoding/json", Program("go-socket")),
                Row::peer("`chatnio` of npm, over `ws`", Npm),
            ],
        },
        // Its reference is this library's, too: what the last layer adds is the question.
        Group {
            id: "swift",
            title: "Swift, over TCP",
            task: Task::Socket { shape: Shape::Usual, is_tls: false },
            rows: vec![
                Row::ours("C `chatnio_client_next`, static", Program("client-static")),
                Row::ours("`Client`, pieces", Program("client-swift")).at_most(2.0),
            ],
        },
        Group {
            id: "tls",
            title: "Over TLS, in records of 16 KiB",
            task: Task::Socket { shape: Shape::Usual, is_tls: true },
            rows: vec![
                Row::peer("tungstenite over rustls, 128 KiB buffer, no decoding", Rust("tungstenite")),
                Row::ours("`Client::next`", Rust("client")).at_most(1.3),
                Row::ours("`Client` pieces", Rust("client-pieces")).at_most(1.3),
                Row::ours("C `chatnio_client_next`, static", Program("client-static")),
                Row::peer("the Go SDK's loop: gorilla and encoding/json", Program("go-socket")),
                Row::peer("`chatnio` of npm, over `ws`", Npm),
            ],
        },
    ]
}
