//! The configuration file: TOML, with named profiles. What it says is never repeated in a message: a value in the
//! wrong place may be a secret.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use crate::args::Parameters;
use crate::output::without_keys;
use crate::status::Failure;
use crate::words;

/// How long a file may be, in bytes.
const MOST: u64 = 1 << 20;

/// The file's top level and each profile in it; the options of these names say what they mean.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Profile {
    pub(crate) url: Option<String>,
    pub(crate) token_command: Option<String>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) model: Option<String>,
    pub(crate) system: Option<String>,
    pub(crate) plain: Option<bool>,
    /// In seconds.
    pub(crate) timeout: Option<f64>,
    /// In seconds.
    pub(crate) answer_within: Option<f64>,
    pub(crate) max_message: Option<Size>,
    pub(crate) max_question: Option<Size>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) headers: Option<Vec<String>>,
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) proxy: Option<String>,
    pub(crate) connect_retries: Option<u32>,
    /// In seconds.
    pub(crate) ping_after: Option<f64>,
    pub(crate) parameters: Parameters,
}

/// A number of bytes, or a text such as `4M`.
#[derive(Debug, Clone)]
pub(crate) enum Size {
    Bytes(usize),
    Text(String),
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let size = match Value::deserialize(deserializer)? {
            Value::Integer(bytes) => bytes.try_into().ok().map(Size::Bytes),
            Value::String(text) => Some(Size::Text(text)),
            _ => None,
        };
        size.ok_or_else(|| de::Error::custom("expected bytes, such as 4000000, '512K' or '4M'; 0 for no limit"))
    }
}

/// The whole file.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    top: Profile,
    profiles: BTreeMap<String, Profile>,
    default: Option<String>,
}

impl Configuration {
    /// Reads a file; one that nobody has named need not exist.
    pub(crate) fn load(file: &Path, is_named: bool) -> Result<Self, Failure> {
        let failed = |why: &str| Failure::usage(format!("configuration {}: {why}", file.display()));
        if is_pipe(file) {
            return Err(failed("it is a pipe, and no file"));
        }
        let mut bytes = Vec::new();
        match File::open(file).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)) {
            Ok(len) if len as u64 > MOST => Err(failed(&format!("it is over {} MiB", MOST >> 20))),
            Ok(_) => {
                let text = words::utf8(bytes).map_err(|why| failed(&why))?;
                Self::parse(&text).map_err(|why| failed(&why))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => Ok(Configuration::default()),
            Err(error) => Err(failed(&format!("cannot be read: {}", words::system(&error)))),
        }
    }

    /// A key is nothing without its certificate.
    fn check(&self) -> Result<(), String> {
        let named = self.profiles.iter().map(|(name, profile)| (format!("profiles.{name}."), profile));
        for (place, profile) in named.chain([(String::new(), &self.top)]) {
            if profile.key.is_some() && profile.cert.is_none() {
                return Err(without_keys(&format!(
                    "{place}key: the certificate that it belongs to is missing: {place}cert"
                )));
            }
        }
        Ok(())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
            format!("line {line}: {}", said(error.message()))
        })?;
        let default = match table.remove("profile") {
            Some(Value::Table(_)) => {
                return Err(
                    "profile names the one that counts; the settings of each stand under [profiles.NAME]".to_owned()
                );
            }
            other => other.map(|value| read(value, "profile")).transpose()?,
        };
        let profiles: BTreeMap<String, Value> =
            table.remove("profiles").map(|value| read(value, "profiles")).transpose()?.unwrap_or_default();
        let profiles = profiles.into_iter().map(|(name, value)| {
            let profile = read(value, &format!("profiles.{name}"))?;
            Ok((name, profile))
        });
        let configuration = Configuration {
            default,
            profiles: profiles.collect::<Result<_, String>>()?,
            top: read(Value::Table(table), "")?,
        };
        configuration.check()?;
        Ok(configuration)
    }

    /// The name of the profile that counts, and what there is to look through: it and the top level. `asked` goes
    /// before the file's own choice.
    pub(crate) fn layers(&self, asked: Option<String>) -> Result<(Option<String>, Vec<&Profile>), Failure> {
        let Some(name) = asked.or_else(|| self.default.clone()) else { return Ok((None, vec![&self.top])) };
        match self.profiles.get(&name) {
            Some(profile) => Ok((Some(name), vec![profile, &self.top])),
            None => {
                let known: Vec<_> = self.profiles.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "has none".to_owned() } else { format!("has {}", known.join(", ")) };
                Err(Failure::usage(format!("there is no profile {:?}: the configuration {known}", without_keys(&name))))
            }
        }
    }

    /// Every model that it names.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> {
        self.profiles.values().chain([&self.top]).filter_map(|profile| profile.model.as_deref())
    }
}

/// Whether it is a pipe that perhaps nobody writes to. Those that a shell has opened (`<(...)`) somebody does.
fn is_pipe(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        !file.starts_with("/dev") && file.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo())
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        false
    }
}

fn read<T: DeserializeOwned>(value: Value, name: &str) -> Result<T, String> {
    value.try_into().map_err(|error: toml::de::Error| {
        let message = error.message();
        let place = if name.is_empty() { String::new() } else { format!("{name}: ") };
        if message.starts_with("unknown field `token`") {
            return format!("{place}no token stands in this file itself: token-command or token-file says where it is");
        }
        // Which one it is stands only in the parser's own text, at its end.
        let shown = error.to_string();
        let key = shown.trim_end().rsplit_once("\nin `").and_then(|(_, key)| key.strip_suffix('`')).unwrap_or("");
        let is_parameter = key.split('.').next() == Some("parameters");
        let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        let unknown = unknown.filter(|_| !is_parameter);
        if let Some(field) = unknown.filter(|field| Parameters::is_one(field)) {
            let table = if name.is_empty() { "parameters".to_owned() } else { format!("{name}.parameters") };
            return format!("{place}{field} stands under [{table}]");
        }
        // These two are taken out before.
        let others = if name.is_empty() && unknown.is_some() { ", `profile`, `profiles`" } else { "" };
        let key = if key.is_empty() { String::new() } else { format!("{}: ", without_keys(key)) };
        let place = if key.is_empty() || name.is_empty() { place } else { format!("{name}.") };
        format!("{place}{key}{}{others}", said(message))
    })
}

/// What the parser says of a value that is no such one, in words of somebody who writes the file.
fn said(message: &str) -> String {
    if message.starts_with("invalid type: integer") && message.ends_with("expected any valid TOML value") {
        return "the number is too large".to_owned();
    }
    let expected = message.starts_with("invalid ").then(|| message.rsplit_once(", expected ")).flatten();
    let expected = match expected.map(|(_, expected)| expected) {
        Some("a string" | "path string") => "a text in quotes",
        Some("a boolean") => "true or false",
        Some("f32" | "f64") => "a number, such as 2.5",
        Some("u32") => "a whole number from 0 to 4294967295",
        Some("i64") => "a whole number",
        Some("a sequence") => "a list of texts in quotes, in [ ]",
        Some("a map" | "struct Profile" | "struct Parameters") => "a table of settings",
        _ => return without_values(message),
    };
    format!("expected {expected}")
}

/// A message of the parser's without what the file says: that stands between double quotes.
fn without_values(message: &str) -> String {
    let message = without_keys(message.trim_end());
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => format!("{}\"...{}", &message[..first], &message[last..]),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        url = "wss://one.example"
        model = "gpt-4"
        profile = "work"
        timeout = 30
        [parameters]
        temperature = 1
        max-tokens = 100
        [profiles.work]
        url = "wss://two.example"
        model = "other"
        max-message = "4M"
        [profiles.home]
    "#;

    #[test]
    fn a_profile_lies_over_the_top_level() {
        let file = Configuration::parse(FILE).unwrap();
        let urls = |asked: Option<&str>| -> Vec<_> {
            let (_, layers) = file.layers(asked.map(str::to_owned)).unwrap();
            layers.iter().map(|layer| layer.url.as_deref()).collect()
        };
        assert_eq!(urls(None), [Some("wss://two.example"), Some("wss://one.example")]);
        assert_eq!(urls(Some("home")), [None, Some("wss://one.example")]);
        assert_eq!(file.top.parameters.temperature, Some(1.0));
        assert_eq!(file.models().collect::<Vec<_>>(), ["other", "gpt-4"]);
        let refused = file.layers(Some("hoem".into())).unwrap_err();
        let refused = refused.message();
        assert!(refused.contains("no profile \"hoem\"") && refused.contains("home, work"), "{refused}");
    }

    #[test]
    fn no_message_repeats_a_value() {
        for text in [
            "token = \"sk-secret\"",
            "[profiles.work]\ntoken = \"sk-secret\"",
            "timeout = \"secret\"",
            "tokn = \"secret\"",
            "url = secret",
            "url = \"secret",
            "headers = [\"X: secret\", 5]",
            "headers = \"X: secret\"",
            "profile = [\"secret\"]",
            "[profiles]\nwork = \"secret\"",
            "[parameters]\ntemperature = \"secret\"",
            "[parameters]\nextra = [\"secret\"]",
            "[parameters]\nextra = [\"model=secret\"]",
            "[parameters]\nextra = [\"secret=secret\"]",
            "[parameters]\nextra = \"secret\"",
            "sk-secret = 5",
            "plain = \"a\\\"secret\"",
        ] {
            let refused = Configuration::parse(text).unwrap_err();
            assert!(!refused.contains("secret"), "{text}: {refused}");
        }
        let hint = Configuration::parse("[profiles.work]\ntoken = \"sk-secret\"").unwrap_err();
        assert!(hint.starts_with("profiles.work: ") && hint.contains("token-command"), "{hint}");
        let hint = Configuration::parse("[profiles.work]\nmax-tokens = 5").unwrap_err();
        assert_eq!(hint, "profiles.work: max-tokens stands under [profiles.work.parameters]");
        assert_eq!(Configuration::parse("web = true").unwrap_err(), "web stands under [parameters]");
        let hint = Configuration::parse("modle = 5").unwrap_err();
        assert!(hint.ends_with("`parameters`, `profile`, `profiles`"), "{hint}");
        let hint = Configuration::parse("[parameters]\nmodle = 5").unwrap_err();
        assert!(hint.starts_with("parameters") && hint.ends_with("`extra`"), "{hint}");
        let hint = Configuration::parse("[profiles.work.parameters]\ntemprature = 5").unwrap_err();
        assert!(hint.starts_with("profiles.work.parameters") && hint.ends_with("`extra`"), "{hint}");
        let hint = Configuration::parse("[profile.work]\nmodel = \"m\"").unwrap_err();
        assert!(hint.contains("[profiles.NAME]"), "{hint}");
        assert!(Configuration::parse("\n\nurl = ").unwrap_err().starts_with("line 3: "));
        for (text, start) in [
            ("url = 5", "url: expected "),
            ("[parameters]\nmax-tokens = 1.5", "parameters.max-tokens: expected "),
            ("[profiles.work]\nheaders = 5", "profiles.work.headers: expected "),
            ("[profiles]\nwork = 5", "profiles.work: expected "),
        ] {
            let refused = Configuration::parse(text).unwrap_err();
            assert!(refused.starts_with(start), "{text}: {refused}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_refused_in_plain_words() {
        for (text, refused) in [
            ("url = 5", "url: expected a text in quotes"),
            ("token-file = true", "token-file: expected a text in quotes"),
            ("headers = \"X: y\"", "headers: expected a list of texts in quotes, in [ ]"),
            ("headers = [5]", "headers: expected a text in quotes"),
            ("plain = \"yes\"", "plain: expected true or false"),
            ("timeout = \"30\"", "timeout: expected a number, such as 2.5"),
            ("connect-retries = -1", "connect-retries: expected a whole number from 0 to 4294967295"),
            ("connect-retries = 99999999999", "connect-retries: expected a whole number from 0 to 4294967295"),
            ("max-message = -5", "max-message: expected bytes, such as 4000000, '512K' or '4M'; 0 for no limit"),
            ("max-question = 1.5", "max-question: expected bytes, such as 4000000, '512K' or '4M'; 0 for no limit"),
            (
                "[profiles.a]\nmax-question = true",
                "profiles.a.max-question: expected bytes, such as 4000000, '512K' or '4M'; 0 for no limit",
            ),
            ("profile = 5", "profile: expected a text in quotes"),
            ("profiles = 5", "profiles: expected a table of settings"),
            ("[profiles]\na = 5", "profiles.a: expected a table of settings"),
            ("parameters = 5", "parameters: expected a table of settings"),
            ("[parameters]\nweb = \"true\"", "parameters.web: expected true or false"),
            ("[parameters]\ntemperature = \"1\"", "parameters.temperature: expected a number, such as 2.5"),
            ("[parameters]\nmax-tokens = 1.5", "parameters.max-tokens: expected a whole number"),
            ("[parameters]\nextra = 5", "parameters.extra: expected a list of texts in quotes, in [ ]"),
            ("\n[parameters]\nmax-tokens = 99999999999999999999", "line 3: the number is too large"),
            ("key = \"x.pem\"", "key: the certificate that it belongs to is missing: cert"),
            (
                "cert = \"c\"\n[profiles.a]\nkey = \"k\"",
                "profiles.a.key: the certificate that it belongs to is missing: profiles.a.cert",
            ),
        ] {
            assert_eq!(Configuration::parse(text).unwrap_err(), refused, "{text}");
        }
        assert!(Configuration::parse("max-message = 5000000000").is_ok(), "as --max-message takes it");
    }
}
