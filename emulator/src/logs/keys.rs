//! `AssociateKmsKey` and `DisassociateKmsKey`: the key that a group names. Nothing is encrypted here.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html>

use serde::Deserialize;

use super::names::{group_name, on_group};
use super::store::LogGroups;
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service.op("AssociateKmsKey", |at, i: &Associate| on_group(at, i.log_group_name.as_ref(), None), associate).op(
        "DisassociateKmsKey",
        |at, i: &Disassociate| on_group(at, i.log_group_name.as_ref(), None),
        disassociate,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Associate {
    log_group_name: Option<String>,
    kms_key_id: String,
    resource_identifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Disassociate {
    log_group_name: Option<String>,
    resource_identifier: Option<String>,
}

fn associate(cx: &mut Cx<LogGroups>, input: Associate) -> Result<()> {
    set(cx, input.log_group_name, input.resource_identifier, Some(input.kms_key_id))
}

fn disassociate(cx: &mut Cx<LogGroups>, input: Disassociate) -> Result<()> {
    set(cx, input.log_group_name, input.resource_identifier, None)
}

fn set(cx: &mut Cx<LogGroups>, name: Option<String>, identifier: Option<String>, key: Option<String>) -> Result<()> {
    if identifier.as_ref().is_some_and(|identifier| identifier.contains(":query-result:")) {
        return Err(Error::not_implemented("keys of the results of queries (resourceIdentifier)"));
    }
    let name = group_name(cx.scope, name.as_ref(), identifier.as_ref())?.to_owned();
    cx.state.group_mut(&name)?.kms_key = key;
    Ok(())
}
