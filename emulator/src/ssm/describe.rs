//! `DescribeParameters`: what there is, without values.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html>

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::filter::{Filter, Matcher, OldFilter, Where, modern};
use super::names::arn;
use super::path::place;
use super::policies::{Policy, Shown};
use super::store::Version;
use super::{Parameters, validation};
use crate::cloud::{Cx, Service, Target};
use crate::token;
use crate::{Error, Result, Timestamp};

/// A page holds at most so many.
const PAGE: usize = 50;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Parameters>) -> Service<Parameters> {
    service.op("DescribeParameters", |at, _: &Describe| Target::on(at.scope.arn("ssm", "*")), describe)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    #[serde(default)]
    filters: Vec<OldFilter>,
    #[serde(default)]
    parameter_filters: Vec<Filter>,
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    shared: bool,
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
    #[serde(rename = "ARN")]
    arn: String,
}

/// What is told of a version beside its value.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Facts {
    pub name: String,
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    last_modified_date: Timestamp,
    last_modified_user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_pattern: Option<String>,
    pub version: i64,
    tier: String,
    policies: Vec<Shown>,
    data_type: String,
}

impl Facts {
    pub fn of(name: &str, version: &Version) -> Self {
        Self {
            name: name.to_owned(),
            r#type: version.kind.clone(),
            key_id: version.key_id.clone(),
            last_modified_date: version.modified,
            last_modified_user: version.modified_by.clone(),
            description: version.description.clone().filter(|text| !text.is_empty()),
            allowed_pattern: version.allowed_pattern.clone().filter(|text| !text.is_empty()),
            version: version.number,
            tier: version.tier.clone(),
            policies: version.policies.iter().map(Policy::shown).collect(),
            data_type: version.data_type.clone(),
        }
    }
}

fn describe(cx: &mut Cx<Parameters>, input: Describe) -> Result<Page> {
    if input.shared {
        return Err(Error::not_implemented("parameters that other accounts share (Shared)"));
    }
    if !input.filters.is_empty() && !input.parameter_filters.is_empty() {
        return Err(validation("You can use either Filters or ParameterFilters in a single request."));
    }
    let older = modern(input.filters);
    let filters = if older.is_empty() { &input.parameter_filters } else { &older };
    let matcher = Matcher::new(filters, Where::All)?;
    let start = input.next_token.as_deref().map(place).transpose()?;
    let start = start.map_or(Bound::Unbounded, Bound::Excluded);
    let size = input.max_results.unwrap_or(PAGE).min(PAGE);
    let mut page = Page { parameters: Vec::new(), next_token: None };
    let mut last = None;
    for (key, parameter) in cx.state.parameters.range((start, Bound::Unbounded)) {
        let Some(version) = matcher.version(parameter)? else { continue };
        if page.parameters.len() == size {
            page.next_token = last.map(|place: &String| token::of_text(place));
            break;
        }
        page.parameters.push(Entry { facts: Facts::of(&parameter.name, version), arn: arn(cx.scope, key) });
        last = Some(key);
    }
    Ok(page)
}
