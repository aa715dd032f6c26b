//! A condition under the assumption that every field it asks for with `has(…)` is there.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr, LiteralValue};
use cel::common::types::CelBool;

/// The condition with each `has(…)` true; `None` if it asks for none.
pub fn assume(expr: &IdedExpr) -> Option<IdedExpr> {
    let mut assumed = expr.clone();
    let mut found = false;
    replace(&mut assumed, &mut found);
    found.then_some(assumed)
}

fn replace(expr: &mut IdedExpr, found: &mut bool) {
    match &mut expr.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
        Expr::Select(select) if select.test => {
            expr.expr = Expr::Literal(LiteralValue::Boolean(CelBool::from(true)));
            *found = true;
        }
        Expr::Select(select) => replace(&mut select.operand, found),
        Expr::Call(call) => {
            call.target.iter_mut().for_each(|target| replace(target, found));
            call.args.iter_mut().for_each(|argument| replace(argument, found));
        }
        Expr::List(list) => list.elements.iter_mut().for_each(|element| replace(element, found)),
        Expr::Map(map) => entries(&mut map.entries, found),
        Expr::Struct(fields) => entries(&mut fields.entries, found),
        Expr::Comprehension(comprehension) => {
            for inner in [
                &mut comprehension.iter_range,
                &mut comprehension.accu_init,
                &mut comprehension.loop_cond,
                &mut comprehension.loop_step,
                &mut comprehension.result,
            ] {
                replace(inner, found);
            }
        }
    }
}

fn entries(entries: &mut [IdedEntryExpr], found: &mut bool) {
    for entry in entries {
        match &mut entry.expr {
            EntryExpr::StructField(field) => replace(&mut field.value, found),
            EntryExpr::MapEntry(pair) => {
                replace(&mut pair.key, found);
                replace(&mut pair.value, found);
            }
        }
    }
}
