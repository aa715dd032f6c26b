//! One rule against one snapshot: which rows each evidence has, and which choices of rows hold together.
//!
//! A *binding* is one consistent choice of a row for each evidence. Only an evidence that something later refers to
//! (a join, a condition, the subject, `group_by`) makes a binding a row; the rows of any other evidence stay together,
//! so that a symptom of a thousand lines and a cause of three objects make three bindings and not three thousand.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::cel::Answer;
use super::coverage::{Reach, Scope};
use super::path::{Path, scalar};
use super::row::Row;
use crate::report::model::Subject;
use crate::rules::compile::{Evidence, Join, Rule};
use crate::rules::expr::{Expr, Truth};
use crate::rules::format::Pick;

/// Bindings that one rule may have; more are cut off, and the report says so.
pub(super) const MOST_BINDINGS: usize = 5_000;
/// Conditions that one rule may evaluate on pairs of rows.
const MOST_EVALUATIONS: usize = 400_000;

/// One consistent choice.
#[derive(Debug, Clone)]
pub struct Binding {
    /// For each evidence, its rows; one where the evidence branches.
    pub rows: Vec<Arc<[Arc<Row>]>>,
    pub truth: Vec<Truth>,
}

impl Binding {
    pub fn row(&self, evidence: usize) -> Option<&Arc<Row>> {
        self.rows.get(evidence)?.first()
    }

    pub fn eval(&self, expr: &Expr, rule: &Rule) -> Truth {
        expr.eval(&|name| rule.index_of(name).map_or(Truth::False, |index| self.truth[index]))
    }
}

/// All bindings of a rule, and whether there would have been more.
#[derive(Debug, Default)]
pub struct Bindings {
    pub all: Vec<Binding>,
    pub cut: bool,
}

/// What a rule is tried on.
pub struct Ground<'a> {
    pub reach: &'a Reach<'a>,
    pub now: Option<Timestamp>,
}

/// Places of rows by the value of a field.
type Index = HashMap<String, Vec<usize>>;

/// The rows of one evidence before joins, and what is needed to choose among them.
struct Candidates {
    rows: Vec<Arc<Row>>,
    /// A row that lacks a field because its object is known in part only.
    partly: bool,
    /// Such rows by the values of the fields that are joined.
    doubtful: Vec<Index>,
    /// For each join, row indexes by the value of the field.
    join: Vec<Index>,
    /// The same for each preference.
    prefer: Vec<Index>,
    /// The same over the rows that conditions dropped, too: whether there is anything to prefer.
    known: Vec<Index>,
}

/// Finds the bindings of `rule`. `found` holds the rows that each evidence's source and `text` yield.
pub fn bind(rule: &Rule, found: Vec<Vec<Arc<Row>>>, ground: &Ground<'_>) -> Bindings {
    let mut bindings = vec![Binding { rows: Vec::new(), truth: Vec::new() }];
    let mut cut = false;
    let mut evaluations = 0;
    for (evidence, rows) in rule.evidence.iter().zip(found) {
        let candidates = candidates(evidence, rows, ground);
        let shared: Arc<[Arc<Row>]> = if evidence.depends.is_empty() {
            picked(evidence, candidates.rows.clone()).into()
        } else {
            Arc::from([])
        };
        let none: Arc<[Arc<Row>]> = Arc::from([]);
        let mut whole: HashMap<Scope, bool> = HashMap::new();
        let mut next = Vec::with_capacity(bindings.len());
        for binding in bindings {
            let (rows, partly) = if evidence.depends.is_empty() {
                let preferred = preferred(evidence, &candidates, &binding);
                (preferred.map_or_else(|| Arc::clone(&shared), Arc::from), candidates.partly)
            } else {
                let (rows, partly, enough) =
                    chosen(rule, evidence, &candidates, &binding, ground, &mut evaluations);
                cut |= !enough;
                let doubtful = rows.is_empty()
                    && joined(&evidence.join, &candidates.doubtful, &binding)
                        .is_some_and(|rows| !rows.is_empty());
                (picked(evidence, rows).into(), partly || doubtful || !enough)
            };
            let truth = if rows.is_empty() {
                absent_truth(evidence, &binding, partly, |scope| {
                    *whole.entry(scope).or_insert_with_key(|scope| ground.reach.whole(evidence, scope))
                })
            } else {
                Truth::True
            };
            let truth = if evidence.spec.absent { !truth } else { truth };
            if !evidence.branches || rows.len() <= 1 {
                next.push(extended(binding, rows, truth));
                continue;
            }
            for row in rows.iter() {
                if next.len() >= MOST_BINDINGS {
                    cut = true;
                    break;
                }
                next.push(extended(binding.clone(), Arc::from([Arc::clone(row)]), truth));
            }
        }
        // What an evidence without rows keeps is the same empty list for all.
        for binding in &mut next {
            if binding.rows.last().is_some_and(|rows| rows.is_empty())
                && let Some(last) = binding.rows.last_mut()
            {
                *last = Arc::clone(&none);
            }
        }
        bindings = next;
    }
    Bindings { all: bindings, cut }
}

fn extended(mut binding: Binding, rows: Arc<[Arc<Row>]>, truth: Truth) -> Binding {
    binding.rows.push(rows);
    binding.truth.push(truth);
    binding
}

/// The truth of "there is such a row" when none was found.
fn absent_truth(
    evidence: &Evidence,
    binding: &Binding,
    partly: bool,
    whole: impl FnOnce(Scope) -> bool,
) -> Truth {
    // What would have to be joined to is itself not there: false if that is certain, else unknown.
    let missing = evidence.depends.iter().find(|index| binding.rows[**index].is_empty());
    if let Some(index) = missing {
        return if binding.truth[*index] == Truth::Unknown { Truth::Unknown } else { Truth::False };
    }
    if partly {
        return Truth::Unknown;
    }
    if evidence.of.is_some() || whole(scope_of(evidence, binding)) { Truth::False } else { Truth::Unknown }
}

/// What the joins say of where a row would have to be.
fn scope_of(evidence: &Evidence, binding: &Binding) -> Scope {
    let mut scope = Scope::default();
    for join in &evidence.join {
        let value = binding.row(join.evidence).and_then(|row| join.other.text(&row.value));
        if join.field.is(&["namespace"]) || join.field.is(&["metadata", "namespace"]) {
            scope.namespace = value;
        } else if join.field.is(&["pod"]) {
            scope.pod = value;
        } else if join.field.is(&["container"]) {
            scope.container = value;
        } else if join.field.is(&["node"]) {
            scope.node = value;
        } else if join.field.is(&["name"]) {
            scope.release = value;
        }
    }
    scope
}

/// Applies what needs no other evidence: globs, `match`, and a condition on the row alone.
fn candidates(evidence: &Evidence, rows: Vec<Arc<Row>>, ground: &Ground<'_>) -> Candidates {
    let mut partly = false;
    let index =
        |rows: &[Arc<Row>], joins: &[Join]| joins.iter().map(|join| by_value(rows, &join.field)).collect();
    let known = index(&rows, &evidence.prefer);
    let mut kept = Vec::new();
    let mut doubtful = Vec::new();
    for row in rows {
        // Where a pattern was tried, the scan has looked at the globs already.
        if evidence.pattern.is_none() && !passes_globs(evidence, &row.value) {
            continue;
        }
        match answers(evidence, &row, ground) {
            Answer::Yes => kept.push(row),
            Answer::Missing if row.partial => {
                partly = true;
                doubtful.push(row);
            }
            Answer::Missing | Answer::No => {}
        }
    }
    order(evidence, &mut kept);
    let (join, prefer) = (index(&kept, &evidence.join), index(&kept, &evidence.prefer));
    let doubtful = index(&doubtful, &evidence.join);
    Candidates { rows: kept, partly, doubtful, join, prefer, known }
}

/// Whether a row passes `match` and a condition on the row alone.
pub(super) fn answers(evidence: &Evidence, row: &Row, ground: &Ground<'_>) -> Answer {
    let answer = matches(evidence, &row.value);
    let alone = evidence
        .condition
        .as_ref()
        .filter(|condition| condition.names.iter().all(|name| name == evidence.row_name));
    let Some(condition) = alone.filter(|_| answer == Answer::Yes) else { return answer };
    let lookup = |name: &str| (name == evidence.row_name).then(|| row.converted());
    if row.partial {
        condition.eval_in_part(ground.now, &lookup)
    } else {
        condition.eval(ground.now, &lookup)
    }
}

fn by_value(rows: &[Arc<Row>], field: &Path) -> Index {
    let mut places = Index::new();
    for (at, row) in rows.iter().enumerate() {
        for value in field.values(&row.value).into_iter().filter_map(scalar) {
            places.entry(value).or_default().push(at);
        }
    }
    places
}

/// `pods`, `namespaces` and `containers` on rows of objects.
fn passes_globs(evidence: &Evidence, value: &Value) -> bool {
    let field = |pointers: [&str; 2]| {
        pointers.iter().find_map(|pointer| value.pointer(pointer).and_then(Value::as_str)).unwrap_or_default()
    };
    let container = if evidence.row_name == "container" { "/name" } else { "/container" };
    // An event lies in a namespace of its own choosing; its `namespace` is that of the object it is about.
    super::glob::any(&evidence.namespaces, field(["/namespace", "/metadata/namespace"]))
        && super::glob::any(&evidence.pods, field(["/pod", "/metadata/name"]))
        && super::glob::any(&evidence.containers, field([container, container]))
}

fn matches(evidence: &Evidence, value: &Value) -> Answer {
    for (path, wanted) in &evidence.matches {
        let values = path.values(value);
        if values.is_empty() {
            return Answer::Missing;
        }
        let any = values.into_iter().filter_map(scalar).any(|text| super::glob::any(wanted, &text));
        if !any {
            return Answer::No;
        }
    }
    Answer::Yes
}

/// By `newest_by`, else by time; rows without one keep their places before the others.
fn order(evidence: &Evidence, rows: &mut [Arc<Row>]) {
    match &evidence.newest_by {
        Some(path) => rows.sort_by_cached_key(|row| sort_key(path.text(&row.value))),
        None => rows.sort_by_key(|row| row.time),
    }
}

/// Numbers by size, everything else by its letters (RFC 3339 times sort that way).
fn sort_key(value: Option<String>) -> (u8, i64, String) {
    match value {
        None => (0, 0, String::new()),
        Some(text) => match text.parse() {
            Ok(number) => (1, number, String::new()),
            Err(_) => (2, 0, text),
        },
    }
}

/// The rows that `pick` leaves: one of those that go with the rows above, or where nothing ties them to any, one of each
/// subject, for a second pod with the same trouble is no less in trouble. Who spoke last speaks first then.
fn picked(evidence: &Evidence, mut rows: Vec<Arc<Row>>) -> Vec<Arc<Row>> {
    if evidence.spec.pick == Pick::All {
        return rows;
    }
    let tied = !evidence.depends.is_empty();
    let mut seen: HashSet<Option<Subject>> = HashSet::new();
    let mut first_of_each = |row: &Arc<Row>| match tied {
        true => seen.insert(None),
        false => seen.insert(row.subject.clone()),
    };
    if evidence.spec.pick == Pick::First {
        rows.retain(&mut first_of_each);
        return rows;
    }
    rows.reverse();
    rows.retain(&mut first_of_each);
    if let Some(others) = rows.get_mut(1..) {
        others.reverse();
    }
    rows
}

/// The rows that go with the rows which `binding` has chosen; whether some are known in part only; whether all could
/// be looked at.
fn chosen(
    rule: &Rule,
    evidence: &Evidence,
    candidates: &Candidates,
    binding: &Binding,
    ground: &Ground<'_>,
    evaluations: &mut usize,
) -> (Vec<Arc<Row>>, bool, bool) {
    if evidence.depends.iter().any(|index| binding.rows[*index].is_empty()) {
        return (Vec::new(), false, true);
    }
    let rows: Vec<&Arc<Row>> = match evidence.of {
        Some(of) => {
            binding.rows[of].iter().filter(|row| matches(evidence, &row.value) == Answer::Yes).collect()
        }
        None => match joined(&evidence.join, &candidates.join, binding) {
            Some(indexes) => indexes.into_iter().map(|at| &candidates.rows[at]).collect(),
            None => candidates.rows.iter().collect(),
        },
    };
    let Some(condition) = &evidence.condition else {
        return (rows.into_iter().cloned().collect(), false, true);
    };
    let refers = evidence.of.is_some() || condition.names.iter().any(|name| name != evidence.row_name);
    if !refers {
        return (rows.into_iter().cloned().collect(), false, true);
    }
    let (mut kept, mut partly) = (Vec::new(), false);
    for row in rows {
        *evaluations += 1;
        if *evaluations > MOST_EVALUATIONS {
            return (kept, partly, false);
        }
        let lookup = |name: &str| {
            if name == evidence.row_name {
                return Some(row.converted());
            }
            let index = rule.index_of(name)?;
            binding.row(index).map(|row| row.converted())
        };
        let in_part = row.partial
            || condition.names.iter().any(|name| {
                rule.index_of(name).and_then(|index| binding.row(index)).is_some_and(|row| row.partial)
            });
        let answer = if in_part {
            condition.eval_in_part(ground.now, &lookup)
        } else {
            condition.eval(ground.now, &lookup)
        };
        match answer {
            Answer::Yes => kept.push(Arc::clone(row)),
            Answer::Missing if in_part => partly = true,
            Answer::Missing | Answer::No => {}
        }
    }
    (kept, partly, true)
}

/// The preferred rows, which may be none; `None` where there is nothing to prefer.
fn preferred(evidence: &Evidence, candidates: &Candidates, binding: &Binding) -> Option<Vec<Arc<Row>>> {
    if joined(&evidence.prefer, &candidates.known, binding)?.is_empty() {
        return None;
    }
    let places = joined(&evidence.prefer, &candidates.prefer, binding)?;
    let rows = places.into_iter().map(|at| Arc::clone(&candidates.rows[at])).collect();
    Some(picked(evidence, rows))
}

/// Indexes of the rows whose joined fields equal those of the binding, in order; `None` without joins.
fn joined(joins: &[Join], indexes: &[Index], binding: &Binding) -> Option<Vec<usize>> {
    let mut result: Option<Vec<usize>> = None;
    for (join, index) in joins.iter().zip(indexes) {
        let row = binding.row(join.evidence)?;
        let values = join.other.values(&row.value);
        // An event may be about a pod as a whole. A log is always of one container, known or not.
        if join.implied && values.is_empty() && row.value.get("previous").is_none() {
            continue;
        }
        let mut matching: Vec<usize> = values
            .into_iter()
            .filter_map(scalar)
            .filter_map(|value| index.get(&value))
            .flatten()
            .copied()
            .collect();
        matching.sort_unstable();
        matching.dedup();
        result = Some(match result {
            None => matching,
            Some(before) => before.into_iter().filter(|at| matching.binary_search(at).is_ok()).collect(),
        });
    }
    result
}
