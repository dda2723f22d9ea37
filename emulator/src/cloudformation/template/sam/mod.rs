//! The SAM transform (`AWS::Serverless-2016-10-31`): serverless resources as plain CloudFormation ones.
//!
//! Follows the "AWS SAM resource and property reference" and the logical ids that "Generated CloudFormation resources"
//! lists. Implemented: `AWS::Serverless::Function` with events `Api`, `CloudWatchEvent`, `CloudWatchLogs`,
//! `DynamoDB`, `EventBridgeRule`, `HttpApi`, `Kinesis`, `S3`, `Schedule`, `ScheduleV2`, `SNS` and `SQS`, versions and aliases, `AWS::Serverless::Api`, `AWS::Serverless::HttpApi`,
//! `AWS::Serverless::LayerVersion`, `AWS::Serverless::SimpleTable`, and `Globals` for them. Everything else is refused by name.

use serde_json::{Map, Value, json};

use super::{ResourceDef, SAM_TRANSFORM, Template, validation_error};
use crate::{Error, Result};

mod alias;
mod api;
mod authorizers;
mod cors;
mod events;
mod function;
mod globals;
mod http_api;
mod http_auth;
mod layer;
mod policies;
mod rename;
mod role;
mod s3;
mod table;
#[cfg(test)]
mod tests;
mod url;

use alias::Aliases;

/// Turns a function's local `CodeUri` into its `Code` property, as `sam package` does before a deployment: given the
/// logical id and the path; `None` if there is no such code.
pub type Package<'a> = dyn Fn(&str, &str) -> Option<Value> + 'a;

/// Applies the transform, if the template asks for it, to a template whose `CodeUri`s point to S3.
///
/// # Errors
/// As [`transform_with`]; a local `CodeUri` is one.
pub fn transform(template: &Template) -> Result<Template> {
    transform_with(template, &|_, _| None)
}

/// Applies the transform; `package` provides the code behind a local `CodeUri`.
///
/// # Errors
/// `ValidationError`, "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification
/// document. …", and `NotImplemented` for what Garoa refuses.
pub fn transform_with(template: &Template, package: &Package<'_>) -> Result<Template> {
    if !template.is_sam() {
        return Ok(template.clone());
    }
    let globals = globals::read(template.globals.as_ref()).map_err(failed_document)?;
    let mut out = Template { transforms: Vec::new(), globals: None, resources: Vec::new(), ..template.clone() };
    let (mut problems, mut renamed) = (Vec::new(), rename::Renamed::new());
    let aliases = Aliases::of(template, &globals).map_err(failed_document)?;
    let rest = api::routes(template, &aliases).map_err(failed_document)?;
    let http = http_api::routes(template, &aliases).map_err(failed_document)?;
    for (id, resource) in &template.resources {
        match expand(id, resource, &globals, (&rest, &http, &aliases), (package, &mut renamed)) {
            Ok(resources) => out.resources.extend(resources),
            Err(error) if error.is_client_fault() => problems.push(error.message().to_owned()),
            Err(error) => return Err(error),
        }
    }
    out.resources.extend(api::implicit(&rest, &globals).map_err(failed_document)?);
    out.resources.extend(http_api::implicit(&http, &globals).map_err(failed_document)?);
    problems.extend(s3::notify(template, &aliases, &mut out));
    rename::rename(&mut out, &renamed);
    for (place, (id, _)) in out.resources.iter().enumerate() {
        if out.resources.iter().take(place).any(|(other, _)| other == id) {
            problems.push(format!("Resource with id [{id}] is invalid. Another resource has the same id"));
        }
    }
    if problems.is_empty() { Ok(out) } else { Err(failed_resources(&problems)) }
}

fn expand(
    id: &str,
    resource: &ResourceDef,
    globals: &globals::Globals,
    (rest, http, aliases): (&[api::Route], &[http_api::Route], &Aliases),
    (package, renamed): (&Package<'_>, &mut rename::Renamed),
) -> Result<Vec<(String, ResourceDef)>> {
    let Some(kind) = resource.kind.strip_prefix("AWS::Serverless::") else {
        return Ok(vec![(id.to_owned(), resource.clone())]);
    };
    let merged = ResourceDef { properties: globals.merge(kind, &resource.properties), ..resource.clone() };
    match kind {
        "Function" => {
            let mut resources = function::expand(&aliases.invoked(id), &merged, package, renamed)?;
            let of_rest = rest.iter().filter(|route| route.invoked.function == id).map(api::permission);
            let of_http = http.iter().filter(|route| route.invoked.function == id).map(http_api::Route::permission);
            for (name, permission) in of_rest.chain(of_http) {
                resources.push((name, generated(&merged, "AWS::Lambda::Permission", permission)));
            }
            Ok(resources)
        }
        "Api" => api::expand(id, &merged, rest),
        "HttpApi" => http_api::expand(id, &merged, http),
        "LayerVersion" => layer::expand(id, &merged, package, renamed),
        "SimpleTable" => table::expand(id, &merged),
        _ => Err(Error::not_implemented(format_args!("the SAM resource type {} (resource {id})", resource.kind))),
    }
}

fn failed_document(error: Error) -> Error {
    if error.is_client_fault() { failed_resources(&[error.message().to_owned()]) } else { error }
}

fn failed_resources(problems: &[String]) -> Error {
    validation_error(format!(
        "Transform {SAM_TRANSFORM} failed with: Invalid Serverless Application Specification document. Number of \
         errors found: {}. {}",
        problems.len(),
        problems.join(" ")
    ))
}

/// "Resource with id [X] is invalid. …"
fn invalid(id: &str, text: impl std::fmt::Display) -> Error {
    validation_error(format!("Resource with id [{id}] is invalid. {text}"))
}

/// "… Event with id [Y] is invalid. …"
fn invalid_event(id: &str, event: &str, text: impl std::fmt::Display) -> Error {
    invalid(id, format_args!("Event with id [{event}] is invalid. {text}"))
}

/// A generated resource of a type, with the properties that are not null.
fn generated(parent: &ResourceDef, kind: &str, properties: Value) -> ResourceDef {
    let Value::Object(mut properties) = properties else { return ResourceDef::default() };
    properties.retain(|_, value| !value.is_null());
    ResourceDef {
        kind: kind.to_owned(),
        properties,
        condition: parent.condition.clone(),
        deletion_policy: parent.deletion_policy.clone(),
        update_replace_policy: parent.update_replace_policy.clone(),
        ..ResourceDef::default()
    }
}

/// `Fn::GetAtt` of a resource's `Arn`.
fn arn_of(id: &str) -> Value {
    json!({"Fn::GetAtt": [id, "Arn"]})
}

/// SAM's map of tags as CloudFormation's list.
fn tag_list(id: &str, tags: Option<&Value>) -> Result<Vec<Value>> {
    match tags {
        None => Ok(Vec::new()),
        Some(Value::Object(tags)) => Ok(tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()),
        Some(_) => Err(invalid(id, "Type of property 'Tags' is invalid.")),
    }
}

/// Whether a value is a function call, which SAM treats as a scalar. `Condition` counts as one.
fn is_intrinsic(value: &Value) -> bool {
    super::call(value).is_some()
        || value.as_object().is_some_and(|members| members.len() == 1 && members.contains_key("Condition"))
}

/// Refuses properties that SAM does not know (its text) and those that Garoa does not honour (by name).
fn check_properties(
    id: &str,
    kind: &str,
    properties: &Map<String, Value>,
    known: &[&str],
    refused: &[&str],
) -> Result<()> {
    for name in properties.keys().map(String::as_str) {
        if refused.contains(&name) {
            return Err(Error::not_implemented(format_args!("property {name} of {kind} (resource {id})")));
        }
        if !known.contains(&name) {
            return Err(invalid(id, format_args!("property {name} not defined for resource of type {kind}")));
        }
    }
    Ok(())
}
