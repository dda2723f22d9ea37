//! What an update would change: the list of a change set, and whether there is anything to do at all.

use std::collections::BTreeMap;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lookup::{Known, Values, complete, pseudo};
use super::state::{Definition, Resource, Stack};
use super::types;
use crate::cloud::Scope;

/// Stands for what only the update will tell.
const UNKNOWN: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// `Change` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Change {
    r#type: String,
    pub resource_change: ResourceChange,
}

/// `ResourceChange` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResourceChange {
    pub action: String,
    pub logical_resource_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    physical_resource_id: Option<String>,
    resource_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replacement: Option<String>,
    scope: Vec<String>,
    details: Vec<Detail>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    target: ChangeTarget,
    evaluation: String,
    change_source: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeTarget {
    attribute: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    requires_recreation: String,
}

/// Whether the definition differs from the stack in anything that an update would change.
pub(super) fn has_any(scope: &Scope, stack: &Stack, wanted: &Definition, exports: &BTreeMap<String, String>) -> bool {
    let before = &stack.definition;
    let policies = |definition: &Definition| -> Vec<_> {
        let of = |id: &String| {
            let resource = definition.template.resource(id)?;
            Some((
                id.clone(),
                resource.deletion_policy.clone(),
                resource.update_replace_policy.clone(),
                resource.attributes.clone(),
            ))
        };
        definition.order.iter().filter_map(of).collect()
    };
    let outputs = |definition: &Definition| {
        let pseudo = pseudo(scope, &stack.name, &stack.id);
        let values = values(definition, &pseudo);
        let known = Known::new(scope, &stack.resources, exports);
        let of = |value: &Value| values.resolve(value, &known).unwrap_or_else(|_| UNKNOWN.into());
        let exists = |condition: &Option<String>| {
            condition.as_ref().is_none_or(|condition| definition.conditions.get(condition) == Some(&true))
        };
        let all = definition.template.outputs.iter().filter(|(_, output)| exists(&output.condition));
        all.map(|(name, output)| {
            (name.clone(), of(&output.value), output.export_name.as_ref().map(of), output.description.clone())
        })
        .collect::<Vec<_>>()
    };
    !changes(scope, stack, wanted, exports).is_empty()
        || before.tags != wanted.tags
        || sorted(policies(before)) != sorted(policies(wanted))
        || sorted(outputs(before)) != sorted(outputs(wanted))
}

/// The order of a template's members means nothing.
fn sorted<T: std::fmt::Debug>(mut items: Vec<T>) -> Vec<String> {
    let mut texts: Vec<String> = items.drain(..).map(|item| format!("{item:?}")).collect();
    texts.sort();
    texts
}

fn values<'a>(definition: &'a Definition, pseudo: &'a super::template::resolve::Pseudo) -> Values<'a> {
    Values {
        template: &definition.template,
        parameters: &definition.values,
        conditions: &definition.conditions,
        pseudo,
    }
}

/// What becomes of each resource.
pub(super) fn changes(
    scope: &Scope,
    stack: &Stack,
    wanted: &Definition,
    exports: &BTreeMap<String, String>,
) -> Vec<Change> {
    let pseudo = pseudo(scope, &stack.name, &stack.id);
    let values = values(wanted, &pseudo);
    // As they will be, as far as that is known.
    let mut resources = stack.resources.clone();
    let mut all = Vec::new();
    for id in &wanted.order {
        let Some(declared) = wanted.template.resource(id) else { continue };
        let Some(existing) = stack.resources.get(id).filter(|resource| resource.exists()) else {
            all.push(change("Add", id, None, &declared.kind, None, Vec::new()));
            continue;
        };
        let properties = evaluated(&declared.properties, &values, &Known::new(scope, &resources, exports));
        let properties = complete(&declared.kind, Value::Object(properties), &wanted.tags);
        let (details, replacement) = compare(existing, &declared.kind, &properties);
        if details.is_empty() && existing.kind == declared.kind {
            continue;
        }
        if replacement != "False" {
            forget(&mut resources, id);
        }
        let physical = existing.physical_id.as_deref();
        all.push(change("Modify", id, physical, &declared.kind, Some(replacement), details));
    }
    for resource in stack.resources.values().filter(|resource| resource.exists()) {
        if !wanted.order.contains(&resource.logical_id) {
            let physical = resource.physical_id.as_deref();
            all.push(change("Remove", &resource.logical_id, physical, &resource.kind, None, Vec::new()));
        }
    }
    all
}

/// Each property by itself, for one may be known where another is not.
fn evaluated(properties: &Map<String, Value>, values: &Values<'_>, known: &Known<'_>) -> Map<String, Value> {
    let of = |value: &Value| values.resolve(value, known).unwrap_or_else(|_| UNKNOWN.into());
    properties.iter().map(|(name, value)| (name.clone(), of(value))).collect()
}

/// A resource that is made anew has an unknown name.
fn forget(resources: &mut OrdMap<String, Resource>, id: &str) {
    if let Some(resource) = resources.get_mut(id) {
        resource.physical_id = Some(UNKNOWN.to_owned());
        for value in resource.attributes.values_mut() {
            *value = UNKNOWN.into();
        }
    }
}

fn compare(existing: &Resource, kind: &str, wanted: &Map<String, Value>) -> (Vec<Detail>, &'static str) {
    let mut details = Vec::new();
    let mut replacement = if existing.kind == kind { "False" } else { "True" };
    let names = existing.properties.keys().chain(wanted.keys().filter(|name| !existing.properties.contains_key(*name)));
    for name in names.filter(|name| existing.properties.get(*name) != wanted.get(*name)) {
        let property = types::find(kind).and_then(|kind| kind.property(name));
        let recreates = property.is_some_and(|property| property.change == types::Change::Replacement);
        let is_unknown = wanted.get(name).is_some_and(|value| value.to_string().contains(UNKNOWN));
        let requires_recreation = match (recreates, is_unknown) {
            (false, _) => "Never",
            (true, true) => "Conditionally",
            (true, false) => "Always",
        };
        match requires_recreation {
            "Always" => replacement = "True",
            "Conditionally" if replacement == "False" => replacement = "Conditional",
            _ => {}
        }
        let is_tags = name == "Tags";
        details.push(Detail {
            target: ChangeTarget {
                attribute: if is_tags { "Tags" } else { "Properties" }.to_owned(),
                name: (!is_tags).then(|| name.clone()),
                requires_recreation: requires_recreation.to_owned(),
            },
            evaluation: if is_unknown { "Dynamic" } else { "Static" }.to_owned(),
            change_source: "DirectModification".to_owned(),
        });
    }
    (details, replacement)
}

fn change(
    action: &str,
    id: &str,
    physical_id: Option<&str>,
    kind: &str,
    replacement: Option<&str>,
    details: Vec<Detail>,
) -> Change {
    let mut scope: Vec<String> = details.iter().map(|detail| detail.target.attribute.clone()).collect();
    scope.sort();
    scope.dedup();
    Change {
        r#type: "Resource".to_owned(),
        resource_change: ResourceChange {
            action: action.to_owned(),
            logical_resource_id: id.to_owned(),
            physical_resource_id: physical_id.map(str::to_owned),
            resource_type: kind.to_owned(),
            replacement: replacement.map(str::to_owned),
            scope,
            details,
        },
    }
}
