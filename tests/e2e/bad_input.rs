//! What users get wrong, and what they are told: one paragraph that names the thing and the next step.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use tests::cluster::User;
use tests::programs::program;
use tests::run::{Run, run, succeed};

use crate::on_cluster;
use crate::world::{World, analyze, text};

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("bad_input::kubeconfig_missing", kubeconfig_missing),
        on_cluster("bad_input::server_unreachable", server_unreachable),
        on_cluster("bad_input::token_unknown", token_unknown),
        on_cluster("bad_input::no_permission_at_all", no_permission_at_all),
        on_cluster("bad_input::namespace_missing", namespace_missing),
        on_cluster("bad_input::output_unwritable", output_unwritable),
        on_cluster("bad_input::no_bundle", no_bundle),
        on_cluster("bad_input::empty_or_cut_archive", empty_or_cut_archive),
        on_cluster("bad_input::rule_with_a_mistake", rule_with_a_mistake),
    ]
}

/// An empty folder of this test's own.
fn folder(world: &World, name: &str) -> Result<PathBuf> {
    let path = world.file(name);
    fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(path)
}

/// The message names the thing and offers a step; it is no backtrace and no wall of text.
fn explains(run: &Run, thing: &str) -> Result<()> {
    ensure!(run.stderr.contains(thing), "`{}` does not name {thing}: {}", run.line, run.stderr);
    ensure!(run.stderr.contains("hint:"), "`{}` offers no next step: {}", run.line, run.stderr);
    ensure!(!run.stderr.contains("panicked"), "`{}` panics: {}", run.line, run.stderr);
    Ok(())
}

/// With exit code 2 the folder is empty; with 3 it holds one whole bundle and nothing else.
fn nothing_half_written(run: &Run, folder: &Path) -> Result<()> {
    let left: Vec<PathBuf> =
        fs::read_dir(folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    match (run.code, &left[..]) {
        (Some(2), []) => Ok(()),
        (Some(3), [bundle]) => {
            succeed(std::process::Command::new("tar").args(["-tzf", text(bundle)?]))?;
            Ok(())
        }
        _ => anyhow::bail!("`{}` ended with {:?} and left {left:?}\n{}", run.line, run.code, run.stderr),
    }
}

fn kubeconfig_missing(world: &World) -> Result<()> {
    let folder = folder(world, "no-kubeconfig")?;
    let bundle = folder.join("bundle.tar.gz");
    let run = run(program("casebook-collect")?
        .args(["-o", text(&bundle)?])
        .args(["--kubeconfig", "/nonexistent/kubeconfig"])
        .env_remove("KUBECONFIG"))?;
    explains(&run, "/nonexistent/kubeconfig")?;
    nothing_half_written(&run, &folder)
}

fn server_unreachable(world: &World) -> Result<()> {
    let folder = folder(world, "unreachable")?;
    let kubeconfig = world.file("unreachable.kubeconfig");
    let working = fs::read_to_string(world.cluster.kubeconfig(User::Admin))?;
    fs::write(&kubeconfig, working.replace(":6443", ":6442"))?;
    let bundle = folder.join("bundle.tar.gz");
    let run = run(program("casebook-collect")?.args(["-o", text(&bundle)?]).env("KUBECONFIG", &kubeconfig))?;
    explains(&run, "127.0.0.1:6442")?;
    nothing_half_written(&run, &folder)
}

fn token_unknown(world: &World) -> Result<()> {
    let folder = folder(world, "stranger")?;
    let run = world.collect_as(User::Stranger, &["-o", text(&folder.join("bundle.tar.gz"))?])?;
    explains(&run, "Unauthorized")?;
    nothing_half_written(&run, &folder)
}

fn no_permission_at_all(world: &World) -> Result<()> {
    let folder = folder(world, "nobody")?;
    let run = world.collect_as(User::Nobody, &["-o", text(&folder.join("bundle.tar.gz"))?])?;
    explains(&run, "forbidden")?;
    nothing_half_written(&run, &folder)
}

fn namespace_missing(world: &World) -> Result<()> {
    let folder = folder(world, "no-namespace")?;
    let run = world.collect(&["-n", "no-such-namespace", "-o", text(&folder.join("bundle.tar.gz"))?])?;
    explains(&run, "no-such-namespace")?;
    nothing_half_written(&run, &folder)
}

fn output_unwritable(world: &World) -> Result<()> {
    let run =
        world.collect(&["-n", "paas-healthy", "-o", "/nonexistent/folder/bundle.tar.gz"])?.expect_code(2)?;
    explains(&run, "/nonexistent/folder")
}

fn no_bundle(world: &World) -> Result<()> {
    let run = analyze(&["/nonexistent/bundle.tar.gz"])?.expect_code(2)?;
    explains(&run, "/nonexistent/bundle.tar.gz")?;
    let image = world.file("picture.png");
    fs::write(&image, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0")?;
    let run = analyze(&[text(&image)?])?.expect_code(2)?;
    explains(&run, "picture.png")
}

fn empty_or_cut_archive(world: &World) -> Result<()> {
    let empty = world.file("empty.tar.gz");
    fs::write(&empty, b"")?;
    let run = analyze(&[text(&empty)?])?.expect_code(2)?;
    explains(&run, "empty.tar.gz")?;

    // Cut within its first bytes, nothing can be had.
    let whole = fs::read(&world.healthy)?;
    let stump = world.file("stump.tar.gz");
    fs::write(&stump, &whole[..20])?;
    let run = analyze(&[text(&stump)?])?.expect_code(2)?;
    explains(&run, "stump.tar.gz")?;

    // Cut in the middle, what is there is analyzed, and the report says that it is not all.
    let half = world.file("half.tar.gz");
    fs::write(&half, &whole[..whole.len() / 2])?;
    let run = analyze(&["--format", "json", text(&half)?])?;
    match run.code {
        Some(0) => {
            let said = run.stdout.contains("cut")
                || run.stdout.contains("truncated")
                || run.stdout.contains("incomplete");
            ensure!(said, "the report on half a bundle does not say that it is half: {}", run.stdout);
            Ok(())
        }
        Some(2) => explains(&run, "half.tar.gz"),
        _ => anyhow::bail!("half a bundle ended with {:?}: {}", run.code, run.stderr),
    }
}

fn rule_with_a_mistake(world: &World) -> Result<()> {
    let rules = folder(world, "rules")?;
    let section = folder(world, "rules/own/section")?;
    let text_of_rule =
        "id: broken-rule\ntitle: {zh: 坏, en: broken}\nevidence:\n  x: {in: [texts], txet: 'abc'}\n";
    fs::write(section.join("broken-rule.yaml"), text_of_rule)?;
    let run = analyze(&["--rules", text(&rules)?, text(&world.healthy)?])?.expect_code(2)?;
    ensure!(
        run.stderr.contains("broken-rule.yaml:4:"),
        "the message does not show the place: {}",
        run.stderr
    );
    ensure!(run.stderr.contains("txet"), "the message does not show the mistake: {}", run.stderr);

    let empty = folder(world, "no-rules")?;
    let run = analyze(&["--rules", text(&empty)?, text(&world.healthy)?])?.expect_code(2)?;
    ensure!(run.stderr.contains("no-rules"), "the message does not name the folder: {}", run.stderr);
    Ok(())
}
