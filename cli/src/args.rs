//! The command line.

mod fault;
mod help;
mod parameters;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use chatnio_loopback::{Certificate, Generation};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::rest;
pub(crate) use fault::{CallFault, ServeFault};
use help::{COMMANDS, EXAMPLES, KEYS};
pub(crate) use help::{CONFIGURATION, ENVIRONMENT, STATUSES};
pub(crate) use parameters::Parameters;
pub(crate) use values::{duration, duration_or_never, size};

/// Ask servers that speak the Chat Nio (CoAI) streaming chat protocol.
#[derive(Parser)]
#[command(
    name = "chatnio",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = format!("{EXAMPLES}\n\n{STATUSES}\n\n{ENVIRONMENT}\n\n{CONFIGURATION}"),
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Ask one question and print the answer as it comes.
    ///
    /// The answer goes to standard output, everything else to standard error. Ctrl-C stops the answer, a second one
    /// quits.
    #[command(after_help = format!("{STATUSES}\n\n{ENVIRONMENT}\n\n{CONFIGURATION}"))]
    Ask(AskArgs),
    /// Ask question after question, in one conversation.
    ///
    /// With standard input from a pipe its lines are taken as they come. What each answer has cost is said on
    /// standard error.
    #[command(after_help = format!("{COMMANDS}\n\n{KEYS}\n\n{STATUSES}\n\n{ENVIRONMENT}\n\n{CONFIGURATION}"))]
    Chat(ChatArgs),
    #[command(flatten)]
    Rest(rest::Command),
    /// Play recorded transcripts through the client's own rules, without a network.
    #[command(after_help = STATUSES)]
    Replay(ReplayArgs),
    /// Play a server on 127.0.0.1; its URL is the first line on standard output.
    ///
    /// The model's name picks what it does: hello, slow, long-N (N pieces), unicode, latestart, cut, drop, garbage,
    /// silent, none, notice, err, err429, nosuch, paid, noprice, anon, think, tools, parameters, image-N (N characters), video; any
    /// other name answers with a greeting. Any token but `anonymous` is good; anon and the greeting want none. It ends on
    /// Ctrl-C or SIGTERM.
    Serve(ServeArgs),
    /// Print the completions of a shell.
    ///
    /// `make install-cli` installs those of bash, zsh and fish. By hand: chatnio completions bash >
    /// ~/.local/share/bash-completion/completions/chatnio
    Completions(CompletionsArgs),
    /// Write the manual pages, one a command, into a directory.
    Man(ManArgs),
}

#[derive(Args)]
pub(crate) struct AskArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) conversation: ConversationArgs,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
    /// Put an image into the question: a file (PNG, JPEG, GIF, WebP), or a URL for the server; may be given again
    #[arg(long, value_name = "FILE|URL", help_heading = "Question")]
    pub(crate) image: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// The question, its words joined by spaces. What standard input brings from a pipe or a file comes behind it;
    /// `-` reads it from a terminal too
    #[arg(value_name = "TEXT")]
    pub(crate) text: Vec<String>,
}

#[derive(Args)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) conversation: ConversationArgs,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Where to connect to, and how. What may hold a secret is taken as it is and checked later: an error of the parser
/// would repeat it.
#[derive(Args, Default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// The server: wss://HOST[/PATH], ws://, https://, http://, or a bare HOST (= wss://)
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The API key or login token. Better CHATNIO_TOKEN or the configuration: other users see command lines
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// Take this profile of the configuration
    #[arg(long, short, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Connect by this proxy: http://[USER:PASSWORD@]HOST:PORT, socks5:// or socks5h://; `none` is for no proxy.
    /// Otherwise that of the configuration, or of https_proxy, http_proxy, all_proxy and no_proxy, but not on the way to
    /// this machine itself
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Try to connect N times again where the server is busy or does not answer [default: 2]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::count::<u32>)]
    pub(crate) connect_retries: Option<u32>,
    /// Ping after S seconds of silence, so that a gateway that cuts silent connections leaves this one; 0 for never
    /// [default: 30]
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = values::seconds_or_never)]
    pub(crate) ping_after: Option<Duration>,
    /// Allow S seconds for each step: to connect, for each frame, after a stop, to close; and for a whole call
    /// (conversations, quota, ...), but not for a whole answer
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = values::seconds)]
    pub(crate) timeout: Option<Duration>,
    /// Trust the root certificates in FILE (PEM or DER) too
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Show the server the certificate in FILE (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of --cert (PEM); otherwise it is in the same file
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Add the secrets of TLS to FILE, for Wireshark: whoever has it can read everything. It is then for nobody else to
    /// read, unless it is a device or somebody else's
    #[arg(long, value_name = "FILE")]
    pub(crate) key_log: Option<PathBuf>,
    /// Add a header to the WebSocket handshake and to calls; may be given again
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// Let the token go over ws:// to another machine, the server's or a proxy's, readable for everybody on the way
    #[arg(long)]
    pub(crate) allow_token_over_plain_ws: bool,
    /// Accept every certificate, so that anybody on the way can read and change everything
    #[arg(long)]
    pub(crate) dangerous_accept_any_certificate: bool,
}

/// In which conversation to ask.
#[derive(Args, Default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConversationArgs {
    /// Go on in the last conversation with this server
    #[arg(long = "continue", short = 'c', conflicts_with_all = ["conversation", "share"])]
    pub(crate) last: bool,
    /// Go on in the conversation with this id
    #[arg(long, value_name = "ID", allow_negative_numbers = true, value_parser = values::whole::<i64>,
        conflicts_with = "share")]
    pub(crate) conversation: Option<i64>,
    /// Begin a new conversation with what a shared one says
    #[arg(long, value_name = "HASH")]
    pub(crate) share: Option<String>,
}

/// What a question says beside its text.
#[derive(Args, Default)]
#[command(next_help_heading = "Question")]
pub(crate) struct QuestionArgs {
    /// The model; otherwise that of CHATNIO_MODEL, of the configuration, or gpt-3.5-turbo
    #[arg(long, short, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) model: Option<String>,
    /// Begin the conversation with this system prompt
    #[arg(long, short, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    /// Allow S seconds for a whole answer, from its question on; then it is stopped
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = values::seconds)]
    pub(crate) answer_within: Option<Duration>,
    /// The longest message to take from the server, in bytes (K, M, G) [default: 32M]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_message: Option<usize>,
    /// The longest message to send, in bytes (K, M, G): a question with its parameters, and the one before it, which
    /// brings the token [default: 8M]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_question: Option<usize>,
    #[command(flatten)]
    pub(crate) parameters: Parameters,
}

#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print events as JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the answer as it is, also on a terminal: Markdown is shown there otherwise
    #[arg(long)]
    pub(crate) plain: bool,
    /// Write what was sent and received to FILE, as a transcript without the token. `-` is standard output, instead of
    /// the answer. Each connection has a file: the second one's is FILE.2. Files that are there are written anew, and are
    /// then for nobody else to read, unless they are devices or somebody else's
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ReplayArgs {
    /// Print events as JSON, one object a line
    #[arg(long, conflicts_with_all = ["trace", "html"])]
    pub(crate) json: bool,
    /// Print each frame, what the client was doing, what came of it, and why
    #[arg(long)]
    pub(crate) trace: bool,
    /// Print that as a web page to click through, which needs nothing else: replay --html FILE > FILE.html
    #[arg(long)]
    pub(crate) html: bool,
    /// Transcripts; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Args)]
pub(crate) struct ManArgs {
    /// The directory; it is made if there is none
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// The TCP port; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = values::count::<u16>)]
    pub(crate) port: u16,
    /// The generation of servers to play: 2023-11, 2024-03 or 2026-03
    #[arg(long, value_name = "G", default_value_t)]
    pub(crate) generation: Generation,
    /// Serve wss:// with a certificate made at start
    #[arg(long)]
    pub(crate) tls: bool,
    /// What that certificate is worth
    #[arg(long, value_enum, value_name = "KIND", default_value_t, requires = "tls")]
    pub(crate) certificate: CertificateKind,
    /// Write the root certificate to trust to FILE, in PEM
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) ca_out: Option<PathBuf>,
    /// Play back the transcript in FILE instead of models; a question that it does not answer ends
    /// the connection
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
    /// Multiply the models' pauses by X; 0 answers as fast as possible
    #[arg(long, value_name = "X", default_value = "1", allow_negative_numbers = true, value_parser = values::pace)]
    pub(crate) pace: f64,
    /// Refuse more than N connections a second from one address; 0 refuses all
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::count::<u32>)]
    pub(crate) throttle: Option<u32>,
    /// Go wrong in this way: `list` prints all. Those of the companion calls (conversations, quota, ...) may be given
    /// together; one of the chat's is all that the server does, plain or with --tls. `all` serves each of the chat's at a
    /// port of its own, and prints where, with what a client is to make of it: tab-separated, up to an empty line
    #[arg(long, value_name = "NAME", value_parser = fault::parse)]
    pub(crate) fault: Vec<ServeFault>,
    /// Write each request that comes to FILE, one a line, as the client wrote it; no tokens
    #[arg(long, value_name = "FILE")]
    pub(crate) requests: Option<PathBuf>,
    /// Write each request that is another than the script's to FILE, in words that say how
    #[arg(long, value_name = "FILE", requires = "script")]
    pub(crate) differences: Option<PathBuf>,
    /// Serve the files in DIR over HTTP beside the chat, for a web page that chats
    #[arg(long, value_name = "DIR")]
    pub(crate) www: Option<PathBuf>,
    /// End when standard input is closed too, so that a parent process owns the server
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum CertificateKind {
    /// Good for localhost and 127.0.0.1
    #[default]
    Valid,
    /// Its time is over
    Expired,
    /// Good only for another name
    WrongName,
}

impl From<CertificateKind> for Certificate {
    fn from(kind: CertificateKind) -> Self {
        match kind {
            CertificateKind::Valid => Certificate::Valid,
            CertificateKind::Expired => Certificate::Expired,
            CertificateKind::WrongName => Certificate::WrongName,
        }
    }
}

/// What `/help` shows.
pub(crate) fn chat_help() -> String {
    format!("{COMMANDS}\n{KEYS}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_parser_is_sound() {
        Cli::command().debug_assert();
    }
}
