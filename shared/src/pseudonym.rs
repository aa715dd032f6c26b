//! Pseudonyms on request: addresses and names of hosts leave the bundle, what they tell of a fault does not.
//!
//! Secrets are masked always and for good. Addresses and host names are no secrets, but some users may not publish
//! them; and the diagnosis needs them, for it is about which node, which subnet, which name. So they are replaced by
//! others of the same shape, under a key that the user keeps:
//!
//! - An address keeps its class, and two addresses share as many leading bits afterwards as before ([`bits`],
//!   [`address`]): what was in one subnet is in one subnet, whatever its size, and CIDRs hold and overlap as they did.
//! - A name is replaced label by label ([`words`]): `a.mycorp.com` and `b.mycorp.com` keep a common parent, the public
//!   suffix stays, and so do length, letters, digits and ordinals, so that tables line up and DNS rules are met. Names
//!   that everybody knows stay ([`known`]), and so do names of services, namespaces and pods, which are names of the
//!   software.
//! - The same value has the same pseudonym everywhere: in objects, logs, descriptions, paths and the manifest, in this
//!   bundle and in the next one under the same key. All mappings are one to one.
//!
//! The map of what was replaced stays with the user ([`map`]); with it a reply is turned back ([`reveal`]).
//!
//! # Why two passes
//! That a word is the name of a machine is known once the cluster's nodes, ingresses and hosts have been read, and
//! some are read last (a node that is only heard of by ssh). A stage that rewrites what streams past would either let
//! early mentions through or give one name two pseudonyms. So the collector writes its bundle as always, secrets
//! masked in the stream, into a folder that only its owner can enter, and at the end [`bundle`] reads it twice: once
//! to learn every name ([`learn`]), once to rewrite. Nothing is delivered before another reader ([`verify`]) has found
//! none of the real values in the result, and the folder goes away whatever happens. The same pass
//! serves bundles that were made earlier.
//!
//! # Limits
//! A host is recognised where the cluster says that it is one, in URLs, in prompts, and by a known ending. A short
//! name that nothing of this tells (`zeus` in a log) stays, and so do names of companies and people in the names of
//! namespaces, images and paths. Equality, order of ordinals, lengths and subnet structure are kept on purpose and can
//! be seen. Who knows some of the real addresses can recognise their neighbours by shared bits. What is rewritten
//! twice has a pseudonym of a pseudonym.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

mod address;
mod bits;
pub mod bundle;
mod forward;
mod key;
mod known;
mod learn;
pub mod map;
pub mod reveal;
mod rewrite;
mod text;
pub mod verify;
mod words;

pub use forward::Pseudonyms;
pub use key::{Key, NoKey};
pub use rewrite::Counts;

/// What can have pseudonyms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// IPv4 and IPv6 addresses and networks.
    Ip,
    /// Names of machines and domains.
    Host,
    /// Mail addresses.
    Email,
    /// Hardware addresses.
    Mac,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Ip, Kind::Host, Kind::Email, Kind::Mac];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Ip => "ip",
            Kind::Host => "host",
            Kind::Email => "email",
            Kind::Mac => "mac",
        }
    }

    /// What counts in a ledger entry call it, beside the kinds of secrets.
    pub fn counted_as(self) -> String {
        format!("pseudonym-{}", self.as_str())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kinds that a user asked for.
pub type Kinds = BTreeSet<Kind>;

/// A word that names no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing called {0:?} can have pseudonyms\nhint: name ip, host, email or mac, or all of them by `all`"
)]
pub struct NoKind(pub String);

impl FromStr for Kind {
    type Err = NoKind;

    fn from_str(text: &str) -> Result<Kind, NoKind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| NoKind(text.to_owned()))
    }
}

/// Reads the kinds that a user named; `all` is every one.
///
/// # Errors
/// When a word names none.
pub fn kinds<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Kinds, NoKind> {
    let mut kinds = Kinds::new();
    for word in words {
        match word.trim() {
            "all" => kinds.extend(Kind::ALL),
            word => {
                kinds.insert(word.parse()?);
            }
        }
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_or_refused() {
        assert_eq!(kinds(["ip", " host"]), Ok(Kinds::from([Kind::Ip, Kind::Host])));
        assert_eq!(kinds(["all"]).unwrap().len(), Kind::ALL.len());
        let error = kinds(["ip", "hosts"]).unwrap_err().to_string();
        assert!(error.contains("\"hosts\"") && error.contains("hint: "), "{error}");
        assert!(kinds([""]).is_err());
    }
}
