//! The targets of rules.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html>

use serde::{Deserialize, Serialize};

use super::bus::{Buses, existing, invalid};
use super::input;
use super::lists::{self, Page};
use super::rule::{Rule, RuleTarget, find, key, on};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result};

/// A rule has at most this many targets.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
const MAX_TARGETS: usize = 5;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Buses>) -> Service<Buses> {
    service
        .op("PutTargets", |at, i: &PutTargets| on(at, i.event_bus_name.as_deref(), &i.rule), put)
        .op("RemoveTargets", |at, i: &RemoveTargets| on(at, i.event_bus_name.as_deref(), &i.rule), remove)
        .op("ListTargetsByRule", |at, i: &ListTargets| on(at, i.event_bus_name.as_deref(), &i.rule), list)
        .op("ListRuleNamesByTarget", |_, _: &ListRules| Target::any(), list_rules)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutTargets {
    rule: String,
    event_bus_name: Option<String>,
    targets: Vec<RuleTarget>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    target_id: String,
    error_code: String,
    error_message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    failed_entry_count: usize,
    failed_entries: Vec<Failed>,
}

fn put(cx: &mut Cx<Buses>, input: PutTargets) -> Result<Outcome> {
    let rule = find(cx, input.event_bus_name.as_deref(), &input.rule)?;
    for target in &input.targets {
        check(target)?;
    }
    let mut targets = rule.targets.clone();
    for target in input.targets {
        targets.insert(target.id.clone(), target);
    }
    if targets.len() > MAX_TARGETS {
        let message = "The requested resource exceeds the maximum number allowed.";
        return Err(Error::client("LimitExceededException", message));
    }
    rule.targets = targets;
    Ok(Outcome { failed_entry_count: 0, failed_entries: Vec::new() })
}

fn check(target: &RuleTarget) -> Result<()> {
    let RuleTarget { id, arn, .. } = target;
    let inputs = [target.input.is_some(), target.input_path.is_some(), target.input_transformer.is_some()];
    if inputs.iter().filter(|given| **given).count() > 1 {
        return Err(invalid(format!(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
        )));
    }
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, service, _, _, resource] = parts.as_slice() else {
        let reason = "Provided Arn is not in correct format.";
        return Err(invalid(format!("Parameter {arn} is not valid. Reason: {reason}")));
    };
    match (*service, *resource) {
        ("lambda" | "sns" | "logs", _) => {}
        ("sqs", queue) if queue.ends_with(".fifo") => {
            let group = target.sqs_parameters.as_ref().and_then(|parameters| parameters.message_group_id.as_ref());
            if group.is_none() {
                return Err(invalid(format!("Parameter(s) SqsParameters must be specified for target: {id}.")));
            }
        }
        ("sqs", _) => {}
        ("kinesis", _) if target.role_arn.is_none() => {
            return Err(invalid(format!("RoleArn is required for target {id}.")));
        }
        ("kinesis", _) => {}
        ("events", resource) if resource.starts_with("event-bus/") => {}
        _ => return Err(Error::not_implemented(format!("{service} as the target of a rule ({arn})"))),
    }
    if let Some(text) = &target.input
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err()
    {
        return Err(invalid(format!("JSON syntax error in input for target {id}")));
    }
    if let Some(path) = &target.input_path
        && !input::is_path(path)
    {
        return Err(invalid(format!("InputPath for target {id} is invalid.")));
    }
    if let Some(transformer) = &target.input_transformer {
        transformer.check(id)?;
    }
    let dead_letters = target.dead_letter_config.as_ref().and_then(|config| config.arn.as_deref());
    match dead_letters {
        Some(queue) if queue.split(':').nth(2) != Some("sqs") => {
            Err(invalid(format!("Parameter DeadLetterConfig.Arn is not valid for target {id}.")))
        }
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemoveTargets {
    rule: String,
    event_bus_name: Option<String>,
    ids: Vec<String>,
    /// Of managed rules, which there are none of.
    #[serde(rename = "Force")]
    _force: Option<bool>,
}

fn remove(cx: &mut Cx<Buses>, input: RemoveTargets) -> Result<Outcome> {
    let rule = find(cx, input.event_bus_name.as_deref(), &input.rule)?;
    let mut failed_entries = Vec::new();
    for id in input.ids {
        if rule.targets.remove(&id).is_none() {
            failed_entries.push(Failed {
                error_code: "ResourceNotFoundException".to_owned(),
                error_message: format!("Rule {} does not have a target with the Id {id}.", rule.name),
                target_id: id,
            });
        }
    }
    Ok(Outcome { failed_entry_count: failed_entries.len(), failed_entries })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTargets {
    rule: String,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Targets {
    targets: Vec<RuleTarget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list(cx: &mut Cx<Buses>, input: ListTargets) -> Result<Targets> {
    let rule = find(cx, input.event_bus_name.as_deref(), &input.rule)?;
    let Page { items, next_token } =
        lists::page(&rule.targets, "", input.next_token.as_deref(), input.limit, |_| true)?;
    Ok(Targets { targets: items.into_iter().map(|(_, target)| target.clone()).collect(), next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRules {
    target_arn: String,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RuleNames {
    rule_names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list_rules(cx: &mut Cx<Buses>, input: ListRules) -> Result<RuleNames> {
    let bus = existing(cx, input.event_bus_name.as_deref())?;
    let has = |rule: &Rule| rule.targets.values().any(|target| target.arn == input.target_arn);
    let Page { items, next_token } =
        lists::page(&cx.state.rules, &key(&bus, ""), input.next_token.as_deref(), input.limit, has)?;
    Ok(RuleNames { rule_names: items.into_iter().map(|(_, rule)| rule.name.clone()).collect(), next_token })
}
