//! Bundles for the support desk alone, with the age program of the distribution on the other side.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use tests::cluster::User;
use tests::programs::program;
use tests::run::{run, succeed};

use crate::on_cluster;
use crate::world::{World, analyze, report, text};

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("encryption::what_we_write_the_age_program_opens", what_we_write_the_age_program_opens),
        on_cluster("encryption::what_the_age_program_writes_we_open", what_the_age_program_writes_we_open),
        on_cluster(
            "encryption::a_bad_recipient_stops_before_anything",
            a_bad_recipient_stops_before_anything,
        ),
        on_cluster("encryption::nothing_plain_is_on_the_disk_while_it_runs", nothing_plain_is_on_the_disk),
        on_cluster("encryption::a_full_disk_leaves_a_bundle_that_opens_or_none", a_full_disk),
    ]
}

/// The secret key's file as age-keygen writes it, and the public key.
fn key(world: &World, name: &str) -> Result<(PathBuf, String)> {
    let file = world.file(name);
    succeed(Command::new("age-keygen").arg("-o").arg(&file))?;
    let public = succeed(Command::new("age-keygen").arg("-y").arg(&file))?.stdout.trim().to_owned();
    Ok((file, public))
}

fn is_sealed(path: &Path) -> Result<bool> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes.starts_with(b"age-encryption.org/v1\n"))
}

fn what_we_write_the_age_program_opens(world: &World) -> Result<()> {
    let (secret, public) = key(world, "desk.key")?;
    let (other, other_public) = key(world, "other.key")?;
    let list = world.file("recipients.txt");
    std::fs::write(&list, format!("# the second desk\n{other_public}\n"))?;
    for (ending, lists) in
        [("tar.gz", &["tar", "-tzf"][..]), ("tar", &["tar", "-tf"]), ("zip", &["7z", "l", "-ba"])]
    {
        let sealed = world.file(&format!("sealed.{ending}.age"));
        let args =
            ["-n", "default", "-o", text(&sealed)?, "--encrypt-to", &public, "--encrypt-to", text(&list)?];
        let run = world.collect(&args)?;
        ensure!(matches!(run.code, Some(0 | 3)), "`{}` ended with {:?}: {}", run.line, run.code, run.stderr);
        ensure!(run.stderr.contains("only the owners of the keys can open it"), "it says {}", run.stderr);
        ensure!(is_sealed(&sealed)?, "{} is no age file", sealed.display());
        for identity in [&secret, &other] {
            let plain = world.file(&format!("opened.{ending}"));
            succeed(
                Command::new("age").arg("-d").arg("-i").arg(identity).arg("-o").arg(&plain).arg(&sealed),
            )?;
            let listing = succeed(Command::new(lists[0]).args(&lists[1..]).arg(&plain))?.stdout;
            ensure!(listing.contains("manifest.json"), "{ending} lists {listing}");
        }
        let shown = succeed(program("casebook-collect")?.args([
            "inspect",
            text(&sealed)?,
            "--identity",
            text(&other)?,
        ]))?;
        ensure!(shown.stdout.contains("recipients = 2"), "inspect shows {}", shown.stdout);
    }
    Ok(())
}

fn findings(report: &Value) -> &Value {
    &report["findings"]
}

fn what_the_age_program_writes_we_open(world: &World) -> Result<()> {
    let secret = world.file("keygen.key");
    let public = succeed(program("casebook-analyze")?.arg("keygen").arg(&secret))?.stdout.trim().to_owned();
    // The program itself knows our key file.
    let same = succeed(Command::new("age-keygen").arg("-y").arg(&secret))?;
    ensure!(same.stdout.trim() == public, "age-keygen reads {} from our key file", same.stdout);
    let again = run(program("casebook-analyze")?.arg("keygen").arg(&secret))?.expect_code(2)?;
    ensure!(again.stderr.contains("cannot make"), "a key file was overwritten: {}", again.stderr);

    let observed = world.observe("helm-another-operation")?;
    let plain = report(&[&observed.bundle])?;
    for (name, more) in [("by-age.tar.gz.age", &[][..]), ("by-age.txt", &["--armor"])] {
        let sealed = world.file(name);
        succeed(
            Command::new("age").args(["-r", &public]).args(more).arg("-o").arg(&sealed).arg(&observed.bundle),
        )?;
        let args = ["--format", "json", "--lang", "en", "--identity", text(&secret)?, text(&sealed)?];
        let opened: Value = serde_json::from_str(&analyze(&args)?.expect_code(0)?.stdout)?;
        ensure!(
            findings(&opened)[0]["case"] == findings(&plain)[0]["case"] && !findings(&plain)[0].is_null(),
            "{name} gives {}",
            findings(&opened)
        );
        let (stranger, _) = key(world, &format!("stranger-{name}.key"))?;
        for (identity, said) in
            [(None, "is encrypted with age\n"), (Some(&stranger), "to none of the keys given\n")]
        {
            let mut args = vec![text(&sealed)?];
            if let Some(identity) = identity {
                args.extend(["--identity", text(identity)?]);
            }
            let refused = analyze(&args)?.expect_code(2)?;
            let said = refused.stderr.contains(said) && refused.stderr.contains("hint: ");
            ensure!(said && refused.stderr.contains(name), "it says {}", refused.stderr);
        }
    }
    Ok(())
}

fn a_bad_recipient_stops_before_anything(world: &World) -> Result<()> {
    let (secret, _) = key(world, "given.key")?;
    let folder = world.file("bad-recipient");
    std::fs::create_dir(&folder)?;
    let secret_key = std::fs::read_to_string(&secret)?;
    let secret_key = secret_key.lines().last().context("a key file ends with the key")?;
    for given in ["age1nonsense", secret_key, text(&secret)?, "/no/such/file"] {
        // A server that nobody serves: what is asked of it would end otherwise.
        let args = ["-s", "https://127.0.0.1:9", "-o", text(&folder)?, "--encrypt-to", given];
        let refused = world.collect(&args)?.expect_code(2)?;
        ensure!(refused.stderr.starts_with("error: "), "it says {}", refused.stderr);
        ensure!(!refused.stderr.contains("127.0.0.1"), "the cluster was asked: {}", refused.stderr);
        ensure!(!refused.stderr.contains(secret_key), "it shows the secret key");
        ensure!(std::fs::read_dir(&folder)?.next().is_none(), "something was written for {given}");
    }
    Ok(())
}

/// Looks at all that a run has on the disk half-way. It is stopped meanwhile: killed it would leave nothing to look at.
fn nothing_plain_is_on_the_disk(world: &World) -> Result<()> {
    let (_, public) = key(world, "looked-at.key")?;
    for ending in ["tar.gz", "tar", "zip"] {
        let folder = world.file(&format!("looked-at-{ending}"));
        std::fs::create_dir(&folder)?;
        let mut child = program("casebook-collect")?
            .args(["-q", "--encrypt-to", &public, "-o"])
            .arg(folder.join(format!("b.{ending}.age")))
            .env("KUBECONFIG", world.cluster.kubeconfig(User::Admin))
            .spawn()?;
        let signal = |name: &str| succeed(Command::new("kill").args([name, &child.id().to_string()]));
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let large = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|meta| meta.len() > 70_000);
            if files(&folder)?.iter().any(large) {
                signal("-STOP")?;
                break;
            }
            ensure!(Instant::now() < deadline, "nothing was written");
            std::thread::sleep(Duration::from_millis(2));
        }
        let found = files(&folder)?;
        ensure!(!found.is_empty(), "the run ended before it was looked at");
        for path in found {
            // The room that is kept for the end holds noise.
            let room = path.extension().is_some_and(|ending| ending == "room");
            ensure!(room || is_sealed(&path)?, "{} is not sealed", path.display());
        }
        signal("-KILL")?;
        child.wait()?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

/// `--text` with lines that do not compress well.
fn long_text(world: &World, number: u64) -> Result<String> {
    let path = world.file(&format!("long-{number}.txt"));
    let mut state = number + 1;
    let lines = (0..8000).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("checksum {state:016x}\n")
    });
    std::fs::write(&path, lines.collect::<String>())?;
    Ok(format!("--text {}", path.display()))
}

fn a_full_disk(world: &World) -> Result<()> {
    let (secret, public) = key(world, "full.key")?;
    let texts = (0..6).map(|n| long_text(world, n)).collect::<Result<Vec<_>>>()?.join(" ");
    let collect = program("casebook-collect")?.get_program().to_string_lossy().into_owned();
    for (kilobytes, ending) in [(60, "tar.gz"), (600, "tar.gz"), (900, "tar"), (600, "zip")] {
        let folder = world.file(&format!("full-{kilobytes}-{ending}"));
        std::fs::create_dir(&folder)?;
        let bundle = folder.join(format!("b.{ending}.age"));
        let copy = world.file(&format!("copy-{kilobytes}.{ending}.age"));
        // A small disk of its own, which ends with the shell that mounted it.
        let script = format!(
            "mount -t tmpfs -o size={kilobytes}k none {folder} && {collect} -q --encrypt-to {public} -o {bundle} {texts}; \
             code=$?; ls -A {folder} | grep -v '^b' ; cp {bundle} {copy} 2>/dev/null; exit $code",
            folder = folder.display(),
            bundle = bundle.display(),
            copy = copy.display()
        );
        let ended = run(Command::new("unshare")
            .args(["--mount", "sh", "-c", &script])
            .env("KUBECONFIG", world.cluster.kubeconfig(User::Admin)))?;
        let left: Vec<&str> = ended.stdout.lines().filter(|line| !line.contains("/b.")).collect();
        ensure!(left.is_empty(), "{kilobytes} KiB {ending}: left on the disk: {left:?}");
        match ended.code {
            Some(2) => {
                ensure!(!copy.exists() && ended.stderr.contains("no space left"), "it says {}", ended.stderr)
            }
            Some(3) => {
                let opened = succeed(program("casebook-collect")?.args([
                    "inspect",
                    text(&copy)?,
                    "--identity",
                    text(&secret)?,
                ]))?;
                ensure!(opened.stdout.contains("ended early: disk_full"), "{}", opened.stdout);
            }
            other => bail!("{kilobytes} KiB {ending}: ended with {other:?}: {}", ended.stderr),
        }
    }
    Ok(())
}
