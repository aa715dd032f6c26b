//! From pseudonyms back to what they stand for: for replies, reports and commands that came back.
//!
//! Names are found inside of URLs, pod names and commands as they were when they were replaced. Of a name with dots
//! its parents are known too, so that `new.kq.zwfrtj.com`, which no bundle ever had, becomes `new.n1.mycorp.com`. A
//! network that nobody saw is turned back if an address in it was seen, for shared bits stay shared. Everything else
//! stays as it is, public addresses and other people's domains above all.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::map::Map;
use super::rewrite::{Counts, Place, Vocabulary, rewrite};
use super::{Kind, known, text};

/// Knows what pseudonyms stand for.
#[derive(Debug, Default)]
pub struct Revealer {
    /// In order, to find some address of a network.
    ips: BTreeMap<IpAddr, IpAddr>,
    networks: HashMap<(IpAddr, u8), IpAddr>,
    names: HashMap<String, String>,
    emails: HashMap<String, String>,
    macs: HashMap<String, String>,
    begins: HashSet<Box<[u8]>>,
}

impl Revealer {
    pub fn new(map: &Map) -> Revealer {
        let mut revealer = Revealer::default();
        for (image, real) in map.of(Kind::Ip) {
            match (network(image), network(real)) {
                (Some((image, bits)), Some((real, _))) => {
                    revealer.networks.insert((image, bits), real);
                }
                _ => {
                    if let (Ok(image), Ok(real)) = (image.parse(), real.parse()) {
                        revealer.ips.insert(image, real);
                    }
                }
            }
        }
        let hosts = map.of(Kind::Host);
        for (image, real) in hosts {
            revealer.learn(image, real);
        }
        for (image, real) in hosts.iter().filter(|(image, _)| image.contains('.')) {
            let parents = known::and_parents(image).zip(known::and_parents(real)).skip(1);
            for (image, real) in parents.filter(|(image, real)| image != real && image.contains('.')) {
                if !revealer.names.contains_key(image) {
                    revealer.learn(image, real);
                }
            }
        }
        revealer.emails = map.of(Kind::Email).clone().into_iter().collect();
        revealer.macs = map.of(Kind::Mac).clone().into_iter().collect();
        revealer
    }

    fn learn(&mut self, image: &str, real: &str) {
        let first: Vec<u8> = image.bytes().take_while(u8::is_ascii_alphanumeric).collect();
        self.begins.insert(first.into());
        self.names.insert(image.to_owned(), real.to_owned());
    }

    /// Copies a text and turns every pseudonym in it back; says how many.
    ///
    /// # Errors
    /// What reading or writing gives.
    pub fn text(&mut self, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<u64> {
        let (mut counts, mut out) = (Counts::default(), Vec::new());
        text::stretches(input, |stretch| {
            out.clear();
            rewrite(stretch, self, false, &mut counts, &mut out);
            output.write_all(&out)
        })?;
        Ok(counts.iter().sum())
    }
}

/// `10.9.0.0/16`.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, bits) = text.split_once('/')?;
    Some((ip.parse().ok()?, bits.parse().ok()?))
}

/// The last address of a network and the network of an address.
fn last(ip: IpAddr, bits: u8) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(ip) => {
            let hosts = u32::MAX.checked_shr(bits.into()).unwrap_or(0);
            (bits <= 32 && u32::from(ip) & hosts == 0).then(|| Ipv4Addr::from(u32::from(ip) | hosts).into())
        }
        IpAddr::V6(ip) => {
            let hosts = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
            (bits <= 128 && u128::from(ip) & hosts == 0)
                .then(|| Ipv6Addr::from(u128::from(ip) | hosts).into())
        }
    }
}

fn cut(ip: IpAddr, bits: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            Ipv4Addr::from(u32::from(ip) & !u32::MAX.checked_shr(bits.into()).unwrap_or(0)).into()
        }
        IpAddr::V6(ip) => {
            Ipv6Addr::from(u128::from(ip) & !u128::MAX.checked_shr(bits.into()).unwrap_or(0)).into()
        }
    }
}

impl Vocabulary for Revealer {
    fn address(&mut self, ip: IpAddr, _doubtful: bool) -> Option<IpAddr> {
        self.ips.get(&ip).copied()
    }

    fn network(&mut self, ip: IpAddr, bits: u8) -> Option<IpAddr> {
        if let Some(real) = self.networks.get(&(ip, bits)) {
            return Some(*real);
        }
        // Blocks larger than these are shared by everybody.
        let telling = bits > if ip.is_ipv4() { 8 } else { 16 };
        let (_, inside) = self.ips.range(ip..=last(ip, bits).filter(|_| telling)?).next()?;
        Some(cut(*inside, bits))
    }

    fn host(&mut self, token: &str, _place: Place) -> Option<String> {
        self.names.get(token).cloned()
    }

    fn begins_name(&self, run: &[u8]) -> bool {
        self.begins.contains(run)
    }

    fn name(&mut self, name: &str) -> Option<String> {
        self.names.get(name).cloned()
    }

    fn mac(&mut self, mac: [u8; 6]) -> Option<[u8; 6]> {
        let text = mac.map(|octet| format!("{octet:02x}")).join(":");
        let mut real = [0; 6];
        for (octet, part) in real.iter_mut().zip(self.macs.get(&text)?.split(':')) {
            *octet = u8::from_str_radix(part, 16).ok()?;
        }
        Some(real)
    }

    fn email(&mut self, local: &str, host: &str) -> Option<(String, Option<String>)> {
        let real = self.emails.get(&format!("{local}@{host}"))?;
        let (local, real) = real.split_once('@')?;
        Some((local.to_owned(), (real != host).then(|| real.to_owned())))
    }
}

#[cfg(test)]
mod tests;
