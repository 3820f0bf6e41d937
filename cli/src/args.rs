//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use chatnio_loopback::{Certificate, Generation};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

const STATUSES: &str = "\
Exit status:
  0    answered, or stopped as asked
  1    the output or the recording could not be written
  2    usage: the command line, the environment or a named file is wrong
  3    the server answered instead of the model (a notice: out of quota, unknown model, ...)
  4    no connection, or the answer was interrupted before its end
  5    a message or a transcript could not be read
  130  quit by Ctrl-C with nothing left to stop
  Of several turns the highest counts.";

const ENVIRONMENT: &str = "\
Environment (options go before it; empty counts as unset):
  CHATNIO_URL    the server; with a token and no URL: wss://api.chatnio.net
  CHATNIO_TOKEN  the API key or login token; with a URL and no token: asks as `anonymous`
  CHATNIO_MODEL  the model; otherwise gpt-3.5-turbo
  With neither URL nor token a loopback server inside this process answers, to try things out.";

const EXAMPLES: &str = "\
Examples:
  chatnio ask \"hi\"                        try it out, without any server
  CHATNIO_TOKEN=sk-... chatnio ask \"hi\"   ask api.chatnio.net
  git diff | chatnio ask -                the question from standard input
  chatnio chat --url wss://chat.example.com --model gpt-4
  chatnio replay --json session.txt
  chatnio serve --port 8094               a server on 127.0.0.1 to test against";

const COMMANDS: &str = "\
Lines (everything else is a question):
  /stop          stop the running answer, as Ctrl-C does
  /restart       answer the last question again
  /model [NAME]  show or change the model
  /help          show these lines
  /quit          quit, as Ctrl-D and, on an empty line, Ctrl-C do
  Lines typed while an answer runs wait for its end, but /stop stops it.";

/// Ask servers that speak the Chat Nio (CoAI) streaming chat protocol.
#[derive(Parser)]
#[command(
    name = "chatnio",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = format!("{EXAMPLES}\n\n{STATUSES}\n\n{ENVIRONMENT}"),
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
    #[command(after_help = format!("{STATUSES}\n\n{ENVIRONMENT}"))]
    Ask(AskArgs),
    /// Ask question after question, in one conversation.
    ///
    /// With standard input from a pipe its lines are taken as they come. What each answer has cost is said on
    /// standard error.
    #[command(after_help = format!("{COMMANDS}\n\n{STATUSES}\n\n{ENVIRONMENT}"))]
    Chat(ChatArgs),
    /// Play recorded transcripts through the client's own rules, without a network.
    #[command(after_help = STATUSES)]
    Replay(ReplayArgs),
    /// Play a server on 127.0.0.1; its URL is the first line on standard output.
    ///
    /// The model's name picks what it does: hello, slow, long-N (N pieces), unicode, latestart, cut, drop, garbage,
    /// silent, none, notice, err, err429, nosuch, paid, anon; any other name answers with a greeting. Any token but
    /// `anonymous` is good; anon and the greeting want none. It ends on Ctrl-C or SIGTERM.
    Serve(ServeArgs),
}

#[derive(Args)]
pub(crate) struct AskArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// Print events as JSON, one object a line
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Write what was sent and received to FILE, as a transcript without the token
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) record: Option<PathBuf>,
    /// The question; `-`, or none with a pipe, is standard input
    #[arg(value_name = "TEXT")]
    pub(crate) text: Option<String>,
}

#[derive(Args)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
}

/// Where to connect to, and how. What may hold a secret is taken as it is and checked later: an error of the parser
/// would repeat it.
#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// The server: wss://HOST[/PATH], ws://, https://, http://, or a bare HOST (= wss://)
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The API key or login token. Better CHATNIO_TOKEN: other users see command lines
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// Continue the conversation with this id
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub(crate) conversation: Option<i64>,
    /// Start from a shared conversation
    #[arg(long, value_name = "HASH")]
    pub(crate) share: Option<String>,
    /// Allow S seconds for each step: to connect, for each frame, after a stop, to close. Not for the whole answer
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// Trust the root certificates in FILE (PEM or DER) too
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Add a header to the WebSocket handshake; may be given again
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// Let the token go over ws:// to another machine, readable for everybody on the way
    #[arg(long)]
    pub(crate) allow_token_over_plain_ws: bool,
    /// Accept every certificate, so that anybody on the way can read and change everything
    #[arg(long)]
    pub(crate) dangerous_accept_any_certificate: bool,
}

/// What a question says beside its text.
#[derive(Args)]
#[command(next_help_heading = "Question")]
pub(crate) struct RequestArgs {
    /// The model; otherwise that of CHATNIO_MODEL, or gpt-3.5-turbo
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) model: Option<String>,
    /// Search the web first
    #[arg(long)]
    pub(crate) web: bool,
    /// Send at most N messages of the conversation to the model, the question included
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) context: Option<i64>,
    /// Answer without the conversation so far
    #[arg(long)]
    pub(crate) ignore_context: bool,
    /// The most tokens of an answer
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_tokens: Option<i64>,
    /// Sampling temperature
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) temperature: Option<f32>,
    /// Share of probability to sample from
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) top_p: Option<f32>,
    /// Sample from the N likeliest tokens
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) top_k: Option<i64>,
    /// Penalty on tokens that have occurred
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) presence_penalty: Option<f32>,
    /// Penalty on tokens by how often they have occurred
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) frequency_penalty: Option<f32>,
    /// Penalty on repetition
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) repetition_penalty: Option<f32>,
}

#[derive(Args)]
pub(crate) struct ReplayArgs {
    /// Print events as JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Transcripts
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// The TCP port; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
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
    #[arg(long, value_name = "X", default_value = "1", allow_negative_numbers = true, value_parser = pace)]
    pub(crate) pace: f64,
    /// Refuse more than N connections a second from one address; 0 refuses all
    #[arg(long, value_name = "N")]
    pub(crate) throttle: Option<u32>,
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
pub(crate) fn chat_help() -> &'static str {
    COMMANDS
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected seconds, such as 2.5".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        // Zero would switch the deadlines off.
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err("expected more than 0 seconds".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn pace(text: &str) -> Result<f64, String> {
    let expected = || "expected a number, 0 or more".to_owned();
    let pace: f64 = text.parse().map_err(|_| expected())?;
    if pace.is_finite() && pace >= 0.0 { Ok(pace) } else { Err(expected()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_parser_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn seconds_are_positive_decimals() {
        assert_eq!(seconds("2.5"), Ok(Duration::from_millis(2500)));
        for text in ["0", "-1", "1e-12", "NaN", "inf", "1e30", "", "2s"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pace_is_a_number() {
        assert_eq!(pace("0"), Ok(0.0));
        for text in ["-1", "NaN", "inf", "fast"] {
            assert!(pace(text).is_err(), "{text}");
        }
    }
}
