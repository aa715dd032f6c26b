//! Keys as people have them: `age1…` on a command line, files of them, files of secret keys.
//!
//! A file holds one key a line, with empty lines and comments (`#`) between, as `age-keygen` writes it. Messages never
//! show a secret key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use jiff::Timestamp;

use crate::lang::Localized;

const PUBLIC: &str = "age1";
const SECRET: &str = "AGE-SECRET-KEY-";
/// Longest key file, in bytes. One key takes 75.
const LONGEST: u64 = 1 << 20;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot read the key file {path}: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the key file {path} is larger than any key file\nhint: name a file with one key a line")]
    Large { path: PathBuf },
    #[error(
        "{place}: no age public key\nhint: give one that begins with age1, as `age-keygen -y` prints it, or a file of such"
    )]
    NoRecipient { place: String },
    #[error(
        "{place}: a secret key, which must stay with its owner\nhint: give the public key that belongs to it: age1…"
    )]
    SecretGiven { place: String },
    #[error(
        "{place}: a public key, which opens nothing\nhint: give the file with the secret key: AGE-SECRET-KEY-1…"
    )]
    PublicGiven { place: String },
    #[error(
        "{place}: no age secret key\nhint: give the file that `casebook-analyze keygen` or age-keygen wrote"
    )]
    NoIdentity { place: String },
    #[error("{place}: no key in it\nhint: a key file holds one key a line; lines with # are comments")]
    Empty { place: String },
}

/// Public keys that a bundle is sealed to.
#[derive(Debug, Clone)]
pub struct Recipients(Vec<Recipient>);

impl Recipients {
    /// Reads what was given: each a public key, or a file of them.
    ///
    /// # Errors
    /// When one of them is no public key, or no file of such.
    pub fn read(given: &[String]) -> Result<Self, KeyError> {
        let mut all = Vec::new();
        for (at, given) in given.iter().enumerate() {
            let nth = format!("recipient {}", at + 1);
            if given.starts_with(PUBLIC) || given.starts_with(SECRET) {
                all.push(recipient(given, nth)?);
            } else {
                let path = PathBuf::from(given);
                let text = text_of(&path)?;
                all.extend(each_line(given, &text, recipient)?);
            }
        }
        all.dedup();
        Ok(Self(all))
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &Recipient> {
        self.0.iter()
    }
}

/// Secret keys that open what was sealed to them. The default has none.
#[derive(Clone, Default)]
pub struct Identities(Vec<Identity>);

impl std::fmt::Debug for Identities {
    /// Says how many, never which.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}

impl Identities {
    /// Reads files of secret keys.
    ///
    /// # Errors
    /// When one cannot be read, or holds something else.
    pub fn read(paths: &[PathBuf]) -> Result<Self, KeyError> {
        let mut all = Vec::new();
        for path in paths {
            let text = text_of(path)?;
            all.extend(each_line(&path.display().to_string(), &text, identity)?);
        }
        Ok(Self(all))
    }

    pub(super) fn only(identity: Identity) -> Self {
        Self(vec![identity])
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity as &dyn age::Identity)
    }
}

/// A key pair that was just made.
pub struct NewKey {
    /// `age1…`
    pub public: String,
    /// What goes into the key file: as `age-keygen` writes it.
    pub file: String,
}

impl NewKey {
    /// Makes a key pair; `now` goes into the file as a comment.
    pub fn generate(now: Timestamp) -> Self {
        let identity = Identity::generate();
        let public = identity.to_public().to_string();
        let secret = identity.to_string();
        let created = now.strftime("%Y-%m-%dT%H:%M:%SZ");
        let file = format!("# created: {created}\n# public key: {public}\n{}\n", secret.expose_secret());
        Self { public, file }
    }
}

/// Whether others than its owner may read a file that holds a secret key. Of what cannot be looked at nothing is said.
pub fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o077 != 0)
}

/// What to say of such a file.
pub fn open_to_others(path: &Path) -> Localized {
    let path = path.display();
    Localized::new(
        format!("密钥文件 {path} 可被本机其他用户读取，请执行：chmod 600 {path}"),
        format!("others on this machine can read the secret key in {path}: chmod 600 {path}"),
    )
}

fn text_of(path: &PathBuf) -> Result<String, KeyError> {
    let unreadable = |source| KeyError::Unreadable { path: path.clone(), source };
    if fs::metadata(path).map_err(unreadable)?.len() > LONGEST {
        return Err(KeyError::Large { path: path.clone() });
    }
    fs::read_to_string(path).map_err(unreadable)
}

fn each_line<T>(
    name: &str,
    text: &str,
    read: impl Fn(&str, String) -> Result<T, KeyError>,
) -> Result<Vec<T>, KeyError> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).enumerate();
    let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let keys: Vec<T> =
        keys.map(|(at, line)| read(line, format!("{name}:{}", at + 1))).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(KeyError::Empty { place: name.to_owned() }) } else { Ok(keys) }
}

fn recipient(key: &str, place: String) -> Result<Recipient, KeyError> {
    if key.to_ascii_uppercase().starts_with(SECRET) {
        return Err(KeyError::SecretGiven { place });
    }
    Recipient::from_str(key).map_err(|_| KeyError::NoRecipient { place })
}

fn identity(key: &str, place: String) -> Result<Identity, KeyError> {
    if key.starts_with(PUBLIC) {
        return Err(KeyError::PublicGiven { place });
    }
    Identity::from_str(key).map_err(|_| KeyError::NoIdentity { place })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_new_key_is_read_back_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (NewKey::generate(Timestamp::UNIX_EPOCH), NewKey::generate(Timestamp::UNIX_EPOCH));
        assert!(one.file.starts_with("# created: 1970-01-01T00:00:00Z\n# public key: age1"), "{}", one.file);
        // As Windows saves it.
        let both = format!("\u{feff}{}\r\n\r\n{}", one.file, other.file).replace('\n', "\r\n");
        let secret = file(&folder, "key.txt", &both);
        assert_eq!(Identities::read(&[secret]).unwrap().0.len(), 2);
        let list = file(&folder, "desk.txt", &format!("# desk\n{}\n", other.public));
        let given = [one.public, list.display().to_string()];
        assert_eq!(Recipients::read(&given).unwrap().count(), 2);
    }

    #[test]
    fn a_key_that_others_can_read_is_noticed() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let key = file(&folder, "key.txt", "x");
        for (mode, open) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_open_to_others(&key), open, "{mode:o}");
        }
        assert!(!is_open_to_others(&folder.path().join("missing")));
        assert!(open_to_others(&key).en.contains("chmod 600"));
    }

    #[test]
    fn what_is_no_key_is_refused_with_a_hint_and_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let key = NewKey::generate(Timestamp::UNIX_EPOCH);
        let secret = key.file.lines().last().unwrap().to_owned();
        let mut typo = key.public.clone();
        typo.pop();
        let path = |name: &str, text: &str| file(&folder, name, text).display().to_string();
        for (given, said) in [
            (typo, "recipient 1: no age public key"),
            (secret.clone(), "recipient 1: a secret key"),
            (path("secret.txt", &key.file), "secret.txt:3: a secret key"),
            (path("ssh.txt", "\nssh-ed25519 AAAA\n"), "ssh.txt:2: no age public key"),
            (path("empty.txt", "# nothing\n"), "empty.txt: no key"),
            (folder.path().join("missing").display().to_string(), "cannot read the key file"),
        ] {
            let error = Recipients::read(&[given]).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            assert!(!error.contains(&secret), "{error}");
        }
        for (text, said) in [(&*key.public, "a public key"), ("x", "no age secret key"), ("", "no key in it")]
        {
            let error = Identities::read(&[file(&folder, "i.txt", text)]).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("hint: "), "{error}");
        }
    }
}
