//! The two programs under test, as built beside the test that runs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::succeed;

/// `target/<profile>`, from a test in `deps` below it or a program in it.
fn target_dir() -> Result<PathBuf> {
    let this = std::env::current_exe().context("cannot tell where this program lies")?;
    let folder = this.parent().context("a program lies in a folder")?;
    let folder =
        if folder.ends_with("deps") { folder.parent().context("deps lies in a folder")? } else { folder };
    Ok(folder.to_owned())
}

/// One of our programs, without the developer's own settings of language and colour.
///
/// # Errors
/// When it is not built.
pub fn program(name: &str) -> Result<Command> {
    let path = target_dir()?.join(name);
    if !path.is_file() {
        bail!("{} is not built\nhint: cargo build --workspace", path.display());
    }
    let mut command = Command::new(path);
    command.env_remove("LANG").env_remove("LC_ALL").env("NO_COLOR", "1");
    Ok(command)
}

/// Builds both programs into the same folder and with the same profile as the one that runs: cargo builds programs of
/// other packages only when it is asked to. Does nothing where cargo did not start this.
pub fn build() -> Result<()> {
    let Some(cargo) = std::env::var_os("CARGO") else { return Ok(()) };
    let dir = target_dir()?;
    let profile = match dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let target = dir.parent().map(Path::to_owned).context("a profile's folder lies in the target folder")?;
    succeed(
        Command::new(cargo)
            .args(["build", "--quiet", "--workspace", "--bins", "--profile", profile])
            .arg("--target-dir")
            .arg(target),
    )?;
    Ok(())
}
