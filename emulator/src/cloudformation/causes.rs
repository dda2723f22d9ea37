//! Why a property changes: the parameters and resources that its value in the template names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::template::{EXPANDED_DEPTH, Part, parts};

/// `CausingEntity` and `ChangeSource` of a detail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cause {
    pub entity: String,
    pub source: &'static str,
}

/// What there may be as a cause.
#[derive(Default)]
pub(super) struct Changed {
    /// Parameters with another value than before.
    pub parameters: BTreeSet<String>,
    /// Resources that are made anew.
    pub resources: BTreeSet<String>,
}

impl Changed {
    /// The causes that a value, unevaluated, names.
    pub fn causes(&self, value: &Value) -> BTreeSet<Cause> {
        let mut found = BTreeSet::new();
        self.collect(value, 0, &mut found);
        found
    }

    fn collect(&self, value: &Value, depth: usize, found: &mut BTreeSet<Cause>) {
        if depth > EXPANDED_DEPTH {
            return;
        }
        let members = match value {
            Value::Array(items) => return items.iter().for_each(|item| self.collect(item, depth + 1, found)),
            Value::Object(members) => members,
            _ => return,
        };
        if let Some(name) = members.get("Ref").and_then(Value::as_str) {
            self.reference(name, found);
        }
        let named = members.get("Fn::GetAtt").and_then(Value::as_array).map(Vec::as_slice);
        if let Some([Value::String(resource), Value::String(attribute)]) = named {
            self.attribute(resource, attribute, found);
        }
        if let Some(argument) = members.get("Fn::Sub") {
            self.substituted(argument, found);
        }
        members.values().for_each(|member| self.collect(member, depth + 1, found));
    }

    fn substituted(&self, argument: &Value, found: &mut BTreeSet<Cause>) {
        let text = argument.as_str().or_else(|| argument.get(0)?.as_str()).unwrap_or_default();
        let own = argument.get(1).and_then(Value::as_object);
        for part in parts(text).unwrap_or_default() {
            let Part::Variable(name) = part else { continue };
            if own.is_some_and(|own| own.contains_key(name)) {
                continue;
            }
            match name.split_once('.') {
                Some((resource, attribute)) => self.attribute(resource, attribute, found),
                None => self.reference(name, found),
            }
        }
    }

    fn reference(&self, name: &str, found: &mut BTreeSet<Cause>) {
        if self.parameters.contains(name) {
            found.insert(Cause { entity: name.to_owned(), source: "ParameterReference" });
        } else if self.resources.contains(name) {
            found.insert(Cause { entity: name.to_owned(), source: "ResourceReference" });
        }
    }

    fn attribute(&self, resource: &str, attribute: &str, found: &mut BTreeSet<Cause>) {
        if self.resources.contains(resource) {
            found.insert(Cause { entity: format!("{resource}.{attribute}"), source: "ResourceAttribute" });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_value_names_is_found_in_every_function() {
        let changed = Changed {
            parameters: BTreeSet::from(["P".to_owned()]),
            resources: BTreeSet::from(["R".to_owned(), "S".to_owned()]),
        };
        let value = json!([
            {"Ref": "P"}, {"Ref": "Q"}, {"Fn::Join": ["", [{"Ref": "R"}]]}, {"Fn::GetAtt": ["S", "Arn"]},
            {"Fn::Sub": "${P}-${S.Name}-${!R}"}, {"Fn::Sub": ["${R.Arn}${X}", {"X": {"Ref": "Q"}}]},
        ]);
        let found: Vec<(String, &str)> =
            changed.causes(&value).into_iter().map(|cause| (cause.entity, cause.source)).collect();
        let expected = [
            ("P", "ParameterReference"),
            ("R", "ResourceReference"),
            ("R.Arn", "ResourceAttribute"),
            ("S.Arn", "ResourceAttribute"),
            ("S.Name", "ResourceAttribute"),
        ];
        assert_eq!(found, expected.map(|(entity, source)| (entity.to_owned(), source)));
    }
}
