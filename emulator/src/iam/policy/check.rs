//! What AWS refuses in a document that is well formed, in the order in which AWS looks.

use std::collections::BTreeSet;

use super::parse::{LEGACY, malformed, old_version};
use super::{Document, Either, Purpose, Statement, Version};
use crate::Result;

/// Checks a document for its purpose.
pub(super) fn check(document: &Document, purpose: Purpose) -> Result<()> {
    match purpose {
        Purpose::Identity => {
            if document.version != Some(Version::V2012) {
                return Err(old_version());
            }
            permissions(document)
        }
        Purpose::Inline | Purpose::Session => permissions(document),
        Purpose::Trust => trust(document),
        Purpose::Resource => resource(document),
    }
}

/// Policies that are attached to principals: they say what, and not who.
fn permissions(document: &Document) -> Result<()> {
    let statements = &document.statements;
    if statements.iter().any(|statement| statement.principal.is_some()) {
        return Err(malformed("Policy document should not specify a principal."));
    }
    let wrong_resource = first_wrong_resource(statements)?;
    unique_sids(statements)?;
    actions_exist(statements)?;
    if let Some(message) = wrong_resource {
        return Err(malformed(message));
    }
    statements.iter().try_for_each(action_prefixes)?;
    resources_exist(statements)
}

/// Trust policies: they say who may assume the role, and the role itself is the resource.
fn trust(document: &Document) -> Result<()> {
    for statement in &document.statements {
        match (&statement.principal, statement.deny) {
            (None, _) => return Err(malformed("Missing required field Principal")),
            (Some(Either::Not(_)), false) => return Err(malformed("Allow with NotPrincipal is not allowed.")),
            _ => {}
        }
        match &statement.resource {
            Some(Either::Is(_)) => return Err(malformed("Has prohibited field Resource")),
            Some(Either::Not(_)) => return Err(malformed("AssumeRole policy must not contain resources.")),
            None => {}
        }
    }
    unique_sids(&document.statements)?;
    actions_exist(&document.statements)?;
    document.statements.iter().try_for_each(action_prefixes)?;
    let sts = |action: &String| action.get(..4).is_some_and(|vendor| vendor.eq_ignore_ascii_case("sts:"));
    let others = document.statements.iter().filter_map(|s| s.action.as_ref());
    if others.flat_map(|action| action.value()).any(|action| !sts(action)) {
        return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
    }
    let actions = document.statements.iter().filter_map(|s| s.action.as_ref()).flat_map(Either::value);
    let known =
        |action: &String| action.contains(['*', '?']) || TRUSTED.iter().any(|one| one.eq_ignore_ascii_case(action));
    if actions.into_iter().all(known) {
        return Ok(());
    }
    // AWS writes two spaces.
    let text = "Trust Policy statement actions can only be sts:AssumeRole, sts:AssumeRoleWithSAML,  and \
                sts:AssumeRoleWithWebIdentity";
    Err(malformed(text))
}

/// The actions of trust policies.
const TRUSTED: [&str; 6] = [
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:TagSession",
    "sts:SetSourceIdentity",
    "sts:SetContext",
];

/// Policies of resources: they say who and what.
fn resource(document: &Document) -> Result<()> {
    if document.statements.iter().any(|statement| statement.principal.is_none()) {
        return Err(malformed("Missing required field Principal"));
    }
    let not_principal = |statement: &Statement| !statement.deny && matches!(statement.principal, Some(Either::Not(_)));
    if document.statements.iter().any(not_principal) {
        return Err(malformed("Allow with NotPrincipal is not allowed."));
    }
    unique_sids(&document.statements)?;
    actions_exist(&document.statements)?;
    resources_exist(&document.statements)?;
    document.statements.iter().try_for_each(action_prefixes)
}

fn unique_sids(statements: &[Statement]) -> Result<()> {
    let mut seen = BTreeSet::new();
    if statements.iter().filter_map(|statement| statement.sid.as_ref()).all(|sid| seen.insert(sid)) {
        return Ok(());
    }
    Err(malformed("Statement IDs (SID) in a single policy must be unique."))
}

fn is_empty(element: &Option<Either<Vec<String>>>) -> bool {
    element.as_ref().is_none_or(|element| element.value().is_empty())
}

fn actions_exist(statements: &[Statement]) -> Result<()> {
    let missing = statements.iter().any(|statement| is_empty(&statement.action));
    if missing { Err(malformed("Policy statement must contain actions.")) } else { Ok(()) }
}

fn resources_exist(statements: &[Statement]) -> Result<()> {
    let missing = statements.iter().any(|statement| is_empty(&statement.resource));
    if missing { Err(malformed("Policy statement must contain resources.")) } else { Ok(()) }
}

fn action_prefixes(statement: &Statement) -> Result<()> {
    let actions = statement.action.as_ref().map(|action| action.value().as_slice()).unwrap_or_default();
    for action in actions {
        let mut parts = action.split(':');
        let vendor = parts.next().unwrap_or_default();
        let named = parts.next().is_some();
        if vendor == "*" && !named {
            continue;
        }
        if !named {
            return Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
        }
        if parts.next().is_some() {
            return Err(malformed("Actions/Condition can contain only one colon."));
        }
        let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        if vendor != "*" && (vendor.is_empty() || !vendor.bytes().all(valid)) {
            return Err(malformed(format!("Vendor {vendor} is not valid")));
        }
    }
    Ok(())
}

/// The text for the first resource that is no ARN. A resource that AWS cannot even take apart is refused at once.
fn first_wrong_resource(statements: &[Statement]) -> Result<Option<String>> {
    for statement in statements {
        for resource in statement.resource.as_ref().map(|r| r.value().as_slice()).unwrap_or_default() {
            if let Some(message) = wrong_resource(resource) {
                return Ok(Some(message));
            }
            let colons = resource.matches(':').count();
            let nameless = resource.starts_with("arn:aws::");
            if resource != "*" && (colons < 5 && resource.contains("::") || nameless) {
                return Err(malformed(LEGACY));
            }
        }
    }
    Ok(None)
}

/// What IAM names may begin with in a resource.
const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

fn wrong_resource(resource: &str) -> Option<String> {
    if resource == "*" {
        return None;
    }
    let Some((_, rest)) = resource.split_once(':') else {
        return Some(format!("Resource {resource} must be in ARN format or \"*\"."));
    };
    let (partition, rest) = rest.split_once(':').map_or((rest, None), |(partition, rest)| (partition, Some(rest)));
    if partition != "aws" {
        return Some(wrong_partition(partition, rest.unwrap_or_default()));
    }
    let Some(rest) = rest else {
        return Some("Resource vendor must be fully qualified and cannot contain regexes.".to_owned());
    };
    let (service, rest) = rest.split_once(':').unwrap_or((rest, ""));
    if service.contains(['*', '?']) {
        return Some("Resource vendor must be fully qualified and cannot contain regexes.".to_owned());
    }
    let (region, rest) = rest.split_once(':').unwrap_or((rest, ""));
    match service {
        "iam" if !region.is_empty() => Some(format!("IAM resource {resource} cannot contain region information.")),
        // Access points and batch jobs came after the check and have regions.
        "s3" if !region.is_empty() && !rest.contains(":accesspoint/") && !rest.contains(":job/") => {
            Some(format!("Resource {resource} can not contain region information."))
        }
        "iam" => {
            let name = rest.split_once(':').map_or("", |(_, name)| name);
            let known = name == "*" || IAM_PATHS.iter().any(|path| name.starts_with(path));
            (!known).then(|| format!("IAM resource path must either be \"*\" or start with {}.", IAM_PATHS.join(", ")))
        }
        _ => None,
    }
}

/// AWS shows the ARN with `*` for the parts that are missing.
fn wrong_partition(partition: &str, rest: &str) -> String {
    let mut parts: Vec<&str> = rest.splitn(4, ':').collect();
    if rest.is_empty() {
        parts.clear();
    }
    parts.resize(4, "*");
    format!("Partition \"{partition}\" is not valid for resource \"arn:{partition}:{}\".", parts.join(":"))
}
