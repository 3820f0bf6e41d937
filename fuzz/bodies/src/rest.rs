//! The decoders of the companion calls: whatever comes, decoding ends, with a result or with an error that is bounded.

use chatnio::rest::{self, Call, Mask};
use serde::Serialize;

use crate::input::Input;

/// How many decoders there are.
pub const CALLS: u8 = 27;

/// The call, in a byte; the HTTP status, in two; and the body.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (call, status) = (input.byte(), input.short());
    decode(call, status, input.rest());
}

/// An answer to the call of that number.
fn decode(call: u8, status: u16, body: &[u8]) {
    match call % CALLS {
        0 => read(&rest::conversations(), status, body),
        1 => read(&rest::conversation(1), status, body),
        2 => read(&rest::delete_conversation(1), status, body),
        3 => read(&rest::rename_conversation(1, "a"), status, body),
        4 => read(&rest::share_conversation(1, &[-1]), status, body),
        5 => read(&rest::quota(), status, body),
        6 => read(&rest::subscription(), status, body),
        7 => read(&rest::package(), status, body),
        8 => read(&rest::buy(1), status, body),
        9 => read(&rest::subscribe(1, 1), status, body),
        10 => read(&rest::models(), status, body),
        11 => read(&rest::charges(), status, body),
        12 => read(&rest::shared_conversation("a"), status, body),
        13 => read(&rest::shares(), status, body),
        14 => read(&rest::delete_share("a"), status, body),
        15 => read(&rest::masks(), status, body),
        16 => read(&rest::save_mask(&Mask::new("a", Vec::new())), status, body),
        17 => read(&rest::delete_mask(1), status, body),
        18 => read(&rest::user(), status, body),
        19 => read(&rest::info(), status, body),
        20 => read(&rest::market(), status, body),
        21 => read(&rest::plans(), status, body),
        22 => read(&rest::billing_usage(), status, body),
        23 => read(&rest::billing_limits(), status, body),
        24 => read(&rest::api_key(), status, body),
        25 => read(&rest::invite("a"), status, body),
        _ => read(&rest::redeem("a"), status, body),
    }
}

fn read<T: Serialize>(call: &Call<T>, status: u16, body: &[u8]) {
    match call.decode(status, body) {
        Ok(result) => {
            assert!((200..300).contains(&status), "{status} is no success");
            let written = serde_json::to_string(&result).expect("every result can be written");
            let _: serde_json::Value = serde_json::from_str(&written).expect("and read");
        }
        Err(error) => {
            assert!(error.words().is_none_or(|words| words.len() <= 4 << 10));
            assert!(error.to_string().len() <= 5 << 10);
            assert!(error.code().chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        }
    }
}

/// The number of the call of that name.
pub fn number(name: &str) -> Option<u8> {
    let names = [
        "conversations",
        "conversation",
        "delete_conversation",
        "rename_conversation",
        "share_conversation",
        "quota",
        "subscription",
        "package",
        "buy",
        "subscribe",
        "models",
        "charges",
        "shared_conversation",
        "shares",
        "delete_share",
        "masks",
        "save_mask",
        "delete_mask",
        "user",
        "info",
        "market",
        "plans",
        "billing_usage",
        "billing_limits",
        "api_key",
        "invite",
        "redeem",
    ];
    let at = names.iter().position(|known| *known == name)?;
    u8::try_from(at).ok()
}
