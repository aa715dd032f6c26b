//! Types of conditions that CEL itself lacks: quantities, versions, addresses.
//!
//! Names and meaning are those of Kubernetes' CEL libraries.

use std::any::Any;
use std::cmp::Ordering;
use std::net::IpAddr;

use cel::ExecutionError;
use cel::common::traits::Comparer;
use cel::common::types::Type;
use cel::common::value::{StaticVal, Val};

/// Declares a type of ours: equality and, where it has one, an order.
macro_rules! cel_type {
    ($name:ident, $cel:literal) => {
        impl Val for $name {
            fn get_type(&self) -> &Type {
                <Self as Val>::cel_type()
            }

            fn cel_type() -> &'static Type {
                static TYPE: Type = Type::new_unspecified_type($cel);
                &TYPE
            }

            fn as_comparer(&self) -> Option<&dyn Comparer> {
                Some(self)
            }

            fn equals(&self, other: &dyn Val) -> bool {
                other.downcast_ref::<$name>().is_some_and(|other| self == other)
            }

            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
                Box::new(self.clone())
            }

            fn as_any(&self) -> Option<&dyn Any> {
                Some(self)
            }
        }

        impl StaticVal for $name {}

        impl Comparer for $name {
            fn compare(&self, other: &dyn Val) -> Result<Ordering, ExecutionError> {
                let other = other.downcast_ref::<$name>().ok_or_else(|| ExecutionError::UnexpectedType {
                    got: other.get_type().name().to_owned(),
                    want: $cel.to_owned(),
                })?;
                self.partial_cmp(other).ok_or_else(|| ExecutionError::FunctionError {
                    function: $cel.to_owned(),
                    message: "these have no order".to_owned(),
                })
            }
        }
    };
}

/// A Kubernetes quantity in thousandths, such as `1500m`, `50Gi` or `2e3`.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub struct Quantity(pub i128);
cel_type!(Quantity, "kubernetes.Quantity");

impl Quantity {
    /// The grammar of `k8s.io/apimachinery` quantities: a decimal number and a suffix.
    pub fn parse(text: &str) -> Option<Quantity> {
        let text = text.trim();
        let end =
            text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let binary = |power: u32| Some(1024_i128.checked_pow(power)? * 1000);
        let factor = match suffix {
            "" => 1_000,
            // Smaller than a thousandth: rounded up, as the API server does.
            "n" | "u" => return Some(Quantity(i128::from(number.parse::<f64>().ok()? > 0.0))),
            "m" => 1,
            "k" => 1_000_000,
            "M" => 1_000_000_000,
            "G" => 1_000_000_000_000,
            "T" => 1_000_000_000_000_000,
            "P" => 1_000_000_000_000_000_000,
            "E" => 1_000_000_000_000_000_000_000,
            "Ki" => binary(1)?,
            "Mi" => binary(2)?,
            "Gi" => binary(3)?,
            "Ti" => binary(4)?,
            "Pi" => binary(5)?,
            "Ei" => binary(6)?,
            exponent => {
                let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
                if !(0..=18).contains(&power) {
                    return None;
                }
                10_i128.checked_pow(power as u32)? * 1000
            }
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let negative = whole.starts_with('-');
        let digits = whole.trim_start_matches(['+', '-']);
        if digits.is_empty() && fraction.is_empty() {
            return None;
        }
        let whole: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        let mut value = whole.checked_mul(factor)?;
        if !fraction.is_empty() {
            let kept: String = fraction.chars().take(15).collect();
            let part: i128 = kept.parse().ok()?;
            value = value.checked_add(part.checked_mul(factor)? / 10_i128.pow(kept.len() as u32))?;
        }
        Some(Quantity(if negative { -value } else { value }))
    }
}

/// A version; a leading `v` and missing parts are forgiven, since charts and servers leave them out.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub struct Semver(pub semver::Version);
cel_type!(Semver, "kubernetes.Semver");

impl Semver {
    pub fn parse(text: &str) -> Option<Semver> {
        crate::rules::versions::parse(text).map(Semver)
    }
}

#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub struct Ip(pub IpAddr);
cel_type!(Ip, "net.IP");

/// A network, such as `10.0.0.0/8`.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub struct Cidr {
    pub address: IpAddr,
    pub prefix: u8,
}
cel_type!(Cidr, "net.CIDR");

impl Cidr {
    pub fn parse(text: &str) -> Option<Cidr> {
        let (address, prefix) = text.trim().split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let prefix: u8 = prefix.parse().ok()?;
        (prefix <= if address.is_ipv4() { 32 } else { 128 }).then_some(Cidr { address, prefix })
    }

    pub fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(network), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.prefix);
                u64::from(network.to_bits()) >> shift == u64::from(other.to_bits()) >> shift
            }
            (IpAddr::V6(network), IpAddr::V6(other)) => {
                let differs = network.to_bits() ^ other.to_bits();
                self.prefix == 0 || differs >> (128 - u32::from(self.prefix)) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_across_suffixes() {
        let milli = |text: &str| Quantity::parse(text).map(|q| q.0);
        assert_eq!(milli("1500m"), Some(1500));
        assert_eq!(milli("1.5"), Some(1500));
        assert_eq!(milli("1Ki"), Some(1_024_000));
        assert_eq!(milli("2e3"), Some(2_000_000));
        assert_eq!(milli("-0.5"), Some(-500));
        assert_eq!(milli(""), None);
        assert_eq!(milli("Gi"), None);
        assert_eq!(milli("1Zi"), None);
        assert_eq!(milli("999999999999999999999999999999999999Ei"), None);
    }

    #[test]
    fn networks_contain_addresses_of_their_family() {
        let contains = |cidr: &str, ip: &str| Cidr::parse(cidr).unwrap().contains(ip.parse().unwrap());
        assert!(contains("172.16.0.0/12", "172.31.255.255"));
        assert!(!contains("172.16.0.0/12", "172.32.0.0"));
        assert!(contains("0.0.0.0/0", "8.8.8.8"));
        assert!(contains("fd00::/8", "fd12::1"));
        assert!(contains("::/0", "fd12::1"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert_eq!(Cidr::parse("10.0.0.0/33"), None);
    }
}
