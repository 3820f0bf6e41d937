//! Reading decimal numbers as floats.

/// The double that is nearest to a JSON number, which is infinite when none is; nothing when it is no number.
pub(crate) fn to_f64(text: &str) -> Option<f64> {
    #[cfg(target_family = "wasm")]
    return Some(small::nearest(text, small::DOUBLE));
    #[cfg(not(target_family = "wasm"))]
    text.parse().ok()
}

/// As [`to_f64`], with the precision of 32 bits.
pub(crate) fn to_f32(text: &str) -> Option<f32> {
    #[cfg(target_family = "wasm")]
    // It is one exactly.
    return Some(small::nearest(text, small::SINGLE) as f32);
    #[cfg(not(target_family = "wasm"))]
    text.parse().ok()
}

/// In a page every byte is loaded: the standard library's way is faster, and has tables of 10 KB that do not compress.
#[cfg(any(test, target_family = "wasm"))]
mod small {
    use alloc::vec::Vec;

    /// A binary format: its precision in bits, and the exponents of its least and its greatest normal power of two.
    #[derive(Clone, Copy)]
    pub(super) struct Format {
        precision: i32,
        least: i32,
        greatest: i32,
    }

    pub(super) const DOUBLE: Format = Format { precision: 53, least: -1022, greatest: 1023 };
    pub(super) const SINGLE: Format = Format { precision: 24, least: -126, greatest: 127 };

    /// No more digits decide between two doubles; of the others it only counts whether they are all 0.
    const MAX_DIGITS: usize = 800;

    /// Beyond these powers of ten everything is infinite or 0.
    const MAX_POWER: i64 = 310;
    const MIN_POWER: i64 = -345;

    /// A whole number of any size, the least significant part first.
    struct Big(Vec<u32>);

    impl Big {
        fn multiply_add(&mut self, factor: u32, carry: u32) {
            let mut carry = u64::from(carry);
            for part in &mut self.0 {
                let product = u64::from(*part) * u64::from(factor) + carry;
                *part = product as u32;
                carry = product >> 32;
            }
            if carry > 0 {
                self.0.push(carry as u32);
            }
        }

        /// Gives the rest.
        fn divide(&mut self, divisor: u32) -> u32 {
            let mut rest = 0;
            for part in self.0.iter_mut().rev() {
                let dividend = rest << 32 | u64::from(*part);
                *part = (dividend / u64::from(divisor)) as u32;
                rest = dividend % u64::from(divisor);
            }
            while self.0.last() == Some(&0) {
                self.0.pop();
            }
            rest as u32
        }

        fn shift_left(&mut self, parts: usize) {
            self.0.splice(0..0, core::iter::repeat_n(0, parts));
        }

        /// How many bits it has.
        fn len(&self) -> i32 {
            self.0.last().map_or(0, |top| self.0.len() as i32 * 32 - top.leading_zeros() as i32)
        }

        fn bit(&self, at: i32) -> bool {
            at >= 0 && self.0[(at / 32) as usize] >> (at % 32) & 1 == 1
        }

        /// Whether any bit below this one is set.
        fn any_below(&self, at: i32) -> bool {
            (0..at).any(|below| self.bit(below))
        }
    }

    /// The number of a format that is nearest to a JSON number; of two that are as near, the even one.
    pub(super) fn nearest(text: &str, format: Format) -> f64 {
        let (is_negative, magnitude) = match text.strip_prefix('-') {
            Some(rest) => (true, positive(rest, format)),
            None => (false, positive(text, format)),
        };
        if is_negative { -magnitude } else { magnitude }
    }

    fn positive(text: &str, format: Format) -> f64 {
        let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        // One that is too large to be read is too large for anything.
        let huge = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
        let mut power = exponent.parse().unwrap_or(huge) - fraction.len() as i64;

        let mut number = Big(Vec::new());
        let mut is_more = false;
        let (mut seen, mut left_out) = (0, 0);
        for digit in whole.bytes().chain(fraction.bytes()) {
            let digit = u32::from(digit - b'0');
            if seen == MAX_DIGITS {
                is_more |= digit != 0;
                left_out += 1;
            } else if seen > 0 || digit > 0 {
                number.multiply_add(10, digit);
                seen += 1;
            }
        }
        power = power.saturating_add(left_out);
        if seen == 0 || power + (seen as i64) < MIN_POWER {
            return 0.0;
        }
        if power > MAX_POWER {
            return f64::INFINITY;
        }

        // number * 10^power is number / 2^shift then.
        let mut shift = 0;
        if power < 0 {
            // Enough for the quotient to have more bits than are kept: less than 32 / 9 bits go for each power of ten.
            let parts = 4 + (-power as usize).div_ceil(9);
            number.shift_left(parts);
            shift = parts as i32 * 32;
        }
        while power != 0 {
            let step = power.unsigned_abs().min(9) as u32;
            let factor = 10_u32.pow(step);
            if power < 0 {
                is_more |= number.divide(factor) != 0;
                power += i64::from(step);
            } else {
                number.multiply_add(factor, 0);
                power -= i64::from(step);
            }
        }
        rounded(&number, shift, is_more, format)
    }

    /// number / 2^shift, and a little more if `is_more`.
    fn rounded(number: &Big, shift: i32, is_more: bool, format: Format) -> f64 {
        let exponent = number.len() - 1 - shift;
        if exponent > format.greatest {
            return f64::INFINITY;
        }
        // Below the least normal power there are fewer bits.
        let kept = format.precision - (format.least - exponent).max(0);
        if kept < 0 {
            return 0.0;
        }
        let cut = number.len() - kept;
        let mut mantissa =
            (cut.max(0)..number.len()).rev().fold(0_u64, |bits, at| bits << 1 | u64::from(number.bit(at)));
        mantissa <<= (-cut).max(0);
        let is_half = number.bit(cut - 1);
        if is_half && (is_more || mantissa & 1 == 1 || number.any_below(cut - 1)) {
            mantissa += 1;
        }
        let value = times_power_of_two(mantissa as f64, exponent - kept + 1);
        let greatest = times_power_of_two(2.0 - times_power_of_two(1.0, 1 - format.precision), format.greatest);
        if value > greatest { f64::INFINITY } else { value }
    }

    /// Exact, where the result is a double.
    fn times_power_of_two(value: f64, power: i32) -> f64 {
        let power_of_two = |power: i32| f64::from_bits(((power + 1023) as u64) << 52);
        if power < -1022 { value * power_of_two(power + 128) * power_of_two(-128) } else { value * power_of_two(power) }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};

    use super::small::{DOUBLE, SINGLE, nearest};
    use proptest::prelude::*;

    fn check(text: &str) {
        let (double, single): (f64, f32) = (text.parse().unwrap(), text.parse().unwrap());
        assert_eq!(nearest(text, DOUBLE).to_bits(), double.to_bits(), "{text}");
        assert_eq!((nearest(text, SINGLE) as f32).to_bits(), single.to_bits(), "{text} in 32 bits");
    }

    #[test]
    fn the_edges_are_rounded_as_the_standard_library_does() {
        for text in [
            "0",
            "-0",
            "0.0e9",
            "1",
            "-1.5",
            "0.1",
            "0.00029",
            "1e2",
            "1E+2",
            "1e-2",
            "9007199254740993",
            "9007199254740992.999",
            "9007199254740993.0000000000000000000000001",
            "1e308",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e309",
            "1e310",
            "1e311",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "5e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "1e-400",
            "3.4028235e38",
            "3.4028235677973366e38",
            "3.40282356779733661637539395458142568448e38",
            "1e39",
            "1.4e-45",
            "7.0064923216240853e-46",
            "7.0064923216240854e-46",
            "1.1754943508222875e-38",
            "16777217",
            "16777216.5",
            "16777219",
            "0.000000000000000000000000001e27",
        ] {
            check(text);
        }
        check(&format!("1{}", "0".repeat(400)));
        check(&format!("0.{}1e400", "0".repeat(399)));
        // Half way between two, and then a little more, in more digits than are looked at.
        for end in ["", "1", "0000"] {
            check(&format!("9007199254740993.{}{end}", "0".repeat(900)));
            check(&format!("2.4703282292062327208{}{end}e-324", "0".repeat(900)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 4000 }))]

        #[test]
        fn any_number_is_rounded_as_the_standard_library_does(digits in "[0-9]{1,30}", fraction in "[0-9]{0,30}", power in -400..400_i32) {
            let number = digits.trim_start_matches('0');
            let number = if number.is_empty() { "0" } else { number };
            check(&format!("{number}.{fraction}0e{power}"));
        }

        #[test]
        fn every_float_is_read_back_and_so_is_what_is_half_way(bits in any::<u64>()) {
            let (one, next) = (f64::from_bits(bits), f64::from_bits(bits.wrapping_add(1)));
            if one.is_finite() && next.is_finite() {
                check(&one.to_string());
                check(&format!("{one:e}"));
                let single = f32::from_bits(bits as u32);
                if single.is_finite() {
                    // Exact, in more digits than anybody writes.
                    let half: String = format!("{:.200}", f64::from(single) + f64::from(f32::from_bits(bits as u32 ^ 1)) / 2.0);
                    check(&half);
                }
            }
        }
    }
}
