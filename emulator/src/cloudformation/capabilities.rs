//! Capabilities: what a caller must acknowledge before a template may make IAM resources or use macros.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>

use super::template::Template;
use crate::{Error, Result};

/// The types that need an acknowledgement, with the property that names them. `AWS::IAM::Policy` and the like have a name of
/// their own in any case.
const IAM_TYPES: [(&str, Option<&str>); 11] = [
    ("AWS::IAM::AccessKey", None),
    ("AWS::IAM::Group", Some("GroupName")),
    ("AWS::IAM::GroupPolicy", None),
    ("AWS::IAM::InstanceProfile", Some("InstanceProfileName")),
    ("AWS::IAM::ManagedPolicy", Some("ManagedPolicyName")),
    ("AWS::IAM::Policy", None),
    ("AWS::IAM::Role", Some("RoleName")),
    ("AWS::IAM::RolePolicy", None),
    ("AWS::IAM::User", Some("UserName")),
    ("AWS::IAM::UserPolicy", None),
    ("AWS::IAM::UserToGroupAddition", None),
];

/// Acknowledges macros.
const EXPANSION: &str = "CAPABILITY_AUTO_EXPAND";

/// What a template needs, and why: the capability and the types that ask for it.
pub(super) fn needed(template: &Template) -> Option<(&'static str, Vec<&str>)> {
    let mut types = Vec::new();
    let mut named = false;
    for (_, resource) in &template.resources {
        let Some((_, name)) = IAM_TYPES.iter().find(|(kind, _)| *kind == resource.kind) else { continue };
        named |= name.is_some_and(|name| resource.properties.contains_key(name));
        if !types.contains(&resource.kind.as_str()) {
            types.push(resource.kind.as_str());
        }
    }
    let capability = if named { "CAPABILITY_NAMED_IAM" } else { "CAPABILITY_IAM" };
    (!types.is_empty()).then_some((capability, types))
}

/// Refuses to run macros, if that needs an acknowledgement which is not given.
///
/// # Errors
/// `InsufficientCapabilitiesException`, with AWS's text.
pub(super) fn check_expansion(given: Option<&[String]>) -> Result<()> {
    if given.is_none_or(|given| given.iter().any(|given| given == EXPANSION)) {
        return Ok(());
    }
    Err(Error::client("InsufficientCapabilitiesException", format!("Requires capabilities : [{EXPANSION}]")))
}

/// Refuses what was not acknowledged. `expands`: whether macros run in this operation, which change sets show beforehand.
///
/// # Errors
/// `InsufficientCapabilitiesException`, with AWS's text.
pub(super) fn check(template: &Template, given: &[String], expands: bool) -> Result<()> {
    let has = |capability: &str| given.iter().any(|given| given == capability);
    let mut missing = Vec::new();
    if expands && !has(EXPANSION) {
        missing.push(EXPANSION);
    }
    if let Some((capability, _)) = needed(template) {
        let is_enough = has("CAPABILITY_NAMED_IAM") || has(capability);
        missing.extend((!is_enough).then_some(capability));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!("Requires capabilities : [{}]", missing.join(", "));
    Err(Error::client("InsufficientCapabilitiesException", text))
}
