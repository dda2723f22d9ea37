//! JMESPath over plain values: the bounds on expressions, and members in the order in which AWS gives them.

use std::collections::BTreeMap;

use jmespath::ast::Ast;
use serde_json::{Map, Value};

/// The longest expression, in bytes.
const EXPRESSION_MAX: usize = 1000;
/// The most steps, brackets and operators: parser and interpreter recurse once for each.
const STEPS_MAX: usize = 100;

/// Whether an expression can be used. The error says why not.
pub fn check(expression: &str) -> Result<(), String> {
    compiled(expression).map(|_| ())
}

/// Whether the expression is one plain name.
pub(super) fn is_name(expression: &str) -> bool {
    crate::scenario::script::template::is_identifier(expression)
}

fn compiled(expression: &str) -> Result<jmespath::Expression<'static>, String> {
    if expression.len() > EXPRESSION_MAX {
        return Err(format!("an expression may hold {EXPRESSION_MAX} bytes, this has {}", expression.len()));
    }
    if expression.chars().filter(|letter| "([{!&|.*<=>".contains(*letter)).count() > STEPS_MAX {
        return Err(format!("an expression may hold {STEPS_MAX} steps, brackets and operators"));
    }
    jmespath::compile(expression).map_err(|error| {
        let reason = match &error.reason {
            jmespath::ErrorReason::Parse(why) => why.clone(),
            jmespath::ErrorReason::Runtime(why) => why.to_string(),
        };
        format!("`{expression}` is not JMESPath: {}, at column {}", reason.trim(), error.column + 1)
    })
}

/// Evaluates an expression.
///
/// The crate keeps members sorted by name; here each object of the result gets back the order that an object with the
/// same members has in `document`, or that the expression's own `{a: …, b: …}` gives.
///
/// # Errors
/// What is wrong with the expression, or with what its functions were given.
pub fn search(expression: &str, document: &Value) -> Result<Value, String> {
    let compiled = compiled(expression)?;
    let found = compiled.search(document).map_err(|error| error.reason.to_string())?;
    let mut orders = BTreeMap::new();
    collect_hashes(compiled.as_ast(), &mut orders);
    collect_orders(document, &mut orders);
    let value = serde_json::to_value(&*found).map_err(|error| error.to_string())?;
    Ok(reorder(value, &orders))
}

type Orders = BTreeMap<Vec<String>, Vec<String>>;

fn keep(orders: &mut Orders, keys: Vec<String>) {
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    orders.entry(sorted).or_insert(keys);
}

fn collect_orders(value: &Value, orders: &mut Orders) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_orders(item, orders)),
        Value::Object(members) => {
            keep(orders, members.keys().cloned().collect());
            members.values().for_each(|member| collect_orders(member, orders));
        }
        _ => {}
    }
}

fn collect_hashes(ast: &Ast, orders: &mut Orders) {
    if let Ast::MultiHash { elements, .. } = ast {
        keep(orders, elements.iter().map(|pair| pair.key.clone()).collect());
    }
    children(ast).into_iter().for_each(|child| collect_hashes(child, orders));
}

fn reorder(value: Value, orders: &Orders) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| reorder(item, orders)).collect(),
        Value::Object(mut members) => {
            let sorted: Vec<String> = members.keys().cloned().collect();
            let order = orders.get(&sorted).unwrap_or(&sorted);
            let mut ordered = Map::new();
            for key in order {
                if let Some(member) = members.get_mut(key) {
                    ordered.insert(key.clone(), reorder(member.take(), orders));
                }
            }
            Value::Object(ordered)
        }
        other => other,
    }
}

/// The names with which an expression reaches into the document itself.
pub(super) fn roots(expression: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    collect_roots(compiled(expression)?.as_ast(), &mut names);
    Ok(names)
}

fn collect_roots(ast: &Ast, names: &mut Vec<String>) {
    match ast {
        Ast::Field { name, .. } => names.push(name.clone()),
        // What stands right of these is looked up in what stands left of them, not in the document.
        Ast::Subexpr { lhs, .. } | Ast::Projection { lhs, .. } => collect_roots(lhs, names),
        Ast::Expref { .. } => {}
        other => children(other).into_iter().for_each(|child| collect_roots(child, names)),
    }
}

fn children(ast: &Ast) -> Vec<&Ast> {
    match ast {
        Ast::Comparison { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => vec![lhs, rhs],
        Ast::Condition { predicate, then, .. } => vec![predicate, then],
        Ast::Expref { ast, .. } => vec![ast],
        Ast::Flatten { node, .. } | Ast::Not { node, .. } | Ast::ObjectValues { node, .. } => vec![node],
        Ast::Function { args, .. } => args.iter().collect(),
        Ast::MultiList { elements, .. } => elements.iter().collect(),
        Ast::MultiHash { elements, .. } => elements.iter().map(|pair| &pair.value).collect(),
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Literal { .. } | Ast::Slice { .. } => {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn members_keep_their_order() {
        let document = json!({"Items": [{"Zeta": 1, "Alpha": {"b": 1, "a": 2}}]});
        let printed = |expression| search(expression, &document).unwrap().to_string();
        assert_eq!(printed("Items[0]"), r#"{"Zeta":1,"Alpha":{"b":1,"a":2}}"#);
        assert_eq!(printed("Items[].{z: Zeta, c: Alpha.a}"), r#"[{"z":1,"c":2}]"#);
    }

    #[test]
    fn roots_are_what_the_document_is_asked_for() {
        assert_eq!(roots("slack[0].blocks[?x == y].z").unwrap(), ["slack"]);
        assert_eq!(roots("length(slack) == `1` && !last").unwrap(), ["slack", "last"]);
        assert_eq!(roots("sort_by(slack, &amount)[0]").unwrap(), ["slack"]);
    }

    #[test]
    fn large_numbers_stay_whole() {
        assert_eq!(search("a", &json!({"a": 9_007_199_254_740_993_u64})).unwrap(), json!(9_007_199_254_740_993_u64));
    }

    #[test]
    fn deep_expressions_are_refused_and_long_ones_do_not_overflow() {
        for (piece, times) in
            [("(", 101), ("!", 2000), ("a.", 400), ("a||", 60), ("a|", 400), ("a[*]", 200), ("[", 900)]
        {
            assert!(check(&format!("{}a", piece.repeat(times))).is_err(), "{piece}");
        }
        assert!(check(&"a".repeat(1001)).is_err());
        for deepest in ["a.", "a||", "a|", "!", "a[*].", "a[].", "a==", "a&&"] {
            let times = (1..=100).rev().find(|times| check(&format!("{}a", deepest.repeat(*times))).is_ok()).unwrap();
            assert!(search(&format!("{}a", deepest.repeat(times)), &json!({"a": []})).is_ok(), "{deepest}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(expression in "[a-z0-9.\\[\\]*?@&|!(){}`'\",: =<-]{0,40}") {
            let _ = search(&expression, &json!({"a": [{"b": 1}], "c": "x"}));
        }
    }
}
