//! Rules: put, told, enabled and disabled, deleted; and the test of a pattern.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bus::{Buses, DEFAULT, existing, invalid, name_of};
use super::lists::{self, Page};
use super::rule::{self, Rule, find, key, on};
use super::schedule;
use super::tags::{self, Tag};
use crate::cloud::{Cx, Scope, Service, Target};
use crate::event_pattern::EventPattern;
use crate::scheduler::expression::Expression;
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Buses>) -> Service<Buses> {
    service
        .op("PutRule", |at, i: &PutRule| on(at, i.event_bus_name.as_deref(), &i.name), put)
        .op("DescribeRule", |at, i: &Named| on(at, i.event_bus_name.as_deref(), &i.name), describe)
        .op("EnableRule", |at, i: &Named| on(at, i.event_bus_name.as_deref(), &i.name), enable)
        .op("DisableRule", |at, i: &Named| on(at, i.event_bus_name.as_deref(), &i.name), disable)
        .op("DeleteRule", |at, i: &Delete| on(at, i.event_bus_name.as_deref(), &i.name), delete)
        .op("ListRules", |_, _: &List| Target::any(), list)
        .op("TestEventPattern", |_, _: &TestPattern| Target::any(), test)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRule {
    name: String,
    event_bus_name: Option<String>,
    event_pattern: Option<String>,
    schedule_expression: Option<String>,
    state: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RuleArn {
    rule_arn: String,
}

fn put(cx: &mut Cx<Buses>, input: PutRule) -> Result<RuleArn> {
    let bus = existing(cx, input.event_bus_name.as_deref())?;
    let pattern = input.event_pattern.filter(|text| !text.is_empty());
    let schedule = input.schedule_expression.filter(|text| !text.is_empty());
    if pattern.is_none() && schedule.is_none() {
        return Err(invalid("Parameter(s) EventPattern or ScheduleExpression must be specified."));
    }
    if let Some(pattern) = &pattern {
        parse(pattern)?;
    }
    if let Some(schedule) = &schedule {
        if name_of(&bus) != DEFAULT {
            return Err(invalid("ScheduleExpression is supported only on the default event bus."));
        }
        Expression::parse_rule(schedule)?;
    }
    let state = input.state.unwrap_or_else(|| "ENABLED".to_owned());
    if state.starts_with("ENABLED_WITH") {
        return Err(Error::not_implemented(format!("rules in the state {state}: there is no CloudTrail")));
    }
    let key = key(&bus, &input.name);
    let there = cx.state.rules.get(&key);
    let put = Rule {
        name: input.name,
        bus,
        pattern,
        schedule,
        state,
        description: input.description,
        role: input.role_arn,
        // A rule that is there keeps its tags and targets.
        tags: there.map_or_else(|| tags::read(input.tags), |rule| rule.tags.clone()),
        targets: there.map_or_else(OrdMap::new, |rule| rule.targets.clone()),
        since: cx.now,
    };
    schedule::plan(cx, &key, &put, None);
    let rule_arn = put.arn();
    cx.state.rules.insert(key, put);
    Ok(RuleArn { rule_arn })
}

fn parse(pattern: &str) -> Result<EventPattern> {
    EventPattern::parse(pattern).map_err(|error| {
        Error::client("InvalidEventPatternException", format!("Event pattern is not valid. Reason: {error}"))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
    event_bus_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    name: String,
    arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_expression: Option<String>,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    event_bus_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
}

fn told(rule: &Rule) -> Told {
    Told {
        name: rule.name.clone(),
        arn: rule.arn(),
        event_pattern: rule.pattern.clone(),
        schedule_expression: rule.schedule.clone(),
        state: rule.state.clone(),
        description: rule.description.clone(),
        role_arn: rule.role.clone(),
        event_bus_name: name_of(&rule.bus).to_owned(),
        created_by: None,
    }
}

fn describe(cx: &mut Cx<Buses>, input: Named) -> Result<Told> {
    let rule = find(cx, input.event_bus_name.as_deref(), &input.name)?;
    let created_by = Some(Scope::of_arn(&rule.bus).account.to_string());
    Ok(Told { created_by, ..told(rule) })
}

fn enable(cx: &mut Cx<Buses>, input: Named) -> Result<()> {
    set_state(cx, &input, "ENABLED")
}

fn disable(cx: &mut Cx<Buses>, input: Named) -> Result<()> {
    set_state(cx, &input, "DISABLED")
}

fn set_state(cx: &mut Cx<Buses>, input: &Named, state: &str) -> Result<()> {
    let now = cx.now;
    let rule = find(cx, input.event_bus_name.as_deref(), &input.name)?;
    if rule.state == state {
        return Ok(());
    }
    state.clone_into(&mut rule.state);
    rule.since = now;
    let rule = rule.clone();
    schedule::plan(cx, &key(&rule.bus, &rule.name), &rule, None);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    name: String,
    event_bus_name: Option<String>,
    /// Of managed rules, which there are none of.
    #[serde(rename = "Force")]
    _force: Option<bool>,
}

/// Deletes a rule that has no targets. One that is not there counts as deleted.
fn delete(cx: &mut Cx<Buses>, input: Delete) -> Result<()> {
    let bus = existing(cx, input.event_bus_name.as_deref())?;
    let key = key(&bus, &input.name);
    if cx.state.rules.get(&key).is_some_and(|rule| !rule.targets.is_empty()) {
        return Err(invalid("Rule can't be deleted since it has targets."));
    }
    cx.state.rules.remove(&key);
    cx.cancel_timer(schedule::FIRE, key);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    name_prefix: Option<String>,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    rules: Vec<Told>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list(cx: &mut Cx<Buses>, input: List) -> Result<Listed> {
    let bus = existing(cx, input.event_bus_name.as_deref())?;
    let prefix = rule::key(&bus, input.name_prefix.as_deref().unwrap_or_default());
    let Page { items, next_token } =
        lists::page(&cx.state.rules, &prefix, input.next_token.as_deref(), input.limit, |_| true)?;
    Ok(Listed { rules: items.into_iter().map(|(_, rule)| told(rule)).collect(), next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TestPattern {
    event_pattern: String,
    event: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tested {
    result: bool,
}

/// What an event must have to be one.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html>
const REQUIRED: [&str; 7] = ["id", "account", "source", "time", "region", "resources", "detail-type"];

fn test(_: &mut Cx<Buses>, input: TestPattern) -> Result<Tested> {
    let pattern = parse(&input.event_pattern)?;
    let event: Value = serde_json::from_str(&input.event).map_err(|_| invalid("Parameter Event is not valid."))?;
    if !event.is_object() {
        return Err(invalid("Parameter Event is not valid."));
    }
    if let Some(missing) = REQUIRED.iter().find(|name| event.get(**name).is_none()) {
        return Err(invalid(format!("Parameter Event is not valid. Reason: {missing} is a required argument.")));
    }
    Ok(Tested { result: pattern.matches(&event) })
}
