//! Conditions: the only module that knows the CEL library.
//!
//! A row is converted to a CEL value once, when the first condition of any rule reaches it, and lent to every later
//! evaluation. What Kubernetes' own CEL libraries add (`quantity`, `semver`, `ip`, `cidr`) is in [`functions`].

mod functions;
mod names;
mod presence;
mod types;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, OnceLock};

use cel::common::ast::{CallExpr, Expr};
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelTimestamp,
};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::parser::Macro;
use cel::{Context, Env, ExecutionError, IdedExpr, Program, Value as CelValue};
use jiff::Timestamp;
use serde_json::Value;

/// A value that conditions can work on.
pub type Converted = Box<dyn Val>;

/// Name under which the time of collection is known to conditions.
const NOW: &str = "now";

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    functions::declare(&mut env).expect("no name is declared twice");
    env.add_extension(cel::extensions::strings).expect("the extension declares its names once");
    let ago = Macro::global("ago", 1, |helper, _, args| {
        let then = args.remove(0);
        let now = helper.next_expr(Expr::Ident(NOW.to_owned()));
        let call = CallExpr { target: None, func_name: functions::ELAPSED.to_owned(), args: vec![now, then] };
        Ok(Some(helper.next_expr(Expr::Call(call))))
    });
    env.add_macro(ago).expect("the macro is declared once");
    Arc::new(env)
});

/// Conditions deeper than this are refused, so that evaluating one cannot exhaust the stack.
const LONGEST: usize = 4096;

/// A condition.
#[derive(Debug)]
pub struct Condition {
    source: String,
    /// Made when the condition is first asked; `None` if it cannot be compiled.
    compiled: OnceLock<Option<Compiled>>,
    /// Names it refers to, other than those of functions.
    pub names: BTreeSet<String>,
}

#[derive(Debug)]
struct Compiled {
    program: Program,
    /// The same with every `has(…)` true; `None` if there is none in it.
    if_present: Option<IdedExpr>,
}

/// What came of evaluating a condition on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    /// A field it needs is not there, or is of another type than the condition expects.
    Missing,
}

impl Condition {
    /// The error is one line, with the place within the condition.
    pub fn compile(source: &str) -> Result<Condition, String> {
        let compiled = Compiled::new(source)?;
        let mut names = names::free(compiled.program.expression());
        names.remove(NOW);
        let compiled = OnceLock::from(Some(compiled));
        Ok(Condition { source: source.to_owned(), compiled, names })
    }

    /// Of a source that is known to compile, and in which no variable of `exists` and the like has an evidence's name.
    pub fn deferred(source: &str) -> Condition {
        let mut names = names::mentioned(source);
        names.remove(NOW);
        Condition { source: source.to_owned(), compiled: OnceLock::new(), names }
    }

    fn compiled(&self) -> Option<&Compiled> {
        self.compiled.get_or_init(|| Compiled::new(&self.source).ok()).as_ref()
    }

    /// Evaluates it; `lookup` lends the values of names.
    pub fn eval<'a>(
        &self,
        now: Option<Timestamp>,
        lookup: &'a (dyn Fn(&str) -> Option<&'a Converted> + Sync),
    ) -> Answer {
        let Some(compiled) = self.compiled() else { return Answer::Missing };
        let scope = Scope { lookup, now: now.and_then(cel_time) };
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.set_variable_resolver(&scope);
        answer(compiled.program.expression(), &context)
    }

    /// Evaluates it on rows of which a field that is absent may exist all the same, as in a table: what it would say
    /// otherwise if such a field were there, it does not say at all.
    pub fn eval_in_part<'a>(
        &self,
        now: Option<Timestamp>,
        lookup: &'a (dyn Fn(&str) -> Option<&'a Converted> + Sync),
    ) -> Answer {
        let first = self.eval(now, lookup);
        let Some(if_present) = self.compiled().and_then(|compiled| compiled.if_present.as_ref()) else {
            return first;
        };
        let scope = Scope { lookup, now: now.and_then(cel_time) };
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.set_variable_resolver(&scope);
        if answer(if_present, &context) == first { first } else { Answer::Missing }
    }
}

impl Compiled {
    fn new(source: &str) -> Result<Compiled, String> {
        if nesting(source) > NESTING {
            return Err(format!("brackets are nested more than {NESTING} deep"));
        }
        if source.len() > LONGEST {
            return Err(format!("longer than {LONGEST} bytes"));
        }
        let program = ENV.compile(source).map_err(|errors| {
            let text = errors.to_string();
            let line = text.lines().next().unwrap_or_default();
            let line = line.trim_start_matches("ERROR: ").trim_start_matches("<input>:");
            if line.contains("reserved identifier: namespace") {
                // The row of `namespaces` and others have other names for this reason.
                return format!(
                    "{line} (CEL keeps this word for itself; write x[\"namespace\"] for a field)"
                );
            }
            line.to_owned()
        })?;
        let references = program.references();
        if let Some(unknown) = references.functions().into_iter().find(|name| !is_function(name)) {
            return Err(format!("no function `{unknown}`"));
        }
        let if_present = presence::assume(program.expression());
        Ok(Compiled { program, if_present })
    }
}

fn answer(expression: &IdedExpr, context: &Context<'_, '_>) -> Answer {
    match CelValue::resolve_val(expression, context) {
        Ok(value) => match value.downcast_ref::<CelBool>() {
            Some(answer) if *answer.inner() => Answer::Yes,
            Some(_) => Answer::No,
            None => Answer::Missing,
        },
        Err(ExecutionError::UndeclaredReference(_)) | Err(_) => Answer::Missing,
    }
}

struct Scope<'a> {
    lookup: &'a (dyn Fn(&str) -> Option<&'a Converted> + Sync),
    now: Option<CelTimestamp>,
}

impl VariableResolver for Scope<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        if variable == NOW {
            return self.now.as_ref().map(|now| CowVal::Borrowed(now as &dyn Val));
        }
        (self.lookup)(variable).map(|value| CowVal::Borrowed(value.as_ref()))
    }
}

fn cel_time(time: Timestamp) -> Option<CelTimestamp> {
    let utc = chrono::DateTime::from_timestamp(time.as_second(), time.subsec_nanosecond().unsigned_abs())?;
    Some(CelTimestamp::from(utc.fixed_offset()))
}

/// Operators have names such as `_&&_` and `@in`; macros are gone after parsing.
fn is_function(name: &str) -> bool {
    name.contains(['_', '@', '!']) || functions::KNOWN.contains(&name)
}

/// JSON as a CEL value. Whole numbers become `int`; others `double`.
pub fn convert(value: &Value) -> Converted {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(b) => Box::new(CelBool::from(*b)),
        Value::Number(n) => match n.as_i64() {
            Some(int) => Box::new(CelInt::from(int)),
            None => Box::new(CelDouble::from(n.as_f64().unwrap_or(f64::NAN))),
        },
        Value::String(s) => Box::new(CelString::from(s.clone())),
        Value::Array(items) => Box::new(CelList::from(items.iter().map(convert).collect::<Vec<_>>())),
        Value::Object(entries) => {
            let entries: HashMap<CelMapKey<'static>, Box<dyn Val>> =
                entries.iter().map(|(key, value)| (CelMapKey::from(key.clone()), convert(value))).collect();
            Box::new(CelMap::from(entries))
        }
    }
}

/// Deepest nesting of brackets that is compiled: the parser calls itself for each and would run out of stack.
const NESTING: usize = 16;

fn nesting(source: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn eval(source: &str) -> Answer {
        let pod = convert(&json!({
            "metadata": {"name": "web-0", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b"}]},
            "status": {"phase": "Running", "restarts": 4, "podIP": "100.64.0.9", "start": "2026-01-01T00:00:00Z"},
            "capacity": "50Gi", "version": "v0.4.5"
        }));
        let condition = Condition::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        let now = "2026-01-01T01:30:00Z".parse().ok();
        condition.eval(now, &|name| (name == "pod").then_some(&pod))
    }

    #[test]
    fn conditions_read_objects() {
        assert_eq!(eval("pod.status.phase == 'Running' && pod.status.restarts > 3"), Answer::Yes);
        assert_eq!(eval("pod.spec.containers.exists(c, c.name == 'b')"), Answer::Yes);
        assert_eq!(eval("'app' in pod.metadata.labels && pod.metadata.name.startsWith('web')"), Answer::Yes);
        assert_eq!(eval("pod.metadata.name.matches('^db')"), Answer::No);
        assert_eq!(
            eval("pod.metadata.labels.exists(k, pod.metadata.labels[k].contains(pod.metadata.labels.app))"),
            Answer::Yes
        );
        assert_eq!(
            eval("!pod.metadata.labels.exists(k, pod.metadata.labels[k].contains('db'))"),
            Answer::Yes
        );
    }

    #[test]
    fn an_absent_field_is_no_error() {
        assert_eq!(eval("pod.status.reason == 'Evicted'"), Answer::Missing);
        assert_eq!(eval("has(pod.status.reason)"), Answer::No);
        assert_eq!(eval("pod.status.?reason.orValue('') == ''"), Answer::Yes);
        assert_eq!(eval("pod.status.restarts > 'a'"), Answer::Missing);
    }

    #[test]
    fn of_a_part_an_absent_field_says_nothing() {
        let in_part = |source: &str| {
            let pod = convert(&json!({"status": {"phase": "Pending"}, "spec": {"nodeName": ""}}));
            let condition = Condition::compile(source).unwrap();
            condition.eval_in_part(None, &|name| (name == "pod").then_some(&pod))
        };
        assert_eq!(in_part("!has(pod.subsets) || pod.subsets.size() == 0"), Answer::Missing);
        assert_eq!(in_part("has(pod.reason) && pod.reason == 'x'"), Answer::Missing);
        assert_eq!(in_part("!has(pod.spec.nodeName) || pod.spec.nodeName == ''"), Answer::Yes);
        assert_eq!(in_part("has(pod.reason) || pod.status.phase == 'Pending'"), Answer::Yes);
        assert_eq!(in_part("has(pod.reason) && pod.status.phase == 'Running'"), Answer::No);
        assert_eq!(in_part("pod.status.phase == 'Pending'"), Answer::Yes);
    }

    #[test]
    fn the_types_of_kubernetes_are_known() {
        assert_eq!(eval("quantity(pod.capacity).isGreaterThan(quantity('40G'))"), Answer::Yes);
        assert_eq!(eval("quantity('1500m') < quantity('2')"), Answer::Yes);
        assert_eq!(eval("semver(pod.version).isLessThan(semver('0.4.57'))"), Answer::Yes);
        assert_eq!(eval("cidr('10.0.0.0/8').containsIP(ip(pod.status.podIP))"), Answer::No);
        assert_eq!(eval("cidr('100.64.0.0/10').containsIP(pod.status.podIP)"), Answer::Yes);
        assert_eq!(eval("glob(pod.metadata.name, 'web-*')"), Answer::Yes);
        assert_eq!(eval("quantity('nonsense') < quantity('2')"), Answer::Missing);
    }

    #[test]
    fn times_are_compared_with_and_without_their_zone() {
        assert_eq!(eval("ago(pod.status.start) == duration('90m')"), Answer::Yes);
        assert_eq!(eval("timestamp(pod.status.start) < now"), Answer::Yes);
        let apart = "skew('2022-10-29T02:01:14.887Z', '2022-10-28T18:02:16.723Z')";
        assert_eq!(eval(&format!("{apart} > duration('60s') && {apart} < duration('62s')")), Answer::Yes);
    }

    #[test]
    fn mistakes_are_told() {
        assert!(Condition::compile("pod.name ==").is_err());
        assert!(Condition::compile(&"[".repeat(5000)).unwrap_err().contains("nested"));
        assert_eq!(Condition::compile("frobnicate(pod)").unwrap_err(), "no function `frobnicate`");
        let names = Condition::compile("pod.name == other.name").unwrap().names;
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["other", "pod"]);
        let names =
            Condition::compile("pod.list.exists(c, c.name == other.name) && ago(pod.t) > duration('1s')")
                .unwrap()
                .names;
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["other", "pod"]);
    }
}
