//! Questions about stacks: what they are, what is in them, what happened.

use serde::{Deserialize, Serialize};

use super::lookup::masked;
use super::state::{Output, Resource, Stack, StackEvent, Stacks, Tag, page};
use super::stored::is_stored;
use super::template::validation_error;
use crate::cloud::Cx;
use crate::{Result, Timestamp};

/// What a page of each list holds: AWS pages by the size of the answer, up to 1 MB, or by such numbers.
const PAGE: usize = 100;
/// `DescribeStackResources` answers at most this many.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html>
const RESOURCES_LIMIT: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeStacks {
    pub stack_name: Option<String>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StackList {
    stacks: Vec<StackOutput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `Stack` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StackOutput {
    stack_id: String,
    stack_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    change_set_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<ParameterOutput>,
    creation_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated_time: Option<Timestamp>,
    stack_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack_status_reason: Option<String>,
    rollback_configuration: NoTriggers,
    disable_rollback: bool,
    #[serde(rename = "NotificationARNs")]
    notification_arns: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_in_minutes: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    capabilities: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<Output>,
    #[serde(rename = "RoleARN", skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    tags: Vec<Tag>,
    /// Not of a stack that is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_termination_protection: Option<bool>,
    drift_information: Drift,
}

/// `Parameter` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ParameterOutput {
    parameter_key: String,
    parameter_value: String,
    /// The value, where `ParameterValue` is the name of a parameter in Parameter Store.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_value: Option<String>,
}

/// `RollbackConfiguration`: there are no alarms that would roll a stack back.
#[derive(Serialize)]
pub(super) struct NoTriggers {}

/// Drift is never looked for.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Drift {
    stack_drift_status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceDrift {
    stack_resource_drift_status: &'static str,
}

const NOT_CHECKED: &str = "NOT_CHECKED";

/// A definition's parameters as answers show them.
pub(super) fn parameters(definition: &super::state::Definition) -> Vec<ParameterOutput> {
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        serde_json::Value::Array(items) => {
            items.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    };
    let show = |(name, value): (String, serde_json::Value)| {
        let declared = definition.template.parameter(&name).filter(|declared| is_stored(declared));
        let key = declared.and_then(|declared| definition.given.get(&name).cloned().or(declared.default.clone()));
        match key {
            Some(key) => {
                ParameterOutput { parameter_key: name, parameter_value: key, resolved_value: Some(text(value)) }
            }
            None => ParameterOutput { parameter_key: name, parameter_value: text(value), resolved_value: None },
        }
    };
    masked(definition).into_iter().map(show).collect()
}

pub(super) fn stacks(cx: &mut Cx<Stacks>, input: DescribeStacks) -> Result<StackList> {
    if let Some(name) = &input.stack_name {
        return Ok(StackList { stacks: vec![shown(cx.state.get(name)?)], next_token: None });
    }
    let live = cx.state.names.values().filter_map(|id| cx.state.stacks.get(id));
    let (stacks, next_token) = page(newest_first(live.collect()), input.next_token.as_deref(), PAGE)?;
    Ok(StackList { stacks: stacks.into_iter().map(shown).collect(), next_token })
}

fn newest_first(mut stacks: Vec<&Stack>) -> Vec<&Stack> {
    stacks.sort_by_key(|stack| std::cmp::Reverse(stack.created));
    stacks
}

/// When everything of a stack was deleted that could not be made; `None` of one that stands.
fn rolled_back(stack: &Stack) -> Option<Timestamp> {
    let is_rolled_back = stack.status == "ROLLBACK_COMPLETE";
    let mut events = stack.events.iter().rev().filter(|_| is_rolled_back);
    events.find(|event| event.resource_status == "ROLLBACK_IN_PROGRESS").map(|event| event.timestamp)
}

fn shown(stack: &Stack) -> StackOutput {
    let definition = &stack.definition;
    let gone = stack.deleted.or_else(|| rolled_back(stack));
    StackOutput {
        stack_id: stack.id.clone(),
        stack_name: stack.name.clone(),
        change_set_id: stack.change_set_id.clone().filter(|_| gone.is_none()),
        description: definition.template.description.clone(),
        parameters: parameters(definition),
        creation_time: stack.created,
        deletion_time: gone,
        last_updated_time: stack.updated,
        stack_status: stack.status.clone(),
        stack_status_reason: stack.reason.clone(),
        rollback_configuration: NoTriggers {},
        disable_rollback: stack.on_failure == super::state::OnFailure::DoNothing,
        notification_arns: Vec::new(),
        timeout_in_minutes: stack.timeout_in_minutes,
        capabilities: definition.capabilities.clone(),
        outputs: stack.outputs.clone(),
        role_arn: definition.role_arn.clone(),
        tags: definition.tags.clone(),
        enable_termination_protection: stack.deleted.is_none().then_some(stack.termination_protection),
        drift_information: Drift { stack_drift_status: NOT_CHECKED },
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListStacks {
    next_token: Option<String>,
    #[serde(default)]
    stack_status_filter: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SummaryList {
    stack_summaries: Vec<StackSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StackSummary {
    stack_id: String,
    stack_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    template_description: Option<String>,
    creation_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_time: Option<Timestamp>,
    stack_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack_status_reason: Option<String>,
    drift_information: Drift,
}

/// Deleted stacks included.
pub(super) fn list_stacks(cx: &mut Cx<Stacks>, input: ListStacks) -> Result<SummaryList> {
    let wanted =
        |stack: &&Stack| input.stack_status_filter.is_empty() || input.stack_status_filter.contains(&stack.status);
    let stacks = newest_first(cx.state.stacks.values().filter(wanted).collect());
    let (stacks, next_token) = page(stacks, input.next_token.as_deref(), PAGE)?;
    let summary = |stack: &Stack| StackSummary {
        stack_id: stack.id.clone(),
        stack_name: stack.name.clone(),
        template_description: stack.definition.template.description.clone(),
        creation_time: stack.created,
        last_updated_time: stack.updated,
        deletion_time: stack.deleted,
        stack_status: stack.status.clone(),
        stack_status_reason: stack.reason.clone(),
        drift_information: Drift { stack_drift_status: NOT_CHECKED },
    };
    Ok(SummaryList { stack_summaries: stacks.into_iter().map(summary).collect(), next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfStack {
    pub stack_name: String,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EventList {
    stack_events: Vec<EventOutput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventOutput {
    stack_id: String,
    stack_name: String,
    #[serde(flatten)]
    event: StackEvent,
}

/// Newest first.
pub(super) fn events(cx: &mut Cx<Stacks>, input: OfStack) -> Result<EventList> {
    let stack = cx
        .state
        .find(&input.stack_name)
        .ok_or_else(|| validation_error(format!("Stack [{}] does not exist", input.stack_name)))?;
    let (events, next_token) = page(stack.events.iter().rev().collect(), input.next_token.as_deref(), PAGE)?;
    let shown = |event: &StackEvent| EventOutput {
        stack_id: stack.id.clone(),
        stack_name: stack.name.clone(),
        event: event.clone(),
    };
    Ok(EventList { stack_events: events.into_iter().map(shown).collect(), next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeStackResources {
    pub stack_name: Option<String>,
    logical_resource_id: Option<String>,
    physical_resource_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResourceList {
    stack_resources: Vec<StackResource>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StackResource {
    stack_name: String,
    stack_id: String,
    timestamp: Timestamp,
    #[serde(flatten)]
    resource: ResourceOutput,
}

/// What all answers show of a resource.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceOutput {
    logical_resource_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_resource_id: Option<String>,
    resource_type: String,
    resource_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_status_reason: Option<String>,
    drift_information: ResourceDrift,
}

fn resource_output(resource: &Resource) -> ResourceOutput {
    ResourceOutput {
        logical_resource_id: resource.logical_id.clone(),
        physical_resource_id: resource.physical_id.clone(),
        resource_type: resource.kind.clone(),
        resource_status: resource.status.clone(),
        resource_status_reason: resource.reason.clone(),
        drift_information: ResourceDrift { stack_resource_drift_status: NOT_CHECKED },
    }
}

pub(super) fn resources(cx: &mut Cx<Stacks>, input: DescribeStackResources) -> Result<ResourceList> {
    let stack = match (&input.stack_name, &input.physical_resource_id) {
        (Some(name), None) => cx.state.get(name)?,
        (None, Some(physical)) => {
            let owns = |resource: &Resource| resource.physical_id.as_ref() == Some(physical);
            let owner = cx.state.stacks.values().find(|stack| stack.resources.values().any(owns));
            owner.ok_or_else(|| validation_error(format!("Stack for {physical} does not exist")))?
        }
        _ => return Err(validation_error("Either StackName or PhysicalResourceId must be specified, but not both")),
    };
    let wanted = |resource: &&Resource| input.logical_resource_id.as_ref().is_none_or(|id| *id == resource.logical_id);
    let shown = |resource: &Resource| StackResource {
        stack_name: stack.name.clone(),
        stack_id: stack.id.clone(),
        timestamp: resource.updated,
        resource: resource_output(resource),
    };
    let all = stack.resources.values().filter(wanted);
    Ok(ResourceList { stack_resources: all.take(RESOURCES_LIMIT).map(shown).collect() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeStackResource {
    pub stack_name: String,
    logical_resource_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResourceDetailOutput {
    stack_resource_detail: ResourceDetail,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceDetail {
    stack_name: String,
    stack_id: String,
    last_updated_timestamp: Timestamp,
    metadata: String,
    #[serde(flatten)]
    resource: ResourceOutput,
}

pub(super) fn resource(cx: &mut Cx<Stacks>, input: DescribeStackResource) -> Result<ResourceDetailOutput> {
    let stack = cx
        .state
        .find(&input.stack_name)
        .ok_or_else(|| validation_error(format!("Stack '{}' does not exist", input.stack_name)))?;
    let id = &input.logical_resource_id;
    let resource = stack
        .resources
        .get(id)
        .ok_or_else(|| validation_error(format!("Resource {id} does not exist for stack {}", input.stack_name)))?;
    let declared = stack.definition.template.resource(id);
    let metadata = declared.and_then(|declared| declared.attributes.get("Metadata"));
    let metadata = metadata.map_or_else(|| "{}".to_owned(), ToString::to_string);
    Ok(ResourceDetailOutput {
        stack_resource_detail: ResourceDetail {
            stack_name: stack.name.clone(),
            stack_id: stack.id.clone(),
            last_updated_timestamp: resource.updated,
            metadata,
            resource: resource_output(resource),
        },
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResourceSummaries {
    stack_resource_summaries: Vec<ResourceSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceSummary {
    last_updated_timestamp: Timestamp,
    #[serde(flatten)]
    resource: ResourceOutput,
}

pub(super) fn list_resources(cx: &mut Cx<Stacks>, input: OfStack) -> Result<ResourceSummaries> {
    let stack = cx.state.get(&input.stack_name)?;
    let (resources, next_token) = page(stack.resources.values().collect(), input.next_token.as_deref(), PAGE)?;
    let shown = |resource: &Resource| ResourceSummary {
        last_updated_timestamp: resource.updated,
        resource: resource_output(resource),
    };
    Ok(ResourceSummaries { stack_resource_summaries: resources.into_iter().map(shown).collect(), next_token })
}
