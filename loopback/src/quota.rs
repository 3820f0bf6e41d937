//! What an answer costs (protocol.md, R3.6): per token, in 32-bit floats, in the order of operations of the real servers.

use crate::form::Message;
use crate::frame::push_str;
use crate::generation::Generation;

/// The cost of the messages that go to the model; every answer starts with it.
pub(crate) fn input(generation: Generation, messages: &[Message]) -> f32 {
    match generation {
        Generation::G2023 => thousands(tokens_2023(messages)) * 2.1 * 0.6,
        Generation::G2024 => thousands(tokens(messages)) * 0.03,
        Generation::G2026 => thousands(tokens(messages)) * 0.01,
    }
}

/// The cost of the pieces so far, each counted as one token (2023 and 2024: three).
pub(crate) fn output(generation: Generation, pieces: usize) -> f32 {
    match generation {
        Generation::G2023 => thousands(pieces * 3) * 4.3 * 0.6,
        Generation::G2024 => thousands(pieces * 3) * 0.03,
        Generation::G2026 => thousands(pieces) * 0.03,
    }
}

fn thousands(tokens: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "the real servers lose it too")]
    let tokens = tokens as f32;
    tokens / 1000.0
}

/// A stand-in for the real tokenizer that agrees with it on short English texts: a word, a sign and a
/// line's end count one each.
fn tokens(messages: &[Message]) -> usize {
    let mut tokens = 3;
    for message in messages {
        tokens += 4;
        let mut in_word = false;
        for c in message.content.chars() {
            let word = c.is_ascii_alphanumeric();
            if (word && !in_word) || (!word && (c == '\n' || !c.is_whitespace())) {
                tokens += 1;
            }
            in_word = word;
        }
    }
    tokens
}

/// The recorded 2023 server had no tokenizer for its model and took three tokens for each character
/// of the messages' JSON.
fn tokens_2023(messages: &[Message]) -> usize {
    let mut json = String::from("[");
    for message in messages {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str("{\"role\":");
        push_str(&mut json, &message.role);
        json.push_str(",\"content\":");
        push_str(&mut json, &message.content);
        json.push('}');
    }
    json.push(']');
    json.chars().count() * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(role: &str, content: &str) -> Message {
        Message { role: role.to_owned(), content: content.to_owned() }
    }

    fn first(generation: Generation, messages: &[Message]) -> f32 {
        input(generation, messages) + output(generation, 1)
    }

    #[test]
    fn the_recorded_quotas_come_out() {
        let hi = [message("user", "hi")];
        assert_eq!(first(Generation::G2026, &hi).to_string(), "0.00011000001");
        assert_eq!(first(Generation::G2024, &hi).to_string(), "0.00033");
        let again = [message("user", "hi"), message("assistant", "Hello! How can I help?"), message("user", "again")];
        assert_eq!(first(Generation::G2026, &again).to_string(), "0.00027");
        let old = [message("user", "@hello hi 140376255356800")];
        assert_eq!(first(Generation::G2023, &old).to_string(), "0.21564002");
    }
}
