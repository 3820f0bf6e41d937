//! Whom to ask, and as whom: from what was set to a connected client.

use std::time::Duration;

use chatnio::{
    Auth, Client, ClientError, Connection, ConnectionConfig, Endpoint, Proxy, Request, Stopper, TlsOptions, rest,
};
use chatnio_loopback::Server;

use crate::args::{ConnectionArgs, ConversationArgs};
use crate::conversation::Conversations;
use crate::embedded;
use crate::output::say;
use crate::paths;
use crate::settings::{Settings, System, Through};
use crate::status::Failure;
use crate::words;

/// Where a token without a URL is good for (protocol.md, R0.1).
const PUBLIC_SERVER: &str = "wss://api.chatnio.net";

/// The token for the embedded server, which takes any.
const EMBEDDED_TOKEN: &str = "sk-loopback";

/// A server and who asks it, checked.
pub(crate) struct Target {
    /// `None` until the embedded server has been started.
    endpoint: Option<Endpoint>,
    /// The endpoint as it was given: a query in it, which does not show, is sent, too.
    url: String,
    token: Option<String>,
    share: Option<String>,
    /// The conversation to go on in.
    conversation: Option<i64>,
    config: ConnectionConfig,
    /// Stops when it is dropped.
    embedded: Option<Server>,
}

impl Target {
    /// Nothing is started yet.
    pub(crate) fn new(args: &ConnectionArgs, settings: &Settings) -> Result<Self, Failure> {
        let (endpoint, token) = whom(settings.url.as_deref(), settings.token.as_deref())?;
        let mut config = config(args, settings)?;
        if let Some(endpoint) = &endpoint {
            config.proxy = proxy(settings.proxy.as_ref(), endpoint)?;
        }
        Ok(Target {
            endpoint,
            url: settings.url.as_deref().unwrap_or(PUBLIC_SERVER).to_owned(),
            token: token.map(str::to_owned),
            share: None,
            conversation: None,
            config,
            embedded: None,
        })
    }

    /// Asks in the conversation that the options name.
    pub(crate) fn in_conversation(mut self, args: &ConversationArgs, settings: &Settings) -> Result<Self, Failure> {
        self.share.clone_from(&args.share);
        self.conversation = if args.last { Some(self.last(settings)?) } else { args.conversation };
        Ok(self)
    }

    fn last(&self, settings: &Settings) -> Result<i64, Failure> {
        let Some(endpoint) = &self.endpoint else {
            return Err(Failure::usage("-c: the embedded server's conversations end with it: --url says which server"));
        };
        if self.auth().is_anonymous() {
            return Err(Failure::usage("-c: anonymous conversations are not kept: it needs a token"));
        }
        let conversations = Conversations::new(Some(endpoint), settings.profile.as_deref());
        conversations.last().ok_or_else(|| {
            Failure::usage(format!(
                "-c: no conversation with {} is known here, and servers of 2023 tell no ids to know one by: without it \
                 a new one begins",
                endpoint.address()
            ))
        })
    }

    /// Keeps what is sent and received.
    pub(crate) fn record(&mut self) {
        self.config.session.record = true;
        self.config.session.record_times = true;
    }

    /// The longest request, in bytes; 0 for no limit.
    pub(crate) fn max_request(&self) -> usize {
        self.config.session.max_request
    }

    /// The conversation to go on in; `None` begins one.
    pub(crate) fn conversation(&self) -> Option<i64> {
        self.conversation
    }

    /// The system prompt to put before the next question. A conversation that goes on has that of the configuration
    /// already; one that somebody asks for now goes there, too.
    pub(crate) fn system<'a>(&self, settings: &'a Settings) -> Option<&'a System> {
        settings.system.as_ref().filter(|system| self.conversation.is_none() || system.is_asked)
    }

    /// Goes on in this conversation from the next connection on; `None` begins a new one.
    pub(crate) fn set_conversation(&mut self, id: Option<i64>) {
        self.conversation = id;
        self.share = None;
    }

    /// Finds out what would be refused, before anything is started or connected.
    pub(crate) fn check(&self, request: Option<&Request>) -> Result<(), Failure> {
        let endpoint = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => parse_url("ws://127.0.0.1")?,
        };
        let mut connection = Connection::new(&endpoint, self.auth(), &self.config, Duration::ZERO)
            .map_err(|error| self.failure(&error.into()))?;
        if let Some(request) = request {
            connection.request(Duration::ZERO, request).map_err(|error| self.failure(&error.into()))?;
        }
        Ok(())
    }

    /// Connects; to the embedded server, started now, when there is no other. `stopper` can end that.
    pub(crate) fn connect(&mut self, stopper: &Stopper) -> Result<Client, Failure> {
        self.start()?;
        Client::connect_with(&self.url, self.auth(), &self.config, stopper).map_err(|error| self.failure(&error))
    }

    /// For the companion calls of the same server.
    pub(crate) fn rest(&mut self) -> Result<rest::Client, Failure> {
        self.start()?;
        Ok(rest::Client::new(&self.url, self.auth(), &self.config)?)
    }

    /// Starts the embedded server when there is no other.
    fn start(&mut self) -> Result<(), Failure> {
        if self.endpoint.is_none() {
            let server = embedded::start(EMBEDDED_TOKEN).map_err(|error| {
                Failure::usage(format!("cannot start the embedded loopback server: {}", words::system(&error)))
            })?;
            self.url = server.url();
            say("note", &format!("no URL and no token: asking the embedded loopback server at {}", self.url));
            self.endpoint = Some(parse_url(&self.url)?);
            self.embedded = Some(server);
        }
        Ok(())
    }

    /// Where it connects to; `None` before the embedded server has started.
    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// Where it connects to, if the conversations there outlast this command.
    pub(crate) fn lasting_endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref().filter(|_| self.embedded.is_none() && !self.auth().is_anonymous())
    }

    /// What a failure is to the user.
    pub(crate) fn failure(&self, error: &ClientError) -> Failure {
        words::failure(error, self.endpoint.as_ref())
    }

    fn auth(&self) -> Auth {
        let mut auth = self.token.as_ref().map_or_else(Auth::anonymous, Auth::new);
        if let Some(id) = self.conversation {
            auth = auth.conversation(id);
        }
        if let Some(hash) = &self.share {
            auth = auth.share(hash.as_str());
        }
        auth
    }
}

/// Where to ask and as whom; without an endpoint it is the embedded server.
fn whom<'a>(url: Option<&str>, token: Option<&'a str>) -> Result<(Option<Endpoint>, Option<&'a str>), Failure> {
    Ok(match (url, token) {
        (Some(url), token) => (Some(parse_url(url)?), token),
        (None, Some(token)) => (Some(parse_url(PUBLIC_SERVER)?), Some(token)),
        (None, None) => (None, Some(EMBEDDED_TOKEN)),
    })
}

/// The proxy on the way to the server: the one that was set, or the environment's.
fn proxy(set: Option<&Through>, endpoint: &Endpoint) -> Result<Option<Proxy>, Failure> {
    match set {
        Some(Through { url, .. }) if url == "none" => Ok(None),
        Some(Through { is_asked: false, .. }) if endpoint.is_loopback() => Ok(None),
        Some(Through { url, .. }) => Proxy::parse(url).map(Some).map_err(|error| Failure::usage(error.to_string())),
        None => Proxy::from_env(endpoint)
            .map_err(|error| Failure::usage(format!("the environment's {error}; --proxy none does without"))),
    }
}

fn config(args: &ConnectionArgs, settings: &Settings) -> Result<ConnectionConfig, Failure> {
    let mut config = ConnectionConfig::default();
    if let Some(timeout) = settings.timeout {
        config.connect = timeout;
        config.handshake = timeout;
        config.session.first_frame = timeout;
        config.session.next_frame = timeout;
        config.session.after_stop = timeout;
        config.pong_within = timeout;
        config.close = timeout;
    }
    if let Some(time) = settings.answer_within {
        config.session.answer_within = time;
    }
    if let Some(retries) = settings.connect_retries {
        config.connect_retries = retries;
    }
    if let Some(silence) = settings.ping_after {
        config.ping_after = silence;
    }
    if let Some(bytes) = settings.max_message {
        config.session.max_message = bytes;
    }
    if let Some(bytes) = settings.max_question {
        config.session.max_request = bytes;
    }
    let mut tls = TlsOptions::new();
    if let Some(file) = &settings.ca_file {
        tls = tls.root_file(file).map_err(|error| Failure::usage(format!("--ca-file: {error}")))?;
    }
    if let Some((cert, key)) = &settings.cert {
        tls = tls.client_certificate_file(cert, key).map_err(|error| Failure::usage(format!("--cert: {error}")))?;
    }
    if let Some(file) = &args.key_log {
        tls = tls.key_log_file(file).map_err(|error| Failure::usage(format!("--key-log: {error}")))?;
        paths::make_private(file);
    }
    if args.dangerous_accept_any_certificate {
        tls = tls.dangerous_accept_any_certificate();
    }
    config.tls = tls.build().map_err(|error| Failure::usage(error.to_string()))?;
    for header in &settings.headers {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use crate::interrupt::Interrupts;
    use clap::Parser;

    /// The settings that these options of `ask` make.
    fn config_of(options: &[&str]) -> ConnectionConfig {
        let arguments = ["chatnio", "ask", "--config", "/dev/null"];
        let Ok(Cli { command: Command::Ask(args) }) = Cli::try_parse_from(arguments.iter().chain(options)) else {
            panic!("{options:?} are no options of `ask`");
        };
        let settings = Settings::new(&args.connection, &args.question, &Interrupts::default());
        config(&args.connection, &settings.unwrap()).unwrap()
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
    fn a_whole_answer_has_the_time_that_it_is_given() {
        assert_eq!(config_of(&["--timeout", "1"]).session.answer_within, Duration::ZERO, "without a limit");
        assert_eq!(config_of(&["--answer-within", "1.5"]).session.answer_within, Duration::from_millis(1500));
    }

    #[test]
    fn pings_come_when_they_are_asked_for() {
        assert_eq!(config_of(&[]).ping_after, Duration::from_secs(30));
        assert_eq!(config_of(&["--ping-after", "0.5", "--timeout", "1"]).ping_after, Duration::from_millis(500));
        assert_eq!(config_of(&["--ping-after", "0"]).ping_after, Duration::ZERO);
    }

    #[test]
    fn limits_are_those_of_the_session() {
        let set = config_of(&["--max-message", "2M", "--max-question", "0"]);
        assert_eq!((set.session.max_message, set.session.max_request), (2 << 20, 0));
    }

    #[test]
    fn dangers_are_off_unless_named() {
        assert!(!config_of(&[]).allow_token_over_plain_ws);
        assert!(config_of(&["--allow-token-over-plain-ws"]).allow_token_over_plain_ws);
        assert_eq!(config_of(&["--header", " X-Gate :  open: sesame "]).headers.len(), 1);
    }

    #[test]
    fn url_and_token_say_whom_to_ask() {
        let whom = |url, token| {
            let (endpoint, token) = whom(url, token).unwrap();
            (endpoint.map(|endpoint| endpoint.to_string()), token)
        };
        let public = Some("wss://api.chatnio.net/chat".to_owned());
        let own = Some("ws://h/chat".to_owned());
        assert_eq!(whom(None, Some("sk-x")), (public, Some("sk-x")));
        assert_eq!(whom(Some("ws://h"), None), (own.clone(), None));
        assert_eq!(whom(Some("ws://h"), Some("sk-x")), (own, Some("sk-x")));
        assert_eq!(whom(None, None), (None, Some(EMBEDDED_TOKEN)));
    }
}
