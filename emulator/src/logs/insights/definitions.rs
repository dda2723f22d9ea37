//! Query definitions: queries that are kept by name.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutQueryDefinition.html>

use serde::{Deserialize, Serialize};

use super::LANGUAGE;
use crate::cloud::{Cx, Service, Target};
use crate::logs::names::{after, missing};
use crate::logs::store::LogGroups;
use crate::logs::token::{self, Behind};
use crate::{Error, Result, Timestamp};

/// A page holds so many.
const PAGE: usize = 1000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service
        .op("PutQueryDefinition", |_, _: &Put| Target::any(), put)
        .op("DescribeQueryDefinitions", |_, _: &Describe| Target::any(), describe)
        .op("DeleteQueryDefinition", |_, _: &Delete| Target::any(), delete)
}

/// A definition; its id is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::logs) struct Definition {
    name: String,
    query: String,
    groups: Vec<String>,
    modified: Timestamp,
    /// What made it, if that named itself: asking again with it makes no second one.
    client_token: Option<String>,
}

fn not_found() -> Error {
    missing("The specified query definition does not exist.")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    name: String,
    query_string: String,
    query_definition_id: Option<String>,
    #[serde(default)]
    log_group_names: Vec<String>,
    client_token: Option<String>,
    query_language: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PutOutput {
    query_definition_id: String,
}

fn put(cx: &mut Cx<LogGroups>, input: Put) -> Result<PutOutput> {
    if input.query_language.as_deref().is_some_and(|language| language != LANGUAGE) {
        return Err(Error::not_implemented("queries of logs in SQL or PPL (queryLanguage)"));
    }
    let made = input.client_token.as_ref().and_then(|token| {
        cx.state.definitions.iter().find(|(_, one)| one.client_token.as_ref() == Some(token)).map(|(id, _)| id.clone())
    });
    let id = match (input.query_definition_id, made) {
        (Some(id), _) if !cx.state.definitions.contains_key(&id) => {
            return Err(not_found());
        }
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => cx.ids().uuid(),
    };
    let definition = Definition {
        name: input.name,
        query: input.query_string,
        groups: input.log_group_names,
        modified: cx.now,
        client_token: input.client_token,
    };
    cx.state.definitions.insert(id.clone(), definition);
    Ok(PutOutput { query_definition_id: id })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    query_definition_name_prefix: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
    query_language: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    query_definitions: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `QueryDefinition` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    query_language: &'static str,
    query_definition_id: String,
    name: String,
    query_string: String,
    last_modified: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    log_group_names: Vec<String>,
}

fn describe(cx: &mut Cx<LogGroups>, input: Describe) -> Result<Described> {
    let size = input.max_results.unwrap_or(PAGE).min(PAGE);
    let last = input.next_token.as_deref().map(token::decode::<Behind>).transpose()?;
    let prefix = input.query_definition_name_prefix.as_deref().unwrap_or_default();
    let spoken = input.query_language.as_deref().is_none_or(|language| language == LANGUAGE);
    let found = after(&cx.state.definitions, last.as_ref().map(|behind| &*behind.name))
        .filter(|(_, one)| spoken && one.name.starts_with(prefix));
    let (page, next_token) = token::page(found, size, "")?;
    let query_definitions = page
        .into_iter()
        .map(|(id, one)| Shown {
            query_language: LANGUAGE,
            query_definition_id: id.clone(),
            name: one.name.clone(),
            query_string: one.query.clone(),
            last_modified: one.modified,
            log_group_names: one.groups.clone(),
        })
        .collect();
    Ok(Described { query_definitions, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delete {
    query_definition_id: String,
}

#[derive(Serialize)]
struct Deleted {
    success: bool,
}

fn delete(cx: &mut Cx<LogGroups>, input: Delete) -> Result<Deleted> {
    match cx.state.definitions.remove(&input.query_definition_id) {
        Some(_) => Ok(Deleted { success: true }),
        None => Err(not_found()),
    }
}
