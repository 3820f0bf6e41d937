//! What a channel of the OpenAI type passes on to the model (protocol.md, R2.9).

use std::collections::BTreeMap;

/// The parameters of a request for the model (protocol.md, R2.7): those that were given, by name, as Go would print them.
pub(crate) type Parameters = BTreeMap<String, String>;

/// What such channels have no field for.
const DROPPED: [&str; 2] = ["top_k", "repetition_penalty"];

/// Models that think for themselves, and take no other temperature than 1.
const OWN_TEMPERATURE: [&str; 3] = ["o1", "o3", "gpt-5"];

/// The parameters that reach a model.
pub(crate) fn passed_on(model: &str, parameters: &Parameters) -> Parameters {
    let mut passed = parameters.clone();
    passed.retain(|name, _| !DROPPED.contains(&name.as_str()));
    if OWN_TEMPERATURE.contains(&model) {
        passed.insert("temperature".to_owned(), "1".to_owned());
    }
    passed
}

/// `temperature=0.5 top_p=0.25`, or `nothing`.
pub(crate) fn shown(parameters: &Parameters) -> String {
    let parts: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" ") }
}
