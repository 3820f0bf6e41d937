//! What options, environment and configuration say, each where the one before it says nothing.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use crate::args::{self, ConnectionArgs, Parameters, QuestionArgs};
use crate::configuration::{Configuration, Profile, Size};
use crate::interrupt::Interrupts;
use crate::output::say;
use crate::status::Failure;
use crate::{paths, token};

const DEFAULT_MODEL: &str = "gpt-3.5-turbo";

/// What counts. The options that are in no configuration are not here.
pub(crate) struct Settings {
    /// The profile that was taken.
    pub(crate) profile: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) model: String,
    pub(crate) system: Option<System>,
    pub(crate) parameters: Parameters,
    pub(crate) plain: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) answer_within: Option<Duration>,
    pub(crate) max_message: Option<usize>,
    pub(crate) max_question: Option<usize>,
    pub(crate) ca_file: Option<PathBuf>,
    /// A certificate of one's own, and its key.
    pub(crate) cert: Option<(PathBuf, PathBuf)>,
    pub(crate) proxy: Option<Through>,
    pub(crate) connect_retries: Option<u32>,
    /// Zero is for never.
    pub(crate) ping_after: Option<Duration>,
    pub(crate) headers: Vec<String>,
    /// The models that the configuration names.
    pub(crate) models: Vec<String>,
}

/// A proxy, or `none`.
pub(crate) struct Through {
    /// A secret: there may be a password in it.
    pub(crate) url: String,
    /// Whether the command line gave it: then it is used on the way to this machine itself, too.
    pub(crate) is_asked: bool,
}

/// A system prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct System {
    pub(crate) text: String,
    /// Whether the command line gave it, or `/system`: then it is put before a conversation that goes on, too.
    pub(crate) is_asked: bool,
}

impl Settings {
    /// `interrupts` end a command that prints the token.
    pub(crate) fn new(
        connection: &ConnectionArgs,
        question: &QuestionArgs,
        interrupts: &Interrupts,
    ) -> Result<Self, Failure> {
        let file = match (&connection.config, environment("CHATNIO_CONFIG")?) {
            (Some(file), _) => Configuration::load(file, true)?,
            (None, Some(file)) => Configuration::load(file.as_ref(), true)?,
            (None, None) => match paths::configuration() {
                Some(file) => Configuration::load(&file, false)?,
                None => Configuration::default(),
            },
        };
        let (profile, layers) = file.layers(match &connection.profile {
            Some(profile) => Some(profile.clone()),
            None => environment("CHATNIO_PROFILE")?,
        })?;
        let (url, token) = whom(
            option_or(connection.url.as_ref(), "CHATNIO_URL")?,
            option_or(connection.token.as_ref(), "CHATNIO_TOKEN")?,
            &layers,
            interrupts,
        )?;
        let size = |option: Option<usize>, name: &str, get: fn(&Profile) -> &Option<Size>| match option {
            Some(size) => Ok(Some(size)),
            None => layers.iter().find_map(|layer| get(layer).as_ref()).map(|size| bytes(size, name)).transpose(),
        };
        type Seconds = fn(f64) -> Result<Duration, String>;
        let time = |option: Option<Duration>, name: &str, get: fn(&Profile) -> Option<f64>, of: Seconds| match option {
            Some(time) => Ok(Some(time)),
            None => first(&layers, get)
                .map(|seconds| of(seconds).map_err(|why| Failure::usage(format!("{name}: {why}"))))
                .transpose(),
        };
        let parameters =
            layers.iter().fold(question.parameters.clone(), |parameters, layer| parameters.or(&layer.parameters));
        parameters.check().map_err(Failure::usage)?;
        Ok(Settings {
            url,
            token,
            model: option_or(question.model.as_ref(), "CHATNIO_MODEL")?
                .or_else(|| first(&layers, |layer| layer.model.clone()))
                .unwrap_or_else(|| DEFAULT_MODEL.to_owned()),
            system: match &question.system {
                Some(text) => Some(System { text: text.clone(), is_asked: true }),
                None => first(&layers, |layer| layer.system.clone()).map(|text| System { text, is_asked: false }),
            }
            .filter(|system| !system.text.trim().is_empty()),
            parameters,
            plain: first(&layers, |layer| layer.plain).unwrap_or(false),
            timeout: time(connection.timeout, "timeout", |layer| layer.timeout, args::duration)?,
            answer_within: time(question.answer_within, "answer-within", |layer| layer.answer_within, args::duration)?,
            ping_after: time(connection.ping_after, "ping-after", |layer| layer.ping_after, args::duration_or_never)?,
            max_message: size(question.max_message, "max-message", |layer| &layer.max_message)?,
            max_question: size(question.max_question, "max-question", |layer| &layer.max_question)?,
            ca_file: connection
                .ca_file
                .clone()
                .or_else(|| first(&layers, |layer| layer.ca_file.as_deref().map(paths::expand))),
            cert: match &connection.cert {
                Some(cert) => Some((cert.clone(), connection.key.clone())),
                None => first(&layers, |layer| {
                    layer.cert.as_deref().map(|cert| (paths::expand(cert), layer.key.as_deref().map(paths::expand)))
                }),
            }
            .map(|(cert, key)| (cert.clone(), key.unwrap_or(cert))),
            proxy: match &connection.proxy {
                Some(url) => Some(Through { url: url.clone(), is_asked: true }),
                None => first(&layers, |layer| layer.proxy.clone()).map(|url| Through { url, is_asked: false }),
            },
            connect_retries: connection.connect_retries.or_else(|| first(&layers, |layer| layer.connect_retries)),
            headers: match &*connection.header {
                [] => first(&layers, |layer| layer.headers.clone()).unwrap_or_default(),
                headers => headers.to_vec(),
            },
            models: file.models().map(str::to_owned).collect(),
            profile,
        })
    }
}

fn first<T>(layers: &[&Profile], get: impl Fn(&Profile) -> Option<T>) -> Option<T> {
    layers.iter().find_map(|layer| get(layer))
}

/// The URL and the token. A token goes to the URL that stands beside it, or to one that was given less near: never to
/// one that was put in its place.
fn whom(
    url: Option<String>,
    token: Option<String>,
    layers: &[&Profile],
    interrupts: &Interrupts,
) -> Result<(Option<String>, Option<String>), Failure> {
    let url_from =
        if url.is_some() { Some(0) } else { layers.iter().position(|layer| layer.url.is_some()).map(|at| at + 1) };
    let url = url.or_else(|| first(layers, |layer| layer.url.clone()));
    if token.is_some() {
        return Ok((url, token));
    }
    let has_token = |layer: &&Profile| layer.token_command.is_some() || layer.token_file.is_some();
    let Some(at) = layers.iter().position(has_token) else { return Ok((url, None)) };
    if url_from.is_some_and(|from| from < at + 1) {
        say("note", "the configuration's token is for another URL and is not sent to this one");
        return Ok((url, None));
    }
    let token = match (&layers[at].token_command, &layers[at].token_file) {
        (Some(_), Some(_)) => return Err(Failure::usage("token-command and token-file: give one of them")),
        (Some(command), None) => token::from_command(command, interrupts)?,
        (None, Some(file)) => token::from_file(file)?,
        (None, None) => return Ok((url, None)),
    };
    Ok((url, Some(token)))
}

fn bytes(size: &Size, name: &str) -> Result<usize, Failure> {
    match size {
        Size::Bytes(bytes) => Ok(*bytes),
        Size::Text(text) => args::size(text).map_err(|why| Failure::usage(format!("{name}: {why}"))),
    }
}

/// An option's value, or else that of an environment variable.
fn option_or(option: Option<&String>, name: &str) -> Result<Option<String>, Failure> {
    option.map_or_else(|| environment(name), |value| Ok(Some(value.clone())))
}

/// An environment variable; an empty one counts as unset.
pub(crate) fn environment(name: &str) -> Result<Option<String>, Failure> {
    match env::var_os(name).filter(|value| !value.is_empty()).map(|value| value.into_string()) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => Err(Failure::usage(format!("the environment variable {name} is not valid UTF-8"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(url: Option<&str>, token: Option<&str>) -> Profile {
        Profile {
            url: url.map(str::to_owned),
            token_command: token.map(|token| format!("echo {token}")),
            ..Profile::default()
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_token_goes_to_the_url_beside_it() {
        let asked = |url: Option<&str>, layers: &[&Profile]| {
            let (url, token) = whom(url.map(str::to_owned), None, layers, &Interrupts::default()).unwrap();
            (url.unwrap_or_default(), token.unwrap_or_default())
        };
        let pair = |url: &str, token: &str| (url.to_owned(), token.to_owned());
        let top = profile(Some("top"), Some("sk-top"));
        assert_eq!(asked(None, &[&top]), pair("top", "sk-top"));
        assert_eq!(asked(Some("other"), &[&top]), pair("other", ""));
        assert_eq!(asked(None, &[&profile(Some("own"), None), &top]), pair("own", ""));
        assert_eq!(asked(None, &[&profile(None, Some("sk-own")), &top]), pair("top", "sk-own"));
        assert_eq!(asked(None, &[&profile(None, None), &top]), pair("top", "sk-top"));
        assert_eq!(asked(None, &[&profile(None, Some("sk-public"))]), pair("", "sk-public"));
    }

    #[test]
    fn a_given_token_goes_wherever_it_is_told_to() {
        let top = profile(Some("top"), Some("false"));
        let given = whom(Some("other".into()), Some("sk-given".into()), &[&top], &Interrupts::default()).unwrap();
        assert_eq!(given, (Some("other".into()), Some("sk-given".into())));
    }
}
