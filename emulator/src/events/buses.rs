//! Event buses: made, told, deleted.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::bus::{self, Buses, DEFAULT, arn_of, get, invalid, missing, name_of};
use super::lists::{self, Page};
use super::rule;
use super::tags::{self, Tag};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Buses>) -> Service<Buses> {
    service
        .op("CreateEventBus", |at, i: &CreateBus| Target::on(arn_of(at.scope, Some(&i.name))), create)
        .op("UpdateEventBus", |at, i: &UpdateBus| Target::on(arn_of(at.scope, i.name.as_deref())), update)
        .op("DescribeEventBus", |at, i: &Named| bus::on(at, i.name.as_deref()), describe)
        .op("DeleteEventBus", |at, i: &Named| bus::on(at, i.name.as_deref()), delete)
        .op("ListEventBuses", |_, _: &List| Target::any(), list)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateBus {
    name: String,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    event_bus_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

fn create(cx: &mut Cx<Buses>, input: CreateBus) -> Result<Created> {
    if input.name.contains('/') {
        return Err(invalid("Event bus name must not contain '/'."));
    }
    let arn = arn_of(cx.scope, Some(&input.name));
    if get(cx.state, &arn).is_some() {
        let message = format!("Event bus {} already exists.", input.name);
        return Err(Error::client("ResourceAlreadyExistsException", message));
    }
    let made = bus::Bus {
        description: input.description.clone(),
        policy: None,
        created: cx.now,
        modified: cx.now,
        tags: tags::read(input.tags),
    };
    cx.state.buses.insert(arn.clone(), made);
    Ok(Created { event_bus_arn: arn, description: input.description })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateBus {
    name: Option<String>,
    description: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Updated {
    arn: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

fn update(cx: &mut Cx<Buses>, input: UpdateBus) -> Result<Updated> {
    let arn = arn_of(cx.scope, input.name.as_deref());
    bus::change(cx, &arn)?.description.clone_from(&input.description);
    Ok(Updated { name: name_of(&arn).to_owned(), arn, description: input.description })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    name: String,
    arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Arc<str>>,
    creation_time: Timestamp,
    last_modified_time: Timestamp,
}

fn told(arn: &str, bus: bus::Bus) -> Told {
    Told {
        name: name_of(arn).to_owned(),
        arn: arn.to_owned(),
        description: bus.description,
        policy: bus.policy,
        creation_time: bus.created,
        last_modified_time: bus.modified,
    }
}

fn describe(cx: &mut Cx<Buses>, input: Named) -> Result<Told> {
    let arn = arn_of(cx.scope, input.name.as_deref());
    get(cx.state, &arn).map(|bus| told(&arn, bus)).ok_or_else(|| missing(&arn))
}

/// Deletes a bus that has no rules. One that is not there counts as deleted.
fn delete(cx: &mut Cx<Buses>, input: Named) -> Result<()> {
    let arn = arn_of(cx.scope, input.name.as_deref());
    if name_of(&arn) == DEFAULT {
        return Err(invalid("Cannot delete event bus default."));
    }
    if rule::of_bus(cx.state, &arn).next().is_some() {
        return Err(invalid("Event bus can't be deleted since it has rules."));
    }
    cx.state.buses.remove(&arn);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    name_prefix: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    event_buses: Vec<Told>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list(cx: &mut Cx<Buses>, input: List) -> Result<Listed> {
    let default = arn_of(cx.scope, None);
    let mut all = cx.state.buses.clone();
    all.entry(default).or_default();
    let prefix = arn_of(cx.scope, Some(input.name_prefix.as_deref().unwrap_or_default()));
    let Page { items, next_token } = lists::page(&all, &prefix, input.next_token.as_deref(), input.limit, |_| true)?;
    let event_buses = items.into_iter().map(|(arn, bus)| told(arn, bus.clone())).collect();
    Ok(Listed { event_buses, next_token })
}
