//! `GetParameterHistory`: all versions of a parameter.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameterHistory.html>

use serde::{Deserialize, Serialize};

use super::describe::Facts;
use super::get::may_decrypt;
use super::names::Name;
use super::path::place;
use super::{Parameters, find, on};
use crate::Result;
use crate::cloud::{Cx, Service};
use crate::token;

/// A page holds at most so many.
const PAGE: usize = 50;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Parameters>) -> Service<Parameters> {
    service.op("GetParameterHistory", |at, i: &GetHistory| on(at, &i.name), history)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetHistory {
    name: String,
    #[serde(default)]
    with_decryption: bool,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    parameters: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(flatten)]
    facts: Facts,
    value: String,
    labels: Vec<String>,
}

fn history(cx: &mut Cx<Parameters>, input: GetHistory) -> Result<Page> {
    let name = Name::of(&input.name);
    name.check()?;
    let parameter = find(cx, &name)?;
    let after = match &input.next_token {
        // A token that names no number begins at the beginning of nothing.
        Some(token) => place(token)?.parse::<i64>().unwrap_or(i64::MAX),
        None => 0,
    };
    let size = input.max_results.unwrap_or(PAGE).min(PAGE);
    let arn = name.arn(cx.scope);
    let mut versions = parameter.versions.iter().filter(|version| version.number > after);
    let mut page = Page { parameters: Vec::new(), next_token: None };
    for version in versions.by_ref().take(size) {
        may_decrypt(cx, &arn, version, input.with_decryption)?;
        page.parameters.push(Entry {
            facts: Facts::of(&parameter.name, version),
            value: version.shown(&arn, input.with_decryption),
            labels: version.labels.clone(),
        });
    }
    if versions.next().is_some() {
        page.next_token = page.parameters.last().map(|entry| token::of_text(&entry.facts.version.to_string()));
    }
    Ok(page)
}
