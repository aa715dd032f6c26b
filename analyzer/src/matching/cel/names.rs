//! The names that a condition takes from outside: those of rows, without the variables of `exists`, `map` and the like.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr};

pub fn free(expr: &IdedExpr) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(expr, &mut Vec::new(), &mut names);
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
