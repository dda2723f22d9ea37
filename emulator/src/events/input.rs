//! What a target gets of an event: all of it, a part, something fixed, or a template filled in.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bus::invalid;
use super::rule::{Rule, RuleTarget};
use crate::{Result, Timestamp};

/// What stands in a template for what EventBridge knows itself.
const RULE_ARN: &str = "aws.events.rule-arn";
const RULE_NAME: &str = "aws.events.rule-name";
const INGESTED: &str = "aws.events.event.ingestion-time";
const EVENT: &str = "aws.events.event";
const EVENT_JSON: &str = "aws.events.event.json";
const RESERVED: [&str; 5] = [RULE_ARN, RULE_NAME, INGESTED, EVENT, EVENT_JSON];

/// `InputTransformer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InputTransformer {
    #[serde(default, skip_serializing_if = "OrdMap::is_empty")]
    input_paths_map: OrdMap<String, String>,
    input_template: String,
}

impl InputTransformer {
    /// Refuses a template with a placeholder that nothing stands for.
    pub fn check(&self, target: &str) -> Result<()> {
        if let Some((_, path)) = self.input_paths_map.iter().find(|(_, path)| !is_path(path)) {
            return Err(invalid(format!("InputPathsMap for target {target} contains an invalid path {path}.")));
        }
        if let Some(name) = self.input_paths_map.keys().find(|name| name.starts_with("AWS")) {
            return Err(invalid(format!("InputPathsMap for target {target} contains the reserved key {name}.")));
        }
        let known = |name: &str| self.input_paths_map.contains_key(name) || RESERVED.contains(&name);
        let unknown = parts(&self.input_template).into_iter().find_map(|part| match part {
            Part::Placeholder(name) if !known(name) => Some(name),
            _ => None,
        });
        match unknown {
            Some(name) => {
                Err(invalid(format!("InputTemplate for target {target} contains invalid placeholder {name}.")))
            }
            None => Ok(()),
        }
    }

    /// The template filled in; `None` if that gives no JSON, and then the event is not delivered.
    fn fill(&self, rule: &Rule, event: &Value, now: Timestamp) -> Option<String> {
        let is_text = self.input_template.trim_start().starts_with('"');
        let mut filled = String::new();
        let mut quoted = false;
        for part in parts(&self.input_template) {
            match part {
                Part::Text(text) => {
                    quoted = ends_quoted(text, quoted);
                    filled.push_str(text);
                }
                Part::Placeholder(name) => {
                    let value = match self.input_paths_map.get(name) {
                        Some(path) => at_path(event, path).cloned(),
                        None => reserved(name, rule, event, now),
                    };
                    filled.push_str(&written(&value.unwrap_or(json!("")), quoted, is_text));
                }
            }
        }
        let mut values = serde_json::Deserializer::from_str(&filled).into_iter::<serde::de::IgnoredAny>();
        values.all(|value| value.is_ok()).then_some(filled)
    }
}

fn reserved(name: &str, rule: &Rule, event: &Value, now: Timestamp) -> Option<Value> {
    Some(match name {
        RULE_ARN => rule.arn().into(),
        RULE_NAME => rule.name.as_str().into(),
        INGESTED => now.to_iso_secs().into(),
        EVENT_JSON => event.clone(),
        // Without the detail, and with names that variables may have.
        EVENT => {
            let members = event.as_object()?.iter().filter(|(name, _)| *name != "detail");
            let renamed = |name: &String| if name == "detail-type" { "detailType".to_owned() } else { name.clone() };
            Value::Object(members.map(|(name, value)| (renamed(name), value.clone())).collect())
        }
        _ => return None,
    })
}

/// A value as it stands in a template. Within the quotes of a template that is a text, lists and objects lose theirs.
fn written(value: &Value, quoted: bool, is_text: bool) -> String {
    match value {
        Value::String(text) if quoted => {
            let escaped = Value::from(text.as_str()).to_string();
            escaped.get(1..escaped.len() - 1).unwrap_or_default().to_owned()
        }
        Value::Null if quoted => String::new(),
        Value::Array(_) | Value::Object(_) if quoted && is_text => value.to_string().replace('"', ""),
        value => value.to_string(),
    }
}

/// Whether a text that follows quotes that are open, or none, leaves them open.
fn ends_quoted(text: &str, mut quoted: bool) -> bool {
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted => {
                letters.next();
            }
            '"' => quoted = !quoted,
            _ => {}
        }
    }
    quoted
}

enum Part<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

/// The parts of a template. What stands between angle brackets and is no name is a text.
fn parts(template: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut rest, mut from) = (template, 0);
    while let Some(open) = rest.get(from..).and_then(|tail| tail.find('<')).map(|at| at + from) {
        let name = rest.get(open + 1..).and_then(|tail| tail.split_once('>')).map(|(name, _)| name);
        let is_name =
            |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        match name.filter(is_name) {
            Some(name) => {
                parts.push(Part::Text(rest.get(..open).unwrap_or_default()));
                parts.push(Part::Placeholder(name));
                rest = rest.get(open + name.len() + 2..).unwrap_or_default();
                from = 0;
            }
            None => from = open + 1,
        }
    }
    parts.push(Part::Text(rest));
    parts
}

/// What a target gets; `None` if its template gives no JSON.
pub(super) fn of(rule: &Rule, target: &RuleTarget, event: &Value, now: Timestamp) -> Option<String> {
    match (&target.input, &target.input_path, &target.input_transformer) {
        (Some(input), _, _) => Some(input.clone()),
        (_, Some(path), _) => Some(at_path(event, path).unwrap_or(&Value::Null).to_string()),
        (_, _, Some(transformer)) => transformer.fill(rule, event, now),
        _ => Some(event.to_string()),
    }
}

/// One step of a path.
enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

/// The steps of a path such as `$.detail.items[0].name` or `$['detail']`: the part of JSONPath that EventBridge takes.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, left) = after.split_at_checked(end)?;
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Member(name));
            rest = left;
        } else {
            let (inner, left) = rest.strip_prefix('[')?.split_once(']')?;
            let member = |quote| inner.strip_prefix(quote)?.strip_suffix(quote);
            steps.push(match member('\'').or_else(|| member('"')) {
                Some(name) => Step::Member(name),
                None => Step::Item(inner.parse().ok()?),
            });
            rest = left;
        }
    }
    Some(steps)
}

/// Whether a text is a path.
pub(super) fn is_path(path: &str) -> bool {
    steps(path).is_some()
}

/// What is at a path.
pub(super) fn at_path<'a>(event: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path)?.into_iter().try_fold(event, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::Item(index) => value.get(index),
    })
}
