//! `Quota`: what an answer costs.

/// A quota: what an answer costs, in the server's own unit. Servers send 32-bit floats in their shortest form.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota<'a> {
    value: f64,
    text: &'a str,
}

impl<'a> Quota<'a> {
    pub(crate) fn new(value: f64, text: &'a str) -> Self {
        Quota { value, text }
    }

    /// The nearest double.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The number's text as received.
    pub fn text(&self) -> &'a str {
        self.text
    }
}
