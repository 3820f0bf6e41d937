//! What a line of a chat means.

/// A line that says something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    Ask(&'a str),
    Stop,
    Restart,
    New,
    Conversation(Option<&'a str>),
    Model(Option<&'a str>),
    System(Option<&'a str>),
    Help,
    Quit,
    /// No command, though it looks like one; why.
    Unknown(String),
}

/// The words that begin a command.
pub(crate) const NAMES: [&str; 9] =
    ["/conversation", "/exit", "/help", "/model", "/new", "/quit", "/restart", "/stop", "/system"];

impl<'a> Command<'a> {
    /// Reads a line; `None` for a blank one.
    pub(crate) fn parse(line: &'a str) -> Option<Self> {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            return None;
        }
        // As other programs of this kind take it.
        if matches!(line.trim_end(), "exit" | "quit") {
            return Some(Command::Quit);
        }
        if !line.starts_with('/') {
            return Some(Command::Ask(line));
        }
        let (name, rest) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
        let rest = Some(rest.trim()).filter(|rest| !rest.is_empty());
        Some(match (name, rest) {
            ("/conversation", id) => Command::Conversation(id),
            ("/model", name) => Command::Model(name),
            ("/system", text) => Command::System(text),
            ("/stop", None) => Command::Stop,
            ("/restart", None) => Command::Restart,
            ("/new", None) => Command::New,
            ("/help", None) => Command::Help,
            ("/quit" | "/exit", None) => Command::Quit,
            (name, Some(_)) if NAMES.contains(&name) => {
                Command::Unknown(format!("{name} takes nothing behind it; a space before it makes it a question"))
            }
            (name, _) => {
                Command::Unknown(format!("{name}: no such command, see /help; a space before it makes it a question"))
            }
        })
    }
}

/// A text's first line and the rest, where that is a command of one line. What was pasted together is taken as if line
/// after line was: the rest is often a question.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let (line, rest) = text.split_once('\n')?;
    let takes_one = match Command::parse(line)? {
        // Prompts have several lines. Behind the end nothing would be asked.
        Command::Ask(_) | Command::System(_) | Command::Quit | Command::Unknown(_) => false,
        _ => true,
    };
    (takes_one && !rest.trim().is_empty()).then_some((line, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command_or_a_question() {
        for (line, command) in [
            ("hi", Command::Ask("hi")),
            ("  two ", Command::Ask("  two ")),
            (" /stops at?", Command::Ask(" /stops at?")),
            (" exit", Command::Ask(" exit")),
            ("exit the room", Command::Ask("exit the room")),
            ("exit", Command::Quit),
            ("quit ", Command::Quit),
            ("/exit", Command::Quit),
            ("/quit", Command::Quit),
            ("/new", Command::New),
            ("/model", Command::Model(None)),
            ("/model  gpt-4 ", Command::Model(Some("gpt-4"))),
            ("/system Be brief.\nAnd kind.", Command::System(Some("Be brief.\nAnd kind."))),
            ("/conversation 5", Command::Conversation(Some("5"))),
        ] {
            assert_eq!(Command::parse(line), Some(command), "{line}");
        }
        assert_eq!(Command::parse(" \t"), None);
    }

    #[test]
    fn what_follows_a_command_of_one_line_is_a_text_of_its_own() {
        assert_eq!(split("/model gpt-4\nWhat is\nit?"), Some(("/model gpt-4", "What is\nit?")));
        assert_eq!(split("/new\n/model gpt-4\nhi"), Some(("/new", "/model gpt-4\nhi")));
        for whole in
            ["/model gpt-4", "/model gpt-4\n \n", "hi\n/new", "/system Be brief.\nAnd kind.", "/what\nis it", "\nhi"]
        {
            assert_eq!(split(whole), None, "{whole}");
        }
        let quit = "/quit\nhi";
        assert_eq!(split(quit), None);
        assert!(matches!(Command::parse(quit), Some(Command::Unknown(_))));
    }

    #[test]
    fn what_is_none_is_explained() {
        let why = |line| match Command::parse(line) {
            Some(Command::Unknown(why)) => why,
            command => panic!("{line}: {command:?}"),
        };
        assert!(why("/quit now").starts_with("/quit takes nothing behind it"));
        assert!(why("/what is it").starts_with("/what: no such command"));
    }

    #[test]
    fn every_name_is_a_command() {
        for name in NAMES {
            assert!(!matches!(Command::parse(name), Some(Command::Unknown(_) | Command::Ask(_))), "{name}");
        }
    }
}
