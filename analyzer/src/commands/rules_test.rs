//! `casebook-analyze rules test [ID…]`

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use rayon::prelude::*;

use super::rule_folder;
use crate::cli::{Exit, print, say};
use crate::rules::cases::{self, CaseFile, Expected};
use crate::rules::error::nearest;
use crate::rules::{Rule, RuleSet};

#[derive(Debug, Args)]
pub struct TestArgs {
    /// Rules to test; all if none is named.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Folder of the rules [default: rules]
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
    /// Also tell which other rules answered to a case.
    #[arg(long)]
    others: bool,
}

pub fn run(args: &TestArgs) -> anyhow::Result<Exit> {
    let folder = rule_folder(&args.rules)?;
    let set = RuleSet::load_only(&folder)?;
    for id in &args.ids {
        if set.get(id).is_none() {
            let hint = nearest(id, set.iter().map(|rule| rule.file.id.as_str()));
            let hint = hint.map(|near| format!("\nhint: did you mean `{near}`?")).unwrap_or_default();
            bail!("there is no rule `{id}` in {}{hint}", folder.display());
        }
    }
    let chosen: Vec<&Rule> =
        set.iter().filter(|rule| args.ids.is_empty() || args.ids.contains(&rule.file.id)).collect();
    let tested: Vec<Tested> = chosen.par_iter().map(|rule| test(&set, rule, args.others)).collect();
    let (mut cases, mut failures) = (0, 0);
    for one in &tested {
        print(&one.lines)?;
        cases += one.cases;
        failures += one.failures;
    }
    say(&format!("{} rules, {cases} cases, {failures} failures", chosen.len()));
    Ok(if failures == 0 { Exit::Done } else { Exit::Found })
}

#[derive(Debug, Default)]
struct Tested {
    lines: String,
    cases: usize,
    failures: usize,
}

impl Tested {
    fn fail(&mut self, line: String) {
        self.failures += 1;
        self.lines.push_str(&line);
        self.lines.push('\n');
    }
}

fn test(set: &RuleSet, rule: &Rule, others: bool) -> Tested {
    let mut tested = Tested::default();
    let id = &rule.file.id;
    let path = cases::path_of(&rule.path);
    let file = match cases::read(&path) {
        Ok(Some(file)) => file,
        Ok(None) => {
            tested.fail(format!("{id}: there are no tests: {} does not exist", path.display()));
            return tested;
        }
        Err(error) => {
            tested.fail(error.to_string());
            return tested;
        }
    };
    for lack in lacks(&file) {
        tested.fail(format!("{id}: {lack}"));
    }
    for case in &file.cases {
        tested.cases += 1;
        match cases::run(set, id, case, &path) {
            Err(error) => tested.fail(format!("{id}: {}: {error}", case.name)),
            Ok(result) => {
                for failure in &result.failures {
                    tested.fail(format!("{id}: {}: {failure}", case.name));
                }
                if others && !result.others.is_empty() {
                    let names: Vec<String> =
                        result.others.iter().map(|(id, verdict)| format!("{id} ({verdict:?})")).collect();
                    tested.lines.push_str(&format!("{id}: {}: also {}\n", case.name, names.join(", ")));
                }
            }
        }
    }
    tested
}

/// What the tests of every rule must show.
fn lacks(file: &CaseFile) -> Vec<&'static str> {
    let expects = |wanted: &[Expected]| file.cases.iter().any(|case| wanted.contains(&case.expect));
    let mut lacks = Vec::new();
    if !expects(&[Expected::Confirmed, Expected::Likely]) {
        lacks.push("no case expects `confirmed` or `likely`");
    }
    if !expects(&[Expected::Silent]) {
        lacks.push("no near miss: no case expects `silent`");
    }
    lacks
}
