//! The companion HTTP calls (docs/rest.md): plain HTTP beside the WebSocket.

mod calls;
mod request;

use crate::options::Options;
use crate::world::World;

pub(crate) use request::{Incomplete, Request};

/// What can go wrong with all companion calls of a server, as it does with real ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Every call is throttled.
    Throttled,
    /// Every answer comes twice, in one body.
    TwoObjects,
    /// Every `data` is null.
    NullData,
    /// No key is good: calls with one get HTTP 401, and the chat goes on as anonymous (protocol.md, R1.8).
    BadKey,
    /// This address is black-listed.
    BlackListed,
    /// The server serves its web page, too: the calls and the chat are under `/api` alone, and any other path gets the
    /// page with HTTP 200 (protocol.md, R0.2 and R6.7).
    WebPage,
    /// What the server runs on is not there: HTTP 502 with a page of whatever stands before it.
    BadGateway,
}

/// What a real server serves at its root when its calls are under `/api`.
pub(crate) const PAGE: &str =
    "<!doctype html><html lang=\"en\"><head><title>Chat Nio</title></head><body><div id=\"root\"></div></body></html>";

/// The whole answer to a call, head and body. The connection ends with it.
pub(crate) fn answer(world: &World, options: &Options, request: &Request<'_>) -> String {
    world.count(|stats| stats.calls += 1);
    let (status, body) = faulty(world, options, request);
    let reason = match status {
        200 => "OK",
        401 => "Unauthorized",
        404 => "Not Found",
        502 => "Bad Gateway",
        _ => "Refused",
    };
    let content = if body.starts_with('<') { "text/html" } else { "application/json" };
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {content}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn faulty(world: &World, options: &Options, request: &Request<'_>) -> (u16, String) {
    let has = |fault| options.faults.contains(&fault);
    if has(Fault::BadGateway) {
        return (502, "<html><head><title>502 Bad Gateway</title></head></html>".to_owned());
    }
    if has(Fault::WebPage) && !request.under_api {
        return (200, PAGE.to_owned());
    }
    if has(Fault::BlackListed) {
        return (401, r#"{"code":403,"message":"ip in black list"}"#.to_owned());
    }
    if has(Fault::Throttled) {
        return (200, crate::Refusal::throttled_by(options.generation).body);
    }
    let (status, mut json) = calls::answer(world, options, request);
    if has(Fault::NullData)
        && let Some(data) = json.get_mut("data")
    {
        *data = serde_json::Value::Null;
    }
    let body = json.to_string();
    (status, if has(Fault::TwoObjects) { format!("{body}{body}") } else { body })
}
