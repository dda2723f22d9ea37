//! `AutoPublishAlias`: each change of a function's code is published as a version, to which an alias points, and events invoke
//! the alias.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::globals::Globals;
use super::rename::Renamed;
use super::{ResourceDef, Template, arn_of, generated, invalid, is_intrinsic};
use crate::{Error, Result};

/// How much of its digest is in the logical id of a version.
const SUFFIX: usize = 10;

/// The names of the aliases of functions, by the functions' logical ids.
pub(super) struct Aliases(BTreeMap<String, String>);

/// What events invoke: a function, or its alias.
#[derive(Clone)]
pub(super) struct Invoked {
    pub function: String,
    /// The alias's name.
    pub alias: Option<String>,
}

impl Aliases {
    /// The aliases that the functions of a template ask for.
    pub fn of(template: &Template, globals: &Globals) -> Result<Self> {
        let mut aliases = BTreeMap::new();
        for (id, resource) in template.resources.iter().filter(|(_, one)| one.kind == "AWS::Serverless::Function") {
            match globals.merge("Function", &resource.properties).get("AutoPublishAlias") {
                None => {}
                Some(Value::String(name)) => drop(aliases.insert(id.clone(), name.clone())),
                Some(value) if is_intrinsic(value) => {
                    let what = format_args!("an AutoPublishAlias that is no plain text (resource {id})");
                    return Err(Error::not_implemented(what));
                }
                Some(_) => {
                    let text = "'AutoPublishAlias' must be a string or a Ref to a template parameter";
                    return Err(invalid(id, text));
                }
            }
        }
        Ok(Self(aliases))
    }

    /// What events of a function invoke.
    pub fn invoked(&self, function: &str) -> Invoked {
        Invoked { function: function.to_owned(), alias: self.0.get(function).cloned() }
    }
}

impl Invoked {
    /// The logical id of the alias.
    fn alias_id(&self) -> Option<String> {
        // A logical id is letters and digits.
        let plain = |name: &String| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        self.alias.as_ref().map(|name| format!("{}Alias{}", self.function, plain(name)))
    }

    /// Its ARN.
    pub fn arn(&self) -> Value {
        self.alias_id().map_or_else(|| arn_of(&self.function), |alias| json!({ "Ref": alias }))
    }

    /// What a call names it by.
    pub fn name(&self) -> Value {
        json!({ "Ref": self.alias_id().unwrap_or_else(|| self.function.clone()) })
    }

    /// Its ARN as a variable of `Fn::Sub`.
    pub fn variable(&self) -> String {
        self.alias_id().map_or_else(|| format!("${{{}.Arn}}", self.function), |alias| format!("${{{alias}}}"))
    }
}

/// The version and the alias of a function with this code. A template reaches them as `Function.Version` and `Function.Alias`.
pub(super) fn expand(
    invoked: &Invoked,
    resource: &ResourceDef,
    code: &Value,
    renamed: &mut Renamed,
) -> Result<Vec<(String, ResourceDef)>> {
    let (id, properties) = (&invoked.function, &resource.properties);
    let provisioned = properties.get("ProvisionedConcurrencyConfig");
    let (Some(name), Some(alias_id)) = (&invoked.alias, invoked.alias_id()) else {
        if provisioned.is_some() {
            let text = "To set ProvisionedConcurrencyConfig AutoPublishALias must be defined on the function";
            return Err(invalid(id, text));
        }
        return Ok(Vec::new());
    };
    let version_id = format!("{id}Version{}", digest(properties, code));
    let version = json!({ "FunctionName": {"Ref": id}, "Description": properties.get("VersionDescription") });
    let mut version = generated(resource, "AWS::Lambda::Version", version);
    let policy = properties.get("VersionDeletionPolicy").and_then(Value::as_str).unwrap_or("Retain");
    version.deletion_policy = Some(policy.to_owned());
    let alias = json!({
        "Name": name,
        "FunctionName": {"Ref": id},
        "FunctionVersion": {"Fn::GetAtt": [version_id, "Version"]},
        "ProvisionedConcurrencyConfig": provisioned,
    });
    renamed.insert(format!("{id}.Version"), version_id.clone());
    renamed.insert(format!("{id}.Alias"), alias_id.clone());
    Ok(vec![(version_id, version), (alias_id, generated(resource, "AWS::Lambda::Alias", alias))])
}

/// What tells one version from another: the code, or all properties, or what the author says.
fn digest(properties: &Map<String, Value>, code: &Value) -> String {
    let all = properties.get("AutoPublishAliasAllProperties") == Some(&Value::Bool(true));
    let text = match properties.get("AutoPublishCodeSha256") {
        Some(Value::String(digest)) => digest.clone(),
        _ if all => Value::Object(properties.clone()).to_string(),
        _ => code.to_string(),
    };
    let mut digest = hex::encode(Sha256::digest(text));
    digest.truncate(SUFFIX);
    digest
}
