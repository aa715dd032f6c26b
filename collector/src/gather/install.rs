//! BlueKing's installation directory: which files it has, and the few whose text is both telling and safe.
//!
//! The directory is known by its marks. Of every file name, size, time and SHA-256 are kept, which is enough to see that
//! one is missing, was edited after the last deployment, or differs from what was shipped. Text is taken only of
//! files that are named here: helmfiles, the table of versions, and what the SaaS installer leaves behind. Files that
//! hold secrets are never opened but for their hash.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use shared::bundle::manifest::Outcome;
use shared::bundle::paths;
use shared::redact::Redactor;

use super::text;
use crate::select::glob;
use crate::sink::{Draft, Sink, entry};

/// What the directory of every version has.
const MARKS: [&str; 2] = ["environments/default", "base-blueking.yaml.gotmpl"];
/// Where the documentation of one version or another puts it, below the home directory.
const USUAL: [&str; 5] = [
    "bkhelmfile/blueking",
    "bkce7.1-install/blueking",
    "bkce7.2-install/blueking",
    "bkce7.3-install/blueking",
    "bkce7-install/blueking",
];
/// Files whose text is taken; paths from the directory, `..` being the one above it.
const TEXTS: &[&str] = &[
    "*.yaml.gotmpl",
    "helmfile.yaml",
    "environments/default/version.yaml",
    "../saas/*.tgz-upload",
    "../saas/*-prod.*",
    "../saas/*-stag.*",
    "../saas/saas_install_step",
];
/// Names that mean secrets wherever they stand, whatever [`TEXTS`] says.
const NEVER: &[&str] = &[
    "secret",
    "keypair",
    "password",
    "token",
    "credential",
    "redis_custom",
    "initial_cluster",
    ".key",
    ".pem",
];

/// Bounds of what is looked at.
const DEPTH: usize = 6;
const FILES: usize = 5000;
const HASHED: u64 = 8 << 20;
const TEXT: u64 = 4 << 20;

/// Finds the directory: the one that was named, else one of the usual places that bears the marks.
pub fn find(named: Option<&Path>) -> Option<PathBuf> {
    if let Some(named) = named {
        return [named.to_owned(), named.join("blueking")].into_iter().find(|path| is_marked(path));
    }
    let mut places = Vec::new();
    if let Some(dir) = std::env::var_os("INSTALL_DIR").map(PathBuf::from) {
        places.extend([dir.join("blueking"), dir]);
    }
    if let Ok(here) = std::env::current_dir() {
        places.extend(here.ancestors().take(4).flat_map(|dir| [dir.to_owned(), dir.join("blueking")]));
    }
    if let Some(home) = std::env::home_dir() {
        places.extend(USUAL.iter().map(|place| home.join(place)));
    }
    places.into_iter().find(|path| is_marked(path))
}

fn is_marked(path: &Path) -> bool {
    MARKS.iter().all(|mark| path.join(mark).exists())
}

/// Puts the directory's listing and its safe texts into the bundle.
pub fn collect(sink: &Sink, redactor: &Redactor, named: Option<&Path>) {
    let Some(root) = find(named) else {
        let mut absent = entry(paths::INSTALL, "installation directory", Outcome::NotFound);
        absent.note = Some(match named {
            Some(path) => format!("{} has no {}", path.display(), MARKS.join(" and ")),
            None => "not at a usual place of this machine (--install-dir names it)".to_owned(),
        });
        if named.is_some() {
            absent.outcome = Outcome::Failed;
        }
        sink.note(absent);
        return;
    };
    let mut found = Vec::new();
    walk(&root, Path::new(""), 0, &mut found);
    if let Some(above) = root.parent() {
        walk(&above.join("saas"), Path::new("../saas"), DEPTH - 1, &mut found);
    }
    found.sort();
    let whole = found.len() < FILES;
    let mut listing = format!("# {}\n# size\tmodified\tsha256\tpath\n", root.display());
    for relative in &found {
        listing += &line(&root, relative);
    }
    let source = format!("files below {}", root.display());
    let (outcome, note) = if whole {
        (Outcome::Collected, None)
    } else {
        (Outcome::Truncated, Some(format!("only the first {FILES} files were looked at")))
    };
    let path = format!("{}/files.txt", paths::INSTALL);
    match text::masked(Draft::new(&*path, &*source), listing.as_bytes(), outcome, note, redactor) {
        Ok(finished) => sink.put(finished),
        Err(error) => {
            let mut failed = entry(&path, source, Outcome::Failed);
            failed.note = Some(error.to_string());
            sink.note(failed);
        }
    }
    for relative in found.iter().filter(|path| is_safe(&path.to_string_lossy())) {
        take(sink, redactor, &root, relative);
    }
}

/// Relative paths of the regular files; links are not followed.
fn walk(folder: &Path, relative: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if found.len() >= FILES {
            return;
        }
        let Ok(kind) = entry.file_type() else { continue };
        let relative = relative.join(entry.file_name());
        if kind.is_file() {
            found.push(relative);
        } else if kind.is_dir() && depth < DEPTH && entry.file_name() != ".git" {
            walk(&entry.path(), &relative, depth + 1, found);
        }
    }
}

fn line(root: &Path, relative: &Path) -> String {
    let path = root.join(relative);
    let shown = relative.display().to_string().replace(['\n', '\t'], "?");
    let Ok(meta) = fs::symlink_metadata(&path) else { return format!("-\t-\t-\t{shown}\n") };
    let modified = meta.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    let modified =
        modified.map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let hash = if meta.len() <= HASHED { sha256(&path) } else { None };
    format!("{}\t{modified}\t{}\t{shown}\n", meta.len(), hash.unwrap_or_else(|| "-".to_owned()))
}

fn sha256(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(HASHED).read_to_end(&mut bytes).ok()?;
    Some(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether the text of a file may be taken.
fn is_safe(relative: &str) -> bool {
    let name = relative.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let depth = |path: &str| path.matches('/').count();
    TEXTS.iter().any(|pattern| glob(pattern, relative) && depth(pattern) == depth(relative))
        && !NEVER.iter().any(|word| name.contains(word))
}

fn take(sink: &Sink, redactor: &Redactor, root: &Path, relative: &Path) {
    let shown = relative.to_string_lossy();
    let inside: Vec<String> = shown.split('/').filter(|s| *s != "..").map(paths::safe_segment).collect();
    let path = format!("{}/{}", paths::INSTALL, inside.join("/"));
    let source = root.join(relative).display().to_string();
    let mut bytes = Vec::new();
    let read = File::open(root.join(relative)).and_then(|file| file.take(TEXT + 1).read_to_end(&mut bytes));
    let cut = bytes.len() as u64 > TEXT;
    let (outcome, note) = match &read {
        Err(error) => (Outcome::Failed, Some(error.to_string())),
        Ok(_) if cut => (Outcome::Truncated, Some(format!("only the last {} MiB are kept", TEXT >> 20))),
        Ok(0) => (Outcome::Empty, None),
        Ok(_) => (Outcome::Collected, None),
    };
    if cut {
        bytes = tail(&root.join(relative)).unwrap_or(bytes);
    }
    let masked = text::masked(Draft::new(&*path, &*source), &bytes, outcome, note, redactor);
    match masked {
        Ok(finished) if read.is_ok() => sink.put(finished),
        Ok(_) => {
            let mut failed = entry(&path, source, outcome);
            failed.note = read.err().map(|error| error.to_string());
            sink.note(failed);
        }
        Err(error) => {
            let mut failed = entry(&path, source, Outcome::Failed);
            failed.note = Some(error.to_string());
            sink.note(failed);
        }
    }
}

/// The newest lines of a long log.
fn tail(path: &Path) -> Option<Vec<u8>> {
    use std::io::{Seek, SeekFrom};
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::End(-(TEXT as i64))).ok()?;
    let mut bytes = Vec::new();
    file.take(TEXT).read_to_end(&mut bytes).ok()?;
    crate::logs::head_tail::whole_lines_at_the_start(&mut bytes);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::Stop;
    use shared::bundle::manifest::{FORMAT, Manifest, Tool};
    use shared::bundle::writer::{BundleWriter, Format};

    #[test]
    fn files_that_hold_secrets_are_never_taken() {
        for safe in
            ["03-bcs.yaml.gotmpl", "environments/default/version.yaml", "../saas/bk_itsm-prod.default"]
        {
            assert!(is_safe(safe), "{safe}");
        }
        for never in [
            "environments/default/app_secret.yaml",
            "environments/default/bcs/auto-generated-secrets.yaml",
            "environments/default/custom.yaml",
            "environments/default/bkmonitor-custom-values.yaml.gotmpl",
            "../saas/redis_custom.yaml",
            "app-secrets.yaml.gotmpl",
            "charts/x.yaml.gotmpl",
        ] {
            assert!(!is_safe(never), "{never}");
        }
    }

    #[test]
    fn the_listing_names_every_file_and_the_bundle_holds_only_the_safe_ones() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("blueking");
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("base-blueking.yaml.gotmpl", "releases: []\n");
        write("environments/default/version.yaml", "bk-repo: 1.0\n");
        write("environments/default/app_secret.yaml", "bk_paas: sup3r-s3cret-value\n");
        write("../saas/bk_itsm-prod.default", "deploy failed\n");
        let target = dir.path().join("out");
        let sink = Sink::new(BundleWriter::create(&target, Format::Directory, "x").unwrap(), Stop::default());
        collect(&sink, &Redactor::new(&[]).unwrap(), Some(&root));
        let now = Timestamp::now();
        let manifest = Manifest {
            format: FORMAT.into(),
            tool: Tool { name: "t".into(), version: "0".into() },
            started: now,
            finished: now,
            options: Default::default(),
            cluster: None,
            host: None,
            clocks: Vec::new(),
            stopped: None,
            ledger: Vec::new(),
        };
        sink.finish(manifest, &Redactor::new(&[]).unwrap()).unwrap();
        let listing = fs::read_to_string(target.join("install/files.txt")).unwrap();
        assert!(listing.contains("environments/default/app_secret.yaml"), "{listing}");
        assert_eq!(
            fs::read_to_string(target.join("install/saas/bk_itsm-prod.default")).unwrap(),
            "deploy failed\n"
        );
        assert!(!target.join("install/environments/default/app_secret.yaml").exists());
    }
}
