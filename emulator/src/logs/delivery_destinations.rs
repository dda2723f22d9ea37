//! Delivery destinations: where the logs of AWS's own services could be delivered to.
//!
//! They are kept with their policies and tags. No service here has logs of that kind, so there are no delivery sources, and
//! a delivery cannot be made.
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
        .op("PutDeliverySource", |_, _: &PutSource| Target::any(), put_source)
        .op("GetDeliverySource", |_, _: &Named| Target::any(), get_source)
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

fn arn(scope: &Scope, name: &str) -> String {
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

fn show(scope: &Scope, name: &str, destination: &DeliveryDestination) -> Shown {
    Shown {
        name: name.to_owned(),
        arn: arn(scope, name),
        delivery_destination_type: kind(&destination.resource).unwrap_or("S3"),
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

fn validation(message: impl Into<String>) -> Error {
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
    cx.state.delivery_destinations.remove(&input.name).map(drop).ok_or_else(not_found)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribeOutput {
    delivery_destinations: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// In the order in which they were made.
fn describe(cx: &mut Cx<LogGroups>, input: Describe) -> Result<DescribeOutput> {
    let size = input.limit.unwrap_or(PAGE).min(PAGE);
    let last = input.next_token.as_deref().map(token::decode::<u64>).transpose()?.unwrap_or_default();
    let mut found: Vec<_> = cx.state.delivery_destinations.iter().filter(|(_, one)| one.number > last).collect();
    found.sort_by_key(|(_, one)| one.number);
    let more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| more).map(|(_, one)| one.number);
    let next_token = last.map(|number| token::encode(&number)).transpose()?;
    let delivery_destinations = found.into_iter().map(|(name, one)| show(cx.scope, name, one)).collect();
    Ok(DescribeOutput { delivery_destinations, next_token })
}

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutSource {
    resource_arn: String,
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "logType")]
    _log_type: String,
    #[serde(rename = "tags")]
    _tags: Option<OrdMap<String, String>>,
}

/// Services that send logs by deliveries do not exist here; of one that exists and has none, AWS says that it cannot be reached.
fn put_source(_: &mut Cx<LogGroups>, input: PutSource) -> Result<()> {
    const HAVE_NONE: [&str; 6] = ["s3", "sqs", "lambda", "dynamodb", "kinesis", "sns"];
    let service = input.resource_arn.split(':').nth(2).unwrap_or_default();
    if HAVE_NONE.contains(&service) {
        return Err(missing("Cannot access provided service."));
    }
    Err(Error::not_implemented(format!("the delivery of the logs of {service} ({})", input.resource_arn)))
}

fn get_source(_: &mut Cx<LogGroups>, _: Named) -> Result<()> {
    Err(missing("Requested Delivery Source does not exist in this account."))
}
