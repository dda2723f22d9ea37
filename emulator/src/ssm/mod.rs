//! AWS Systems Manager, of which Parameter Store is here: parameters, their versions, labels and policies.
//!
//! `names.rs` says how parameters are named, `store.rs` keeps them, `put.rs` writes and `get.rs` reads; `secrets.rs` reads
//! the secrets that are reached under parameters' names. Everything else of Systems Manager is refused by name.
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html>

mod delete;
mod describe;
mod filter;
mod get;
mod history;
mod labels;
mod names;
mod path;
mod policies;
mod put;
mod secrets;
mod store;
mod tags;
#[cfg(test)]
mod tests;

pub use store::Parameters;

use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result};
use names::Name;
use store::Parameter;

/// The service and its operations.
pub fn service() -> Service<Parameters> {
    Service::new("ssm")
        .asks()
        .with(put::operations)
        .with(get::operations)
        .with(path::operations)
        .with(history::operations)
        .with(describe::operations)
        .with(labels::operations)
        .with(delete::operations)
        .with(tags::operations)
        .with(policies::operations)
}

/// A parameter as the target of an operation, with its tags.
fn on(at: &At<Parameters>, name: &str) -> Target {
    let name = Name::of(name);
    let target = Target::on(name.arn(at.scope));
    let Some(parameter) = at.state.parameters.get(&name.key) else { return target };
    parameter.tags.iter().fold(target, |target, (key, value)| {
        target
            .context(format!("ssm:resourceTag/{key}"), value.clone())
            .context(format!("aws:ResourceTag/{key}"), value.clone())
    })
}

/// Refuses the call unless its caller may perform the action on every one of these parameters. The front has asked about
/// the first.
fn require_all<'a>(cx: &Cx<Parameters>, action: &str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    let at = At { scope: cx.scope, state: cx.state };
    names.skip(1).try_for_each(|name| cx.access().require(action, &on(&at, name)))
}

/// The parameter of a name.
fn find<'a>(cx: &'a Cx<Parameters>, name: &Name) -> Result<&'a Parameter> {
    cx.state.parameters.get(&name.key).ok_or_else(not_found)
}

fn validation(message: impl Into<String>) -> Error {
    Error::client("ValidationException", message)
}

/// AWS says no more than the code.
fn not_found() -> Error {
    Error::client("ParameterNotFound", "")
}
