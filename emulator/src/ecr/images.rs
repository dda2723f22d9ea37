//! Questions about images, of which no repository has any.
//!
//! <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageIdentifier.html>

use serde::{Deserialize, Serialize};

use super::{Registry, find, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Registry>) -> Service<Registry> {
    service
        .op("DescribeImages", |at, i: &DescribeImages| on(at, &i.repository_name), describe)
        .op("ListImages", |at, i: &ListImages| on(at, &i.repository_name), list)
        .op("BatchGetImage", |at, i: &BatchGet| on(at, &i.repository_name), batch_get)
        .op("BatchDeleteImage", |at, i: &BatchDelete| on(at, &i.repository_name), batch_delete)
}

/// `ImageIdentifier` of the model.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageId {
    #[serde(skip_serializing_if = "Option::is_none")]
    image_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_tag: Option<String>,
}

/// Which images are asked for, of none.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(rename = "tagStatus")]
    _tag_status: Option<String>,
    #[serde(rename = "imageStatus")]
    _image_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeImages {
    registry_id: Option<String>,
    repository_name: String,
    image_ids: Option<Vec<ImageId>>,
    #[serde(rename = "filter")]
    _filter: Option<Filter>,
    #[serde(rename = "maxResults")]
    _max_results: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    image_details: [ImageId; 0],
}

fn describe(cx: &mut Cx<Registry>, input: DescribeImages) -> Result<Details> {
    find(cx, input.registry_id.as_deref(), &input.repository_name)?;
    let Some(wanted) = input.image_ids.iter().flatten().next() else { return Ok(Details { image_details: [] }) };
    let part = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".to_owned());
    let text = format!(
        "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name '{}' in the \
         registry with id '{}'",
        part(&wanted.image_digest),
        part(&wanted.image_tag),
        input.repository_name,
        cx.scope.account
    );
    Err(Error::client("ImageNotFoundException", text))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListImages {
    registry_id: Option<String>,
    repository_name: String,
    #[serde(rename = "filter")]
    _filter: Option<Filter>,
    #[serde(rename = "maxResults")]
    _max_results: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    image_ids: [ImageId; 0],
}

fn list(cx: &mut Cx<Registry>, input: ListImages) -> Result<Listed> {
    find(cx, input.registry_id.as_deref(), &input.repository_name)?;
    Ok(Listed { image_ids: [] })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchGet {
    registry_id: Option<String>,
    repository_name: String,
    image_ids: Vec<ImageId>,
    #[serde(rename = "acceptedMediaTypes")]
    _accepted_media_types: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchDelete {
    registry_id: Option<String>,
    repository_name: String,
    image_ids: Vec<ImageId>,
}

/// `ImageFailure` of the model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    image_id: ImageId,
    failure_code: &'static str,
    failure_reason: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Got {
    images: [ImageId; 0],
    failures: Vec<Failure>,
}

fn batch_get(cx: &mut Cx<Registry>, input: BatchGet) -> Result<Got> {
    find(cx, input.registry_id.as_deref(), &input.repository_name)?;
    Ok(Got { images: [], failures: input.image_ids.into_iter().map(failure).collect() })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deleted {
    image_ids: [ImageId; 0],
    failures: Vec<Failure>,
}

fn batch_delete(cx: &mut Cx<Registry>, input: BatchDelete) -> Result<Deleted> {
    find(cx, input.registry_id.as_deref(), &input.repository_name)?;
    Ok(Deleted { image_ids: [], failures: input.image_ids.into_iter().map(failure).collect() })
}

fn failure(image_id: ImageId) -> Failure {
    let is_digest = |text: &str| {
        let sign = |c: char| c.is_ascii_alphanumeric() || "-_+.".contains(c);
        text.split_once(':').is_some_and(|(algorithm, hash)| {
            !algorithm.is_empty()
                && algorithm.chars().all(sign)
                && !hash.is_empty()
                && hash.chars().all(|c| c.is_ascii_hexdigit())
        })
    };
    let (failure_code, failure_reason) = match (&image_id.image_digest, &image_id.image_tag) {
        (None, None) => ("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"),
        (Some(digest), _) if !is_digest(digest) => (
            "InvalidImageDigest",
            "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        ),
        _ => ("ImageNotFound", "Requested image not found"),
    };
    Failure { image_id, failure_code, failure_reason }
}
