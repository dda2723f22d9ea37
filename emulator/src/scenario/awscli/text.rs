//! `--output text` as the AWS CLI writes it: tabs between scalars, a line for each element, keys sorted.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Writes one value.
pub(super) fn write(value: &Value, out: &mut String) {
    any(value, None, None, out);
}

/// A scalar as Python prints it.
fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

/// Recursion is as deep as the value, which came from an answer or from serde_json and is bounded there.
fn any(value: &Value, identifier: Option<&str>, columns: Option<&BTreeSet<&str>>, out: &mut String) {
    match value {
        Value::Object(members) => object(members, identifier, columns, out),
        Value::Array(items) => array(items, identifier, out),
        other => line([scalar(other)], out),
    }
}

fn line(cells: impl IntoIterator<Item = String>, out: &mut String) {
    out.push_str(&cells.into_iter().collect::<Vec<_>>().join("\t"));
    out.push('\n');
}

fn array(items: &[Value], identifier: Option<&str>, out: &mut String) {
    if items.is_empty() {
        return;
    }
    if items.iter().any(Value::is_object) {
        // All rows get the same columns; what an element lacks is an empty cell.
        let columns = items.iter().filter_map(Value::as_object).flatten().filter(|(_, value)| is_scalar(value));
        let columns: BTreeSet<&str> = columns.map(|(key, _)| key.as_str()).collect();
        items.iter().for_each(|item| any(item, identifier, Some(&columns), out));
    } else if items.iter().any(Value::is_array) {
        let scalars: Vec<Value> = items.iter().filter(|item| is_scalar(item)).cloned().collect();
        scalar_list(&scalars, identifier, out);
        items.iter().filter(|item| !is_scalar(item)).for_each(|item| any(item, identifier, None, out));
    } else {
        scalar_list(items, identifier, out);
    }
}

fn scalar_list(items: &[Value], identifier: Option<&str>, out: &mut String) {
    match identifier {
        _ if items.is_empty() => {}
        Some(identifier) => items.iter().for_each(|item| line([identifier.to_uppercase(), scalar(item)], out)),
        None => line(items.iter().map(scalar), out),
    }
}

fn object(members: &Map<String, Value>, identifier: Option<&str>, columns: Option<&BTreeSet<&str>>, out: &mut String) {
    let sorted: BTreeSet<&str> = members.keys().map(String::as_str).collect();
    let mut cells: Vec<String> = match columns {
        Some(columns) => columns.iter().map(|key| members.get(*key).map_or(String::new(), scalar)).collect(),
        None => {
            sorted.iter().filter_map(|key| members.get(*key)).filter(|value| is_scalar(value)).map(scalar).collect()
        }
    };
    if !cells.is_empty() {
        if let Some(identifier) = identifier {
            cells.insert(0, identifier.to_uppercase());
        }
        line(cells, out);
    }
    let rest = sorted.into_iter().filter(|key| columns.is_none_or(|columns| !columns.contains(key)));
    for key in rest {
        if let Some(value) = members.get(key).filter(|value| !is_scalar(value)) {
            any(value, Some(key), None, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: &Value) -> String {
        let mut out = String::new();
        write(value, &mut out);
        out
    }

    #[test]
    fn scalars_and_lists() {
        assert_eq!(text(&json!("x")), "x\n");
        assert_eq!(text(&json!(null)), "None\n");
        assert_eq!(text(&json!([])), "");
        assert_eq!(text(&json!([1, true, "a"])), "1\tTrue\ta\n");
        assert_eq!(text(&json!([["a", "b"], ["c", null]])), "a\tb\nc\tNone\n");
        assert_eq!(text(&json!(["x", ["a"]])), "x\na\n");
    }

    #[test]
    fn objects_sort_their_keys_and_share_columns() {
        let value = json!({"b": 1, "a": "x", "Tags": [{"Key": "k", "Value": "v"}, {"Key": "l"}], "Names": ["p", "q"]});
        assert_eq!(text(&value), "x\t1\nNAMES\tp\nNAMES\tq\nTAGS\tk\tv\nTAGS\tl\t\n");
        assert_eq!(text(&json!({"Owner": {"ID": "1"}})), "OWNER\t1\n");
    }
}
