//! Frames as servers write them.

/// The opener of a turn in conversation `id`.
pub(crate) fn opener(id: i64) -> String {
    format!("{{\"conversation\":{id},\"quota\":0,\"keyword\":\"\",\"message\":\"\",\"end\":false,\"plan\":false}}\n")
}

/// A piece of an answer.
pub(crate) fn piece(text: &str, quota: f32) -> String {
    frame(text, quota, false)
}

/// The last frame of an answer.
pub(crate) fn end(text: &str, quota: f32) -> String {
    frame(text, quota, true)
}

fn frame(text: &str, quota: f32, end: bool) -> String {
    let text = serde_json::to_string(text).unwrap();
    format!(
        "{{\"conversation\":0,\"quota\":{quota},\"keyword\":\"\",\"message\":{text},\"end\":{end},\"plan\":false}}\n"
    )
}
