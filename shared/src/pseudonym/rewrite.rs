//! Finds addresses and names in any text and puts others in their place.
//!
//! The same walk serves both ways: a [`Vocabulary`] says what stands for what. Text is read as tokens (letters,
//! digits, `-` and `.`), and a name can begin and end wherever a run of letters and digits does: `node-1` is found in
//! `kube-apiserver-node-1` and in `https://node-1.mycorp.com:6443/`, not in `node-10`. Escapes of JSON and of URLs
//! and the colours of terminals do not hide the begin of a token.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Kind;
use super::words::dashed;
use crate::redact::token;

/// What stands for what.
pub(super) trait Vocabulary {
    /// For an address; `doubtful` where it may be a version number instead.
    fn address(&mut self, ip: IpAddr, doubtful: bool) -> Option<IpAddr>;
    /// For a network whose address has no bits of a host.
    fn network(&mut self, ip: IpAddr, bits: u8) -> Option<IpAddr>;
    /// For a whole token with dots, in lower case.
    fn host(&mut self, token: &str, place: Place) -> Option<String>;
    /// Whether some name begins with this run of letters and digits, in lower case.
    fn begins_name(&self, run: &[u8]) -> bool;
    /// For a name that is known, in lower case.
    fn name(&mut self, name: &str) -> Option<String>;
    fn mac(&mut self, mac: [u8; 6]) -> Option<[u8; 6]>;
    /// For a mail address; both parts in lower case.
    fn email(&mut self, local: &str, host: &str) -> Option<(String, Option<String>)>;
}

/// What the surroundings of a token say of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Behind `://`, where nothing but a host can stand.
    pub in_url: bool,
    /// It has capital letters, as names in programs do.
    pub capitals: bool,
}

/// How often something was replaced, by kind.
pub type Counts = [u64; Kind::ALL.len()];

/// Longest local part of a mail address.
const LOCAL: usize = 64;
/// Most runs that one name has.
const RUNS: usize = 40;

/// Appends `text` to `out`, rewritten. With `align`, blanks behind a replacement of another length make up for it
/// where there are several, so that columns stay where they were.
pub(super) fn rewrite(
    text: &[u8],
    words: &mut dyn Vocabulary,
    align: bool,
    counts: &mut Counts,
    out: &mut Vec<u8>,
) {
    let mut walk =
        Walk { text, at: 0, copied: 0, words, counts, out, debt: 0, align, next_at: 0, runs: Vec::new() };
    walk.run();
}

struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    copied: usize,
    words: &'a mut dyn Vocabulary,
    counts: &'a mut Counts,
    out: &'a mut Vec<u8>,
    /// By how many bytes this line has grown and not yet been pushed back into its columns.
    debt: isize,
    align: bool,
    /// Where the next `@` is; everything before it has none.
    next_at: usize,
    runs: Vec<(usize, usize)>,
}

/// Bytes that tokens consist of.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'-' || byte as u8 == b'.';
        byte += 1;
    }
    table
};

impl Walk<'_> {
    fn run(&mut self) {
        while self.at < self.text.len() {
            let byte = self.text[self.at];
            if TOKEN[usize::from(byte)] {
                self.token();
                continue;
            }
            match byte {
                b'*' => self.at += token::length_at(&self.text[self.at..]).unwrap_or(1),
                b':' if self.peek(1) == Some(b':') && self.before(self.at).is_none_or(|b| b != b':') => {
                    self.colons(self.at);
                }
                0x1b => self.at += colour(&self.text[self.at + 1..]) + 1,
                b'[' if is_written_escape(&self.text[..self.at]) => {
                    self.at += colour(&self.text[self.at..]).max(1);
                }
                b'\n' => {
                    self.debt = 0;
                    self.at += 1;
                }
                b' ' if self.align && self.debt != 0 => self.settle(),
                _ => self.at += 1,
            }
        }
        self.out.extend_from_slice(&self.text[self.copied..]);
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).map(|at| self.text[at])
    }

    /// At the first byte of a token.
    fn token(&mut self) {
        let end = self.text[self.at..].iter().position(|b| !TOKEN[usize::from(*b)]);
        let end = end.map_or(self.text.len(), |length| self.at + length);
        let mut start = self.at + escaped(&self.text[..self.at], &self.text[self.at..end]);
        while start < end && !self.text[start].is_ascii_alphanumeric() {
            start += 1;
        }
        if start == end {
            self.at = end;
            return;
        }
        if self.text.get(end) == Some(&b':')
            && end - start <= 4
            && self.text[start..end].iter().all(u8::is_ascii_hexdigit)
            && self.before(start) != Some(b':')
            && self.colons(start)
        {
            return;
        }
        if self.mail(start) {
            return;
        }
        self.at = end;
        let mut stop = end;
        while !self.text[stop - 1].is_ascii_alphanumeric() {
            stop -= 1;
        }
        self.plain(start, stop);
    }

    /// A token that begins and ends with a letter or digit.
    fn plain(&mut self, start: usize, stop: usize) {
        let token = &self.text[start..stop];
        let mut runs = std::mem::take(&mut self.runs);
        runs.clear();
        let (mut letters, mut capitals, mut open) = (false, false, None);
        for (at, byte) in token.iter().enumerate() {
            if byte.is_ascii_alphanumeric() {
                letters |= byte.is_ascii_alphabetic();
                capitals |= byte.is_ascii_uppercase();
                open.get_or_insert(at);
            } else if let Some(from) = open.take() {
                runs.push((start + from, start + at));
            }
        }
        if let Some(from) = open {
            runs.push((start + from, stop));
        }
        let dotted = letters && token.len() <= 253 && token.contains(&b'.');
        let whole = dotted && self.dotted(start, stop, capitals);
        if !whole {
            self.walk_runs(&runs);
        }
        self.runs = runs;
    }

    /// A token that is one host name.
    fn dotted(&mut self, start: usize, stop: usize, capitals: bool) -> bool {
        let Some(lower) = lower(&self.text[start..stop]) else { return false };
        if let Some(image) = self.reversed(&lower) {
            self.put(start, stop, image.as_bytes(), Kind::Ip);
            return true;
        }
        let in_url = is_authority(&self.text[..start]);
        let Some(image) = self.words.host(&lower, Place { in_url, capitals }) else { return false };
        self.put_cased(start, stop, &image, Kind::Host);
        true
    }

    /// `31.6.0.10.in-addr.arpa`, as name servers write it.
    fn reversed(&mut self, lower: &str) -> Option<String> {
        if let Some(digits) = lower.strip_suffix(".in-addr.arpa") {
            let ip: Ipv4Addr = backwards(digits).parse().ok()?;
            let image = self.words.address(ip.into(), false)?;
            return Some(format!("{}.in-addr.arpa", backwards(&image.to_string())));
        }
        let nibbles = lower.strip_suffix(".ip6.arpa")?;
        if nibbles.len() != 63 {
            return None;
        }
        let hex: String = nibbles.split('.').rev().collect();
        let IpAddr::V6(image) =
            self.words.address(u128::from_str_radix(&hex, 16).map(Ipv6Addr::from).ok()?.into(), false)?
        else {
            return None;
        };
        let nibbles: Vec<String> =
            format!("{:032x}", u128::from(image)).chars().rev().map(String::from).collect();
        Some(format!("{}.ip6.arpa", nibbles.join(".")))
    }

    /// Addresses and known names at the runs of a token.
    fn walk_runs(&mut self, runs: &[(usize, usize)]) {
        let mut i = 0;
        while i < runs.len() {
            if let Some(used) = self.quad(runs, i).or_else(|| self.named(&runs[i..])) {
                i += used;
            } else {
                i += 1;
            }
        }
    }

    /// An IPv4 address at run `i`, with dots or dashes between its octets; how many runs it takes.
    fn quad(&mut self, runs: &[(usize, usize)], i: usize) -> Option<usize> {
        let four = runs.get(i..i + 4)?;
        let ((start, _), (_, stop)) = (four[0], four[3]);
        if stop - start > 15 || !self.text[start].is_ascii_digit() {
            return None;
        }
        let text = std::str::from_utf8(&self.text[start..stop]).ok()?;
        if let Some((ip, length)) = dashed(text)
            && length == text.len()
        {
            // Four small numbers with dashes between them can be anything.
            let image = self.words.address(ip.into(), !super::address::is_private(ip.into()))?;
            self.put(start, stop, image.to_string().replace('.', "-").as_bytes(), Kind::Ip);
            return Some(4);
        }
        let ip: Ipv4Addr = text.parse().ok()?;
        let digit_behind =
            self.text.get(stop) == Some(&b'.') && self.text.get(stop + 1).is_some_and(u8::is_ascii_digit);
        let digit_before =
            start >= 2 && self.text[start - 1] == b'.' && self.text[start - 2].is_ascii_digit();
        if digit_behind || digit_before {
            return None;
        }
        if let Some(bits) = prefix_length(&self.text[stop..])
            && let Some(image) = self.words.network(ip.into(), bits)
        {
            self.put(start, stop, image.to_string().as_bytes(), Kind::Ip);
            return Some(4);
        }
        let image = self.words.address(ip.into(), self.may_be_version(start, stop, ip))?;
        self.put(start, stop, image.to_string().as_bytes(), Kind::Ip);
        Some(4)
    }

    /// `chart-1.2.3.4`, `Program/1.2.3.4`, `image:1.2.3.4`; addresses of private networks are none of these.
    fn may_be_version(&self, start: usize, stop: usize, ip: Ipv4Addr) -> bool {
        if super::address::is_private(ip.into()) || self.text.get(stop) == Some(&b':') {
            return false;
        }
        let word_before = start >= 2
            && b"-/:".contains(&self.text[start - 1])
            && self.text[start - 2].is_ascii_alphanumeric();
        let told = self.text[..start].trim_ascii_end();
        let told = told.strip_suffix(b":").or_else(|| told.strip_suffix(b"=")).unwrap_or(told);
        word_before
            || told[told.len().saturating_sub(7)..].eq_ignore_ascii_case(b"version")
            || matches!(self.text.get(stop), Some(b'-' | b'+'))
    }

    /// The longest known name that begins at the first of `runs`; how many runs it takes.
    fn named(&mut self, runs: &[(usize, usize)]) -> Option<usize> {
        let (start, first_end) = *runs.first()?;
        let mut run = [0; 64];
        let run = run.get_mut(..first_end - start)?;
        for (to, from) in run.iter_mut().zip(&self.text[start..first_end]) {
            *to = from.to_ascii_lowercase();
        }
        if !self.words.begins_name(run) {
            return None;
        }
        let last = runs.len().min(RUNS);
        for used in (1..=last).rev() {
            let stop = runs[used - 1].1;
            if stop - start > 253 {
                continue;
            }
            let Some(name) = lower(&self.text[start..stop]) else { continue };
            if let Some(image) = self.words.name(&name) {
                self.put_cased(start, stop, &image, Kind::Host);
                return Some(used);
            }
        }
        None
    }

    /// A mail address at `start`.
    fn mail(&mut self, start: usize) -> bool {
        if self.next_at <= start {
            let next = memchr::memchr(b'@', &self.text[start..]);
            self.next_at = next.map_or(usize::MAX, |next| start + next);
        }
        let at = self.next_at;
        if at >= self.text.len() || at - start > LOCAL || self.before(start) == Some(b'/') {
            return false;
        }
        let is_local = |b: &u8| b.is_ascii_alphanumeric() || b"._%+-".contains(b);
        if !self.text[start..at].iter().all(is_local) {
            return false;
        }
        let length = self.text[at + 1..].iter().take(254).take_while(|b| TOKEN[usize::from(**b)]).count();
        let host = &self.text[at + 1..at + 1 + length];
        let trimmed = host.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |last| last + 1);
        let (host, stop) = (&host[..trimmed], at + 1 + trimmed);
        if !host.contains(&b'.') {
            return false;
        }
        let (Some(local), Some(host)) = (lower(&self.text[start..at]), lower(host)) else { return false };
        let Some((local, host)) = self.words.email(&local, &host) else { return false };
        self.put_cased(start, at, &local, Kind::Email);
        if let Some(host) = host {
            self.put_cased(at + 1, stop, &host, Kind::Host);
        }
        self.at = stop;
        true
    }

    /// An IPv6 or hardware address at `start`; moves on in any case, and says whether it was past the token there.
    fn colons(&mut self, start: usize) -> bool {
        let is_part = |b: &u8| b.is_ascii_hexdigit() || *b == b':' || *b == b'.';
        let run = self.text[start..].iter().take(64).take_while(|b| is_part(b)).count();
        let mut stop = start + run;
        let word_behind = self.text.get(stop).is_some_and(|b| b.is_ascii_alphanumeric());
        while stop > start && matches!(self.text[stop - 1], b'.') {
            stop -= 1;
        }
        let text = std::str::from_utf8(&self.text[start..stop]).unwrap_or_default();
        // A colon may end a sentence or begin a port that is missing.
        let single = text.strip_suffix(':').filter(|text| !text.ends_with(':'));
        let text = single.unwrap_or(text);
        let stop = start + text.len();
        let image = match (word_behind, text.parse::<Ipv6Addr>(), mac(text)) {
            (true, ..) => None,
            (_, Ok(ip), _) => self.v6(ip, stop).map(|image| (image.to_string(), Kind::Ip)),
            (_, Err(_), Some(octets)) => {
                self.words.mac(octets).map(|image| (mac_like(image, text), Kind::Mac))
            }
            _ => None,
        };
        match image {
            Some((image, kind)) => {
                self.put(start, stop, image.as_bytes(), kind);
                self.at = stop;
                true
            }
            None if self.at == start && self.text[start] == b':' => {
                self.at += 2;
                true
            }
            None => false,
        }
    }

    fn v6(&mut self, ip: Ipv6Addr, stop: usize) -> Option<IpAddr> {
        let network = prefix_length(&self.text[stop..]).and_then(|bits| self.words.network(ip.into(), bits));
        network.or_else(|| self.words.address(ip.into(), false))
    }

    fn put_cased(&mut self, start: usize, stop: usize, image: &str, kind: Kind) {
        let original = &self.text[start..stop];
        if original.len() != image.len() || !original.iter().any(u8::is_ascii_uppercase) {
            return self.put(start, stop, image.as_bytes(), kind);
        }
        let cased: Vec<u8> = original
            .iter()
            .zip(image.bytes())
            .map(|(was, is)| if was.is_ascii_uppercase() { is.to_ascii_uppercase() } else { is })
            .collect();
        self.put(start, stop, &cased, kind);
    }

    fn put(&mut self, start: usize, stop: usize, image: &[u8], kind: Kind) {
        self.out.extend_from_slice(&self.text[self.copied..start]);
        self.out.extend_from_slice(image);
        self.copied = stop;
        self.at = self.at.max(stop);
        self.counts[kind as usize] += 1;
        self.debt += image.len() as isize - (stop - start) as isize;
    }

    /// At a blank: takes or gives blanks, but leaves two between columns.
    fn settle(&mut self) {
        let blanks = self.text[self.at..].iter().take_while(|b| **b == b' ').count();
        if blanks >= 2 && self.text.get(self.at + blanks).is_some_and(|b| *b != b'\n') {
            self.out.extend_from_slice(&self.text[self.copied..self.at]);
            let wanted = (blanks as isize - self.debt).max(2);
            self.out.extend(std::iter::repeat_n(b' ', wanted as usize));
            self.debt += wanted - blanks as isize;
            self.copied = self.at + blanks;
        }
        self.at += blanks;
    }
}

fn lower(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_ascii_lowercase)
}

fn backwards(dotted: &str) -> String {
    let labels: Vec<&str> = dotted.split('.').rev().collect();
    labels.join(".")
}

/// Bytes at the begin of a token that belong to an escape before it: `\n`, `\u003c`, `%2F`.
fn escaped(before: &[u8], token: &[u8]) -> usize {
    match (before.last(), token) {
        (Some(b'\\'), [b'u', hex @ ..]) if hex.len() >= 4 && hex[..4].iter().all(u8::is_ascii_hexdigit) => 5,
        (Some(b'\\'), [b'n' | b'r' | b't' | b'b' | b'f', ..]) => 1,
        (Some(b'%'), [a, b, ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => 2,
        _ => 0,
    }
}

/// Whether the text ends in an escape character as programs write it.
fn is_written_escape(text: &[u8]) -> bool {
    [&b"\\u001b"[..], b"\\x1b", b"\\x1B", b"\\033", b"\\u001B", b"^", b"\x1b"]
        .iter()
        .any(|end| text.ends_with(end))
}

/// Length of a terminal's colour sequence from its bracket on; 0 if there is none.
fn colour(text: &[u8]) -> usize {
    if text.first() != Some(&b'[') {
        return 0;
    }
    let length = text[1..].iter().take(24).take_while(|b| b.is_ascii_digit() || b";?".contains(b)).count();
    if text.get(length + 1).is_some_and(u8::is_ascii_alphabetic) { length + 2 } else { 0 }
}

/// The number behind a slash at the start of the text: `/24`.
fn prefix_length(text: &[u8]) -> Option<u8> {
    let digits = text.strip_prefix(b"/")?;
    let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    let ends = match digits[length..] {
        [b'.', next, ..] | [next, ..] => !next.is_ascii_alphanumeric(),
        [] => true,
    };
    let bits = std::str::from_utf8(&digits[..length]).ok()?;
    if ends && length <= 3 { bits.parse().ok() } else { None }
}

/// Whether what follows the text is the host of a URL.
fn is_authority(before: &[u8]) -> bool {
    if before.ends_with(b"://") {
        return true;
    }
    let Some(line) = before.strip_suffix(b"@") else { return false };
    // Behind a user and a password.
    let line = &line[line.len().saturating_sub(128)..];
    memchr::memmem::rfind(line, b"://")
        .is_some_and(|scheme| !line[scheme + 3..].iter().any(|b| b.is_ascii_whitespace() || *b == b'/'))
}

fn mac(text: &str) -> Option<[u8; 6]> {
    if text.len() != 17 {
        return None;
    }
    let mut octets = [0; 6];
    let mut parts = text.split(':');
    for octet in &mut octets {
        *octet = u8::from_str_radix(parts.next().filter(|part| part.len() == 2)?, 16).ok()?;
    }
    Some(octets)
}

fn mac_like(mac: [u8; 6], like: &str) -> String {
    let text = mac.map(|octet| format!("{octet:02x}")).join(":");
    if like.bytes().any(|b| b.is_ascii_uppercase()) { text.to_ascii_uppercase() } else { text }
}

#[cfg(test)]
mod tests;
