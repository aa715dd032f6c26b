//! The names that a condition takes from outside: those of rows, without the variables of `exists`, `map` and the like.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr};

pub fn free(expr: &IdedExpr) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(expr, &mut Vec::new(), &mut names);
    names
}

/// The same of the source alone, without reading it as CEL does: words that are no fields, functions or text, the variables
/// of `exists` and the like among them.
pub fn mentioned(source: &str) -> BTreeSet<String> {
    let bytes = source.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut names = BTreeSet::new();
    let (mut at, mut before, mut before_that) = (0, b' ', b' ');
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'"' | b'\'' => {
                while bytes.get(at).is_some_and(|next| *next != byte) {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            _ if is_word(&byte) => {
                at += bytes[at..].iter().take_while(|next| is_word(next)).count();
                let next = bytes[at..].iter().find(|next| !next.is_ascii_whitespace());
                let is_text = next.is_some_and(|next| matches!(next, b'"' | b'\'')) && at - start == 1;
                let is_field = before == b'.' || (before_that, before) == (b'.', b'?');
                if !is_field && next != Some(&b'(') && !byte.is_ascii_digit() && !is_text {
                    names.insert(source[start..at].to_owned());
                }
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            (before_that, before) = (before, byte);
        }
    }
    names
}

fn collect<'e>(expr: &'e IdedExpr, bound: &mut Vec<&'e str>, names: &mut BTreeSet<String>) {
    match &expr.expr {
        Expr::Unspecified | Expr::Literal(_) => {}
        Expr::Ident(name) => {
            if !bound.contains(&name.as_str()) && !name.starts_with('@') {
                names.insert(name.clone());
            }
        }
        Expr::Select(select) => collect(&select.operand, bound, names),
        Expr::Call(call) => {
            for part in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
                collect(part, bound, names);
            }
        }
        Expr::List(list) => list.elements.iter().for_each(|element| collect(element, bound, names)),
        Expr::Map(map) => entries(&map.entries, bound, names),
        Expr::Struct(fields) => entries(&fields.entries, bound, names),
        Expr::Comprehension(comprehension) => {
            collect(&comprehension.iter_range, bound, names);
            collect(&comprehension.accu_init, bound, names);
            let outside = bound.len();
            bound.push(&comprehension.iter_var);
            bound.extend(comprehension.iter_var2.as_deref());
            bound.push(&comprehension.accu_var);
            for inner in [&comprehension.loop_cond, &comprehension.loop_step, &comprehension.result] {
                collect(inner, bound, names);
            }
            bound.truncate(outside);
        }
    }
}

fn entries<'e>(entries: &'e [IdedEntryExpr], bound: &mut Vec<&'e str>, names: &mut BTreeSet<String>) {
    for entry in entries {
        match &entry.expr {
            EntryExpr::StructField(field) => collect(&field.value, bound, names),
            EntryExpr::MapEntry(pair) => {
                collect(&pair.key, bound, names);
                collect(&pair.value, bound, names);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_source_are_the_names_it_takes_from_outside() {
        let of = |source: &str| mentioned(source).into_iter().collect::<Vec<_>>();
        assert_eq!(of("pod.status.phase == 'pvc' && size(claim.metadata.name) > 3"), ["claim", "pod"]);
        assert_eq!(of(r#"a.matches("it's \"b\" c") || r'\d'.matches(d)"#), ["a", "d"]);
        assert_eq!(of("pod.spec.containers.exists(c, c.name == log.container)"), ["c", "log", "pod"]);
        assert_eq!(of("x . y < 2000u"), ["x"]);
        assert_eq!(of("a.?b.orValue('') == '' ? c : d"), ["a", "c", "d"]);
    }
}
