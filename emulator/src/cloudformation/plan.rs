//! From a caller's template and values to a definition: everything that can be checked before anything is made.

use std::collections::BTreeMap;

use imbl::OrdMap;
use serde::Deserialize;

use super::lookup::{Known, Values, check_mappings, pseudo};
use super::state::{Definition, Tag};
use super::stored::Body;
use super::template::resolve::Scope as Names;
use super::template::{
    MAX_TEMPLATE_BYTES, ResourceDef, Template, conditions, dependencies, parameters, parse, parse_extended, rules, sam,
    validation_error,
};
use super::{capabilities, types};
use crate::cloud::Scope;
use crate::{Error, Result};

/// A value for a parameter, as `CreateStack` takes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Parameter {
    parameter_key: String,
    parameter_value: Option<String>,
    use_previous_value: Option<bool>,
}

/// What a definition is made from.
pub(super) struct Wanted<'a> {
    pub body: Body,
    pub parameters: &'a [Parameter],
    pub capabilities: Vec<String>,
    pub tags: Vec<Tag>,
    pub role_arn: Option<String>,
    /// What the stack is made from now, if it is to be updated.
    pub previous: Option<&'a Definition>,
    /// The values of Parameter Store that it wants, by their names there.
    pub stored: BTreeMap<String, String>,
    /// Whether macros need an acknowledgement: not in change sets, which show what comes of them.
    pub expands: bool,
}

/// Checks a template with its values.
///
/// # Errors
/// `ValidationError` and `InsufficientCapabilitiesException` with AWS's texts; `NotImplemented` for what Garoa refuses.
pub(super) fn define(scope: &Scope, name: &str, id: &str, wanted: Wanted<'_>) -> Result<Definition> {
    let declared = extended(scope, (name, id), read(wanted.body.text())?, &wanted)?;
    let template = sam::transform(&declared)?;
    dependencies::check(&template)?;
    let order = dependencies::order(&template)?;
    let given = given(&template, wanted.parameters, wanted.previous)?;
    let values = parameters::values(&template, &given, &|name| wanted.stored.get(name).cloned())?;
    let pseudo = pseudo(scope, name, id);
    let (no_resources, no_exports, no_conditions) = (OrdMap::new(), BTreeMap::new(), BTreeMap::new());
    let known = Known::new(scope, &no_resources, &no_exports);
    let names = Names {
        template: &template,
        parameters: &values,
        pseudo: &pseudo,
        conditions: &no_conditions,
        resources: &known,
    };
    rules::check(&template, &names)?;
    let conditions = conditions::evaluate(&template, &names)?;
    let transforms = [wanted.body.transforms, declared.transforms].concat();
    capabilities::check(&template, &wanted.capabilities, wanted.expands && !transforms.is_empty())?;
    let exists = |id: &String| {
        let condition = template.resource(id).and_then(|resource| resource.condition.as_ref());
        condition.is_none_or(|condition| conditions.get(condition).copied().unwrap_or_default())
    };
    let order: Vec<String> = order.into_iter().filter(exists).collect();
    let names = Values { template: &template, parameters: &values, conditions: &conditions, pseudo: &pseudo };
    let template = template.clone().with_policies(|value| names.resolve(value, &known))?;
    let names = Values { template: &template, ..names };
    check_mappings(scope, &order, &names)?;
    for id in &order {
        if let Some(resource) = template.resource(id) {
            check_resource(id, resource)?;
        }
    }
    Ok(Definition {
        body: wanted.body.original,
        transforms,
        given,
        values,
        conditions,
        order,
        capabilities: wanted.capabilities,
        tags: wanted.tags,
        role_arn: wanted.role_arn,
        template,
    })
}

/// The definition of a template that a transform failed to make: nothing is known of what it would hold.
pub(super) fn unread(wanted: Wanted<'_>) -> Definition {
    Definition {
        body: wanted.body.original,
        capabilities: wanted.capabilities,
        tags: wanted.tags,
        role_arn: wanted.role_arn,
        ..Definition::default()
    }
}

/// The template with its loops unrolled, if it asks for that.
fn extended(scope: &Scope, (name, id): (&str, &str), declared: Template, wanted: &Wanted<'_>) -> Result<Template> {
    if !declared.is_extended() {
        return Ok(declared);
    }
    let given = given(&declared, wanted.parameters, wanted.previous)?;
    let mut values = parameters::values(&declared, &given, &|name| wanted.stored.get(name).cloned())?;
    // What must not be shown is not written into the template.
    values.retain(|name, _| declared.parameter(name).is_none_or(|parameter| !parameter.no_echo));
    let pseudo = pseudo(scope, name, id);
    let (no_resources, no_exports, no_conditions) = (OrdMap::new(), BTreeMap::new(), BTreeMap::new());
    let known = Known::new(scope, &no_resources, &no_exports);
    let names =
        |conditions| Names { template: &declared, parameters: &values, pseudo: &pseudo, conditions, resources: &known };
    let conditions = conditions::evaluate(&declared, &names(&no_conditions))?;
    parse_extended(wanted.body.text(), &names(&conditions))
}

/// Reads the text of a template.
pub(super) fn read(body: &str) -> Result<Template> {
    if body.len() > MAX_TEMPLATE_BYTES {
        return Err(validation_error(format!("Template may not exceed {MAX_TEMPLATE_BYTES} bytes in size.")));
    }
    parse(body)
}

/// The values that were sent, with previous ones where the caller says so.
pub(super) fn given(
    template: &Template,
    sent: &[Parameter],
    previous: Option<&Definition>,
) -> Result<BTreeMap<String, String>> {
    let mut given = BTreeMap::new();
    for parameter in sent {
        let name = &parameter.parameter_key;
        let value = match (&parameter.parameter_value, parameter.use_previous_value.unwrap_or_default()) {
            (Some(_), true) => {
                let text = format!(
                    "Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non empty value for a parameter"
                );
                return Err(validation_error(text));
            }
            (Some(value), false) => Some(value.clone()),
            (None, false) => {
                let text = format!(
                    "Invalid input for parameter key {name}. Need to specify either usePreviousValue as true or a value for the parameter"
                );
                return Err(validation_error(text));
            }
            (None, true) => match previous {
                Some(previous) => previous.given.get(name).cloned().or_else(|| default_of(&previous.template, name)),
                None => {
                    let text = format!(
                        "Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template"
                    );
                    return Err(validation_error(text));
                }
            },
        };
        if value.is_none() && template.parameter(name).is_none_or(|parameter| parameter.default.is_none()) {
            return Err(validation_error(format!("Parameters: [{name}] must have values")));
        }
        given.extend(value.map(|value| (name.clone(), value)));
    }
    Ok(given)
}

fn default_of(template: &Template, name: &str) -> Option<String> {
    template.parameter(name).and_then(|parameter| parameter.default.clone())
}

/// Refuses types, properties and attributes that are not honoured, by name.
fn check_resource(id: &str, resource: &ResourceDef) -> Result<()> {
    let ResourceDef { kind, .. } = resource;
    if !kind.contains("::") {
        return Err(validation_error(format!("Template format error: Unrecognized resource types: [{kind}]")));
    }
    let Some(known) = types::find(kind) else {
        return Err(Error::not_implemented(format_args!("the CloudFormation resource type {kind} (resource {id})")));
    };
    for name in resource.properties.keys() {
        if known.property(name).is_none() {
            return Err(Error::not_implemented(format_args!("property {name} of {kind} (resource {id})")));
        }
    }
    for name in ["CreationPolicy", "UpdatePolicy"] {
        if resource.attributes.contains_key(name) {
            return Err(Error::not_implemented(format_args!("{name} of resource {id} ({kind})")));
        }
    }
    for policy in [&resource.deletion_policy, &resource.update_replace_policy].into_iter().flatten() {
        if policy == "Snapshot" {
            let text = format!("Template error: resource type {kind} does not support deletion policy Snapshot");
            return Err(validation_error(text));
        }
    }
    Ok(())
}
