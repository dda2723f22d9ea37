//! How parameters are named: `name`, `/path/name`, an ARN, each with a version or label behind a colon.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html#sysman-parameter-name-constraints>

use super::validation;
use crate::cloud::Scope;
use crate::{Error, Result};

/// A path has at most so many levels.
const LEVELS: usize = 15;
/// A name may have so many characters, the beginning of its ARN included.
const LENGTH: usize = 1011;
/// Under which AWS publishes parameters of its own.
const PUBLIC: &str = "/aws/service/";

const CHARACTERS: &str = "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of \
    sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_";
const PREFIX: &str = "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).";
const PATH: &str = "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward \
    slash \"/\". It can't be prefixed with \\\"aws\\\" or \\\"ssm\\\" (case-insensitive). It must use only letters, numbers, or the \
    following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, \
    must use the forward slash symbol \"/\". Valid example: /get/parameters2-/by1./path0_.";

/// What a request calls a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Under which the parameter is kept: the name with a slash before it. `x` and `/x` are the same one, as they have the
    /// same ARN.
    pub key: String,
    /// The name as it was given, without ARN and selector.
    pub given: String,
    /// The version or label.
    pub selector: Option<String>,
}

impl Name {
    /// Takes a name, a path or an ARN apart.
    pub fn of(text: &str) -> Self {
        let local = match text.strip_prefix("arn:") {
            // arn:aws:ssm:region:account:parameter/name: the ARN does not tell `/name` and `name` apart.
            Some(_) => match text.split_once(":parameter/") {
                Some((_, rest)) if rest.contains('/') => format!("/{rest}"),
                Some((_, rest)) => rest.to_owned(),
                None => text.to_owned(),
            },
            None => text.to_owned(),
        };
        let (given, selector) = match local.split_once(':') {
            Some((name, selector)) => (name.to_owned(), Some(selector.to_owned())),
            None => (local, None),
        };
        let key = if given.starts_with('/') { given.clone() } else { format!("/{given}") };
        Self { key, given, selector }
    }

    /// `arn:aws:ssm:us-east-1:123456789012:parameter/path/name`.
    pub fn arn(&self, scope: &Scope) -> String {
        arn(scope, &self.key)
    }

    /// Refuses what names no parameter.
    pub fn check(&self) -> Result<()> {
        refuse_public(&self.key)?;
        let is_path = self.given.trim_start_matches('/').contains('/') || self.given.starts_with("//");
        if !are_fit(&self.key) || is_path && !self.given.starts_with('/') {
            return Err(validation(CHARACTERS));
        }
        Ok(())
    }

    /// Refuses what a new parameter may not be named.
    pub fn check_new(&self, scope: &Scope) -> Result<()> {
        let name = &self.given;
        let is_path = self.key.matches('/').count() > 1;
        if self.selector.is_some() {
            return Err(validation(CHARACTERS));
        }
        if begins(&self.key, "/aws") && (is_path || name.starts_with("/aws/")) {
            return Err(Error::client(
                "AccessDeniedException",
                format!("No access to reserved parameter name: {name}."),
            ));
        }
        if is_reserved(&self.key) {
            return Err(validation(if is_path { CHARACTERS } else { PREFIX }));
        }
        if is_path && !name.starts_with('/') {
            return Err(validation("Parameter name must be a fully qualified name."));
        }
        if !are_fit(&self.key) || self.key.ends_with('/') {
            return Err(validation(CHARACTERS));
        }
        if self.key.matches('/').count() > LEVELS {
            let text = format!(
                "A hierarchy can have a maximum of {LEVELS} levels. For more information, see Requirements and constraints for \
                 parameter names in the AWS Systems Manager User Guide."
            );
            return Err(Error::client("HierarchyLevelLimitExceededException", text));
        }
        let length = self.arn(scope).chars().count();
        if length > LENGTH {
            return Err(validation(format!(
                "Parameter name {name} is too long: with its ARN it has {length} characters, of at most {LENGTH}."
            )));
        }
        Ok(())
    }
}

/// The ARN of the parameter that is kept under a key.
pub(super) fn arn(scope: &Scope, key: &str) -> String {
    scope.arn("ssm", format_args!("parameter{key}"))
}

/// Whether a key is made of levels, each of letters, digits and the three signs.
fn are_fit(key: &str) -> bool {
    let is_fit = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    let inner = key.strip_prefix('/').unwrap_or(key);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    inner.split('/').all(|part| !part.is_empty() && is_fit(part))
}

/// Whether a key or path begins with what AWS keeps for itself.
pub(super) fn is_reserved(key: &str) -> bool {
    begins(key, "/aws") || begins(key, "/ssm")
}

fn begins(key: &str, with: &str) -> bool {
    key.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
}

/// The prefix of the keys under a path, with a slash at its end.
///
/// # Errors
/// `ValidationException` for what is no path; `NotImplemented` for AWS's own.
pub(super) fn below(path: &str) -> Result<String> {
    refuse_public(&format!("{path}/"))?;
    if path == "/" {
        return Ok(path.to_owned());
    }
    if !path.starts_with('/') || !are_fit(path) || is_reserved(path) {
        return Err(validation(PATH));
    }
    Ok(format!("{}/", path.trim_end_matches('/')))
}

/// AWS's public parameters tell of images and services that are not here.
fn refuse_public(key: &str) -> Result<()> {
    if key.starts_with(PUBLIC) {
        return Err(Error::not_implemented(format!("AWS's public parameters ({key})")));
    }
    Ok(())
}
