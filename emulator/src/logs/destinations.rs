//! Destinations: names under which a stream takes what other subscriptions forward.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDestination.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::groups::PAGE;
use super::names::{after, invalid, missing};
use super::store::LogGroups;
use super::token::{self, Behind};
use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::iam::policy::Policy;
use crate::{Error, Result, Timestamp};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service
        .op("PutDestination", |at, i: &Put| on(at, &i.destination_name), put)
        .op("PutDestinationPolicy", |at, i: &PutPolicy| on(at, &i.destination_name), put_policy)
        .op("DescribeDestinations", |_, _: &Describe| Target::any(), describe)
        .op("DeleteDestination", |at, i: &Delete| on(at, &i.destination_name), delete)
}

/// A destination; its name is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Destination {
    pub target: String,
    pub role: String,
    policy: Option<String>,
    created: Timestamp,
    pub tags: OrdMap<String, String>,
}

fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("logs", format_args!("destination:{name}"))
}

fn on(at: &At<LogGroups>, name: &str) -> Target {
    Target::on(arn(at.scope, name))
}

pub(super) fn not_found() -> Error {
    missing("The specified destination does not exist.")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    destination_name: String,
    target_arn: String,
    role_arn: String,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

#[derive(Serialize)]
struct PutOutput {
    destination: Shown,
}

/// `Destination` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    destination_name: String,
    target_arn: String,
    role_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_policy: Option<String>,
    arn: String,
    creation_time: Timestamp,
}

fn show(scope: &Scope, name: &str, destination: &Destination) -> Shown {
    Shown {
        destination_name: name.to_owned(),
        target_arn: destination.target.clone(),
        role_arn: destination.role.clone(),
        access_policy: destination.policy.clone(),
        arn: arn(scope, name),
        creation_time: destination.created,
    }
}

fn put(cx: &mut Cx<LogGroups>, input: Put) -> Result<PutOutput> {
    match input.target_arn.split(':').nth(2) {
        Some("kinesis") => {}
        Some(vendor @ ("firehose" | "lambda")) => {
            return Err(Error::not_implemented(format!(
                "{vendor} as the target of a destination ({})",
                input.target_arn
            )));
        }
        _ => return Err(invalid(format!("Invalid targetArn: {}", input.target_arn))),
    }
    let old = cx.state.destinations.get(&input.destination_name);
    let destination = Destination {
        target: input.target_arn,
        role: input.role_arn,
        policy: old.and_then(|old| old.policy.clone()),
        created: old.map_or(cx.now, |old| old.created),
        tags: input.tags.union(old.map(|old| old.tags.clone()).unwrap_or_default()),
    };
    let shown = show(cx.scope, &input.destination_name, &destination);
    cx.state.destinations.insert(input.destination_name, destination);
    Ok(PutOutput { destination: shown })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutPolicy {
    destination_name: String,
    access_policy: String,
    /// Asked for where the old policy names an organization: no matter here.
    #[serde(rename = "forceUpdate")]
    _force_update: Option<bool>,
}

/// AWS looks at the policy's form, and not at whom it names: `{"AWS": "logs.amazonaws.com"}` is taken.
fn check_policy(text: &str) -> Result<()> {
    let mut document: Value = serde_json::from_str(text).unwrap_or_default();
    let statements = match document.get_mut("Statement") {
        Some(Value::Array(all)) => all.as_mut_slice(),
        one => one.map(std::slice::from_mut).unwrap_or_default(),
    };
    for principal in statements.iter_mut().filter_map(|one| one.get_mut("Principal")) {
        *principal = "*".into();
    }
    Policy::read(&document.to_string()).map(drop).map_err(|error| invalid(error.message()))
}

fn put_policy(cx: &mut Cx<LogGroups>, input: PutPolicy) -> Result<()> {
    check_policy(&input.access_policy)?;
    let destination = cx.state.destinations.get_mut(&input.destination_name).ok_or_else(not_found)?;
    destination.policy = Some(input.access_policy);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    #[serde(rename = "DestinationNamePrefix")]
    destination_name_prefix: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribeOutput {
    destinations: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn describe(cx: &mut Cx<LogGroups>, input: Describe) -> Result<DescribeOutput> {
    let size = input.limit.unwrap_or(PAGE).min(PAGE);
    let last = input.next_token.as_deref().map(token::decode::<Behind>).transpose()?;
    let prefix = input.destination_name_prefix.as_deref().unwrap_or_default();
    let found = after(&cx.state.destinations, last.as_ref().map(|behind| &*behind.name))
        .filter(|(name, _)| name.starts_with(prefix));
    let (page, next_token) = token::page(found, size, "")?;
    let destinations = page.into_iter().map(|(name, one)| show(cx.scope, name, one)).collect();
    Ok(DescribeOutput { destinations, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delete {
    destination_name: String,
}

fn delete(cx: &mut Cx<LogGroups>, input: Delete) -> Result<()> {
    cx.state.destinations.remove(&input.destination_name).map(drop).ok_or_else(not_found)
}
