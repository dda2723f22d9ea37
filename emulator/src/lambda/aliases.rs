//! Aliases: names for versions, which may send a part of the invocations to another one.
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::functions::{Function, bare_name, check_revision_of, find_mut, invalid, reachable};
use super::qualifier::{LATEST, absent, not_found};
use super::versions::PAGE;
use super::{Functions, on};
use crate::cloud::{Cx, Ids, Service};
use crate::{Error, Result};

/// What a weight is a part of, when one is drawn.
const WHOLE: f64 = 1_000_000.0;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .op("CreateAlias", |at, i: &CreateAlias| on(at, &i.function_name), create)
        .op("GetAlias", |at, i: &Named| on(at, &i.function_name), get)
        .op("UpdateAlias", |at, i: &UpdateAlias| on(at, &i.function_name), update)
        .op("DeleteAlias", |at, i: &Named| on(at, &i.function_name), delete)
        .op("ListAliases", |at, i: &ListAliases| on(at, &i.function_name), list)
}

/// `AliasConfiguration`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Alias {
    alias_arn: String,
    name: String,
    pub function_version: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    routing_config: Option<Routing>,
    pub revision_id: String,
}

/// Which part of the invocations goes to another version.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Routing {
    #[serde(default)]
    additional_version_weights: OrdMap<String, f64>,
}

impl Alias {
    /// The version for one invocation.
    pub fn choose(&self, ids: &mut Ids) -> String {
        let routes = self.routing_config.iter().flat_map(|routing| &routing.additional_version_weights);
        let mut drawn: Option<f64> = None;
        for (version, weight) in routes {
            let left = drawn.get_or_insert_with(|| ids.below(WHOLE as u64) as f64 / WHOLE);
            if *left < *weight {
                return version.clone();
            }
            *left -= weight;
        }
        self.function_version.clone()
    }

    /// Whether it sends anything to this version.
    pub fn uses(&self, version: &str) -> bool {
        let weights = self.routing_config.as_ref().map(|routing| &routing.additional_version_weights);
        self.function_version == version || weights.is_some_and(|weights| weights.contains_key(version))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateAlias {
    function_name: String,
    name: String,
    function_version: String,
    #[serde(default)]
    description: String,
    routing_config: Option<Routing>,
}

fn create(cx: &mut Cx<Functions>, input: CreateAlias) -> Result<Alias> {
    let revision_id = cx.ids().uuid();
    if input.name.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = format!(
            "1 validation error detected: Value '{}' at 'name' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
            input.name
        );
        return Err(Error::client("ValidationException", text));
    }
    if !cx.state.functions.contains_key(reachable(cx.scope, &input.function_name)?) {
        let place = format_args!("function:{}:{}", bare_name(&input.function_name), input.function_version);
        return Err(not_found(&cx.scope.arn("lambda", place)));
    }
    let function = find_mut(cx, &input.function_name)?;
    let alias_arn = format!("{}:{}", function.configuration.function_arn, input.name);
    if function.aliases.contains_key(&input.name) {
        let text = format!("Alias already exists: {alias_arn}");
        return Err(Error::new(409, "ResourceConflictException", text).with("Type", "User"));
    }
    check_version(function, &input.function_version)?;
    let routing_config = routing(function, &input.function_version, input.routing_config)?;
    let alias = Alias {
        alias_arn,
        name: input.name.clone(),
        function_version: input.function_version,
        description: input.description,
        routing_config,
        revision_id,
    };
    function.aliases.insert(input.name, alias.clone());
    Ok(alias)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    function_name: String,
    name: String,
}

fn get(cx: &mut Cx<Functions>, input: Named) -> Result<Alias> {
    let function = find_mut(cx, &input.function_name)?;
    function.aliases.get(&input.name).cloned().ok_or_else(|| missing(function, &input.name))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateAlias {
    function_name: String,
    name: String,
    function_version: Option<String>,
    description: Option<String>,
    routing_config: Option<Routing>,
    revision_id: Option<String>,
}

fn update(cx: &mut Cx<Functions>, input: UpdateAlias) -> Result<Alias> {
    let revision_id = cx.ids().uuid();
    let function = find_mut(cx, &input.function_name)?;
    // Other than where one is read.
    let absent = || absent(format!("Alias not found: {}:{}", function.configuration.function_arn, input.name));
    let mut alias = function.aliases.get(&input.name).cloned().ok_or_else(absent)?;
    check_revision_of(input.revision_id.as_deref(), &alias.revision_id)?;
    if let Some(version) = input.function_version {
        check_version(function, &version)?;
        alias.function_version = version;
    }
    if input.routing_config.is_some() {
        alias.routing_config = routing(function, &alias.function_version, input.routing_config)?;
    }
    alias.description = input.description.unwrap_or(alias.description);
    alias.revision_id = revision_id;
    function.aliases.insert(input.name, alias.clone());
    Ok(alias)
}

fn delete(cx: &mut Cx<Functions>, input: Named) -> Result<()> {
    // What is not there needs no deletion.
    let function = find_mut(cx, &input.function_name)?;
    function.aliases.remove(&input.name);
    function.event_configs.remove(&input.name);
    function.provisioned.remove(&input.name);
    function.policies.remove(&input.name);
    let url = function.urls.remove(&input.name);
    url.and_then(|id| cx.state.urls.remove(&id));
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListAliases {
    function_name: String,
    function_version: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Aliases {
    aliases: Vec<Alias>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

fn list(cx: &mut Cx<Functions>, input: ListAliases) -> Result<Aliases> {
    let function = find_mut(cx, &input.function_name)?;
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    let wanted = |alias: &Alias| input.function_version.as_deref().is_none_or(|version| alias.uses(version));
    let from = input.marker.unwrap_or_default();
    let found = function.aliases.range(from..).map(|(_, alias)| alias).filter(|alias| wanted(alias));
    let mut aliases: Vec<Alias> = found.take(size + 1).cloned().collect();
    let next_marker = aliases.get(size).map(|alias| alias.name.clone());
    aliases.truncate(size);
    Ok(Aliases { aliases, next_marker })
}

fn missing(function: &Function, name: &str) -> Error {
    absent(format!("Cannot find alias arn: {}:{name}", function.configuration.function_arn))
}

fn check_version(function: &Function, version: &str) -> Result<()> {
    if version == LATEST || function.version(version).is_some() {
        return Ok(());
    }
    Err(not_found(&format!("{}:{version}", function.configuration.function_arn)))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html>
fn routing(function: &Function, version: &str, wanted: Option<Routing>) -> Result<Option<Routing>> {
    let Some(routing) = wanted.filter(|routing| !routing.additional_version_weights.is_empty()) else {
        return Ok(None);
    };
    if version == LATEST {
        let text = "$LATEST is not supported for an alias pointing to more than 1 version";
        // So it was recorded: without `Type`.
        return Err(Error::client("InvalidParameterValueException", text).with("Type", serde_json::Value::Null));
    }
    if routing.additional_version_weights.len() > 1 {
        return Err(invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    for (other, weight) in &routing.additional_version_weights {
        if other == version {
            let text = "Invalid function version {version}. Function version {version} is already included in routing \
                        configuration.";
            return Err(invalid(text.replace("{version}", version)));
        }
        if !(0.0..=1.0).contains(weight) {
            let text = format!(
                "1 validation error detected: Value '{{{other}={weight:?}}}' at 'routingConfig.additionalVersionWeights' failed to \
                 satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, \
                 Member must have value greater than or equal to 0.0, Member must not be null]"
            );
            return Err(Error::client("ValidationException", text));
        }
        check_version(function, other)?;
    }
    Ok(Some(routing))
}
