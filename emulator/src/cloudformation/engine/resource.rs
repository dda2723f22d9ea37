//! One resource at a time: made, changed in place, deleted, by its type.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::Engine;
use super::references::dereferenced;
use crate::cloudformation::lookup::complete;
use crate::cloudformation::report::Reason;
use crate::cloudformation::state::{OnFailure, Resource};
use crate::cloudformation::types::{self, Made, ResourceType, Task};
use crate::{Error, Result, Timestamp};

/// AWS's reason for another physical id after an update.
const REPLACED: &str = "Requested update required the provider to create a new physical resource";

/// What the making of a resource is called.
struct Statuses {
    in_progress: &'static str,
    complete: &'static str,
    failed: &'static str,
}

const CREATION: Statuses =
    Statuses { in_progress: "CREATE_IN_PROGRESS", complete: "CREATE_COMPLETE", failed: "CREATE_FAILED" };
const REPLACEMENT: Statuses =
    Statuses { in_progress: "UPDATE_IN_PROGRESS", complete: "UPDATE_COMPLETE", failed: "UPDATE_FAILED" };

impl Engine {
    /// The resource as the definition wants it, before it exists.
    fn planned(&self, id: &str) -> Result<Resource> {
        let wanted = self.definition().template.resource(id);
        let wanted = wanted.ok_or_else(|| Error::internal(format!("there is no resource {id}")))?;
        Ok(Resource {
            logical_id: id.to_owned(),
            kind: wanted.kind.clone(),
            physical_id: None,
            status: String::new(),
            reason: None,
            updated: Timestamp::from_millis(0),
            properties: Map::new(),
            attributes: Map::new(),
            no_echo: false,
            deletion_policy: wanted.deletion_policy.clone(),
            update_replace_policy: wanted.update_replace_policy.clone(),
            suffix: self.suffixes.get(id).cloned().unwrap_or_default(),
        })
    }

    /// A resource's properties as they are to be, with the stack's tags.
    pub(super) fn properties(&self, id: &str) -> Result<Map<String, Value>> {
        let definition = self.definition();
        let Some(wanted) = definition.template.resource(id) else { return Ok(Map::new()) };
        let resolved = self.resolve(&Value::Object(wanted.properties.clone()))?;
        Ok(complete(&wanted.kind, resolved, &definition.tags))
    }

    /// Makes a resource. `false` if it could not be made, which is reported.
    pub(super) async fn make(&mut self, id: &str) -> Result<bool> {
        let resource = self.planned(id)?;
        self.resource_is(&resource, CREATION.in_progress, None)?;
        self.make_as(resource, &CREATION).await
    }

    /// Makes a resource that takes the place of another, which is an update of it.
    pub(super) async fn make_anew(&mut self, id: &str) -> Result<bool> {
        let resource = self.planned(id)?;
        self.make_as(resource, &REPLACEMENT).await
    }

    async fn make_as(&mut self, mut resource: Resource, statuses: &Statuses) -> Result<bool> {
        let id = &resource.logical_id.clone();
        let kind = kind(&resource.kind)?;
        resource.properties = match self.properties(id) {
            Ok(properties) => properties,
            Err(error) => return self.fails(&resource, statuses.failed, own(&error)),
        };
        if let Some(lacking) = kind.lacks(&resource.properties) {
            let reason = Reason::Own(lacks(id, lacking));
            return self.fails(&resource, statuses.failed, reason);
        }
        let properties = match dereferenced(&self.door, kind.name, &resource.properties).await {
            Ok(properties) => properties,
            Err(error) => return self.fails(&resource, statuses.failed, own(&error)),
        };
        let none = Map::new();
        let task = self.task(&resource, &properties, &none);
        let outcome = (kind.create)(&task).await;
        let begun = task.exists.into_inner();
        if begun.is_some() {
            resource.physical_id.clone_from(&begun);
            let reason = Reason::Own("Resource creation Initiated".to_owned());
            self.resource_is(&resource, statuses.in_progress, Some(reason))?;
        }
        match outcome {
            Ok(Made { physical_id, attributes, no_echo }) => {
                resource.physical_id = Some(physical_id);
                resource.attributes = attributes;
                resource.no_echo = no_echo;
                self.resource_is(&resource, statuses.complete, None)?;
                Ok(true)
            }
            Err(error) => self.fails(&resource, statuses.failed, reason(kind, &error)),
        }
    }

    /// Changes a resource in place, from what it is to these properties. `false` if that failed, which is reported.
    pub(super) async fn change(&mut self, resource: &Resource, properties: &Map<String, Value>) -> Result<bool> {
        let kind = kind(&resource.kind)?;
        self.resource_is(resource, "UPDATE_IN_PROGRESS", None)?;
        if let Some(lacking) = kind.lacks(properties) {
            let reason = Reason::Own(lacks(&resource.logical_id, lacking));
            return self.fails(resource, "UPDATE_FAILED", reason);
        }
        let outcome = match self.read_both(kind, properties, &resource.properties).await {
            Ok((new, old)) => (kind.update)(&self.task(resource, &new, &old)).await,
            Err(error) => return self.fails(resource, "UPDATE_FAILED", own(&error)),
        };
        match outcome {
            Ok(Made { physical_id, attributes, no_echo }) => {
                let physical_id = Some(physical_id);
                // What is told only when a resource is made, such as a secret key, stays known.
                let is_known = attributes.is_empty() && !kind.is_custom();
                let attributes = if is_known { resource.attributes.clone() } else { attributes };
                let changed =
                    Resource { properties: properties.clone(), physical_id, attributes, no_echo, ..resource.clone() };
                if changed.physical_id != resource.physical_id {
                    let reason = Reason::Own(REPLACED.to_owned());
                    self.resource_is(&changed, "UPDATE_IN_PROGRESS", Some(reason))?;
                }
                self.resource_is(&changed, "UPDATE_COMPLETE", None)?;
                Ok(true)
            }
            Err(error) => {
                let mut resource = resource.clone();
                if self.stack.on_failure == OnFailure::Rollback {
                    // Part of it may have been done: the rollback undoes all of it.
                    resource.properties.clone_from(properties);
                }
                self.fails(&resource, "UPDATE_FAILED", reason(kind, &error))
            }
        }
    }

    /// The properties that a resource is to have and those that it has, with the values of their references. What a
    /// reference meant before is not known: one that stayed is taken to mean the same.
    async fn read_both(
        &self,
        kind: &ResourceType,
        new: &Map<String, Value>,
        old: &Map<String, Value>,
    ) -> Result<(Map<String, Value>, Map<String, Value>)> {
        let read = dereferenced(&self.door, kind.name, new).await?;
        let was = |(name, value): (&String, &Value)| {
            let value = if new.get(name) == Some(value) { read.get(name).unwrap_or(value) } else { value };
            (name.clone(), value.clone())
        };
        let old = old.iter().map(was).collect();
        Ok((read, old))
    }

    /// Deletes a resource of the stack, unless it is to be kept. `false` if that failed, which is reported.
    pub(super) async fn remove(&mut self, resource: &Resource, keep: bool) -> Result<bool> {
        if keep {
            self.resource_is(resource, "DELETE_SKIPPED", None)?;
            return Ok(true);
        }
        self.resource_is(resource, "DELETE_IN_PROGRESS", None)?;
        match self.delete_physical(resource).await? {
            None => self.resource_is(resource, "DELETE_COMPLETE", None).map(|()| true),
            Some(reason) => self.fails(resource, "DELETE_FAILED", reason),
        }
    }

    /// Deletes a physical resource that the stack has given up. `false` if that failed, which is reported.
    pub(super) async fn remove_aside(&mut self, resource: &Resource, keep: bool) -> Result<bool> {
        if keep {
            self.aside_is(resource, "DELETE_SKIPPED", None)?;
            return Ok(true);
        }
        self.aside_is(resource, "DELETE_IN_PROGRESS", None)?;
        let failure = self.delete_physical(resource).await?;
        let status = if failure.is_some() { "DELETE_FAILED" } else { "DELETE_COMPLETE" };
        let done = failure.is_none();
        self.aside_is(resource, status, failure)?;
        Ok(done)
    }

    async fn delete_physical(&self, resource: &Resource) -> Result<Option<Reason>> {
        if !resource.exists() {
            return Ok(None);
        }
        let kind = kind(&resource.kind)?;
        let task = self.task(resource, &resource.properties, &resource.properties);
        match (kind.delete)(&task).await {
            // What is gone is deleted.
            Err(error) if error.status() != 404 => Ok(Some(reason(kind, &error))),
            _ => Ok(None),
        }
    }

    fn fails(&mut self, resource: &Resource, status: &str, reason: Reason) -> Result<bool> {
        tracing::debug!(resource = resource.logical_id, status, reason = reason.text(), "a resource failed");
        self.resource_is(resource, status, Some(reason))?;
        Ok(false)
    }

    fn task<'a>(
        &'a self,
        resource: &'a Resource,
        properties: &'a Map<String, Value>,
        old: &'a Map<String, Value>,
    ) -> Task<'a> {
        Task {
            door: &self.door,
            stack_name: &self.stack.name,
            stack_id: &self.stack.id,
            kind: &resource.kind,
            logical_id: &resource.logical_id,
            suffix: &resource.suffix,
            properties,
            old,
            physical_id: resource.physical_id.as_deref().unwrap_or_default(),
            capabilities: &self.definition().capabilities,
            exists: OnceLock::new(),
        }
    }
}

/// Whether a policy says that the physical resource outlives its stack.
pub(super) fn is_kept(policy: Option<&str>, in_failed_creation: bool) -> bool {
    match policy {
        Some("Retain") => true,
        Some("RetainExceptOnCreate") => !in_failed_creation,
        _ => false,
    }
}

fn kind(name: &str) -> Result<&'static ResourceType> {
    types::find(name).ok_or_else(|| Error::not_implemented(format_args!("the CloudFormation resource type {name}")))
}

/// `AWS::Lambda::Function` belongs to `lambda`.
fn service_of(kind: &ResourceType) -> &'static str {
    match kind.name.split("::").nth(1) {
        Some("IAM") => "iam",
        Some("Lambda") => "lambda",
        Some("Logs") => "logs",
        Some("S3") => "s3",
        Some("Scheduler") => "scheduler",
        _ => "cloudformation",
    }
}

/// Why a resource failed. What CloudFormation makes itself has no service that would speak.
fn reason(kind: &ResourceType, error: &Error) -> Reason {
    if kind.name.starts_with("AWS::CloudFormation::") { own(error) } else { Reason::of(service_of(kind), error) }
}

fn own(error: &Error) -> Reason {
    Reason::Own(error.message().to_owned())
}

fn lacks(id: &str, property: &str) -> String {
    format!("Properties validation failed for resource {id} with message:\n#: required key [{property}] not found")
}
