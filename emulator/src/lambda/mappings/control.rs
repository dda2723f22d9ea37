//! The operations on mappings, and the states that they bring about.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access::{self, Check};
use super::checks::{self, Wanted, invalid};
use super::mapping::{self, Books, Mapping, Settings, Source, State};
use super::queue::QueueBooks;
use super::stream::StreamBooks;
use super::wake;
use crate::cloud::{At, Cx, Later, Scope, Service, Step, Target};
use crate::lambda::Functions;
use crate::lambda::qualifier::{absent, bare_name, qualifier, reachable};
use crate::{Error, Result};

/// `ListEventSourceMappings` answers at most this many.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html>
const PAGE: usize = 100;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .waiting_op("CreateEventSourceMapping", of_function, create)
        .waiting_op("UpdateEventSourceMapping", |at, i: &Wanted| on(at, i.uuid.as_deref().unwrap_or("*")), update)
        .op("GetEventSourceMapping", |at, i: &Named| on(at, &i.uuid), get)
        .op("DeleteEventSourceMapping", |at, i: &Named| on(at, &i.uuid), delete)
        .op("ListEventSourceMappings", |_, _: &List| Target::any(), list)
}

fn of_function(at: &At<Functions>, input: &Wanted) -> Target {
    let name = input.function_name.as_deref().unwrap_or_default();
    Target::any().context("lambda:FunctionArn", function_arn(at.scope, bare_name(name), None))
}

fn on(at: &At<Functions>, uuid: &str) -> Target {
    Target::on(mapping::arn(at.scope, uuid))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    #[serde(rename = "UUID")]
    uuid: String,
}

/// A function that a mapping invokes.
struct Invoked {
    name: String,
    arn: String,
    role: String,
    timeout: u32,
}

fn function_arn(scope: &Scope, name: &str, qualifier: Option<&str>) -> String {
    let qualifier = qualifier.map_or(String::new(), |qualifier| format!(":{qualifier}"));
    scope.arn("lambda", format_args!("function:{name}{qualifier}"))
}

fn invoked(cx: &Cx<Functions>, given: &str) -> Result<Invoked> {
    let name = reachable(cx.scope, given)?;
    let qualifier = qualifier(given, None)?;
    let function = cx.state.functions.get(name).and_then(|function| function.configuration_of(qualifier));
    let function = function.ok_or_else(|| invalid("Function does not exist"))?;
    Ok(Invoked {
        name: name.to_owned(),
        arn: function_arn(cx.scope, name, qualifier),
        role: function.role.clone(),
        timeout: function.timeout,
    })
}

/// Asks the source whether it can be read; the operation goes on when it has answered.
fn ask<O>(
    cx: &mut Cx<Functions>,
    uuid: String,
    function: Invoked,
    source: Source,
    settings: &Settings,
) -> Result<Step<O>> {
    // The answer goes by a name of its own: an update asks about a mapping that is there.
    let question = cx.ids().uuid();
    let mapping_arn = mapping::arn(cx.scope, &uuid);
    let on_failure = settings.stream.as_ref().and_then(|stream| stream.on_failure.clone());
    let check =
        Check { uuid: question.clone(), mapping_arn, role: function.role, function: function.name, source, on_failure };
    cx.start("CheckSource", &check)?;
    Ok(Step::Later(Later { signal: access::signal(&question), until: None, token: format!("{question}/{uuid}") }))
}

/// What the source answered: the mapping's UUID and the queue's visibility timeout. `Err(None)` if it has not yet.
fn answered<O>(cx: &mut Cx<Functions>, token: &str) -> Result<Result<(String, access::Checked), Step<O>>> {
    let (question, uuid) = token.split_once('/').ok_or_else(|| Error::internal("a mapping's token without a UUID"))?;
    let Some(checked) = cx.state.mappings.checked.remove(question) else {
        return Ok(Err(Step::Later(Later { signal: access::signal(question), until: None, token: token.to_owned() })));
    };
    match checked.problem {
        Some(problem) => Err(invalid(problem)),
        None => Ok(Ok((uuid.to_owned(), checked))),
    }
}

fn create(cx: &mut Cx<Functions>, input: &Wanted) -> Result<Step<Value>> {
    let function = invoked(cx, input.function_name.as_deref().unwrap_or_default());
    // An unknown source comes before an unknown function.
    let source = checks::source(cx.scope, input.event_source_arn.as_deref())?;
    let function = function?;
    let settings = checks::settings(&source, None, input)?;
    refuse_second(cx, &source, &function.name, None)?;
    let Some(resumed) = cx.resumed().cloned() else {
        let uuid = cx.ids().uuid();
        return ask(cx, uuid, function, source, &settings);
    };
    let (uuid, checked) = match answered(cx, &resumed.token)? {
        Ok(answer) => answer,
        Err(later) => return Ok(later),
    };
    checks::check_visibility(checked.visibility, function.timeout)?;
    let is_enabled = input.enabled.unwrap_or(true);
    let (books, last_result) = match source {
        Source::Queue { .. } => (Books::Queue(QueueBooks::default()), None),
        Source::Stream { .. } => (Books::Stream(StreamBooks::default()), Some("No records processed".to_owned())),
    };
    let mapping = Mapping {
        uuid: uuid.clone(),
        function: function.name,
        function_arn: function.arn,
        source,
        settings,
        state: if is_enabled { State::Creating } else { State::Disabled },
        is_enabled,
        last_modified: cx.now,
        last_result,
        tags: input.tags.clone(),
        books,
    };
    let shown = mapping.shown(cx.scope);
    cx.state.mappings.insert(mapping);
    settle(cx, &uuid);
    Ok(Step::Done(shown))
}

/// A function reads a source once.
fn refuse_second(cx: &Cx<Functions>, source: &Source, function: &str, but: Option<&str>) -> Result<()> {
    let mappings = &cx.state.mappings;
    let second = mappings.of_source(source.arn()).find(|uuid| {
        Some(uuid.as_str()) != but && mappings.by_uuid.get(*uuid).is_some_and(|mapping| mapping.function == function)
    });
    let Some(uuid) = second else { return Ok(()) };
    let text = match source {
        Source::Queue { arn, .. } => format!(
            "An event source mapping with SQS arn (\" {arn} \") and function (\" {function} \") already exists. Please update \
             or delete the existing mapping with UUID {uuid}"
        ),
        Source::Stream { arn } => format!(
            "The event source arn (\" {arn} \") and function (\" {function} \") provided mapping already exists. Please update \
             or delete the existing mapping with UUID {uuid}"
        ),
    };
    Err(Error::new(409, "ResourceConflictException", text).with("Type", "User"))
}

fn find_mut<'a>(cx: &'a mut Cx<Functions>, uuid: &str) -> Result<&'a mut Mapping> {
    cx.state.mappings.by_uuid.get_mut(uuid).ok_or_else(|| absent("The resource you requested does not exist."))
}

fn update(cx: &mut Cx<Functions>, input: &Wanted) -> Result<Step<Value>> {
    let uuid = input.uuid.clone().unwrap_or_default();
    let mapping = find_mut(cx, &uuid)?.clone();
    refuse_in_use(&mapping, "update")?;
    let settings = checks::settings(&mapping.source, Some(&mapping.settings), input)?;
    let mut function = (mapping.function.clone(), mapping.function_arn.clone());
    if let Some(name) = &input.function_name {
        let other = invoked(cx, name)?;
        refuse_second(cx, &mapping.source, &other.name, Some(&uuid))?;
        function = (other.name.clone(), other.arn.clone());
        let timeout = other.timeout;
        let Some(resumed) = cx.resumed().cloned() else { return ask(cx, uuid, other, mapping.source, &settings) };
        match answered(cx, &resumed.token)? {
            Ok((_, checked)) => checks::check_visibility(checked.visibility, timeout)?,
            Err(later) => return Ok(later),
        }
    }
    let (now, scope) = (cx.now, cx.scope.clone());
    let mapping = find_mut(cx, &uuid)?;
    (mapping.function, mapping.function_arn) = function;
    mapping.settings = settings;
    mapping.last_modified = now;
    mapping.state = match input.enabled {
        Some(true) if !mapping.is_enabled => State::Enabling,
        Some(false) if mapping.is_enabled => State::Disabling,
        _ => State::Updating,
    };
    mapping.is_enabled = input.enabled.unwrap_or(mapping.is_enabled);
    if let Books::Queue(queue) = &mut mapping.books
        && !mapping.is_enabled
    {
        queue.drop_buffer();
    }
    let shown = mapping.shown(&scope);
    settle(cx, &uuid);
    Ok(Step::Done(shown))
}

/// While a mapping goes from one state to another, nothing else can be done with it.
fn refuse_in_use(mapping: &Mapping, verb: &str) -> Result<()> {
    if matches!(mapping.state, State::Enabled | State::Disabled) {
        return Ok(());
    }
    let text = format!("Cannot {verb} the event source mapping because it is in use.");
    Err(Error::client("ResourceInUseException", text).with("Type", "User"))
}

/// AWS takes some seconds from a state to the next; here it is the very next thing that happens.
fn settle(cx: &mut Cx<Functions>, uuid: &str) {
    let now = cx.now;
    cx.set_timer("MappingSettled", uuid, now);
}

/// A mapping has come to the state that it was on its way to.
pub(super) fn settled(cx: &mut Cx<Functions>, uuid: &str) -> Result<()> {
    let Some(mapping) = cx.state.mappings.by_uuid.get_mut(uuid) else { return Ok(()) };
    if mapping.state == State::Deleting {
        cx.state.mappings.remove(uuid);
        for event in ["MappingDue", "MappingWake"] {
            cx.cancel_timer(event, uuid);
        }
        return Ok(());
    }
    mapping.state = if mapping.is_enabled { State::Enabled } else { State::Disabled };
    wake(cx, uuid)
}

fn get(cx: &mut Cx<Functions>, input: Named) -> Result<Value> {
    let scope = cx.scope.clone();
    find_mut(cx, &input.uuid).map(|mapping| mapping.shown(&scope))
}

fn delete(cx: &mut Cx<Functions>, input: Named) -> Result<Value> {
    let scope = cx.scope.clone();
    let mapping = find_mut(cx, &input.uuid)?;
    refuse_in_use(mapping, "delete")?;
    mapping.state = State::Deleting;
    let shown = mapping.shown(&scope);
    settle(cx, &input.uuid);
    Ok(shown)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    event_source_arn: Option<String>,
    function_name: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    event_source_mappings: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

fn list(cx: &mut Cx<Functions>, input: List) -> Result<Listed> {
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    // Nobody asks whether the function is there.
    let function = input.function_name.as_deref().map(|given| reachable(cx.scope, given)).transpose()?;
    let place = input.function_name.as_deref().map(|given| qualifier(given, None)).transpose()?.flatten();
    let version = function.zip(place).map(|(name, place)| function_arn(cx.scope, name, Some(place)));
    let after = input.marker.unwrap_or_default();
    let mappings = &cx.state.mappings;
    let meant = |mapping: &&Mapping| {
        function.is_none_or(|name| mapping.function == name)
            && version.as_ref().is_none_or(|arn| mapping.function_arn == *arn)
            && input.event_source_arn.as_deref().is_none_or(|arn| mapping.source.arn() == arn)
    };
    let all = mappings.by_uuid.range(after.clone()..).map(|(_, mapping)| mapping);
    let mut found: Vec<&Mapping> =
        all.filter(|mapping| after.is_empty() || mapping.uuid != after).filter(meant).take(size + 1).collect();
    let more = found.len() > size;
    found.truncate(size);
    Ok(Listed {
        next_marker: found.last().filter(|_| more).map(|last| last.uuid.clone()),
        event_source_mappings: found.into_iter().map(|mapping| mapping.shown(cx.scope)).collect(),
    })
}

/// What stands before the UUID in the ARN of a mapping.
const IN_ARN: &str = ":event-source-mapping:";

/// Whether an ARN is that of a mapping.
pub(in crate::lambda) fn is_mapping(arn: &str) -> bool {
    arn.contains(IN_ARN)
}

/// The tags of the mapping of this ARN.
pub(in crate::lambda) fn tags<'a>(cx: &'a mut Cx<Functions>, arn: &str) -> Result<&'a mut OrdMap<String, String>> {
    let uuid = arn.split_once(IN_ARN).map_or("", |(_, uuid)| uuid);
    let found = cx.state.mappings.by_uuid.get_mut(uuid);
    found.map(|mapping| &mut mapping.tags).ok_or_else(|| absent(format!("Event source mapping not found: {arn}")))
}
