//! Subscription filters: which events of a group are forwarded, and where to.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::destinations;
use super::forward::{self, Delivery};
use super::groups::PAGE;
use super::id::EventKey;
use super::metric_filters::not_transformed;
use super::names::{after, group_arn, invalid, limit_exceeded, missing, on_group};
use super::pattern::Pattern;
use super::store::LogGroups;
use super::token::{self, Behind};
use crate::cloud::{Cx, Later, Scope, Service, Step};
use crate::{Error, Result, Timestamp};

/// A group has at most so many subscription filters.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
const LIMIT: usize = 2;
/// The messages of a forwarded batch have this many bytes together at most, so that it fits any destination.
const BATCH_BYTES: usize = 512 * 1024;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service
        .waiting_op("PutSubscriptionFilter", |at, i: &PutFilter| on_group(at, Some(&i.log_group_name), None), put)
        .op("DescribeSubscriptionFilters", |at, i: &Describe| on_group(at, Some(&i.log_group_name), None), describe)
        .op("DeleteSubscriptionFilter", |at, i: &Delete| on_group(at, Some(&i.log_group_name), None), delete)
        .event("Checked", checked)
}

/// A subscription filter as it is kept; its name is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Subscription {
    pattern: String,
    destination: String,
    role: Option<String>,
    distribution: String,
    created: Timestamp,
}

/// What a check of a destination found: what is wrong with it, if anything is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Checked {
    pub id: String,
    pub problem: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutFilter {
    log_group_name: String,
    filter_name: String,
    filter_pattern: String,
    destination_arn: String,
    role_arn: Option<String>,
    distribution: Option<String>,
    apply_on_transformed_logs: Option<bool>,
}

/// The destination is tried before the filter is kept, as AWS does.
fn put(cx: &mut Cx<LogGroups>, input: &PutFilter) -> Result<Step<()>> {
    if let Some(resumed) = cx.resumed() {
        let id = resumed.token.clone();
        return match cx.state.checks.get(&id) {
            Some(None) => Ok(Step::Later(wait(id))),
            Some(Some(_)) => {
                let problem = cx.state.checks.remove(&id).flatten().and_then(|checked| checked.problem);
                problem.map_or_else(|| keep(cx, input).map(Step::Done), |problem| Err(invalid(problem)))
            }
            None => Err(Error::internal("a check of a destination was lost")),
        };
    }
    check(cx, input)?;
    let (arn, role) = target(cx.state, cx.scope, &input.destination_arn, input.role_arn.as_deref())?;
    let id = cx.ids().uuid();
    let partition_key = id.clone();
    let source_arn = format!("{}:*", group_arn(cx.scope, &input.log_group_name));
    let delivery = Delivery { arn, role, source_arn, partition_key, document: Value::Null, due: cx.now, attempt: 1 };
    cx.start("CheckDestination", &forward::Check { id: id.clone(), delivery })?;
    cx.state.checks.insert(id.clone(), None);
    Ok(Step::Later(wait(id)))
}

fn wait(id: String) -> Later {
    Later { signal: signal(&id), until: None, token: id }
}

fn signal(id: &str) -> String {
    format!("logs/destination/{id}")
}

/// A check has ended.
fn checked(cx: &mut Cx<LogGroups>, report: &str) -> Result<()> {
    let checked: Checked = serde_json::from_str(report)?;
    let id = checked.id.clone();
    if cx.state.checks.contains_key(&id) {
        cx.state.checks.insert(id.clone(), Some(checked));
    }
    cx.signal(signal(&id));
    Ok(())
}

fn check(cx: &Cx<LogGroups>, input: &PutFilter) -> Result<()> {
    let group = cx.state.group(&input.log_group_name)?;
    not_transformed(input.apply_on_transformed_logs)?;
    Pattern::compile(&input.filter_pattern)?;
    if group.subscriptions.len() >= LIMIT && !group.subscriptions.contains_key(&input.filter_name) {
        return Err(limit_exceeded());
    }
    Ok(())
}

/// Where a destination's events go in the end, and as which role.
fn target(state: &LogGroups, scope: &Scope, arn: &str, role: Option<&str>) -> Result<(String, Option<String>)> {
    let mut parts = arn.splitn(6, ':');
    let (_, _, vendor, region, account, rest) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next().unwrap_or_default());
    let here = region == Some(&*scope.region) && account == Some(&*scope.account);
    match vendor {
        Some("lambda") if !here => Err(Error::client(
            "AccessDeniedException",
            "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create cross \
             account lambda triggers.",
        )),
        Some("lambda") if role.is_some() => {
            Err(invalid("destinationArn for vendor lambda cannot be used with roleArn"))
        }
        Some("lambda") => Ok((arn.to_owned(), None)),
        Some(vendor @ ("kinesis" | "firehose")) if role.is_none() => {
            Err(invalid(format!("destinationArn for vendor {vendor} cannot be used without roleArn")))
        }
        Some("kinesis") => Ok((arn.to_owned(), role.map(str::to_owned))),
        Some("firehose") => {
            Err(Error::not_implemented(format!("Amazon Data Firehose as the destination of a subscription ({arn})")))
        }
        Some("logs") if rest.starts_with("destination:") => {
            let name = rest.strip_prefix("destination:").unwrap_or_default();
            let found = state.destinations.get(name).filter(|_| here);
            let found = found.ok_or_else(destinations::not_found)?;
            Ok((found.target.clone(), Some(found.role.clone())))
        }
        _ => Err(invalid(format!("Invalid destinationArn: {arn}"))),
    }
}

fn keep(cx: &mut Cx<LogGroups>, input: &PutFilter) -> Result<()> {
    check(cx, input)?;
    let now = cx.now;
    let group = cx.state.group_mut(&input.log_group_name)?;
    let created = group.subscriptions.get(&input.filter_name).map_or(now, |old| old.created);
    let subscription = Subscription {
        pattern: input.filter_pattern.clone(),
        destination: input.destination_arn.clone(),
        role: input.role_arn.clone(),
        distribution: input.distribution.clone().unwrap_or_else(|| "ByLogStream".to_owned()),
        created,
    };
    group.subscriptions.insert(input.filter_name.clone(), subscription);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name: String,
    filter_name_prefix: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribeOutput {
    subscription_filters: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `SubscriptionFilter` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    filter_name: String,
    log_group_name: String,
    filter_pattern: String,
    destination_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    distribution: String,
    apply_on_transformed_logs: bool,
    creation_time: Timestamp,
}

fn describe(cx: &mut Cx<LogGroups>, input: Describe) -> Result<DescribeOutput> {
    let group = cx.state.group(&input.log_group_name)?;
    let size = input.limit.unwrap_or(PAGE).min(PAGE);
    let last = input.next_token.as_deref().map(token::decode::<Behind>).transpose()?;
    let prefix = input.filter_name_prefix.as_deref().unwrap_or_default();
    let found = after(&group.subscriptions, last.as_ref().map(|behind| &*behind.name))
        .filter(|(name, _)| name.starts_with(prefix));
    let (page, next_token) = token::page(found, size, &input.log_group_name)?;
    let subscription_filters = page
        .into_iter()
        .map(|(name, filter)| Shown {
            filter_name: name.clone(),
            log_group_name: input.log_group_name.clone(),
            filter_pattern: filter.pattern.clone(),
            destination_arn: filter.destination.clone(),
            role_arn: filter.role.clone(),
            distribution: filter.distribution.clone(),
            apply_on_transformed_logs: false,
            creation_time: filter.created,
        })
        .collect();
    Ok(DescribeOutput { subscription_filters, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delete {
    log_group_name: String,
    filter_name: String,
}

fn delete(cx: &mut Cx<LogGroups>, input: Delete) -> Result<()> {
    let group = cx.state.group_mut(&input.log_group_name)?;
    match group.subscriptions.remove(&input.filter_name) {
        Some(_) => Ok(()),
        None => Err(missing("The specified subscription filter does not exist.")),
    }
}

/// Forwards what the filters of a group select of events that have just come in, all of one stream.
pub(super) fn forward(cx: &mut Cx<LogGroups>, name: &str, taken: &[EventKey]) -> Result<()> {
    let group = cx.state.group(name)?;
    if group.subscriptions.is_empty() || taken.is_empty() {
        return Ok(());
    }
    let mut deliveries = Vec::new();
    for (filter_name, filter) in &group.subscriptions {
        let pattern = Pattern::compile(&filter.pattern)?;
        // A destination that was deleted since takes nothing any more.
        let Ok((arn, role)) = target(cx.state, cx.scope, &filter.destination, filter.role.as_deref()) else {
            continue;
        };
        let (mut batch, mut bytes, mut batches, mut stream) = (Vec::new(), 0, Vec::new(), None);
        for key in taken {
            let Some(event) = group.event(*key).filter(|event| pattern.matches(event.message())) else { continue };
            stream = Some(event.stream());
            if bytes + event.size() > BATCH_BYTES && !batch.is_empty() {
                batches.push(std::mem::take(&mut batch));
                bytes = 0;
            }
            bytes += event.size();
            let mut one = json!({ "id": group.id(*key).to_string(), "timestamp": key.0, "message": event.message() });
            let fields = if pattern.has_fields() { pattern.extract(event.message()) } else { None };
            if let Some(fields) = fields {
                one["extractedFields"] = fields
                    .into_iter()
                    .map(|(name, text)| (name.trim_start_matches('$').to_owned(), json!(text)))
                    .collect();
            }
            batch.push(one);
        }
        batches.extend((!batch.is_empty()).then_some(batch));
        let Some(stream) = stream else { continue };
        for events in batches {
            let document = json!({
                "messageType": "DATA_MESSAGE",
                "owner": cx.scope.account,
                "logGroup": name,
                "logStream": &**stream,
                "subscriptionFilters": [filter_name],
                "logEvents": events,
            });
            let random = filter.distribution == "Random";
            deliveries.push((arn.clone(), role.clone(), random, stream.to_string(), document));
        }
    }
    for (arn, role, random, stream, document) in deliveries {
        let partition_key = if random { cx.ids().hex(32) } else { forward::digest(&stream) };
        let source_arn = format!("{}:*", group_arn(cx.scope, name));
        cx.start(forward::JOB, &Delivery { arn, role, source_arn, partition_key, document, due: cx.now, attempt: 1 })?;
    }
    Ok(())
}
