//! Composite alarms: `PutCompositeAlarm`, and what becomes of them when the alarms change that they are made of.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html>

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::alarm::{Alarm, State};
use super::history::{self, Item};
use super::put::{Put, check_actions};
use super::reason::moment;
use super::rule::Rule;
use super::watch::{fresh, transition};
use super::{arn, on};
use crate::Result;
use crate::cloud::{Cx, Scope, Service};
use crate::cloudwatch::tags::check_count;
use crate::cloudwatch::{Empty, Metrics, validation};

/// Alarms may refer to one another in a circle and never come to rest: so many are looked at after one change. The number is ours.
const MAX_EVALUATIONS: usize = 1_000;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Metrics>) -> Service<Metrics> {
    service.op("PutCompositeAlarm", |at, i: &Put| on(at, &i.settings.alarm_name), put)
}

fn put(cx: &mut Cx<Metrics>, input: Put) -> Result<Empty> {
    let Put { settings, tags } = input;
    let rule = Rule::parse(settings.alarm_rule.as_deref().unwrap_or_default())?;
    check_count(tags.len())?;
    check_actions(&settings)?;
    let missing: Vec<&str> = rule.children().into_iter().filter(|name| !cx.state.alarms.contains_key(*name)).collect();
    if !missing.is_empty() {
        return Err(validation(format!(
            "Could not save the composite alarm as alarms [{}] in the alarm rule do not exist",
            missing.join(", ")
        )));
    }
    let (now, name) = (cx.now, settings.alarm_name.clone());
    let old = cx.state.alarms.get(&name).cloned();
    if old.as_ref().is_some_and(|old| !old.settings.is_composite()) {
        return Err(validation(format!("There is a metric alarm with the name {name}")));
    }
    let (verb, kind) = if old.is_some() { ("updated", "Update") } else { ("created", "Create") };
    if let Some(old) = &old {
        forget(cx.state, old);
    }
    let mut alarm = old.unwrap_or_else(|| {
        // Tags count only when an alarm is made.
        let tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        Alarm { tags, ..fresh(settings.clone(), now) }
    });
    (alarm.settings, alarm.configured) = (settings.clone(), now);
    cx.state.alarms.insert(name.clone(), alarm);
    cx.state.parents.extend(rule.children().into_iter().map(|child| (child.to_owned(), name.clone())));
    let data = json!({ "version": "1.0", "type": kind, "alarmArn": arn(cx.scope, &name), "updatedAlarm": settings });
    history::add(cx, Item::new(&name, "ConfigurationUpdate", format!("Alarm \"{name}\" {verb}"), data, now));
    let state = evaluate(cx.state, &rule);
    let reason = format!("{} was {verb} and its alarm rule evaluates to {}", arn(cx.scope, &name), state.name());
    let children: Vec<&str> = rule.children().into_iter().collect();
    let data = data_of(cx.state, cx.scope, &children);
    if transition(cx, &name, state, reason, Some(data))? {
        propagate(cx, &name)?;
    }
    Ok(Empty {})
}

/// The alarms that an alarm refers to need not tell it any more.
pub(super) fn forget(state: &mut Metrics, alarm: &Alarm) {
    let Some(Ok(rule)) = alarm.settings.alarm_rule.as_deref().map(Rule::parse) else { return };
    for child in rule.children() {
        state.parents.remove(&(child.to_owned(), alarm.settings.alarm_name.clone()));
    }
}

/// The composite alarms that refer to an alarm.
pub(super) fn parents<'a>(state: &'a Metrics, child: &'a str) -> impl Iterator<Item = &'a String> {
    let from = (child.to_owned(), String::new());
    state.parents.range(from..).take_while(move |(of, _)| of == child).map(|(_, parent)| parent)
}

fn evaluate(state: &Metrics, rule: &Rule) -> State {
    let holds = rule.holds(&|name| state.alarms.get(name).map(|alarm| alarm.state));
    if holds { State::Alarm } else { State::Ok }
}

/// An alarm has changed its state: those that refer to it are looked at, and then those that refer to these.
pub(super) fn propagate(cx: &mut Cx<Metrics>, changed: &str) -> Result<()> {
    let mut changed = VecDeque::from([changed.to_owned()]);
    let mut left = MAX_EVALUATIONS;
    while let Some(child) = changed.pop_front() {
        let parents: Vec<String> = parents(cx.state, &child).cloned().collect();
        for parent in parents {
            if left == 0 {
                tracing::warn!(alarm = parent, "composite alarms that refer to one another do not come to rest");
                return Ok(());
            }
            left -= 1;
            if look(cx, &parent, &child)? {
                changed.push_back(parent);
            }
        }
    }
    Ok(())
}

/// Looks at a composite alarm because of one that it refers to; whether its state is another now.
fn look(cx: &mut Cx<Metrics>, name: &str, child: &str) -> Result<bool> {
    let Some(alarm) = cx.state.alarms.get(name) else { return Ok(false) };
    let Some(rule) = alarm.settings.alarm_rule.as_deref() else { return Ok(false) };
    let state = evaluate(cx.state, &Rule::parse(rule)?);
    let (Some(cause), false) = (cx.state.alarms.get(child), state == alarm.state) else { return Ok(false) };
    let date = cause.transitioned.to_jiff().strftime("%A %d %B, %Y %H:%M:%S UTC");
    let reason = format!("{} transitioned to {} at {date}", arn(cx.scope, child), cause.state.name());
    let data = data_of(cx.state, cx.scope, &[child]);
    transition(cx, name, state, reason, Some(data))
}

/// `StateReasonData`: the alarms that brought a state about.
fn data_of(state: &Metrics, scope: &Scope, children: &[&str]) -> String {
    let triggering = children.iter().filter_map(|name| {
        let alarm = state.alarms.get(*name)?;
        let timestamp = moment(alarm.transitioned);
        Some(json!({ "arn": arn(scope, name), "state": { "value": alarm.state, "timestamp": timestamp } }))
    });
    json!({ "triggeringAlarms": triggering.collect::<Vec<_>>() }).to_string()
}

/// The same as messages to topics have it.
pub(super) fn triggering_children(alarm: &Alarm) -> Value {
    let data = alarm.reason_data.as_deref().and_then(|data| serde_json::from_str::<Value>(data).ok());
    let children = data.as_ref().and_then(|data| data["triggeringAlarms"].as_array()).into_iter().flatten();
    let child = |child: &Value| {
        let state = &child["state"];
        json!({ "Arn": child["arn"], "State": { "Value": state["value"], "Timestamp": state["timestamp"] } })
    };
    children.map(child).collect()
}
