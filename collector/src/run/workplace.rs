//! The folder in which a bundle is written: beside its place, closed to everybody but its owner, and gone in the end,
//! whatever the end is.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::warden::Warden;

/// Names that are tried; each has about 60 random bits.
const TRIES: usize = 16;

/// Removed with all that is in it when dropped.
#[derive(Debug)]
pub struct Workplace {
    path: PathBuf,
    /// Removes it where this program cannot any more.
    _warden: Option<Warden>,
}

impl Workplace {
    /// Makes one in `parent`.
    ///
    /// # Errors
    /// When that cannot be written to.
    pub fn new_in(parent: &Path) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            let name: String = (0..12).map(|_| fastrand::alphanumeric()).collect();
            let path = parent.join(format!(".casebook-{name}.part"));
            let warden = Warden::over(&path);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path, _warden: warden }),
                Err(error) => {
                    if let Some(warden) = warden {
                        warden.call_off();
                    }
                    tries += 1;
                    if error.kind() != io::ErrorKind::AlreadyExists || tries == TRIES {
                        return Err(error);
                    }
                }
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // The warden tries again, and whoever was quicker has done it.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn nobody_else_can_enter_it_and_nothing_of_it_stays() {
        let parent = tempfile::tempdir().unwrap();
        let place = Workplace::new_in(parent.path()).unwrap();
        let mode = fs::metadata(place.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::write(place.path().join("first"), "x").unwrap();
        drop(place);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
        assert!(Workplace::new_in(&parent.path().join("missing")).is_err());
    }
}
