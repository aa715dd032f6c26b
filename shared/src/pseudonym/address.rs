//! Pseudonyms of IP and hardware addresses.
//!
//! What an address is stays: private ones stay in their private block, public ones public, loopback, link-local
//! IPv4, multicast, netmasks and unspecified addresses as they are. Subnets stay subnets of the same size, so which
//! address lies in which CIDR, and which CIDRs overlap, is the same before and after. See [`super::bits`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::bits::{Block, Permutation};
use super::key::Key;

/// Blocks with a use of their own (IANA's special-purpose registries), and resolvers that everybody knows: their
/// addresses name nobody, and a diagnosis needs them.
const V4: &[(&str, u32, bool)] = &[
    ("0.0.0.0", 8, true),
    ("10.0.0.0", 8, false),
    ("100.64.0.0", 10, false),
    ("127.0.0.0", 8, true),
    ("128.0.0.0", 32, true),
    ("169.254.0.0", 16, true),
    ("172.16.0.0", 12, false),
    ("192.0.0.0", 32, true),
    ("192.168.0.0", 16, false),
    ("224.0.0.0", 3, true),
    ("1.1.1.1", 32, true),
    ("8.8.4.4", 32, true),
    ("8.8.8.8", 32, true),
    ("114.114.114.114", 32, true),
    ("114.114.115.115", 32, true),
    ("119.29.29.29", 32, true),
    ("180.76.76.76", 32, true),
    ("223.5.5.5", 32, true),
    ("223.6.6.6", 32, true),
];

/// The interface part of a link-local IPv6 address often holds the hardware address, so it changes.
const V6: &[(&str, u32, bool)] = &[
    ("::", 8, true),
    ("fc00::", 8, false),
    ("fd00::", 8, false),
    ("fe80::", 64, false),
    ("ff00::", 8, true),
    ("2001:4860:4860::8844", 128, true),
    ("2001:4860:4860::8888", 128, true),
    ("2400:3200::1", 128, true),
    ("2606:4700:4700::1111", 128, true),
];

/// Hardware addresses that name no machine: none, all, and the one that calico gives to every interface of its own.
const MAC: &[(u128, u32)] = &[(0, 48), (0xffff_ffff_ffff, 48), (0xeeee_eeee_eeee, 48)];
/// The first octet says who assigned the address and whether it names a group.
const MAC_KEPT: u32 = 8;

const V4_MAPPED: u128 = 0xffff << 32;
const NAT64: u128 = 0x64_ff9b << 96;
const LOW_32: u128 = 0xffff_ffff;

/// The permutations of addresses under one key.
#[derive(Clone)]
pub(super) struct Addresses {
    v4: Permutation,
    v6: Permutation,
    mac: Permutation,
}

impl Addresses {
    pub fn new(key: &Key) -> Addresses {
        let v4 = V4.iter().map(|&(first, bits, fixed)| {
            let first: Ipv4Addr = first.parse().expect("the table holds addresses");
            Block { first: u128::from(u32::from(first)), bits, fixed }
        });
        let v6 = V6.iter().map(|&(first, bits, fixed)| {
            let first: Ipv6Addr = first.parse().expect("the table holds addresses");
            Block { first: first.into(), bits, fixed }
        });
        let mac = MAC.iter().map(|&(first, bits)| Block { first, bits, fixed: true });
        Addresses {
            v4: Permutation::new(key, "ipv4", 32, 0, v4.collect()),
            v6: Permutation::new(key, "ipv6", 128, 0, v6.collect()),
            mac: Permutation::new(key, "mac", 48, MAC_KEPT, mac.collect()),
        }
    }

    /// The pseudonym of an address; `None` for one that stays.
    pub fn ip(&self, ip: IpAddr) -> Option<IpAddr> {
        match ip {
            IpAddr::V4(v4) => {
                let number = u128::from(u32::from(v4));
                (!self.v4.is_fixed(number)).then(|| v4_of(self.v4.number(number)).into())
            }
            IpAddr::V6(v6) => {
                let number = u128::from(v6);
                for around in [V4_MAPPED, NAT64] {
                    if number & !LOW_32 == around && number != around {
                        let IpAddr::V4(image) = self.ip(v4_of(number & LOW_32).into())? else { return None };
                        return Some(Ipv6Addr::from(around | u128::from(u32::from(image))).into());
                    }
                }
                let global = number >> 125 == 1;
                let local = number >> 121 == 0xfc >> 1 || number >> 64 == 0xfe80 << 48;
                ((global || local) && !self.v6.is_fixed(number))
                    .then(|| Ipv6Addr::from(self.v6.number(number)).into())
            }
        }
    }

    /// The pseudonym of a network: its own bits change, those of hosts stay zero. `None` for one that stays, or whose
    /// address has bits of a host.
    pub fn network(&self, ip: IpAddr, bits: u8) -> Option<IpAddr> {
        let bits = u32::from(bits);
        match ip {
            IpAddr::V4(v4) if bits <= 32 => {
                let number = u128::from(u32::from(v4));
                let own = bits == 32 || u32::from(v4) << bits == 0;
                (own && bits > 0 && !self.v4.is_fixed(number))
                    .then(|| v4_of(self.v4.prefix(number, bits)).into())
            }
            IpAddr::V6(v6) if bits <= 128 => {
                let number = u128::from(v6);
                let own = bits == 128 || number << bits == 0;
                (own && bits > 0 && self.ip(ip).is_some())
                    .then(|| Ipv6Addr::from(self.v6.prefix(number, bits)).into())
            }
            _ => None,
        }
    }

    /// The pseudonym of a hardware address; `None` for one that stays.
    pub fn mac(&self, mac: [u8; 6]) -> Option<[u8; 6]> {
        let mut wide = [0; 16];
        wide[10..].copy_from_slice(&mac);
        let number = u128::from_be_bytes(wide);
        let image = self.mac.number(number).to_be_bytes();
        (!self.mac.is_fixed(number)).then(|| image[10..].try_into().expect("six octets"))
    }
}

/// Whether an address belongs to a block that is not routed on the Internet.
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || u32::from(v4) >> 22 == 0x6440_0000 >> 22,
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

fn v4_of(number: u128) -> Ipv4Addr {
    Ipv4Addr::from(u32::try_from(number & LOW_32).expect("masked to 32 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn addresses(seed: u8) -> Addresses {
        Addresses::new(&Key::from_bytes([seed; 32]))
    }

    fn kind(ip: Ipv4Addr) -> (u8, bool) {
        let private = match ip.octets() {
            [10, ..] => 1,
            [172, 16..=31, ..] => 2,
            [192, 168, ..] => 3,
            [100, 64..=127, ..] => 4,
            _ => 0,
        };
        (private, ip.is_loopback() || ip.is_link_local() || ip.is_multicast() || ip.octets()[0] == 0)
    }

    proptest! {
        #[test]
        fn v4_keeps_its_class_and_its_neighbours(seed: u8, a: u32, near in 0u32..32, flip: u32) {
            let map = addresses(seed);
            let image = |n: u32| match map.ip(Ipv4Addr::from(n).into()) {
                Some(IpAddr::V4(v4)) => u32::from(v4),
                None => n,
                Some(IpAddr::V6(v6)) => panic!("{v6}"),
            };
            let b = if near == 0 { flip } else { a ^ (flip >> near) };
            prop_assert_eq!((a ^ b).leading_zeros(), (image(a) ^ image(b)).leading_zeros());
            prop_assert_eq!(kind(Ipv4Addr::from(a)), kind(Ipv4Addr::from(image(a))));
        }

        #[test]
        fn private_networks_hold_the_images_of_their_hosts(seed: u8, host in 0u32..1 << 24, bits in 9u8..=32) {
            let map = addresses(seed);
            let host = (10 << 24) | host;
            let mask = u32::MAX << (32 - bits);
            let net = Ipv4Addr::from(host & mask);
            let Some(IpAddr::V4(net)) = map.network(net.into(), bits) else { panic!("{net}/{bits}") };
            let Some(IpAddr::V4(host)) = map.ip(Ipv4Addr::from(host).into()) else { panic!("10/8 is mapped") };
            prop_assert_eq!(u32::from(host) & mask, u32::from(net));
        }

        #[test]
        fn v6_keeps_its_class_and_its_neighbours(seed: u8, a: u64, b: u64, host: u64, bits in 0u32..64) {
            let map = addresses(seed);
            for class in [0x2400u128 << 112, 0xfd00 << 112, 0xfc00 << 112] {
                let one = class | u128::from(a) << 56 | u128::from(host);
                let other = one ^ (u128::from(b) >> bits) << 30;
                let image = |n: u128| match map.ip(Ipv6Addr::from(n).into()) {
                    Some(IpAddr::V6(v6)) => u128::from(v6),
                    _ => n,
                };
                prop_assert_eq!((one ^ other).leading_zeros(), (image(one) ^ image(other)).leading_zeros());
                let first = |n: u128| if n >> 125 == 1 { 1 } else { n >> 120 };
                prop_assert_eq!(first(one), first(image(one)));
            }
        }

        #[test]
        fn hardware_addresses_keep_vendor_equality(seed: u8, vendor: [u8; 3], a: [u8; 3], b: [u8; 3]) {
            prop_assume!(vendor != [0; 3] && vendor != [255; 3] && vendor != [0xee; 3]);
            let map = addresses(seed);
            let image = |tail: [u8; 3]| {
                map.mac([vendor[0], vendor[1], vendor[2], tail[0], tail[1], tail[2]]).unwrap()
            };
            prop_assert_eq!(&image(a)[..3], &image(b)[..3]);
            prop_assert_eq!(image(a)[0], vendor[0]);
            prop_assert_eq!(a == b, image(a) == image(b));
        }
    }

    #[test]
    fn what_names_nobody_stays() {
        let map = addresses(9);
        for ip in [
            "127.0.0.1",
            "127.0.0.53",
            "0.0.0.0",
            "255.255.255.255",
            "255.255.240.0",
            "169.254.20.10",
            "169.254.169.254",
            "224.0.0.1",
            "8.8.8.8",
            "114.114.114.114",
            "::",
            "::1",
            "ff02::1",
            "::ffff:127.0.0.1",
        ] {
            assert_eq!(map.ip(ip.parse().unwrap()), None, "{ip}");
        }
        assert_eq!(map.network("0.0.0.0".parse().unwrap(), 0), None);
        assert_eq!(map.network("10.1.2.3".parse().unwrap(), 16), None, "an address of a host");
        assert_eq!(map.mac([0; 6]), None);
        assert_eq!(map.mac([0xff; 6]), None);
    }

    #[test]
    fn an_ipv4_address_in_an_ipv6_one_is_the_same_address() {
        let map = addresses(1);
        let plain = map.ip("10.0.6.31".parse().unwrap()).unwrap();
        for around in ["::ffff:", "64:ff9b::"] {
            let mapped = map.ip(format!("{around}10.0.6.31").parse().unwrap()).unwrap();
            assert_eq!(mapped, format!("{around}{plain}").parse::<IpAddr>().unwrap());
        }
        let link_local: IpAddr = "fe80::42:acff:fe11:2".parse().unwrap();
        let image = map.ip(link_local).unwrap();
        assert!(image != link_local && image.to_string().starts_with("fe80::"), "{image}");
    }

    #[test]
    fn few_addresses_stay_by_chance() {
        let map = addresses(4);
        let same = (0..4096u32).filter(|n| {
            let ip = IpAddr::from(Ipv4Addr::from((10 << 24) + n * 4093));
            map.ip(ip) == Some(ip)
        });
        assert!(same.count() < 4);
    }
}
