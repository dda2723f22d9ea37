//! CloudFormation templates: reading, checking, evaluating, ordering.
//!
//! ```text
//! text ─ parse ─▶ Template ─ sam::transform ─▶ Template ─ dependencies::order ─▶ creation order
//!                    │ parameters::values, conditions::evaluate
//!                    └ resolve::resolve(property, lookup) ─▶ plain value
//! ```
//! Everything here is pure: what the template cannot know (physical ids, attributes, exports, parameters in SSM) comes
//! through [`resolve::Lookup`] and callbacks. Follows "Template reference" of the CloudFormation user guide; the
//! texts of errors are those that AWS answers with, where they are known.
//!
//! Macros and `AWS::Include` are carried out before a template is read (`macros.rs` beside this folder). Refused by name: `Hooks`,
//! and parameter types that need another service (`AWS::EC2::…::Id`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, Result};

pub(crate) use sub::{Part, parts};

pub mod conditions;
pub mod dependencies;
pub(crate) mod extensions;
pub mod parameters;
pub mod resolve;
pub mod rules;
pub mod sam;
mod section;
mod sub;
#[cfg(test)]
mod tests;
pub(crate) mod yaml;

/// The largest template that `TemplateBody` may carry, in bytes (CloudFormation quotas).
pub const MAX_BODY_BYTES: usize = 51_200;
/// The largest template that S3 may hold for `TemplateURL`, in bytes (CloudFormation quotas).
pub const MAX_TEMPLATE_BYTES: usize = 1_048_576;
/// Resources in a template (CloudFormation quotas).
pub const MAX_RESOURCES: usize = 500;
/// Parameters in a template (CloudFormation quotas).
pub const MAX_PARAMETERS: usize = 200;
/// Outputs in a template (CloudFormation quotas).
pub const MAX_OUTPUTS: usize = 200;
/// Mappings in a template (CloudFormation quotas).
pub const MAX_MAPPINGS: usize = 200;
/// How deep collections may nest: ours, so that every walk over a template may recurse.
pub const MAX_DEPTH: usize = 100;
/// How deep what is made of a template may nest: deeper than any goes, SAM's included.
pub const EXPANDED_DEPTH: usize = 4 * MAX_DEPTH;

/// The name of the SAM transform.
pub const SAM_TRANSFORM: &str = "AWS::Serverless-2016-10-31";

/// A checked template. Lists keep the order of the text; values hold long forms only (`{"Ref": …}`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// `Description`.
    pub description: Option<String>,
    /// `Metadata`: kept, not interpreted.
    pub metadata: Option<Value>,
    /// `Transform`: names of macros, in order. Empty after [`sam::transform`].
    pub transforms: Vec<String>,
    /// SAM's `Globals`. `None` after [`sam::transform`].
    pub globals: Option<Value>,
    /// `Parameters`.
    pub parameters: Vec<(String, ParameterDef)>,
    /// `Mappings`: name, top-level key, second-level key, value.
    pub mappings: Map<String, Value>,
    /// `Conditions`: name and unevaluated condition.
    pub conditions: Map<String, Value>,
    /// `Rules`: name and unevaluated rule.
    #[serde(default)]
    pub rules: Map<String, Value>,
    /// `Resources`.
    pub resources: Vec<(String, ResourceDef)>,
    /// `Outputs`.
    pub outputs: Vec<(String, OutputDef)>,
}

/// A member of `Parameters`. Constraints are text, as numbers of any size must survive.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ParameterDef {
    /// `Type`.
    pub kind: String,
    /// `Default`.
    pub default: Option<String>,
    /// `AllowedValues`; empty if there is no such constraint.
    pub allowed_values: Vec<String>,
    /// `AllowedPattern`.
    pub allowed_pattern: Option<String>,
    /// `MinLength`.
    pub min_length: Option<String>,
    /// `MaxLength`.
    pub max_length: Option<String>,
    /// `MinValue`.
    pub min_value: Option<String>,
    /// `MaxValue`.
    pub max_value: Option<String>,
    /// `ConstraintDescription`.
    pub constraint_description: Option<String>,
    /// `Description`.
    pub description: Option<String>,
    /// `NoEcho`: answers show `****` instead of the value.
    pub no_echo: bool,
}

/// A member of `Resources`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceDef {
    /// `Type`.
    pub kind: String,
    /// `Properties`, unevaluated.
    pub properties: Map<String, Value>,
    /// `DependsOn`.
    pub depends_on: Vec<String>,
    /// `Condition`: the resource exists only if it holds.
    pub condition: Option<String>,
    /// `DeletionPolicy`.
    pub deletion_policy: Option<String>,
    /// `UpdateReplacePolicy`.
    pub update_replace_policy: Option<String>,
    /// `CreationPolicy`, `UpdatePolicy`, `Metadata`, `Version`, under these names.
    pub attributes: Map<String, Value>,
}

/// A member of `Outputs`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputDef {
    /// `Value`, unevaluated.
    pub value: Value,
    /// `Description`.
    pub description: Option<String>,
    /// `Export`'s `Name`, unevaluated.
    pub export_name: Option<Value>,
    /// `Condition`.
    pub condition: Option<String>,
}

impl Template {
    /// The parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&ParameterDef> {
        self.parameters.iter().find(|(id, _)| id == name).map(|(_, def)| def)
    }

    /// The resource with that logical id.
    pub fn resource(&self, id: &str) -> Option<&ResourceDef> {
        self.resources.iter().find(|(name, _)| name == id).map(|(_, def)| def)
    }

    /// Evaluates the policies of resources that functions give.
    ///
    /// # Errors
    /// `ValidationError` for what comes to no policy.
    pub fn with_policies(mut self, resolve: impl Fn(&Value) -> Result<Value>) -> Result<Self> {
        for (id, resource) in &mut self.resources {
            for (name, policy) in [
                ("DeletionPolicy", &mut resource.deletion_policy),
                ("UpdateReplacePolicy", &mut resource.update_replace_policy),
            ] {
                let Some(given) = resource.attributes.shift_remove(name) else { continue };
                let value = resolve(&given)?;
                *policy = (!value.is_null()).then(|| section::policy(id, name, &value)).transpose()?;
            }
        }
        Ok(self)
    }

    /// Whether the template asks for `AWS::LanguageExtensions`.
    pub fn is_extended(&self) -> bool {
        self.transforms.iter().any(|name| name == extensions::EXTENSIONS)
    }

    /// Whether the template asks for the SAM transform.
    pub fn is_sam(&self) -> bool {
        self.transforms.iter().any(|name| name == SAM_TRANSFORM)
    }
}

/// Reads a template and checks its structure. References are checked by [`dependencies::check`], which
/// needs the template after its transforms.
///
/// # Errors
/// `ValidationError` with AWS's text for what is malformed; `NotImplemented` for what Garoa refuses.
pub fn parse(text: &str) -> Result<Template> {
    section::template(yaml::read(text)?)
}

/// The same for a template that asks for `AWS::LanguageExtensions`, with what its loops need.
///
/// # Errors
/// As [`parse`]; `ValidationError` for loops that are not formed as such.
pub fn parse_extended(text: &str, lookup: &dyn resolve::Lookup) -> Result<Template> {
    section::template(extensions::expand(yaml::read(text)?, lookup)?)
}

/// `ValidationError`: CloudFormation's code for everything that a template does wrong.
pub(crate) fn validation_error(message: impl Into<String>) -> Error {
    Error::client("ValidationError", message)
}

/// "Template format error: …": the structure is wrong.
fn format_error(message: impl std::fmt::Display) -> Error {
    validation_error(format!("Template format error: {message}"))
}

/// "Template error: …": a function is used wrongly.
fn template_error(message: impl std::fmt::Display) -> Error {
    validation_error(format!("Template error: {message}"))
}

/// The function and its argument, if the value is a function call: a map with one member, `Ref` or `Fn::…`.
fn call(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let (name, argument) = members.iter().next()?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

/// A scalar's text, as CloudFormation turns numbers and booleans into strings. `None` for collections and null.
fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
