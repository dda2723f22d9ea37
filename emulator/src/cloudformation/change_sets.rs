//! Change sets: changes that are looked at before they are made. `aws cloudformation deploy` works by them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::changes::{Change, changes, has_any};
use super::deployment::DeploymentConfig;
use super::describe::{NoTriggers, ParameterOutput, parameters};
use super::engine::Kind;
use super::lookup::missing_import;
use super::plan::{Parameter, Wanted, define, unread};
use super::report::stack_event;
use super::settle::{later, waited};
use super::source::Source;
use super::stacks::{check_role, check_updatable, exports, new_id, new_stack, start};
use super::state::{ChangeSet, Definition, OnFailure, Stack, Stacks, Tag, page};
use super::stored::{Reader, Stored, stored};
use super::template::validation_error;
use super::{maybe_on, on};
use crate::cloud::{At, Cx, Step, Target};
use crate::{Error, Result, Timestamp};

/// Change sets of one stack (CloudFormation quotas).
const MAX_CHANGE_SETS: usize = 1000;
/// `ListChangeSets` and the changes of `DescribeChangeSet` come in pages.
const PAGE: usize = 100;
/// Why a change set without changes fails: clients look for this text.
const NO_CHANGES: &str =
    "The submitted information didn't contain changes. Submit different information to create a change set.";

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateChangeSet {
    pub stack_name: String,
    change_set_name: String,
    change_set_type: Option<String>,
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
    description: Option<String>,
    on_stack_failure: Option<OnFailure>,
    include_nested_stacks: Option<bool>,
    /// The CDK's bootstrap asks for it always. Nothing is imported: a resource that exists already makes the execution of the
    /// change set fail, and says so.
    import_existing_resources: Option<bool>,
    deployment_config: Option<DeploymentConfig>,
    /// Makes a repeated call recognisable to AWS; here a call is carried out once anyway.
    #[serde(rename = "ClientToken")]
    _client_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Created {
    id: String,
    stack_id: String,
}

pub(super) fn create(cx: &mut Cx<Stacks>, input: &CreateChangeSet) -> Result<Step<Created>> {
    let input = input.clone();
    check_role(cx, input.role_arn.as_deref())?;
    let is_creation = is_creation(&input)?;
    let (stack, is_new) = stack_of(cx, &input, is_creation)?;
    check_room(cx, &stack, &input.change_set_name)?;
    let previous = (!is_creation).then(|| Arc::clone(&stack.definition));
    let source = source_of(cx, &input, (!is_creation).then_some(&stack))?;
    let role_arn = input.role_arn.clone().or_else(|| stack.definition.role_arn.clone());
    let reader = Reader {
        stack_name: &stack.name,
        parameters: &input.parameters,
        previous: previous.as_deref(),
        role: role_arn.as_deref(),
        acknowledged: None,
    };
    let (body, stored, failure) = match stored(cx, &source, &reader)? {
        Stored::Known(body, values) => (body, values, None),
        Stored::Failed(body, why) => (body, std::collections::BTreeMap::new(), Some(why)),
        Stored::Later(later) => return Ok(Step::Later(later)),
    };
    let wanted = Wanted {
        body,
        parameters: &input.parameters,
        capabilities: input.capabilities,
        tags: input.tags.unwrap_or_else(|| stack.definition.tags.clone()),
        role_arn,
        previous: previous.as_deref(),
        stored,
        expands: false,
    };
    let definition = match failure {
        None => define(cx.scope, &stack.name, &stack.id, wanted)?,
        Some(_) => unread(wanted),
    };
    let unique = cx.ids().uuid();
    let id = cx.scope.arn("cloudformation", format_args!("changeSet/{}/{unique}", input.change_set_name));
    let mut set = ChangeSet {
        id: id.clone(),
        name: input.change_set_name,
        stack_id: stack.id.clone(),
        stack_name: stack.name.clone(),
        description: input.description,
        created: cx.now,
        status: "FAILED".to_owned(),
        reason: failure,
        execution_status: "UNAVAILABLE".to_owned(),
        is_creation,
        changes: Vec::new(),
        warning: None,
        imports: input.import_existing_resources,
        is_whole: input.include_nested_stacks.unwrap_or_default() && !has_stacks_within(&definition),
        definition: Arc::new(definition),
        on_stack_failure: input.on_stack_failure,
    };
    if set.reason.is_none() {
        compare(cx, &stack, &mut set);
    }
    let stack_id = stack.id.clone();
    if is_new {
        begin(cx, stack);
    }
    cx.state.change_sets.insert(id.clone(), set);
    Ok(Step::Done(Created { id, stack_id }))
}

/// Whether a change set is to make its stack, if it is of a kind that there is here.
fn is_creation(input: &CreateChangeSet) -> Result<bool> {
    DeploymentConfig::check(input.deployment_config.as_ref())?;
    match input.change_set_type.as_deref() {
        Some("IMPORT") => Err(Error::not_implemented("change sets that import resources (ChangeSetType=IMPORT)")),
        kind => Ok(kind == Some("CREATE")),
    }
}

/// Whether there are stacks within the stack. Their own change sets, for which the CDK always asks, are not made: that of the
/// stack around them says so in its description, by `IncludeNestedStacks`.
fn has_stacks_within(definition: &Definition) -> bool {
    definition.template.resources.iter().any(|(_, resource)| resource.kind == "AWS::CloudFormation::Stack")
}

/// Keeps a stack that is in review.
fn begin(cx: &mut Cx<Stacks>, mut stack: Stack) {
    let event = stack_event(cx, &stack, stack.reason.as_deref());
    stack.events.push_back(event);
    cx.state.names.insert(stack.name.clone(), stack.id.clone());
    cx.state.stacks.insert(stack.id.clone(), stack);
}

/// Whether a stack may have one more change set, of this name. AWS forgets those that were executed.
fn check_room(cx: &Cx<Stacks>, stack: &Stack, name: &str) -> Result<()> {
    let of_stack = cx.state.change_sets.values().filter(|set| set.stack_id == stack.id && !set.is_done());
    let names: Vec<&String> = of_stack.map(|set| &set.name).collect();
    if names.iter().any(|other| *other == name) {
        return Err(Error::client("AlreadyExistsException", format!("ChangeSet {name} already exists")));
    }
    if names.len() >= MAX_CHANGE_SETS {
        return Err(Error::client("LimitExceededException", format!("Limit exceeded: {MAX_CHANGE_SETS} change sets")));
    }
    Ok(())
}

/// Fills in what the change set would change.
fn compare(cx: &Cx<Stacks>, stack: &Stack, set: &mut ChangeSet) {
    let exports = exports(cx);
    if !set.is_creation && !has_any(cx.scope, stack, &set.definition, &exports) {
        set.reason = Some(NO_CHANGES.to_owned());
        return;
    }
    "CREATE_COMPLETE".clone_into(&mut set.status);
    "AVAILABLE".clone_into(&mut set.execution_status);
    set.changes = changes(cx.scope, stack, &set.definition, &exports);
    set.warning = missing_import(cx.scope, stack, &set.definition, &exports).map(|(id, name)| {
        format!(
            "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet creation failed for \
             resource [{id}] because: No export named {name}"
        )
    });
}

/// The template: that of the stack, if the request says so and there is one.
fn source_of(cx: &Cx<Stacks>, input: &CreateChangeSet, stack: Option<&Stack>) -> Result<Source> {
    let (body, url) = (input.template_body.clone(), input.template_url.as_deref());
    match stack {
        Some(stack) => Source::of_update(cx, (body, url), input.use_previous_template, stack),
        None => Source::new(cx, body, url),
    }
}

/// The stack that a change set is for, and whether it is a new one, in review until the change set is executed.
fn stack_of(cx: &mut Cx<Stacks>, input: &CreateChangeSet, is_creation: bool) -> Result<(Stack, bool)> {
    let existing = cx.state.find(&input.stack_name).filter(|stack| stack.deleted.is_none()).cloned();
    match existing {
        Some(stack) if is_creation && stack.status != "REVIEW_IN_PROGRESS" => {
            let text = format!(
                "Stack [{}] already exists and cannot be created again with the changeSet [{}].",
                stack.name, input.change_set_name
            );
            Err(validation_error(text))
        }
        // An id is that of one stack, which never comes back.
        None if is_creation && input.stack_name.starts_with("arn:") => {
            let text = format!(
                "Stack [{}] already exists and cannot be created again with the changeSet [{}].",
                input.stack_name, input.change_set_name
            );
            Err(validation_error(text))
        }
        Some(stack) => {
            if !is_creation {
                check_updatable(&stack)?;
            }
            Ok((stack, false))
        }
        None if !is_creation => Err(validation_error(format!("Stack [{}] does not exist", input.stack_name))),
        None => {
            let id = new_id(cx, &input.stack_name)?;
            let mut stack = new_stack(cx, id, input.stack_name.clone(), Definition::default());
            stack.status = "REVIEW_IN_PROGRESS".to_owned();
            stack.reason = Some("User Initiated".to_owned());
            Ok((stack, true))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfChangeSet {
    change_set_name: String,
    stack_name: Option<String>,
    next_token: Option<String>,
    include_property_values: Option<bool>,
    disable_rollback: Option<bool>,
    retain_except_on_create: Option<bool>,
    client_request_token: Option<String>,
}

/// The stack is what policies name.
pub(super) fn target(at: &At<Stacks>, input: &OfChangeSet) -> Target {
    match find(at.state, &input.change_set_name, input.stack_name.as_deref()) {
        Ok(set) => on(at, &set.stack_id),
        Err(_) => maybe_on(at, input.stack_name.as_deref()),
    }
}

/// The change set of an ARN, or of a name and a stack.
pub(super) fn find<'s>(state: &'s Stacks, name: &str, stack: Option<&str>) -> Result<&'s ChangeSet> {
    let missing = || Error::new(404, "ChangeSetNotFound", format!("ChangeSet [{name}] does not exist"));
    if name.starts_with("arn:") {
        return state.change_sets.get(name).ok_or_else(missing);
    }
    let Some(stack) = stack else {
        return Err(validation_error("StackName must be specified if ChangeSetName is not specified as an ARN."));
    };
    let stack = state.find(stack).ok_or_else(|| validation_error(format!("Stack [{stack}] does not exist")))?;
    // One that is done leaves its name to the next.
    let named = state.change_sets.values().filter(|set| set.stack_id == stack.id && set.name == name);
    named.max_by_key(|set| (!set.is_done(), set.created)).ok_or_else(missing)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    change_set_name: String,
    change_set_id: String,
    stack_id: String,
    stack_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<ParameterOutput>,
    creation_time: Timestamp,
    execution_status: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<String>,
    #[serde(rename = "NotificationARNs")]
    notification_arns: Vec<String>,
    rollback_configuration: NoTriggers,
    capabilities: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
    changes: Vec<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    include_nested_stacks: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_stack_failure: Option<OnFailure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    import_existing_resources: Option<bool>,
}

pub(super) fn describe(cx: &mut Cx<Stacks>, input: OfChangeSet) -> Result<Described> {
    let set = find(cx.state, &input.change_set_name, input.stack_name.as_deref())?.clone();
    let with_values = input.include_property_values.unwrap_or_default();
    let shown = |change: Change| if with_values { change.with_values() } else { Some(change.without_values()) };
    let (changes, next_token) =
        page(set.changes.into_iter().filter_map(shown).collect(), input.next_token.as_deref(), PAGE)?;
    Ok(Described {
        parameters: parameters(&set.definition),
        change_set_name: set.name,
        change_set_id: set.id,
        stack_id: set.stack_id,
        stack_name: set.stack_name,
        description: set.description,
        creation_time: set.created,
        execution_status: set.execution_status,
        status: set.status,
        status_reason: set.reason.or(set.warning.filter(|_| with_values)),
        notification_arns: Vec::new(),
        rollback_configuration: NoTriggers {},
        capabilities: set.definition.capabilities.clone(),
        tags: set.definition.tags.clone(),
        changes,
        next_token,
        include_nested_stacks: set.is_whole,
        on_stack_failure: set.on_stack_failure,
        import_existing_resources: set.imports,
    })
}

/// Nothing to say.
#[derive(Serialize)]
pub(super) struct Empty {}

pub(super) fn execute(cx: &mut Cx<Stacks>, input: &OfChangeSet) -> Result<Step<Empty>> {
    if waited(cx).is_some() {
        return Ok(Step::Done(Empty {}));
    }
    let set = find(cx.state, &input.change_set_name, input.stack_name.as_deref())?.clone();
    if set.execution_status != "AVAILABLE" {
        let text = format!(
            "ChangeSet [{}] cannot be executed in its current status of [{}]",
            set.id,
            if set.status == "CREATE_COMPLETE" { &set.execution_status } else { &set.status }
        );
        return Err(Error::client("InvalidChangeSetStatus", text));
    }
    let mut stack = cx.state.get(&set.stack_id)?.clone();
    let no_rollback = input.disable_rollback.unwrap_or_default().then_some(OnFailure::DoNothing);
    stack.on_failure = no_rollback.or(set.on_stack_failure).unwrap_or_default();
    stack.retain_except_on_create = input.retain_except_on_create.unwrap_or_default();
    stack.token = input.client_request_token.clone();
    stack.change_set_id = Some(set.id.clone());
    // AWS takes the execution of a change set for an update, of a new stack, too.
    stack.updated = Some(cx.now);
    let kind = if set.is_creation {
        stack.definition = set.definition;
        Kind::Create
    } else {
        check_updatable(&stack)?;
        stack.pending = Some(set.definition);
        Kind::Update
    };
    start(cx, stack, kind)?;
    // The others were made for the stack as it was.
    let of_stack = cx.state.change_sets.values().filter(|other| other.stack_id == set.stack_id);
    let superseded: Vec<String> = of_stack.map(|other| other.id.clone()).collect();
    for id in superseded {
        let Some(other) = cx.state.change_sets.get_mut(&id) else { continue };
        if other.id == set.id {
            "EXECUTE_COMPLETE".clone_into(&mut other.execution_status);
        } else if other.execution_status == "AVAILABLE" {
            "OBSOLETE".clone_into(&mut other.execution_status);
        }
    }
    Ok(later(cx, &set.stack_id))
}

pub(super) fn delete(cx: &mut Cx<Stacks>, input: OfChangeSet) -> Result<Empty> {
    match find(cx.state, &input.change_set_name, input.stack_name.as_deref()).map(|set| set.id.clone()) {
        Ok(id) => {
            cx.state.change_sets.remove(&id);
            Ok(Empty {})
        }
        // To delete what is not there succeeds, as far as the stack exists.
        Err(error) if error.status() == 404 => Ok(Empty {}),
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListChangeSets {
    pub stack_name: String,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summaries {
    summaries: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    stack_id: String,
    stack_name: String,
    change_set_id: String,
    change_set_name: String,
    execution_status: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<String>,
    creation_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    include_nested_stacks: bool,
}

/// Those that are still to be executed: with one, all of a stack are done with.
pub(super) fn list(cx: &mut Cx<Stacks>, input: ListChangeSets) -> Result<Summaries> {
    let name = &input.stack_name;
    let stack = cx.state.find(name).ok_or_else(|| validation_error(format!("Stack [{name}] does not exist")))?;
    let summary = |set: &ChangeSet| Summary {
        stack_id: set.stack_id.clone(),
        stack_name: set.stack_name.clone(),
        change_set_id: set.id.clone(),
        change_set_name: set.name.clone(),
        execution_status: set.execution_status.clone(),
        status: set.status.clone(),
        status_reason: set.reason.clone(),
        creation_time: set.created,
        description: set.description.clone(),
        include_nested_stacks: set.is_whole,
    };
    let of_stack = cx.state.change_sets.values().filter(|set| set.stack_id == stack.id && !set.is_done());
    let all = of_stack.map(summary).collect();
    let (summaries, next_token) = page(all, input.next_token.as_deref(), PAGE)?;
    Ok(Summaries { summaries, next_token })
}
