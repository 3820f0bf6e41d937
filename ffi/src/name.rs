//! The names of constants, as event logs and messages have them.

use std::ffi::{CStr, c_char};

use crate::event::chatnio_conversation_kind::*;
use crate::event::chatnio_event_kind::*;
use crate::event::chatnio_interruption::*;
use crate::event::chatnio_outcome::*;
use crate::event::chatnio_state::*;
use crate::request::chatnio_request_type::*;

/// The names of one enum's constants, by number.
macro_rules! name {
    ($number:expr; $($constant:ident $name:literal)*) => {{
        const NAMES: &[(i32, &CStr)] = &[$(($constant as i32, $name)),*];
        let found = NAMES.iter().find(|(constant, _)| *constant == $number);
        found.map_or(c"unknown", |(_, name)| name).as_ptr()
    }};
}

/// The name of a kind of event (`chatnio_event_kind`), such as "delta"; "unknown" for any other number.
///
/// NUL-terminated and never freed. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_event_kind_name(kind: i32) -> *const c_char {
    name! { kind;
        CHATNIO_EVENT_NONE c"none"
        CHATNIO_EVENT_OPEN c"open"
        CHATNIO_EVENT_OPENED c"opened"
        CHATNIO_EVENT_DELTA c"delta"
        CHATNIO_EVENT_END c"end"
        CHATNIO_EVENT_STRAY c"stray"
        CHATNIO_EVENT_MALFORMED c"malformed"
        CHATNIO_EVENT_STOP_REPEATED c"stop repeated"
        CHATNIO_EVENT_KEEP_ALIVE c"keep alive"
        CHATNIO_EVENT_CLOSED c"closed"
    }
}

/// The name of a request's type (`chatnio_request_type`), as the protocol has it, such as "chat"; "unknown" for any
/// other number.
///
/// NUL-terminated and never freed. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_request_type_name(request_type: i32) -> *const c_char {
    name! { request_type;
        CHATNIO_REQUEST_CHAT c"chat"
        CHATNIO_REQUEST_RESTART c"restart"
        CHATNIO_REQUEST_STOP c"stop"
        CHATNIO_REQUEST_SHARE c"share"
        CHATNIO_REQUEST_MASK c"mask"
        CHATNIO_REQUEST_EDIT c"edit"
        CHATNIO_REQUEST_REMOVE c"remove"
    }
}

/// The name of an outcome (`chatnio_outcome`), such as "complete"; "unknown" for any other number.
///
/// NUL-terminated and never freed. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_outcome_name(outcome: i32) -> *const c_char {
    name! { outcome;
        CHATNIO_OUTCOME_NONE c"none"
        CHATNIO_OUTCOME_COMPLETE c"complete"
        CHATNIO_OUTCOME_STOPPED c"stopped"
        CHATNIO_OUTCOME_NOTICE c"notice"
        CHATNIO_OUTCOME_INTERRUPTED c"interrupted"
    }
}

/// The name of an interruption (`chatnio_interruption`), such as "first frame deadline"; "unknown" for any other number.
///
/// NUL-terminated and never freed. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_interruption_name(interruption: i32) -> *const c_char {
    name! { interruption;
        CHATNIO_INTERRUPTION_NONE c"none"
        CHATNIO_INTERRUPTION_FIRST_FRAME_DEADLINE c"first frame deadline"
        CHATNIO_INTERRUPTION_NEXT_FRAME_DEADLINE c"next frame deadline"
        CHATNIO_INTERRUPTION_AFTER_STOP_DEADLINE c"after stop deadline"
        CHATNIO_INTERRUPTION_MESSAGE_TOO_LONG c"message too long"
        CHATNIO_INTERRUPTION_ANSWER_TOO_LONG c"answer too long"
        CHATNIO_INTERRUPTION_CLOSED_BY_SERVER c"closed by server"
        CHATNIO_INTERRUPTION_CONNECTION_LOST c"connection lost"
        CHATNIO_INTERRUPTION_CLOSED_BY_HOST c"closed by host"
        CHATNIO_INTERRUPTION_RECONNECTED c"reconnected"
        CHATNIO_INTERRUPTION_ANSWER_DEADLINE c"answer deadline"
        CHATNIO_INTERRUPTION_NOT_CONNECTED c"not connected"
        CHATNIO_INTERRUPTION_PROTOCOL_BROKEN c"protocol broken"
        CHATNIO_INTERRUPTION_INVALID_UTF8 c"invalid utf8"
        CHATNIO_INTERRUPTION_UNRESPONSIVE c"unresponsive"
        CHATNIO_INTERRUPTION_TLS_FAILED c"tls failed"
    }
}

/// The name of what is known of a conversation (`chatnio_conversation_kind`), such as "resumed"; "unknown" also for any
/// other number.
///
/// NUL-terminated and never freed. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_conversation_kind_name(kind: i32) -> *const c_char {
    name! { kind;
        CHATNIO_CONVERSATION_UNKNOWN c"unknown"
        CHATNIO_CONVERSATION_NEW c"new"
        CHATNIO_CONVERSATION_RESUMED c"resumed"
        CHATNIO_CONVERSATION_REPLACED c"replaced"
    }
}

/// The name of a state (`chatnio_state`), such as "idle"; "unknown" for any other number.
///
/// NUL-terminated and never freed. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_state_name(state: i32) -> *const c_char {
    name! { state;
        CHATNIO_STATE_IDLE c"idle"
        CHATNIO_STATE_ASKING c"asking"
        CHATNIO_STATE_ANSWERING c"answering"
        CHATNIO_STATE_STOPPING c"stopping"
        CHATNIO_STATE_DRAINING c"draining"
        CHATNIO_STATE_CLOSED c"closed"
    }
}

#[cfg(test)]
mod tests {
    use chatnio_core::{Interruption, Outcome, RequestKind, State};

    use super::*;
    use crate::event::{interruption_of, outcome_of, state_of, type_of};

    /// The names of all the core's values, by their numbers here.
    fn are_the_cores<T: Copy>(
        all: &[T],
        number: impl Fn(T) -> i32,
        name: extern "C" fn(i32) -> *const c_char,
        of_core: impl Fn(T) -> &'static str,
    ) {
        for value in all {
            // SAFETY: it is NUL-terminated, and never freed.
            let name = unsafe { CStr::from_ptr(name(number(*value))) };
            assert_eq!(name.to_str(), Ok(of_core(*value)));
        }
    }

    #[test]
    fn names_are_those_of_the_core() {
        are_the_cores(&State::ALL, state_of, chatnio_state_name, State::name);
        are_the_cores(&RequestKind::ALL, type_of, chatnio_request_type_name, RequestKind::name);
        are_the_cores(&Interruption::ALL, interruption_of, chatnio_interruption_name, Interruption::name);
        are_the_cores(&Outcome::ALL, |outcome| outcome_of(Some(outcome)).0, chatnio_outcome_name, Outcome::name);
    }
}
