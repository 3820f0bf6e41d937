//! The server inside this process, for those who try things out without one.

use std::io;

use chatnio_loopback::{Message, Options, Server};

/// Two conversations that seem to have been, so that there is something to list, show and continue.
const CONVERSATIONS: [(&str, [&str; 2]); 2] = [
    ("hello", ["hi", "Hello! How can I help?"]),
    ("gpt-3.5-turbo", ["What is a loopback server?", "A stand-in for a real one, on this machine."]),
];

/// Starts it, with the conversations of `key`.
pub(crate) fn start(key: &str) -> io::Result<Server> {
    let server = Server::start(Options::default())?;
    for (model, [question, answer]) in CONVERSATIONS {
        let messages = [("user", question), ("assistant", answer)];
        let messages = messages.map(|(role, text)| Message { role: role.to_owned(), content: text.to_owned() });
        server.world().store(key, model, messages.into());
    }
    Ok(server)
}
