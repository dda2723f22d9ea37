//! Delivery destinations: where the logs of AWS's own services could be delivered to.
//!
//! They are kept with their policies and tags. What is to go there say `delivery_sources.rs` and `deliveries.rs`.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliveryDestination.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::groups::PAGE;
use super::names::{invalid, missing};
use super::store::LogGroups;
use super::token;
use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::iam::policy::Policy;
use crate::{Error, Result};

/// The formats of what is delivered.
const FORMATS: &str = "w3c, raw, json, plain, parquet";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service
        .op("PutDeliveryDestination", |at, i: &Put| on(at, &i.name), put)
        .op("GetDeliveryDestination", |at, i: &Named| on(at, &i.name), get)
        .op("DescribeDeliveryDestinations", |_, _: &Describe| Target::any(), describe)
        .op("DeleteDeliveryDestination", |at, i: &Named| on(at, &i.name), delete)
        .op("PutDeliveryDestinationPolicy", |at, i: &PutPolicy| on(at, &i.delivery_destination_name), put_policy)
        .op("GetDeliveryDestinationPolicy", |at, i: &OfDestination| on(at, &i.delivery_destination_name), get_policy)
        .op(
            "DeleteDeliveryDestinationPolicy",
            |at, i: &OfDestination| on(at, &i.delivery_destination_name),
            delete_policy,
        )
}

/// A delivery destination; its name is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DeliveryDestination {
    /// In the order in which they were made.
    number: u64,
    resource: String,
    format: Option<String>,
    policy: Option<String>,
    pub tags: OrdMap<String, String>,
}

fn on(at: &At<LogGroups>, name: &str) -> Target {
    Target::on(arn(at.scope, name))
}

pub(super) fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("logs", format_args!("delivery-destination:{name}"))
}

pub(super) fn not_found() -> Error {
    missing("Requested Delivery Destination does not exist in this account.")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    name: String,
    output_format: Option<String>,
    delivery_destination_configuration: Option<Configuration>,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    destination_resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    delivery_destination: Shown,
}

/// `DeliveryDestination` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: String,
    arn: String,
    delivery_destination_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_format: Option<String>,
    delivery_destination_configuration: Configuration,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    tags: OrdMap<String, String>,
}

/// What kind of thing an ARN names: an S3 bucket, a log group, a delivery stream.
fn kind(resource: &str) -> Option<&'static str> {
    match resource.split(':').nth(2)? {
        "s3" => Some("S3"),
        "logs" => Some("CWL"),
        "firehose" => Some("FH"),
        "xray" => Some("XRAY"),
        _ => None,
    }
}

impl DeliveryDestination {
    pub fn kind(&self) -> &'static str {
        kind(&self.resource).unwrap_or("S3")
    }
}

fn show(scope: &Scope, name: &str, destination: &DeliveryDestination) -> Shown {
    Shown {
        name: name.to_owned(),
        arn: arn(scope, name),
        delivery_destination_type: destination.kind(),
        output_format: destination.format.clone(),
        delivery_destination_configuration: Configuration { destination_resource_arn: destination.resource.clone() },
        tags: destination.tags.clone(),
    }
}

fn put(cx: &mut Cx<LogGroups>, input: Put) -> Result<Output> {
    if let Some(format) = input.output_format.as_deref().filter(|format| !FORMATS.split(", ").any(|one| one == *format))
    {
        return Err(validation(format!(
            "1 validation error detected: Value '{format}' at 'outputFormat' failed to satisfy constraint: Member must satisfy \
             enum value set: [{FORMATS}]"
        )));
    }
    let configuration = input.delivery_destination_configuration;
    let Some(Configuration { destination_resource_arn: resource }) = configuration else {
        return Err(validation("deliveryDestinationConfiguration must be specified."));
    };
    if kind(&resource).is_none() {
        return Err(validation(format!("{resource} is no resource that logs can be delivered to.")));
    }
    let old = cx.state.delivery_destinations.get(&input.name);
    if old.is_some_and(|old| old.format.is_some() && input.output_format.is_some() && old.format != input.output_format)
    {
        return Err(validation("Update to existing Delivery Destination with new Output Format is not allowed"));
    }
    let last = cx.state.delivery_destinations.values().map(|one| one.number).max().unwrap_or_default();
    let destination = DeliveryDestination {
        number: old.map_or(last + 1, |old| old.number),
        resource,
        format: input.output_format.or_else(|| old.and_then(|old| old.format.clone())),
        policy: old.and_then(|old| old.policy.clone()),
        tags: input.tags.union(old.map(|old| old.tags.clone()).unwrap_or_default()),
    };
    let shown = show(cx.scope, &input.name, &destination);
    cx.state.delivery_destinations.insert(input.name, destination);
    Ok(Output { delivery_destination: shown })
}

pub(super) fn validation(message: impl Into<String>) -> Error {
    Error::client("ValidationException", message)
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

fn get(cx: &mut Cx<LogGroups>, input: Named) -> Result<Output> {
    let destination = cx.state.delivery_destinations.get(&input.name).ok_or_else(not_found)?;
    Ok(Output { delivery_destination: show(cx.scope, &input.name, destination) })
}

fn delete(cx: &mut Cx<LogGroups>, input: Named) -> Result<()> {
    cx.state.delivery_destinations.get(&input.name).ok_or_else(not_found)?;
    if cx.state.deliveries.values().any(|delivery| delivery.destination == input.name) {
        return Err(conflict(format!("Delivery Destination {} still has deliveries", input.name)));
    }
    cx.state.delivery_destinations.remove(&input.name);
    Ok(())
}

pub(super) fn conflict(message: impl Into<String>) -> Error {
    Error::client("ConflictException", message)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    next_token: Option<String>,
    limit: Option<usize>,
    names: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribeOutput {
    delivery_destinations: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn describe(cx: &mut Cx<LogGroups>, input: Describe) -> Result<DescribeOutput> {
    let wanted = |name: &String| input.names.as_ref().is_none_or(|names| names.contains(name));
    let found = cx.state.delivery_destinations.iter().filter(|(name, _)| wanted(name));
    let (page, next_token) = numbered(found, |one| one.number, input.limit.unwrap_or(PAGE), input.next_token)?;
    let delivery_destinations = page.into_iter().map(|(name, one)| show(cx.scope, name, one)).collect();
    Ok(DescribeOutput { delivery_destinations, next_token })
}

/// A page of what is numbered in the order in which it was made, and the token for what is behind it.
pub(super) fn numbered<'a, V>(
    all: impl Iterator<Item = (&'a String, &'a V)>,
    number: fn(&V) -> u64,
    size: usize,
    next_token: Option<String>,
) -> Result<Numbered<'a, V>> {
    let last = next_token.as_deref().map(token::decode::<u64>).transpose()?.unwrap_or_default();
    let mut found: Vec<_> = all.filter(|(_, one)| number(one) > last).collect();
    found.sort_by_key(|(_, one)| number(one));
    let size = size.min(PAGE);
    let more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| more).map(|(_, one)| number(one));
    Ok((found, last.map(|number| token::encode(&number)).transpose()?))
}

/// Entries with their names, and a token.
type Numbered<'a, V> = (Vec<(&'a String, &'a V)>, Option<String>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutPolicy {
    delivery_destination_name: String,
    delivery_destination_policy: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfDestination {
    delivery_destination_name: String,
}

#[derive(Serialize)]
struct PolicyOutput {
    policy: ShownPolicy,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_destination_policy: Option<String>,
}

fn put_policy(cx: &mut Cx<LogGroups>, input: PutPolicy) -> Result<PolicyOutput> {
    Policy::read(&input.delivery_destination_policy).map_err(|error| invalid(error.message()))?;
    let found = cx.state.delivery_destinations.get_mut(&input.delivery_destination_name).ok_or_else(not_found)?;
    found.policy = Some(input.delivery_destination_policy);
    Ok(PolicyOutput { policy: ShownPolicy { delivery_destination_policy: found.policy.clone() } })
}

fn get_policy(cx: &mut Cx<LogGroups>, input: OfDestination) -> Result<PolicyOutput> {
    let found = cx.state.delivery_destinations.get(&input.delivery_destination_name).ok_or_else(not_found)?;
    Ok(PolicyOutput { policy: ShownPolicy { delivery_destination_policy: found.policy.clone() } })
}

fn delete_policy(cx: &mut Cx<LogGroups>, input: OfDestination) -> Result<()> {
    let found = cx.state.delivery_destinations.get_mut(&input.delivery_destination_name).ok_or_else(not_found)?;
    found.policy = None;
    Ok(())
}
