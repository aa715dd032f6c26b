//! A bundle opens with what people have.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use tests::run::succeed;

use crate::on_cluster;
use crate::world::{World, text};

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("archives::opened_by_tar", opened_by_tar),
        on_cluster("archives::opened_by_python", opened_by_python),
        on_cluster("archives::opened_by_7zip", opened_by_7zip),
        on_cluster("archives::private_to_its_owner", private_to_its_owner),
    ]
}

fn complete(what: &str, listing: &str) -> Result<()> {
    for part in ["/manifest.json", "/version.yaml", "/cluster-resources/pods/", "/README.txt"] {
        ensure!(listing.contains(part), "{what} lists no {part}:\n{listing}");
    }
    Ok(())
}

fn opened_by_tar(world: &World) -> Result<()> {
    let run = succeed(Command::new("tar").args(["--list", "--gzip", "--file", text(&world.healthy)?]))?;
    ensure!(run.stderr.is_empty(), "tar complains: {}", run.stderr);
    complete("tar", &run.stdout)
}

fn opened_by_python(world: &World) -> Result<()> {
    let script = "import sys, tarfile\n\
                  with tarfile.open(sys.argv[1], 'r:gz') as bundle:\n    \
                  for member in bundle:\n        \
                  data = bundle.extractfile(member)\n        \
                  assert data is None or len(data.read()) == member.size, member.name\n        \
                  print(member.name)\n";
    let run = succeed(Command::new("python3").args(["-c", script, text(&world.healthy)?]))?;
    complete("tarfile", &run.stdout)
}

fn opened_by_7zip(world: &World) -> Result<()> {
    let folder = world.file("7zip");
    let unpack = |archive: &Path| -> Result<()> {
        succeed(Command::new("7z").args(["x", "-y", &format!("-o{}", folder.display()), text(archive)?]))?;
        Ok(())
    };
    unpack(&world.healthy)?;
    // 7-Zip unpacks .tar.gz in two steps.
    let tar = std::fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "tar"))
        .context("7-Zip made no .tar of the bundle")?;
    let run = succeed(Command::new("7z").args(["l", "-ba", text(&tar)?]))?;
    complete("7-Zip", &run.stdout)?;
    unpack(&tar)
}

fn private_to_its_owner(world: &World) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(&world.healthy)?.permissions().mode() & 0o777;
    ensure!(mode == 0o600, "the bundle's mode is {mode:o}");
    Ok(())
}
