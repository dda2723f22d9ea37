//! Labels: names for versions.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-labels.html>

use serde::{Deserialize, Serialize};

use super::names::Name;
use super::store::{Parameter, no_version};
use super::{Parameters, find, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A version has at most so many labels.
const LIMIT: usize = 10;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Parameters>) -> Service<Parameters> {
    service.op("LabelParameterVersion", |at, i: &Label| on(at, &i.name), label).op(
        "UnlabelParameterVersion",
        |at, i: &Unlabel| on(at, &i.name),
        unlabel,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Label {
    name: String,
    parameter_version: Option<i64>,
    labels: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Labelled {
    invalid_labels: Vec<String>,
    parameter_version: i64,
}

fn label(cx: &mut Cx<Parameters>, input: Label) -> Result<Labelled> {
    let name = Name::of(&input.name);
    name.check()?;
    let mut parameter = find(cx, &name)?.clone();
    let number = input.parameter_version.map_or_else(|| parameter.latest().map(|version| version.number), Ok)?;
    let (labels, invalid_labels): (Vec<String>, Vec<String>) =
        input.labels.into_iter().partition(|label| is_fit(label));
    labelled(&parameter, &name, number)?;
    for version in &mut parameter.versions {
        version.labels.retain(|label| version.number == number || !labels.contains(label));
        if version.number != number {
            continue;
        }
        for label in &labels {
            if !version.labels.contains(label) {
                version.labels.push(label.clone());
            }
        }
        if version.labels.len() > LIMIT {
            return Err(Error::client(
                "ParameterVersionLabelLimitExceeded",
                "A parameter version can have maximum 10 labels. Move one or more labels to another version and try again.",
            ));
        }
    }
    cx.state.parameters.insert(name.key, parameter);
    Ok(Labelled { invalid_labels, parameter_version: number })
}

/// The labels of a version, which must be there.
fn labelled<'a>(parameter: &'a Parameter, name: &Name, number: i64) -> Result<&'a [String]> {
    let found = parameter.versions.iter().find(|version| version.number == number);
    found.map(|version| &*version.labels).ok_or_else(|| no_version(&name.given, &number.to_string()))
}

fn is_fit(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    let fits = label.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let is_reserved = lower.starts_with("aws") || lower.starts_with("ssm");
    fits && !is_reserved && !label.starts_with(|first: char| first.is_ascii_digit())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Unlabel {
    name: String,
    parameter_version: i64,
    labels: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Unlabelled {
    removed_labels: Vec<String>,
    invalid_labels: Vec<String>,
}

fn unlabel(cx: &mut Cx<Parameters>, input: Unlabel) -> Result<Unlabelled> {
    let name = Name::of(&input.name);
    name.check()?;
    let mut parameter = find(cx, &name)?.clone();
    let there = labelled(&parameter, &name, input.parameter_version)?;
    let (removed_labels, invalid_labels): (Vec<String>, Vec<String>) =
        input.labels.into_iter().partition(|label| there.contains(label));
    for version in parameter.versions.iter_mut().filter(|version| version.number == input.parameter_version) {
        version.labels.retain(|label| !removed_labels.contains(label));
    }
    cx.state.parameters.insert(name.key, parameter);
    Ok(Unlabelled { removed_labels, invalid_labels })
}
