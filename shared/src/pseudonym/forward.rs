//! From real values to pseudonyms.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::address::Addresses;
use super::map::{MAX_VALUES, Map};
use super::rewrite::{Place, Vocabulary};
use super::words::Words;
use super::{Key, Kind, Kinds, known};

/// Most names of one sort that are remembered while a bundle is read.
const MAX_NAMES: usize = 200_000;

/// Gives pseudonyms, and remembers which it gave.
#[derive(Clone)]
pub struct Pseudonyms {
    kinds: Kinds,
    id: String,
    addresses: Addresses,
    words: Words,
    ips: HashMap<IpAddr, IpAddr>,
    networks: HashMap<(IpAddr, u8), IpAddr>,
    names: HashMap<String, String>,
    emails: HashMap<String, String>,
    macs: HashMap<[u8; 6], [u8; 6]>,
    /// First runs of letters and digits of all names.
    begins: HashSet<Box<[u8]>>,
    /// Domains of the user, below which every name is a host.
    domains: HashSet<String>,
    /// Names with dots that are no hosts: API groups.
    groups: HashSet<String>,
    namespaces: HashSet<String>,
    /// Values that came when there was no more room for them.
    forgotten: u64,
}

impl std::fmt::Debug for Pseudonyms {
    /// Says nothing of the key and of real values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pseudonyms").field("kinds", &self.kinds).field("id", &self.id).finish_non_exhaustive()
    }
}

impl Pseudonyms {
    /// Pseudonyms of these kinds under a key. What an earlier run learned is known from the begin.
    pub fn new(key: &Key, kinds: Kinds, known: Option<&Map>) -> Pseudonyms {
        let mut pseudonyms = Pseudonyms {
            kinds,
            id: key.id(),
            addresses: Addresses::new(key),
            words: Words::new(key),
            ips: HashMap::new(),
            networks: HashMap::new(),
            names: HashMap::new(),
            emails: HashMap::new(),
            macs: HashMap::new(),
            begins: HashSet::new(),
            domains: HashSet::new(),
            groups: HashSet::new(),
            namespaces: HashSet::new(),
            forgotten: 0,
        };
        for name in known.into_iter().flat_map(|map| map.of(Kind::Host).values()) {
            pseudonyms.known(name);
        }
        for ip in known.into_iter().flat_map(|map| map.of(Kind::Ip).values()).filter_map(|ip| ip.parse().ok())
        {
            pseudonyms.address(ip, false);
        }
        pseudonyms
    }

    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// Id of the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many values cannot be turned back, since there were too many.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Learns the name of a machine: a node, a host of an ingress, the server of a kubeconfig. Words of the field,
    /// names of the cluster's own DNS and names that everybody knows are passed over.
    pub fn machine(&mut self, name: &str) {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let valid = (2..=253).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
            && name.split('.').all(|label| (1..=63).contains(&label.len()));
        let digits = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if !valid || digits || !self.kinds.contains(&Kind::Host) {
            return;
        }
        if !name.contains('.') {
            if !known::is_common_word(&name) {
                let image = self.words.label(&name, &self.addresses);
                self.remember(name, image);
            }
            return;
        }
        if known::is_kept_domain(&name) {
            return;
        }
        let (short, _) = name.split_once('.').expect("it has a dot");
        // Programs on a machine call it by its first label.
        if short.contains('-') || short.bytes().any(|b| b.is_ascii_digit()) {
            self.machine(short);
        }
        self.domain(&name);
    }

    /// Takes a name as an earlier run has left it. What else may be called by its first label is not concluded anew: that
    /// run has kept short names of machines by themselves, and most names with dots are none of machines
    /// (`v1.acme.com` is an API's, and `v1` stands everywhere).
    fn known(&mut self, name: &str) {
        if !self.kinds.contains(&Kind::Host) {
            return;
        }
        if name.contains('.') {
            self.domain(name);
        } else {
            self.machine(name);
        }
    }

    /// Learns a namespace, so that `service.namespace` is not taken for a host.
    pub(super) fn namespace(&mut self, name: &str) {
        if self.namespaces.len() < MAX_NAMES && !self.namespaces.contains(name) {
            self.namespaces.insert(name.to_owned());
        }
    }

    /// Learns an API group.
    pub(super) fn group(&mut self, name: &str) {
        if self.groups.len() < MAX_NAMES && !self.groups.contains(name) {
            self.groups.insert(name.to_owned());
        }
    }

    /// All that has a pseudonym, for the user to keep.
    pub fn map(&self) -> Map {
        let mut map = Map::new(&self.id);
        let ips = self.ips.iter().map(|(real, image)| (image.to_string(), real.to_string()));
        let networks = self
            .networks
            .iter()
            .map(|((real, bits), image)| (format!("{image}/{bits}"), format!("{real}/{bits}")));
        map.of_mut(Kind::Ip).extend(ips.chain(networks));
        let names = self.names.iter().map(|(real, image)| (image.clone(), real.clone()));
        map.of_mut(Kind::Host).extend(names);
        let emails = self.emails.iter().map(|(real, image)| (image.clone(), real.clone()));
        map.of_mut(Kind::Email).extend(emails);
        let text = |mac: &[u8; 6]| mac.map(|octet| format!("{octet:02x}")).join(":");
        map.of_mut(Kind::Mac).extend(self.macs.iter().map(|(real, image)| (text(image), text(real))));
        map
    }

    fn has_room(&mut self) -> bool {
        let held =
            self.ips.len() + self.networks.len() + self.names.len() + self.emails.len() + self.macs.len();
        self.forgotten += u64::from(held >= MAX_VALUES);
        held < MAX_VALUES
    }

    fn remember(&mut self, name: String, image: String) {
        if name == image || self.names.contains_key(&name) || !self.has_room() {
            return;
        }
        let first = name.bytes().take_while(u8::is_ascii_alphanumeric).collect::<Vec<u8>>();
        self.begins.insert(first.into());
        self.names.insert(name, image);
    }

    /// The pseudonym of a name with dots, which becomes known, and with it the domain that it belongs to.
    fn domain(&mut self, name: &str) -> Option<String> {
        if let Some(image) = self.names.get(name) {
            return Some(image.clone());
        }
        let labels: Vec<&str> = name.split('.').collect();
        let suffix = known::suffix_labels(&labels);
        let own = labels.len().checked_sub(suffix + 1)?;
        let mut image = self.labels(&labels, own);
        while known::is_kept_domain(&image) {
            image = self.labels(&image.split('.').collect::<Vec<_>>(), own);
        }
        if suffix > 0 || own > 1 {
            let first = if suffix > 0 { own } else { own - 1 };
            let domain = labels[first..].join(".");
            if self.domains.len() < MAX_NAMES && !known::is_kept_domain(&domain) {
                self.domains.insert(domain);
            }
        }
        self.remember(name.to_owned(), image.clone());
        (image != name).then_some(image)
    }

    /// Replaces the labels up to the one at `own`, which names who owns the domain.
    fn labels(&self, labels: &[&str], own: usize) -> String {
        let images = labels.iter().enumerate().map(|(at, label)| match at.cmp(&own) {
            std::cmp::Ordering::Less => self.words.label(label, &self.addresses),
            std::cmp::Ordering::Equal => self.words.own_label(label, &self.addresses),
            std::cmp::Ordering::Greater => (*label).to_owned(),
        });
        images.collect::<Vec<_>>().join(".")
    }
}

impl Vocabulary for Pseudonyms {
    fn address(&mut self, ip: IpAddr, doubtful: bool) -> Option<IpAddr> {
        if !self.kinds.contains(&Kind::Ip) {
            return None;
        }
        if let Some(image) = self.ips.get(&ip) {
            return Some(*image);
        }
        let image = if doubtful { None } else { self.addresses.ip(ip) }?;
        if self.has_room() {
            self.ips.insert(ip, image);
        }
        Some(image)
    }

    fn network(&mut self, ip: IpAddr, bits: u8) -> Option<IpAddr> {
        if !self.kinds.contains(&Kind::Ip) {
            return None;
        }
        if let Some(image) = self.networks.get(&(ip, bits)) {
            return Some(*image);
        }
        let image = self.addresses.network(ip, bits)?;
        if self.has_room() {
            self.networks.insert((ip, bits), image);
        }
        Some(image)
    }

    fn host(&mut self, token: &str, place: Place) -> Option<String> {
        if !self.kinds.contains(&Kind::Host) {
            return None;
        }
        if let Some(image) = self.names.get(token) {
            return Some(image.clone());
        }
        let labels: Vec<&str> = token.split('.').collect();
        let last = labels.last()?;
        let by_looks = known::looks_like_host(&labels, place.in_url) && (place.in_url || !place.capitals);
        let ours = || known::and_parents(token).any(|parent| self.domains.contains(parent));
        let other = || {
            self.namespaces.contains(*last)
                || known::and_parents(token).any(|parent| self.groups.contains(parent))
        };
        if labels.iter().any(|label| {
            label.is_empty() || label.len() > 63 || label.starts_with('-') || label.ends_with('-')
        }) || !(ours() || (by_looks && !other()))
            || known::is_kept_domain(token)
        {
            return None;
        }
        self.domain(token)
    }

    fn begins_name(&self, run: &[u8]) -> bool {
        self.begins.contains(run)
    }

    fn name(&mut self, name: &str) -> Option<String> {
        self.names.get(name).cloned()
    }

    fn mac(&mut self, mac: [u8; 6]) -> Option<[u8; 6]> {
        if !self.kinds.contains(&Kind::Mac) {
            return None;
        }
        let image = self.addresses.mac(mac)?;
        if !self.macs.contains_key(&mac) && self.has_room() {
            self.macs.insert(mac, image);
        }
        Some(image)
    }

    fn email(&mut self, local: &str, host: &str) -> Option<(String, Option<String>)> {
        if !self.kinds.contains(&Kind::Email) || known::is_common_word(local) {
            return None;
        }
        let labels: Vec<&str> = host.split('.').collect();
        if !known::looks_like_host(&labels, true) {
            return None;
        }
        let image = self.words.label(local, &self.addresses);
        let at = self.host(host, Place { in_url: true, capitals: false });
        let whole = format!("{local}@{host}");
        if !self.emails.contains_key(&whole) && self.has_room() {
            self.emails.insert(whole, format!("{image}@{}", at.as_deref().unwrap_or(host)));
        }
        Some((image, at))
    }
}
