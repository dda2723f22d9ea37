//! The buckets' side of S3 events: each bucket notifies the functions that name it, once it may.

use serde_json::{Map, Value, json};

use super::alias::{Aliases, Invoked};
use super::{ResourceDef, Template, invalid_event};

/// Adds to the buckets of a template the notifications that its functions ask for. What is wrong with them is answered.
pub(super) fn notify(template: &Template, aliases: &Aliases, out: &mut Template) -> Vec<String> {
    let mut problems = Vec::new();
    for (function, resource) in template.resources.iter().filter(|(_, one)| one.kind == "AWS::Serverless::Function") {
        let mut events: Vec<(&String, &Value)> =
            resource.properties.get("Events").and_then(Value::as_object).into_iter().flatten().collect();
        events.sort_by_key(|(name, _)| *name);
        for (name, event) in events.into_iter().filter(|(_, event)| event["Type"] == "S3") {
            let properties = event.get("Properties").and_then(Value::as_object).cloned().unwrap_or_default();
            let bucket = properties.get("Bucket").and_then(|bucket| bucket.get("Ref")).and_then(Value::as_str);
            let found = bucket.and_then(|id| out.resources.iter_mut().find(|(other, _)| other == id));
            match found {
                Some((_, bucket)) if bucket.kind == "AWS::S3::Bucket" => {
                    add(bucket, &aliases.invoked(function), name, &properties)
                }
                _ => {
                    let text = "S3 events must reference an S3 bucket in the same template.";
                    problems.push(invalid_event(function, name, text).message().to_owned());
                }
            }
        }
    }
    problems
}

/// A notification for each kind of event, and the permission before the bucket.
fn add(bucket: &mut ResourceDef, invoked: &Invoked, event: &str, properties: &Map<String, Value>) {
    let kinds = match properties.get("Events") {
        Some(Value::Array(kinds)) => kinds.clone(),
        Some(kind) => vec![kind.clone()],
        None => Vec::new(),
    };
    let configuration = bucket.properties.entry("NotificationConfiguration").or_insert_with(|| json!({}));
    let Some(configuration) = configuration.as_object_mut() else { return };
    let list = configuration.entry("LambdaConfigurations").or_insert_with(|| json!([]));
    let Some(list) = list.as_array_mut() else { return };
    for kind in kinds {
        let mut one = json!({ "Event": kind, "Function": invoked.arn() });
        if let Some(filter) = properties.get("Filter") {
            one["Filter"] = filter.clone();
        }
        list.push(one);
    }
    let permission = format!("{}{event}Permission", invoked.function);
    if !bucket.depends_on.contains(&permission) {
        bucket.depends_on.push(permission);
    }
}
