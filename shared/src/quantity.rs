//! Kubernetes quantities: `100m`, `1.5Gi`, `2k`, `1e3`.
//!
//! The grammar and the canonical form are those of `k8s.io/apimachinery/pkg/api/resource`: a value keeps the family
//! of its suffix (decimal, binary, exponent) when it is added to, and is printed with the largest suffix that leaves
//! no fraction. Values are exact down to 10⁻⁹; what is finer is rounded up, as there.

use std::fmt;
use std::str::FromStr;

const NANO: i128 = 1_000_000_000;
/// Far above any quantity that means something, far below what would overflow when thousands are added.
const MAX: i128 = i128::MAX / (1 << 32);

/// The family of suffixes in which a quantity is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notation {
    /// `m`, none, `k`, `M`, `G` …
    #[default]
    Decimal,
    /// `Ki`, `Mi`, `Gi` …
    Binary,
    /// `e3`, `e6` …
    Exponent,
}

/// An amount of a resource. Ordered by amount alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quantity {
    nanos: i128,
    notation: Notation,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a quantity: {0:?}")]
pub struct ParseError(String);

impl Quantity {
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Whole units, rounded up: bytes, cores, pieces.
    pub fn value(self) -> i64 {
        self.rounded_up(NANO)
    }

    /// Thousandths, rounded up: milli-cores.
    pub fn milli_value(self) -> i64 {
        self.rounded_up(NANO / 1000)
    }

    fn rounded_up(self, unit: i128) -> i64 {
        let whole = self.nanos.div_euclid(unit) + i128::from(self.nanos.rem_euclid(unit) != 0);
        i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX })
    }

    /// Adds `other`; a sum that was zero takes the other's notation.
    pub fn add(&mut self, other: Quantity) {
        if self.is_zero() {
            self.notation = other.notation;
        }
        self.nanos = self.nanos.saturating_add(other.nanos).clamp(-MAX, MAX);
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl FromStr for Quantity {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text.trim()).ok_or_else(|| ParseError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Quantity> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let (scale, notation) = scale_of(suffix)?;
    // Digits beyond 10⁻¹⁸ cannot change a value that is rounded up at 10⁻⁹ except by being there at all.
    let fraction = &fraction[..fraction.len().min(18)];
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scaled = digits.checked_mul(scale)?;
    let divisor = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let magnitude = scaled.div_euclid(divisor) + i128::from(scaled.rem_euclid(divisor) != 0);
    let nanos = if negative { -magnitude } else { magnitude };
    (magnitude <= MAX).then_some(Quantity { nanos, notation })
}

/// What one unit with this suffix is in billionths.
fn scale_of(suffix: &str) -> Option<(i128, Notation)> {
    if let Some(power) = BINARY.iter().position(|s| *s == suffix && !s.is_empty()) {
        return Some((NANO << (10 * power), Notation::Binary));
    }
    if let Some(power) = DECIMAL.iter().position(|s| *s == suffix) {
        return Some((1000i128.pow(power as u32), Notation::Decimal));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let power = u32::try_from(exponent.checked_add(9)?).ok().filter(|power| *power <= 27)?;
    Some((10i128.pow(power), Notation::Exponent))
}

const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let small = self.nanos.abs() < 1024 * NANO;
        match self.notation {
            Notation::Binary if !small => {
                let (digits, power) = reduce(i128::from(self.value()), 1024, BINARY.len() - 1);
                write!(f, "{digits}{}", BINARY[power])
            }
            Notation::Exponent => {
                let (digits, power) = reduce(self.nanos, 1000, DECIMAL.len() - 1);
                match power as i32 * 3 - 9 {
                    0 => write!(f, "{digits}"),
                    exponent => write!(f, "{digits}e{exponent}"),
                }
            }
            Notation::Decimal | Notation::Binary => {
                let (digits, power) = reduce(self.nanos, 1000, DECIMAL.len() - 1);
                write!(f, "{digits}{}", DECIMAL[power])
            }
        }
    }
}

/// Divides by `base` as long as nothing is lost.
fn reduce(mut digits: i128, base: i128, max_power: usize) -> (i128, usize) {
    let mut power = 0;
    while power < max_power && digits % base == 0 {
        digits /= base;
        power += 1;
    }
    (digits, power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    #[test]
    fn the_canonical_form_has_no_fraction_and_the_largest_suffix() {
        let cases = [
            ("0", "0"),
            ("0.1", "100m"),
            ("1500m", "1500m"),
            ("2000m", "2"),
            ("1.5Gi", "1536Mi"),
            ("1024Ki", "1Mi"),
            ("500Ki", "500Ki"),
            ("0.5Ki", "512"),
            ("1000", "1k"),
            ("3932160Ki", "3840Mi"),
            ("1e3", "1e3"),
            ("12E", "12E"),
            ("-250m", "-250m"),
            ("100000000n", "100m"),
            ("0.0000000001", "1n"),
        ];
        for (text, canonical) in cases {
            assert_eq!(quantity(text).to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn values_round_up() {
        assert_eq!(quantity("1001u").milli_value(), 2);
        assert_eq!(quantity("250m").value(), 1);
        assert_eq!(quantity("1Gi").value(), 1 << 30);
        assert_eq!(quantity("-1500m").value(), -1);
    }

    #[test]
    fn sums_keep_the_first_notation_that_is_not_zero() {
        let mut memory = Quantity::default();
        memory.add(quantity("64Mi"));
        memory.add(quantity("1Gi"));
        assert_eq!(memory.to_string(), "1088Mi");
        let mut cpu = quantity("750m");
        cpu.add(quantity("1250m"));
        assert_eq!(cpu.to_string(), "2");
        assert!(quantity("1Gi") > quantity("1G") && quantity("1000m") == quantity("1"));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in [
            "",
            "Gi",
            "1.2.3",
            "1Xi",
            "1e",
            "1e99",
            "1e2147483647",
            "--1",
            "99999999999999999999999999999999999999999",
        ] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }
}
