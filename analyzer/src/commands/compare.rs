//! `casebook-analyze --compare BEFORE AFTER`

use std::path::Path;

use anyhow::bail;
use shared::archive::Limits;
use shared::encryption::Identities;
use shared::lang::Lang;

use crate::cli::{Analyze, Format, say};
use crate::lexicon::Lexicon;
use crate::report::Report;
use crate::report::escape::one_line;
use crate::rules::RuleSet;
use crate::snapshot::Snapshot;
use crate::{compare, intake, matching};

/// What is to be written.
///
/// # Errors
/// When a bundle cannot be read, or when the format is one that shows a single bundle.
pub fn run(args: &Analyze, format: Format, before: &Path, after: &Path) -> anyhow::Result<String> {
    if matches!(format, Format::Html | Format::Junit | Format::Sarif) {
        bail!("--compare writes no HTML, JUnit or SARIF\nhint: use --format markdown or json");
    }
    let lang = args.common.lang();
    let rules = RuleSet::load(&args.common.rules)?;
    let lexicon = Lexicon::load(&args.common.rules)?;
    let identities = args.identities()?;
    let limits = args.bounds.limits();
    let (before, _) = report(&rules, &lexicon, before, &limits, &identities)?;
    let (after, seen) = report(&rules, &lexicon, after, &limits, &identities)?;
    let clusters = [&before, &after].map(|report| report.bundle.cluster.as_ref()?.name.as_deref());
    if let [Some(one), Some(other)] = clusters
        && one != other
    {
        let (one, other) = (one_line(one), one_line(other));
        say(&match lang {
            Lang::Zh => format!("note: 两份内容来自不同的集群（{one} 和 {other}）"),
            Lang::En => format!("note: the two are of different clusters ({one} and {other})"),
        });
    }
    let comparison = compare::compare(&before, &after, &seen);
    Ok(match format {
        Format::Json => compare::json(&comparison, lang),
        Format::Text => compare::text(&comparison, lang),
        _ => compare::markdown(&comparison, lang),
    })
}

fn report(
    rules: &RuleSet,
    lexicon: &Lexicon,
    path: &Path,
    limits: &Limits,
    identities: &Identities,
) -> anyhow::Result<(Report, Snapshot)> {
    let snapshot = intake::load(&[path.to_owned()], limits, identities)?;
    let found = matching::run(rules, &snapshot);
    for note in &found.notes {
        say(&format!("note: {note}"));
    }
    let report = Report::build(&snapshot, found).read_with(lexicon, &snapshot);
    Ok((report, snapshot))
}
