//! `AWS::SSM::Parameter`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html>

use serde_json::{Map, Value, json};

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::SSM::Parameter",
    properties: &[
        may_change("AllowedPattern"),
        may_change("DataType"),
        may_change("Description"),
        replaces("Name"),
        may_change("Policies"),
        may_change("Tags"),
        may_change("Tier"),
        replaces("Type").required(),
        may_change("Value").required(),
    ],
    name_property: Some("Name"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name that is made up.
const NAME_LIMIT: usize = 128;
/// What is handed on as it is.
const PLAIN: [&str; 7] = ["AllowedPattern", "DataType", "Description", "Policies", "Tier", "Type", "Value"];

async fn create(task: &Task<'_>) -> Result<Made> {
    if task.get("Type") == "SecureString" {
        return Err(Error::client(
            "InvalidRequest",
            "Model validation failed (#/Type: #: only 1 subschema matches out of 2; SecureString is not a supported type)",
        ));
    }
    let name = task.name("Name", NAME_LIMIT);
    let mut input = task.pick(&PLAIN);
    input.insert("Name".to_owned(), name.as_str().into());
    let tags: Vec<Value> =
        tags(&task.get("Tags")).into_iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    if !tags.is_empty() {
        input.insert("Tags".to_owned(), tags.into());
    }
    task.door.call("ssm", "PutParameter", Value::Object(input)).await?;
    task.begun(&name);
    Ok(made(task, &name))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let name = task.physical_id;
    if task.changes(&PLAIN) {
        let mut input = task.pick(&PLAIN);
        // What is no longer said must not stay as it was.
        for (member, none) in [("AllowedPattern", ""), ("Description", ""), ("Policies", "{}")] {
            if task.old.contains_key(member) && !input.contains_key(member) {
                input.insert(member.to_owned(), none.into());
            }
        }
        input.insert("Name".to_owned(), name.into());
        input.insert("Overwrite".to_owned(), true.into());
        task.door.call("ssm", "PutParameter", Value::Object(input)).await?;
    }
    let (old, new) = (tags(&task.old.get("Tags").cloned().unwrap_or_default()), tags(&task.get("Tags")));
    let gone: Vec<&String> = old.keys().filter(|key| !new.contains_key(*key)).collect();
    let resource = json!({ "ResourceType": "Parameter", "ResourceId": name });
    if !gone.is_empty() {
        let mut input = resource.clone();
        input["TagKeys"] = json!(gone);
        task.door.call("ssm", "RemoveTagsFromResource", input).await?;
    }
    if !new.is_empty() && old != new {
        let mut input = resource;
        input["Tags"] = new.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        task.door.call("ssm", "AddTagsToResource", input).await?;
    }
    Ok(made(task, name))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    match task.door.call("ssm", "DeleteParameter", json!({ "Name": task.physical_id })).await {
        // What is gone is deleted.
        Err(error) if error.code() == "ParameterNotFound" => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// The tags, which this type writes as a map; the stack's are added as a list by then.
fn tags(value: &Value) -> Map<String, Value> {
    match value {
        Value::Object(tags) => tags.clone(),
        Value::Array(tags) => {
            let pair = |tag: &Value| Some((tag.get("Key")?.as_str()?.to_owned(), tag.get("Value")?.clone()));
            tags.iter().filter_map(pair).collect()
        }
        _ => Map::new(),
    }
}

fn made(task: &Task<'_>, name: &str) -> Made {
    Made::new(name, [("Type", task.get("Type")), ("Value", task.get("Value"))])
}
