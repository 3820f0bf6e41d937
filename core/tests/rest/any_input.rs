//! Whatever comes, decoding ends, with a result or with an error that is bounded.

use chatnio_core::rest::Call;
use proptest::prelude::*;
use serde::Serialize;

use crate::recorded::{Visit, calls, visit};

/// The same input to every call; the fuzz target `rest` gives it to one.
fn decode_any(status: u16, body: &[u8]) {
    struct Decode<'a>(u16, &'a [u8]);
    impl Visit for Decode<'_> {
        fn call<T: Serialize + std::fmt::Debug>(&mut self, call: Call<T>) {
            let Decode(status, body) = *self;
            match call.decode(status, body) {
                Ok(result) => {
                    assert!((200..300).contains(&status), "{status} is no success");
                    let written = serde_json::to_string(&result).expect("every result can be written");
                    let _: serde_json::Value = serde_json::from_str(&written).expect("and read");
                }
                Err(error) => {
                    assert!(error.words().is_none_or(|words| words.len() <= 4 << 10));
                    assert!(error.to_string().len() <= 5 << 10);
                }
            }
        }
    }
    for (name, arguments) in calls() {
        visit(&name, &arguments, &mut Decode(status, body));
    }
}

/// JSON that looks like an answer: known fields with values of any type.
fn answer() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "data",
        "status",
        "message",
        "error",
        "reason",
        "code",
        "id",
        "name",
        "quota",
        "usage",
        "key",
        "user",
        "hash",
        "models",
        "context",
        "messages",
        "role",
        "content",
        "level",
        "used",
        "object",
        "enable_web",
        "total_usage",
    ]);
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON has no others", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        "[a-z \u{e9}]{0,8}".prop_map(|text| format!("\"{text}\"")),
        Just(r#""conversation not found""#.to_owned()),
        Just(r#""request_throttled""#.to_owned()),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        let fields = prop::collection::vec((name.clone(), inner.clone()), 0..6);
        let object = fields.prop_map(|fields| {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", fields.join(","))
        });
        let list = prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(",")));
        prop_oneof![3 => object, 1 => list]
    })
}

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![4 => Just(200), 1 => Just(401), 1 => any::<u16>()]
}

proptest! {
    #[test]
    fn any_bytes(status in status(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        decode_any(status, &body);
    }

    #[test]
    fn any_answer(status in status(), body in answer(), again in any::<bool>(), cut in any::<prop::sample::Index>()) {
        decode_any(status, body.as_bytes());
        let body = if again { format!("{body}{body}") } else { body };
        decode_any(status, &body.as_bytes()[..cut.index(body.len() + 1)]);
    }
}

#[test]
fn a_body_that_nests_too_deeply_is_an_error() {
    decode_any(200, "[".repeat(100_000).as_bytes());
    decode_any(200, format!("{}1{}", "[".repeat(1000), "]".repeat(1000)).as_bytes());
}
