//! What refers to what: unresolved references, circles, and the order in which resources are created.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::resolve::misused;
use super::sub::{Part, parts};
use super::{Template, call, format_error, scalar_text, template_error, validation_error};
use crate::Result;

/// The names that `Ref` knows in every template ("Pseudo parameters reference").
pub const PSEUDO_PARAMETERS: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// What a value names.
#[derive(Default)]
struct Names {
    /// `Ref x` and `${x}`: parameters, pseudo parameters, resources.
    references: BTreeSet<String>,
    /// `Fn::GetAtt [x, …]` and `${x.y}`: resources.
    attributes: BTreeSet<String>,
    /// What `Condition` names.
    conditions: BTreeSet<String>,
    /// The first argument of `Fn::If`.
    choices: BTreeSet<String>,
}

/// Checks that every name in resources, outputs and conditions exists.
///
/// # Errors
/// `ValidationError`, "Template format error: Unresolved resource dependencies [X] in the Resources block of the
/// template" and its like.
pub fn check(template: &Template) -> Result<()> {
    let parameters: BTreeSet<&str> = template.parameters.iter().map(|(name, _)| name.as_str()).collect();
    let resources: BTreeSet<&str> = template.resources.iter().map(|(id, _)| id.as_str()).collect();
    let mut in_resources = Names::default();
    for (id, resource) in &template.resources {
        in_resources.conditions.extend(resource.condition.clone());
        in_resources.references.extend(resource.depends_on.iter().cloned());
        for value in resource.properties.values().chain(resource.attributes.values()) {
            in_resources.collect(value)?;
        }
        if parameters.contains(id.as_str()) {
            return Err(format_error(format!("Duplicate name {id} in the Parameters and the Resources block")));
        }
    }
    let mut in_outputs = Names::default();
    for (_, output) in &template.outputs {
        in_outputs.conditions.extend(output.condition.clone());
        for value in std::iter::once(&output.value).chain(&output.export_name) {
            in_outputs.collect(value)?;
        }
    }
    let mut in_conditions = Names::default();
    for condition in template.conditions.values() {
        in_conditions.collect(condition)?;
    }
    let of_resources =
        in_conditions.unresolved(&parameters, &BTreeSet::new()).into_iter().chain(in_conditions.attributes.iter());
    let of_resources: Vec<&str> = of_resources.map(String::as_str).collect();
    if !of_resources.is_empty() {
        return Err(format_error(format!(
            "Unresolved dependencies [{}]. Cannot reference resources in the Conditions block of the template",
            of_resources.join(", ")
        )));
    }
    for (names, block) in [(in_resources, "Resources"), (in_outputs, "Outputs")] {
        names.check(&parameters, &resources, template, block)?;
    }
    Ok(())
}

/// The logical ids in the order of creation: everything after what it names, otherwise as the template has it.
///
/// # Errors
/// `ValidationError`, "Circular dependency between resources: [A, B]".
pub fn order(template: &Template) -> Result<Vec<String>> {
    let place: BTreeMap<&str, usize> =
        template.resources.iter().enumerate().map(|(index, (id, _))| (id.as_str(), index)).collect();
    let mut needs: Vec<BTreeSet<usize>> = Vec::with_capacity(template.resources.len());
    for (_, resource) in &template.resources {
        let mut names = Names::default();
        names.references.extend(resource.depends_on.iter().cloned());
        for value in resource.properties.values().chain(resource.attributes.values()) {
            names.collect(value)?;
        }
        let all = names.references.iter().chain(&names.attributes);
        needs.push(all.filter_map(|name| place.get(name.as_str()).copied()).collect());
    }
    let mut ordered = Vec::with_capacity(needs.len());
    let mut waiting: BTreeSet<usize> = (0..needs.len()).collect();
    // At most 500 resources: looking again from the start each time keeps the template's order.
    while let Some(ready) = waiting.iter().copied().find(|index| is_free(&needs, *index, &waiting)) {
        waiting.remove(&ready);
        ordered.push(ready);
    }
    let name = |index: usize| template.resources.get(index).map(|(id, _)| id.clone()).unwrap_or_default();
    if waiting.is_empty() {
        return Ok(ordered.into_iter().map(name).collect());
    }
    // What merely needs a circle is no part of it.
    while let Some(end) =
        waiting.iter().copied().find(|index| !waiting.iter().any(|other| needs_one(&needs, *other, *index)))
    {
        waiting.remove(&end);
    }
    let circle: Vec<String> = waiting.into_iter().map(name).collect();
    Err(validation_error(format!("Circular dependency between resources: [{}]", circle.join(", "))))
}

fn is_free(needs: &[BTreeSet<usize>], index: usize, waiting: &BTreeSet<usize>) -> bool {
    needs.get(index).is_none_or(|needs| needs.is_disjoint(waiting))
}

fn needs_one(needs: &[BTreeSet<usize>], index: usize, wanted: usize) -> bool {
    needs.get(index).is_some_and(|needs| needs.contains(&wanted))
}

impl Names {
    fn collect(&mut self, value: &Value) -> Result<()> {
        match (call(value), value) {
            (Some(("Ref", argument)), _) => match argument.as_str() {
                Some(name) => {
                    self.references.insert(name.to_owned());
                }
                None => return Err(template_error("every Ref object must have a single String value.")),
            },
            (Some(("Fn::GetAtt", argument)), _) => {
                let names = argument.as_array().filter(|names| names.len() == 2).ok_or_else(bad_get_att)?;
                if names.iter().any(|name| name.as_str() == Some("")) {
                    return Err(bad_get_att());
                }
                let name = argument.get(0).and_then(Value::as_str).ok_or_else(bad_get_att)?;
                self.attributes.insert(name.to_owned());
                self.collect_all(argument.as_array().into_iter().flatten().skip(1))?;
            }
            (Some(("Fn::Sub", argument)), _) => self.collect_sub(argument)?,
            (Some(("Fn::Select", argument)), _) => {
                check_select(argument)?;
                self.collect_all(argument.as_array().into_iter().flatten())?;
            }
            (Some(("Fn::If", argument)), _) => {
                self.choices.extend(argument.get(0).and_then(Value::as_str).map(str::to_owned));
                self.collect_all(argument.as_array().into_iter().flatten().skip(1))?;
            }
            (_, Value::Array(items)) => self.collect_all(items)?,
            (_, Value::Object(members)) => self.collect_all(members.values())?,
            _ => {}
        }
        Ok(())
    }

    fn collect_all<'a>(&mut self, values: impl IntoIterator<Item = &'a Value>) -> Result<()> {
        values.into_iter().try_for_each(|value| self.collect(value))
    }

    fn collect_sub(&mut self, argument: &Value) -> Result<()> {
        let text = argument.as_str().or_else(|| argument.get(0)?.as_str()).unwrap_or_default();
        let own = argument.get(1).and_then(Value::as_object);
        for part in parts(text)? {
            let Part::Variable(name) = part else { continue };
            if own.is_some_and(|own| own.contains_key(name)) {
                continue;
            }
            match name.split_once('.') {
                Some((resource, _)) => self.attributes.insert(resource.to_owned()),
                None => self.references.insert(name.to_owned()),
            };
        }
        self.collect_all(own.into_iter().flat_map(|own| own.values()))
    }

    fn unresolved(&self, parameters: &BTreeSet<&str>, resources: &BTreeSet<&str>) -> Vec<&String> {
        let known = |name: &&String| {
            let name = name.as_str();
            parameters.contains(name) || resources.contains(name) || PSEUDO_PARAMETERS.contains(&name)
        };
        self.references.iter().filter(|name| !known(name)).collect()
    }

    fn check(
        &self,
        parameters: &BTreeSet<&str>,
        resources: &BTreeSet<&str>,
        template: &Template,
        block: &str,
    ) -> Result<()> {
        let unresolved: Vec<&str> = self.unresolved(parameters, resources).into_iter().map(String::as_str).collect();
        if !unresolved.is_empty() {
            let names = unresolved.join(", ");
            let text = format!("Unresolved resource dependencies [{names}] in the {block} block of the template");
            return Err(format_error(text));
        }
        if let Some(name) = self.attributes.iter().find(|name| !resources.contains(name.as_str())) {
            return Err(template_error(format!("instance of Fn::GetAtt references undefined resource {name}")));
        }
        if let Some(name) = self.conditions.iter().find(|name| !template.conditions.contains_key(name.as_str())) {
            let text = format!("Unresolved condition dependency {name} in the {block} block of the template");
            return Err(format_error(text));
        }
        if let Some(name) = self.choices.iter().find(|name| !template.conditions.contains_key(name.as_str())) {
            return Err(template_error(format!("unresolved condition dependency {name} in Fn::If")));
        }
        Ok(())
    }
}

/// What can be told of `Fn::Select` before anything is made: its form, and whether the list has such an item.
fn check_select(argument: &Value) -> Result<()> {
    let wrong = || misused("Fn::Select");
    let Some([index, list]) = argument.as_array().map(Vec::as_slice) else { return Err(wrong()) };
    let place = match index {
        Value::Object(_) => None,
        index => Some(scalar_text(index).and_then(|text| text.trim().parse::<usize>().ok()).ok_or_else(wrong)?),
    };
    match list {
        // An item that is left out moves the others.
        Value::Array(items) if place.is_some_and(|place| place >= items.len()) => Err(wrong()),
        Value::Array(_) | Value::Object(_) => Ok(()),
        _ => Err(wrong()),
    }
}

/// AWS's complaint about the arguments of `Fn::GetAtt`.
pub(super) fn bad_get_att() -> crate::Error {
    template_error(
        "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
    )
}
