//! `AWS::ApiGateway::RestApi`, and what the types of API Gateway share.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html>

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::task::TagNames;
use super::{Made, ResourceType, Task, may_change};
use crate::cloudformation::template::yaml;
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::ApiGateway::RestApi",
    properties: &[
        may_change("ApiKeySourceType"),
        may_change("BinaryMediaTypes"),
        may_change("Body"),
        may_change("BodyS3Location"),
        may_change("Description"),
        may_change("DisableExecuteApiEndpoint"),
        may_change("EndpointConfiguration"),
        may_change("FailOnWarnings"),
        may_change("MinimumCompressionSize"),
        may_change("Mode"),
        may_change("Name"),
        may_change("Parameters"),
        may_change("Policy"),
        may_change("Tags"),
    ],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

const SERVICE: &str = "apigateway";
/// Properties of the API that are texts, numbers or flags, and their members.
const SCALARS: [(&str, &str); 5] = [
    ("ApiKeySourceType", "apiKeySource"),
    ("Description", "description"),
    ("DisableExecuteApiEndpoint", "disableExecuteApiEndpoint"),
    ("MinimumCompressionSize", "minimumCompressionSize"),
    ("Name", "name"),
];

async fn create(task: &Task<'_>) -> Result<Made> {
    let body = body(task).await?;
    let title = body.as_ref().and_then(|body| body.pointer("/info/title")).cloned();
    let name = task.properties.get("Name").cloned().or(title).unwrap_or_else(|| task.logical_id.into());
    let mut input = renamed(task, &SCALARS);
    input.insert("name".to_owned(), name);
    input.insert("binaryMediaTypes".to_owned(), media_types(&task.get("BinaryMediaTypes")));
    input.insert("endpointConfiguration".to_owned(), lower(&task.get("EndpointConfiguration")));
    input.insert("policy".to_owned(), policy(task)?);
    input.insert("tags".to_owned(), task.tag_map()?);
    let made = task.door.call(SERVICE, "CreateRestApi", Value::Object(input)).await?;
    let id = text(&made, "id")?;
    task.begun(&id);
    if let Some(body) = body {
        put_body(task, &id, body).await?;
    }
    described(task, &id).await
}

/// The document, which the template has or an object in a bucket, as JSON or YAML.
async fn body(task: &Task<'_>) -> Result<Option<Value>> {
    let Some(place) = task.properties.get("BodyS3Location") else { return Ok(task.properties.get("Body").cloned()) };
    let input = json!({
        "Bucket": place["Bucket"],
        "Key": place["Key"],
        "VersionId": place["Version"],
        "IfMatch": place["ETag"],
    });
    let text = task.door.object(input).await?;
    yaml::read(&String::from_utf8_lossy(&text)).map(Some)
}

async fn put_body(task: &Task<'_>, id: &str, mut body: Value) -> Result<()> {
    // The API's own name counts where both are given.
    if let (Some(name), Some(info)) = (task.properties.get("Name"), body.get_mut("info").and_then(Value::as_object_mut))
    {
        info.insert("title".to_owned(), name.clone());
    }
    let mode = task.properties.get("Mode").cloned().unwrap_or_else(|| "overwrite".into());
    let input = json!({
        "restApiId": id, "mode": mode, "failOnWarnings": task.get("FailOnWarnings"), "parameters": task.get("Parameters")
    });
    task.door.send(SERVICE, "PutRestApi", input, Bytes::from(body.to_string())).await?;
    // What the template says besides the document holds.
    let mut operations = Vec::new();
    for (property, member) in [("Description", "description"), ("MinimumCompressionSize", "minimumCompressionSize")] {
        if let Some(value) = task.properties.get(property) {
            operations.push(replace(&format!("/{member}"), value));
        }
    }
    if task.properties.contains_key("Policy") {
        operations.push(replace("/policy", &policy(task)?));
    }
    for kind in task.items("BinaryMediaTypes") {
        operations.push(json!({"op": "add", "path": media_path(&kind)}));
    }
    patch(task, "UpdateRestApi", json!({ "restApiId": id }), operations).await
}

/// The path of a media type in a patch; templates may write the slash as `~1`.
fn media_path(kind: &Value) -> String {
    format!("/binaryMediaTypes/{}", scalar(kind).replace("~1", "/").replace('/', "~1"))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let id = task.physical_id;
    let mut operations = Vec::new();
    for (property, member) in SCALARS {
        if task.changes(&[property]) {
            let value = match (property, task.get(property)) {
                ("ApiKeySourceType", Value::Null) => "HEADER".into(),
                (_, value) => value,
            };
            operations.push(replace(&format!("/{member}"), &value));
        }
    }
    if task.changes(&["Policy"]) {
        operations.push(replace("/policy", &policy(task)?));
    }
    let (old, new) = (task.old_items("BinaryMediaTypes"), task.items("BinaryMediaTypes"));
    operations
        .extend(old.iter().filter(|kind| !new.contains(kind)).map(|k| json!({"op": "remove", "path": media_path(k)})));
    operations
        .extend(new.iter().filter(|kind| !old.contains(kind)).map(|k| json!({"op": "add", "path": media_path(k)})));
    if task.changes(&["EndpointConfiguration"]) {
        let kind = |properties: &Map<String, Value>| {
            let types = properties.get("EndpointConfiguration").and_then(|endpoint| endpoint.pointer("/Types/0"));
            types.map_or_else(|| "EDGE".to_owned(), scalar)
        };
        let path = format!("/endpointConfiguration/types/{}", kind(task.old));
        operations.push(replace(&path, &kind(task.properties).into()));
    }
    patch(task, "UpdateRestApi", json!({ "restApiId": id }), operations).await?;
    if task.changes(&["Body", "BodyS3Location", "Parameters"])
        && let Some(body) = body(task).await?
    {
        put_body(task, id, body).await?;
    }
    let arn = format!("arn:aws:apigateway:{}::/restapis/{id}", task.door.scope.region);
    task.retag(SERVICE, &arn, TAGS).await?;
    described(task, id).await
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call(SERVICE, "DeleteRestApi", json!({ "restApiId": task.physical_id })).await.map(drop)
}

async fn described(task: &Task<'_>, id: &str) -> Result<Made> {
    let api = task.door.call(SERVICE, "GetRestApi", json!({ "restApiId": id })).await?;
    Ok(Made::new(id, [("RestApiId", id.into()), ("RootResourceId", api["rootResourceId"].clone())]))
}

/// How API Gateway names the members of its tagging operations.
pub(super) const TAGS: TagNames = TagNames { arn: "resourceArn", tags: "tags", keys: "tagKeys", as_map: true };

fn policy(task: &Task<'_>) -> Result<Value> {
    if task.get("Policy").is_null() { Ok(Value::Null) } else { Ok(task.document("Policy")?.into()) }
}

/// Templates may write the slash as `~1`.
fn media_types(types: &Value) -> Value {
    match types {
        Value::Array(types) => types.iter().map(|kind| scalar(kind).replace("~1", "/")).collect(),
        other => other.clone(),
    }
}

/// A member of an answer that is a text.
pub(super) fn text(value: &Value, member: &str) -> Result<String> {
    let text = value.get(member).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| Error::internal(format!("API Gateway answered without {member}")))
}

/// A value of a template as a text.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Properties under the names of their members.
pub(super) fn renamed(task: &Task<'_>, names: &[(&str, &str)]) -> Map<String, Value> {
    let pairs = names
        .iter()
        .filter_map(|(property, member)| Some(((*member).to_owned(), task.properties.get(*property)?.clone())));
    pairs.collect()
}

/// A structure of a template as one of API Gateway: its names begin with a small letter, and those of what is in it. What maps
/// hold is left as it is by callers that have maps.
pub(super) fn lower(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (small(name), lower(value))).collect(),
        Value::Array(elements) => elements.iter().map(lower).collect(),
        other => other.clone(),
    }
}

/// `RestApiId` is `restApiId`.
pub(super) fn small(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase().to_string() + chars.as_str()).unwrap_or_default()
}

/// The patch operation that sets a value.
pub(super) fn replace(path: &str, value: &Value) -> Value {
    if value.is_null() {
        json!({"op": "replace", "path": path})
    } else {
        json!({"op": "replace", "path": path, "value": scalar(value)})
    }
}

/// Calls an update, if there is anything to update.
pub(super) async fn patch(task: &Task<'_>, operation: &str, mut of: Value, operations: Vec<Value>) -> Result<()> {
    if operations.is_empty() {
        return Ok(());
    }
    if let Some(members) = of.as_object_mut() {
        members.insert("patchOperations".to_owned(), Value::Array(operations));
    }
    task.door.call(SERVICE, operation, of).await.map(drop)
}
