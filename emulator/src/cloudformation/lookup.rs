//! What templates refer to while a stack is made: its resources as they are by now, and other stacks' exports.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use imbl::OrdMap;
use serde_json::{Map, Value, json};

use super::state::{Definition, Resource, Stack, Tag};
use super::template::resolve::NO_MAPPING;
use super::template::resolve::{Pseudo, Resolver, Resources, Scope as Names};
use super::template::{Template, validation_error};
use super::types;
use crate::Result;
use crate::cloud::Scope;
use crate::ec2::zones_of;

/// The pseudo parameters of a stack.
pub(super) fn pseudo(scope: &Scope, name: &str, id: &str) -> Pseudo {
    Pseudo {
        account_id: scope.account.to_string(),
        region: scope.region.to_string(),
        partition: "aws".to_owned(),
        url_suffix: "amazonaws.com".to_owned(),
        stack_name: name.to_owned(),
        stack_id: id.to_owned(),
        notification_arns: Vec::new(),
    }
}

/// Stands for what only the update will tell.
pub(super) const UNKNOWN: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// Stands for an attribute that is not to be shown.
const HIDDEN: &str = "*****";

/// The resources of a stack as they are by now.
pub(super) struct Known<'a> {
    pub scope: &'a Scope,
    pub resources: &'a OrdMap<String, Resource>,
    pub exports: &'a BTreeMap<String, String>,
    /// The exports that were asked for.
    pub imported: RefCell<BTreeSet<String>>,
    /// Whether what is not there may come about, and has [`UNKNOWN`] for its value.
    is_open: bool,
    /// Whether attributes that are not to be shown are [`HIDDEN`].
    hides: bool,
}

impl<'a> Known<'a> {
    pub fn new(
        scope: &'a Scope,
        resources: &'a OrdMap<String, Resource>,
        exports: &'a BTreeMap<String, String>,
    ) -> Self {
        Self { scope, resources, exports, imported: RefCell::default(), is_open: false, hides: false }
    }

    /// The same for what is shown: without the attributes that custom resources keep to themselves.
    pub fn shown(self) -> Self {
        Self { hides: true, ..self }
    }

    /// The same before anything is made: what is not there may come about.
    pub fn open(self) -> Self {
        Self { is_open: true, ..self }
    }
}

impl Resources for Known<'_> {
    fn physical_id(&self, logical_id: &str) -> Option<Value> {
        let found = self.resources.get(logical_id).and_then(|resource| resource.physical_id.clone());
        found.or_else(|| self.is_open.then(|| UNKNOWN.to_owned())).map(Value::from)
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Value> {
        let resource = self.resources.get(logical_id);
        let found = resource.and_then(|resource| resource.attributes.get(attribute).cloned());
        if found.is_some() && self.hides && resource.is_some_and(|resource| resource.no_echo) {
            return Ok(HIDDEN.into());
        }
        let found = found.or_else(|| self.is_open.then(|| UNKNOWN.into()));
        found.ok_or_else(|| {
            let kind = resource.map_or("", |resource| resource.kind.as_str());
            if types::find(kind).is_some_and(types::ResourceType::is_custom) {
                return validation_error(format!(
                    "CustomResource attribute error: Vendor response doesn't contain {attribute} attribute in object {logical_id}"
                ));
            }
            validation_error(format!(
                "Template error: resource {logical_id} does not support attribute type {attribute} in Fn::GetAtt ({kind})"
            ))
        })
    }

    fn export(&self, name: &str) -> Option<Value> {
        self.imported.borrow_mut().insert(name.to_owned());
        self.exports.get(name).cloned().map(Value::from)
    }

    fn zones(&self, region: &str) -> Vec<String> {
        zones_of(if region.is_empty() { &self.scope.region } else { region })
    }
}

/// A template's values with the resources of a stack.
pub(super) struct Values<'a> {
    pub template: &'a Template,
    pub parameters: &'a Map<String, Value>,
    pub conditions: &'a BTreeMap<String, bool>,
    pub pseudo: &'a Pseudo,
}

impl Values<'_> {
    /// Evaluates the functions in the members of a map.
    pub fn resolve(&self, value: &Value, known: &Known<'_>) -> Result<Value> {
        let names = Names {
            template: self.template,
            parameters: self.parameters,
            pseudo: self.pseudo,
            conditions: self.conditions,
            resources: known,
        };
        Resolver::new(&names).resolve(value)
    }
}

/// A resource's properties, evaluated, as its type is given them: without those that come to `AWS::NoValue`, with the stack's
/// tags where the type takes tags. The resource's own tags win.
pub(super) fn complete(kind: &str, resolved: Value, tags: &[Tag]) -> Map<String, Value> {
    let Value::Object(mut properties) = resolved else { return Map::new() };
    properties.retain(|_, value| !value.is_null());
    let takes_tags = types::find(kind).is_some_and(|kind| !kind.is_custom() && kind.property("Tags").is_some());
    if !takes_tags || tags.is_empty() {
        return properties;
    }
    let own = properties.entry("Tags").or_insert_with(|| Value::Array(Vec::new()));
    for Tag { key, value } in tags {
        match own {
            Value::Array(own) if !own.iter().any(|tag| tag.get("Key").and_then(Value::as_str) == Some(key)) => {
                own.push(json!({ "Key": key, "Value": value }));
            }
            Value::Object(own) if !own.contains_key(key) => {
                own.insert(key.clone(), value.as_str().into());
            }
            _ => {}
        }
    }
    properties
}

/// The parameters with `****` in the place of what must not be shown.
pub(super) fn masked(definition: &Definition) -> Map<String, Value> {
    let is_secret = |name: &str| definition.template.parameter(name).is_some_and(|parameter| parameter.no_echo);
    let mask = |name: &String, value: &Value| if is_secret(name) { "****".into() } else { value.clone() };
    definition.values.iter().map(|(name, value)| (name.clone(), mask(name, value))).collect()
}

/// The names of the exports that a stack imports.
pub(super) fn imports(scope: &Scope, stack: &Stack, exports: &BTreeMap<String, String>) -> BTreeSet<String> {
    imports_of(scope, stack, &stack.definition, exports)
}

/// The names of the exports that a definition imports. What else its values refer to need not exist yet.
pub(super) fn imports_of(
    scope: &Scope,
    stack: &Stack,
    definition: &Definition,
    exports: &BTreeMap<String, String>,
) -> BTreeSet<String> {
    let pseudo = pseudo(scope, &stack.name, &stack.id);
    let known = Known::new(scope, &stack.resources, exports);
    let template = &definition.template;
    let values =
        Values { template, parameters: &definition.values, conditions: &definition.conditions, pseudo: &pseudo };
    let outputs = template.outputs.iter().map(|(_, output)| &output.value);
    let properties = definition.order.iter().filter_map(|id| template.resource(id));
    for value in properties.flat_map(|resource| resource.properties.values()).chain(outputs) {
        collect(value, &values, &known);
    }
    known.imported.into_inner()
}

/// The first resource of a definition that imports what nobody exports, and the name of that export.
pub(super) fn missing_import(
    scope: &Scope,
    stack: &Stack,
    definition: &Definition,
    exports: &BTreeMap<String, String>,
) -> Option<(String, String)> {
    let pseudo = pseudo(scope, &stack.name, &stack.id);
    let template = &definition.template;
    let values =
        Values { template, parameters: &definition.values, conditions: &definition.conditions, pseudo: &pseudo };
    definition.order.iter().find_map(|id| {
        let known = Known::new(scope, &stack.resources, exports);
        template.resource(id)?.properties.values().for_each(|value| collect(value, &values, &known));
        let missing = known.imported.into_inner().into_iter().find(|name| !exports.contains_key(name))?;
        Some((id.clone(), missing))
    })
}

/// Evaluates every `Fn::ImportValue` by itself, for what stands around it may refer to resources that are yet to be made.
fn collect(value: &Value, values: &Values<'_>, known: &Known<'_>) {
    each_call(value, values.conditions, "Fn::ImportValue", 0, &mut |call| {
        // The error, if any, comes up again when the resource is made; here only the name is wanted.
        let _ = values.resolve(call, known);
    });
}

/// Visits every call of a function in a value, but for what `Fn::If` does not choose.
fn each_call(
    value: &Value,
    conditions: &BTreeMap<String, bool>,
    function: &str,
    depth: usize,
    visit: &mut dyn FnMut(&Value),
) {
    // Deeper than templates go, SAM's included.
    if depth > 4 * super::template::MAX_DEPTH {
        return;
    }
    let mut inner = |value: &Value| each_call(value, conditions, function, depth + 1, visit);
    match value {
        Value::Object(members) if members.len() == 1 && members.contains_key(function) => visit(value),
        Value::Object(members) => match members.get("Fn::If").and_then(Value::as_array).map(Vec::as_slice) {
            Some([Value::String(condition), then, otherwise]) => {
                let holds = conditions.get(condition).copied().unwrap_or_default();
                inner(if holds { then } else { otherwise });
            }
            _ => members.values().for_each(inner),
        },
        Value::Array(items) => items.iter().for_each(inner),
        _ => {}
    }
}

/// Refuses what mappings do not have: they are all there before anything is made.
///
/// # Errors
/// `Template error: Unable to get mapping for …`.
pub(super) fn check_mappings(scope: &Scope, order: &[String], values: &Values<'_>) -> Result<()> {
    let (no_resources, no_exports) = (OrdMap::new(), BTreeMap::new());
    let known = Known::new(scope, &no_resources, &no_exports).open();
    let template = values.template;
    let holds = |condition: &Option<String>| {
        condition.as_ref().is_none_or(|condition| values.conditions.get(condition).copied().unwrap_or_default())
    };
    let outputs = template.outputs.iter().filter(|(_, output)| holds(&output.condition));
    let outputs = outputs.flat_map(|(_, output)| std::iter::once(&output.value).chain(&output.export_name));
    let properties = order.iter().filter_map(|id| template.resource(id));
    let mut refused = None;
    for value in properties.flat_map(|resource| resource.properties.values()).chain(outputs) {
        each_call(value, values.conditions, "Fn::FindInMap", 0, &mut |call| {
            let error = values.resolve(call, &known).err().filter(|error| error.message().contains(NO_MAPPING));
            refused = refused.take().or(error);
        });
    }
    refused.map_or(Ok(()), Err)
}
