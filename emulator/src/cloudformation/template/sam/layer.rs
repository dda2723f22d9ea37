//! `AWS::Serverless::LayerVersion` as `AWS::Lambda::LayerVersion`. Its logical id gets a suffix that changes with it, so that an
//! update makes a version and, unless `RetentionPolicy` says otherwise, keeps the old one; what refers to it is renamed.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-layerversion.html>

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::rename::Renamed;
use super::{Package, ResourceDef, check_properties, function, generated, invalid};
use crate::Result;

const KIND: &str = "AWS::Serverless::LayerVersion";
const KNOWN: [&str; 7] = [
    "CompatibleArchitectures",
    "CompatibleRuntimes",
    "ContentUri",
    "Description",
    "LayerName",
    "LicenseInfo",
    "RetentionPolicy",
];
/// How much of its digest is behind a logical id.
const SUFFIX: usize = 10;

pub(super) fn expand(
    id: &str,
    resource: &ResourceDef,
    package: &Package<'_>,
    renamed: &mut Renamed,
) -> Result<Vec<(String, ResourceDef)>> {
    let properties = &resource.properties;
    check_properties(id, KIND, properties, &KNOWN, &[])?;
    let retention = properties.get("RetentionPolicy").and_then(Value::as_str).unwrap_or("Retain");
    let policy = ["Retain", "Delete"].into_iter().find(|policy| policy.eq_ignore_ascii_case(retention));
    let policy = policy
        .ok_or_else(|| invalid(id, "'RetentionPolicy' must be one of the following options: ['Retain', 'Delete']."))?;
    let get = |name: &str| properties.get(name).cloned().unwrap_or(Value::Null);
    let name = properties.get("LayerName").cloned().unwrap_or_else(|| id.into());
    let layer = json!({
        "CompatibleArchitectures": get("CompatibleArchitectures"),
        "CompatibleRuntimes": get("CompatibleRuntimes"),
        "Content": function::code_at(id, "ContentUri", properties.get("ContentUri"), package)?,
        "Description": get("Description"),
        "LayerName": name,
        "LicenseInfo": get("LicenseInfo"),
    });
    let mut digest = hex::encode(Sha256::digest(layer.to_string()));
    digest.truncate(SUFFIX);
    let mut def = generated(resource, "AWS::Lambda::LayerVersion", layer);
    def.depends_on.clone_from(&resource.depends_on);
    def.attributes.clone_from(&resource.attributes);
    def.deletion_policy = Some(policy.to_owned());
    let new = format!("{id}{digest}");
    renamed.insert(id.to_owned(), new.clone());
    Ok(vec![(new, def)])
}
