//! From the bindings of one rule to findings: verdicts, outcomes, and what is put together.

mod asks;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use shared::lang::Localized;

use super::bind::{Binding, Bindings};
use super::coverage::Reach;
use super::row::{Row, shorten};
use super::template::{self, Use};
use crate::report::model::{Evidence, Finding, Fix, Subject, Text, Unresolved, Verdict};
use crate::rules::Rule;
use crate::rules::expr::{Expr, Truth};
use crate::snapshot::Snapshot;

/// Places that are shown of one evidence; the last of them stands for the rest by its count.
const MOST_PLACES: usize = 5;
/// Commands of one step that are written out when a finding has many subjects.
const MOST_COMMANDS: usize = 20;
/// Subjects that a finding names.
const MOST_SUBJECTS: usize = 500;

/// What came of one rule.
#[derive(Debug, Default)]
pub struct Outcome {
    pub findings: Vec<Finding>,
    pub unresolved: Option<Unresolved>,
    /// What went wrong while telling it, such as a template that cannot be rendered.
    pub notes: Vec<String>,
}

/// Bindings that are told together.
struct Group<'b> {
    verdict: Verdict,
    outcome: usize,
    bindings: Vec<&'b Binding>,
}

/// Subjects that `apart` gives different numbers, or a number and none, are never told together.
pub fn tell(
    rule: &Rule,
    bindings: &Bindings,
    snapshot: &Snapshot,
    reach: &Reach<'_>,
    apart: Option<&HashMap<Subject, usize>>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut judged: Vec<(Verdict, &Binding)> = Vec::new();
    let mut open = Vec::new();
    for binding in &bindings.all {
        match judge(rule, binding) {
            Judgement::Holds(verdict) => judged.push((verdict, binding)),
            Judgement::Open => open.push(binding),
            Judgement::Silent => {}
        }
    }
    keep_surest(rule, &mut judged);
    for group in grouped(rule, &judged, apart) {
        let finding = Teller { rule, snapshot, reach, group: &group, notes: &mut outcome.notes }.finding();
        outcome.findings.push(finding);
    }
    if outcome.findings.is_empty() && !open.is_empty() {
        outcome.unresolved = asks::unresolved(rule, &open, reach);
    }
    if bindings.cut {
        outcome
            .notes
            .push(format!("{}: more combinations than are looked at; some are left out", rule.file.id));
    }
    outcome
}

enum Judgement {
    Holds(Verdict),
    /// Neither shown nor ruled out, and no sign of it.
    Open,
    Silent,
}

fn judge(rule: &Rule, binding: &Binding) -> Judgement {
    let eval = |expr: &Option<Expr>| expr.as_ref().map_or(Truth::False, |expr| binding.eval(expr, rule));
    let (confirmed, likely) = (eval(&rule.confirmed), eval(&rule.likely));
    if eval(&rule.unless).is_true() {
        return Judgement::Silent;
    }
    if confirmed.is_true() {
        // Whose line it is decides such a case, and that is not known.
        let is_unplaced = binding.rows.iter().any(|rows| rows.iter().any(|row| row.unplaced));
        return Judgement::Holds(if is_unplaced { Verdict::Likely } else { Verdict::Confirmed });
    }
    if likely.is_true() {
        return Judgement::Holds(Verdict::Likely);
    }
    if confirmed != Truth::Unknown && likely != Truth::Unknown {
        return Judgement::Silent;
    }
    if rule.witness.iter().any(|index| binding.truth[*index].is_true()) {
        return Judgement::Holds(Verdict::NeedMore);
    }
    Judgement::Open
}

/// One subject has one verdict: the surest. What is known of no subject counts only when nothing surer is known.
fn keep_surest(rule: &Rule, judged: &mut Vec<(Verdict, &Binding)>) {
    let mut best: HashMap<Vec<Subject>, Verdict> = HashMap::new();
    let mut best_of_all = Verdict::NeedMore;
    for (verdict, binding) in judged.iter() {
        let known = best.entry(subjects_of(rule, binding)).or_insert(*verdict);
        *known = (*known).min(*verdict);
        best_of_all = best_of_all.min(*verdict);
    }
    judged.retain(|(verdict, binding)| {
        let subjects = subjects_of(rule, binding);
        let enough = best.get(&subjects).is_none_or(|best| verdict <= best);
        enough && (!subjects.is_empty() || *verdict <= best_of_all)
    });
}

/// What bindings have in common that are told together.
#[derive(PartialEq, Eq, Hash)]
struct Likeness {
    verdict: Verdict,
    outcome: usize,
    /// Of `group_by`.
    values: Vec<Option<String>>,
    part: Option<usize>,
}

fn grouped<'b>(
    rule: &Rule,
    judged: &[(Verdict, &'b Binding)],
    apart: Option<&HashMap<Subject, usize>>,
) -> Vec<Group<'b>> {
    let mut groups: Vec<Group<'b>> = Vec::new();
    let mut places: HashMap<Likeness, usize> = HashMap::new();
    for (verdict, binding) in judged {
        let holds = |when: &Option<Expr>| when.as_ref().is_none_or(|expr| binding.eval(expr, rule).is_true());
        let outcome = rule.when.iter().position(holds).unwrap_or(rule.when.len().saturating_sub(1));
        let values = rule
            .group_by
            .iter()
            .map(|(evidence, path)| binding.row(*evidence).and_then(|row| path.text(&row.value)))
            .collect();
        let part = apart.and_then(|apart| subjects_of(rule, binding).iter().find_map(|it| apart.get(it)));
        let likeness = Likeness { verdict: *verdict, outcome, values, part: part.copied() };
        let place = *places.entry(likeness).or_insert_with(|| {
            groups.push(Group { verdict: *verdict, outcome, bindings: Vec::new() });
            groups.len() - 1
        });
        groups[place].bindings.push(binding);
    }
    groups
}

/// What a binding is about: the row of the first subject evidence that has one, else of any evidence.
fn subjects_of(rule: &Rule, binding: &Binding) -> Vec<Subject> {
    let named = rule.subject.iter().copied().filter(|index| !binding.rows[*index].is_empty());
    let others = 0..rule.evidence.len();
    for index in named.chain(others) {
        let mut subjects: Vec<Subject> =
            binding.rows[index].iter().filter_map(|row| row.subject.clone()).take(MOST_SUBJECTS).collect();
        if rule.evidence[index].spec.absent || subjects.is_empty() {
            continue;
        }
        subjects.sort();
        subjects.dedup();
        return subjects;
    }
    Vec::new()
}

/// Writes one finding.
struct Teller<'a, 'b> {
    rule: &'a Rule,
    snapshot: &'a Snapshot,
    reach: &'a Reach<'a>,
    group: &'a Group<'b>,
    notes: &'a mut Vec<String>,
}

impl Teller<'_, '_> {
    fn finding(mut self) -> Finding {
        let rule = self.rule;
        let outcome = &rule.file.outcomes[self.group.outcome];
        let title = outcome.title.as_ref().unwrap_or(&rule.file.title);
        let caution = outcome.caution.as_ref().or(rule.file.caution.as_ref());
        Finding {
            case: rule.file.id.clone(),
            section: rule.section.clone(),
            verdict: self.group.verdict,
            severity: outcome.severity.unwrap_or(rule.file.severity),
            title: self.text(title),
            cause_class: outcome.cause_class.or(rule.file.cause_class).map(|class| class.as_str().to_owned()),
            subjects: self.subjects(),
            evidence: self.evidence(),
            conclusion: self.text(&outcome.conclusion),
            caution: caution.map(|caution| self.text(caution)),
            fix: self.fix(),
            asks: asks::of_group(
                rule,
                self.group.verdict,
                &self.group.bindings,
                self.reach,
                &mut |text, purpose| render(rule, &self.group.bindings, text, purpose, self.notes),
            ),
            references: rule.file.references.clone(),
            past: false,
            explains: Vec::new(),
            chain: Vec::new(),
            pointer: rule.file.pointer,
            waits_for: None,
        }
    }

    fn text(&mut self, text: &Localized) -> Text {
        let mut one = |source: &str| render(self.rule, &self.group.bindings, source, Use::Text, self.notes);
        Text { zh: one(&text.zh), en: one(&text.en) }
    }

    fn subjects(&self) -> Vec<Subject> {
        let all: BTreeSet<Subject> =
            self.group.bindings.iter().flat_map(|binding| subjects_of(self.rule, binding)).collect();
        all.into_iter().take(MOST_SUBJECTS).collect()
    }

    fn evidence(&self) -> Vec<Evidence> {
        let mut shown = Vec::new();
        for (index, evidence) in self.rule.evidence.iter().enumerate() {
            // A row that should not be there belongs to the reasons against.
            if evidence.spec.absent {
                continue;
            }
            let rows = rows_of(&self.group.bindings, index);
            let rest: u64 = rows.iter().skip(MOST_PLACES).map(|row| row.count).sum();
            let first = shown.len();
            for row in rows.iter().take(MOST_PLACES) {
                shown.push(Evidence {
                    name: evidence.name.clone(),
                    path: self.snapshot.files[row.place.file.0 as usize].path.clone(),
                    line: row.place.line,
                    end_line: row.place.end_line,
                    pointer: row.place.pointer.clone(),
                    excerpt: shorten(&row.place.excerpt),
                    time: row.time.map(|time| time.to_string()),
                    count: row.count,
                });
            }
            if let Some(last) = shown[first..].last_mut() {
                last.count += rest;
            }
        }
        // The same line may be witness to several things; it is shown once, under the first name.
        let mut seen = BTreeSet::new();
        shown.retain(|one: &Evidence| seen.insert((one.path.clone(), one.line, one.pointer.clone())));
        shown
    }

    fn fix(&mut self) -> Vec<Fix> {
        let outcome = &self.rule.file.outcomes[self.group.outcome];
        let mut steps: Vec<Fix> = Vec::new();
        for step in &outcome.fix {
            let mut commands = Vec::new();
            let mut more = false;
            for binding in &self.group.bindings {
                for command in &step.commands {
                    let command = render(self.rule, &[binding], command, Use::Command, self.notes);
                    if commands.contains(&command) {
                        continue;
                    }
                    more |= commands.len() >= MOST_COMMANDS.max(step.commands.len());
                    if !more {
                        commands.push(command);
                    }
                }
            }
            let mut text = self.text(&step.text);
            if more {
                text.zh.push_str("（对象较多，只列出前几个，其余同理）");
                text.en.push_str(" (only the first few objects are written out; the rest likewise)");
            }
            let loses = step.loses.as_ref().map(|loses| self.text(loses));
            steps.push(Fix { text, commands, destructive: step.destructive, loses });
        }
        steps.sort_by_key(|step| step.destructive);
        steps
    }
}

/// The rows that the bindings of a group have for one evidence, each once, in the order of the evidence.
fn rows_of<'b>(bindings: &[&'b Binding], index: usize) -> Vec<&'b Arc<Row>> {
    let mut seen = BTreeSet::new();
    let rows = bindings.iter().flat_map(|binding| binding.rows[index].iter());
    rows.filter(|row| seen.insert(Arc::as_ptr(row))).collect()
}

fn render(rule: &Rule, bindings: &[&Binding], source: &str, purpose: Use, notes: &mut Vec<String>) -> String {
    let rows = |name: &str| -> Option<Vec<&Arc<Value>>> {
        let index = rule.index_of(name)?;
        Some(rows_of(bindings, index).into_iter().map(|row| &row.value).collect())
    };
    template::render(source, purpose, rows).unwrap_or_else(|message| {
        notes.push(format!("{}: cannot fill in `{source}`: {message}", rule.file.id));
        source.to_owned()
    })
}
