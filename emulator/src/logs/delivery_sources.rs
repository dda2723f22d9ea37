//! Delivery sources: what of AWS's services sends its logs by deliveries.
//!
//! Of the services that do, CloudFront's distributions can be named, though there is no CloudFront here: nobody asks anything
//! of them, so that nothing is ever logged. The logs of any other service would be missed, and it is refused by name.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliverySource.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::deliveries::Delivery;
use super::names::missing;
use super::store::LogGroups;
use super::vended::{self, Named, Vended, Wanted, conflict, next_number, validation};
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

impl Vended for DeliverySource {
    const KIND: &'static str = "delivery-source";
    const NAME: &'static str = "Delivery Source";
    type Shown = Shown;

    fn all(state: &LogGroups) -> &OrdMap<String, Self> {
        &state.delivery_sources
    }

    fn all_mut(state: &mut LogGroups) -> &mut OrdMap<String, Self> {
        &mut state.delivery_sources
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
            resource_arns: vec![self.resource.clone()],
            service: CLOUDFRONT,
            log_type: self.log_type.clone(),
            tags: self.tags.clone(),
        }
    }

    fn is_of(delivery: &Delivery, name: &str) -> bool {
        delivery.source == name
    }
}

fn on(at: &At<LogGroups>, name: &str) -> Target {
    vended::on::<DeliverySource>(at, name)
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
pub(super) struct Shown {
    name: String,
    arn: String,
    resource_arns: Vec<String>,
    service: &'static str,
    log_type: String,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    tags: OrdMap<String, String>,
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
    let source = DeliverySource {
        number: old.map_or_else(|| next_number::<DeliverySource>(cx.state), |old| old.number),
        resource: input.resource_arn,
        log_type: input.log_type,
        tags: input.tags.union(old.map(|old| old.tags.clone()).unwrap_or_default()),
    };
    Ok(Output { delivery_source: vended::keep(cx, input.name, source) })
}

fn get(cx: &mut Cx<LogGroups>, input: Named) -> Result<Output> {
    Ok(Output { delivery_source: vended::get::<DeliverySource>(cx, &input.name)? })
}

fn delete(cx: &mut Cx<LogGroups>, input: Named) -> Result<()> {
    vended::delete::<DeliverySource>(cx, &input.name)
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
    let is_wanted =
        |_: &str, one: &DeliverySource| input.resource_arns.as_ref().is_none_or(|arns| arns.contains(&one.resource));
    let page = Wanted { limit: input.limit, next_token: input.next_token };
    let (delivery_sources, next_token) = vended::page(cx, page, is_wanted)?;
    Ok(DescribeOutput { delivery_sources, next_token })
}
