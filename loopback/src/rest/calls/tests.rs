//! The server's answers are of the recorded kinds.

use super::*;
use crate::form::Message;
use crate::rest::{Fault, answer as whole};

const KEY: &str = "sk-a";

fn world() -> World {
    let world = World::new();
    let message = |role: &str, content: &str| Message { role: role.to_owned(), content: content.to_owned() };
    world.store(KEY, "hello", vec![message("user", "hi"), message("assistant", "Hello!")]);
    world.store(KEY, "slow", vec![message("user", "more")]);
    world
}

/// Asks; gives the status and the body.
fn ask(world: &World, options: &Options, method: &str, target: &str, key: &str, body: &str) -> (u16, String) {
    let authorization = if key.is_empty() { String::new() } else { format!("Authorization: Bearer {key}\r\n") };
    let head =
        format!("{method} {target} HTTP/1.1\r\nHost: h\r\n{authorization}Content-Length: {}\r\n\r\n", body.len());
    let text = format!("{head}{body}");
    let Ok(Some(request)) = Request::read(text.as_bytes(), head.len()) else { panic!("{target} is no call") };
    let answer = whole(world, options, &request);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn get(world: &World, target: &str) -> Value {
    let (status, body) = ask(world, &Options::default(), "GET", target, KEY, "");
    assert_eq!(status, 200);
    serde_json::from_str(&body).unwrap()
}

fn post(world: &World, target: &str, body: &Value) -> Value {
    serde_json::from_str(&ask(world, &Options::default(), "POST", target, KEY, &body.to_string()).1).unwrap()
}

#[test]
fn conversations_are_listed_loaded_renamed_and_deleted() {
    let world = world();
    let list = get(&world, "/conversation/list");
    assert_eq!((&list["data"][0]["id"], &list["data"][0]["name"]), (&json!(2), &json!("more")));
    assert_eq!(list["data"][1]["message"], Value::Null);
    assert_eq!(get(&world, "/conversation/load?id=1")["data"]["message"][1]["content"], "Hello!");
    assert_eq!(post(&world, "/conversation/rename", &json!({ "id": 1, "name": "x" }))["status"], true);
    assert_eq!(get(&world, "/api/conversation/load?id=1")["data"]["name"], "x");
    assert_eq!(get(&world, "/conversation/load?id=x")["message"], "invalid id");
    for (id, words) in [(1, ""), (1, "conversation not found"), (2, "")] {
        assert_eq!(get(&world, &format!("/conversation/delete?id={id}"))["message"], words);
    }
    assert_eq!(get(&world, "/conversation/list")["data"], Value::Null);
}

#[test]
fn shares_and_masks_come_and_go() {
    let world = world();
    let hash = post(&world, "/conversation/share", &json!({ "id": 1, "refs": [-1] }))["data"].clone();
    let hash = hash.as_str().unwrap();
    assert_eq!(get(&world, "/conversation/share/list")["data"][0]["hash"], hash);
    let open = ask(&world, &Options::default(), "GET", &format!("/conversation/view?hash={hash}"), "", "").1;
    assert!(open.contains(r#""username":"root""#), "{open}");
    get(&world, &format!("/conversation/share/delete?hash={hash}"));
    assert_eq!(get(&world, "/conversation/share/list")["data"], Value::Null);
    assert_eq!(get(&world, &format!("/conversation/view?hash={hash}"))["message"], "sql: no rows in result set");
    assert_eq!(post(&world, "/conversation/share", &json!({ "id": 77, "refs": [-1] }))["data"], NO_SHARE);

    post(&world, "/conversation/mask/save", &json!({ "id": -1, "name": "n", "context": [] }));
    post(&world, "/conversation/mask/save", &json!({ "id": 1, "name": "m", "context": [] }));
    assert_eq!(get(&world, "/conversation/mask/view")["data"], json!([{ "id": 1, "name": "m", "context": [] }]));
    post(&world, "/conversation/mask/delete", &json!({ "id": 1 }));
    assert_eq!(get(&world, "/conversation/mask/view")["data"], json!([]));
}

#[test]
fn every_call_is_there_and_says_who_may() {
    let world = world();
    let options = Options { bad_keys: vec!["sk-bad".into(), "bad.jwt".into()], ..Options::default() };
    for path in PATHS {
        for method in ["GET", "POST"] {
            let (status, body) = ask(&world, &options, method, path, KEY, "{}");
            let (bad, _) = ask(&world, &options, method, path, "sk-bad", "{}");
            assert_eq!(bad, if status == 200 { 401 } else { 404 }, "{method} {path}: {body}");
        }
    }
    for key in ["", "anonymous", "bad.jwt"] {
        assert!(ask(&world, &options, "GET", "/quota", key, "").1.contains("user not found"), "{key}");
        assert_eq!(ask(&world, &options, "GET", "/v1/models", key, "").0, 200);
    }
    assert_eq!(world.stats().calls, 27 * 4 + 6);
}

#[test]
fn the_oldest_servers_have_fewer_calls() {
    let (world, options) = (world(), Options::new(Generation::G2023));
    for path in NEWER {
        assert_eq!(ask(&world, &options, "GET", path, KEY, "").0, 404, "{path}");
    }
    assert!(ask(&world, &options, "GET", "/v1/models", KEY, "").1.starts_with("[\"anon\""));
}

#[test]
fn each_fault_is_what_it_says() {
    let world = world();
    let list = |fault, target: &str| {
        let options = Options { faults: vec![fault], ..Options::default() };
        ask(&world, &options, "GET", target, KEY, "")
    };
    assert!(list(Fault::Throttled, "/quota").1.contains("request_throttled"));
    assert_eq!(list(Fault::TwoObjects, "/quota").1, r#"{"quota":500.0,"status":true}{"quota":500.0,"status":true}"#);
    assert_eq!(list(Fault::NullData, "/conversation/list").1, r#"{"data":null,"message":"","status":true}"#);
    assert_eq!(list(Fault::BadKey, "/quota").0, 401);
    assert_eq!(list(Fault::BlackListed, "/quota"), (401, r#"{"code":403,"message":"ip in black list"}"#.to_owned()));
    assert!(list(Fault::WebPage, "/quota").1.starts_with("<!doctype html>"));
    assert!(list(Fault::WebPage, "/api/quota").1.starts_with('{'));
    assert_eq!(list(Fault::BadGateway, "/quota").0, 502);
}
