//! Delivery destinations: where the logs of AWS's own services could be delivered to.
//!
//! They are kept with their policies and tags. What is to go there say `delivery_sources.rs` and `deliveries.rs`.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliveryDestination.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::deliveries::Delivery;
use super::names::invalid;
use super::store::LogGroups;
use super::vended::{self, Named, Vended, Wanted, find, find_mut, next_number, validation};
use crate::Result;
use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::iam::policy::Policy;

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

impl Vended for DeliveryDestination {
    const KIND: &'static str = "delivery-destination";
    const NAME: &'static str = "Delivery Destination";
    type Shown = Shown;

    fn all(state: &LogGroups) -> &OrdMap<String, Self> {
        &state.delivery_destinations
    }

    fn all_mut(state: &mut LogGroups) -> &mut OrdMap<String, Self> {
        &mut state.delivery_destinations
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn tags(&mut self) -> &mut OrdMap<String, String> {
        &mut self.tags
    }

    fn show(&self, scope: &Scope, name: &str) -> Shown {
        Shown {
            name: name.to_owned(),
            arn: vended::arn::<Self>(scope, name),
            delivery_destination_type: self.kind(),
            output_format: self.format.clone(),
            delivery_destination_configuration: Configuration { destination_resource_arn: self.resource.clone() },
            tags: self.tags.clone(),
        }
    }

    fn is_of(delivery: &Delivery, name: &str) -> bool {
        delivery.destination == name
    }
}

fn on(at: &At<LogGroups>, name: &str) -> Target {
    vended::on::<DeliveryDestination>(at, name)
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
pub(super) struct Shown {
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
    let destination = DeliveryDestination {
        number: old.map_or_else(|| next_number::<DeliveryDestination>(cx.state), |old| old.number),
        resource,
        format: input.output_format.or_else(|| old.and_then(|old| old.format.clone())),
        policy: old.and_then(|old| old.policy.clone()),
        tags: input.tags.union(old.map(|old| old.tags.clone()).unwrap_or_default()),
    };
    Ok(Output { delivery_destination: vended::keep(cx, input.name, destination) })
}

fn get(cx: &mut Cx<LogGroups>, input: Named) -> Result<Output> {
    Ok(Output { delivery_destination: vended::get::<DeliveryDestination>(cx, &input.name)? })
}

fn delete(cx: &mut Cx<LogGroups>, input: Named) -> Result<()> {
    vended::delete::<DeliveryDestination>(cx, &input.name)
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
    let is_wanted = |name: &str, _: &DeliveryDestination| {
        input.names.as_ref().is_none_or(|names| names.iter().any(|one| one == name))
    };
    let page = Wanted { limit: input.limit, next_token: input.next_token };
    let (delivery_destinations, next_token) = vended::page(cx, page, is_wanted)?;
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
    let found = find_mut::<DeliveryDestination>(cx.state, &input.delivery_destination_name)?;
    found.policy = Some(input.delivery_destination_policy);
    Ok(PolicyOutput { policy: ShownPolicy { delivery_destination_policy: found.policy.clone() } })
}

fn get_policy(cx: &mut Cx<LogGroups>, input: OfDestination) -> Result<PolicyOutput> {
    let found = find::<DeliveryDestination>(cx.state, &input.delivery_destination_name)?;
    Ok(PolicyOutput { policy: ShownPolicy { delivery_destination_policy: found.policy.clone() } })
}

fn delete_policy(cx: &mut Cx<LogGroups>, input: OfDestination) -> Result<()> {
    let found = find_mut::<DeliveryDestination>(cx.state, &input.delivery_destination_name)?;
    found.policy = None;
    Ok(())
}
