//! What an update would change: the list of a change set, and whether there is anything to do at all.

use std::collections::{BTreeMap, BTreeSet};

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::causes::Changed;
use super::lookup::{Known, UNKNOWN, Values, complete, pseudo};
use super::state::{Definition, Resource, Stack};
use super::template::{EXPANDED_DEPTH, ResourceDef};
use super::types;
use crate::cloud::Scope;

/// `Change` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Change {
    r#type: String,
    pub resource_change: ResourceChange,
}

/// `ResourceChange` of the API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResourceChange {
    pub action: String,
    pub logical_resource_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    physical_resource_id: Option<String>,
    resource_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replacement: Option<String>,
    /// What becomes of the resource that is no longer wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy_action: Option<String>,
    scope: Vec<String>,
    details: Vec<Detail>,
    /// The resource before and after, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before_context: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_context: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    target: ChangeTarget,
    evaluation: String,
    change_source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    causing_entity: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeTarget {
    attribute: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    requires_recreation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before_value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attribute_change_type: Option<String>,
}

impl Change {
    /// The change with values (`IncludePropertyValues`): then AWS leaves out what may come of another resource's change, for
    /// the values tell that they stay as they are. `None` if nothing else is left of it.
    pub fn with_values(mut self) -> Option<Self> {
        let details = &mut self.resource_change.details;
        let is_dependent = !details.is_empty() && details.iter().all(|detail| detail.target.path.is_none());
        details.retain(|detail| detail.target.path.is_some());
        (!is_dependent).then_some(self)
    }

    /// The same without what is told only to those who ask for values (`IncludePropertyValues`).
    pub fn without_values(mut self) -> Self {
        let change = &mut self.resource_change;
        (change.before_context, change.after_context) = (None, None);
        for detail in &mut change.details {
            let target = &mut detail.target;
            (target.path, target.attribute_change_type) = (None, None);
            (target.before_value, target.after_value) = (None, None);
        }
        self
    }
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
        let known = Known::new(scope, &stack.resources, exports).open();
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
    let mut changed = Changed { parameters: parameters(&stack.definition, wanted), ..Changed::default() };
    // Those that change in place: an attribute of theirs may be another afterwards.
    let mut updated = Changed::default();
    let mut all = Vec::new();
    for id in &wanted.order {
        let Some(declared) = wanted.template.resource(id) else { continue };
        let properties = evaluated(&declared.properties, &values, &Known::new(scope, &resources, exports).open());
        let properties = complete(&declared.kind, Value::Object(properties), &wanted.tags);
        let Some(existing) = stack.resources.get(id).filter(|resource| resource.exists()) else {
            changed.resources.insert(id.clone());
            all.push(ResourceChange { after_context: Some(context(&properties)), ..change("Add", id, &declared.kind) });
            continue;
        };
        let (mut details, mut replacement) = compare(existing, declared, &properties, &changed);
        let is_replaced = replacement != "False";
        details.extend(dependent(declared, &updated));
        if details.is_empty() && existing.kind == declared.kind {
            continue;
        }
        if !is_replaced && details.iter().any(|detail| detail.target.requires_recreation != "Never") {
            replacement = "Conditional";
        }
        if is_replaced {
            forget(&mut resources, id);
            changed.resources.insert(id.clone());
        } else {
            updated.resources.insert(id.clone());
        }
        let policy = policy_action("ReplaceAnd", declared.update_replace_policy.as_deref());
        let mut scope: Vec<String> = details.iter().map(|detail| detail.target.attribute.clone()).collect();
        scope.sort();
        scope.dedup();
        all.push(ResourceChange {
            physical_resource_id: existing.physical_id.clone(),
            replacement: Some(replacement.to_owned()),
            policy_action: is_replaced.then_some(policy),
            scope,
            details,
            before_context: Some(context(&existing.properties)),
            after_context: Some(context(&properties)),
            ..change("Modify", id, &declared.kind)
        });
    }
    for resource in stack.resources.values().filter(|resource| resource.exists()) {
        if !wanted.order.contains(&resource.logical_id) {
            all.push(ResourceChange {
                physical_resource_id: resource.physical_id.clone(),
                policy_action: Some(policy_action("", resource.deletion_policy.as_deref())),
                before_context: Some(context(&resource.properties)),
                ..change("Remove", &resource.logical_id, &resource.kind)
            });
        }
    }
    all.into_iter().map(|resource_change| Change { r#type: "Resource".to_owned(), resource_change }).collect()
}

/// The parameters that have another value than they had.
fn parameters(before: &Definition, wanted: &Definition) -> BTreeSet<String> {
    let other = wanted.values.iter().filter(|(name, value)| before.values.get(*name) != Some(*value));
    other.map(|(name, _)| name.clone()).collect()
}

fn policy_action(prefix: &str, policy: Option<&str>) -> String {
    let action = if policy.is_some_and(|policy| policy.starts_with("Retain")) { "Retain" } else { "Delete" };
    format!("{prefix}{action}")
}

/// `BeforeContext` and `AfterContext`.
fn context(properties: &Map<String, Value>) -> String {
    json!({ "Properties": texts(&Value::Object(properties.clone()), 0) }).to_string()
}

/// A value as change sets show it: every scalar as a text.
pub(super) fn texts(value: &Value, depth: usize) -> Value {
    match value {
        Value::Number(_) | Value::Bool(_) => value.to_string().into(),
        Value::Array(items) if depth < EXPANDED_DEPTH => items.iter().map(|item| texts(item, depth + 1)).collect(),
        Value::Object(members) if depth < EXPANDED_DEPTH => {
            Value::Object(members.iter().map(|(name, member)| (name.clone(), texts(member, depth + 1))).collect())
        }
        other => other.clone(),
    }
}

/// Each property by itself, for one may be known where another is not.
fn evaluated(properties: &Map<String, Value>, values: &Values<'_>, known: &Known<'_>) -> Map<String, Value> {
    let of =
        |value: &Value| values.resolve(&blurred(value, values, known, 0), known).unwrap_or_else(|_| UNKNOWN.into());
    properties.iter().map(|(name, value)| (name.clone(), of(value))).collect()
}

/// A value in which what is joined with something unknown is unknown as a whole. `Fn::Sub` tells what is known around it.
fn blurred(value: &Value, values: &Values<'_>, known: &Known<'_>, depth: usize) -> Value {
    match value {
        _ if depth > EXPANDED_DEPTH => value.clone(),
        Value::Array(items) => items.iter().map(|item| blurred(item, values, known, depth + 1)).collect(),
        Value::Object(members) if members.len() == 1 && members.contains_key("Fn::Join") => {
            let joined = values.resolve(value, known);
            if joined.is_ok_and(|joined| joined.to_string().contains(UNKNOWN)) { UNKNOWN.into() } else { value.clone() }
        }
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), blurred(member, values, known, depth + 1))).collect()
        }
        plain => plain.clone(),
    }
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

fn compare(
    existing: &Resource,
    declared: &ResourceDef,
    wanted: &Map<String, Value>,
    changed: &Changed,
) -> (Vec<Detail>, &'static str) {
    let kind = &declared.kind;
    let mut details = Vec::new();
    let mut replacement = if existing.kind == *kind { "False" } else { "True" };
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
        let target = target(name, existing.properties.get(name), wanted.get(name), requires_recreation);
        let causes = declared.properties.get(name).map(|value| changed.causes(value)).unwrap_or_default();
        let direct = Detail {
            target: target.clone(),
            evaluation: if is_unknown || !causes.is_empty() { "Dynamic" } else { "Static" }.to_owned(),
            change_source: "DirectModification".to_owned(),
            causing_entity: None,
        };
        let by_parameters = causes.iter().any(|cause| cause.source == "ParameterReference");
        let is_direct = causes.is_empty() || by_parameters;
        details.extend(causes.into_iter().map(|cause| Detail {
            target: target.clone(),
            evaluation: "Static".to_owned(),
            change_source: cause.source.to_owned(),
            causing_entity: Some(cause.entity),
        }));
        details.extend(is_direct.then_some(direct));
    }
    (details, replacement)
}

/// What may change because an attribute of a resource is named that changes in place: AWS does not look whether that attribute does.
fn dependent(declared: &ResourceDef, updated: &Changed) -> Vec<Detail> {
    let mut details = Vec::new();
    for (name, value) in &declared.properties {
        let property = types::find(&declared.kind).and_then(|kind| kind.property(name));
        let recreates = property.is_some_and(|property| property.change == types::Change::Replacement);
        let causes = updated.causes(value).into_iter().filter(|cause| cause.source == "ResourceAttribute");
        details.extend(causes.map(|cause| Detail {
            target: ChangeTarget {
                path: None,
                attribute_change_type: None,
                ..target(name, None, None, if recreates { "Conditionally" } else { "Never" })
            },
            evaluation: "Dynamic".to_owned(),
            change_source: cause.source.to_owned(),
            causing_entity: Some(cause.entity),
        }));
    }
    details
}

fn target(name: &str, before: Option<&Value>, after: Option<&Value>, requires_recreation: &str) -> ChangeTarget {
    let text = |value: &Value| match texts(value, 0) {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let kind = match (before, after) {
        (None, _) => "Add",
        (_, None) => "Remove",
        _ => "Modify",
    };
    let is_tags = name == "Tags";
    ChangeTarget {
        attribute: if is_tags { "Tags" } else { "Properties" }.to_owned(),
        name: (!is_tags).then(|| name.to_owned()),
        requires_recreation: requires_recreation.to_owned(),
        path: Some(format!("/Properties/{name}")),
        before_value: before.map(text),
        after_value: after.map(text),
        attribute_change_type: Some(kind.to_owned()),
    }
}

fn change(action: &str, id: &str, kind: &str) -> ResourceChange {
    ResourceChange {
        action: action.to_owned(),
        logical_resource_id: id.to_owned(),
        resource_type: kind.to_owned(),
        ..ResourceChange::default()
    }
}
