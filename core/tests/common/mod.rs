//! What the property tests share.

// Each test file uses its part of this.
#![allow(dead_code)]

use std::fmt;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Runs `test` on the same `cases` values every time.
pub(crate) fn check<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(strategy, test) {
        panic!("{error}");
    }
}

/// The entries of a JSON object as `serde_json` reads them: in order, duplicates included.
#[derive(Debug)]
pub(crate) struct Entries(pub(crate) Vec<(String, Box<RawValue>)>);

impl Entries {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| &**name).collect()
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A JSON string: as it stands in the text, quotes included, and the UTF-16 units that it stands for.
#[derive(Debug, Clone)]
pub(crate) struct JsonString {
    pub(crate) raw: String,
    pub(crate) units: Vec<u16>,
}

impl JsonString {
    pub(crate) fn decoded(&self) -> String {
        String::from_utf16_lossy(&self.units)
    }
}

/// Strings of plain characters and of every kind of escape; unpaired surrogates only where `lone` allows them.
pub(crate) fn json_string(lone: bool) -> impl Strategy<Value = JsonString> {
    let plain = any::<char>().prop_filter_map("has to be escaped", |c| {
        let unescaped = !matches!(c, '"' | '\\' | '\0'..='\x1f');
        unescaped.then(|| (c.to_string(), c.encode_utf16(&mut [0; 2]).to_vec()))
    });
    let short = prop::sample::select(vec![
        ("\\\"", '"'),
        ("\\\\", '\\'),
        ("\\/", '/'),
        ("\\b", '\x08'),
        ("\\f", '\x0c'),
        ("\\n", '\n'),
        ("\\r", '\r'),
        ("\\t", '\t'),
    ])
    .prop_map(|(raw, c)| (raw.to_string(), vec![c as u16]));
    let escaped = any::<char>().prop_map(|c| {
        let units = c.encode_utf16(&mut [0; 2]).to_vec();
        (units.iter().map(|unit| format!("\\u{unit:04x}")).collect(), units)
    });
    let surrogates = prop_oneof![0xD800u16..=0xDFFF, any::<u16>()];
    let any_unit = surrogates.prop_map(|unit| (format!("\\u{unit:04X}"), vec![unit]));
    let weight = if lone { 2 } else { 0 };
    let piece = prop_oneof![4 => plain, 2 => short, 2 => escaped, weight => any_unit];
    prop::collection::vec(piece, 0..8).prop_map(|pieces: Vec<(String, Vec<u16>)>| {
        let (raw, units): (String, Vec<_>) = pieces.into_iter().unzip();
        JsonString { raw: format!("\"{raw}\""), units: units.concat() }
    })
}

/// Numbers of every form that JSON has, also beyond the range of a double.
pub(crate) fn json_number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "-?(0|[1-9][0-9]{0,19})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        1 => any::<i64>().prop_map(|n| n.to_string()),
        1 => any::<u64>().prop_map(|n| n.to_string()),
    ]
}

/// White space as JSON has it, mostly none.
pub(crate) fn space() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => "[ \t\r\n]{0,3}"]
}

/// Any JSON value, nested up to a few levels.
pub(crate) fn json_value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_string()),
        Just("true".to_string()),
        Just("false".to_string()),
        json_number(),
        json_string(true).prop_map(|string| string.raw),
    ];
    scalar.prop_recursive(4, 16, 4, |inner| {
        let item = (space(), inner.clone(), space()).prop_map(|(a, value, b)| a + &value + &b);
        let entry = (space(), json_string(false), space(), inner).prop_map(|(a, name, b, value)| {
            let name = name.raw;
            format!("{a}{name}{b}:{b}{value}{a}")
        });
        prop_oneof![
            (prop::collection::vec(item, 0..4), space()).prop_map(|(items, pad)| if items.is_empty() {
                format!("[{pad}]")
            } else {
                format!("[{}]", items.join(","))
            }),
            (prop::collection::vec(entry, 0..4), space()).prop_map(|(entries, pad)| if entries.is_empty() {
                format!("{{{pad}}}")
            } else {
                format!("{{{}}}", entries.join(","))
            }),
        ]
    })
}
