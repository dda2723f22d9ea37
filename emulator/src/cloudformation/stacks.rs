//! Making, changing and deleting stacks: checked here, done by the job.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};

use super::deployment::DeploymentConfig;
use super::engine::{Actor, Kind, Order};
use super::lookup::{imports, imports_of};
use super::plan::{Parameter, Wanted, define, unread};
use super::report::stack_event;
use super::settle::{later, waited};
use super::source::Source;
use super::state::{Definition, OnFailure, Stack, Stacks, Tag};
use super::stored::{Reader, Stored, stored};
use super::template::validation_error;
use super::{PRINCIPAL, changes};
use crate::cloud::{Access, Caller, Cx, Step};
use crate::{Error, Result};

/// Stacks of an account in a region (CloudFormation quotas).
const MAX_STACKS: usize = 2000;
/// What AWS appends to generated names.
const SUFFIX_LENGTH: usize = 12;
/// The states of a stack that may be updated.
const UPDATABLE: [&str; 3] = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"];

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateStack {
    pub stack_name: String,
    template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    template_url: Option<String>,
    #[serde(default)]
    parameters: Vec<Parameter>,
    #[serde(default)]
    capabilities: Vec<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(rename = "RoleARN")]
    role_arn: Option<String>,
    disable_rollback: Option<bool>,
    on_failure: Option<OnFailure>,
    retain_except_on_create: Option<bool>,
    enable_termination_protection: Option<bool>,
    timeout_in_minutes: Option<u32>,
    client_request_token: Option<String>,
    deployment_config: Option<DeploymentConfig>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StackId {
    stack_id: String,
}

pub(super) fn create(cx: &mut Cx<Stacks>, input: &CreateStack) -> Result<Step<StackId>> {
    if let Some(stack_id) = waited(cx) {
        return Ok(Step::Done(StackId { stack_id }));
    }
    let input = input.clone();
    DeploymentConfig::check(input.deployment_config.as_ref())?;
    if let Some(stack) = cx.state.find(&input.stack_name) {
        if stack.creation_token.is_some() && stack.creation_token == input.client_request_token {
            return Ok(Step::Done(StackId { stack_id: stack.id.clone() }));
        }
        return Err(Error::client("AlreadyExistsException", format!("Stack [{}] already exists", stack.name)));
    }
    if input.disable_rollback.is_some() && input.on_failure.is_some() {
        return Err(validation_error("You cannot specify both DisableRollback and OnFailure."));
    }
    let source = Source::new(cx, input.template_body, input.template_url.as_deref())?;
    check_role(cx, input.role_arn.as_deref())?;
    let role = input.role_arn.as_deref();
    let acknowledged = Some(input.capabilities.as_slice());
    let reader =
        Reader { stack_name: &input.stack_name, parameters: &input.parameters, previous: None, role, acknowledged };
    let (body, stored, failure) = match stored(cx, &source, &reader)? {
        Stored::Known(body, values) => (body, values, None),
        Stored::Failed(body, why) => (body, BTreeMap::new(), Some(why)),
        Stored::Later(later) => return Ok(Step::Later(later)),
    };
    let id = new_id(cx, &input.stack_name)?;
    let wanted = Wanted {
        body,
        parameters: &input.parameters,
        capabilities: input.capabilities,
        tags: input.tags,
        role_arn: input.role_arn,
        previous: None,
        stored,
        expands: true,
    };
    let definition = match failure {
        None => define(cx.scope, &input.stack_name, &id, wanted)?,
        Some(_) => unread(wanted),
    };
    let mut stack = new_stack(cx, id.clone(), input.stack_name, definition);
    let no_rollback = input.disable_rollback.unwrap_or_default().then_some(OnFailure::DoNothing);
    stack.on_failure = input.on_failure.or(no_rollback).unwrap_or_default();
    stack.retain_except_on_create = input.retain_except_on_create.unwrap_or_default();
    stack.termination_protection = input.enable_termination_protection.unwrap_or_default();
    stack.timeout_in_minutes = input.timeout_in_minutes;
    stack.token.clone_from(&input.client_request_token);
    stack.creation_token = input.client_request_token;
    match failure {
        None => start(cx, stack, Kind::Create)?,
        why => start_hindered(cx, stack, Kind::Create, why)?,
    }
    Ok(later(cx, &id))
}

/// A stack's new id.
pub(super) fn new_id(cx: &mut Cx<Stacks>, name: &str) -> Result<String> {
    if cx.state.names.len() >= MAX_STACKS {
        return Err(Error::client("LimitExceededException", format!("Limit exceeded: {MAX_STACKS} stacks")));
    }
    let unique = cx.ids().uuid();
    Ok(cx.scope.arn("cloudformation", format_args!("stack/{name}/{unique}")))
}

/// A stack of which nothing exists yet.
pub(super) fn new_stack(cx: &Cx<Stacks>, id: String, name: String, definition: Definition) -> Stack {
    Stack {
        id,
        name,
        status: String::new(),
        reason: None,
        created: cx.now,
        updated: None,
        deleted: None,
        definition: Arc::new(definition),
        pending: None,
        resources: OrdMap::new(),
        events: Vector::new(),
        outputs: Vec::new(),
        on_failure: OnFailure::Rollback,
        retain_except_on_create: false,
        termination_protection: false,
        timeout_in_minutes: None,
        token: None,
        creation_token: None,
        change_set_id: None,
    }
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateStack {
    pub stack_name: String,
    template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    template_url: Option<String>,
    use_previous_template: Option<bool>,
    #[serde(default)]
    parameters: Vec<Parameter>,
    #[serde(default)]
    capabilities: Vec<String>,
    tags: Option<Vec<Tag>>,
    #[serde(rename = "RoleARN")]
    role_arn: Option<String>,
    disable_rollback: Option<bool>,
    client_request_token: Option<String>,
    deployment_config: Option<DeploymentConfig>,
}

pub(super) fn update(cx: &mut Cx<Stacks>, input: &UpdateStack) -> Result<Step<StackId>> {
    if let Some(stack_id) = waited(cx) {
        return Ok(Step::Done(StackId { stack_id }));
    }
    let input = input.clone();
    DeploymentConfig::check(input.deployment_config.as_ref())?;
    let mut stack = cx
        .state
        .find(&input.stack_name)
        .filter(|stack| stack.deleted.is_none())
        .cloned()
        .ok_or_else(|| validation_error(format!("Stack [{}] does not exist", input.stack_name)))?;
    check_updatable(&stack)?;
    let role_arn = input.role_arn.or_else(|| stack.definition.role_arn.clone());
    check_role(cx, role_arn.as_deref())?;
    let sent = (input.template_body, input.template_url.as_deref());
    let source = Source::of_update(cx, sent, input.use_previous_template, &stack)?;
    let reader = Reader {
        stack_name: &stack.name,
        parameters: &input.parameters,
        previous: Some(&stack.definition),
        role: role_arn.as_deref(),
        acknowledged: Some(&input.capabilities),
    };
    let (body, stored) = match stored(cx, &source, &reader)? {
        Stored::Known(body, values) => (body, values),
        Stored::Failed(_, why) => {
            stack.pending = Some(Arc::clone(&stack.definition));
            let stack_id = stack.id.clone();
            start_hindered(cx, stack, Kind::Update, Some(why))?;
            return Ok(later(cx, &stack_id));
        }
        Stored::Later(later) => return Ok(Step::Later(later)),
    };
    let wanted = Wanted {
        body,
        parameters: &input.parameters,
        capabilities: input.capabilities,
        tags: input.tags.unwrap_or_else(|| stack.definition.tags.clone()),
        role_arn,
        previous: Some(&stack.definition),
        stored,
        expands: true,
    };
    let definition = define(cx.scope, &stack.name, &stack.id, wanted)?;
    // Of a template with transforms AWS does not tell that nothing changes.
    if definition.transforms.is_empty() && !changes::has_any(cx.scope, &stack, &definition, &exports(cx)) {
        return Err(validation_error("No updates are to be performed."));
    }
    stack.pending = Some(Arc::new(definition));
    stack.token = input.client_request_token;
    stack.on_failure =
        if input.disable_rollback.unwrap_or_default() { OnFailure::DoNothing } else { OnFailure::Rollback };
    let stack_id = stack.id.clone();
    start(cx, stack, Kind::Update)?;
    Ok(later(cx, &stack_id))
}

/// Refuses an update of a stack in a state that allows none.
pub(super) fn check_updatable(stack: &Stack) -> Result<()> {
    if UPDATABLE.contains(&stack.status.as_str()) {
        return Ok(());
    }
    if matches!(&*stack.status, "CREATE_FAILED" | "UPDATE_FAILED") {
        let what = format_args!("updates of a stack whose last operation was not rolled back ({})", stack.status);
        return Err(Error::not_implemented(what));
    }
    Err(validation_error(format!("Stack:{} is in {} state and can not be updated.", stack.id, stack.status)))
}

/// Whether the caller may hand this role to CloudFormation, and CloudFormation may assume it.
pub(super) fn check_role(cx: &Cx<Stacks>, role: Option<&str>) -> Result<()> {
    let Some(role) = role else { return Ok(()) };
    if !cx.access().may("iam:PassRole", role) {
        let who = cx.caller.principal.arn();
        let text = format!("User: {who} is not authorized to perform: iam:PassRole on resource: {role}");
        return Err(Error::new(403, "AccessDenied", text));
    }
    if !cx.access().may_assume(role, PRINCIPAL) {
        return Err(bad_role(role));
    }
    Ok(())
}

/// A session of the role that a stack's services are called as.
pub(super) fn role_caller(access: &Access<'_>, role: &str) -> Result<Caller> {
    access.role_session(role, "AWSCloudFormation", PRINCIPAL).ok_or_else(|| bad_role(role))
}

fn bad_role(role: &str) -> Error {
    validation_error(format!("Role {role} is invalid or cannot be assumed"))
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteStack {
    pub stack_name: String,
    #[serde(default)]
    retain_resources: Vec<String>,
    #[serde(rename = "RoleARN")]
    role_arn: Option<String>,
    client_request_token: Option<String>,
    deployment_config: Option<DeploymentConfig>,
}

/// Deleting what does not exist, or is deleted, succeeds.
pub(super) fn delete(cx: &mut Cx<Stacks>, input: &DeleteStack) -> Result<Step<()>> {
    if waited(cx).is_some() {
        return Ok(Step::Done(()));
    }
    let input = input.clone();
    DeploymentConfig::check(input.deployment_config.as_ref())?;
    let Some(mut stack) = cx.state.find(&input.stack_name).filter(|stack| stack.deleted.is_none()).cloned() else {
        return Ok(Step::Done(()));
    };
    if stack.termination_protection {
        let text = format!("Stack [{}] cannot be deleted while TerminationProtection is enabled", stack.name);
        return Err(validation_error(text));
    }
    if stack.status.ends_with("_IN_PROGRESS") && stack.status != "REVIEW_IN_PROGRESS" {
        if stack.status == "DELETE_IN_PROGRESS" {
            return Ok(Step::Done(()));
        }
        let text = format!("Stack [{}] cannot be deleted while in status {}", stack.id, stack.status);
        return Err(validation_error(text));
    }
    if !input.retain_resources.is_empty() && stack.status != "DELETE_FAILED" {
        let text = format!(
            "Invalid operation on stack [{}]. To delete a stack with resources to retain, the stack must be in the DELETE_FAILED state.",
            stack.id
        );
        return Err(validation_error(text));
    }
    check_role(cx, input.role_arn.as_deref())?;
    if let Some((name, users)) = users(cx, &stack).into_iter().next() {
        let reason = format!("Delete canceled. Cannot delete export {name} as it is in use by {}.", listed(&users));
        let event = stack_event(cx, &stack, Some(&reason));
        let stack = cx.state.get_mut(&stack.id)?;
        stack.reason = Some(reason);
        stack.events.push_back(event);
        return Ok(Step::Done(()));
    }
    stack.token = input.client_request_token;
    let stack_id = stack.id.clone();
    start(cx, stack, Kind::Delete { retain: input.retain_resources, role_arn: input.role_arn })?;
    Ok(later(cx, &stack_id))
}

/// The exports of a stack that others import, with those stacks' names.
fn users(cx: &Cx<Stacks>, stack: &Stack) -> BTreeMap<String, Vec<String>> {
    let exports = exports(cx);
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let exported: Vec<&String> = stack.outputs.iter().filter_map(|output| output.export_name.as_ref()).collect();
    if exported.is_empty() {
        return users;
    }
    for other in cx.state.stacks.values().filter(|other| other.deleted.is_none() && other.id != stack.id) {
        for name in imports(cx.scope, other, &exports).into_iter().filter(|name| exported.contains(&name)) {
            users.entry(name).or_default().push(other.name.clone());
        }
    }
    users
}

/// `A`, `A and B`, `A, B and C`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Protect {
    pub stack_name: String,
    enable_termination_protection: bool,
}

pub(super) fn protect(cx: &mut Cx<Stacks>, input: Protect) -> Result<StackId> {
    let stack = cx.state.get_mut(&input.stack_name)?;
    stack.termination_protection = input.enable_termination_protection;
    Ok(StackId { stack_id: stack.id.clone() })
}

/// The exports that stacks may import, by name.
pub(super) fn exports(cx: &Cx<Stacks>) -> BTreeMap<String, String> {
    cx.state.exports().into_iter().map(|(name, (value, _))| (name, value)).collect()
}

/// Puts the stack in its new state, and the job to work.
pub(super) fn start(cx: &mut Cx<Stacks>, stack: Stack, kind: Kind) -> Result<()> {
    let wanted = stack.pending.as_ref().unwrap_or(&stack.definition);
    let exports = exports(cx);
    let missing = imports_of(cx.scope, &stack, wanted, &exports).into_iter().find(|name| !exports.contains_key(name));
    let missing = if matches!(kind, Kind::Delete { .. }) { None } else { missing };
    start_hindered(cx, stack, kind, missing.map(|name| format!("No export named {name} found")))
}

/// The same, if there is a reason for which it cannot be done.
fn start_hindered(cx: &mut Cx<Stacks>, mut stack: Stack, kind: Kind, hindrance: Option<String>) -> Result<()> {
    stack.status = kind.status().to_owned();
    // AWS's reason for what a caller asked for.
    stack.reason = Some("User Initiated".to_owned());
    match kind {
        Kind::Update => stack.updated = Some(cx.now),
        Kind::Create | Kind::Delete { .. } => {}
    }
    let wanted = stack.pending.as_ref().unwrap_or(&stack.definition).clone();
    let suffixes: BTreeMap<String, String> =
        wanted.order.iter().map(|id| (id.clone(), cx.ids().mixed(SUFFIX_LENGTH))).collect();
    let event = stack_event(cx, &stack, stack.reason.as_deref());
    stack.events.push_back(event);
    let exports = exports(cx);
    let role_arn = match &kind {
        Kind::Delete { role_arn: Some(role), .. } => Some(role.clone()),
        _ => wanted.role_arn.clone(),
    };
    let actor = Actor::new(cx.caller, role_arn);
    let mut copy = stack.clone();
    // The job has no use for what happened before.
    copy.events = Vector::new();
    let exports_of_others = cx.state.exports().into_iter().filter(|(_, (_, owner))| *owner != stack.id);
    let taken = exports_of_others.map(|(name, (_, owner))| (name, owner)).collect();
    let users = users(cx, &stack);
    cx.start("Work", &Order { stack: copy, kind, actor, suffixes, exports, hindrance, taken, users })?;
    cx.state.names.insert(stack.name.clone(), stack.id.clone());
    cx.state.stacks.insert(stack.id.clone(), stack);
    Ok(())
}
