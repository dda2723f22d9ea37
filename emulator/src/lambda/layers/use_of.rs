//! Which layers a function has, and what is in them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{KIND, bare, own};
use crate::Result;
use crate::cloud::{Cloud, Cx, Scope};
use crate::lambda::code::StoredCode;
use crate::lambda::functions::invalid;
use crate::lambda::qualifier::LATEST;
use crate::lambda::runtime::{Archive, UNZIPPED_LIMIT};
use crate::lambda::{Functions, hash_of};

/// A function has at most this many layers.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const LIMIT: usize = 5;

/// A layer as the configuration of a function tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::lambda) struct FunctionLayer {
    arn: String,
    code_size: u64,
}

/// The archive of a layer, with the digest that names it.
pub(in crate::lambda) struct LayerCode {
    pub hash: String,
    pub zip: Bytes,
}

impl Functions {
    /// Whether a function, or a version of one, has this version of a layer.
    pub(super) fn uses_layer(&self, arn: &str) -> bool {
        let has = |layers: &[FunctionLayer]| layers.iter().any(|layer| layer.arn == arn);
        self.functions.values().any(|function| {
            has(&function.configuration.layers)
                || function.versions.values().any(|version| has(&version.configuration.layers))
        })
    }

    fn layer_code(&self, arn: &str) -> Option<&StoredCode> {
        let (layer, number) = arn.rsplit_once(':')?;
        let layer = self.layers.get(bare(layer))?;
        layer.versions.get(&number.parse::<u64>().ok()?).map(|version| &version.code)
    }
}

/// The layers that a call wants for a function; none if it says nothing of them.
///
/// # Errors
/// For what AWS refuses: too many, of another region, that are not there, and two versions of one.
pub(in crate::lambda) fn wanted(cx: &Cx<Functions>, arns: Option<&[String]>) -> Result<Option<Vec<FunctionLayer>>> {
    let Some(arns) = arns else { return Ok(None) };
    if arns.len() > LIMIT {
        return Err(invalid(format!("Cannot reference more than {LIMIT} layers.")));
    }
    let region = &*cx.scope.region;
    let mut layers = Vec::<FunctionLayer>::new();
    for arn in arns {
        if arn.split(':').nth(3) != Some(region) {
            return Err(invalid(format!(
                "Layers are not in the same region as the function. Layers are expected to be in region {region}."
            )));
        }
        own(cx, arn)?;
        let layer = arn.rsplit_once(':').and_then(|(layer, number)| {
            let version = cx.state.layers.get(bare(layer))?.version(number.parse().ok()?)?;
            Some(FunctionLayer { arn: arn.clone(), code_size: version.code.size })
        });
        let layer = layer.ok_or_else(|| invalid(format!("Layer version {arn} does not exist.")))?;
        let name = |arn: &str| arn.rsplit_once(':').map(|(layer, _)| layer.to_owned());
        if let Some(other) = layers.iter().find(|other| name(&other.arn) == name(arn)) {
            return Err(invalid(format!(
                "Two different versions of the same layer are not allowed to be referenced in the same function. {} and {arn} \
                 are versions of the same layer.",
                other.arn
            )));
        }
        layers.push(layer);
    }
    Ok(Some(layers))
}

/// Whether the code of a function and its layers are small enough together.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(in crate::lambda) fn check_size(cx: &Cx<Functions>, code: &StoredCode, layers: &[FunctionLayer]) -> Result<()> {
    let codes = layers.iter().filter_map(|layer| cx.state.layer_code(&layer.arn)).chain([code]);
    let unpacked = |code: &StoredCode| code.zip.as_ref().and_then(|zip| Some(Archive::read(zip).ok()?.unpacked_size()));
    let size: u64 = codes.filter_map(unpacked).sum();
    if size <= UNZIPPED_LIMIT {
        return Ok(());
    }
    Err(invalid(format!(
        "Function code combined with layers exceeds the maximum allowed size of {UNZIPPED_LIMIT} bytes. The actual size is \
         {size} bytes."
    )))
}

/// What is in the layers of a version of a function, in their order.
pub(in crate::lambda) fn of_function(cloud: &Cloud, scope: &Scope, name: &str, version: &str) -> Vec<LayerCode> {
    let Some(functions) = cloud.0.state_of::<Functions>("lambda", scope) else { return Vec::new() };
    let Some(function) = functions.functions.get(name) else { return Vec::new() };
    let configuration = match version {
        LATEST => Some(&function.configuration),
        number => function.version(number).map(|version| &version.configuration),
    };
    let layers = configuration.iter().flat_map(|configuration| &configuration.layers);
    let codes = layers.filter_map(|layer| functions.layer_code(&layer.arn));
    codes.filter_map(|code| Some(LayerCode { hash: hash_of(&code.sha256), zip: code.zip.clone()? })).collect()
}

/// The archive of a version of a layer, for who has the URL of it. `place` is `layer:NAME`.
pub(in crate::lambda) fn archive(functions: &Functions, place: &str, version: &str) -> Option<Bytes> {
    let name = place.strip_prefix(KIND.trim_start_matches(':'))?;
    functions.layers.get(name)?.version(version.parse().ok()?)?.code.zip.clone()
}
