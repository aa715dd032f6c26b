//! The JSON report keeps its promises.

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::on_cluster;
use crate::world::{World, analyze, text};

/// A scenario with a finding, to look at.
const SAMPLE: &str = "bkrepo-gateway-ipv6";

pub fn trials() -> Vec<Trial> {
    vec![
        on_cluster("reports::has_the_promised_fields", has_the_promised_fields),
        on_cluster("reports::same_bytes_every_time", same_bytes_every_time),
        on_cluster("reports::evidence_is_where_it_says", evidence_is_where_it_says),
    ]
}

fn require(value: &Value, place: &str, fields: &[&str]) -> Result<()> {
    for field in fields {
        ensure!(value.get(field).is_some(), "{place} has no `{field}`: {value}");
    }
    Ok(())
}

fn list<'a>(value: &'a Value, field: &str) -> Result<&'a [Value]> {
    value[field].as_array().map(Vec::as_slice).with_context(|| format!("`{field}` is no list: {value}"))
}

fn has_the_promised_fields(world: &World) -> Result<()> {
    let report = world.observe(SAMPLE)?.report;
    ensure!(report["schema"] == "casebook.report/v1", "schema is {}", report["schema"]);
    require(&report, "the report", &["bundle", "findings", "unresolved", "triage", "ledger"])?;
    let findings = list(&report, "findings")?;
    ensure!(!findings.is_empty(), "the sample has no finding");
    for finding in findings {
        let fields = [
            "case",
            "verdict",
            "severity",
            "title",
            "subjects",
            "evidence",
            "conclusion",
            "fix",
            "asks",
            "references",
        ];
        require(finding, "a finding", &fields)?;
        let verdict = finding["verdict"].as_str().context("verdict is no text")?;
        ensure!(["confirmed", "likely", "need_more"].contains(&verdict), "verdict is {verdict}");
        for subject in list(finding, "subjects")? {
            require(subject, "a subject", &["kind", "name"])?;
        }
        for evidence in list(finding, "evidence")? {
            require(evidence, "an evidence", &["name", "path", "excerpt"])?;
            ensure!(
                evidence.get("line").is_some_and(Value::is_u64)
                    || evidence.get("pointer").is_some_and(Value::is_string),
                "an evidence has neither line nor pointer: {evidence}"
            );
        }
        for fix in list(finding, "fix")? {
            require(fix, "a fix", &["text", "commands", "destructive"])?;
        }
        for ask in list(finding, "asks")? {
            require(ask, "an ask", &["text"])?;
        }
    }
    Ok(())
}

fn same_bytes_every_time(world: &World) -> Result<()> {
    let bundle = world.observe(SAMPLE)?.bundle;
    for format in ["json", "markdown", "html", "text"] {
        let args = ["--format", format, "--lang", "zh", text(&bundle)?];
        let first = analyze(&args)?.expect_code(0)?;
        let second = analyze(&args)?.expect_code(0)?;
        ensure!(!first.stdout.is_empty(), "--format {format} prints nothing");
        ensure!(first.stdout == second.stdout, "--format {format} differs from run to run");
    }
    Ok(())
}

/// Whoever follows an evidence finds the excerpt on that line of that file.
fn evidence_is_where_it_says(world: &World) -> Result<()> {
    let observed = world.observe(SAMPLE)?;
    let folder = world.unpack(&observed.bundle)?;
    let mut followed = 0;
    for evidence in list(&observed.report, "findings")?
        .iter()
        .flat_map(|finding| finding["evidence"].as_array())
        .flatten()
    {
        let (Some(path), Some(line)) = (evidence["path"].as_str(), evidence["line"].as_u64()) else {
            continue;
        };
        // Objects are shown in words of our own; logs word by word.
        if !path.ends_with(".log") {
            continue;
        }
        let content = std::fs::read_to_string(folder.join(path))
            .with_context(|| format!("the bundle has no {path}"))?;
        let place = usize::try_from(line).ok().and_then(|line| content.lines().nth(line.checked_sub(1)?));
        let excerpt = evidence["excerpt"].as_str().context("excerpt is no text")?;
        // A long line is shown cut off, with an ellipsis.
        let start = excerpt.lines().next().unwrap_or_default().trim().trim_end_matches('…');
        ensure!(place.is_some_and(|text| text.contains(start)), "{path}:{line} is {place:?}, not `{start}`");
        followed += 1;
    }
    ensure!(followed > 0, "no evidence names a line of a log");
    Ok(())
}
