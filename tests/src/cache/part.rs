//! What one script makes, in a folder whose name is the version of the script.
//!
//! A script that changes makes its part anew, in another folder: two checkouts of different ages do not take each other's
//! programs away, and a script that was cut off goes on where it was. What nobody has used for long is removed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::SCRIPTS;

/// The file that says that a part is whole; its time is that of the last use.
const READY: &str = "ready";
/// A version that was not used for so long is removed when another is made.
const KEPT: Duration = Duration::from_secs(30 * 86400);
/// Hexadecimal digits of the script's hash that name a version.
const DIGITS: usize = 12;

#[derive(Debug, Clone)]
pub struct Part {
    pub folder: PathBuf,
    name: &'static str,
    script: PathBuf,
    /// Files and folders that are there when the script was successful.
    wanted: Vec<PathBuf>,
}

impl Part {
    /// `script` and `inputs` are files below [`SCRIPTS`], `wanted` paths in the part's folder.
    pub fn locate(
        cache: &Path,
        name: &'static str,
        script: &str,
        inputs: &[&str],
        wanted: &[&str],
    ) -> Result<Part> {
        let mut hash = Sha256::new();
        for input in std::iter::once(script).chain(inputs.iter().copied()) {
            let path = Path::new(SCRIPTS).join(input);
            hash.update(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
        }
        let mut version =
            hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        version.truncate(DIGITS);
        let folder = cache.join(name).join(version);
        let wanted = wanted.iter().map(|path| folder.join(path)).collect();
        Ok(Part { folder, name, script: Path::new(SCRIPTS).join(script), wanted })
    }

    /// Whether it is there and whole; notes that it was used.
    pub fn is_made(&self) -> bool {
        let Ok(ready) = fs::File::open(self.folder.join(READY)) else { return false };
        // Where that is not allowed, the cache belongs to somebody else, who looks after it.
        let _ = ready.set_modified(SystemTime::now());
        self.wanted.iter().all(|path| path.exists())
    }

    /// Runs the script and tells on stderr what it says.
    ///
    /// # Errors
    /// When it fails, or does not make what is wanted.
    pub fn make(&self) -> Result<()> {
        let Part { folder, name, script, wanted } = self;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut child = Command::new("bash")
            .arg(script)
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", script.display()))?;
        let output = child.stdout.take().context("the script's output was asked for")?;
        for line in BufReader::new(output).lines() {
            eprintln!("{name}: {}", line.context("cannot read what the script says")?);
        }
        let status = child.wait()?;
        if !status.success() {
            bail!(
                "{} ended with {status}; its messages are above\n\
                 hint: it needs Debian 12, root and the package registries; .ci/run installs everything it uses",
                script.display()
            );
        }
        if let Some(missing) = wanted.iter().find(|path| !path.exists()) {
            bail!("{} succeeded, but {} is not there", script.display(), missing.display());
        }
        fs::write(folder.join(READY), "").with_context(|| format!("cannot write to {}", folder.display()))?;
        self.forget_others();
        Ok(())
    }

    /// Removes versions that nobody has used for long. What cannot be removed stays: this is only about room.
    fn forget_others(&self) {
        let Some(siblings) = self.folder.parent().and_then(|parent| fs::read_dir(parent).ok()) else {
            return;
        };
        for sibling in siblings.flatten().map(|entry| entry.path()).filter(|path| *path != self.folder) {
            let last_use = fs::metadata(sibling.join(READY)).and_then(|ready| ready.modified());
            if last_use.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > KEPT)) {
                let _ = fs::remove_dir_all(sibling);
            }
        }
    }
}
