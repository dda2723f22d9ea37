//! Deploying a template in one go, as tests and scenarios do: `cloud.deploy("stack", text, &parameters)`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::template::{OutputDef, ParameterDef, ResourceDef, Template, parse};
use crate::cloud::{Call, Caller, Cloud};
use crate::lambda::LOCAL_CODE;
use crate::{Error, Result};

/// The outputs of a stack: key and value.
pub type StackOutputs = BTreeMap<String, String>;

impl Cloud {
    /// Makes or updates a stack from a template, as the account's root user and with all capabilities, and waits until that is
    /// done. Code that a SAM template looks for on this machine (`CodeUri: ./path`) is not read: the code of functions in this
    /// process is registered by their names, see [`crate::cloud::CloudBuilder::function`].
    ///
    /// # Errors
    /// What CloudFormation refuses the template with; `StackFailed`, with the reasons of everything that failed, if the stack is
    /// not complete in the end.
    pub async fn deploy(
        &self,
        stack_name: &str,
        template: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<StackOutputs> {
        let parameters: Vec<Value> =
            parameters.iter().map(|(key, value)| json!({ "ParameterKey": key, "ParameterValue": value })).collect();
        let input = json!({
            "StackName": stack_name,
            "TemplateBody": local_template(template)?,
            "Parameters": parameters,
            "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        });
        let exists = self.cloudformation("DescribeStacks", json!({ "StackName": stack_name })).await.is_ok();
        let operation = if exists { "UpdateStack" } else { "CreateStack" };
        match self.cloudformation(operation, input).await {
            // What is there already need not be made.
            Err(error) if error.message() == "No updates are to be performed." => {}
            outcome => {
                outcome?;
            }
        }
        self.settle().await.map_err(Error::internal)?;
        self.deployed(stack_name).await
    }

    async fn cloudformation(&self, operation: &str, input: Value) -> Result<Value> {
        let scope = self.scope().clone();
        let caller = Caller::root(&scope.account);
        Ok(self.call(Call::new("cloudformation", operation, caller, scope, input)).await?.output)
    }

    async fn deployed(&self, stack_name: &str) -> Result<StackOutputs> {
        let name = json!({ "StackName": stack_name });
        let described = self.cloudformation("DescribeStacks", name.clone()).await?;
        let stack = &described["Stacks"][0];
        let status = stack["StackStatus"].as_str().unwrap_or_default();
        if matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE") {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let outputs = stack["Outputs"].as_array().into_iter().flatten();
            return Ok(outputs.map(|output| (text(&output["OutputKey"]), text(&output["OutputValue"]))).collect());
        }
        let described = self.cloudformation("DescribeStackEvents", name).await?;
        let events = described["StackEvents"].as_array().into_iter().flatten();
        let mut reasons: Vec<String> = events.filter_map(failure).collect();
        reasons.reverse();
        let reason = stack["StackStatusReason"].as_str().unwrap_or_default();
        let text = format!("the stack {stack_name} is {status} ({reason})\n{}", reasons.join("\n"));
        Err(Error::client("StackFailed", text))
    }
}

/// `LogicalId (Type): reason`, of an event that tells a failure.
fn failure(event: &Value) -> Option<String> {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let failed =
        text("ResourceStatus").ends_with("_FAILED") || text("ResourceStatus").ends_with("ROLLBACK_IN_PROGRESS");
    let (id, kind, reason) = (text("LogicalResourceId"), text("ResourceType"), text("ResourceStatusReason"));
    failed.then(|| format!("{id} ({kind}) {}: {reason}", text("ResourceStatus")))
}

/// The same template, as JSON, with the code that it looks for on this machine replaced by a place in S3 that nobody reads, as
/// `sam package` and `aws cloudformation package` do with a real one.
///
/// # Errors
/// As [`parse`].
pub fn local_template(text: &str) -> Result<String> {
    let mut template = parse(text)?;
    if let Some(code) = template.globals.as_mut().and_then(|globals| globals.pointer_mut("/Function/CodeUri")) {
        package_uri(code);
    }
    for (_, resource) in &mut template.resources {
        match resource.kind.as_str() {
            "AWS::Serverless::Function" => {
                if let Some(code) = resource.properties.get_mut("CodeUri") {
                    package_uri(code);
                }
            }
            "AWS::Serverless::LayerVersion" => {
                if let Some(content) = resource.properties.get_mut("ContentUri") {
                    package_uri(content);
                }
            }
            "AWS::Lambda::Function" | "AWS::Lambda::LayerVersion" => {
                if let Some(code) =
                    resource.properties.get_mut(if resource.kind.ends_with("Function") { "Code" } else { "Content" })
                    && let Value::String(path) = code
                {
                    *code = json!({ "S3Bucket": LOCAL_CODE, "S3Key": key(path) });
                }
            }
            _ => {}
        }
    }
    Ok(serde_json::to_string(&written(&template))?)
}

fn package_uri(code: &mut Value) {
    if let Value::String(uri) = code
        && !uri.starts_with("s3://")
    {
        *uri = format!("s3://{LOCAL_CODE}/{}", key(uri));
    }
}

/// A local path as the key of an object.
fn key(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    if parts.is_empty() { "code".to_owned() } else { parts.join("/") }
}

/// A template as the JSON that CloudFormation reads.
pub(super) fn written(template: &Template) -> Value {
    let section = |members: Map<String, Value>| if members.is_empty() { Value::Null } else { Value::Object(members) };
    let parameters = template.parameters.iter().map(|(name, def)| (name.clone(), parameter(def))).collect();
    let resources = template.resources.iter().map(|(id, def)| (id.clone(), resource(def))).collect();
    let outputs = template.outputs.iter().map(|(name, def)| (name.clone(), output(def))).collect();
    let transforms: Value = if template.transforms.is_empty() { Value::Null } else { json!(template.transforms) };
    present(json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": template.description,
        "Transform": transforms,
        "Metadata": template.metadata,
        "Globals": template.globals,
        "Parameters": section(parameters),
        "Mappings": section(template.mappings.clone()),
        "Conditions": section(template.conditions.clone()),
        "Resources": section(resources),
        "Outputs": section(outputs),
    }))
}

fn parameter(def: &ParameterDef) -> Value {
    let allowed = if def.allowed_values.is_empty() { Value::Null } else { json!(def.allowed_values) };
    present(json!({
        "Type": def.kind,
        "Default": def.default,
        "AllowedValues": allowed,
        "AllowedPattern": def.allowed_pattern,
        "MinLength": def.min_length,
        "MaxLength": def.max_length,
        "MinValue": def.min_value,
        "MaxValue": def.max_value,
        "ConstraintDescription": def.constraint_description,
        "Description": def.description,
        "NoEcho": def.no_echo.then_some(true),
    }))
}

fn resource(def: &ResourceDef) -> Value {
    let depends_on = if def.depends_on.is_empty() { Value::Null } else { json!(def.depends_on) };
    let mut written = present(json!({
        "Type": def.kind,
        "Properties": def.properties,
        "DependsOn": depends_on,
        "Condition": def.condition,
        "DeletionPolicy": def.deletion_policy,
        "UpdateReplacePolicy": def.update_replace_policy,
    }));
    if let Value::Object(members) = &mut written {
        members.extend(def.attributes.clone());
    }
    written
}

fn output(def: &OutputDef) -> Value {
    let export = def.export_name.as_ref().map(|name| json!({ "Name": name }));
    present(json!({
        "Value": def.value,
        "Description": def.description,
        "Export": export,
        "Condition": def.condition,
    }))
}

/// Without the members that are null.
fn present(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}
