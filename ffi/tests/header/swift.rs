//! The statuses of the header, as the cases of Swift's `ChatNioError.Code`.

use crate::{declarations, main_header, root, same_or_update};

const PATH: &str = "../bindings/swift/Sources/ChatNio/ErrorCode.swift";

const HEAD: &str = "\
// Made of ffi/include/chatnio.h by ffi/tests/header/swift.rs: do not edit.

import CChatNio

extension ChatNioError {
    /// The kinds of errors: every status of the library.
    public enum Code: Int32, Sendable, CaseIterable, CustomStringConvertible {
";

const TAIL: &str = "
        /// The status's name in the C library, such as `CHATNIO_BUSY`.
        public var description: String { String(cString: chatnio_status_name(rawValue)) }
    }
}
";

/// What is said before a band of statuses, by the first of it.
const BANDS: &[(&str, &str)] = &[
    ("AGAIN", "Not now, or not there: nothing is wrong."),
    ("INVALID", "The call cannot be: correct it. Nothing has changed."),
    ("MALFORMED", "In events: a message that could not be read."),
    ("REST_BAD_KEY", "A companion call has no result."),
    ("CLOSED", "The connection is over."),
    ("RESOLVE", "The connection could not be made."),
];

/// What means something else in Swift, or is called so: in the words of Swift.
const IN_SWIFT: &[(&str, &str)] = &[
    ("AGAIN", "There is nothing, or it did not come in time. Never thrown: calls answer nil instead."),
    ("INTERRUPTED", "A signal came while waiting. Never thrown: the client waits on."),
    (
        "UNDRAINED",
        "Input waits for its events to be taken, and more than may be held was added: take the events first. Nothing of it \
         was taken.",
    ),
    ("ABSENT", "What was asked for is not there. Seldom thrown: calls answer nil instead."),
    (
        "UNSENT",
        "What was requested before is not sent yet, and is over the limit (four times ``Configuration/Settings/maxRequest``). \
         The same request is fine once that went out.",
    ),
    ("INVALID", "An argument cannot be."),
    ("NOT_UTF8", "A text is not UTF-8. Swift's always are."),
    ("FROZEN", "The configuration is in use, and cannot be changed any more. Swift's are never changed."),
    ("BAD_TRANSCRIPT", "The transcript cannot be read: the message says in which line."),
    ("EMPTY_TOKEN", "The token is empty. To ask without an account there is ``Auth/anonymous``."),
    ("BAD_CONVERSATION", "Conversation ids are positive."),
    ("BAD_MASK", "A mask has at least one message."),
    ("BAD_PARAMETERS", "The request takes no such parameter, or is not for this call."),
    ("GIVEN_SOCKET", "The client was given its socket. Not with this package's client, which connects its own."),
    ("KNOWN_FIELD", "The name of an extra field is one of the protocol's own, which has a property."),
    ("REST_BAD_KEY", "The server does not know the key (HTTP 401)."),
    (
        "PANIC",
        "The library failed in itself, which is a bug. Nothing works any more on what it happened to; the message says what \
         and where.",
    ),
];

/// What Swift writes in capitals, unless a name begins with it.
const CAPITALS: &[&str] = &["HTTP", "TLS", "URL", "UTF8"];

/// `REST_BAD_KEY` as `restBadKey`.
fn case(name: &str) -> String {
    let mut case = String::new();
    for word in name.split('_') {
        if case.is_empty() {
            case += &word.to_lowercase();
        } else if CAPITALS.contains(&word) {
            case += word;
        } else {
            case += &word[..1];
            case += &word[1..].to_lowercase();
        }
    }
    // A word of the language.
    if case == "protocol" { "`protocol`".to_owned() } else { case }
}

/// Name, number and documentation of each status of the header that is one of an error.
fn statuses(header: &str) -> Vec<(String, i32, String)> {
    let (_, from) = header.split_once("typedef enum chatnio_status {").expect("the statuses");
    let (body, _) = from.split_once("} chatnio_status;").expect("their end");
    let constants = declarations(body).into_iter().filter_map(|(code, comment)| {
        let (name, number) = code.split_once(" = ")?;
        let words: Vec<_> = comment.split_whitespace().filter(|word| *word != "*").collect();
        Some((name.strip_prefix("CHATNIO_")?.to_owned(), number.parse().ok()?, words.join(" ")))
    });
    constants.filter(|(_, number, _)| *number != 0).collect()
}

/// The lines of a comment that says `text`.
fn comment(text: &str) -> String {
    let mut lines = vec!["        ///".to_owned()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= 120 => *line += &format!(" {word}"),
            _ => lines.push(format!("        /// {word}")),
        }
    }
    lines.join("\n") + "\n"
}

fn of<'t>(table: &[(&str, &'t str)], name: &str) -> Option<&'t str> {
    table.iter().find(|(of, _)| *of == name).map(|(_, text)| *text)
}

fn written(header: &str) -> String {
    let mut swift = HEAD.to_owned();
    for (name, number, text) in statuses(header) {
        if let Some(band) = of(BANDS, &name) {
            let gap = if swift.len() == HEAD.len() { "" } else { "\n" };
            swift += &format!("{gap}        // {band}\n\n");
        }
        let text = of(IN_SWIFT, &name).unwrap_or(&text);
        assert!(!["chatnio_", "CHATNIO_", "NULL"].iter().any(|c| text.contains(c)), "{name} in words of C: {text}");
        swift += &format!("{}        case {} = {number}\n", comment(text), case(&name));
    }
    swift + TAIL
}

#[test]
fn the_codes_of_swift_are_what_the_header_says() {
    same_or_update(&root().join(PATH), &written(&main_header()));
}

#[test]
fn what_is_said_of_a_status_is_of_one_that_is_there() {
    let header = main_header();
    let names: Vec<_> = statuses(&header).into_iter().map(|(name, ..)| name).collect();
    for (name, _) in BANDS.iter().chain(IN_SWIFT) {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
}

#[test]
fn a_new_status_is_a_case() {
    let header = main_header();
    let new = header.replace(
        "} chatnio_status;",
        "    /**\n     * New.\n     */\n    CHATNIO_BAD_URL_OF_HTTP = 5000,\n} chatnio_status;",
    );
    let made = "        /// New.\n        case badURLOfHTTP = 5000\n";
    assert_eq!(written(&new), written(&header).replace(TAIL, &format!("{made}{TAIL}")));
}
