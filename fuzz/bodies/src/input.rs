//! `Input`: a fuzzer's bytes as bytes, numbers and texts; and how seeds for it are written.

use arbitrary::Unstructured;

/// Reads from the front alone, so that a seed can be written as it is read. Behind its end everything is zero or empty.
pub(crate) struct Input<'a>(Unstructured<'a>);

impl<'a> Input<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Input(Unstructured::new(data))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or_default()
    }

    pub(crate) fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    pub(crate) fn integer(&mut self) -> i64 {
        i64::from_be_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// Any bits: also those of NaN.
    pub(crate) fn float(&mut self) -> f32 {
        f32::from_be_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// Bytes behind their number: a byte, or 255 and two bytes. As many as there are.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let len = match self.byte() {
            u8::MAX => self.short().into(),
            len => usize::from(len),
        };
        self.0.bytes(len.min(self.0.len())).unwrap_or_default()
    }

    /// Bytes as text; what is not UTF-8 becomes U+FFFD.
    pub(crate) fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.0.bytes(self.0.len()).unwrap_or_default()
    }
}

/// Writes what `Input` reads.
#[derive(Debug, Clone, Default)]
pub struct Seed(Vec<u8>);

impl Seed {
    /// An empty one.
    pub fn new() -> Self {
        Seed::default()
    }

    /// Bytes one by one.
    #[must_use]
    pub fn put(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Bytes behind their number; at most 65535 of them.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(u16::MAX.into())];
        match u8::try_from(bytes.len()) {
            Ok(len) if len < u8::MAX => self.0.push(len),
            _ => {
                let [high, low] = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
                self.0.extend([u8::MAX, high, low]);
            }
        }
        self.put(bytes)
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let long = [7; 300];
        let seed = Seed::new().put(&[3, 1, 2]).bytes(b"a\xff").bytes(&long).put(&[0; 7]).put(b"\x05rest").finish();
        let mut input = Input::new(&seed);
        assert_eq!((input.byte(), input.short()), (3, 0x0102));
        assert_eq!((input.text().as_str(), input.bytes()), ("a\u{fffd}", &long[..]));
        assert_eq!((input.integer(), input.rest()), (5, &b"rest"[..]));
        assert!(input.is_empty() && input.byte() == 0 && input.bytes().is_empty() && input.text().is_empty());
    }
}
