//! No key shows.

use chatnio_core::Auth;
use chatnio_core::rest::{self, Call};
use serde::Serialize;

use crate::recorded::{Visit, calls, visit};

const KEY: &str = "sk-SECRET";

struct Shows;

impl Visit for Shows {
    fn call<T: Serialize + std::fmt::Debug>(&mut self, call: Call<T>) {
        let request = call.request(&Auth::new(KEY), "/api").unwrap();
        assert!(!format!("{call:?} {request:?}").contains("SECRET"), "{}", call.name());
        // An answer with the key in every place where it does not belong.
        for body in [
            format!(
                r#"{{"key":5,"data":"{KEY}","quota":"{KEY}","user":["{KEY}"],"total_usage":"{KEY}","status":true}}"#
            ),
            format!(r#""{KEY}""#),
            format!(r#"["{KEY}",{{"{KEY}":"{KEY}"#),
            KEY.to_owned(),
        ] {
            if let Err(error) = call.decode(200, body.as_bytes()) {
                assert!(!format!("{error} {error:?}").contains("SECRET"), "{}: {error:?}", call.name());
            }
        }
    }
}

#[test]
fn a_key_shows_in_no_debug_and_no_error() {
    for (name, arguments) in calls() {
        visit(&name, &arguments, &mut Shows);
    }
}

#[test]
fn a_key_that_was_asked_for_is_handed_out_and_not_shown() {
    let body = format!(r#"{{"key":"{KEY}","status":true}}"#);
    let key = rest::api_key().decode(200, body.as_bytes()).unwrap();
    assert_eq!((key.expose(), format!("{key:?}").as_str()), (KEY, "ApiKey(sk-...)"));
}
