//! Deliveries: that the logs of a source go to a destination, and what of them.
//!
//! Nothing ever goes: the only sources that there are log nothing (`delivery_sources.rs`).
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateDelivery.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::delivery_destinations::DeliveryDestination;
use super::delivery_sources::DeliverySource;
use super::store::LogGroups;
use super::vended::{self, Vended, Wanted, conflict, find, find_mut, next_number, validation};
use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::{Error, Result};

/// What is delivered of CloudFront's access logs unless told otherwise.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html>
const FIELDS: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) \
                      cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header \
                      cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher \
                      x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port \
                      time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start \
                      sc-range-end";
/// Where in a bucket they go.
const SUFFIX: &str = "AWSLogs/{account-id}/CloudFront/";
/// The characters of an id.
const ID: usize = 16;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service
        .op("CreateDelivery", |at, i: &Create| vended::on::<DeliverySource>(at, &i.delivery_source_name), create)
        .op("GetDelivery", |at, i: &Of| on(at, &i.id), get)
        .op("DescribeDeliveries", |_, _: &Describe| Target::any(), describe)
        .op("UpdateDeliveryConfiguration", |at, i: &Update| on(at, &i.id), update)
        .op("DeleteDelivery", |at, i: &Of| on(at, &i.id), delete)
}

/// A delivery; its id is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Delivery {
    /// In the order in which they were made.
    number: u64,
    pub source: String,
    /// The name of the destination.
    pub destination: String,
    kind: String,
    fields: Vec<String>,
    delimiter: Option<String>,
    /// Of a delivery to a bucket.
    s3: Option<S3Configuration>,
    pub tags: OrdMap<String, String>,
}

/// `S3DeliveryConfiguration` of the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3Configuration {
    suffix_path: Option<String>,
    enable_hive_compatible_path: Option<bool>,
}

impl Vended for Delivery {
    const KIND: &'static str = "delivery";
    const NAME: &'static str = "Delivery";
    type Shown = Shown;

    fn all(state: &LogGroups) -> &OrdMap<String, Self> {
        &state.deliveries
    }

    fn all_mut(state: &mut LogGroups) -> &mut OrdMap<String, Self> {
        &mut state.deliveries
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn tags(&mut self) -> &mut OrdMap<String, String> {
        &mut self.tags
    }

    fn show(&self, scope: &Scope, id: &str) -> Shown {
        Shown {
            id: id.to_owned(),
            arn: vended::arn::<Self>(scope, id),
            delivery_source_name: self.source.clone(),
            delivery_destination_arn: vended::arn::<DeliveryDestination>(scope, &self.destination),
            delivery_destination_type: self.kind.clone(),
            record_fields: self.fields.clone(),
            field_delimiter: self.delimiter.clone(),
            s3_delivery_configuration: self.s3.clone(),
            tags: self.tags.clone(),
        }
    }
}

fn on(at: &At<LogGroups>, id: &str) -> Target {
    vended::on::<Delivery>(at, id)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    delivery_source_name: String,
    delivery_destination_arn: String,
    record_fields: Option<Vec<String>>,
    field_delimiter: Option<String>,
    s3_delivery_configuration: Option<S3Configuration>,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

#[derive(Serialize)]
struct Output {
    delivery: Shown,
}

/// `Delivery` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    id: String,
    arn: String,
    delivery_source_name: String,
    delivery_destination_arn: String,
    delivery_destination_type: String,
    record_fields: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field_delimiter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_delivery_configuration: Option<S3Configuration>,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    tags: OrdMap<String, String>,
}

/// What was asked for, checked: of an access log these fields exist, and only a bucket has paths.
fn check(fields: Option<&Vec<String>>, s3: Option<&S3Configuration>, kind: &str) -> Result<()> {
    let known = |field: &str| FIELDS.split_whitespace().any(|one| one == field);
    if let Some(field) = fields.into_iter().flatten().find(|field| !known(field)) {
        return Err(Error::not_implemented(format!("the field {field} of CloudFront's logs (recordFields)")));
    }
    if s3.is_some() && kind != "S3" {
        return Err(validation("s3DeliveryConfiguration is only supported for a Delivery Destination of the type S3."));
    }
    Ok(())
}

fn merged(new: Option<S3Configuration>, old: S3Configuration) -> S3Configuration {
    let new = new.unwrap_or(S3Configuration { suffix_path: None, enable_hive_compatible_path: None });
    S3Configuration {
        suffix_path: new.suffix_path.or(old.suffix_path),
        enable_hive_compatible_path: new.enable_hive_compatible_path.or(old.enable_hive_compatible_path),
    }
}

fn create(cx: &mut Cx<LogGroups>, input: Create) -> Result<Output> {
    let source = input.delivery_source_name;
    find::<DeliverySource>(cx.state, &source)?;
    let own = vended::arn::<DeliveryDestination>(cx.scope, "");
    let destination = input.delivery_destination_arn.strip_prefix(&own).unwrap_or_default().to_owned();
    let kind = find::<DeliveryDestination>(cx.state, &destination)?.kind();
    if cx.state.deliveries.values().any(|one| one.source == source && one.destination == destination) {
        return Err(conflict("Delivery already exists"));
    }
    check(input.record_fields.as_ref(), input.s3_delivery_configuration.as_ref(), kind)?;
    let default = S3Configuration { suffix_path: Some(SUFFIX.to_owned()), enable_hive_compatible_path: Some(false) };
    let delivery = Delivery {
        number: next_number::<Delivery>(cx.state),
        source,
        destination,
        kind: kind.to_owned(),
        fields: input.record_fields.unwrap_or_else(|| FIELDS.split_whitespace().map(str::to_owned).collect()),
        delimiter: input.field_delimiter,
        s3: (kind == "S3").then(|| merged(input.s3_delivery_configuration, default)),
        tags: input.tags,
    };
    let id = cx.ids().mixed(ID);
    Ok(Output { delivery: vended::keep(cx, id, delivery) })
}

#[derive(Deserialize)]
struct Of {
    id: String,
}

fn get(cx: &mut Cx<LogGroups>, input: Of) -> Result<Output> {
    Ok(Output { delivery: vended::get::<Delivery>(cx, &input.id)? })
}

fn delete(cx: &mut Cx<LogGroups>, input: Of) -> Result<()> {
    vended::delete::<Delivery>(cx, &input.id)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    id: String,
    record_fields: Option<Vec<String>>,
    field_delimiter: Option<String>,
    s3_delivery_configuration: Option<S3Configuration>,
}

fn update(cx: &mut Cx<LogGroups>, input: Update) -> Result<()> {
    let delivery = find_mut::<Delivery>(cx.state, &input.id)?;
    check(input.record_fields.as_ref(), input.s3_delivery_configuration.as_ref(), &delivery.kind)?;
    if let Some(fields) = input.record_fields {
        delivery.fields = fields;
    }
    delivery.delimiter = input.field_delimiter.or_else(|| delivery.delimiter.take());
    delivery.s3 = delivery.s3.take().map(|old| merged(input.s3_delivery_configuration, old));
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    next_token: Option<String>,
    limit: Option<usize>,
    delivery_source_names: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribeOutput {
    deliveries: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn describe(cx: &mut Cx<LogGroups>, input: Describe) -> Result<DescribeOutput> {
    let is_wanted =
        |_: &str, one: &Delivery| input.delivery_source_names.as_ref().is_none_or(|names| names.contains(&one.source));
    let page = Wanted { limit: input.limit, next_token: input.next_token };
    let (deliveries, next_token) = vended::page(cx, page, is_wanted)?;
    Ok(DescribeOutput { deliveries, next_token })
}
