//! Texts and commands of a rule with the values of this bundle.
//!
//! A value that is not known shows as `<field>`, unless a sentence reads as well without the aside that it stands in. Values come from an untrusted bundle: what goes into
//! a command must be a plain word, or it shows as `<field>` too, so that no name can smuggle a second command into
//! something that is made to be pasted into a root shell.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Jinja};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior};
use regex::{Captures, Regex};
use serde_json::Value;

/// Instructions that one template may take; a text needs some dozen.
const FUEL: u64 = 20_000;
/// Characters of one value in a text.
const LONGEST_VALUE: usize = 400;

static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Chainable);
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_fuel(Some(FUEL));
    engine.set_formatter(|output: &mut Output, _: &mut State, value: &Jinja| {
        // Only a name that the check of the rule let through by mistake can be undefined.
        let text = if value.is_undefined() || value.is_none() { unknown("?") } else { value.to_string() };
        output.write_str(&text).map_err(|_| minijinja::ErrorKind::WriteFailure.into())
    });
    engine.add_filter(
        "join",
        |value: &Jinja, separator: Option<String>| -> Result<String, minijinja::Error> {
            let items: Vec<String> = value.try_iter()?.map(|item| item.to_string()).collect();
            Ok(items.join(separator.as_deref().unwrap_or(", ")))
        },
    );
    engine.add_filter("unique", minijinja::filters::unique);
    engine.add_filter("map", minijinja::filters::map);
    engine.add_filter("first", minijinja::filters::first);
    engine.add_filter("last", minijinja::filters::last);
    engine.add_filter("length", minijinja::filters::length);
    engine.add_filter("lower", minijinja::filters::lower);
    engine.add_filter("replace", minijinja::filters::replace);
    engine.add_filter("split", minijinja::filters::split);
    engine.add_filter("int", minijinja::filters::int);
    engine
});

/// Where a template's result goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Text,
    Command,
}

/// Checks a template without rendering it and lists the evidence names it refers to.
pub fn check(source: &str) -> Result<BTreeSet<String>, String> {
    let template = ENGINE.template_from_str(source).map_err(|error| describe(&error))?;
    Ok(template.undeclared_variables(false).into_iter().collect())
}

/// Renders a template. `rows` gives the rows of an evidence, best first; `None` for a name that is no evidence.
pub fn render<'r>(
    source: &str,
    purpose: Use,
    rows: impl Fn(&str) -> Option<Vec<&'r Arc<Value>>>,
) -> Result<String, String> {
    if !source.contains("{{") && !source.contains("{%") {
        return Ok(source.to_owned());
    }
    let template = ENGINE.template_from_str(source).map_err(|error| describe(&error))?;
    let mut context = std::collections::BTreeMap::new();
    for name in template.undeclared_variables(false) {
        if name == "rows" {
            continue;
        }
        if let Some(rows) = rows(&name) {
            let value = match rows.first() {
                Some(row) => wrap(row, &name, purpose),
                None => placeholder(&name),
            };
            context.insert(name, value);
        }
    }
    if source.contains("rows.") {
        let mut lists = std::collections::BTreeMap::new();
        for name in template.undeclared_variables(true).iter().filter_map(|path| path.strip_prefix("rows.")) {
            let name = name.split('.').next().unwrap_or(name);
            let all = rows(name).unwrap_or_default();
            lists.insert(
                name.to_owned(),
                all.into_iter().map(|row| wrap(row, name, purpose)).collect::<Vec<_>>(),
            );
        }
        context.insert("rows".to_owned(), Jinja::from(lists));
    }
    let rendered = template.render(Jinja::from(context)).map_err(|error| describe(&error))?;
    let told = if purpose == Use::Text { without_empty_asides(&rendered) } else { Cow::Borrowed(&*rendered) };
    Ok(told.replace(UNKNOWN.0, "<").replace(UNKNOWN.1, ">"))
}

/// Stand around the name of an unknown value until the text is whole. A value holds no control characters.
const UNKNOWN: (char, char) = ('\u{2}', '\u{3}');

fn unknown(name: &str) -> String {
    format!("{}{name}{}", UNKNOWN.0, UNKNOWN.1)
}

/// The text without asides of which nothing is known: a namespace before a name, a container in square brackets, a
/// part of what stands in parentheses. A table tells names and states and no more, and `web (3 restarts)` is a better
/// sentence than `<namespace>/web [<name>] (exit code <exit_code>, 3 restarts)`.
fn without_empty_asides(text: &str) -> Cow<'_, str> {
    static BRACKETS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("\u{2}[^\u{3}]*\u{3}/| ?\\[\u{2}[^\u{3}]*\u{3}\\]").expect("a valid pattern")
    });
    static PARENTHESES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(" ?[(（](?P<parts>[^()（）]*\u{2}[^()（）]*)[)）]").expect("a valid pattern")
    });
    const SEPARATORS: [char; 5] = [',', '，', '、', ';', '；'];
    if !text.contains(UNKNOWN.0) {
        return Cow::Borrowed(text);
    }
    let text = BRACKETS.replace_all(text, "");
    let told = PARENTHESES.replace_all(&text, |found: &Captures| {
        let parts = found["parts"].split_inclusive(SEPARATORS);
        let known: String = parts.filter(|part| !part.contains(UNKNOWN.0)).collect();
        match known.trim().trim_end_matches(SEPARATORS) {
            "" => String::new(),
            known => found[0].replace(&found["parts"], known),
        }
    });
    Cow::Owned(told.into_owned())
}

fn describe(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

fn placeholder(name: &str) -> Jinja {
    Jinja::from_object(Placeholder(name.to_owned()))
}

fn wrap(value: &Value, name: &str, purpose: Use) -> Jinja {
    match value {
        Value::Null => placeholder(name),
        Value::Bool(flag) => Jinja::from(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(int) => Jinja::from(int),
            None => Jinja::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) if text.is_empty() => placeholder(name),
        Value::String(text) if purpose == Use::Command && !is_plain_word(text) => placeholder(name),
        Value::String(text) => Jinja::from(one_line(&to_seconds(text))),
        Value::Array(items) => {
            Jinja::from(items.iter().map(|item| wrap(item, name, purpose)).collect::<Vec<_>>())
        }
        Value::Object(_) => {
            Jinja::from_object(Fields { value: Arc::new(value.clone()), name: name.to_owned(), purpose })
        }
    }
}

/// What a shell takes as one word with no meaning of its own. Letters of every script are fine in file names.
fn is_plain_word(text: &str) -> bool {
    !text.starts_with('-') && text.chars().all(|c| c.is_alphanumeric() || "-_./:@%+=,".contains(c))
}

/// A time without its microseconds, which Go prints and nobody reads; anything else as it is.
fn to_seconds(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let is_time = bytes.len() > 20
        && bytes.iter().zip(b"dddd-dd-ddTdd:dd:dd.").all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b' '),
            form => byte == form,
        });
    let digits = bytes.iter().skip(20).take_while(|byte| byte.is_ascii_digit()).count();
    // Milliseconds are meant by who writes them.
    if is_time && digits > 3 {
        return Cow::Owned(format!("{}{}", &text[..19], &text[20 + digits..]));
    }
    Cow::Borrowed(text)
}

/// Control characters out, length bounded: texts are read by people.
fn one_line(text: &str) -> String {
    let mut line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_VALUE).collect();
    if text.chars().nth(LONGEST_VALUE).is_some() {
        line.push('…');
    }
    line
}

/// The fields of a row; one that is absent becomes its own name.
struct Fields {
    value: Arc<Value>,
    name: String,
    purpose: Use,
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.name)
    }
}

impl Object for Fields {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let key = key.as_str()?;
        Some(match self.value.get(key) {
            Some(value) => wrap(value, key, self.purpose),
            None => placeholder(key),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys =
            self.value.as_object().map(|map| map.keys().map(|key| Jinja::from(key.as_str())).collect());
        Enumerator::Values(keys.unwrap_or_default())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&unknown(&self.name))
    }
}

/// A value that is not known.
#[derive(Debug)]
struct Placeholder(String);

impl Object for Placeholder {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        Some(placeholder(key.as_str().unwrap_or(&self.0)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Empty
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&unknown(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn show(source: &str, purpose: Use) -> String {
        let release = Arc::new(json!({
            "namespace": "blueking", "name": "bk-paas", "revision": 3, "evil": "a; rm -rf /", "dash": "--all",
            "metadata": {"labels": {"app": "paas"}}, "text": "two\nlines\x1b[31m", "empty": ""
        }));
        let other = Arc::new(json!({"name": "bk-repo"}));
        render(source, purpose, |name| match name {
            "stuck" => Some(vec![&release, &other]),
            "good" => Some(vec![]),
            _ => None,
        })
        .unwrap_or_else(|error| panic!("{source}: {error}"))
    }

    #[test]
    fn times_have_no_nanoseconds() {
        let show = |time: &str| {
            let row = Arc::new(json!({ "time": time }));
            render("{{ row.time }}", Use::Text, |_| Some(vec![&row])).unwrap()
        };
        assert_eq!(show("2026-11-20T03:50:00.123456789Z"), "2026-11-20T03:50:00Z");
        assert_eq!(show("2023-04-03 10:00:00.123456 +0800 CST"), "2023-04-03 10:00:00 +0800 CST");
        assert_eq!(show("2026-11-20T03:50:00.123Z"), "2026-11-20T03:50:00.123Z");
        assert_eq!(show("2026-11-20T03:50:00.中文"), "2026-11-20T03:50:00.中文");
    }

    #[test]
    fn values_are_filled_in() {
        let command = "helm rollback -n {{ stuck.namespace }} {{ stuck.name }} {{ stuck.revision }}";
        assert_eq!(show(command, Use::Command), "helm rollback -n blueking bk-paas 3");
        assert_eq!(show("{{ stuck.metadata.labels.app }}", Use::Text), "paas");
        assert_eq!(show("{% for r in rows.stuck %}{{ r.name }} {% endfor %}", Use::Text), "bk-paas bk-repo ");
        assert_eq!(
            show("{{ rows.stuck | map(attribute='name') | join(', ') }}", Use::Text),
            "bk-paas, bk-repo"
        );
        assert_eq!(show("{% if good %}yes{% else %}no{% endif %}", Use::Text), "no");
    }

    #[test]
    fn what_is_not_known_is_visible() {
        assert_eq!(
            show("-n {{ good.namespace }} {{ stuck.metadata.annotations.x }}", Use::Command),
            "-n <namespace> <x>"
        );
        assert_eq!(show("{{ stuck.empty }}", Use::Text), "<empty>");
        assert_eq!(show("{{ stuck.empty | lower }}", Use::Text), "<empty>");
        assert_eq!(show("{% if stuck.nothing %}yes{% else %}no{% endif %}", Use::Text), "no");
    }

    #[test]
    fn an_aside_of_which_nothing_is_known_is_left_out() {
        let sentence = "{{ good.namespace }}/{{ stuck.name }} [{{ good.name }}] exits (code {{ good.code }}, revision {{ stuck.revision }}).";
        assert_eq!(show(sentence, Use::Text), "bk-paas exits (revision 3).");
        assert_eq!(show("探针失败（{{ stuck.empty }}）。", Use::Text), "探针失败。");
        assert_eq!(
            show("退出（重启 {{ stuck.revision }} 次，退出码 {{ good.code }}）", Use::Text),
            "退出（重启 3 次）"
        );
        assert_eq!(show("{{ good.image }} of {{ stuck.name }}", Use::Text), "<image> of bk-paas");
        assert_eq!(show("{{ stuck.name }} (<x>)", Use::Text), "bk-paas (<x>)");
        assert_eq!(show("-l app={{ good.namespace }}/x", Use::Command), "-l app=<namespace>/x");
    }

    #[test]
    fn a_value_cannot_add_to_a_command() {
        assert_eq!(show("rm {{ stuck.evil }} {{ stuck.dash }}", Use::Command), "rm <evil> <dash>");
        assert_eq!(show("{{ stuck.evil }}", Use::Text), "a; rm -rf /");
        assert_eq!(show("{{ stuck.text }}", Use::Text), "two lines [31m");
    }

    #[test]
    fn mistakes_are_told() {
        assert!(check("{{ a.b").is_err());
        assert_eq!(
            check("{{ a.b }} {% if c %}{% endif %}").unwrap().into_iter().collect::<Vec<_>>(),
            ["a", "c"]
        );
        assert!(
            render("{% for i in range(100) %}x{% endfor %}", Use::Text, |_| None).is_err(),
            "no such function"
        );
    }
}
