//! Layers: archives that functions share. Their versions, which never change, are kept here; `permissions.rs` keeps who else may
//! use one, `use_of.rs` says which layers a function has.
//! <https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html>

mod lists;
mod permissions;
mod use_of;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::Functions;
use super::code::{Obtained, Source, StoredCode, obtain};
use super::configuration::last_modified;
use super::functions::invalid;
use super::policy::FunctionPolicy;
use super::qualifier::absent;
use super::runtime::Archive;
use crate::cloud::{At, Cx, Service, Step, Target};
use crate::{Error, Result};

pub(super) use use_of::{FunctionLayer, LayerCode, archive, check_size, of_function, wanted};

/// What stands before a layer's name in its ARN.
const KIND: &str = ":layer:";
/// Where a layer has extensions: programs that Lambda starts beside the runtime.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>
const EXTENSIONS: &str = "extensions";

/// Adds the operations of this folder.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .waiting_op("PublishLayerVersion", |at, i: &Publish| Target::on(arn_in(at, &i.layer_name)), publish)
        .op("GetLayerVersion", |at, i: &OfVersion| on_layer(at, i), get)
        .op("GetLayerVersionByArn", |_, i: &ByArn| Target::on(&i.arn).action("lambda:GetLayerVersion"), get_by_arn)
        .op("DeleteLayerVersion", |at, i: &OfVersion| on_layer(at, i), delete)
        .with(lists::operations)
        .with(permissions::operations)
}

/// The versions of a layer that there are, and the number of the last one that there ever was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Layer {
    last_version: u64,
    #[serde(with = "crate::cloud::pairs")]
    versions: OrdMap<u64, LayerVersion>,
}

/// A version of a layer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LayerVersion {
    description: String,
    created: String,
    license_info: Option<String>,
    compatible_runtimes: Option<Vec<String>>,
    compatible_architectures: Option<Vec<String>>,
    code: StoredCode,
    policy: Option<FunctionPolicy>,
    /// Functions that have it keep it: it is only shown no more.
    is_deleted: bool,
}

impl Layer {
    /// The version of this number, if it was not deleted.
    fn version(&self, number: u64) -> Option<&LayerVersion> {
        self.versions.get(&number).filter(|version| !version.is_deleted)
    }

    /// All versions that were not deleted, the latest first.
    fn versions(&self) -> impl Iterator<Item = (u64, &LayerVersion)> {
        let all = self.versions.iter().rev().map(|(number, version)| (*number, version));
        all.filter(|(_, version)| !version.is_deleted)
    }
}

impl Functions {
    /// The size of all layers, in bytes.
    pub(super) fn size_of_layers(&self) -> u64 {
        self.layers.values().flat_map(|layer| layer.versions().map(|(_, version)| version.code.size)).sum()
    }
}

/// The name of a layer, from a name or an ARN.
fn bare(layer: &str) -> &str {
    layer.split_once(KIND).map_or(layer, |(_, name)| name.split(':').next().unwrap_or(name))
}

fn arn_in(at: &At<Functions>, layer: &str) -> String {
    at.scope.arn("lambda", format_args!("layer:{}", bare(layer)))
}

fn arn_of(cx: &Cx<Functions>, layer: &str) -> String {
    cx.scope.arn("lambda", format_args!("layer:{}", bare(layer)))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Publish {
    layer_name: String,
    description: Option<String>,
    content: Source,
    compatible_architectures: Option<Vec<String>>,
    compatible_runtimes: Option<Vec<String>>,
    license_info: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfVersion {
    layer_name: String,
    version_number: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByArn {
    arn: String,
}

/// What a version is shown as, in lists without its content.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer_arn: Option<String>,
    layer_version_arn: String,
    description: String,
    created_date: String,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    compatible_architectures: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compatible_runtimes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license_info: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    code_sha256: String,
    code_size: u64,
}

fn on_layer(at: &At<Functions>, of: &OfVersion) -> Target {
    Target::on(format!("{}:{}", arn_in(at, &of.layer_name), of.version_number))
}

impl LayerVersion {
    fn listed(&self, arn: &str, number: u64) -> Shown {
        Shown {
            content: None,
            layer_arn: None,
            layer_version_arn: format!("{arn}:{number}"),
            description: self.description.clone(),
            created_date: self.created.clone(),
            version: number,
            compatible_architectures: self.compatible_architectures.clone(),
            compatible_runtimes: self.compatible_runtimes.clone(),
            license_info: self.license_info.clone(),
        }
    }

    fn shown(&self, cx: &Cx<Functions>, layer: &str, number: u64) -> Shown {
        let arn = arn_of(cx, layer);
        let listed = self.listed(&arn, number);
        let StoredCode { sha256, size, zip, .. } = &self.code;
        let endpoint = zip.as_ref().and_then(|_| cx.endpoint());
        let location = endpoint.map(|endpoint| {
            let place = format!("layer:{}", bare(layer));
            let path = cx.environments().code_path(cx.scope, &place, &number.to_string(), sha256);
            format!("{endpoint}{path}")
        });
        let content = Content { location, code_sha256: sha256.clone(), code_size: *size };
        Shown { content: Some(content), layer_arn: Some(arn), ..listed }
    }
}

/// Every call makes a version, even of the same archive; a number is never used again.
fn publish(cx: &mut Cx<Functions>, input: &Publish) -> Result<Step<Shown>> {
    own(cx, &input.layer_name)?;
    let code = match obtain(cx, "", &input.content)? {
        Obtained::Code(code) => code,
        Obtained::Later(later) => return Ok(Step::Later(later)),
    };
    let has_extensions = code.zip.as_ref().and_then(|zip| Archive::read(zip).ok()).is_some_and(|a| a.has(EXTENSIONS));
    if has_extensions {
        return Err(Error::not_implemented("Lambda extensions (programs below extensions/ in a layer)"));
    }
    let version = LayerVersion {
        description: input.description.clone().unwrap_or_default(),
        created: last_modified(cx.now),
        license_info: input.license_info.clone(),
        compatible_runtimes: input.compatible_runtimes.clone(),
        compatible_architectures: input.compatible_architectures.clone(),
        code,
        policy: None,
        is_deleted: false,
    };
    let layer = cx.state.layers.entry(bare(&input.layer_name).to_owned()).or_default();
    layer.last_version += 1;
    let number = layer.last_version;
    layer.versions.insert(number, version.clone());
    Ok(Step::Done(version.shown(cx, &input.layer_name, number)))
}

/// Refuses the layers of other accounts, which are not in this one's state.
fn own(cx: &Cx<Functions>, layer: &str) -> Result<()> {
    let account = layer.split_once(KIND).and_then(|(place, _)| place.rsplit(':').next());
    match account {
        Some(account) if account != &*cx.scope.account => {
            Err(Error::not_implemented(format!("Lambda layers of another account ({account})")))
        }
        _ => Ok(()),
    }
}

/// The number of a version as a call gives it.
fn number(given: i64) -> Result<u64> {
    match u64::try_from(given) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(invalid("Layer Version Cannot be less than 1")),
    }
}

fn get(cx: &mut Cx<Functions>, input: OfVersion) -> Result<Shown> {
    own(cx, &input.layer_name)?;
    let number = number(input.version_number)?;
    let layer = cx.state.layers.get(bare(&input.layer_name));
    let version = layer.and_then(|layer| layer.version(number));
    let version = version.ok_or_else(|| absent("The resource you requested does not exist."))?;
    Ok(version.shown(cx, &input.layer_name, number))
}

fn get_by_arn(cx: &mut Cx<Functions>, input: ByArn) -> Result<Shown> {
    // The model's pattern has let through only what ends with a number, and layers of AWS's own, which are not here.
    let (layer, number) = input.arn.rsplit_once(':').unwrap_or((&input.arn, ""));
    let is_here = layer.split(':').nth(3) == Some(&*cx.scope.region);
    let version_number = number.parse().ok().filter(|_| is_here);
    let version_number = version_number.ok_or_else(|| absent("The resource you requested does not exist."))?;
    get(cx, OfVersion { layer_name: layer.to_owned(), version_number })
}

/// What is not there needs no deletion. A function that has the version keeps it.
fn delete(cx: &mut Cx<Functions>, input: OfVersion) -> Result<()> {
    own(cx, &input.layer_name)?;
    let number = number(input.version_number)?;
    let name = bare(&input.layer_name);
    let arn = format!("{}:{number}", arn_of(cx, name));
    let is_used = cx.state.uses_layer(&arn);
    if let Some(layer) = cx.state.layers.get_mut(name) {
        match layer.versions.get_mut(&number) {
            Some(version) if is_used => version.is_deleted = true,
            _ => drop(layer.versions.remove(&number)),
        }
    }
    cx.answer_status(204);
    Ok(())
}
