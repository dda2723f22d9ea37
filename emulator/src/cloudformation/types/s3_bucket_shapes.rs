//! What `AWS::S3::Bucket` writes in other words than S3's API.

use serde_json::{Map, Value, json};

use crate::{Error, Result};

/// Members under other names: those of a list of pairs are renamed, all others kept.
pub(super) fn renamed(value: &Value, names: &[(&str, &str)]) -> Value {
    let members = value.as_object().cloned().unwrap_or_default();
    let rename = |name: String| {
        let new = names.iter().find(|(old, _)| *old == name).map(|(_, new)| (*new).to_owned());
        new.unwrap_or(name)
    };
    Value::Object(members.into_iter().map(|(name, value)| (rename(name), value)).collect())
}

fn each(value: Option<&Value>, made: impl Fn(&Value) -> Value) -> Value {
    value.and_then(Value::as_array).into_iter().flatten().map(made).collect()
}

/// `Transitions` of a rule, or the one `Transition` of old, as S3's list.
pub(super) fn transitions(property: &Value, names: &[(&str, &str)]) -> Value {
    match property {
        Value::Array(_) => each(Some(property), |one| renamed(one, names)),
        one => json!([renamed(one, names)]),
    }
}

/// `CorsConfiguration`.
pub(super) fn cors(property: &Value) -> Value {
    if property.is_null() {
        return Value::Null;
    }
    let names = [("ExposedHeaders", "ExposeHeaders"), ("Id", "ID"), ("MaxAge", "MaxAgeSeconds")];
    json!({ "CORSRules": each(property.get("CorsRules"), |rule| renamed(rule, &names)) })
}

/// `WebsiteConfiguration`.
pub(super) fn website(property: &Value) -> Value {
    if property.is_null() {
        return Value::Null;
    }
    let mut made = Map::new();
    for (name, value) in property.as_object().into_iter().flatten() {
        let value = match name.as_str() {
            "IndexDocument" => json!({ "Suffix": value }),
            "ErrorDocument" => json!({ "Key": value }),
            "RoutingRules" => each(Some(value), |rule| {
                renamed(rule, &[("RedirectRule", "Redirect"), ("RoutingRuleCondition", "Condition")])
            }),
            _ => value.clone(),
        };
        made.insert(name.clone(), value);
    }
    Value::Object(made)
}

/// `LoggingConfiguration`. Without a bucket of its own for them, logs go into the very same.
pub(super) fn logging(property: &Value, bucket: &str) -> Value {
    if property.is_null() {
        return json!({});
    }
    let names = [("DestinationBucketName", "TargetBucket"), ("LogFilePrefix", "TargetPrefix")];
    let mut enabled = renamed(property, &names);
    for (name, value) in [("TargetBucket", bucket), ("TargetPrefix", "")] {
        if enabled.get(name).is_none() {
            enabled[name] = value.into();
        }
    }
    json!({ "LoggingEnabled": enabled })
}

/// `NotificationConfiguration`: each of its lists has one event an entry.
pub(super) fn notifications(property: &Value) -> Result<Value> {
    let mut made = Map::new();
    let lists = [
        ("LambdaConfigurations", "LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueConfigurations", "Queue", "QueueArn"),
        ("TopicConfigurations", "TopicConfigurations", "Topic", "TopicArn"),
    ];
    for (name, value) in property.as_object().into_iter().flatten() {
        if name == "EventBridgeConfiguration" {
            // To be there at all turns it on; the switch in it can only turn it off.
            let off = [json!(false), json!("false"), json!("False")];
            if value.get("EventBridgeEnabled").is_none_or(|switch| !off.contains(switch)) {
                made.insert(name.clone(), json!({}));
            }
            continue;
        }
        let Some((_, list, target, arn)) = lists.iter().find(|(known, ..)| known == name) else {
            return Err(Error::not_implemented(format!(
                "property NotificationConfiguration.{name} of AWS::S3::Bucket"
            )));
        };
        let entry = |one: &Value| {
            let mut entry = json!({ (*arn): one.get(*target), "Events": [one.get("Event")] });
            if let Some(rules) = one.pointer("/Filter/S3Key/Rules") {
                entry["Filter"] = json!({ "Key": { "FilterRules": rules } });
            }
            entry
        };
        made.insert((*list).to_owned(), each(Some(value), entry));
    }
    Ok(Value::Object(made))
}

/// `AccessControl`: canned lists have names of another style.
pub(super) fn canned(property: &Value) -> Result<&'static str> {
    match property.as_str().unwrap_or_default() {
        "Private" => Ok("private"),
        "PublicRead" => Ok("public-read"),
        "PublicReadWrite" => Ok("public-read-write"),
        "AuthenticatedRead" => Ok("authenticated-read"),
        "LogDeliveryWrite" => Ok("log-delivery-write"),
        "BucketOwnerRead" => Ok("bucket-owner-read"),
        "BucketOwnerFullControl" => Ok("bucket-owner-full-control"),
        "AwsExecRead" => Ok("aws-exec-read"),
        other => Err(Error::client("InvalidRequest", format!("#: {other} is not a valid enum value of AccessControl"))),
    }
}
