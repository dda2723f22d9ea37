//! `DeleteParameter` and `DeleteParameters`.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html>

use serde::{Deserialize, Serialize};

use super::names::Name;
use super::{Parameters, find, on, policies, require_all};
use crate::Result;
use crate::cloud::{Cx, Service, Target};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Parameters>) -> Service<Parameters> {
    service.op("DeleteParameter", |at, i: &Delete| on(at, &i.name), delete).op(
        "DeleteParameters",
        |at, i: &DeleteSeveral| i.names.first().map_or_else(Target::any, |name| on(at, name)),
        delete_several,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    name: String,
}

fn delete(cx: &mut Cx<Parameters>, input: Delete) -> Result<()> {
    let name = Name::of(&input.name);
    name.check()?;
    find(cx, &name)?;
    remove(cx, &name);
    Ok(())
}

fn remove(cx: &mut Cx<Parameters>, name: &Name) {
    policies::plan(cx, &name.key, &[]);
    cx.state.parameters.remove(&name.key);
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteSeveral {
    names: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Deleted {
    deleted_parameters: Vec<String>,
    invalid_parameters: Vec<String>,
}

fn delete_several(cx: &mut Cx<Parameters>, input: DeleteSeveral) -> Result<Deleted> {
    require_all(cx, "ssm:DeleteParameters", input.names.iter())?;
    let (mut deleted_parameters, mut invalid_parameters) = (Vec::new(), Vec::new());
    for given in input.names {
        let name = Name::of(&given);
        if name.selector.is_none() && cx.state.parameters.contains_key(&name.key) {
            remove(cx, &name);
            deleted_parameters.push(given);
        } else {
            invalid_parameters.push(given);
        }
    }
    Ok(Deleted { deleted_parameters, invalid_parameters })
}
