//! Delivery sources: what of AWS's services sends its logs by deliveries.
//!
//! Of the services that do, CloudFront's distributions can be named, though there is no CloudFront here: nobody asks anything
//! of them, so that nothing is ever logged. The logs of any other service would be missed, and it is refused by name.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliverySource.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::delivery_destinations::{conflict, numbered, validation};
use super::groups::PAGE;
use super::names::missing;
use super::store::LogGroups;
use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::{Error, Result};

/// The services that are here, and have no logs to deliver.
const HAVE_NONE: [&str; 6] = ["s3", "sqs", "lambda", "dynamodb", "kinesis", "sns"];
/// The service whose logs may be named, and what logs it has.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html>
const CLOUDFRONT: &str = "cloudfront";
const LOG_TYPES: [&str; 2] = ["ACCESS_LOGS", "CONNECTION_LOGS"];

/// Adds the operations of this file.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service
        .op("PutDeliverySource", |at, i: &Put| on(at, &i.name), put)
        .op("GetDeliverySource", |at, i: &Named| on(at, &i.name), get)
        .op("DescribeDeliverySources", |_, _: &Describe| Target::any(), describe)
        .op("DeleteDeliverySource", |at, i: &Named| on(at, &i.name), delete)
}

/// A delivery source; its name is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DeliverySource {
    /// In the order in which they were made.
    number: u64,
    resource: String,
    log_type: String,
    pub tags: OrdMap<String, String>,
}

fn on(at: &At<LogGroups>, name: &str) -> Target {
    Target::on(arn(at.scope, name))
}

fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("logs", format_args!("delivery-source:{name}"))
}

pub(super) fn not_found() -> Error {
    missing("Requested Delivery Source does not exist in this account.")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    name: String,
    resource_arn: String,
    log_type: String,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    delivery_source: Shown,
}

/// `DeliverySource` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: String,
    arn: String,
    resource_arns: Vec<String>,
    service: &'static str,
    log_type: String,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    tags: OrdMap<String, String>,
}

fn show(scope: &Scope, name: &str, source: &DeliverySource) -> Shown {
    Shown {
        name: name.to_owned(),
        arn: arn(scope, name),
        resource_arns: vec![source.resource.clone()],
        service: CLOUDFRONT,
        log_type: source.log_type.clone(),
        tags: source.tags.clone(),
    }
}

fn put(cx: &mut Cx<LogGroups>, input: Put) -> Result<Output> {
    match input.resource_arn.split(':').nth(2).unwrap_or_default() {
        CLOUDFRONT => {}
        // Of a service that exists and has no logs to deliver, AWS says that it cannot be reached.
        service if HAVE_NONE.contains(&service) => return Err(missing("Cannot access provided service.")),
        service => {
            let text = format!("the delivery of the logs of {service} ({})", input.resource_arn);
            return Err(Error::not_implemented(text));
        }
    }
    if !LOG_TYPES.contains(&&*input.log_type) {
        return Err(validation("This service is not allowed for this LogSource."));
    }
    let old = cx.state.delivery_sources.get(&input.name);
    if old.is_some_and(|old| old.resource != input.resource_arn || old.log_type != input.log_type) {
        let name = &input.name;
        return Err(conflict(format!(
            "Update to existing Delivery Source {name} with another resource or log type is not allowed"
        )));
    }
    let last = cx.state.delivery_sources.values().map(|one| one.number).max().unwrap_or_default();
    let source = DeliverySource {
        number: old.map_or(last + 1, |old| old.number),
        resource: input.resource_arn,
        log_type: input.log_type,
        tags: input.tags.union(old.map(|old| old.tags.clone()).unwrap_or_default()),
    };
    let shown = show(cx.scope, &input.name, &source);
    cx.state.delivery_sources.insert(input.name, source);
    Ok(Output { delivery_source: shown })
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

fn get(cx: &mut Cx<LogGroups>, input: Named) -> Result<Output> {
    let source = cx.state.delivery_sources.get(&input.name).ok_or_else(not_found)?;
    Ok(Output { delivery_source: show(cx.scope, &input.name, source) })
}

fn delete(cx: &mut Cx<LogGroups>, input: Named) -> Result<()> {
    cx.state.delivery_sources.get(&input.name).ok_or_else(not_found)?;
    if cx.state.deliveries.values().any(|delivery| delivery.source == input.name) {
        return Err(conflict(format!("Delivery Source {} still has deliveries", input.name)));
    }
    cx.state.delivery_sources.remove(&input.name);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    next_token: Option<String>,
    limit: Option<usize>,
    resource_arns: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribeOutput {
    delivery_sources: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn describe(cx: &mut Cx<LogGroups>, input: Describe) -> Result<DescribeOutput> {
    let wanted = |one: &DeliverySource| input.resource_arns.as_ref().is_none_or(|arns| arns.contains(&one.resource));
    let found = cx.state.delivery_sources.iter().filter(|(_, one)| wanted(one));
    let (page, next_token) = numbered(found, |one| one.number, input.limit.unwrap_or(PAGE), input.next_token)?;
    let delivery_sources = page.into_iter().map(|(name, one)| show(cx.scope, name, one)).collect();
    Ok(DescribeOutput { delivery_sources, next_token })
}
