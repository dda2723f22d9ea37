//! What an event bus is, and how it is found.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::deliver::Delivery;
use super::rule::Rule;
use crate::cloud::{At, Cx, Scope, Target};
use crate::{Error, Result, Timestamp};

/// The bus that every account has in every region.
pub(super) const DEFAULT: &str = "default";

/// The buses of all accounts and regions, and their rules.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Buses {
    /// By ARN; a default bus only if something was set on it.
    pub(super) buses: OrdMap<String, Bus>,
    /// By the bus's ARN and the rule's name, joined by a bar.
    pub(super) rules: OrdMap<String, Rule>,
    /// Deliveries that failed and are tried again, by their ids.
    pub(super) waiting: OrdMap<String, Delivery>,
}

/// An event bus.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Bus {
    pub description: Option<String>,
    pub policy: Option<Arc<str>>,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub tags: OrdMap<String, String>,
}

/// The ARN of a bus by its name or ARN; of the default one if there is none.
pub(super) fn arn_of(scope: &Scope, name: Option<&str>) -> String {
    match name {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        name => scope.arn("events", format_args!("event-bus/{}", name.unwrap_or(DEFAULT))),
    }
}

/// The name of a bus by its ARN.
pub(super) fn name_of(arn: &str) -> &str {
    arn.split_once(":event-bus/").map_or(arn, |(_, name)| name)
}

/// The bus of an ARN. A default bus is always there.
pub(super) fn get(state: &Buses, arn: &str) -> Option<Bus> {
    state.buses.get(arn).cloned().or_else(|| (name_of(arn) == DEFAULT).then(Bus::default))
}

/// The ARN of a bus that is there.
pub(super) fn existing(cx: &Cx<Buses>, name: Option<&str>) -> Result<String> {
    let arn = arn_of(cx.scope, name);
    match get(cx.state, &arn) {
        Some(_) => Ok(arn),
        None => Err(missing(&arn)),
    }
}

/// The bus of an ARN, to change it.
pub(super) fn change<'a>(cx: &'a mut Cx<Buses>, arn: &str) -> Result<&'a mut Bus> {
    if get(cx.state, arn).is_none() {
        return Err(missing(arn));
    }
    let bus = cx.state.buses.entry(arn.to_owned()).or_default();
    bus.modified = cx.now;
    Ok(bus)
}

pub(super) fn missing(arn: &str) -> Error {
    not_found(format!("Event bus {} does not exist.", name_of(arn)))
}

pub(super) fn not_found(message: String) -> Error {
    Error::client("ResourceNotFoundException", message)
}

/// What is wrong with an input beyond what the model says.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::client("ValidationException", message)
}

/// An operation on a bus, which its policy may allow to others.
pub(super) fn on(at: &At<Buses>, name: Option<&str>) -> Target {
    target(at.state, at.scope, arn_of(at.scope, name))
}

/// The bus of an ARN, for who calls in an account. Services put events on its own buses without leave, on others' with it.
pub(super) fn target(state: &Buses, scope: &Scope, arn: String) -> Target {
    let policy = state.buses.get(&arn).and_then(|bus| bus.policy.clone());
    let owner = Scope::of_arn(&arn).account;
    let is_own = owner == scope.account;
    let target = Target::on(arn).policy(policy).owner(&*owner);
    if is_own { target.open_to_services() } else { target }
}
