//! What the job reports: it becomes the stack's new state and its events.

use serde::{Deserialize, Serialize};

use super::responses;
use super::settle::signal;
use super::state::{Output, Resource, Stack, StackEvent, Stacks};
use crate::cloud::Cx;
use crate::{Error, Result};

/// A report on a stack.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub stack_id: String,
    pub report: Report,
}

/// What happened.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The stack has a new status.
    Stack { status: String, reason: Option<String> },
    /// A resource has a new status. `properties` are those that its event shows.
    Resource { resource: Box<Resource>, reason: Option<Reason>, properties: Option<String> },
    /// Something happened to a physical resource that the stack has given up, or one of an older life.
    Aside { resource: Box<Resource>, reason: Option<Reason> },
    /// The stack has these resources and no others, without an event.
    Resources(Vec<Resource>),
    /// The stack has these outputs.
    Outputs(Vec<Output>),
    /// What the stack was to be turned into is what it is now (`true`), or never will be.
    Settled(bool),
}

/// Why something has its status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Reason {
    /// CloudFormation's own words.
    Own(String),
    /// An error of the service that makes the resource, with CloudFormation's code for it.
    Handler { message: String, code: String },
}

impl Reason {
    /// <https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html>
    pub fn of(service: &str, error: &Error) -> Self {
        let code = match (error.status(), error.code()) {
            (403, _) | (_, "AccessDenied" | "AccessDeniedException") => "AccessDenied",
            (404, _) => "NotFound",
            (_, code) if code.contains("AlreadyExist") || code.starts_with("BucketAlready") => "AlreadyExists",
            (409, "ResourceConflictException" | "ConflictException") => "AlreadyExists",
            (409, _) => "ResourceConflict",
            (429, _) | (_, "Throttling" | "ThrottlingException" | "SlowDown") => "Throttling",
            (_, "LimitExceeded" | "LimitExceededException") => "ServiceLimitExceeded",
            (400..500, _) => "InvalidRequest",
            (501, _) => "UnsupportedAction",
            (500.., _) => "ServiceInternalError",
            _ => "GeneralServiceException",
        };
        let message = format!("{} (Service: {}, Status Code: {})", error.message(), named(service), error.status());
        Self::Handler { message, code: code.to_owned() }
    }

    /// The text, as far as it is known outside the service's state.
    pub fn text(&self) -> &str {
        match self {
            Self::Own(text) => text,
            Self::Handler { message, .. } => message,
        }
    }
}

/// The name of a service's client in AWS's SDK for Java, which the texts carry.
fn named(service: &str) -> &str {
    match service {
        "iam" => "Iam",
        "lambda" => "Lambda",
        "logs" => "CloudWatchLogs",
        "s3" => "S3",
        "scheduler" => "Scheduler",
        other => other,
    }
}

/// The event "Report".
pub(super) fn report(cx: &mut Cx<Stacks>, told: &str) -> Result<()> {
    let Told { stack_id, report } = serde_json::from_str(told)?;
    match report {
        Report::Stack { status, reason } => {
            let mut stack = cx.state.get(&stack_id)?.clone();
            stack.status = status;
            stack.reason = reason;
            let event = stack_event(cx, &stack, stack.reason.as_deref());
            stack.events.push_back(event);
            if stack.status == "DELETE_COMPLETE" {
                responses::forget_all(cx, &stack_id);
                stack.deleted = Some(cx.now);
                stack.outputs.clear();
                cx.state.names.remove(&stack.name);
            }
            if !stack.status.ends_with("_IN_PROGRESS") {
                cx.signal(signal(&stack_id));
            }
            cx.state.stacks.insert(stack_id, stack);
        }
        Report::Resource { mut resource, reason, properties } => {
            resource.updated = cx.now;
            resource.reason = reason.map(|reason| words(cx, reason));
            let mut event = resource_event(cx, &stack_id, &resource)?;
            event.resource_properties = properties;
            let stack = cx.state.get_mut(&stack_id)?;
            stack.events.push_back(event);
            stack.resources.insert(resource.logical_id.clone(), *resource);
        }
        Report::Aside { mut resource, reason } => {
            resource.reason = reason.map(|reason| words(cx, reason));
            let event = resource_event(cx, &stack_id, &resource)?;
            cx.state.get_mut(&stack_id)?.events.push_back(event);
        }
        Report::Resources(resources) => {
            let resources = resources.into_iter().map(|resource| (resource.logical_id.clone(), resource)).collect();
            cx.state.get_mut(&stack_id)?.resources = resources;
        }
        Report::Outputs(outputs) => cx.state.get_mut(&stack_id)?.outputs = outputs,
        Report::Settled(adopted) => {
            let stack = cx.state.get_mut(&stack_id)?;
            if let Some(definition) = stack.pending.take().filter(|_| adopted) {
                stack.definition = definition;
            }
        }
    }
    Ok(())
}

fn words(cx: &mut Cx<Stacks>, reason: Reason) -> String {
    match reason {
        Reason::Own(text) => text,
        Reason::Handler { message, code } => {
            let token = cx.ids().uuid();
            format!(
                "Resource handler returned message: \"{message}\" (RequestToken: {token}, HandlerErrorCode: {code})"
            )
        }
    }
}

/// The event that says what status a stack has.
pub(super) fn stack_event(cx: &mut Cx<Stacks>, stack: &Stack, reason: Option<&str>) -> StackEvent {
    StackEvent {
        event_id: cx.ids().uuid(),
        logical_resource_id: stack.name.clone(),
        physical_resource_id: stack.id.clone(),
        resource_type: "AWS::CloudFormation::Stack".to_owned(),
        timestamp: stack.next_event(cx.now),
        resource_status: stack.status.clone(),
        resource_status_reason: reason.map(str::to_owned),
        resource_properties: None,
        client_request_token: stack.token.clone(),
    }
}

fn resource_event(cx: &Cx<Stacks>, stack_id: &str, resource: &Resource) -> Result<StackEvent> {
    let Resource { logical_id, status, .. } = resource;
    let timestamp = cx.state.get(stack_id)?.next_event(cx.now);
    Ok(StackEvent {
        event_id: format!("{logical_id}-{status}-{}", timestamp.to_iso_millis()),
        logical_resource_id: logical_id.clone(),
        physical_resource_id: resource.physical_id.clone().unwrap_or_default(),
        resource_type: resource.kind.clone(),
        timestamp,
        resource_status: status.clone(),
        resource_status_reason: resource.reason.clone(),
        resource_properties: None,
        client_request_token: cx.state.get(stack_id)?.token.clone(),
    })
}
