//! Bundles that only the support desk can read: files in the age format, version 1 (<https://age-encryption.org/v1>),
//! to X25519 keys (`age1…`). Any age program opens them, and what an age program wrote is opened here.
//!
//! # How a sealed bundle is checked
//! A finished bundle is searched for secrets before it is delivered ([`crate::redact::verify`]), and rewritten when one
//! was learned late ([`crate::redact::scrub`]). Both need its text, and no text may touch the disk. So every bundle is
//! sealed to one recipient more: a key that [`Seal::new`] makes, that lives in the memory of the run and dies with it.
//! With it the very file that will be delivered is read back from the disk, which also proves that it can be opened.
//! The price is one more stanza of about a hundred bytes in the header. It tells an onlooker nothing but that it is
//! there, and nobody can ever use it. The other way, to search the text on its way into the cipher, would check
//! something that is not the file, and could not mend what was learned late.
//!
//! # What it does not do
//! Whoever knows a public key can seal to it: that a bundle opens says nothing of who made it. The sizes and the
//! number of recipients show.

mod keys;
mod opened;

use std::io::{self, Read, Seek, Write};

pub use age::stream::StreamWriter;
use age::x25519::Identity;

pub use self::keys::{Identities, KeyError, NewKey, Recipients, is_open_to_others, open_to_others};
pub use self::opened::{Locked, Opened, is_sealed, open};

/// Ending of a sealed file's name.
pub const EXTENSION: &str = ".age";
/// How much longer the sealed text of so many bytes can be: a tag for each 64 KiB.
pub fn overhead(bytes: u64) -> u64 {
    (bytes / (64 << 10) + 2) * 16
}

/// What one bundle is sealed with.
#[derive(Clone)]
pub struct Seal {
    recipients: Recipients,
    own: Identity,
}

impl std::fmt::Debug for Seal {
    /// Says nothing of the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("recipients", &self.recipients).finish_non_exhaustive()
    }
}

impl Seal {
    /// A seal that these recipients can open, and this process for as long as it lives.
    pub fn new(recipients: Recipients) -> Self {
        Self { recipients, own: Identity::generate() }
    }

    pub fn recipients(&self) -> &Recipients {
        &self.recipients
    }

    /// Begins a sealed file: writes its header, and seals what is written to what this gives back. The file is cut
    /// short unless that is finished.
    ///
    /// # Errors
    /// What `file` gives.
    pub fn begin<W: Write>(&self, file: W) -> io::Result<StreamWriter<W>> {
        let own = self.own.to_public();
        let all = self.recipients.each().chain([&own]).map(|recipient| recipient as &dyn age::Recipient);
        age::Encryptor::with_recipients(all).map_err(io::Error::other)?.wrap_output(file)
    }

    /// Opens what this seal has sealed.
    ///
    /// # Errors
    /// When the file is damaged, or is not one of this seal's.
    pub fn open<'s>(&self, file: impl Read + Seek + 's) -> Result<Opened<'s>, Locked> {
        open(file, &Identities::only(self.own.clone()), u64::MAX)
    }
}
