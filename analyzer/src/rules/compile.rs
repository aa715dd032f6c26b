//! From a rule file as written to a rule that can be tried: names resolved, expressions compiled, order fixed.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use semver::VersionReq;

use super::built_in::BuiltInRule;
use super::error::{RuleError, nearest};
use super::expr::Expr;
use super::format::{EvidenceSpec, OneOrMany, RuleFile};
use super::locate::Step;
use super::source::Source;
use super::versions;
use crate::matching::cel::Condition;
use crate::matching::glob::Glob;
use crate::matching::path::Path;
use crate::matching::pattern::Pattern;
use crate::matching::prepared::Prepared;
use crate::snapshot::TextKind;

/// A rule ready to be tried.
#[derive(Debug)]
pub struct Rule {
    pub file: RuleFile,
    /// Path of the file, as a user can open it, or within the built-in rules.
    pub path: String,
    /// Pack and section, such as `blueking/install-bkce`.
    pub section: String,
    pub evidence: Vec<Evidence>,
    pub confirmed: Option<Expr>,
    pub likely: Option<Expr>,
    pub unless: Option<Expr>,
    /// Indexes of the evidences that are reason enough to ask.
    pub witness: Vec<usize>,
    /// Indexes of the evidences that the case is about, best first.
    pub subject: Vec<usize>,
    pub group_by: Vec<(usize, Path)>,
    /// `when` of each outcome.
    pub when: Vec<Option<Expr>>,
    pub gates: Gates,
    /// It is of a product, whose finding stands above a general one; see [`super::pack`].
    pub of_product: bool,
}

#[derive(Debug, Default)]
pub struct Gates {
    pub kubernetes: Option<VersionReq>,
    pub charts: Vec<(String, VersionReq)>,
}

#[derive(Debug)]
pub struct Evidence {
    pub name: String,
    pub spec: EvidenceSpec,
    pub sources: Vec<Source>,
    /// Looks at the row of this earlier evidence instead of a source.
    pub of: Option<usize>,
    /// What its row is called in `where`.
    pub row_name: &'static str,
    pub pattern: Option<Pattern>,
    pub pods: Vec<Glob>,
    pub namespaces: Vec<Glob>,
    pub containers: Vec<Glob>,
    pub matches: Vec<(Path, Vec<Glob>)>,
    pub join: Vec<Join>,
    pub prefer: Vec<Join>,
    pub condition: Option<Condition>,
    pub newest_by: Option<Path>,
    /// Earlier evidences whose rows decide which rows this one has.
    pub depends: BTreeSet<usize>,
    /// Each of its rows makes a binding of its own; otherwise all rows together make one.
    pub branches: bool,
}

#[derive(Debug)]
pub struct Join {
    pub field: Path,
    pub evidence: usize,
    pub other: Path,
    /// Nobody wrote it: see [`complete`].
    pub implied: bool,
}

/// Whether an evidence is a sign of trouble by itself: what is absent is not, and a host or a measurement has its say
/// only where something else raised the question.
fn bears_witness(evidence: &[Evidence], index: usize) -> bool {
    let one = &evidence[index];
    let base = std::iter::successors(Some(one), |one| one.of.map(|of| &evidence[of])).last().unwrap_or(one);
    let background = |source: &Source| matches!(source, Source::Objects(plural) if plural == "hosts" || plural == "probes");
    !one.spec.absent && !base.sources.iter().all(background)
}

impl Rule {
    pub fn pack(&self) -> &str {
        self.section.split('/').next().unwrap_or_default()
    }

    pub fn index_of(&self, evidence: &str) -> Option<usize> {
        self.evidence.iter().position(|e| e.name == evidence)
    }

    /// Compiles a rule file. `section` is its folder below `rules/`. All mistakes are told, not only the first.
    pub fn parse(path: &str, section: &str, yaml: &str) -> Result<Rule, Vec<RuleError>> {
        let file: RuleFile =
            serde_saphyr::from_str(yaml).map_err(|error| vec![RuleError::from_yaml(path, yaml, &error)])?;
        Compiler { path, yaml, prepared: None, errors: Vec::new() }.finish(file, section)
    }

    /// A rule of the program, whose expressions are compiled when they are first needed.
    pub fn built_in(rule: BuiltInRule) -> Result<Rule, Vec<RuleError>> {
        let (path, section) = (rule.name(), rule.section().to_owned());
        let compiler = Compiler { path: &path, yaml: "", prepared: Some(rule.prepared), errors: Vec::new() };
        compiler.finish(rule.file, &section)
    }
}

struct Compiler<'a> {
    path: &'a str,
    yaml: &'a str,
    /// What is known of the expressions of a rule that was tried when the program was built.
    prepared: Option<BTreeMap<String, Prepared>>,
    errors: Vec<RuleError>,
}

macro_rules! steps {
    ($($step:expr),*) => { [$(Step::from($step)),*] };
}

impl Compiler<'_> {
    fn error(&mut self, steps: &[Step], message: impl Into<String>) -> &mut RuleError {
        self.errors.push(RuleError::at(self.path, self.yaml, steps, message));
        self.errors.last_mut().expect("one was pushed")
    }

    fn finish(mut self, file: RuleFile, section: &str) -> Result<Rule, Vec<RuleError>> {
        let rule = self.rule(file, section);
        if self.errors.is_empty() { Ok(rule) } else { Err(self.errors) }
    }

    fn rule(&mut self, file: RuleFile, section: &str) -> Rule {
        let mut evidence: Vec<Evidence> = Vec::new();
        for (name, spec) in &file.evidence {
            let compiled = self.evidence(name, spec, &evidence);
            evidence.push(compiled);
        }
        if evidence.is_empty() {
            self.error(&steps!["evidence"], "a rule needs at least one evidence");
        }
        let names: Vec<String> = evidence.iter().map(|e| e.name.clone()).collect();
        let verdict = file.verdict.clone();
        let confirmed = self.expr(&steps!["verdict", "confirmed"], verdict.confirmed.as_deref(), &names);
        let likely = self.expr(&steps!["verdict", "likely"], verdict.likely.as_deref(), &names);
        let unless = self.expr(&steps!["unless"], file.unless.as_deref(), &names);
        if verdict.confirmed.is_none() && verdict.likely.is_none() {
            self.error(
                &steps!["verdict"],
                "neither `confirmed` nor `likely` is given, so the rule can never hold",
            );
        }
        let witness = match &verdict.witness {
            Some(given) => self.names(&steps!["verdict", "witness"], given, &names),
            None => (0..evidence.len()).filter(|i| bears_witness(&evidence, *i)).collect(),
        };
        let subject = match &file.subject {
            Some(given) => self.names(&steps!["subject"], given, &names),
            None => evidence.iter().position(|e| !e.spec.absent).into_iter().collect(),
        };
        let group_by = self.group_by(&file, &names);
        let when = self.outcomes(&file, &names);
        for name in file.asks.keys() {
            self.known(&steps!["asks", name.as_str()], name, &names);
        }
        let gates = self.gates(&file);
        let referred: BTreeSet<usize> = evidence
            .iter()
            .flat_map(|e| e.depends.iter().copied().chain(e.prefer.iter().map(|prefer| prefer.evidence)))
            .chain(subject.iter().copied())
            .chain(group_by.iter().map(|(index, _)| *index))
            .collect();
        for (index, one) in evidence.iter_mut().enumerate() {
            one.branches = referred.contains(&index);
        }
        Rule {
            path: self.path.to_owned(),
            section: section.to_owned(),
            evidence,
            confirmed,
            likely,
            unless,
            witness,
            subject,
            group_by,
            when,
            gates,
            of_product: false,
            file,
        }
    }

    fn evidence(&mut self, name: &str, spec: &EvidenceSpec, earlier: &[Evidence]) -> Evidence {
        let at = |key: &str| steps!["evidence", name, key];
        let here = steps!["evidence", name];
        if !is_identifier(name) {
            self.error(&here, format!("`{name}` is not a name: use letters, digits and `_`"));
        } else if matches!(name, "rows" | "now" | "hit") {
            self.error(&here, format!("`{name}` is taken")).hint =
                Some("call the evidence by what it shows, such as `stuck` or `refused`".into());
        }
        let earlier_names: Vec<String> = earlier.iter().map(|e| e.name.clone()).collect();
        let mut depends = BTreeSet::new();
        let of = spec.of.as_ref().and_then(|of| self.known(&at("of"), of, &earlier_names));
        depends.extend(of);
        let sources = self.sources(name, spec);
        let row_name = match (of, sources.as_slice()) {
            (Some(of), _) => earlier[of].row_name,
            (None, [one]) => one.row_name(),
            _ => "hit",
        };
        let pattern = spec.text.as_ref().and_then(|text| self.pattern(name, text, spec));
        self.combinations(name, spec, &sources);
        let mut join = self.joins(name, "join", &spec.join, &earlier_names);
        complete(&mut join, &sources, spec, earlier);
        let prefer = self.joins(name, "prefer", &spec.prefer, &earlier_names);
        depends.extend(join.iter().map(|join| join.evidence));
        let matches = spec
            .matches
            .iter()
            .filter_map(|(field, wanted)| {
                let path = self.path_of(&steps!["evidence", name, "match", field.as_str()], field)?;
                Some((path, wanted.as_slice().iter().map(|scalar| Glob::new(&scalar.to_string())).collect()))
            })
            .collect();
        let condition =
            spec.condition.as_ref().and_then(|source| self.condition(name, source, row_name, &earlier_names));
        // A row stands before an evidence of the same name.
        let used = condition.iter().flat_map(|condition| &condition.names);
        for used in used.filter(|used| *used != row_name) {
            depends.extend(earlier_names.iter().position(|known| known == used));
        }
        if !prefer.is_empty() && !depends.is_empty() {
            self.error(
                &at("prefer"),
                "rows above choose already by `of`, `join` or `where`; leave `prefer` out",
            );
        }
        let newest_by = spec.newest_by.as_ref().and_then(|field| self.path_of(&at("newest_by"), field));
        Evidence {
            name: name.to_owned(),
            spec: spec.clone(),
            sources,
            of,
            row_name,
            pattern,
            pods: globs(spec.pods.as_ref()),
            namespaces: globs(spec.namespaces.as_ref()),
            containers: globs(spec.containers.as_ref()),
            matches,
            join,
            prefer,
            condition,
            newest_by,
            depends,
            branches: false,
        }
    }

    fn pattern(&mut self, name: &str, text: &str, spec: &EvidenceSpec) -> Option<Pattern> {
        if let Some(known) = self.prepared.as_mut().and_then(|all| all.remove(name)) {
            return Some(Pattern::prepared(known, spec.multiline, spec.wrapped));
        }
        Pattern::compile(text, spec.multiline, spec.wrapped)
            .map_err(|message| {
                self.error(&steps!["evidence", name, "text"], message);
            })
            .ok()
    }

    fn condition(
        &mut self,
        name: &str,
        source: &str,
        row_name: &'static str,
        earlier: &[String],
    ) -> Option<Condition> {
        if self.prepared.is_some() {
            let mut condition = Condition::deferred(source);
            // Words of the language and variables of `exists` are no rows.
            condition.names.retain(|name| *name == row_name || earlier.contains(name));
            return Some(condition);
        }
        let at = steps!["evidence", name, "where"];
        let condition = Condition::compile(source)
            .map_err(|message| {
                self.error(&at, message);
            })
            .ok()?;
        for used in condition.names.iter().filter(|used| *used != row_name && !earlier.contains(used)) {
            self.unknown_in_where(name, used, row_name, earlier);
        }
        let mentioned = Condition::deferred(source).names;
        for twice in mentioned.difference(&condition.names).filter(|name| earlier.contains(name)) {
            self.error(&at, format!("`{twice}` is an evidence above; call this variable otherwise"));
        }
        Some(condition)
    }

    fn joins(
        &mut self,
        name: &str,
        key: &'static str,
        given: &IndexMap<String, String>,
        earlier: &[String],
    ) -> Vec<Join> {
        given
            .iter()
            .filter(|(_, other)| *other != ANY)
            .filter_map(|(field, other)| {
                let steps = steps!["evidence", name, key, field.as_str()];
                let field = self.path_of(&steps, field)?;
                let (evidence, other) = match Path::parse_reference(other) {
                    Ok(found) => found,
                    Err(message) => {
                        self.error(&steps, message);
                        return None;
                    }
                };
                let evidence = self.known(&steps, &evidence, earlier)?;
                Some(Join { field, evidence, other, implied: false })
            })
            .collect()
    }

    fn unknown_in_where(&mut self, name: &str, used: &str, row_name: &str, earlier: &[String]) {
        let error = self.error(
            &steps!["evidence", name, "where"],
            format!("`{used}` is neither this row (`{row_name}`) nor an evidence above"),
        );
        let known = earlier.iter().map(String::as_str).chain([row_name]);
        error.hint = Some(match nearest(used, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
        });
    }

    fn sources(&mut self, name: &str, spec: &EvidenceSpec) -> Vec<Source> {
        let Some(given) = &spec.sources else {
            if spec.of.is_none() {
                self.error(&steps!["evidence", name], "`in` is missing: where should it be looked for?");
            }
            return Vec::new();
        };
        if spec.of.is_some() {
            self.error(&steps!["evidence", name, "in"], "`in` and `of` exclude each other");
        }
        let mut sources = Vec::new();
        for source in given.as_slice() {
            match Source::parse(source) {
                Ok(source) => sources.push(source),
                Err(meant) => {
                    let error =
                        self.error(&steps!["evidence", name, "in"], format!("nothing is called `{source}`"));
                    error.hint = meant.map(|meant| format!("write `{meant}`"));
                }
            }
        }
        sources
    }

    /// Keys that make sense only together with others.
    fn combinations(&mut self, name: &str, spec: &EvidenceSpec, sources: &[Source]) {
        let at = |key: &str| steps!["evidence", name, key];
        let reads_text = sources.iter().any(|source| matches!(source, Source::Text(_)));
        if reads_text && spec.text.is_none() {
            self.error(
                &steps!["evidence", name],
                "lines of text are looked through, but `text` is not given",
            );
        }
        if spec.text.is_some() && !sources.is_empty() && !sources.iter().all(Source::has_text) {
            self.error(
                &at("text"),
                "`text` is tried on lines and on the messages of events, not on objects",
            )
            .hint = Some("use `match` or `where` for the fields of an object".into());
        }
        if spec.text.is_none() && (spec.multiline.is_some() || spec.wrapped) {
            self.error(
                &steps!["evidence", name],
                "`multiline` and `wrapped` belong to `text`, which is not given",
            );
        }
        if spec.previous.is_some() && !sources.contains(&Source::Text(TextKind::Log)) {
            self.error(&at("previous"), "`previous` narrows logs, which are not looked through here");
        }
        if spec.of.is_some() && spec.text.is_some() {
            self.error(
                &at("text"),
                "`of` looks at a row that is already there; test its fields with `where`",
            );
        }
    }

    fn path_of(&mut self, steps: &[Step], source: &str) -> Option<Path> {
        Path::parse(source)
            .map_err(|message| {
                self.error(steps, message);
            })
            .ok()
    }

    fn known(&mut self, steps: &[Step], name: &str, names: &[String]) -> Option<usize> {
        let found = names.iter().position(|known| known == name);
        if found.is_none() {
            let hint = match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", names.join(", ")),
            };
            self.error(steps, format!("no evidence is called `{name}`")).hint = Some(hint);
        }
        found
    }

    fn names(&mut self, steps: &[Step], given: &OneOrMany, names: &[String]) -> Vec<usize> {
        given.as_slice().iter().filter_map(|name| self.known(steps, name, names)).collect()
    }

    fn expr(&mut self, steps: &[Step], source: Option<&str>, names: &[String]) -> Option<Expr> {
        let expr = Expr::parse(source?)
            .map_err(|error| {
                self.error(steps, error.to_string());
            })
            .ok()?;
        for name in expr.names() {
            self.known(steps, name, names);
        }
        Some(expr)
    }

    fn group_by(&mut self, file: &RuleFile, names: &[String]) -> Vec<(usize, Path)> {
        let mut group_by = Vec::new();
        for (position, reference) in file.group_by.iter().enumerate() {
            let steps = steps!["group_by", position];
            match Path::parse_reference(reference) {
                Ok((name, path)) => {
                    group_by.extend(self.known(&steps, &name, names).map(|index| (index, path)));
                }
                Err(message) => {
                    self.error(&steps, message);
                }
            }
        }
        group_by
    }

    fn outcomes(&mut self, file: &RuleFile, names: &[String]) -> Vec<Option<Expr>> {
        let last = file.outcomes.len().saturating_sub(1);
        if file.outcomes.is_empty() {
            self.error(&steps!["outcomes"], "a rule needs at least one outcome");
        }
        let mut when = Vec::new();
        for (position, outcome) in file.outcomes.iter().enumerate() {
            let steps = steps!["outcomes", position, "when"];
            when.push(self.expr(&steps, outcome.when.as_deref(), names));
            if position == last && outcome.when.is_some() {
                self.error(&steps, "the last outcome must have no `when`, so that something is always told");
            } else if position < last && outcome.when.is_none() {
                self.error(
                    &steps!["outcomes", position],
                    "without `when`, the outcomes after this one are unreachable",
                );
            }
        }
        when
    }

    fn gates(&mut self, file: &RuleFile) -> Gates {
        let mut gates = Gates::default();
        let Some(given) = &file.versions else { return gates };
        let mut gate = |steps: &[Step], text: &str| {
            versions::parse_gate(text)
                .map_err(|message| {
                    self.error(steps, message);
                })
                .ok()
        };
        if let Some(text) = &given.kubernetes {
            gates.kubernetes = gate(&steps!["versions", "kubernetes"], text);
        }
        for (chart, text) in &given.chart {
            let steps = steps!["versions", "chart", chart.as_str()];
            gates.charts.extend(gate(&steps, text).map(|gate| (chart.clone(), gate)));
        }
        gates
    }
}

/// Takes back what [`complete`] would add: `join: {pod: log.pod, previous: any}`.
const ANY: &str = "any";

/// A line of one container says nothing of its neighbour in the pod, nor of a pod of the same name elsewhere: where logs
/// and containers are joined by their pod, they are by namespace and container, too, and two logs by their run.
fn complete(join: &mut Vec<Join>, sources: &[Source], spec: &EvidenceSpec, earlier: &[Evidence]) {
    const LOGS: Source = Source::Text(TextKind::Log);
    let field_of = |source: &Source| match source {
        Source::Containers => Some("name"),
        Source::Text(TextKind::Log) => Some("container"),
        _ => None,
    };
    let Some(mine) = sources.iter().find_map(field_of) else { return };
    let Some(of_pod) = join.iter().find(|join| join.field.is(&["pod"]) && join.other.is(&["pod"])) else {
        return;
    };
    let evidence = of_pod.evidence;
    let origin = std::iter::successors(Some(&earlier[evidence]), |one| one.of.map(|of| &earlier[of]));
    let Some(other) = origin.last() else { return };
    let theirs = if other.row_name == "container" { "name" } else { "container" };
    let has_run =
        |sources: &[Source], spec: &EvidenceSpec| sources.contains(&LOGS) && spec.previous.is_none();
    let mut wanted = vec![("namespace", "namespace"), (mine, theirs)];
    if has_run(sources, spec) && has_run(&other.sources, &other.spec) {
        wanted.push(("previous", "previous"));
    }
    for (field, of_other) in wanted {
        let (Ok(path), Ok(of_other)) = (Path::parse(field), Path::parse(of_other)) else { continue };
        if !join.iter().any(|join| join.field.is(&[field])) && !spec.join.contains_key(field) {
            join.push(Join { field: path, evidence, other: of_other, implied: true });
        }
    }
}

fn globs(given: Option<&OneOrMany>) -> Vec<Glob> {
    given.map_or(&[][..], OneOrMany::as_slice).iter().map(|glob| Glob::new(glob)).collect()
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
