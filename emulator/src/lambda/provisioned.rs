//! Provisioned concurrency: environments that are to be ready before anybody calls. An environment is started here when it is
//! needed, and costs nothing; what is kept is what clients ask for, and what the function's code is told of it.
//! <https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::configuration::last_modified;
use super::functions::{Function, ListOfFunction, bare_name, find_mut, invalid, reachable};
use super::qualifier::{LATEST, absent, not_found};
use super::versions::PAGE;
use super::{Functions, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// How long it takes until the environments are ready: at AWS a minute or two.
const PREPARATION: Duration = Duration::from_secs(1);

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .op("PutProvisionedConcurrencyConfig", |at, i: &Put| on(at, &i.function_name), put)
        .op("GetProvisionedConcurrencyConfig", |at, i: &Of| on(at, &i.function_name), get)
        .op("DeleteProvisionedConcurrencyConfig", |at, i: &Of| on(at, &i.function_name), delete)
        .op("ListProvisionedConcurrencyConfigs", |at, i: &ListOfFunction| on(at, &i.function_name), list)
}

/// What was asked for a version or an alias.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Provisioned {
    requested: u32,
    modified: Timestamp,
}

impl Provisioned {
    /// How many environments are there.
    pub fn ready(&self, now: Timestamp) -> u32 {
        if now >= self.modified + PREPARATION { self.requested } else { 0 }
    }

    fn shown(&self, now: Timestamp) -> Shown {
        let there = self.ready(now);
        let status = if there == 0 { "IN_PROGRESS" } else { "READY" };
        Shown {
            function_arn: None,
            requested_provisioned_concurrent_executions: self.requested,
            available_provisioned_concurrent_executions: there,
            allocated_provisioned_concurrent_executions: there,
            status,
            last_modified: last_modified(self.modified),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    function_arn: Option<String>,
    requested_provisioned_concurrent_executions: u32,
    available_provisioned_concurrent_executions: u32,
    allocated_provisioned_concurrent_executions: u32,
    status: &'static str,
    last_modified: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    function_name: String,
    qualifier: String,
    provisioned_concurrent_executions: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Of {
    function_name: String,
    qualifier: String,
}

/// The function that has such a version or alias.
fn find<'a>(cx: &'a mut Cx<Functions>, name: &str, place: &str) -> Result<&'a mut Function> {
    let arn = cx.scope.arn("lambda", format_args!("function:{}:{place}", reachable(cx.scope, name)?));
    let is_version = place.bytes().all(|byte| byte.is_ascii_digit());
    let missing = if is_version { not_found(&arn) } else { absent(format!("Cannot find alias arn: {arn}")) };
    cx.state.functions.get_mut(bare_name(name)).filter(|function| function.has(place)).ok_or(missing)
}

fn put(cx: &mut Cx<Functions>, input: Put) -> Result<Shown> {
    let Put { function_name, qualifier, provisioned_concurrent_executions: requested } = input;
    if qualifier == LATEST {
        return Err(invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions."));
    }
    let (now, free) = (cx.now, cx.state.unreserved_without(bare_name(&function_name)));
    let function = find(cx, &function_name, &qualifier)?;
    check_conflicts(function, &qualifier)?;
    let others = function.provisioned_in_all() - function.provisioned.get(&qualifier).map_or(0, |old| old.requested);
    check_limits(requested, function.reserved.map(|reserved| reserved.saturating_sub(others)), free)?;
    let config = Provisioned { requested, modified: now };
    let shown = config.shown(now);
    function.provisioned.insert(qualifier, config);
    cx.answer_status(202);
    Ok(shown)
}

/// A version and an alias that points to it cannot both have some.
fn check_conflicts(function: &Function, place: &str) -> Result<()> {
    let text = match function.aliases.get(place) {
        Some(alias) if function.provisioned.keys().any(|version| version != place && alias.uses(version)) => {
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
        }
        Some(_) => return Ok(()),
        None => {
            let is_used = |(name, alias): (&String, &super::aliases::Alias)| {
                alias.uses(place) && function.provisioned.contains_key(name)
            };
            if !function.aliases.iter().any(is_used) {
                return Ok(());
            }
            "Version is pointed by a Provisioned Concurrency alias"
        }
    };
    Err(Error::new(409, "ResourceConflictException", text).with("Type", "User"))
}

/// `reserved` and `free` are what others have left of each.
fn check_limits(requested: u32, reserved: Option<u32>, free: u32) -> Result<()> {
    // Recordings have no `Type` where the account's limit is reached.
    let refused = |text: String| {
        let error = Error::client("InvalidParameterValueException", text);
        Err(if reserved.is_none() { error.with("Type", serde_json::Value::Null) } else { error })
    };
    match reserved {
        Some(reserved) if requested > reserved => refused(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
                .to_owned(),
        ),
        Some(_) => Ok(()),
        None if requested > free => refused(format!(
            "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{free}]."
        )),
        None if requested > free.saturating_sub(super::concurrency::UNRESERVED_MINIMUM) => refused(format!(
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum \
             value of [{}].",
            super::concurrency::UNRESERVED_MINIMUM
        )),
        None => Ok(()),
    }
}

/// What both reading and deleting refuse.
fn published<'a>(cx: &'a mut Cx<Functions>, input: &Of) -> Result<&'a mut Function> {
    if input.qualifier == LATEST {
        return Err(invalid("The function resource provided must be an alias or a published version."));
    }
    find(cx, &input.function_name, &input.qualifier)
}

fn get(cx: &mut Cx<Functions>, input: Of) -> Result<Shown> {
    let now = cx.now;
    let config = published(cx, &input)?.provisioned.get(&input.qualifier);
    config.map(|config| config.shown(now)).ok_or_else(|| {
        let text = "No Provisioned Concurrency Config found for this function";
        Error::new(404, "ProvisionedConcurrencyConfigNotFoundException", text).with("Type", "User")
    })
}

fn delete(cx: &mut Cx<Functions>, input: Of) -> Result<()> {
    published(cx, &input)?.provisioned.remove(&input.qualifier);
    cx.answer_status(204);
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Configs {
    provisioned_concurrency_configs: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

fn list(cx: &mut Cx<Functions>, input: ListOfFunction) -> Result<Configs> {
    let now = cx.now;
    let function = find_mut(cx, &input.function_name)?;
    let arn = &function.configuration.function_arn;
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    let mut found = function.provisioned.range(input.marker.unwrap_or_default()..);
    let shown = |(place, config): (&String, &Provisioned)| Shown {
        function_arn: Some(format!("{arn}:{place}")),
        ..config.shown(now)
    };
    let configs = found.by_ref().take(size).map(shown).collect();
    let next_marker = found.next().map(|(place, _)| place.clone());
    Ok(Configs { provisioned_concurrency_configs: configs, next_marker })
}

impl Function {
    /// What was asked for all versions and aliases together.
    pub fn provisioned_in_all(&self) -> u32 {
        self.provisioned.values().map(|config| config.requested).sum()
    }
}
