//! One resource's work: its properties, its name, and the way to the services.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::Door;
use crate::execute_api::scalar;
use crate::{Error, Result};

/// What a resource type is given to work with.
pub(in crate::cloudformation) struct Task<'a> {
    /// The way to the services.
    pub door: &'a Door,
    /// The stack's name.
    pub stack_name: &'a str,
    /// The stack's id.
    pub stack_id: &'a str,
    /// The type, as the template names it.
    pub kind: &'a str,
    /// The logical id.
    pub logical_id: &'a str,
    /// What is appended to a generated name.
    pub suffix: &'a str,
    /// The properties that the resource is to have; when it is deleted, those that it has.
    pub properties: &'a Map<String, Value>,
    /// The properties that it has; none when it is made.
    pub old: &'a Map<String, Value>,
    /// The physical id; none when it is made.
    pub physical_id: &'a str,
    /// What was acknowledged for the stack.
    pub capabilities: &'a [String],
    /// See [`Task::begun`].
    pub exists: OnceLock<String>,
}

/// The types whose resources carry tags of CloudFormation's own, as far as recordings of AWS show them.
const MARKED: [&str; 5] = [
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::UsagePlan",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
];

impl Task<'_> {
    /// The resource exists from now on under this physical id: should the rest fail, a rollback deletes it.
    pub fn begun(&self, physical_id: &str) {
        // Only the first name counts.
        let _ = self.exists.set(physical_id.to_owned());
    }

    /// A property; null if there is none.
    pub fn get(&self, name: &str) -> Value {
        self.properties.get(name).cloned().unwrap_or_default()
    }

    /// The items of a property that is a list, as it is to be.
    pub fn items(&self, name: &str) -> Vec<Value> {
        list(self.properties.get(name))
    }

    /// The items of a property that is a list, as it was.
    pub fn old_items(&self, name: &str) -> Vec<Value> {
        list(self.old.get(name))
    }

    /// Whether an update changes one of these properties.
    pub fn changes(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.properties.get(*name) != self.old.get(*name))
    }

    /// These properties, under their own names.
    pub fn pick(&self, names: &[&str]) -> Map<String, Value> {
        names.iter().filter_map(|name| Some(((*name).to_owned(), self.properties.get(*name)?.clone()))).collect()
    }

    /// The name that the template gives, or a generated one of at most `limit` characters: stack, logical id, and what makes
    /// it unique.
    pub fn name(&self, property: &str, limit: usize) -> String {
        // A template may write a name as a number.
        self.properties.get(property).and_then(scalar).unwrap_or_else(|| self.generated(limit))
    }

    /// A generated name. Stack and logical id share what room there is.
    pub fn generated(&self, limit: usize) -> String {
        let room = limit.saturating_sub(self.suffix.len() + 2);
        let (stack, id) = (self.stack_name, self.logical_id);
        let id_room = if stack.len() + id.len() <= room { id.len() } else { id.len().min(room - room / 2) };
        let stack: String = stack.chars().take(room.saturating_sub(id_room)).collect();
        let id: String = id.chars().take(room.saturating_sub(stack.len())).collect();
        format!("{stack}-{id}-{}", self.suffix)
    }

    /// A policy document as the text that IAM's operations take.
    pub fn document(&self, name: &str) -> Result<String> {
        document(&self.get(name))
    }

    /// The list of tags as a map, with CloudFormation's own where the resource carries them.
    pub fn tag_map(&self) -> Result<Value> {
        let mut tags = Map::new();
        if MARKED.contains(&self.kind) {
            for (name, value) in
                [("stack-name", self.stack_name), ("logical-id", self.logical_id), ("stack-id", self.stack_id)]
            {
                tags.insert(format!("aws:cloudformation:{name}"), value.into());
            }
        }
        for tag in self.items("Tags") {
            let (Some(key), Some(value)) = (tag.get("Key").and_then(Value::as_str), tag.get("Value")) else {
                return Err(Error::client(
                    "InvalidRequest",
                    "Model validation failed (#/Tags: a tag has a Key and a Value)",
                ));
            };
            tags.insert(key.to_owned(), value.clone());
        }
        Ok(if tags.is_empty() { Value::Null } else { Value::Object(tags) })
    }

    /// The list of tags; null if it is empty, for some services refuse an empty list.
    pub fn tag_list(&self) -> Value {
        let tags = self.items("Tags");
        if tags.is_empty() { Value::Null } else { Value::Array(tags) }
    }

    /// The keys of the tags that an update takes away.
    pub fn removed_tags(&self) -> Vec<Value> {
        let key = |tag: &Value| tag.get("Key").cloned();
        let kept: Vec<Value> = self.items("Tags").iter().filter_map(key).collect();
        self.old_items("Tags").iter().filter_map(key).filter(|key| !kept.contains(key)).collect()
    }

    /// Brings the tags of a resource up to date, of a service whose `TagResource` and `UntagResource` take an ARN, under
    /// these names of their members, and tags as a list or a map.
    pub(super) async fn retag(&self, service: &'static str, arn: &str, names: TagNames) -> Result<()> {
        if !self.changes(&["Tags"]) {
            return Ok(());
        }
        let removed = self.removed_tags();
        if !removed.is_empty() {
            let input = json!({ names.arn: arn, names.keys: removed });
            self.door.call(service, "UntagResource", input).await?;
        }
        let tags = if names.as_map { self.tag_map()? } else { self.tag_list() };
        if !tags.is_null() {
            self.door.call(service, "TagResource", json!({ names.arn: arn, names.tags: tags })).await?;
        }
        Ok(())
    }
}

/// How a service names the members of `TagResource` and `UntagResource`.
#[derive(Clone, Copy)]
pub(super) struct TagNames {
    /// The ARN.
    pub arn: &'static str,
    /// The tags.
    pub tags: &'static str,
    /// The keys of `UntagResource`.
    pub keys: &'static str,
    /// Whether tags are a map.
    pub as_map: bool,
}

/// A document as text: templates may hold it as a text already.
pub(super) fn document(value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        value => Ok(serde_json::to_string(value)?),
    }
}

fn list(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}
