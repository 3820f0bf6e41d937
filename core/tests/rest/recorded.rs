//! Every recorded answer of rest/answers.txt gives the result that stands there.

use chatnio_core::Auth;
use chatnio_core::rest::{self, Call, Error, Mask, Message};
use serde::Serialize;
use serde_json::Value;

/// What is done with a call, whatever it answers.
pub(crate) trait Visit {
    fn call<T: Serialize + std::fmt::Debug>(&mut self, call: Call<T>);
}

/// Makes the call of that name.
pub(crate) fn visit(name: &str, arguments: &Value, visit: &mut impl Visit) {
    let integer = |name: &str| arguments[name].as_i64().unwrap();
    let text = |name: &str| arguments[name].as_str().unwrap();
    match name {
        "conversations" => visit.call(rest::conversations()),
        "conversation" => visit.call(rest::conversation(integer("id"))),
        "delete_conversation" => visit.call(rest::delete_conversation(integer("id"))),
        "rename_conversation" => visit.call(rest::rename_conversation(integer("id"), text("name"))),
        "share_conversation" => {
            let messages: Vec<i64> = serde_json::from_value(arguments["messages"].clone()).unwrap();
            visit.call(rest::share_conversation(integer("id"), &messages));
        }
        "quota" => visit.call(rest::quota()),
        "subscription" => visit.call(rest::subscription()),
        "package" => visit.call(rest::package()),
        "buy" => visit.call(rest::buy(integer("quota"))),
        "subscribe" => visit.call(rest::subscribe(integer("level"), integer("months"))),
        "models" => visit.call(rest::models()),
        "charges" => visit.call(rest::charges()),
        "shared_conversation" => visit.call(rest::shared_conversation(text("hash"))),
        "shares" => visit.call(rest::shares()),
        "delete_share" => visit.call(rest::delete_share(text("hash"))),
        "masks" => visit.call(rest::masks()),
        "save_mask" => {
            let messages: Vec<(String, String)> = serde_json::from_value(arguments["messages"].clone()).unwrap();
            let messages = messages.into_iter().map(|(role, content)| Message::new(role, content)).collect();
            visit.call(rest::save_mask(&Mask::new(text("name"), messages)));
        }
        "delete_mask" => visit.call(rest::delete_mask(integer("id"))),
        "user" => visit.call(rest::user()),
        "info" => visit.call(rest::info()),
        "market" => visit.call(rest::market()),
        "plans" => visit.call(rest::plans()),
        "billing_usage" => visit.call(rest::billing_usage()),
        "billing_limits" => visit.call(rest::billing_limits()),
        "api_key" => visit.call(rest::api_key()),
        "invite" => visit.call(rest::invite(text("code"))),
        "redeem" => visit.call(rest::redeem(text("code"))),
        name => panic!("there is no call {name}"),
    }
}

/// All calls, each with the arguments that the file has for it.
pub(crate) fn calls() -> Vec<(String, Value)> {
    let calls = ANSWERS.lines().filter_map(|line| line.strip_prefix("CALL ")).map(|line| {
        let (name, arguments) = line.split_once(' ').unwrap();
        (name.to_owned(), serde_json::from_str(arguments).unwrap())
    });
    calls.collect()
}

const ANSWERS: &str = include_str!("../../../rest/answers.txt");

/// Writes the lines of one call anew.
struct Writer<'a> {
    lines: &'a [&'a str],
    out: String,
}

impl Visit for Writer<'_> {
    fn call<T: Serialize + std::fmt::Debug>(&mut self, call: Call<T>) {
        for line in self.lines {
            if line.starts_with("> ") {
                let request = call.request(&Auth::anonymous(), "").unwrap();
                let body = request.body.map(|body| format!(" {body}")).unwrap_or_default();
                self.out += &format!("> {} {}{body}\n", request.method, request.target);
            } else if let Some(answer) = line.strip_prefix("< ") {
                let (status, body) = answer.split_once(' ').unwrap();
                self.out += &format!("{line}\n{}\n", outcome(&call, status.parse().unwrap(), body.as_bytes()));
            } else if line.starts_with("//") {
                self.out += &format!("{line}\n");
            }
        }
    }
}

fn outcome<T: Serialize>(call: &Call<T>, status: u16, body: &[u8]) -> String {
    match call.decode(status, body) {
        Ok(result) => format!("= {}", serde_json::to_string(&result).unwrap()),
        Err(error) => {
            let words = error.words().map(|words| format!(" {words}")).unwrap_or_default();
            format!("! {}{words}", error.code())
        }
    }
}

#[test]
fn every_answer_is_read_as_it_stands_in_the_file() {
    for section in ANSWERS.split("\n\n").filter(|section| section.starts_with("CALL ")) {
        let lines: Vec<&str> = section.lines().collect();
        let (name, arguments) = lines[0]["CALL ".len()..].split_once(' ').unwrap();
        let mut writer = Writer { lines: &lines[1..], out: String::new() };
        visit(name, &serde_json::from_str(arguments).unwrap(), &mut writer);
        assert_eq!(format!("{}\n{}", lines[0], writer.out).trim_end(), section.trim_end());
    }
}

#[test]
fn every_call_has_its_name_and_is_in_the_file_once() {
    struct Name(Vec<&'static str>);
    impl Visit for Name {
        fn call<T: Serialize + std::fmt::Debug>(&mut self, call: Call<T>) {
            self.0.push(call.name());
        }
    }
    let mut names = Name(Vec::new());
    let calls = calls();
    for (name, arguments) in &calls {
        visit(name, arguments, &mut names);
        assert_eq!(names.0.last(), Some(&name.as_str()));
    }
    let mut once = names.0.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!((once.len(), names.0.len()), (27, 27));
}

#[test]
fn only_what_reads_may_be_repeated() {
    struct Repeatable(bool);
    impl Visit for Repeatable {
        fn call<T: Serialize + std::fmt::Debug>(&mut self, call: Call<T>) {
            self.0 = call.is_repeatable();
        }
    }
    let changing = [
        "delete_conversation",
        "rename_conversation",
        "share_conversation",
        "buy",
        "subscribe",
        "delete_share",
        "save_mask",
        "delete_mask",
        "invite",
        "redeem",
    ];
    for (name, arguments) in calls() {
        let mut repeatable = Repeatable(false);
        visit(&name, &arguments, &mut repeatable);
        assert_eq!(repeatable.0, !changing.contains(&name.as_str()), "{name}");
    }
    let retryable = |status, body: &str| rest::quota().decode(status, body.as_bytes()).unwrap_err().is_retryable();
    assert!(retryable(503, "") && retryable(200, r#"{"error":"request_throttled","status":false}"#));
    assert!(!retryable(500, "") && !retryable(401, r#"{"code":401}"#));
}

#[test]
fn a_prefix_goes_before_every_path() {
    for (call, target) in [
        (rest::conversation(29).request(&Auth::anonymous(), "/api"), "/api/conversation/load?id=29"),
        (rest::quota().request(&Auth::anonymous(), "/api/"), "/api/quota"),
    ] {
        assert_eq!(call.unwrap().target, target);
    }
}

#[test]
fn errors_say_what_to_do() {
    let text = |status, body: &str| rest::quota().decode(status, body.as_bytes()).unwrap_err().to_string();
    assert!(text(200, "<html>").contains("/api"));
    assert!(text(302, "").contains("redirect"));
    assert!(text(401, r#"{"code":403,"message":"ip in black list"}"#).contains("20 minutes"));
    let malformed = Error::Malformed { problem: "the field `quota` is not a number".into() };
    assert_eq!(text(200, r#"{"quota":"SECRET","status":true}"#), malformed.to_string());
}
