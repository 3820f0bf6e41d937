//! HTTP answers that refuse the WebSocket: however they come they end in the same error, which is bounded, and which shows
//! nothing of the URL's query, also where the server repeats that.

use chatnio::ConnectionEnd;

use crate::connection::{Ending, Script, replace};
use crate::input::Input;

const URL: &str = "ws://localhost/chat?key=s3cr%26tv4lue&b=tiny";

/// What must not show, and what an input has in its place.
const SECRETS: [(&[u8], &str); 4] = [
    (b"{value}", "s3cr&tv4lue"),
    (b"{query}", "key=s3cr%26tv4lue&b=tiny"),
    (b"{raw}", "s3cr%26tv4lue"),
    // As Go writes it in JSON.
    (b"{json}", "s3cr\\u0026tv4lue"),
];

/// What a body may be of 64 KiB, each of them U+FFFD.
const MAX_BODY: usize = 3 * (64 << 10);

/// The status; headers, whose names are numbers; how the body is framed; and the body.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let sizes: Vec<usize> = input.bytes().iter().map(|size| usize::from(*size) + 1).collect();
    let script = Script {
        url: URL,
        proxy: None,
        asks: true,
        max_message: 0,
        from_proxy: &[],
        greets: false,
        from_server: &answer(&mut input),
        ending: Ending::Eof,
    };
    let Some(ConnectionEnd::Lost(error)) = script.play_split(&sizes) else {
        panic!("it is open, or never ends");
    };
    let (shown, debug) = (error.to_string(), format!("{error:?}"));
    // As `Debug` writes it, too.
    for secret in SECRETS.iter().flat_map(|(_, secret)| [(*secret).to_owned(), secret.replace('\\', "\\\\")]) {
        assert!(!shown.contains(&secret) && !debug.contains(&secret), "{debug}");
    }
    assert!(shown.len() <= MAX_BODY + 3000, "{} bytes", shown.len());
    let Some(refusal) = error.refusal() else { return };
    assert!(refusal.body.len() <= MAX_BODY, "{} bytes", refusal.body.len());
    for text in [&refusal.location, &refusal.www_authenticate].into_iter().flatten() {
        assert!(!text.contains(char::is_control) && text.chars().count() <= 2000, "{text:?}");
    }
    assert!(refusal.reason.as_ref().is_none_or(|reason| !reason.is_empty()));
}

fn answer(input: &mut Input<'_>) -> Vec<u8> {
    let status = match input.byte() {
        // Interim answers, before another one.
        99 => 103,
        small @ ..100 => {
            [200, 301, 401, 403, 404, 407, 426, 429, 500, 502, 503, 504, 101, 204][usize::from(small) % 14]
        }
        other => u16::from(other) * 3,
    };
    let version = if input.byte() == 1 { "1.0" } else { "1.1" };
    let mut bytes = format!("HTTP/{version} {status} x\r\n").into_bytes();
    for _ in 0..input.byte() % 8 {
        let name = match input.byte() % 10 {
            0 => "Content-Type",
            1 => "Location",
            2 => "Retry-After",
            3 => "Date",
            4 => "WWW-Authenticate",
            5 => "Content-Length",
            6 => "Transfer-Encoding",
            7 => "Connection",
            8 => "Upgrade",
            _ => "X",
        };
        bytes.extend_from_slice(format!("{name}: ").as_bytes());
        bytes.extend_from_slice(input.bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let framing = input.byte() % 3;
    match framing {
        1 => bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n"),
        _ => bytes.extend_from_slice(b"\r\n"),
    }
    if framing == 1 {
        while !input.is_empty() {
            let chunk = input.bytes();
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
    } else {
        bytes.extend_from_slice(input.rest());
    }
    SECRETS.iter().fold(bytes, |bytes, (place, secret)| replace(&bytes, place, secret.as_bytes()))
}
