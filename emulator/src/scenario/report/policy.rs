//! The least-privilege policy of a role, from the calls that it made, and its difference from what is declared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Record;
use crate::scenario::pattern::glob;

/// The action of a grant and the ARN that it is for.
type Grant = (String, String);

/// The roles that made calls, in order of their names.
pub fn roles(records: &[Record]) -> Vec<String> {
    records.iter().filter_map(|record| record.role.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What the role was allowed and did.
fn used(records: &[Record], role: &str) -> BTreeSet<Grant> {
    let of_role = records.iter().filter(|record| record.role.as_deref() == Some(role) && !record.is_denied());
    of_role
        .filter_map(|record| Some((record.action.clone()?, record.arn.clone().unwrap_or_else(|| "*".to_owned()))))
        .collect()
}

/// A policy that allows what the role did in this run and nothing else. Denied calls are not in it.
pub fn least_privilege(records: &[Record], role: &str) -> Value {
    let mut arns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (action, arn) in used(records, role) {
        arns.entry(action).or_default().insert(arn);
    }
    // Actions on the same resources share a statement.
    let mut statements: BTreeMap<BTreeSet<String>, BTreeSet<String>> = BTreeMap::new();
    for (action, arns) in arns {
        statements.entry(arns).or_default().insert(action);
    }
    let statement = |(arns, actions): (BTreeSet<String>, BTreeSet<String>)| json!({"Effect": "Allow", "Action": actions, "Resource": arns});
    let mut statements: Vec<Value> = statements.into_iter().map(statement).collect();
    statements.sort_by_key(|statement| statement["Action"].to_string());
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// How what is declared differs from what was used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyDifference {
    /// Declared and not used in this run: `s3:DeleteObject on arn:…`.
    pub unused: Vec<String>,
    /// Declared with wildcards, of which this run needed less.
    pub wide: Vec<String>,
    /// Tried and denied.
    pub denied: Vec<String>,
}

/// Compares the Allow statements of declared policies with the calls of a role.
///
/// Conditions, Deny, NotAction and NotResource are left to the evaluation of IAM: they are not grants.
pub fn difference(records: &[Record], role: &str, declared: &[Value]) -> PolicyDifference {
    let used = used(records, role);
    let mut difference = PolicyDifference::default();
    for (action, resource) in declared.iter().flat_map(grants).collect::<BTreeSet<_>>() {
        let covered: Vec<&Grant> = used.iter().filter(|(used, arn)| covers(&action, used, &resource, arn)).collect();
        let grant = format!("{action} on {resource}");
        if covered.is_empty() {
            difference.unused.push(grant);
        } else if action.contains('*') || (resource.contains('*') && !covered.iter().any(|(_, arn)| *arn == resource)) {
            let needed: BTreeSet<String> = covered.iter().map(|(action, arn)| format!("{action} on {arn}")).collect();
            difference
                .wide
                .push(format!("{grant}, of which was used: {}", needed.into_iter().collect::<Vec<_>>().join(", ")));
        }
    }
    let denied = records.iter().filter(|record| record.role.as_deref() == Some(role) && record.is_denied());
    let denied: BTreeSet<String> = denied
        .filter_map(|record| Some(format!("{} on {}", record.action.as_ref()?, record.arn.as_deref().unwrap_or("*"))))
        .collect();
    difference.denied = denied.into_iter().collect();
    difference
}

/// Actions are compared without regard to case, as IAM does; resources with it.
fn covers(action: &str, used: &str, resource: &str, arn: &str) -> bool {
    glob(&action.to_lowercase(), &used.to_lowercase()) && glob(resource, arn)
}

fn grants(policy: &Value) -> Vec<Grant> {
    let statements = one_or_many(policy.get("Statement"));
    let allowed = statements.into_iter().filter(|statement| statement.get("Effect") == Some(&json!("Allow")));
    let pairs = allowed.flat_map(|statement| {
        let resources = texts(statement.get("Resource"));
        let pair = move |action: String| resources.clone().into_iter().map(move |resource| (action.clone(), resource));
        texts(statement.get("Action")).into_iter().flat_map(pair)
    });
    pairs.collect()
}

fn one_or_many(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    one_or_many(value).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The policy and the difference of each role, as text. `declared` gives a role's policy documents.
pub fn policies(records: &[Record], declared: &BTreeMap<String, Vec<Value>>) -> String {
    let mut out = String::new();
    for role in roles(records) {
        let policy = least_privilege(records, &role);
        out += &format!("role {role}: the least that this run needed\n{policy:#}\n");
        let Some(documents) = declared.get(&role) else { continue };
        let difference = difference(records, &role, documents);
        for (title, lines) in [
            ("declared, not used", &difference.unused),
            ("wider than used", &difference.wide),
            ("denied", &difference.denied),
        ] {
            if !lines.is_empty() {
                out += &format!("{title}:\n{}", lines.iter().map(|line| format!("  {line}\n")).collect::<String>());
            }
        }
    }
    out
}
