//! What a question says beside its text: options of the command line, and `[parameters]` of the configuration.

use chatnio::{Request, RequestError};
use clap::Args;
use serde::{Deserialize, Deserializer, de};

use super::values;

/// Parameters of a question; what is not set is left to the server.
#[derive(Debug, Clone, Default, PartialEq, Args, Deserialize)]
#[command(next_help_heading = "Question")]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Parameters {
    /// Search the web first
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) web: Option<bool>,
    /// Answer without the conversation so far
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) ignore_context: Option<bool>,
    /// Send at most N messages of the conversation to the model, the question included; 0 is the server's default
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::whole::<i64>)]
    pub(crate) context: Option<i64>,
    /// The most tokens of an answer, 1 or more
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::whole::<i64>)]
    pub(crate) max_tokens: Option<i64>,
    /// Sampling temperature, from 0 to 2
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = values::decimal)]
    pub(crate) temperature: Option<f32>,
    /// Share of probability to sample from, from 0 to 1
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = values::decimal)]
    pub(crate) top_p: Option<f32>,
    /// Sample from the N likeliest tokens, 1 or more
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::whole::<i64>)]
    pub(crate) top_k: Option<i64>,
    /// Penalty on tokens that have occurred, from -2 to 2
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = values::decimal)]
    pub(crate) presence_penalty: Option<f32>,
    /// Penalty on tokens by how often they have occurred, from -2 to 2
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = values::decimal)]
    pub(crate) frequency_penalty: Option<f32>,
    /// Penalty on repetition, from 0 to 2
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = values::decimal)]
    pub(crate) repetition_penalty: Option<f32>,
    /// Send a field that this client does not know, such as --extra think=true. May be given more than once
    #[arg(long, value_name = "NAME=JSON", value_parser = extra)]
    #[serde(deserialize_with = "extras")]
    pub(crate) extra: Vec<Extra>,
}

/// A field that the client does not know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Extra {
    name: String,
    json: String,
}

fn extra(text: &str) -> Result<Extra, String> {
    let (name, json) = text.split_once('=').ok_or("it is a name, =, and JSON, such as think=true")?;
    Request::restart().extra(name, json).map_err(|error| match error {
        RequestError::InvalidExtra => format!("{json} is not JSON; a text is one in quotes: '{name}=\"auto\"'"),
        error => error.to_string(),
    })?;
    Ok(Extra { name: name.to_owned(), json: json.to_owned() })
}

/// Those of the configuration, as the option takes them. What it says is not repeated.
fn extras<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Extra>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let expected = "expected NAME=JSON, such as think=true, whose NAME is no parameter's of its own";
    texts.iter().map(|text| extra(text).map_err(|_| de::Error::custom(expected))).collect()
}

impl Parameters {
    /// Whether one has this name.
    pub(crate) fn is_one(name: &str) -> bool {
        let options = Self::augment_args(clap::Command::new(""));
        options.get_arguments().any(|option| option.get_long() == Some(name))
    }

    /// These, and where they say nothing the others.
    pub(crate) fn or(self, others: &Parameters) -> Self {
        Parameters {
            web: self.web.or(others.web),
            ignore_context: self.ignore_context.or(others.ignore_context),
            context: self.context.or(others.context),
            max_tokens: self.max_tokens.or(others.max_tokens),
            temperature: self.temperature.or(others.temperature),
            top_p: self.top_p.or(others.top_p),
            top_k: self.top_k.or(others.top_k),
            presence_penalty: self.presence_penalty.or(others.presence_penalty),
            frequency_penalty: self.frequency_penalty.or(others.frequency_penalty),
            repetition_penalty: self.repetition_penalty.or(others.repetition_penalty),
            extra: if self.extra.is_empty() { others.extra.clone() } else { self.extra },
        }
    }

    /// Refuses what no model takes: a server would answer with an error at best.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, value, low, high) in [
            ("temperature", self.temperature, 0.0, 2.0),
            ("top-p", self.top_p, 0.0, 1.0),
            ("presence-penalty", self.presence_penalty, -2.0, 2.0),
            ("frequency-penalty", self.frequency_penalty, -2.0, 2.0),
            ("repetition-penalty", self.repetition_penalty, 0.0, 2.0),
        ] {
            if let Some(value) = value.filter(|value| !(low..=high).contains(value)) {
                return Err(format!("{name} is {value}: it goes from {low} to {high}"));
            }
        }
        for (name, value, low) in
            [("context", self.context, 0), ("max-tokens", self.max_tokens, 1), ("top-k", self.top_k, 1)]
        {
            if let Some(value) = value.filter(|value| *value < low) {
                return Err(format!("{name} is {value}: it is {low} or more"));
            }
        }
        Ok(())
    }

    /// Adds them to a question.
    pub(crate) fn add_to(&self, mut request: Request) -> Request {
        if let Some(on) = self.web {
            request = request.web(on);
        }
        if let Some(on) = self.ignore_context {
            request = request.ignore_context(on);
        }
        if let Some(messages) = self.context {
            request = request.context(messages);
        }
        if let Some(tokens) = self.max_tokens {
            request = request.max_tokens(tokens);
        }
        if let Some(value) = self.temperature {
            request = request.temperature(value);
        }
        if let Some(value) = self.top_p {
            request = request.top_p(value);
        }
        if let Some(k) = self.top_k {
            request = request.top_k(k);
        }
        if let Some(value) = self.presence_penalty {
            request = request.presence_penalty(value);
        }
        if let Some(value) = self.frequency_penalty {
            request = request.frequency_penalty(value);
        }
        if let Some(value) = self.repetition_penalty {
            request = request.repetition_penalty(value);
        }
        for Extra { name, json } in &self.extra {
            // It was checked when it was read.
            request = request.clone().extra(name, json).unwrap_or(request);
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_model_takes_is_refused_with_the_range() {
        let refused = |parameters: Parameters| parameters.check().unwrap_err();
        assert_eq!(
            refused(Parameters { temperature: Some(99.0), ..Parameters::default() }),
            "temperature is 99: it goes from 0 to 2"
        );
        assert_eq!(
            refused(Parameters { max_tokens: Some(-5), ..Parameters::default() }),
            "max-tokens is -5: it is 1 or more"
        );
        refused(Parameters { top_p: Some(f32::NAN), ..Parameters::default() });
        refused(Parameters { presence_penalty: Some(-2.5), ..Parameters::default() });
        let edges = Parameters { temperature: Some(2.0), top_p: Some(0.0), context: Some(0), ..Parameters::default() };
        assert_eq!(edges.check(), Ok(()));
    }

    #[test]
    fn extra_fields_are_names_with_json() {
        let parameters = Parameters {
            extra: ["think=true", "a=\"b=c\"", "think=[1]"].map(|text| extra(text).unwrap()).into(),
            ..Parameters::default()
        };
        let expected = Request::chat("hi").extra("think", "[1]").unwrap().extra("a", "\"b=c\"").unwrap();
        assert_eq!(parameters.add_to(Request::chat("hi")), expected);
        for (bad, says) in
            [("think", "think=true"), ("think=auto", "in quotes"), ("Model=1", "`model` is no extra field")]
        {
            assert!(extra(bad).unwrap_err().contains(says), "{bad}");
        }
    }

    #[test]
    fn options_go_before_the_configuration() {
        let options = Parameters { web: Some(false), top_k: Some(3), ..Parameters::default() };
        let file = Parameters { web: Some(true), temperature: Some(1.0), ..Parameters::default() };
        let both = options.or(&file);
        assert_eq!((both.web, both.top_k, both.temperature), (Some(false), Some(3), Some(1.0)));
    }
}
