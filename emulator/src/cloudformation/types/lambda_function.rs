//! `AWS::Lambda::Function`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html>

use serde_json::{Value, json};

use super::task::TagNames;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Lambda::Function",
    properties: &[
        replaces("FunctionName"),
        replaces("PackageType"),
        may_change("Architectures"),
        may_change("Code").required(),
        may_change("Description"),
        may_change("Environment"),
        may_change("Handler"),
        may_change("MemorySize"),
        may_change("Role").required(),
        may_change("Runtime"),
        may_change("Tags"),
        may_change("Timeout"),
    ],
    name_property: Some("FunctionName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a function.
const NAME_LIMIT: usize = 64;
const CONFIGURATION: [&str; 7] = ["Description", "Environment", "Handler", "MemorySize", "Role", "Runtime", "Timeout"];

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("FunctionName", NAME_LIMIT);
    let mut input = task.pick(&CONFIGURATION);
    input.extend(task.pick(&["PackageType", "Architectures"]));
    input.insert("FunctionName".to_owned(), name.as_str().into());
    input.insert("Code".to_owned(), code(task)?);
    input.insert("Tags".to_owned(), task.tag_map()?);
    let made = task.door.call("lambda", "CreateFunction", Value::Object(input)).await?;
    task.begun(&name);
    Ok(Made::new(name, [("Arn", made["FunctionArn"].clone())]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let name = task.physical_id;
    if task.changes(&["Code", "Architectures"]) {
        let mut input = code(task)?;
        let members = input.as_object_mut().ok_or_else(|| Error::internal("code is an object"))?;
        members.insert("FunctionName".to_owned(), name.into());
        members.extend(task.pick(&["Architectures"]));
        task.door.call("lambda", "UpdateFunctionCode", input).await?;
    }
    if task.changes(&CONFIGURATION) {
        let mut input = task.pick(&CONFIGURATION);
        // What the template no longer says goes back to its default.
        let defaults = [
            ("Description", json!("")),
            ("Timeout", json!(3)),
            ("MemorySize", json!(128)),
            ("Environment", json!({"Variables": {}})),
        ];
        for (property, default) in defaults {
            input.entry(property).or_insert(default);
        }
        input.insert("FunctionName".to_owned(), name.into());
        task.door.call("lambda", "UpdateFunctionConfiguration", Value::Object(input)).await?;
    }
    let arn = task.door.scope.arn("lambda", format_args!("function:{name}"));
    let names = TagNames { arn: "Resource", tags: "Tags", keys: "TagKeys", as_map: true };
    task.retag("lambda", &arn, names).await?;
    Ok(Made::new(name, [("Arn", arn.into())]))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("lambda", "DeleteFunction", json!({ "FunctionName": task.physical_id })).await.map(drop)
}

/// Inline code is the text of a source file, which AWS puts into an archive.
fn code(task: &Task<'_>) -> Result<Value> {
    let code = task.get("Code");
    match code.get("ZipFile") {
        Some(_) => Err(Error::not_implemented(format_args!(
            "inline code (property Code.ZipFile of AWS::Lambda::Function, resource {})",
            task.logical_id
        ))),
        None => Ok(code),
    }
}
