//! What the user keeps of pseudonyms: the key that they follow from, and the map back.
//!
//! Both are files of the user's own, readable by nobody else and never in a bundle. The key is made when it is first
//! needed; the same key gives the user's next bundle the same pseudonyms. The map lies beside it as `KEY.map.json` and
//! grows from run to run. It is on the disk before a bundle is delivered, so that no bundle exists that its user cannot
//! turn back.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use shared::pseudonym::map::{Map, MapError};
use shared::pseudonym::{Key, Kinds, NoKey, Pseudonyms};

/// Where the key lies unless the user named another file, below the folder for settings.
const DEFAULT: &str = "casebook/pseudonym.key";
/// Ending of the map's name behind the key's.
const MAP_ENDING: &str = ".map.json";

#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error(
        "nowhere to keep the key of the pseudonyms: HOME is not set\nhint: name a file with --pseudonym-key FILE"
    )]
    NoHome,
    #[error(
        "{path}: {source}\nhint: name the file that an earlier run made, or a new one, with --pseudonym-key FILE"
    )]
    NoKey { path: PathBuf, source: NoKey },
    #[error("{path}: {source}\nhint: it belongs to the key beside it; move both away to begin anew")]
    Map { path: PathBuf, source: MapError },
    #[error(
        "there is no map of pseudonyms at {path}\nhint: name the key of the run that gave them with --pseudonym-key FILE; the map lies beside it"
    )]
    NoMap { path: PathBuf },
    #[error("the system has no randomness for a key: {0}")]
    Random(String),
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "cannot write {path}: {source}\nhint: name a file in a folder that you may write to with --pseudonym-key FILE"
    )]
    Write { path: PathBuf, source: io::Error },
}

/// The place of a user's key and map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring {
    key: PathBuf,
}

impl Keyring {
    /// The file that the user named, or the usual one.
    ///
    /// # Errors
    /// When there is no usual one.
    pub fn open(named: Option<PathBuf>) -> Result<Keyring, KeyringError> {
        Keyring::at(named, |name| std::env::var_os(name))
    }

    fn at(named: Option<PathBuf>, env: impl Fn(&str) -> Option<OsString>) -> Result<Keyring, KeyringError> {
        if let Some(key) = named {
            return Ok(Keyring { key });
        }
        let folder = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let settings = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
        Ok(Keyring { key: settings.ok_or(KeyringError::NoHome)?.join(DEFAULT) })
    }

    /// Where the key lies.
    pub fn key_path(&self) -> &Path {
        &self.key
    }

    /// Where the map lies.
    pub fn map_path(&self) -> PathBuf {
        let mut name = self.key.clone().into_os_string();
        name.push(MAP_ENDING);
        name.into()
    }

    /// Pseudonyms of these kinds, under the key that is there or a new one. They know what earlier runs learned.
    ///
    /// # Errors
    /// When the key cannot be read or made, or the map is not its own.
    pub fn begin(&self, kinds: Kinds) -> Result<Pseudonyms, KeyringError> {
        let key = self.key()?;
        let known = self.map()?;
        if let Some(map) = &known {
            map.check_key(&key.id()).map_err(|source| self.bad_map(source))?;
        }
        Ok(Pseudonyms::new(&key, kinds, known.as_ref()))
    }

    /// Adds to the map on the disk.
    ///
    /// # Errors
    /// When it cannot be read or written; it is as it was then.
    pub fn remember(&self, more: &Map) -> Result<(), KeyringError> {
        // Another run may have written meanwhile.
        let mut map = self.map()?.unwrap_or_else(|| Map::new(&more.key));
        map.check_key(&more.key).map_err(|source| self.bad_map(source))?;
        map.merge(more);
        let path = self.map_path();
        let write = || -> io::Result<()> {
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            file.write_all(map.render().as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|source| KeyringError::Write { path: path.clone(), source })
    }

    /// The map, for turning pseudonyms back.
    ///
    /// # Errors
    /// When there is none.
    pub fn known(&self) -> Result<Map, KeyringError> {
        self.map()?.ok_or_else(|| KeyringError::NoMap { path: self.map_path() })
    }

    fn key(&self) -> Result<Key, KeyringError> {
        let path = || self.key.clone();
        match fs::read_to_string(&self.key) {
            Ok(text) => Key::parse(&text).map_err(|source| KeyringError::NoKey { path: path(), source }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key = Key::random().map_err(|error| KeyringError::Random(error.to_string()))?;
                self.write_key(&key).map_err(|source| KeyringError::Write { path: path(), source })?;
                Ok(key)
            }
            Err(source) => Err(KeyringError::Read { path: path(), source }),
        }
    }

    fn write_key(&self, key: &Key) -> io::Result<()> {
        if let Some(folder) = self.key.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.key)?;
        file.write_all(key.render().as_bytes())?;
        file.sync_all()
    }

    fn map(&self) -> Result<Option<Map>, KeyringError> {
        let path = self.map_path();
        match fs::read_to_string(&path) {
            Ok(text) => Map::parse(&text).map(Some).map_err(|source| self.bad_map(source)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(KeyringError::Read { path, source }),
        }
    }

    fn bad_map(&self, source: MapError) -> KeyringError {
        KeyringError::Map { path: self.map_path(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::pseudonym::{Kind, kinds};
    use std::os::unix::fs::PermissionsExt;

    fn keyring(folder: &Path) -> Keyring {
        Keyring::at(None, |name| (name == "HOME").then(|| folder.as_os_str().to_owned())).unwrap()
    }

    #[test]
    fn the_next_run_gives_the_same_pseudonyms_and_the_map_grows() {
        let home = tempfile::tempdir().unwrap();
        let ring = keyring(home.path());
        let run = |name: &str| {
            let mut words = ring.begin(kinds(["host"]).unwrap()).unwrap();
            words.machine(name);
            ring.remember(&words.map()).unwrap();
            words.string(name)
        };
        let (first, second) = (run("zeus.mycorp.com"), run("hera.mycorp.com"));
        assert_eq!(run("zeus.mycorp.com"), first);
        let map = ring.known().unwrap();
        for (image, real) in [(&first, "zeus.mycorp.com"), (&second, "hera.mycorp.com")] {
            assert_eq!(map.of(Kind::Host).get(image).map(String::as_str), Some(real));
        }
        for path in [ring.key_path(), &ring.map_path()] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
        }
        let left = fs::read_dir(home.path().join(".config/casebook")).unwrap().count();
        assert_eq!(left, 2, "only the key and the map");
    }

    #[test]
    fn what_does_not_fit_is_refused_and_left_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        let ring = keyring(home.path());
        assert!(matches!(ring.known(), Err(KeyringError::NoMap { .. })));
        ring.begin(Kinds::new()).unwrap();
        ring.remember(&Map::new("another")).unwrap();
        let error = ring.begin(Kinds::new()).unwrap_err().to_string();
        assert!(error.contains("map.json") && error.contains("hint: "), "{error}");
        fs::write(ring.key_path(), "hello").unwrap();
        let error = ring.begin(Kinds::new()).unwrap_err().to_string();
        assert!(error.contains("pseudonym.key") && error.contains("hint: "), "{error}");
        assert_eq!(fs::read_to_string(ring.key_path()).unwrap(), "hello");
    }

    #[test]
    fn the_place_follows_the_environment_or_the_user() {
        let env = |name: &str| Some(OsString::from(if name == "HOME" { "/h" } else { "/x" }));
        assert_eq!(Keyring::at(None, env).unwrap().key_path(), Path::new("/x/casebook/pseudonym.key"));
        let named = Keyring::at(Some("my.key".into()), env).unwrap();
        assert_eq!(named.map_path(), Path::new("my.key.map.json"));
        assert!(matches!(Keyring::at(None, |_| None), Err(KeyringError::NoHome)));
    }
}
