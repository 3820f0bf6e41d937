//! The question that `ask` asks: words of the command line, standard input, images.

use std::io::{self, IsTerminal, Read};

use crate::image;
use crate::status::Failure;
use crate::words;

/// The question's text. `limit` is the longest request, in bytes; 0 for none.
pub(crate) fn read(words: &[String], images: &[String], limit: usize) -> Result<String, Failure> {
    let text = match words {
        [word] if word == "-" => String::new(),
        words => words.join(" "),
    };
    let wants_input = words.len() == 1 && words[0] == "-";
    let images = images.iter().map(|image| image::embed(image, limit)).collect::<Result<Vec<_>, _>>()?;
    let input = if !io::stdin().is_terminal() || wants_input { input(limit)? } else { String::new() };
    if words.is_empty() && images.is_empty() && io::stdin().is_terminal() {
        return Err(Failure::usage("no question: give it as TEXT, or `-` to type it"));
    }
    let question = join([text, input].into_iter().chain(images));
    if question.is_empty() {
        return Err(Failure::usage("no question: give it as TEXT, or by standard input"));
    }
    Ok(question)
}

/// The parts that say something, with a blank line between each.
fn join(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// What standard input brings, without its last line break.
fn input(limit: usize) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let most = if limit == 0 { u64::MAX } else { limit as u64 + 1 };
    io::stdin().take(most).read_to_end(&mut bytes).map_err(|error| {
        Failure::usage(format!("cannot read the question from standard input: {}", words::system(&error)))
    })?;
    if limit != 0 && bytes.len() > limit {
        return Err(Failure::usage(format!(
            "the question on standard input is over the limit of {limit} bytes: --max-question SIZE allows more"
        )));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!("the question on standard input is not valid UTF-8 (byte {at})"))
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_a_blank_line_between_them() {
        let joined = |parts: &[&str]| join(parts.iter().map(|part| (*part).to_owned()));
        assert_eq!(joined(&["summarise this", "text"]), "summarise this\n\ntext");
        assert_eq!(joined(&["", "text", ""]), "text");
        assert_eq!(joined(&[]), "");
    }
}
