//! Other decoders, each as it is meant to be used: into a struct of the same fields that borrows what it can.

use std::borrow::Cow;
use std::hint::black_box;

use serde::{Deserialize, Serialize};

/// A chunk's fields: any of them may be missing or null, as in `Chunk`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Frame<'a> {
    /// In an opener.
    pub conversation: Option<i64>,
    /// What the answer has cost.
    pub quota: Option<f64>,
    /// Of old servers.
    #[serde(borrow)]
    pub keyword: Option<Text<'a>>,
    /// The text.
    #[serde(borrow)]
    pub message: Option<Text<'a>>,
    /// The last one.
    pub end: Option<bool>,
    /// Paid for.
    pub plan: Option<bool>,
}

/// A text that borrows where it has no escapes. A bare `Cow` in an `Option` never would.
#[derive(Debug, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Frame<'_> {
    fn len(&self) -> usize {
        self.message.as_ref().map_or(0, |text| text.0.len())
    }
}

/// By `serde_json`.
#[inline]
pub fn serde_json(message: &str) -> usize {
    let frame: Frame<'_> = serde_json::from_str(black_box(message)).expect("a good message");
    black_box(&frame).len()
}

/// By `serde_json`, into a tree.
#[inline]
pub fn serde_json_value(message: &str) -> usize {
    let frame: serde_json::Value = serde_json::from_str(black_box(message)).expect("a good message");
    black_box(&frame)["message"].as_str().map_or(0, str::len)
}

/// By `sonic-rs`.
#[inline]
pub fn sonic_rs(message: &str) -> usize {
    let frame: Frame<'_> = sonic_rs::from_str(black_box(message)).expect("a good message");
    black_box(&frame).len()
}

/// By `simd-json`, which works in place: `scratch` takes the copy that it needs.
#[inline]
pub fn simd_json(message: &str, scratch: &mut Vec<u8>, buffers: &mut simd_json::Buffers) -> usize {
    scratch.clear();
    scratch.extend_from_slice(black_box(message).as_bytes());
    let frame: Frame<'_> = simd_json::serde::from_slice_with_buffers(scratch, buffers).expect("a good message");
    black_box(&frame).len()
}

/// No decoding: what a text cannot be had without, the check that it is UTF-8 and a copy of it.
#[inline]
pub fn check_and_copy(message: &str, copy: &mut String) -> usize {
    copy.clear();
    copy.push_str(std::str::from_utf8(black_box(message.as_bytes())).expect("UTF-8"));
    black_box(&*copy).len()
}

/// A question's fields.
#[derive(Debug, Serialize)]
pub struct Question<'a> {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// The text.
    pub message: &'a str,
    /// Whom to ask.
    pub model: &'a str,
}

/// A whole turn's JSON by `serde_json`: a question is encoded, an end decoded.
#[inline]
pub fn turn(question: &str, end: &str) -> usize {
    let question = Question { kind: "chat", message: black_box(question), model: "gpt-4" };
    let message = serde_json::to_string(&question).expect("it can be encoded");
    black_box(message).len() + serde_json(end)
}
