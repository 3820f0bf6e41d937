//! What the server of `serve` does wrong.

use chatnio_loopback::Fault;
use chatnio_loopback::faults::Fault as ChatFault;
use clap::ValueEnum;

/// A value of `--fault`.
#[derive(Clone)]
pub(crate) enum ServeFault {
    /// Print the names of all.
    List,
    /// Play all faults of the chat.
    All,
    /// A fault of the companion calls.
    Calls(CallFault),
    /// A fault of the chat.
    Chat(ChatFault),
}

pub(crate) fn parse(name: &str) -> Result<ServeFault, String> {
    if name == "list" {
        return Ok(ServeFault::List);
    }
    if name == "all" {
        return Ok(ServeFault::All);
    }
    if let Ok(kind) = CallFault::from_str(name, false) {
        return Ok(ServeFault::Calls(kind));
    }
    ChatFault::named(name).map(ServeFault::Chat).ok_or_else(|| "`--fault list` prints all names".to_owned())
}

/// What can go wrong with the companion calls.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum CallFault {
    /// Every call is throttled
    Throttled,
    /// Every answer comes twice, in one body
    TwoObjects,
    /// Every `data` is null
    NullData,
    /// No key is good: HTTP 401, and the chat is anonymous
    BadKey,
    /// This address is black-listed
    BlackListed,
    /// The web page is at the root: the calls and the chat are under /api
    WebPage,
    /// HTTP 502, with a page
    BadGateway,
}

impl From<CallFault> for Fault {
    fn from(kind: CallFault) -> Self {
        match kind {
            CallFault::Throttled => Fault::Throttled,
            CallFault::TwoObjects => Fault::TwoObjects,
            CallFault::NullData => Fault::NullData,
            CallFault::BadKey => Fault::BadKey,
            CallFault::BlackListed => Fault::BlackListed,
            CallFault::WebPage => Fault::WebPage,
            CallFault::BadGateway => Fault::BadGateway,
        }
    }
}
