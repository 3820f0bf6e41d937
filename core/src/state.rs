//! `State`, and every way from one to another: the one table that a [`Session`](crate::Session) goes by.

use core::fmt;

use crate::names::names;

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// No turn runs: any request is welcome.
    Idle,
    /// A request was sent, and no frame of the answer has come.
    Asking,
    /// The answer is coming in: its opener, or its first piece, has come.
    Answering,
    /// A stop was sent, and the end has not come.
    Stopping,
    /// The turn was interrupted by a deadline or a limit, and the server has not ended it: requests are refused as
    /// busy, and its frames are strays. A host that will not wait reconnects.
    Draining,
    /// The connection is gone, or the server has sent on it what cannot be (protocol.md, R5.13). Every call is inert until
    /// [`Session::reconnect`](crate::Session::reconnect).
    Closed,
}

/// What can happen to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// The host asks: a chat or a restart.
    Ask,
    /// The host makes a request that has no answer.
    Tell,
    /// The host stops the answer.
    Stop,
    /// The turn's opener comes.
    Opener,
    /// Another frame of the turn comes.
    Piece,
    /// The frame comes that ends the turn.
    End,
    /// A frame comes that belongs to no turn.
    Stray,
    /// A frame comes that cannot be.
    OutOfPlace,
    /// A message comes that cannot be read.
    Unreadable,
    /// A message or the answer goes over its limit.
    TooLong,
    /// A deadline of the turn passes.
    Late,
    /// It is time to send the stop again.
    Repeat,
    /// The connection was silent for long.
    Silence,
    /// The connection is gone.
    Close,
    /// The host has a new connection.
    Reconnect,
}

/// Which event comes of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tells {
    /// None: the call returns nothing.
    Nothing,
    /// None: the request is refused as busy.
    Busy,
    /// None: everything is refused.
    Closed,
    Opened,
    Delta,
    End,
    Stray,
    Malformed,
    StopRepeated,
    KeepAlive,
}

/// Which message is sent for an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sends {
    Nothing,
    /// The request itself; the authentication before it, if it has not gone out.
    Request,
    Stop,
    Ping,
}

/// One row of the table: where an input leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) next: State,
    pub(crate) tells: Tells,
    pub(crate) sends: Sends,
}

names! {
    impl State {
        /// Every state, in the order of a turn's life.
        pub ALL;
        /// `idle`, `asking`, `answering`, `stopping`, `draining` or `closed`.
        pub name;
        Idle => "idle",
        Asking => "asking",
        Answering => "answering",
        Stopping => "stopping",
        Draining => "draining",
        Closed => "closed",
    }
}

#[cfg(test)]
names! {
    impl Input {
        /// Every input, in the order of the table.
        ALL;
        /// As the table calls it.
        name;
        Ask => "ask",
        Tell => "tell",
        Stop => "stop",
        Opener => "opener",
        Piece => "piece",
        End => "end",
        Stray => "stray",
        OutOfPlace => "out of place",
        Unreadable => "unreadable",
        TooLong => "too long",
        Late => "late",
        Repeat => "repeat",
        Silence => "silence",
        Close => "close",
        Reconnect => "reconnect",
    }
}

impl State {
    /// Whether a turn runs, whose end the host has not had.
    pub(crate) fn runs(self) -> bool {
        matches!(self, State::Asking | State::Answering | State::Stopping)
    }

    /// The table.
    #[inline(always)]
    pub(crate) fn on(self, input: Input) -> Row {
        use State::*;
        let (next, tells, sends) = match (self, input) {
            // The host.
            (Closed, Input::Reconnect) | (Idle | Draining, Input::Reconnect) => (Idle, Tells::Nothing, Sends::Nothing),
            (_, Input::Reconnect) => (Idle, Tells::End, Sends::Nothing),
            (Closed, _) => (Closed, Tells::Closed, Sends::Nothing),
            (Idle, Input::Ask) => (Asking, Tells::Nothing, Sends::Request),
            (Idle, Input::Tell) => (Idle, Tells::Nothing, Sends::Request),
            (_, Input::Ask | Input::Tell) => (self, Tells::Busy, Sends::Nothing),
            (Asking | Answering, Input::Stop) => (Stopping, Tells::Nothing, Sends::Stop),
            (_, Input::Stop) => (self, Tells::Nothing, Sends::Nothing),
            // The server.
            (Asking, Input::Opener) => (Answering, Tells::Opened, Sends::Nothing),
            (Stopping, Input::Opener) => (Stopping, Tells::Opened, Sends::Nothing),
            // Nobody knows what it answers from here on.
            (Asking | Stopping, Input::OutOfPlace) | (Answering, Input::Opener | Input::OutOfPlace) => {
                (Closed, Tells::End, Sends::Nothing)
            }
            (Idle, Input::Opener | Input::OutOfPlace) | (Draining, Input::OutOfPlace) => {
                (Closed, Tells::Stray, Sends::Nothing)
            }
            (Asking | Answering, Input::Piece) => (Answering, Tells::Delta, Sends::Nothing),
            (Stopping, Input::Piece) => (Stopping, Tells::Delta, Sends::Nothing),
            (Asking | Answering | Stopping, Input::End) => (Idle, Tells::End, Sends::Nothing),
            (Draining, Input::End) => (Idle, Tells::Stray, Sends::Nothing),
            (_, Input::Opener | Input::Piece | Input::End | Input::Stray) => (self, Tells::Stray, Sends::Nothing),
            (_, Input::Unreadable) => (self, Tells::Malformed, Sends::Nothing),
            (Asking | Answering, Input::TooLong) => (Draining, Tells::End, Sends::Stop),
            (Stopping, Input::TooLong) => (Draining, Tells::End, Sends::Nothing),
            (_, Input::TooLong) => (self, Tells::Malformed, Sends::Nothing),
            // Time.
            (Asking | Answering, Input::Late) => (Draining, Tells::End, Sends::Stop),
            (Stopping, Input::Late) => (Draining, Tells::End, Sends::Nothing),
            (Stopping | Draining, Input::Repeat) => (self, Tells::StopRepeated, Sends::Stop),
            (_, Input::Late | Input::Repeat) => (self, Tells::Nothing, Sends::Nothing),
            (_, Input::Silence) => (self, Tells::KeepAlive, Sends::Ping),
            // The connection.
            (Asking | Answering | Stopping, Input::Close) => (Closed, Tells::End, Sends::Nothing),
            (_, Input::Close) => (Closed, Tells::Nothing, Sends::Nothing),
        };
        Row { next, tells, sends }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_docs::assert_shown;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    fn tells(tells: Tells) -> &'static str {
        match tells {
            Tells::Nothing => "-",
            Tells::Busy => "busy",
            Tells::Closed => "closed",
            Tells::Opened => "opened",
            Tells::Delta => "delta",
            Tells::End => "end",
            Tells::Stray => "stray",
            Tells::Malformed => "malformed",
            Tells::StopRepeated => "stop repeated",
            Tells::KeepAlive => "keep-alive",
        }
    }

    fn sends(sends: Sends) -> &'static str {
        match sends {
            Sends::Nothing => "-",
            Sends::Request => "request",
            Sends::Stop => "stop",
            Sends::Ping => "ping",
        }
    }

    fn table() -> String {
        let mut text =
            String::from("| state | input | next state | event | sends |\n| --- | --- | --- | --- | --- |\n");
        for state in State::ALL {
            for input in Input::ALL {
                let row = state.on(input);
                let (tells, sends) = (tells(row.tells), sends(row.sends));
                text += &format!("| {state} | {} | {} | {tells} | {sends} |\n", input.name(), row.next);
            }
        }
        text
    }

    fn diagram() -> String {
        let mut text = String::from(
            "# The states of a session\n\n\
             Drawn from the table in `core/src/state.rs` by its test: what leads from one state to another. What leads\n\
             nowhere, and which event and message comes of each input, the table in the docs of `chatnio-core` tells.\n\n\
             ```mermaid\nstateDiagram-v2\n    [*] --> idle\n",
        );
        for from in State::ALL {
            for to in State::ALL {
                let inputs = Input::ALL.into_iter().filter(|input| from != to && from.on(*input).next == to);
                let names: Vec<_> = inputs.map(Input::name).collect();
                if !names.is_empty() {
                    text += &format!("    {from} --> {to}: {}\n", names.join(", "));
                }
            }
        }
        text + "```\n"
    }

    #[test]
    fn the_docs_show_the_table() {
        assert_shown("src/states.md", &table());
        assert_shown("../docs/states.md", &diagram());
    }

    #[test]
    fn a_closed_session_is_inert() {
        for input in Input::ALL {
            let row = State::Closed.on(input);
            let is_inert = row.next == State::Closed && row.sends == Sends::Nothing;
            assert_eq!(is_inert, input != Input::Reconnect, "{}", input.name());
        }
    }
}
