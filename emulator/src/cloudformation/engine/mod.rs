//! The job that makes, changes and deletes a stack's resources, one after another, and reports each step.
//!
//! AWS works on several resources at a time where nothing forbids it; here the order is always the same, so that a run can be
//! repeated.

mod create;
mod delete;
mod references;
mod resource;
mod update;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::PRINCIPAL;
use super::lookup::{Known, Values, pseudo};
use super::report::{Reason, Report, Told};
use super::stacks::{listed, role_caller};
use super::state::{Definition, Output, Resource, Stack};
use super::template::resolve::Pseudo;
use super::types::Door;
use crate::cloud::{Caller, Cloud, JobFuture, Scope};
use crate::{Error, Result};

/// What the job is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// The stack as it is, without its events.
    pub stack: Stack,
    pub kind: Kind,
    pub actor: Actor,
    /// What is appended to generated names, by logical id.
    pub suffixes: BTreeMap<String, String>,
    /// What may be imported: name and value.
    pub exports: BTreeMap<String, String>,
    /// Why it cannot be done: an import that there is not, a transform that failed.
    pub hindrance: Option<String>,
    /// The exports of other stacks, and those stacks' ids: these names are taken.
    pub taken: BTreeMap<String, String>,
    /// The stacks that import this one's exports, by the names of these.
    pub users: BTreeMap<String, Vec<String>>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// Everything is made.
    Create,
    /// The stack becomes what is pending.
    Update,
    /// Everything is deleted, but for these resources.
    Delete { retain: Vec<String>, role_arn: Option<String> },
}

impl Kind {
    /// The stack's status meanwhile.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Create => "CREATE_IN_PROGRESS",
            Self::Update => "UPDATE_IN_PROGRESS",
            Self::Delete { .. } => "DELETE_IN_PROGRESS",
        }
    }
}

/// As whom the services are called: the caller of the stack's operation, or the stack's role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Actor {
    caller: Caller,
    role_arn: Option<String>,
}

impl Actor {
    /// The caller, or the role that it hands over. What the stack's work calls belongs to no invocation, and faults strike it
    /// whoever asked for it.
    pub fn new(caller: &Caller, role_arn: Option<String>) -> Self {
        Self { caller: caller.for_job(), role_arn }
    }

    fn caller(&self, cloud: &Cloud) -> Result<Caller> {
        match &self.role_arn {
            Some(role) => role_caller(&cloud.0.access(&Caller::service(PRINCIPAL)), role),
            None => Ok(self.caller.clone()),
        }
    }
}

/// The job.
pub(super) fn job(cloud: Cloud, scope: Scope, order: Value) -> JobFuture {
    Box::pin(async move {
        if let Err(error) = work(cloud, scope, order).await {
            tracing::error!(%error, "the work on a stack broke off");
        }
    })
}

async fn work(cloud: Cloud, scope: Scope, order: Value) -> Result<()> {
    let order: Order = serde_json::from_value(order)?;
    let caller = order.actor.caller(&cloud);
    let no_role = caller.as_ref().err().map(|error| error.message().to_owned());
    let door = Door { cloud, scope, caller: caller.unwrap_or_else(|_| Caller::service(PRINCIPAL)) };
    let Order { stack, kind, suffixes, exports, hindrance, taken, users, .. } = order;
    let mut engine = Engine { door, stack, suffixes, exports, taken, users };
    let hindrance = no_role.or(hindrance);
    match kind {
        Kind::Create => engine.create(hindrance).await,
        Kind::Update => engine.update(hindrance).await,
        Kind::Delete { retain, .. } => engine.delete(hindrance, &retain).await,
    }
}

/// A stack in the making.
struct Engine {
    door: Door,
    /// A copy, which every report changes as it changes the original.
    stack: Stack,
    suffixes: BTreeMap<String, String>,
    exports: BTreeMap<String, String>,
    taken: BTreeMap<String, String>,
    users: BTreeMap<String, Vec<String>>,
}

impl Engine {
    fn tell(&self, report: Report) -> Result<()> {
        let told = serde_json::to_string(&Told { stack_id: self.stack.id.clone(), report })?;
        self.door.cloud.0.event("cloudformation", &self.door.scope, "Report", &told)
    }

    /// The stack has a new status.
    fn stack_is(&mut self, status: &str, reason: Option<String>) -> Result<()> {
        status.clone_into(&mut self.stack.status);
        self.tell(Report::Stack { status: status.to_owned(), reason })
    }

    /// A resource has a new status.
    fn resource_is(&mut self, resource: &Resource, status: &str, reason: Option<Reason>) -> Result<()> {
        let resource = Resource { status: status.to_owned(), ..resource.clone() };
        let properties = self.shown(&resource.logical_id);
        self.stack.resources.insert(resource.logical_id.clone(), resource.clone());
        self.tell(Report::Resource { resource: Box::new(resource), reason, properties })
    }

    /// A physical resource that the stack has given up has a new status.
    fn aside_is(&self, resource: &Resource, status: &str, reason: Option<Reason>) -> Result<()> {
        let resource = Resource { status: status.to_owned(), ..resource.clone() };
        self.tell(Report::Aside { resource: Box::new(resource), reason })
    }

    /// What the stack is made from: what is pending, while it is updated.
    fn definition(&self) -> &Definition {
        self.stack.pending.as_ref().unwrap_or(&self.stack.definition)
    }

    fn pseudo(&self) -> Pseudo {
        pseudo(&self.door.scope, &self.stack.name, &self.stack.id)
    }

    fn resolve(&self, value: &Value) -> Result<Value> {
        let definition = self.definition();
        let pseudo = self.pseudo();
        let values = Values {
            template: &definition.template,
            parameters: &definition.values,
            conditions: &definition.conditions,
            pseudo: &pseudo,
        };
        values.resolve(value, &Known::new(&self.door.scope, &self.stack.resources, &self.exports))
    }

    /// A resource's properties as events show them, without secrets. `None` where they cannot be told yet.
    fn shown(&self, id: &str) -> Option<String> {
        let definition = self.definition();
        let masked = super::lookup::masked(definition);
        let pseudo = self.pseudo();
        let values = Values {
            template: &definition.template,
            parameters: &masked,
            conditions: &definition.conditions,
            pseudo: &pseudo,
        };
        let properties = Value::Object(definition.template.resource(id)?.properties.clone());
        let known = Known::new(&self.door.scope, &self.stack.resources, &self.exports).shown();
        values.resolve(&properties, &known).ok().map(|properties| properties.to_string())
    }

    /// The outputs that the stack has now.
    fn outputs(&self) -> Result<Vec<Output>> {
        let definition = self.definition();
        let mut outputs = Vec::new();
        for (name, output) in &definition.template.outputs {
            let holds = |condition: &String| definition.conditions.get(condition).copied().unwrap_or_default();
            if !output.condition.as_ref().is_none_or(holds) {
                continue;
            }
            let export_name = match &output.export_name {
                Some(export) => Some(self.text(name, export)?),
                None => None,
            };
            if let Some(owner) = export_name.as_ref().and_then(|export| self.taken.get(export)) {
                let owner = owner.rsplit('/').nth(1).unwrap_or(owner);
                let export = export_name.unwrap_or_default();
                let text = format!("Export with name {export} is already exported by stack {owner}");
                return Err(Error::client("ValidationError", text));
            }
            outputs.push(Output {
                output_key: name.clone(),
                output_value: self.text(name, &output.value)?,
                description: output.description.clone(),
                export_name,
            });
        }
        Ok(outputs)
    }

    /// Refuses to change or drop exports that other stacks import.
    fn check_exports(&self, outputs: &[Output]) -> Result<()> {
        for old in &self.stack.outputs {
            let users = old.export_name.as_ref().and_then(|name| Some((name, self.users.get(name)?)));
            let Some((name, users)) = users else { continue };
            let new = outputs.iter().find(|output| output.export_name.as_ref() == Some(name));
            let what = match new {
                None => "deleted",
                Some(new) if new.output_value != old.output_value => "updated",
                Some(_) => continue,
            };
            let text = format!("Export {name} cannot be {what} as it is in use by {}", listed(users));
            return Err(Error::client("ValidationError", text));
        }
        Ok(())
    }

    fn text(&self, output: &str, value: &Value) -> Result<String> {
        match self.resolve(value)? {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            _ => {
                let text = format!(
                    "Template format error: The Value field of every Outputs member must evaluate to a String (output {output})."
                );
                Err(Error::client("ValidationError", text))
            }
        }
    }
}

/// Why an operation on a stack failed.
enum Failed {
    /// These resources could not be made, changed or deleted.
    Resources(&'static str, Vec<String>),
    /// Something else is wrong.
    Other(String),
}

impl Failed {
    /// `The following resource(s) failed to create: [X]. ` and what comes of it.
    fn text(&self, consequence: &str) -> String {
        match self {
            Self::Resources(verb, ids) => {
                format!("The following resource(s) failed to {verb}: [{}]. {consequence}", ids.join(", "))
            }
            Self::Other(text) if consequence.is_empty() => text.clone(),
            Self::Other(text) => format!("{text}. {consequence}"),
        }
    }
}
