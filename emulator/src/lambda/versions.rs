//! Published versions of functions.
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html>

use serde::{Deserialize, Serialize};

use super::code::StoredCode;
use super::configuration::Configuration;
use super::functions::{Function, check_revision, find_mut, invalid};
use super::qualifier::LATEST;
use super::{Functions, on};
use crate::Result;
use crate::cloud::{Cx, Service};

/// A list of versions or aliases answers at most this many.
pub(super) const PAGE: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service.op("PublishVersion", |at, i: &PublishVersion| on(at, &i.function_name), publish).op(
        "ListVersionsByFunction",
        |at, i: &ListVersions| on(at, &i.function_name),
        list,
    )
}

/// A version: what a function was when it was published.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub configuration: Configuration,
    pub code: StoredCode,
    pub build: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PublishVersion {
    function_name: String,
    code_sha256: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
}

fn publish(cx: &mut Cx<Functions>, input: PublishVersion) -> Result<Configuration> {
    let revisions = [cx.ids().uuid(), cx.ids().uuid()];
    let function = find_mut(cx, &input.function_name)?;
    check_revision(input.revision_id.as_deref(), &function.configuration)?;
    let there = &function.configuration.code_sha256;
    if let Some(wanted) = input.code_sha256.filter(|wanted| wanted != there) {
        return Err(invalid(format!(
            "CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({there}). Please try again with the \
             CodeSHA256 in $LATEST."
        )));
    }
    Ok(function.publish(input.description, revisions))
}

impl Function {
    /// The published version of this number.
    pub fn version(&self, number: &str) -> Option<&Version> {
        self.versions.get(&number.parse::<u64>().ok()?)
    }

    /// Publishes what the function is now; the latest version again if that is the same. The revisions are the version's and
    /// the next one of `$LATEST`.
    pub fn publish(&mut self, description: Option<String>, [revision, latest]: [String; 2]) -> Configuration {
        if let Some((_, last)) = self.versions.get_max()
            && self.last_published == self.build
        {
            return last.configuration.clone();
        }
        self.last_version += 1;
        let mut configuration = self.configuration.clone();
        configuration.version = self.last_version.to_string();
        configuration.function_arn = format!("{}:{}", configuration.function_arn, configuration.version);
        configuration.description = description.unwrap_or(configuration.description);
        configuration.revision_id = revision;
        if configuration.snap_start.apply_on == "PublishedVersions" {
            configuration.snap_start.optimization_status = "On".to_owned();
        }
        self.configuration.revision_id = latest;
        self.last_published.clone_from(&self.build);
        let version =
            Version { configuration: configuration.clone(), code: self.code.clone(), build: self.build.clone() };
        self.versions.insert(self.last_version, version);
        configuration
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListVersions {
    function_name: String,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Versions {
    versions: Vec<Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

/// `$LATEST` counts as version 0: it comes first.
fn list(cx: &mut Cx<Functions>, input: ListVersions) -> Result<Versions> {
    let function = find_mut(cx, &input.function_name)?;
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    let from: u64 = match input.marker {
        None => 0,
        Some(marker) => marker.parse().map_err(|_| invalid(format!("The marker {marker} is invalid.")))?,
    };
    let mut latest = function.configuration.clone();
    latest.function_arn = format!("{}:{LATEST}", latest.function_arn);
    let published =
        function.versions.range(from.max(1)..).map(|(number, version)| (*number, version.configuration.clone()));
    let mut versions: Vec<_> = (from == 0).then_some((0, latest)).into_iter().chain(published).take(size + 1).collect();
    let next_marker = versions.get(size).map(|(number, _)| number.to_string());
    versions.truncate(size);
    Ok(Versions {
        versions: versions.into_iter().map(|(_, configuration)| configuration.listed()).collect(),
        next_marker,
    })
}
