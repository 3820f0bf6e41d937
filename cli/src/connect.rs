//! From options and environment to a connected client.

use std::env;
use std::time::Duration;

use chatnio::{Auth, Client, Connection, ConnectionConfig, Endpoint, Request, TlsOptions};
use chatnio_loopback::{Options, Server};

use crate::args::{ConnectionArgs, RequestArgs};
use crate::output::say;
use crate::status::Failure;

/// Where a token without a URL is good for.
const PUBLIC_SERVER: &str = "wss://api.chatnio.net";

/// The token for the embedded server, which takes any.
const EMBEDDED_TOKEN: &str = "sk-loopback";

const DEFAULT_MODEL: &str = "gpt-3.5-turbo";

/// Whom to ask, and as whom: everything that options and environment say, checked.
pub(crate) struct Target {
    /// `None` until the embedded server has been started.
    endpoint: Option<Endpoint>,
    auth: Auth,
    config: ConnectionConfig,
    /// Stops when it is dropped.
    embedded: Option<Server>,
}

impl Target {
    /// Takes the options, and the environment where they leave something out. Nothing is started yet.
    pub(crate) fn new(args: &ConnectionArgs) -> Result<Self, Failure> {
        let url = or_environment(args.url.as_ref(), "CHATNIO_URL")?;
        let token = or_environment(args.token.as_ref(), "CHATNIO_TOKEN")?;
        let (endpoint, mut auth) = whom(url.as_deref(), token)?;
        if let Some(id) = args.conversation {
            auth = auth.conversation(id);
        }
        if let Some(hash) = &args.share {
            auth = auth.share(hash.as_str());
        }
        Ok(Target { endpoint, auth, config: config(args)?, embedded: None })
    }

    /// Keeps what is sent and received.
    pub(crate) fn record(&mut self) {
        self.config.record = true;
    }

    /// Finds out what would be refused, before anything is started or connected.
    pub(crate) fn check(&self, request: Option<&Request>) -> Result<(), Failure> {
        let endpoint = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => parse_url("ws://127.0.0.1")?,
        };
        let mut connection = Connection::new(&endpoint, self.auth.clone(), &self.config, Duration::ZERO)?;
        if let Some(request) = request {
            connection.request(Duration::ZERO, request)?;
        }
        Ok(())
    }

    /// Connects; to the embedded server, started now, when there is no other.
    pub(crate) fn connect(&mut self) -> Result<Client, Failure> {
        let url = match &self.endpoint {
            Some(endpoint) => endpoint.to_string(),
            None => {
                let server = Server::start(Options::default())
                    .map_err(|error| Failure::usage(format!("cannot start the embedded loopback server: {error}")))?;
                let url = server.url();
                say("note", &format!("no URL and no token: asking the embedded loopback server at {url}"));
                self.endpoint = Some(parse_url(&url)?);
                self.embedded = Some(server);
                url
            }
        };
        Ok(Client::connect(&url, self.auth.clone(), &self.config)?)
    }

    /// Where it connects to; `None` before the embedded server has started.
    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }
}

/// Where to ask and as whom; without an endpoint it is the embedded server.
fn whom(url: Option<&str>, token: Option<String>) -> Result<(Option<Endpoint>, Auth), Failure> {
    Ok(match (url, token) {
        (Some(url), Some(token)) => (Some(parse_url(url)?), Auth::new(token)),
        (Some(url), None) => (Some(parse_url(url)?), Auth::anonymous()),
        (None, Some(token)) => (Some(parse_url(PUBLIC_SERVER)?), Auth::new(token)),
        (None, None) => (None, Auth::new(EMBEDDED_TOKEN)),
    })
}

/// The model to ask, from option or environment.
pub(crate) fn model(args: &RequestArgs) -> Result<String, Failure> {
    Ok(or_environment(args.model.as_ref(), "CHATNIO_MODEL")?.unwrap_or_else(|| DEFAULT_MODEL.to_owned()))
}

/// Adds what the options say to a question.
pub(crate) fn with_parameters(mut request: Request, args: &RequestArgs, model: &str) -> Request {
    request = request.model(model);
    if args.web {
        request = request.web(true);
    }
    if args.ignore_context {
        request = request.ignore_context(true);
    }
    if let Some(messages) = args.context {
        request = request.context(messages);
    }
    if let Some(tokens) = args.max_tokens {
        request = request.max_tokens(tokens);
    }
    if let Some(value) = args.temperature {
        request = request.temperature(value);
    }
    if let Some(value) = args.top_p {
        request = request.top_p(value);
    }
    if let Some(k) = args.top_k {
        request = request.top_k(k);
    }
    if let Some(value) = args.presence_penalty {
        request = request.presence_penalty(value);
    }
    if let Some(value) = args.frequency_penalty {
        request = request.frequency_penalty(value);
    }
    if let Some(value) = args.repetition_penalty {
        request = request.repetition_penalty(value);
    }
    request
}

fn config(args: &ConnectionArgs) -> Result<ConnectionConfig, Failure> {
    let mut config = ConnectionConfig::default();
    if let Some(timeout) = args.timeout {
        config.connect = timeout;
        config.handshake = timeout;
        config.session.first_frame = timeout;
        config.session.next_frame = timeout;
        config.session.after_stop = timeout;
        config.pong_within = timeout;
        config.close = timeout;
    }
    let mut tls = TlsOptions::new();
    if let Some(file) = &args.ca_file {
        tls = tls.root_file(file).map_err(|error| Failure::usage(format!("--ca-file: {error}")))?;
    }
    if args.dangerous_accept_any_certificate {
        tls = tls.dangerous_accept_any_certificate();
    }
    config.tls = tls.build().map_err(|error| Failure::usage(error.to_string()))?;
    for header in &args.header {
        // The text is not repeated in the error: it may hold a secret.
        let (name, value) =
            header.split_once(':').ok_or_else(|| Failure::usage("--header: expected NAME: VALUE, with a colon"))?;
        config.headers.add(name.trim(), value.trim()).map_err(|error| Failure::usage(format!("--header: {error}")))?;
    }
    config.allow_token_over_plain_ws = args.allow_token_over_plain_ws;
    Ok(config)
}

fn parse_url(url: &str) -> Result<Endpoint, Failure> {
    Endpoint::parse(url).map_err(|error| Failure::usage(error.to_string()))
}

/// An option's value, or else that of an environment variable; an empty one counts as unset.
fn or_environment(option: Option<&String>, name: &str) -> Result<Option<String>, Failure> {
    if let Some(value) = option {
        return Ok(Some(value.clone()));
    }
    match env::var_os(name).filter(|value| !value.is_empty()).map(|value| value.into_string()) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => Err(Failure::usage(format!("the environment variable {name} is not valid UTF-8"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    /// The settings that these options of `ask` make.
    fn config_of(options: &[&str]) -> ConnectionConfig {
        let Ok(Cli { command: Command::Ask(args) }) = Cli::try_parse_from(["chatnio", "ask"].iter().chain(options))
        else {
            panic!("{options:?} are no options of `ask`");
        };
        config(&args.connection).unwrap()
    }

    #[test]
    fn the_timeout_sets_every_deadline_and_no_pace() {
        let (default, set) = (config_of(&[]), config_of(&["--timeout", "0.25"]));
        let deadlines = [
            set.connect,
            set.handshake,
            set.session.first_frame,
            set.session.next_frame,
            set.session.after_stop,
            set.pong_within,
            set.close,
        ];
        assert_eq!(deadlines, [Duration::from_millis(250); 7]);
        assert_eq!(set.ping_after, default.ping_after);
        assert_eq!(set.session.keep_alive, default.session.keep_alive);
        assert_eq!(set.session.stop_repeats, default.session.stop_repeats);
    }

    #[test]
    fn dangers_are_off_unless_named() {
        assert!(!config_of(&[]).allow_token_over_plain_ws);
        assert!(config_of(&["--allow-token-over-plain-ws"]).allow_token_over_plain_ws);
        assert_eq!(config_of(&["--header", " X-Gate :  open: sesame "]).headers.len(), 1);
    }

    #[test]
    fn url_and_token_say_whom_to_ask() {
        let whom = |url, token: Option<&str>| {
            let (endpoint, auth) = whom(url, token.map(str::to_owned)).unwrap();
            (endpoint.map(|endpoint| endpoint.to_string()), auth.is_anonymous())
        };
        let public = Some("wss://api.chatnio.net/chat".to_owned());
        let own = Some("ws://h/chat".to_owned());
        assert_eq!(whom(None, Some("sk-x")), (public, false));
        assert_eq!(whom(Some("ws://h"), None), (own.clone(), true));
        assert_eq!(whom(Some("ws://h"), Some("sk-x")), (own, false));
        assert_eq!(whom(None, None), (None, false));
    }
}
