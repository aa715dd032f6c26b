//! What is wrong with a rule although it compiles.
//!
//! Mistakes without which a rule cannot be tried are errors of [`super::compile`]; here are those that make it useless
//! or unkind: texts in one language, evidence that nothing uses, templates that name what does not exist.

use std::collections::{BTreeMap, BTreeSet};

use shared::lang::Localized;

use super::compile::{Evidence, Join};
use super::locate::Step;
use super::set::RuleText;
use super::source::Source;
use super::{Rule, RuleError};
use crate::matching::template;
use crate::snapshot::TextKind;

/// Lints rule texts together: references between rules are checked too.
pub fn lint(texts: &[RuleText]) -> Vec<RuleError> {
    let mut problems = Vec::new();
    let mut rules: BTreeMap<String, (Rule, &RuleText)> = BTreeMap::new();
    for text in texts {
        match Rule::parse(&text.path, &text.section, &text.yaml) {
            Ok(rule) => {
                if let Some((_, other)) = rules.get(&rule.file.id) {
                    let message = format!("the id `{}` is taken by {}", rule.file.id, other.path);
                    problems.push(RuleError::at(&text.path, &text.yaml, &["id".into()], message));
                }
                rules.insert(rule.file.id.clone(), (rule, text));
            }
            Err(errors) => problems.extend(errors),
        }
    }
    let ids: BTreeSet<&str> = rules.keys().map(String::as_str).collect();
    for (rule, text) in rules.values() {
        let mut linter = Linter { rule, text, problems: &mut problems };
        linter.names();
        linter.references(&ids);
        linter.evidence();
        linter.outcomes();
        linter.texts();
    }
    problems.sort_by(|a, b| (&a.path, a.place, &a.message).cmp(&(&b.path, b.place, &b.message)));
    problems
}

struct Linter<'a> {
    rule: &'a Rule,
    text: &'a RuleText,
    problems: &'a mut Vec<RuleError>,
}

impl Linter<'_> {
    fn problem(&mut self, steps: &[Step], message: impl Into<String>) -> &mut RuleError {
        self.problems.push(RuleError::at(&self.text.path, &self.text.yaml, steps, message));
        self.problems.last_mut().expect("one was pushed")
    }

    fn names(&mut self) {
        let id = self.rule.file.id.as_str();
        let stem = self.text.path.rsplit('/').next().and_then(|name| name.strip_suffix(".yaml"));
        if stem != Some(id) {
            self.problem(&["id".into()], format!("the id `{id}` is not the file's name"));
        }
        let kebab = !id.is_empty()
            && !id.starts_with('-')
            && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !kebab {
            self.problem(&["id".into()], format!("the id `{id}` is not kebab-case"));
        }
        if self.rule.section.split('/').count() != 2 {
            self.problem(&[], "a rule lies in rules/<pack>/<section>/<id>.yaml");
        }
    }

    fn references(&mut self, ids: &BTreeSet<&str>) {
        for (index, explained) in self.rule.file.explains.iter().enumerate() {
            let steps = ["explains".into(), index.into()];
            if explained == &self.rule.file.id {
                self.problem(&steps, "a rule cannot explain itself");
            } else if !ids.contains(explained.as_str()) {
                let near = super::error::nearest(explained, ids.iter().copied());
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                self.problem(&steps, format!("there is no rule `{explained}`")).hint = hint;
            }
        }
        for (index, reference) in self.rule.file.references.iter().enumerate() {
            if !reference.starts_with("https://") && !reference.starts_with("http://") {
                self.problem(&["references".into(), index.into()], "a reference is a web address");
            }
        }
    }

    /// Every evidence must matter: to the verdict, to an outcome, to another evidence, or to a text.
    fn evidence(&mut self) {
        let mut used: BTreeSet<String> = BTreeSet::new();
        let rule = self.rule;
        let exprs =
            rule.confirmed.iter().chain(&rule.likely).chain(&rule.unless).chain(rule.when.iter().flatten());
        used.extend(exprs.flat_map(|expr| expr.names()).map(str::to_owned));
        if rule.file.verdict.witness.is_some() {
            used.extend(rule.witness.iter().map(|index| rule.evidence[*index].name.clone()));
        }
        for evidence in &rule.evidence {
            used.extend(evidence.depends.iter().map(|index| rule.evidence[*index].name.clone()));
        }
        used.extend(
            rule.subject
                .iter()
                .filter(|_| rule.file.subject.is_some())
                .map(|i| rule.evidence[*i].name.clone()),
        );
        used.extend(rule.file.asks.keys().cloned());
        used.extend(rule.group_by.iter().map(|(index, _)| rule.evidence[*index].name.clone()));
        for (_, source) in templates(rule) {
            used.extend(template::check(source).unwrap_or_default());
            // `rows.name` reads as the name `rows` alone.
            used.extend(
                rule.evidence
                    .iter()
                    .map(|e| &e.name)
                    .filter(|name| source.contains(&format!("rows.{name}")))
                    .cloned(),
            );
        }
        for evidence in &rule.evidence {
            let steps = ["evidence".into(), evidence.name.as_str().into()];
            if !used.contains(&evidence.name) {
                self.problem(&steps, format!("nothing uses the evidence `{}`", evidence.name));
            }
            self.joins(evidence, &steps);
            if evidence.spec.absent && evidence.branches {
                self.problem(&steps, format!("`{}` is absent, so it has no row to refer to", evidence.name));
            }
        }
    }

    /// What ties rows together by less than decides.
    fn joins(&mut self, evidence: &Evidence, steps: &[Step]) {
        let rule = self.rule;
        let of_pod = |join: &Join| ["pod", "name", "node"].iter().any(|field| join.field.is(&[field]));
        let is_of_host = |source: &Source| matches!(source, Source::Text(TextKind::Journal | TextKind::Host));
        for join in evidence.join.iter().filter(|join| of_pod(join)) {
            let other = &rule.evidence[join.evidence];
            let looks_at_pods = evidence.sources.iter().any(|source| {
                matches!(source, Source::Containers)
                    || matches!(source, Source::Objects(plural) if plural == "pods")
            });
            if looks_at_pods && !other.sources.is_empty() && other.sources.iter().all(is_of_host) {
                self.problem(
                    steps,
                    "a line of a host's kernel or journal is a pod's only by its control group or uid",
                )
                .hint =
                    Some("name the pod's uid in `text` and compare it with `metadata.uid` in `where`".into());
            }
        }
        let reads_logs = evidence
            .sources
            .iter()
            .any(|source| matches!(source, Source::Containers | Source::Text(TextKind::Log)));
        let compares_pods = |source: &str| {
            let words: Vec<&str> = source.split_whitespace().collect();
            words.windows(3).any(|at| {
                at[1] == "==" && at[0].ends_with(".pod") && at[2].trim_end_matches(')').ends_with(".pod")
            })
        };
        if reads_logs && evidence.spec.condition.as_deref().is_some_and(compares_pods) {
            self.problem(steps, "pods are compared in `where`: another container's line would do").hint =
                Some("write `join: {pod: …}`, which minds namespace, container and run as well".into());
        }
    }

    fn outcomes(&mut self) {
        let mut before: Vec<&super::expr::Expr> = Vec::new();
        for (index, when) in self.rule.when.iter().enumerate() {
            let Some(when) = when else { continue };
            if before.contains(&when) {
                let steps = ["outcomes".into(), index.into(), "when".into()];
                self.problem(&steps, "unreachable: an outcome above has the same `when`");
            }
            before.push(when);
        }
        for (index, outcome) in self.rule.file.outcomes.iter().enumerate() {
            for (step, fix) in outcome.fix.iter().enumerate() {
                let steps = ["outcomes".into(), index.into(), "fix".into(), step.into()];
                if fix.destructive && fix.loses.is_none() {
                    self.problem(&steps, "a destructive step must say what is lost").hint =
                        Some("add `loses: {zh: …, en: …}`".into());
                }
                if !fix.destructive && fix.loses.is_some() {
                    self.problem(&steps, "`loses` belongs to `destructive: true`");
                }
            }
        }
    }

    /// Both languages, and templates that can be filled in.
    fn texts(&mut self) {
        for (steps, text) in localized(self.rule) {
            for (language, text) in [("zh", &text.zh), ("en", &text.en)] {
                if text.trim().is_empty() {
                    let mut steps = steps.clone();
                    steps.push(language.into());
                    self.problem(&steps, format!("the {language} text is missing"));
                }
            }
        }
        for (steps, command) in commands(self.rule) {
            if command.chars().any(|c| !c.is_ascii() && c.is_alphabetic()) {
                self.problem(&steps, "a command is the same in both languages").hint =
                    Some("write what the reader has to fill in as `<pod>`".into());
            }
        }
        for (steps, source) in templates(self.rule) {
            match template::check(source) {
                Err(message) => {
                    self.problem(&steps, format!("this template cannot be read: {message}"));
                }
                Ok(names) => {
                    for name in names.iter().filter(|name| *name != "rows") {
                        if self.rule.index_of(name).is_none() {
                            let known = self.rule.evidence.iter().map(|evidence| evidence.name.as_str());
                            let hint = super::error::nearest(name, known)
                                .map(|near| format!("did you mean `{near}`?"));
                            self.problem(&steps, format!("no evidence is called `{name}`")).hint = hint;
                        }
                    }
                }
            }
        }
    }
}

/// Every text in two languages, with its place.
fn localized(rule: &Rule) -> Vec<(Vec<Step>, &Localized)> {
    let file = &rule.file;
    let mut texts: Vec<(Vec<Step>, &Localized)> = vec![(vec!["title".into()], &file.title)];
    texts.extend(file.caution.iter().map(|caution| (vec!["caution".into()], caution)));
    for (name, ask) in &file.asks {
        texts.push((vec!["asks".into(), name.as_str().into(), "text".into()], &ask.text));
    }
    for (index, outcome) in file.outcomes.iter().enumerate() {
        let at = |key: &str| -> Vec<Step> { vec!["outcomes".into(), index.into(), key.into()] };
        texts.push((at("conclusion"), &outcome.conclusion));
        texts.extend(outcome.title.iter().map(|title| (at("title"), title)));
        texts.extend(outcome.caution.iter().map(|caution| (at("caution"), caution)));
        for (step, fix) in outcome.fix.iter().enumerate() {
            let of_fix = |key: &str| -> Vec<Step> {
                vec!["outcomes".into(), index.into(), "fix".into(), step.into(), key.into()]
            };
            texts.push((of_fix("text"), &fix.text));
            texts.extend(fix.loses.iter().map(|loses| (of_fix("loses"), loses)));
        }
    }
    texts
}

/// Every template, with its place: texts and commands.
fn templates(rule: &Rule) -> Vec<(Vec<Step>, &str)> {
    let mut templates = Vec::new();
    for (steps, text) in localized(rule) {
        for (language, source) in [("zh", &text.zh), ("en", &text.en)] {
            let mut steps = steps.clone();
            steps.push(language.into());
            templates.push((steps, source.as_str()));
        }
    }
    templates.extend(commands(rule));
    templates
}

/// Every command, with its place.
fn commands(rule: &Rule) -> Vec<(Vec<Step>, &str)> {
    let mut commands = Vec::new();
    for (index, outcome) in rule.file.outcomes.iter().enumerate() {
        for (step, fix) in outcome.fix.iter().enumerate() {
            for (at, command) in fix.commands.iter().enumerate() {
                let steps: Vec<Step> = vec![
                    "outcomes".into(),
                    index.into(),
                    "fix".into(),
                    step.into(),
                    "commands".into(),
                    at.into(),
                ];
                commands.push((steps, command.as_str()));
            }
        }
    }
    for (name, ask) in &rule.file.asks {
        if let Some(command) = &ask.command {
            commands.push((vec!["asks".into(), name.as_str().into(), "command".into()], command.as_str()));
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "id: a\ntitle: {zh: 甲, en: a}\nstatus: stable\nseverity: error\nsince: 0.1.0\n\
        evidence:\n  seen: {in: texts, text: 'some error'}\nverdict: {likely: seen}\n\
        outcomes:\n  - conclusion: {zh: '{{ seen.text }}', en: b}\n";

    fn problems(yaml: &str) -> Vec<String> {
        let text = RuleText { path: "rules/p/s/a.yaml".into(), section: "p/s".into(), yaml: yaml.into() };
        lint(&[text]).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn a_good_rule_has_no_problems() {
        assert_eq!(problems(GOOD), Vec::<String>::new());
    }

    #[test]
    fn each_problem_is_told() {
        let told = |from: &str, to: &str| {
            assert!(GOOD.contains(from), "{from}");
            problems(&GOOD.replace(from, to)).join("\n")
        };
        assert_eq!(told("id: a", "id: b"), "the id `b` is not the file's name");
        assert_eq!(told("en: b", "en: ''"), "the en text is missing");
        assert_eq!(told("seen.text", "sen.text"), "no evidence is called `sen`");
        assert_eq!(
            told("{{ seen.text }}", "{{ seen.text"),
            "this template cannot be read: syntax error: unexpected end of input, expected end of variable block"
        );
        assert_eq!(
            told("verdict:", "  other: {in: texts, text: 'more text'}\nverdict:"),
            "nothing uses the evidence `other`"
        );
        assert_eq!(told("verdict:", "explains: [z]\nverdict:"), "there is no rule `z`");
        assert_eq!(told("likely: seen", "likely: sen"), "no evidence is called `sen`");
        assert_eq!(
            told(
                "outcomes:\n",
                "outcomes:\n  - {when: seen, conclusion: {zh: a, en: a}}\n  - {when: seen, conclusion: {zh: a, en: a}}\n"
            ),
            "unreachable: an outcome above has the same `when`"
        );
        let joined = |evidence: &str| {
            let used =
                told("verdict: {likely: seen}", &format!("{evidence}verdict: {{likely: seen && other}}"));
            used.lines().next().unwrap_or_default().to_owned()
        };
        let logs = |rest: &str| format!("  other: {{in: logs, text: 'more text', {rest}}}\n");
        assert_eq!(joined(&logs("join: {pod: seen.pod}")), "");
        assert!(joined(&logs("where: 'hit.pod == seen.pod'")).starts_with("pods are compared in `where`"));
        assert!(
            joined(&logs("where: 'hit.count > 2 && seen.pod == hit.pod'")).starts_with("pods are compared")
        );
        let kernel = "  kernel: {in: journals, text: 'some error'}\n";
        for pods in ["in: pods, join: {name: kernel.pod}", "in: containers, join: {node: kernel.node}"] {
            let told = joined(&format!("{kernel}  other: {{{pods}}}\n"));
            assert!(told.starts_with("a line of a host's kernel"), "{pods}: {told}");
        }
        assert_eq!(
            joined(&format!("{kernel}  other: {{in: nodes, join: {{metadata.name: kernel.node}}}}\n")),
            ""
        );
        let fix = "en: b}\n    fix: [{text: {zh: a, en: a}, destructive: true}]\n";
        assert_eq!(told("en: b}\n", fix), "a destructive step must say what is lost");
        let fix = "en: b}\n    fix: [{text: {zh: a, en: a}, commands: ['kubectl logs POD名']}]\n";
        assert_eq!(told("en: b}\n", fix), "a command is the same in both languages");
    }
}
