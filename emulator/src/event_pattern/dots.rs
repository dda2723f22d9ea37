//! Names with dots: to a pattern, `{"a.b": 1}` and `{"a": {"b": 1}}` are the same, on either side.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html#eb-event-patterns-considerations>

use serde_json::{Map, Value, json};

/// Names are taken apart no deeper than JSON is read, so that nobody can nest without end by a name of many dots.
const DEPTH: usize = 128;

/// The parts of a name that stands so deep.
pub(super) fn parts(name: &str, depth: usize) -> Vec<&str> {
    if depth + name.bytes().filter(|byte| *byte == b'.').count() < DEPTH {
        name.split('.').collect()
    } else {
        vec![name]
    }
}

/// Whether there is a name with a dot.
pub(super) fn has(event: &Value) -> bool {
    match event {
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('.') || has(value)),
        Value::Array(items) => items.iter().any(has),
        _ => false,
    }
}

/// The event with all such names taken apart.
pub(super) fn parted(event: &Value, depth: usize) -> Value {
    match event {
        Value::Object(members) => {
            let mut all = Map::new();
            for (name, value) in members {
                let names = parts(name, depth);
                let value = parted(value, depth + names.len());
                let (first, rest) = names.split_first().unwrap_or((&"", &[]));
                join(&mut all, first, rest.iter().rev().fold(value, |value, name| json!({ *name: value })));
            }
            Value::Object(all)
        }
        Value::Array(items) => items.iter().map(|item| parted(item, depth + 1)).collect(),
        scalar => scalar.clone(),
    }
}

/// Adds a member. What cannot be one object becomes a list, any element of which may match.
fn join(all: &mut Map<String, Value>, name: &str, value: Value) {
    match (all.get_mut(name), value) {
        (None, value) => drop(all.insert(name.to_owned(), value)),
        (Some(Value::Object(old)), Value::Object(new)) => {
            new.into_iter().for_each(|(name, value)| join(old, &name, value))
        }
        (Some(Value::Array(old)), value) => old.push(value),
        (Some(old), value) => *old = json!([old.take(), value]),
    }
}
