//! JSONPath, as `$input.json` and `$input.path` take it: names, indexes, slices of one step, wildcards, descent. Filters are refused.

use serde_json::Value;

/// What a path finds at most; ours.
const MAX_FOUND: usize = 10_000;
/// How deep a descent goes; ours, and deeper than JSON may nest here.
const MAX_DEPTH: usize = 128;

/// One step of a path.
enum Step {
    Name(String),
    Index(i64),
    All,
    /// `..`: what follows, at any depth.
    Descend,
}

/// What a path finds: nothing, one value, or, for a path that may find many, a list.
///
/// # Errors
/// A text that says what of the path is not understood.
pub(super) fn find(root: &Value, path: &str) -> Result<Option<Value>, String> {
    let steps = read(path)?;
    let many = steps.iter().any(|step| matches!(step, Step::All | Step::Descend));
    let mut found = vec![root];
    for step in &steps {
        let mut next = Vec::new();
        for value in found {
            match step {
                Step::Name(name) => next.extend(value.get(name)),
                Step::Index(index) => next.extend(element(value, *index)),
                Step::All => match value {
                    Value::Array(elements) => next.extend(elements),
                    Value::Object(members) => next.extend(members.values()),
                    _ => {}
                },
                Step::Descend => descend(value, &mut next, 0),
            }
            if next.len() > MAX_FOUND {
                return Err(format!("the path {path} finds more than {MAX_FOUND} values"));
            }
        }
        found = next;
    }
    Ok(if many {
        Some(Value::Array(found.into_iter().cloned().collect()))
    } else {
        found.first().map(|v| (*v).clone())
    })
}

fn element(value: &Value, index: i64) -> Option<&Value> {
    let elements = value.as_array()?;
    let index = if index < 0 { i64::try_from(elements.len()).ok()? + index } else { index };
    elements.get(usize::try_from(index).ok()?)
}

fn descend<'a>(value: &'a Value, found: &mut Vec<&'a Value>, depth: usize) {
    if depth > MAX_DEPTH || found.len() > MAX_FOUND {
        return;
    }
    found.push(value);
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| descend(element, found, depth + 1)),
        Value::Object(members) => members.values().for_each(|member| descend(member, found, depth + 1)),
        _ => {}
    }
}

fn read(path: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let trimmed = path.trim();
    let mut rest = trimmed.strip_prefix('$').unwrap_or(trimmed);
    if !trimmed.starts_with('$') && !rest.is_empty() && !rest.starts_with(['.', '[']) {
        let (step, after) = name(rest);
        steps.push(step);
        rest = after;
    }
    while let Some(first) = rest.chars().next() {
        match first {
            '.' if rest.starts_with("..") => {
                steps.push(Step::Descend);
                rest = rest.get(2..).unwrap_or_default();
                if !rest.starts_with('[') {
                    let (step, after) = name(rest);
                    steps.push(step);
                    rest = after;
                }
            }
            '.' => {
                let (step, after) = name(rest.get(1..).unwrap_or_default());
                steps.push(step);
                rest = after;
            }
            '[' => {
                let (inner, after) = bracket(rest).ok_or_else(|| format!("{path} has a bracket without its end"))?;
                steps.push(step(inner).ok_or_else(|| format!("{inner} in the path {path} is not supported"))?);
                rest = after;
            }
            _ => return Err(format!("{rest} in the path {path} is not understood")),
        }
    }
    Ok(steps)
}

fn name(text: &str) -> (Step, &str) {
    let (name, rest) = text.split_at(text.find(['.', '[']).unwrap_or(text.len()));
    (if name == "*" { Step::All } else { Step::Name(name.to_owned()) }, rest)
}

/// What stands in brackets, and what follows; a bracket in quotes is text.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (place, c) in text.char_indices().skip(1) {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == ']' => return Some((text.get(1..place)?, text.get(place + 1..)?)),
            None => {}
        }
    }
    None
}

fn step(inner: &str) -> Option<Step> {
    let inner = inner.trim();
    if inner == "*" {
        return Some(Step::All);
    }
    for quote in ['\'', '"'] {
        if let Some(name) = inner.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote)) {
            return Some(Step::Name(name.to_owned()));
        }
    }
    inner.parse().ok().map(Step::Index)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::find;

    #[test]
    fn paths() {
        let root = json!({"a": {"b": [1, {"c": "x"}], "d e": true}, "list": [{"n": 1}, {"n": 2}]});
        for (path, expected) in [
            ("$", Some(root.clone())),
            ("$.a.b[0]", Some(json!(1))),
            ("$['a']['d e']", Some(json!(true))),
            ("$.a.b[-1].c", Some(json!("x"))),
            ("$.list[*].n", Some(json!([1, 2]))),
            ("$..n", Some(json!([1, 2]))),
            ("a.b[1].c", Some(json!("x"))),
            ("$.missing.x", None),
        ] {
            assert_eq!(find(&root, path).unwrap(), expected, "{path}");
        }
        assert!(find(&root, "$.list[?(@.n > 1)]").is_err());
        assert!(find(&root, "$.a[").is_err());
    }
}
