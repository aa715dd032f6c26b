//! The rules of the repository as a whole: without mistakes, tested, silent on healthy bundles, and told in the
//! catalogue.

use std::fs;
use std::path::{Path, PathBuf};

use analyzer::matching::cel::Condition;
use analyzer::matching::pattern::Pattern;
use analyzer::report::model::{Finding, Severity};
use analyzer::rules::cases::{self, Expected};
use analyzer::rules::{RuleSet, catalogue, format, lint, set};
use analyzer::{intake, matching};
use rayon::prelude::*;
use serde_json::json;
use shared::archive::Limits;
use shared::bundle::manifest::LedgerEntry;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rules() -> RuleSet {
    RuleSet::load_only(&root().join("rules")).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn no_rule_has_a_mistake() {
    let problems = lint::lint(&set::read_folder(&root().join("rules")).expect("the rules can be read"));
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn every_rule_passes_its_tests() {
    let rules = rules();
    let failures: Vec<String> = rules
        .iter()
        .collect::<Vec<_>>()
        .par_iter()
        .flat_map(|rule| {
            let id = &rule.file.id;
            let path = cases::path_of(&rule.path);
            let file = match cases::read(&path) {
                Ok(Some(file)) => file,
                Ok(None) => return vec![format!("{id}: {} does not exist", path.display())],
                Err(error) => return vec![error.to_string()],
            };
            let mut failures = Vec::new();
            if !file.cases.iter().any(|case| case.expect == Expected::Silent) {
                failures.push(format!("{id}: no near miss"));
            }
            for case in &file.cases {
                match cases::run(&rules, id, case, &path) {
                    Ok(result) => {
                        failures.extend(
                            result.failures.iter().map(|what| format!("{id}: {}: {what}", case.name)),
                        );
                    }
                    Err(error) => failures.push(format!("{id}: {}: {error}", case.name)),
                }
            }
            failures
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A rule whose tests cannot fail would be worth nothing: with its expectation turned round, each case must fail.
#[test]
fn a_wrong_expectation_is_noticed() {
    let rules = rules();
    let rule = rules.get("helm-another-operation").expect("the rule is there");
    let path = cases::path_of(&rule.path);
    let file = cases::read(&path).expect("its tests can be read").expect("it has tests");
    for mut case in file.cases {
        case.expect = if case.expect == Expected::Silent { Expected::Confirmed } else { Expected::Silent };
        let result = cases::run(&rules, &rule.file.id, &case, &path).expect("the case runs");
        assert!(!result.failures.is_empty(), "{}", case.name);
    }
}

#[test]
fn healthy_bundles_give_no_finding() {
    let folder = root().join("tests/bundles/healthy");
    let Ok(entries) = fs::read_dir(&folder) else { return };
    let rules = rules();
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        let snapshot = intake::load(std::slice::from_ref(&path), &Limits::default(), &Default::default())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let found = matching::run(&rules, &snapshot);
        let loud: Vec<&Finding> =
            found.findings.iter().filter(|finding| finding.severity < Severity::Info).collect();
        let told: Vec<String> =
            loud.iter().map(|finding| format!("{} {:?}", finding.case, finding.evidence)).collect();
        assert!(told.is_empty(), "{}: {}", path.display(), told.join("\n"));
        assert!(found.notes.is_empty(), "{:?}", found.notes);
    }
}

/// Whoever collected nothing, or was refused everything, is told of no case.
#[test]
fn nothing_collected_gives_no_finding() {
    let rules = rules();
    let greeting =
        || vec![("texts/note.txt".to_owned(), "你好，部署时遇到问题，怎么办？\n".as_bytes().to_vec())];
    let refused: Vec<LedgerEntry> = ["pods/blueking.json", "events/blueking.json", "nodes.json"]
        .iter()
        .map(|path| {
            let entry = json!({
                "path": format!("cluster-resources/{path}"), "source": "GET", "outcome": "forbidden"
            });
            serde_json::from_value(entry).expect("an entry of the ledger")
        })
        .collect();
    for (files, ledger) in [(Vec::new(), Vec::new()), (greeting(), Vec::new()), (greeting(), refused)] {
        let found = matching::run(&rules, &intake::from_files(files, ledger));
        let told: Vec<&str> = found.findings.iter().map(|finding| finding.case.as_str()).collect();
        assert!(told.is_empty(), "{told:?}");
    }
}

#[test]
fn the_catalogue_tells_of_every_rule() {
    let path = root().join("rules/CATALOGUE.md");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == catalogue::markdown(&rules()),
        "rules/CATALOGUE.md is out of date: write the output of `casebook-analyze rules catalogue --rules rules` there"
    );
}

#[test]
fn the_rules_in_the_program_are_those_of_the_folder() {
    let built_in = RuleSet::built_in().unwrap_or_else(|error| panic!("{error}"));
    let folder = rules();
    assert!(folder.len() >= 400);
    assert_eq!(built_in.len(), folder.len());
    for (built_in, rule) in built_in.iter().zip(folder.iter()) {
        let id = &rule.file.id;
        assert!(built_in.file == rule.file, "{id}");
        assert_eq!(built_in.section, rule.section, "{id}");
        for (built_in, evidence) in built_in.evidence.iter().zip(&rule.evidence) {
            let name = &evidence.name;
            assert_eq!(built_in.depends, evidence.depends, "{id}: {name}");
            let pattern = |pattern: &Option<Pattern>| {
                let pattern = pattern.as_ref()?;
                let literals: Vec<Vec<u8>> = pattern.literals().map(<[u8]>::to_vec).collect();
                Some((literals, pattern.groups().to_vec(), pattern.regex().as_str().to_owned()))
            };
            assert_eq!(pattern(&built_in.pattern), pattern(&evidence.pattern), "{id}: {name}");
            let names = |condition: &Option<Condition>| Some(condition.as_ref()?.names.clone());
            assert_eq!(names(&built_in.condition), names(&evidence.condition), "{id}: {name}");
        }
    }
}

/// Editors check rule files against the schema: each file must be what the types say, and nothing else.
#[test]
fn the_schema_names_every_key_that_rules_use() {
    let schema: serde_json::Value = serde_json::from_str(&format::schema()).expect("the schema is JSON");
    let known = schema["properties"].as_object().expect("the schema has properties");
    for text in set::read_folder(&root().join("rules")).expect("the rules can be read") {
        for line in text.yaml.lines() {
            let Some((key, _)) = line.split_once(':') else { continue };
            if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                assert!(known.contains_key(key), "{}: {key}", text.path);
            }
        }
    }
}
