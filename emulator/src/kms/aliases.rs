//! Aliases: names for keys.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html>

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::managed::ALIASES;
use super::{Keys, arn, find, no_key, page};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// `ListAliases` answers so many, if the request does not say.
const PAGE: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op("CreateAlias", |at, i: &CreateAlias| on(at, &i.alias_name), create)
        .op("DeleteAlias", |at, i: &DeleteAlias| on(at, &i.alias_name), delete)
        .op("ListAliases", |_, _: &ListAliases| Target::any(), list)
}

fn on(at: &At<Keys>, name: &str) -> Target {
    Target::on(at.scope.arn("kms", name))
}

/// A name for a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Alias {
    pub key: String,
    pub created: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateAlias {
    alias_name: String,
    target_key_id: String,
}

fn create(cx: &mut Cx<Keys>, input: CreateAlias) -> Result<()> {
    let name = input.alias_name;
    if !name.starts_with("alias/") {
        return Err(Error::client(
            "ValidationException",
            "Alias must start with the prefix \"alias/\". Please see \
             https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    }
    if name.starts_with(ALIASES) {
        return Err(Error::client("NotAuthorizedException", ""));
    }
    let named = || Error::client("ValidationException", "Aliases must refer to keys. Not aliases");
    if input.target_key_id.contains("alias/") {
        return Err(named());
    }
    let key = find(cx, &input.target_key_id)?;
    let target = arn(cx.scope, &key);
    cx.state.keys.get(&key).map_or(Ok(()), |key| key.check_state(&target))?;
    if cx.state.aliases.contains_key(&name) {
        let message = format!("An alias with the name {} already exists", cx.scope.arn("kms", &name));
        return Err(Error::client("AlreadyExistsException", message));
    }
    cx.state.aliases.insert(name, Alias { key, created: cx.now });
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteAlias {
    alias_name: String,
}

fn delete(cx: &mut Cx<Keys>, input: DeleteAlias) -> Result<()> {
    if input.alias_name.starts_with(ALIASES) {
        return Err(Error::client("NotAuthorizedException", ""));
    }
    cx.state.aliases.remove(&input.alias_name).map(drop).ok_or_else(|| no_key(cx.scope, &input.alias_name))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListAliases {
    key_id: Option<String>,
    limit: Option<usize>,
    marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    aliases: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    alias_name: String,
    alias_arn: String,
    target_key_id: String,
    creation_date: Timestamp,
    last_updated_date: Timestamp,
}

fn list(cx: &mut Cx<Keys>, input: ListAliases) -> Result<ListOutput> {
    let key = input.key_id.map(|name| find(cx, &name)).transpose()?;
    let start = input.marker.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let found = cx.state.aliases.range::<_, str>((start, Bound::Unbounded));
    let found = found.filter(|(_, alias)| key.as_ref().is_none_or(|key| alias.key == *key));
    let (found, next_marker) = page(found, input.limit, PAGE);
    let entry = |(name, alias): (&String, &Alias)| Listed {
        alias_name: name.clone(),
        alias_arn: cx.scope.arn("kms", name),
        target_key_id: alias.key.clone(),
        creation_date: alias.created,
        last_updated_date: alias.created,
    };
    Ok(ListOutput { aliases: found.into_iter().map(entry).collect(), truncated: next_marker.is_some(), next_marker })
}
