//! Patch operations: changes of what API Gateway keeps, by path.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html>. Each kind of thing has a table of the paths that
//! may change, and how; the change is made on its JSON form, which is read back.

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::errors::{bad, not_found};
use crate::{Error, Result};

/// One change.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PatchOperation {
    pub op: Option<String>,
    pub path: Option<String>,
    pub value: Option<String>,
    pub from: Option<String>,
}

impl PatchOperation {
    pub fn op(&self) -> &str {
        self.op.as_deref().unwrap_or_default()
    }

    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or_default()
    }

    /// The path's parts, `~1` and `~0` read as what they stand for.
    pub fn segments(&self) -> Vec<String> {
        segments(self.path())
    }
}

/// A path's parts.
pub(super) fn segments(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A text. Without a value there is none.
    Text,
    /// `true` or not.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// The path's last part is an element of a list of texts.
    Element,
    /// The same, separated by commas in the value.
    List,
}

/// A path that may change.
pub(super) struct Rule {
    /// `*` stands for any part.
    pub path: &'static str,
    /// The operations that there are for it, separated by spaces.
    pub ops: &'static str,
    pub kind: Kind,
    /// The error where what is to be removed or replaced is not there; empty if that is none.
    pub missing: &'static str,
}

/// A path that may change by these operations.
pub(super) const fn rule(path: &'static str, ops: &'static str, kind: Kind) -> Rule {
    Rule { path, ops, kind, missing: "" }
}

impl Rule {
    /// What is removed or replaced must be there.
    pub const fn or(self, missing: &'static str) -> Self {
        Self { missing, ..self }
    }

    fn allows(&self, op: &str) -> bool {
        self.ops.split(' ').any(|allowed| allowed == op)
    }

    fn matches(&self, path: &[String]) -> bool {
        let mut own = self.path.split('/').skip(1);
        path.iter().all(|part| own.next().is_some_and(|own| own == "*" || own == part)) && own.next().is_none()
    }
}

/// How an error names what is possible: AWS has grown two ways.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Wording {
    /// With the list of paths.
    Listed,
    /// With the path alone.
    Plain,
}

/// Changes something by the rules of its kind.
pub(super) fn patched<T: Serialize + DeserializeOwned>(
    thing: &T,
    operations: &[PatchOperation],
    rules: &[Rule],
    wording: Wording,
) -> Result<T> {
    let mut value = serde_json::to_value(thing).map_err(Error::internal)?;
    for operation in operations {
        let path = operation.segments();
        let rule = find(rules, operation, &path, wording)?;
        change(&mut value, operation, rule, &path)?;
    }
    serde_json::from_value(value).map_err(|e| bad(format!("Invalid patch value specified: {e}")))
}

fn find<'a>(rules: &'a [Rule], operation: &PatchOperation, path: &[String], wording: Wording) -> Result<&'a Rule> {
    let (op, shown) = (operation.op(), operation.path.as_deref().unwrap_or("null"));
    let fitting = rules.iter().find(|rule| rule.matches(path));
    match (fitting, wording) {
        (Some(rule), _) if rule.allows(op) => Ok(rule),
        (Some(rule), Wording::Plain) => {
            let allowed: Vec<&str> = rule.ops.split(' ').collect();
            Err(bad(if allowed.len() == 1 {
                format!("Invalid patch operation specified. Must be one of: [{}]", allowed.join(", "))
            } else {
                let quoted: Vec<String> = allowed.iter().map(|op| format!("'{op}'")).collect();
                format!("Invalid patch operation specified. Must be {}", quoted.join("|"))
            }))
        }
        (None, Wording::Plain) => Err(bad(format!("Invalid patch path {shown}"))),
        (_, Wording::Listed) => {
            let open: Vec<&str> = rules.iter().filter(|rule| rule.allows(op)).map(|rule| rule.path).collect();
            let end = if open.is_empty() {
                "Please choose supported operations".to_owned()
            } else {
                format!("Must be one of: [{}]", open.join(", "))
            };
            Err(bad(format!("Invalid patch path  '{shown}' specified for op '{op}'. {end}")))
        }
    }
}

fn change(root: &mut Value, operation: &PatchOperation, rule: &Rule, path: &[String]) -> Result<()> {
    let Some((last, parents)) = path.split_last() else { return Ok(()) };
    let mut at = root;
    for part in parents {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = match at {
            Value::Object(members) => members.entry(part.clone()).or_insert(Value::Null),
            other => other,
        };
    }
    if rule.kind == Kind::Element {
        return change_element(at, operation, rule, last);
    }
    if at.is_null() {
        *at = Value::Object(Map::new());
    }
    let Some(members) = at.as_object_mut() else { return Err(bad(format!("Invalid patch path {}", operation.path()))) };
    let missing = !rule.missing.is_empty() && !members.contains_key(last);
    if operation.op() != "add" && missing {
        return Err(not_found(rule.missing));
    }
    let value = if operation.op() == "remove" { None } else { Some(read(rule.kind, operation)?) };
    match value {
        Some(value) if !value.is_null() => {
            members.insert(last.clone(), value);
        }
        _ => {
            members.shift_remove(last);
        }
    }
    Ok(())
}

/// A list whose elements are named by the path: `/binaryMediaTypes/image~1png`.
fn change_element(at: &mut Value, operation: &PatchOperation, rule: &Rule, name: &str) -> Result<()> {
    let mut list: Vec<String> =
        at.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let value = operation.value.clone().filter(|value| !value.is_empty());
    let place = list.iter().position(|element| element == name);
    let place = place.or_else(|| name.parse().ok().filter(|index| *index < list.len()));
    match operation.op() {
        "remove" => match place {
            Some(place) => {
                list.remove(place);
            }
            None if !rule.missing.is_empty() => return Err(not_found(rule.missing)),
            None => {}
        },
        "replace" => {
            if let Some(place) = place {
                list.remove(place);
            }
            list.push(value.unwrap_or_else(|| name.to_owned()));
        }
        _ => {
            // `/-` is no end of the list here, but an element: the list is addressed as an object.
            if place.is_none() {
                list.push(name.to_owned());
            }
        }
    }
    *at = json!(list);
    Ok(())
}

fn read(kind: Kind, operation: &PatchOperation) -> Result<Value> {
    let text = operation.value.as_deref();
    let invalid = || bad(format!("Invalid value specified for path {}: {}", operation.path(), text.unwrap_or("null")));
    Ok(match (kind, text) {
        (Kind::Bool, text) => Value::Bool(text.is_some_and(|text| text.eq_ignore_ascii_case("true"))),
        (_, None) | (Kind::Int | Kind::Float, Some("")) => Value::Null,
        (Kind::Int, Some(text)) => json!(text.parse::<i64>().map_err(|_| invalid())?),
        (Kind::Float, Some(text)) => json!(text.parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(invalid)?),
        (Kind::List, Some(text)) => json!(text.split(',').map(str::trim).collect::<Vec<_>>()),
        (Kind::Text | Kind::Element, Some(text)) => json!(text),
    })
}
