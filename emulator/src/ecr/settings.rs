//! `PutImageTagMutability` and `PutImageScanningConfiguration`.
//!
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html>

use serde::{Deserialize, Serialize};

use super::repositories::Scanning;
use super::{Registry, find_mut, invalid, on};
use crate::Result;
use crate::cloud::{Cx, Service};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Registry>) -> Service<Registry> {
    service.op("PutImageTagMutability", |at, i: &PutMutability| on(at, &i.repository_name), put_mutability).op(
        "PutImageScanningConfiguration",
        |at, i: &PutScanning| on(at, &i.repository_name),
        put_scanning,
    )
}

/// `ImageTagMutabilityExclusionFilter` of the model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    filter_type: String,
    filter: String,
}

/// Filters go with the settings that have exclusions, and only with those.
pub(super) fn check_mutability(mutability: &str, filters: Option<&[Filter]>) -> Result<()> {
    let parameter = "imageTagMutabilityExclusionFilters";
    match (mutability.ends_with("_WITH_EXCLUSION"), filters.is_some()) {
        (true, false) => Err(invalid(
            parameter,
            &format!("ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as {mutability}"),
        )),
        (false, true) => Err(invalid(
            parameter,
            &format!("ImageTagMutabilityExclusionFilters must be null when imageTagMutability is set as {mutability}"),
        )),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutMutability {
    registry_id: Option<String>,
    repository_name: String,
    image_tag_mutability: String,
    image_tag_mutability_exclusion_filters: Option<Vec<Filter>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mutability {
    registry_id: String,
    repository_name: String,
    image_tag_mutability: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_tag_mutability_exclusion_filters: Option<Vec<Filter>>,
}

fn put_mutability(cx: &mut Cx<Registry>, input: PutMutability) -> Result<Mutability> {
    let filters = input.image_tag_mutability_exclusion_filters;
    let repository = find_mut(cx, input.registry_id.as_deref(), &input.repository_name)?;
    check_mutability(&input.image_tag_mutability, filters.as_deref())?;
    repository.mutability.clone_from(&input.image_tag_mutability);
    repository.exclusions.clone_from(&filters);
    Ok(Mutability {
        registry_id: cx.scope.account.to_string(),
        repository_name: input.repository_name,
        image_tag_mutability: input.image_tag_mutability,
        image_tag_mutability_exclusion_filters: filters,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutScanning {
    registry_id: Option<String>,
    repository_name: String,
    image_scanning_configuration: Scanning,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScanningOutput {
    registry_id: String,
    repository_name: String,
    image_scanning_configuration: Scanning,
}

fn put_scanning(cx: &mut Cx<Registry>, input: PutScanning) -> Result<ScanningOutput> {
    let repository = find_mut(cx, input.registry_id.as_deref(), &input.repository_name)?;
    repository.scanning = input.image_scanning_configuration.clone();
    Ok(ScanningOutput {
        registry_id: cx.scope.account.to_string(),
        repository_name: input.repository_name,
        image_scanning_configuration: input.image_scanning_configuration,
    })
}
