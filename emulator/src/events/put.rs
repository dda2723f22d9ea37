//! `PutEvents`: which rules want an event.
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bus::{self, Buses, arn_of, invalid};
use super::deliver;
use super::rule;
use crate::cloud::{Cx, Service, Target};
use crate::iam::Principal;
use crate::{Result, Timestamp};

/// All entries of a request together, in bytes.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>
const SIZE_LIMIT: usize = 262_144;
/// What a time counts for in that.
const TIME_SIZE: usize = 14;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Buses>) -> Service<Buses> {
    service.op(
        "PutEvents",
        |at, i: &PutEvents| {
            let first = i.entries.first();
            let target = bus::on(at, first.and_then(|entry| entry.event_bus_name.as_deref()));
            match first {
                Some(entry) => entry.context(target),
                None => target,
            }
        },
        put,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    time: Option<Timestamp>,
    source: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    event_bus_name: Option<String>,
    /// Of AWS X-Ray, which there is none of.
    #[serde(rename = "TraceHeader")]
    _trace_header: Option<String>,
}

impl Entry {
    fn context(&self, target: Target) -> Target {
        let target = target.context("events:source", self.source.clone().unwrap_or_default());
        target.context("events:detail-type", self.detail_type.clone().unwrap_or_default())
    }

    fn size(&self) -> usize {
        let texts = [&self.source, &self.detail_type, &self.detail];
        let lengths = texts.into_iter().flatten().chain(&self.resources).map(String::len);
        lengths.sum::<usize>() + self.time.map_or(0, |_| TIME_SIZE)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    failed_entry_count: usize,
    entries: Vec<Done>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Done {
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
}

fn put(cx: &mut Cx<Buses>, input: PutEvents) -> Result<Outcome> {
    if input.entries.iter().map(Entry::size).sum::<usize>() > SIZE_LIMIT {
        return Err(invalid("Total size of the entries in the request is over the limit."));
    }
    let mut entries = Vec::with_capacity(input.entries.len());
    for entry in input.entries {
        entries.push(match take(cx, &entry)? {
            Ok(id) => Done { event_id: Some(id), error_code: None, error_message: None },
            Err((code, message)) => Done { event_id: None, error_code: Some(code), error_message: Some(message) },
        });
    }
    let failed_entry_count = entries.iter().filter(|entry| entry.error_code.is_some()).count();
    Ok(Outcome { failed_entry_count, entries })
}

/// An entry's event id, or why it is not taken.
type Taken = std::result::Result<String, (&'static str, String)>;

fn take(cx: &mut Cx<Buses>, entry: &Entry) -> Result<Taken> {
    let mut event = match event(cx, entry) {
        Ok(event) => event,
        Err(refused) => return Ok(Err(refused)),
    };
    let bus = arn_of(cx.scope, entry.event_bus_name.as_deref());
    // The door has looked at the first entry's bus only, and let EventBridge itself pass.
    let target = entry.context(bus::target(cx.state, cx.scope, bus.clone()));
    if !cx.access().may_on("events:PutEvents", &target) {
        let message = format!("User: {} is not authorized to perform: events:PutEvents", cx.caller.principal.arn());
        return Ok(Err(("AccessDeniedException", message)));
    }
    let id = cx.ids().uuid();
    event["id"] = id.as_str().into();
    // An event for a bus that is not there is taken, and is for nobody.
    let wanting: Vec<rule::Rule> =
        rule::of_bus(cx.state, &bus).filter(|(_, rule)| rule.wants(&event)).map(|(_, rule)| rule.clone()).collect();
    for rule in wanting {
        deliver::to_targets(cx, &rule, &event)?;
    }
    Ok(Ok(id))
}

/// The event without its id.
fn event(cx: &Cx<Buses>, entry: &Entry) -> std::result::Result<Value, (&'static str, String)> {
    let required = |name: &str, value: &Option<String>| match value.as_deref().filter(|value| !value.is_empty()) {
        Some(value) => Ok(value.to_owned()),
        None => {
            let message = format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
            Err(("InvalidArgument", message))
        }
    };
    let source = required("Source", &entry.source)?;
    let detail_type = required("DetailType", &entry.detail_type)?;
    let detail = required("Detail", &entry.detail)?;
    let detail: Value = match serde_json::from_str(&detail) {
        Ok(detail @ Value::Object(_)) => detail,
        _ => return Err(("MalformedDetail", "Detail is malformed.".to_owned())),
    };
    // Only AWS's services speak for themselves; a rule passes on what they said.
    let is_service = matches!(cx.caller.principal, Principal::Service(_));
    let is_rule = cx.caller.source_arn.as_deref().is_some_and(|arn| arn.contains(":events:"));
    if source.starts_with("aws.") && !is_service && !is_rule {
        return Err(("NotAuthorizedForSourceException", "Not authorized for the source.".to_owned()));
    }
    Ok(json!({
        "version": "0",
        "id": "",
        "detail-type": detail_type,
        "source": source,
        "account": cx.scope.account,
        "time": entry.time.unwrap_or(cx.now).to_iso_secs(),
        "region": cx.scope.region,
        "resources": entry.resources,
        "detail": detail,
    }))
}
