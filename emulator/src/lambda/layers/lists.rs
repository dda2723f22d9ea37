//! Lists of layers and of their versions.

use serde::{Deserialize, Serialize};

use super::{LayerVersion, Shown, arn_of, bare, own};
use crate::Result;
use crate::cloud::{Cx, Service, Target};
use crate::lambda::Functions;
use crate::lambda::functions::invalid;
use crate::lambda::versions::PAGE;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service.op("ListLayers", |_, _: &ListLayers| Target::any(), layers).op(
        "ListLayerVersions",
        |_, _: &ListVersions| Target::any(),
        versions,
    )
}

/// What a version must be made for to be listed.
struct Wanted<'a> {
    runtime: Option<&'a str>,
    architecture: Option<&'a str>,
}

impl Wanted<'_> {
    fn matches(&self, version: &LayerVersion) -> bool {
        let has = |wanted: Option<&str>, there: &Option<Vec<String>>| {
            wanted.is_none_or(|wanted| there.iter().flatten().any(|name| name == wanted))
        };
        has(self.runtime, &version.compatible_runtimes) && has(self.architecture, &version.compatible_architectures)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListLayers {
    compatible_architecture: Option<String>,
    compatible_runtime: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Layers {
    layers: Vec<LayerItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LayerItem {
    layer_name: String,
    layer_arn: String,
    latest_matching_version: Shown,
}

fn layers(cx: &mut Cx<Functions>, input: ListLayers) -> Result<Layers> {
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    let wanted =
        Wanted { runtime: input.compatible_runtime.as_deref(), architecture: input.compatible_architecture.as_deref() };
    let (mut layers, mut next_marker) = (Vec::new(), None);
    for (name, layer) in cx.state.layers.range(input.marker.unwrap_or_default()..) {
        let Some((number, version)) = layer.versions().find(|(_, version)| wanted.matches(version)) else { continue };
        if layers.len() == size {
            next_marker = Some(name.clone());
            break;
        }
        let layer_arn = arn_of(cx, name);
        let latest_matching_version = version.listed(&layer_arn, number);
        layers.push(LayerItem { layer_name: name.clone(), layer_arn, latest_matching_version });
    }
    Ok(Layers { layers, next_marker })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListVersions {
    layer_name: String,
    compatible_architecture: Option<String>,
    compatible_runtime: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Versions {
    layer_versions: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

/// The latest first. A layer that is not there has none.
fn versions(cx: &mut Cx<Functions>, input: ListVersions) -> Result<Versions> {
    own(cx, &input.layer_name)?;
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    let from: u64 = match &input.marker {
        None => u64::MAX,
        Some(marker) => marker.parse().map_err(|_| invalid(format!("The marker {marker} is invalid.")))?,
    };
    let wanted =
        Wanted { runtime: input.compatible_runtime.as_deref(), architecture: input.compatible_architecture.as_deref() };
    let arn = arn_of(cx, &input.layer_name);
    let layer = cx.state.layers.get(bare(&input.layer_name));
    let all = layer.into_iter().flat_map(|layer| layer.versions());
    let mut left = all.filter(|(number, version)| *number <= from && wanted.matches(version));
    let layer_versions = left.by_ref().take(size).map(|(number, version)| version.listed(&arn, number)).collect();
    let next_marker = left.next().map(|(number, _)| number.to_string());
    Ok(Versions { layer_versions, next_marker })
}
