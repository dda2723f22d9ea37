//! `AWS::Lambda::Function`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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
        may_change("CodeSigningConfigArn"),
        may_change("DeadLetterConfig"),
        may_change("Description"),
        may_change("Environment"),
        may_change("EphemeralStorage"),
        may_change("Handler"),
        may_change("KmsKeyArn"),
        may_change("Layers"),
        may_change("LoggingConfig"),
        may_change("MemorySize"),
        may_change("ReservedConcurrentExecutions"),
        may_change("Role").required(),
        may_change("RecursiveLoop"),
        may_change("Runtime"),
        may_change("RuntimeManagementConfig"),
        may_change("SnapStart"),
        may_change("Tags"),
        may_change("Timeout"),
        may_change("TracingConfig"),
        may_change("VpcConfig"),
    ],
    name_property: Some("FunctionName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a function.
const NAME_LIMIT: usize = 64;
/// The longest inline code, in characters.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html>
const INLINE_LIMIT: usize = 4 * 1024 * 1024;
/// The module for the answers of custom resources: its name, its file, its text. It is there for inline code that names it.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html>
const PYTHON_MODULE: (&str, &str, &str) = ("cfnresponse", "cfnresponse.py", include_str!("../cfnresponse.py"));
const NODE_MODULE: (&str, &str, &str) =
    ("cfn-response", "node_modules/cfn-response.js", include_str!("../cfn-response.js"));
const CONFIGURATION: [&str; 14] = [
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
];

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("FunctionName", NAME_LIMIT);
    let mut input = task.pick(&CONFIGURATION);
    input.extend(key(task));
    input.extend(task.pick(&["PackageType", "Architectures", "CodeSigningConfigArn"]));
    input.insert("FunctionName".to_owned(), name.as_str().into());
    input.insert("Code".to_owned(), code(task)?);
    input.insert("Tags".to_owned(), task.tag_map()?);
    let made = task.door.call("lambda", "CreateFunction", Value::Object(input)).await?;
    task.begun(&name);
    reserve(task, &name).await?;
    set_recursion(task, &name).await?;
    manage_runtime(task, &name).await?;
    Ok(Made::new(name, [("Arn", made["FunctionArn"].clone())]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let name = task.physical_id;
    // A signature is asked of the code that comes with the change.
    if task.changes(&["CodeSigningConfigArn"]) {
        let mut input = task.pick(&["CodeSigningConfigArn"]);
        let operation =
            if input.is_empty() { "DeleteFunctionCodeSigningConfig" } else { "PutFunctionCodeSigningConfig" };
        input.insert("FunctionName".to_owned(), name.into());
        task.door.call("lambda", operation, Value::Object(input)).await?;
    }
    if task.changes(&["Code", "Architectures"]) {
        let mut input = code(task)?;
        let members = input.as_object_mut().ok_or_else(|| Error::internal("code is an object"))?;
        members.insert("FunctionName".to_owned(), name.into());
        members.extend(task.pick(&["Architectures"]));
        task.door.call("lambda", "UpdateFunctionCode", input).await?;
    }
    if task.changes(&CONFIGURATION) || task.changes(&["KmsKeyArn"]) {
        let mut input = task.pick(&CONFIGURATION);
        input.extend(key(task));
        // What the template no longer says goes back to its default.
        let defaults = [
            ("Description", json!("")),
            ("Timeout", json!(3)),
            ("MemorySize", json!(128)),
            ("Environment", json!({"Variables": {}})),
            ("DeadLetterConfig", json!({"TargetArn": ""})),
            ("EphemeralStorage", json!({"Size": 512})),
            ("KMSKeyArn", json!("")),
            ("Layers", json!([])),
            ("TracingConfig", json!({"Mode": "PassThrough"})),
            ("VpcConfig", json!({"SubnetIds": [], "SecurityGroupIds": []})),
        ];
        for (property, default) in defaults {
            input.entry(property).or_insert(default);
        }
        input.insert("FunctionName".to_owned(), name.into());
        task.door.call("lambda", "UpdateFunctionConfiguration", Value::Object(input)).await?;
    }
    if task.changes(&["ReservedConcurrentExecutions"]) {
        reserve(task, name).await?;
    }
    set_recursion(task, name).await?;
    manage_runtime(task, name).await?;
    let arn = task.door.scope.arn("lambda", format_args!("function:{name}"));
    let names = TagNames { arn: "Resource", tags: "Tags", keys: "TagKeys", as_map: true };
    task.retag("lambda", &arn, names).await?;
    Ok(Made::new(name, [("Arn", arn.into())]))
}

/// The key, as Lambda writes the name of its member.
fn key(task: &Task<'_>) -> Option<(String, Value)> {
    task.properties.get("KmsKeyArn").map(|key| ("KMSKeyArn".to_owned(), key.clone()))
}

/// Reserves the concurrency that the template says; gives back what it no longer says.
async fn reserve(task: &Task<'_>, name: &str) -> Result<()> {
    let mut input = task.pick(&["ReservedConcurrentExecutions"]);
    let operation = match (input.is_empty(), task.old.contains_key("ReservedConcurrentExecutions")) {
        (true, false) => return Ok(()),
        (true, true) => "DeleteFunctionConcurrency",
        (false, _) => "PutFunctionConcurrency",
    };
    input.insert("FunctionName".to_owned(), name.into());
    task.door.call("lambda", operation, Value::Object(input)).await.map(drop)
}

/// `RecursiveLoop`, where the template says it or said it.
async fn set_recursion(task: &Task<'_>, name: &str) -> Result<()> {
    if !task.changes(&["RecursiveLoop"]) {
        return Ok(());
    }
    let wanted = task.properties.get("RecursiveLoop").cloned().unwrap_or_else(|| "Terminate".into());
    let input = json!({ "FunctionName": name, "RecursiveLoop": wanted });
    task.door.call("lambda", "PutFunctionRecursionConfig", input).await.map(drop)
}

/// `RuntimeManagementConfig`, where the template says it or said it.
async fn manage_runtime(task: &Task<'_>, name: &str) -> Result<()> {
    if !task.changes(&["RuntimeManagementConfig"]) {
        return Ok(());
    }
    let wanted = task.get("RuntimeManagementConfig");
    let mut input = wanted.as_object().cloned().unwrap_or_default();
    input.entry("UpdateRuntimeOn").or_insert_with(|| "Auto".into());
    input.insert("FunctionName".to_owned(), name.into());
    task.door.call("lambda", "PutRuntimeManagementConfig", Value::Object(input)).await.map(drop)
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("lambda", "DeleteFunction", json!({ "FunctionName": task.physical_id })).await.map(drop)
}

/// Inline code is the text of a source file, which goes into an archive under the name that its runtime looks for.
fn code(task: &Task<'_>) -> Result<Value> {
    let code = task.get("Code");
    let Some(text) = code.get("ZipFile").and_then(Value::as_str) else { return Ok(code) };
    if text.len() > INLINE_LIMIT {
        return Err(Error::client(
            "InvalidRequest",
            format!(
                "Model validation failed (#/Code/ZipFile: expected maxLength: {INLINE_LIMIT}, actual: {})",
                text.len()
            ),
        ));
    }
    let runtime = task.get("Runtime");
    let (name, module) = match runtime.as_str().unwrap_or_default() {
        python if python.starts_with("python") => ("index.py", PYTHON_MODULE),
        node if node.starts_with("nodejs") => ("index.js", NODE_MODULE),
        other => {
            let text = format!("ZipFile can only be used with Node.js and Python runtimes, not with {other:?}");
            return Err(Error::client("InvalidRequest", text));
        }
    };
    let mut files = vec![(name, text.as_bytes())];
    let (import, module, source) = module;
    if text.contains(import) {
        files.push((module, source.as_bytes()));
    }
    Ok(json!({ "ZipFile": STANDARD.encode(crate::lambda::archive_of(&files)) }))
}
