//! When a function gets another build of its runtime: a setting that is kept. There is one build of each runtime here, and nothing
//! but it can be asked for.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html>

use serde::{Deserialize, Serialize};

use super::functions::find_mut;
use super::qualifier::{LATEST, not_found, qualifier};
use super::{Functions, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// What a function has that says nothing, and what names a build.
const DEFAULT: &str = "Auto";
const MANUAL: &str = "Manual";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service.op("PutRuntimeManagementConfig", |at, i: &Put| on(at, &i.function_name), put).op(
        "GetRuntimeManagementConfig",
        |at, i: &Of| on(at, &i.function_name),
        get,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    function_name: String,
    qualifier: Option<String>,
    update_runtime_on: String,
    runtime_version_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Of {
    function_name: String,
    qualifier: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    update_runtime_on: String,
    function_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_version_arn: Option<String>,
}

fn put(cx: &mut Cx<Functions>, input: Put) -> Result<Config> {
    let place = qualifier(&input.function_name, input.qualifier.as_deref())?.unwrap_or(LATEST);
    let function = find_mut(cx, &input.function_name)?;
    let arn = format!("{}:{place}", function.configuration.function_arn);
    let configuration = function.configuration_of(Some(place)).ok_or_else(|| not_found(&arn))?;
    let (is_manual, there) = (input.update_runtime_on == MANUAL, configuration.runtime_version());
    match &input.runtime_version_arn {
        Some(_) if !is_manual => {
            // The condition is of AWS's page; its text is not known.
            let text = "RuntimeVersionArn can be specified only if UpdateRuntimeOn is Manual.";
            return Err(super::functions::invalid(text));
        }
        Some(arn) if Some(arn.as_str()) != there => {
            return Err(Error::not_implemented(format!("another build of a runtime than the only one ({arn})")));
        }
        _ => {}
    }
    let runtime_version_arn = there.filter(|_| is_manual).map(str::to_owned);
    function.runtime_updates.insert(place.to_owned(), input.update_runtime_on.clone());
    Ok(Config { update_runtime_on: input.update_runtime_on, function_arn: arn, runtime_version_arn })
}

fn get(cx: &mut Cx<Functions>, input: Of) -> Result<Config> {
    let place = qualifier(&input.function_name, input.qualifier.as_deref())?.unwrap_or(LATEST);
    let function = find_mut(cx, &input.function_name)?;
    let function_arn = format!("{}:{place}", function.configuration.function_arn);
    let configuration = function.configuration_of(Some(place)).ok_or_else(|| not_found(&function_arn))?;
    let update_runtime_on = function.runtime_updates.get(place).cloned().unwrap_or_else(|| DEFAULT.to_owned());
    let runtime_version_arn = configuration.runtime_version().filter(|_| update_runtime_on == MANUAL);
    Ok(Config { runtime_version_arn: runtime_version_arn.map(str::to_owned), update_runtime_on, function_arn })
}
