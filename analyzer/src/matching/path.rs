//! Paths of fields, such as `metadata.namespace` or `metadata.labels['app.kubernetes.io/instance']`.

use serde_json::Value;

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Vec<String>);

impl Path {
    pub fn parse(source: &str) -> Result<Path, String> {
        let mut steps = Vec::new();
        let mut rest = source;
        while !rest.is_empty() {
            if let Some(bracket) = rest.strip_prefix('[') {
                let quote = bracket.chars().next().filter(|c| matches!(c, '\'' | '"'));
                let inner = quote.and_then(|quote| {
                    let body = &bracket[1..];
                    let end = body.find(quote)?;
                    Some((&body[..end], body[end + 1..].strip_prefix(']')?))
                });
                let (key, after) = inner.ok_or_else(|| format!("`{source}`: write a bracket as ['key']"))?;
                steps.push(key.to_owned());
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                if end == 0 {
                    return Err(format!("`{source}`: a name is missing before `{rest}`"));
                }
                steps.push(rest[..end].to_owned());
                rest = &rest[end..];
            }
            if let Some(after) = rest.strip_prefix('.') {
                if after.is_empty() {
                    return Err(format!("`{source}` ends with a dot"));
                }
                rest = after;
            }
        }
        if steps.is_empty() { Err("an empty path".to_owned()) } else { Ok(Path(steps)) }
    }

    /// `evidence.field.path` as the evidence's name and the path within its row.
    pub fn parse_reference(source: &str) -> Result<(String, Path), String> {
        let Path(mut steps) = Path::parse(source)?;
        if steps.len() < 2 {
            return Err(format!("`{source}` is not of the form evidence.field"));
        }
        let name = steps.remove(0);
        Ok((name, Path(steps)))
    }

    /// The values at the path; lists on the way stand for each of their items. A key that has dots itself, as those of
    /// labels do, is found too: `metadata.labels.app.kubernetes.io/name`.
    pub fn values<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        let mut found = Vec::new();
        items(root).into_iter().for_each(|value| descend(value, &self.0, &mut found));
        found
    }

    /// The first scalar at the path, as text.
    pub fn text(&self, root: &Value) -> Option<String> {
        self.values(root).into_iter().find_map(scalar)
    }

    pub fn is(&self, names: &[&str]) -> bool {
        self.0.iter().map(String::as_str).eq(names.iter().copied())
    }
}

fn descend<'v>(value: &'v Value, steps: &[String], found: &mut Vec<&'v Value>) {
    if steps.is_empty() {
        found.extend(items(value).into_iter().filter(|value| !value.is_null()));
        return;
    }
    let Some(map) = value.as_object() else { return };
    for taken in 1..=steps.len() {
        let next = if taken == 1 { map.get(&steps[0]) } else { map.get(&steps[..taken].join(".")) };
        if let Some(next) = next {
            // At the end of the path a list stands for its items, too; that is done there.
            let parts = if taken == steps.len() { vec![next] } else { items(next) };
            parts.into_iter().for_each(|part| descend(part, &steps[taken..], found));
            return;
        }
    }
}

fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

/// A scalar as people write it.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_go_through_maps_and_lists() {
        let pod = json!({
            "metadata": {"labels": {"app.kubernetes.io/instance": "web"}},
            "spec": {"containers": [{"image": "a"}, {"image": "b"}]}
        });
        let values =
            |path: &str| Path::parse(path).unwrap().values(&pod).into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(values("metadata.labels['app.kubernetes.io/instance']"), [json!("web")]);
        assert_eq!(values("metadata.labels.app.kubernetes.io/instance"), [json!("web")]);
        assert_eq!(values("spec.containers.image"), [json!("a"), json!("b")]);
        assert!(values("status.phase").is_empty());
    }

    #[test]
    fn mistakes_are_told() {
        for wrong in ["", ".a", "a.", "a..b", "a[b]", "a['b'"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Path::parse_reference("only").is_err());
        let (name, path) = Path::parse_reference("stuck.metadata.name").unwrap();
        assert_eq!(name, "stuck");
        assert!(path.is(&["metadata", "name"]));
    }
}
