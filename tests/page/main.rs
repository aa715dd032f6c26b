//! The reports as people and programs see them: the HTML page in a real browser, the Markdown through engines that
//! forums use, the formats for programs through schemas and parsers, the text on a terminal.
//!
//! `page.test.mjs`, `markdown.test.mjs` and `formats.test.mjs` say what must hold; this runs them on reports that `casebook-analyze` has
//! just written: about the sample bundle, about an installation that is well, and about a folder whose every text tries
//! to break out of its place.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tests::cache::Cache;
use tests::programs::{self, program};
use tests::run::{run, succeed};

/// What a log, a name or a message may hold to become more than text.
const HOSTILE: &str = "x ``` ~~~ `</code></pre></script><script>window.hit=1</script><img src=x onerror=window.hit=1> | \
                       \u{1b}[31mred \u{202e}evil [a](javascript:window.hit=1) ![i](http://127.0.0.1:9/i.png) <!-- ]]> &lt;b&gt;";

struct Reports {
    /// Removed when dropped.
    _dir: tempfile::TempDir,
    sample: PathBuf,
    hostile: PathBuf,
    healthy: PathBuf,
    comparison: PathBuf,
}

/// The reports, each in every format with the ending that asks for it, and the sample beside a healthy installation.
fn write_reports() -> Result<Reports> {
    programs::build()?;
    let dir = tempfile::tempdir()?;
    let bundles = Path::new(env!("CARGO_MANIFEST_DIR")).join("bundles");
    let bundle = bundles.join("broken.tar.gz");
    let evil = dir.path().join("evil");
    write_hostile(&evil)?;
    let well = bundles.join("healthy/healthy.tar.gz");
    let [sample, hostile, healthy] = ["sample", "hostile", "healthy"].map(|name| dir.path().join(name));
    for (input, output) in [(&bundle, &sample), (&evil, &hostile), (&well, &healthy)] {
        for ending in ["html", "md", "json", "sarif", "xml"] {
            let mut analyze = program("casebook-analyze")?;
            succeed(analyze.args(["--lang", "zh", "-o"]).arg(output.with_extension(ending)).arg(input))?;
        }
    }
    let comparison = dir.path().join("comparison");
    let mut compare = program("casebook-analyze")?;
    let compare = compare.arg("-o").arg(comparison.with_extension("json")).arg("--compare");
    succeed(compare.arg(&well).arg(&bundle))?;
    Ok(Reports { _dir: dir, sample, hostile, healthy, comparison })
}

/// A bundle's folder whose pod crashes while saying hostile things.
fn write_hostile(dir: &Path) -> Result<()> {
    let pods = serde_json::json!({"kind": "PodList", "apiVersion": "v1", "items": [{
        "metadata": {"name": HOSTILE, "namespace": "shop", "creationTimestamp": "2024-05-01T10:00:00Z"},
        "spec": {"nodeName": HOSTILE, "containers": [{"name": "main", "image": HOSTILE}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "restartCount": 3, "ready": false,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": HOSTILE}},
            "lastState": {"terminated": {"exitCode": 1, "reason": HOSTILE, "message": HOSTILE}}}]},
    }]});
    for (path, text) in [
        ("version.yaml", "apiVersion: troubleshoot.sh/v1beta2\nkind: SupportBundle\n".to_owned()),
        ("cluster-resources/pods/shop.json", pods.to_string()),
        (
            "texts/terminal.txt",
            format!("Error: cannot connect: {HOSTILE}\n{HOSTILE}\n```\n# not a heading\n"),
        ),
    ] {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().context("a path has a folder")?)?;
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// Runs one file of tests with Node, and makes sure that it did run tests.
fn node_test(file: &str) -> Result<()> {
    let cache = Cache::locate()?;
    let modules = cache.prepare_page()?;
    let reports = write_reports()?;
    let analyzer = Path::new(env!("CARGO_MANIFEST_DIR")).join("../analyzer/src");
    let outcome = run(Command::new("node")
        .args(["--test", "--test-reporter=tap"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("page").join(file))
        .env("MODULES", modules)
        .env("SAMPLE", &reports.sample)
        .env("HOSTILE", &reports.hostile)
        .env("HEALTHY", &reports.healthy)
        .env("COMPARISON", &reports.comparison)
        .env("REPORT_SCHEMA", analyzer.join("report/report.schema.json"))
        .env("COMPARISON_SCHEMA", analyzer.join("compare/comparison.schema.json"))
        // A zone that is not UTC, since dates show both.
        .env("TZ", "Asia/Shanghai"))?
    .expect_code(0)?;
    let passed = outcome.stdout.lines().find_map(|line| line.strip_prefix("# pass "));
    let passed: u32 = passed.context("no count of tests")?.trim().parse()?;
    ensure!(passed > 1, "{file} ran {passed} tests:\n{}", outcome.stdout);
    println!("{}", outcome.stdout);
    Ok(())
}

#[test]
fn the_page_works_in_a_browser() -> Result<()> {
    node_test("page.test.mjs")
}

#[test]
fn the_markdown_reads_right_in_two_engines() -> Result<()> {
    node_test("markdown.test.mjs")
}

#[test]
fn programs_can_read_every_format() -> Result<()> {
    node_test("formats.test.mjs")
}

/// A shell keeps the width of its terminal to itself: the report has to ask the terminal.
#[test]
fn the_text_fits_the_terminal() -> Result<()> {
    programs::build()?;
    let analyze = program("casebook-analyze")?;
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("bundles/broken.tar.gz");
    let (analyze, bundle) = (Path::new(analyze.get_program()).display(), bundle.display());
    for (no_color, coloured) in [("", true), ("1", false)] {
        let line = format!("stty cols 60; exec '{analyze}' --lang en '{bundle}'");
        let shown = succeed(
            Command::new("script")
                .args(["-qec", &line, "/dev/null"])
                .env_remove("COLUMNS")
                .env("TERM", "xterm")
                .env("NO_COLOR", no_color),
        )?
        .stdout;
        ensure!(shown.contains("\u{1b}[") == coloured, "NO_COLOR={no_color}: {shown}");
        let plain = shown.split("\u{1b}[").map(|part| match part.split_once('m') {
            Some((code, rest)) if code.bytes().all(|b| b.is_ascii_digit()) => rest,
            _ => part,
        });
        let plain: String = plain.collect();
        let widths = plain
            .lines()
            .map(str::trim_end)
            // Commands stand five columns in and are never broken.
            .filter(|line| !line.starts_with("     ") || line.starts_with("      "))
            .map(|line| line.chars().count());
        let widest = widths.max().context("nothing was printed")?;
        ensure!((50..=60).contains(&widest), "the widest line has {widest} columns:\n{plain}");
    }
    Ok(())
}
