//! The kubeconfig: one context for each input, in a private folder that is gone at the end.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest name of a context, which stands in a prompt.
const LONGEST: usize = 40;

/// One cluster as a kubeconfig names it.
pub struct Context {
    pub name: String,
    pub address: SocketAddr,
    pub token: String,
    /// Certificate of the authority, as PEM.
    pub authority: String,
}

/// A kubeconfig in a folder of its own, removed with this.
pub struct Kubeconfig {
    folder: TempDir,
    pub path: PathBuf,
}

impl Kubeconfig {
    /// Writes it; `current` is the index of the context that is used where none is named.
    ///
    /// # Errors
    /// When the temporary folder cannot be written to.
    pub fn write(contexts: &[Context], current: usize) -> anyhow::Result<Kubeconfig> {
        let mut private = tempfile::Builder::new();
        private.prefix("casebook-").permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = private.tempdir().context("cannot make a temporary folder for the kubeconfig")?;
        let path = folder.path().join("kubeconfig");
        let written = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            // JSON is YAML.
            file.write_all(format!("{:#}\n", text(contexts, current)).as_bytes())
        };
        written().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Kubeconfig { folder, path })
    }

    /// Where else something may be written that is gone at the end.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn text(contexts: &[Context], current: usize) -> Value {
    let each = |entry: &dyn Fn(&Context) -> Value| contexts.iter().map(entry).collect::<Vec<_>>();
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": contexts.get(current).map(|context| &context.name),
        "contexts": each(&|c| json!({"name": c.name, "context": {"cluster": c.name, "user": c.name}})),
        "clusters": each(&|c| json!({"name": c.name, "cluster": {"server": format!("https://{}", c.address),
            "certificate-authority-data": STANDARD.encode(&c.authority)}})),
        "users": each(&|c| json!({"name": c.name, "user": {"token": c.token}})),
    })
}

/// Names for the inputs at these paths, each another: the file's without its endings.
pub fn names(paths: &[PathBuf]) -> Vec<String> {
    let mut taken = HashSet::new();
    let name = |path: &PathBuf| {
        let file = path.canonicalize().unwrap_or_else(|_| path.clone());
        let file = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut stem = file.as_str();
        for ending in
            [".age", ".gz", ".xz", ".zst", ".bz2", ".tgz", ".tar", ".zip", ".7z", ".txt", ".yaml", ".json"]
        {
            stem = stem.strip_suffix(ending).unwrap_or(stem);
        }
        // It stands in a prompt and in commands.
        let clean = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let stem: String = stem.chars().map(clean).take(LONGEST).collect();
        let stem = if stem.trim_matches(['_', '.', '-']).is_empty() { "snapshot".to_owned() } else { stem };
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let free = std::iter::once(stem.clone()).chain(numbered).find(|name| !taken.contains(name));
        let free = free.unwrap_or(stem);
        taken.insert(free.clone());
        free
    };
    paths.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_input_has_a_name_that_can_stand_in_a_prompt() {
        let paths = ["a/broken.tar.gz", "b/broken.tgz", "$(rm -rf).txt", "终端.txt", "-"].map(PathBuf::from);
        assert_eq!(names(&paths), ["broken", "broken-2", "__rm_-rf_", "snapshot", "snapshot-2"]);
    }
}
