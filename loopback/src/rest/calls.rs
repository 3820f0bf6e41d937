//! What each call answers, in the recorded shapes.

use serde_json::{Value, json};

use super::Request;
use crate::generation::Generation;
use crate::options::Options;
use crate::world::World;

/// Every path that is a call's.
pub(super) const PATHS: [&str; 27] = [
    "/conversation/list",
    "/conversation/load",
    "/conversation/delete",
    "/conversation/rename",
    "/conversation/share",
    "/conversation/view",
    "/conversation/share/list",
    "/conversation/share/delete",
    "/conversation/mask/view",
    "/conversation/mask/save",
    "/conversation/mask/delete",
    "/quota",
    "/subscription",
    "/package",
    "/buy",
    "/subscribe",
    "/state",
    "/v1/models",
    "/v1/charge",
    "/v1/market",
    "/v1/plans",
    "/info",
    "/dashboard/billing/usage",
    "/dashboard/billing/subscription",
    "/apikey",
    "/invite",
    "/redeem",
];

/// Those of them that servers of 2023 do not have.
const NEWER: [&str; 8] = [
    "/conversation/rename",
    "/conversation/mask/view",
    "/conversation/mask/save",
    "/conversation/mask/delete",
    "/v1/charge",
    "/v1/market",
    "/v1/plans",
    "/info",
];

/// The quota of every key.
const QUOTA: f64 = 500.0;

/// The hash of a share of what is not there.
const NO_SHARE: &str = "00000000000000000000000000000000";

/// The built-in models.
const MODELS: [&str; 23] = [
    "anon",
    "cut",
    "drop",
    "err",
    "err429",
    "garbage",
    "gpt-3.5-turbo",
    "hello",
    "image",
    "latestart",
    "long",
    "none",
    "noprice",
    "nosuch",
    "notice",
    "paid",
    "parameters",
    "silent",
    "slow",
    "think",
    "tools",
    "unicode",
    "video",
];

/// The HTTP status and the JSON.
pub(super) fn answer(world: &World, options: &Options, request: &Request<'_>) -> (u16, Value) {
    let old = options.generation == Generation::G2023;
    let post = matches!(
        request.path,
        "/conversation/rename"
            | "/conversation/share"
            | "/conversation/mask/save"
            | "/conversation/mask/delete"
            | "/buy"
            | "/subscribe"
            | "/state"
    );
    if (old && NEWER.contains(&request.path)) || request.method != if post { "POST" } else { "GET" } {
        return (404, json!({ "message": "not found or method not allowed", "status": false }));
    }
    let key = request.key.filter(|key| !key.is_empty() && *key != "anonymous");
    let is_bad = key.is_some_and(|key| !options.accepts(key));
    if is_bad && key.is_some_and(|key| key.starts_with("sk-")) {
        return (401, json!({ "code": 401, "message": "Access denied. Please provide correct api key." }));
    }
    // A bad login token is as good as none.
    let body = match (open(options, request), key.filter(|_| !is_bad)) {
        (Some(body), _) => body,
        (None, Some(key)) => of_user(world, key, request),
        (None, None) if request.path == "/conversation/view" => view(world, request),
        (None, None) if request.path == "/state" => json!({ "admin": false, "status": false, "user": "" }),
        (None, None) => failed("user not found"),
    };
    (200, body)
}

/// What needs no key.
fn open(options: &Options, request: &Request<'_>) -> Option<Value> {
    let mut names: Vec<&str> = MODELS.iter().copied().chain(options.plans.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    Some(match request.path {
        "/v1/models" if options.generation == Generation::G2023 => json!(names),
        "/v1/models" => {
            let model = |id| json!({ "id": id, "object": "model", "created": 1_795_466_707, "owned_by": "system" });
            json!({ "object": "list", "data": names.into_iter().map(model).collect::<Vec<_>>() })
        }
        "/v1/charge" => {
            let input = if options.generation == Generation::G2026 { 0.01 } else { 0.03 };
            json!([{ "id": 1, "type": "token-billing", "models": names, "input": input, "output": 0.03, "anonymous": false }])
        }
        "/v1/market" => Value::Null,
        "/v1/plans" => json!([]),
        "/info" => {
            json!({ "title": "", "logo": "", "file": "", "docs": "", "announcement": "", "relay_plan": false })
        }
        _ => return None,
    })
}

/// What a user is answered.
fn of_user(world: &World, key: &str, request: &Request<'_>) -> Value {
    let form: Value = serde_json::from_slice(request.body).unwrap_or_default();
    let id = || request.query("id").parse().ok();
    match request.path {
        "/conversation/list" => with_data(world.list(key)),
        "/conversation/load" => match id().map(|id| world.load(key, id)) {
            None => failed("invalid id"),
            Some(None) => failed("conversation not found"),
            Some(Some(conversation)) => with_data(conversation),
        },
        "/conversation/delete" => match id() {
            None => failed("invalid id"),
            Some(id) => done(world.delete(key, id)),
        },
        "/conversation/rename" => {
            done(world.rename(key, form["id"].as_i64().unwrap_or(0), form["name"].as_str().unwrap_or_default()))
        }
        "/conversation/share" => {
            // A hash comes also for what is not there.
            let hash = world.share(key, form["id"].as_i64().unwrap_or(0));
            with_data(hash.unwrap_or_else(|| NO_SHARE.to_owned()).into())
        }
        "/conversation/view" => view(world, request),
        "/conversation/share/list" => with_data(world.shares(key)),
        "/conversation/share/delete" => {
            world.unshare(key, &request.query("hash"));
            done(true)
        }
        "/conversation/mask/view" => json!({ "status": true, "data": world.masks(key), "error": "" }),
        "/conversation/mask/save" => {
            world.save_mask(key, form);
            json!({ "status": true, "error": "" })
        }
        "/conversation/mask/delete" => {
            world.delete_mask(key, form["id"].as_i64().unwrap_or(0));
            json!({ "status": true, "error": "" })
        }
        "/quota" => json!({ "quota": QUOTA, "status": true }),
        "/subscription" => json!({
            "enterprise": false, "expired": 0, "is_subscribed": false, "level": 0, "status": true, "usage": {},
        }),
        "/package" => json!({ "data": null, "status": true }),
        "/buy" => json!({ "error": "cannot find payment provider", "status": false }),
        "/subscribe" => json!({ "error": "subscription feature does not enable of this site", "status": false }),
        "/state" => json!({ "admin": true, "status": true, "user": "root" }),
        "/dashboard/billing/usage" => json!({ "object": "list", "total_usage": 0.0 }),
        "/dashboard/billing/subscription" => {
            json!({ "object": "billing_subscription", "soft_limit": QUOTA * 100.0, "hard_limit": QUOTA * 100.0 })
        }
        "/apikey" => json!({ "key": key, "status": true }),
        "/invite" => json!({ "error": "invitation code not found", "quota": 0, "status": false }),
        _ => json!({ "error": "redeem code not found", "quota": 0, "status": false }),
    }
}

fn view(world: &World, request: &Request<'_>) -> Value {
    world.view(&request.query("hash")).map_or_else(|| failed("sql: no rows in result set"), with_data)
}

fn with_data(data: Value) -> Value {
    json!({ "data": data, "message": "", "status": true })
}

fn done(found: bool) -> Value {
    if found { json!({ "message": "", "status": true }) } else { failed("conversation not found") }
}

fn failed(message: &str) -> Value {
    json!({ "message": message, "status": false })
}

#[cfg(test)]
mod tests;
