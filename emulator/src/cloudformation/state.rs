//! What CloudFormation keeps: stacks with their resources and events, and change sets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::template::{Template, validation_error};
use crate::cloud::{Asks, Inquiries};
use crate::{Error, Result, Timestamp};

/// The stacks of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Stacks {
    /// By id. Deleted stacks stay, to be described by id; AWS forgets them after 90 days.
    pub(super) stacks: OrdMap<String, Stack>,
    /// The id of the stack that has a name, of those that are not deleted.
    pub(super) names: OrdMap<String, String>,
    /// By ARN.
    pub(super) change_sets: OrdMap<String, ChangeSet>,
    /// What is awaited at presigned URLs, by who awaits it.
    #[serde(default)]
    pub(super) awaited: OrdMap<String, super::responses::Awaited>,
    /// Templates on their way through transforms of others, by the token of the operation that waits.
    #[serde(default)]
    pub(super) expansions: OrdMap<String, super::macros::Expansion>,
    /// What other services were asked.
    #[serde(default)]
    inquiries: Inquiries,
}

impl Asks for Stacks {
    fn inquiries(&mut self) -> &mut Inquiries {
        &mut self.inquiries
    }
}

/// A stack as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stack {
    /// `arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/UUID`.
    pub id: String,
    pub name: String,
    pub status: String,
    pub reason: Option<String>,
    pub created: Timestamp,
    pub updated: Option<Timestamp>,
    pub deleted: Option<Timestamp>,
    /// What the stack is made from; while it is being created, what it is to be made from.
    pub definition: Arc<Definition>,
    /// What an update under way turns it into.
    pub pending: Option<Arc<Definition>>,
    pub resources: OrdMap<String, Resource>,
    /// From old to new.
    pub events: Vector<StackEvent>,
    pub outputs: Vec<Output>,
    pub on_failure: OnFailure,
    pub retain_except_on_create: bool,
    pub termination_protection: bool,
    pub timeout_in_minutes: Option<u32>,
    /// The client's token of the operation under way, or of the last one.
    pub token: Option<String>,
    /// The client's token of the creation.
    pub creation_token: Option<String>,
    /// The change set that was executed last.
    pub change_set_id: Option<String>,
}

impl Stack {
    /// The time of the next event: clients sort events by their times and tell them apart by ids that are made of these, and much
    /// may happen here within a millisecond.
    pub fn next_event(&self, now: Timestamp) -> Timestamp {
        let next = |last: &StackEvent| last.timestamp + Duration::from_millis(1);
        self.events.back().map_or(now, |last| now.max(next(last)))
    }
}

/// What to do when a stack cannot be created or updated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OnFailure {
    #[default]
    Rollback,
    DoNothing,
    Delete,
}

/// What a stack is made from: a template, checked and transformed, and the values for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Definition {
    /// As it was sent.
    pub body: String,
    /// After its transforms.
    pub template: Template,
    /// The transforms that it declares.
    pub transforms: Vec<String>,
    /// As they were sent, without those that take their default.
    pub given: BTreeMap<String, String>,
    /// What `Ref` of a parameter gives.
    pub values: Map<String, Value>,
    pub conditions: BTreeMap<String, bool>,
    /// The logical ids of the resources whose condition holds, in the order of creation.
    pub order: Vec<String>,
    pub capabilities: Vec<String>,
    pub tags: Vec<Tag>,
    pub role_arn: Option<String>,
}

/// A tag of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub key: String,
    pub value: String,
}

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Resource {
    pub logical_id: String,
    pub kind: String,
    /// What `Ref` gives; `None` until it exists.
    pub physical_id: Option<String>,
    pub status: String,
    pub reason: Option<String>,
    pub updated: Timestamp,
    /// As it was created or last updated with.
    pub properties: Map<String, Value>,
    /// What `Fn::GetAtt` gives.
    pub attributes: Map<String, Value>,
    /// Whether events must not show these attributes.
    #[serde(default)]
    pub no_echo: bool,
    pub deletion_policy: Option<String>,
    pub update_replace_policy: Option<String>,
    /// What is appended to a generated name.
    pub suffix: String,
}

impl Resource {
    /// Whether there is something to delete.
    pub fn exists(&self) -> bool {
        self.physical_id.is_some() && self.status != "DELETE_COMPLETE"
    }
}

/// An output of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    pub output_key: String,
    pub output_value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_name: Option<String>,
}

/// `StackEvent` of the API, without what belongs to the stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StackEvent {
    pub event_id: String,
    pub logical_resource_id: String,
    pub physical_resource_id: String,
    pub resource_type: String,
    pub timestamp: Timestamp,
    pub resource_status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_status_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_properties: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_request_token: Option<String>,
}

/// A change set as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ChangeSet {
    pub id: String,
    pub name: String,
    pub stack_id: String,
    pub stack_name: String,
    pub description: Option<String>,
    pub created: Timestamp,
    pub status: String,
    pub reason: Option<String>,
    pub execution_status: String,
    pub is_creation: bool,
    pub definition: Arc<Definition>,
    pub on_stack_failure: Option<OnFailure>,
    pub changes: Vec<super::changes::Change>,
    /// Why the values of the changes are not all told.
    #[serde(default)]
    pub warning: Option<String>,
    /// `ImportExistingResources`, as it was sent.
    #[serde(default)]
    pub imports: Option<bool>,
    /// Whether it tells the changes of all stacks within its stack.
    #[serde(default)]
    pub is_whole: bool,
}

impl ChangeSet {
    /// Whether it was executed, or lost its sense because another one was: it is not listed, and its name is free.
    pub fn is_done(&self) -> bool {
        matches!(&*self.execution_status, "EXECUTE_COMPLETE" | "OBSOLETE")
    }
}

impl Stacks {
    /// The stack of a name, if it is not deleted, or of an id.
    pub(super) fn find(&self, name_or_id: &str) -> Option<&Stack> {
        let id = self.names.get(name_or_id).map_or(name_or_id, String::as_str);
        self.stacks.get(id)
    }

    /// The same.
    ///
    /// # Errors
    /// AWS's text if there is none.
    pub(super) fn get(&self, name_or_id: &str) -> Result<&Stack> {
        self.find(name_or_id).ok_or_else(|| missing(name_or_id))
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, name_or_id: &str) -> Result<&mut Stack> {
        let id = self.names.get(name_or_id).map_or(name_or_id, String::as_str).to_owned();
        self.stacks.get_mut(&id).ok_or_else(|| missing(name_or_id))
    }

    /// All exports: name to value and the id of the stack.
    pub(super) fn exports(&self) -> BTreeMap<String, (String, String)> {
        let live = self.stacks.values().filter(|stack| stack.deleted.is_none());
        let of = |stack: &Stack| {
            let id = stack.id.clone();
            let exported = stack
                .outputs
                .clone()
                .into_iter()
                .filter_map(move |output| output.export_name.map(|name| (name, (output.output_value, id.clone()))));
            exported.collect::<Vec<_>>()
        };
        live.flat_map(of).collect()
    }
}

/// "Stack with id X does not exist".
pub(super) fn missing(name_or_id: &str) -> Error {
    validation_error(format!("Stack with id {name_or_id} does not exist"))
}

/// One page of a list: what follows `token`, at most `size`, and the token of the next page. Tokens are positions: what is
/// listed only grows while it is read.
pub(super) fn page<T>(all: Vec<T>, token: Option<&str>, size: usize) -> Result<(Vec<T>, Option<String>)> {
    let start = match token {
        None => 0,
        Some(token) => token.parse().map_err(|_| validation_error("Invalid NextToken"))?,
    };
    let more = all.len() > usize::saturating_add(start, size);
    let items = all.into_iter().skip(start).take(size).collect();
    Ok((items, more.then(|| (start + size).to_string())))
}
