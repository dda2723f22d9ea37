//! Which version of a function a call means: a name or an ARN, with or without a qualifier.

use std::borrow::Cow;

use super::Functions;
use super::aliases::Alias;
use super::configuration::Configuration;
use super::functions::{Function, invalid};
use crate::cloud::{Cx, Ids, Scope};
use crate::{Error, Result};

/// The version that is not published.
pub(super) const LATEST: &str = "$LATEST";

/// A version that a call means.
pub(super) struct Resolved<'a> {
    /// `$LATEST`, or the number of a published version.
    pub version: Cow<'a, str>,
    /// The ARN as it was asked for.
    pub arn: Cow<'a, str>,
    /// The configuration, with the function's own ARN.
    pub configuration: &'a Configuration,
    /// See [`Function::build`].
    pub build: &'a str,
}

impl Resolved<'_> {
    /// The configuration as it is shown: with the ARN as it was asked for.
    pub fn shown(&self) -> Configuration {
        let mut configuration = self.configuration.clone();
        configuration.function_arn = self.arn.to_string();
        configuration
    }
}

/// The function's name, from a name, a partial ARN (`account:function:name`) or a whole one.
pub(super) fn bare_name(name: &str) -> &str {
    match name.split_once("function:") {
        Some((_, rest)) => rest.split(':').next().unwrap_or(rest),
        // AWS takes the last part of an ARN that is cut short for the name.
        None if name.starts_with("arn:") => name.rsplit(':').next().unwrap_or(name),
        None => name.split(':').next().unwrap_or(name),
    }
}

/// The same, for a function of this account and region.
///
/// # Errors
/// If an ARN names others.
pub(super) fn reachable<'a>(scope: &Scope, name: &'a str) -> Result<&'a str> {
    if let Some((place, _)) = name.split_once(":function:") {
        let mut parts = place.rsplit(':');
        let account = parts.next().unwrap_or_default();
        let region = parts.next().filter(|_| name.starts_with("arn:"));
        if let Some(region) = region.filter(|region| *region != &*scope.region) {
            let text = format!("Functions from '{region}' are not reachable in this region ('{}')", scope.region);
            return Err(absent(text));
        }
        if account != &*scope.account {
            return Err(Error::not_implemented(format!("functions of another account ({account}) for this caller")));
        }
    }
    Ok(bare_name(name))
}

/// The qualifier, from the name or the parameter of its own.
///
/// # Errors
/// If both are given and differ.
pub(super) fn qualifier<'a>(name: &'a str, qualifier: Option<&'a str>) -> Result<Option<&'a str>> {
    let rest = match name.split_once("function:") {
        Some((_, rest)) => rest,
        // An ARN that is cut short has none.
        None if name.starts_with("arn:") => "",
        None => name,
    };
    match (rest.split_once(':').map(|(_, derived)| derived), qualifier) {
        (Some(derived), Some(given)) if derived != given => {
            Err(invalid("The derived qualifier from the function name does not match the specified qualifier."))
        }
        (derived, given) => Ok(given.or(derived)),
    }
}

impl Function {
    /// Whether there is a version or an alias of this name.
    pub fn has(&self, qualifier: &str) -> bool {
        qualifier == LATEST || self.aliases.contains_key(qualifier) || self.version(qualifier).is_some()
    }

    /// The configuration of what a qualifier stands for; of an alias, that of its main version.
    pub fn configuration_of(&self, qualifier: Option<&str>) -> Option<&Configuration> {
        let alias = qualifier.and_then(|name| self.aliases.get(name)).map(|alias| alias.function_version.as_str());
        match alias.or(qualifier) {
            None | Some(LATEST) => Some(&self.configuration),
            Some(number) => self.version(number).map(|version| &version.configuration),
        }
    }

    /// The version that a qualifier stands for: `$LATEST`, a number, or an alias, which chooses by its weights.
    pub fn resolve(&self, qualifier: Option<&str>, ids: &mut Ids) -> Result<Resolved<'_>> {
        self.resolve_by(qualifier, |alias| alias.choose(ids))
    }

    fn resolve_by(&self, qualifier: Option<&str>, choose: impl FnOnce(&Alias) -> String) -> Result<Resolved<'_>> {
        let Self { configuration, build, .. } = self;
        let Some(qualifier) = qualifier else {
            let arn = Cow::Borrowed(configuration.function_arn.as_str());
            return Ok(Resolved { version: LATEST.into(), arn, configuration, build });
        };
        let arn = format!("{}:{qualifier}", configuration.function_arn);
        let version = match self.aliases.get(qualifier) {
            Some(alias) => choose(alias),
            None => qualifier.to_owned(),
        };
        let (configuration, build) = match version.as_str() {
            LATEST => (configuration, build),
            number => {
                let version = self.version(number).ok_or_else(|| not_found(&arn))?;
                (&version.configuration, &version.build)
            }
        };
        Ok(Resolved { version: version.into(), arn: arn.into(), configuration, build })
    }
}

/// The function of a name, and the version that an invocation of it runs.
pub(super) fn resolve<'a>(cx: &'a mut Cx<Functions>, name: &str, parameter: Option<&str>) -> Result<Resolved<'a>> {
    let Cx { state, scope, ids, .. } = cx;
    let (function, qualifier) = found(state, scope, name, parameter)?;
    function.resolve(qualifier, ids)
}

/// The function of a name, and the version that is shown of it: of an alias, its main one.
pub(super) fn shown<'a>(cx: &'a Cx<Functions>, name: &str, parameter: Option<&str>) -> Result<Resolved<'a>> {
    let (function, qualifier) = found(cx.state, cx.scope, name, parameter)?;
    function.resolve_by(qualifier, |alias| alias.function_version.clone())
}

fn found<'a, 'q>(
    state: &'a Functions,
    scope: &Scope,
    name: &'q str,
    parameter: Option<&'q str>,
) -> Result<(&'a Function, Option<&'q str>)> {
    let qualifier = qualifier(name, parameter)?;
    let name = reachable(scope, name)?;
    let mut arn = scope.arn("lambda", format_args!("function:{name}"));
    if let Some(qualifier) = qualifier {
        arn = format!("{arn}:{qualifier}");
    }
    let function = state.functions.get(name).ok_or_else(|| not_found(&arn))?;
    Ok((function, qualifier))
}

pub(super) fn not_found(arn: &str) -> Error {
    absent(format!("Function not found: {arn}"))
}

/// What Lambda answers of anything that is not there.
pub(super) fn absent(text: impl Into<String>) -> Error {
    Error::new(404, "ResourceNotFoundException", text).with("Type", "User")
}
