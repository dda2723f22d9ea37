//! Aliases: names for keys.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html>

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::managed::ALIASES;
use super::{Keys, find_key, not_found, page};
use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::{Error, Result, Timestamp};

/// `ListAliases` answers so many, if the request does not say.
const PAGE: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op("CreateAlias", |at, i: &Named| on(at, &i.alias_name), create)
        .op("UpdateAlias", |at, i: &Named| on(at, &i.alias_name), update)
        .op("DeleteAlias", |at, i: &DeleteAlias| on(at, &i.alias_name), delete)
        .op("ListAliases", |_, _: &ListAliases| Target::any(), list)
}

fn on(at: &At<Keys>, name: &str) -> Target {
    Target::on(at.scope.arn("kms", name))
}

/// A name for a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Alias {
    /// It begins with `alias/`.
    pub name: String,
    /// The key's ARN.
    pub key: String,
    scope: Scope,
    created: Timestamp,
    updated: Timestamp,
}

impl Alias {
    /// A new name for a key.
    pub fn new(cx: &Cx<Keys>, name: String, key: String) -> Self {
        Self { name, key, scope: cx.scope.clone(), created: cx.now, updated: cx.now }
    }

    /// Its ARN.
    pub fn arn(&self) -> String {
        self.scope.arn("kms", &self.name)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    alias_name: String,
    target_key_id: String,
}

/// Refuses what is no alias, and those of the keys that AWS manages.
fn check_name(name: &str) -> Result<()> {
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
    Ok(())
}

/// The key that an alias is to stand for. The caller needs the permission for it as well.
fn target(cx: &Cx<Keys>, input: &Named, action: &str) -> Result<String> {
    check_name(&input.alias_name)?;
    if input.alias_name.contains(':') {
        let message = format!("{} contains invalid characters for an alias", input.alias_name);
        return Err(Error::client("ValidationException", message));
    }
    if input.target_key_id.contains("alias/") {
        return Err(Error::client("ValidationException", "Aliases must refer to keys. Not aliases"));
    }
    let (arn, key) = find_key(cx, &input.target_key_id)?;
    let at = At { scope: cx.scope, state: &*cx.state };
    cx.access().require(action, &super::on_key(&at, &arn))?;
    key.check_deletion(&arn)?;
    Ok(arn)
}

fn create(cx: &mut Cx<Keys>, input: Named) -> Result<()> {
    let key = target(cx, &input, "kms:CreateAlias")?;
    let alias = Alias::new(cx, input.alias_name, key);
    if cx.state.aliases.contains_key(&alias.arn()) {
        let message = format!("An alias with the name {} already exists", alias.arn());
        return Err(Error::client("AlreadyExistsException", message));
    }
    cx.state.aliases.insert(alias.arn(), alias);
    Ok(())
}

fn missing(scope: &Scope, name: &str) -> Error {
    not_found(format!("Alias {} is not found.", scope.arn("kms", name)))
}

/// The new key is to be of the same kind as the old one.
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html>
fn update(cx: &mut Cx<Keys>, input: Named) -> Result<()> {
    let key = target(cx, &input, "kms:UpdateAlias")?;
    let arn = cx.scope.arn("kms", &input.alias_name);
    let before = cx.state.aliases.get(&arn).map(|alias| alias.key.clone());
    let before = before.ok_or_else(|| missing(cx.scope, &input.alias_name))?;
    let kind = |arn: &str| cx.state.keys.get(arn).map(|key| (key.spec.bytes().is_some(), key.usage));
    if kind(&before) != kind(&key) {
        let message = "Aliases cannot be updated to a key of another type or usage.";
        return Err(Error::client("ValidationException", message));
    }
    let now = cx.now;
    if let Some(alias) = cx.state.aliases.get_mut(&arn) {
        (alias.key, alias.updated) = (key, now);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteAlias {
    alias_name: String,
}

fn delete(cx: &mut Cx<Keys>, input: DeleteAlias) -> Result<()> {
    check_name(&input.alias_name)?;
    let arn = cx.scope.arn("kms", &input.alias_name);
    let key = cx.state.aliases.get(&arn).map(|alias| alias.key.clone());
    let key = key.ok_or_else(|| missing(cx.scope, &input.alias_name))?;
    let at = At { scope: cx.scope, state: &*cx.state };
    cx.access().require("kms:DeleteAlias", &super::on_key(&at, &key))?;
    cx.state.aliases.remove(&arn);
    Ok(())
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
    let key = input.key_id.map(|name| cx.state.find_key(cx.scope, &name)).transpose()?;
    let start = input.marker.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let found = cx.state.aliases.range::<_, str>((start, Bound::Unbounded));
    let found = found.filter(|(_, alias)| alias.scope == *cx.scope);
    let found = found.filter(|(_, alias)| key.as_ref().is_none_or(|key| alias.key == *key));
    let (found, next_marker) = page(found, input.limit, PAGE);
    let entry = |(arn, alias): (&String, &Alias)| Listed {
        alias_name: alias.name.clone(),
        alias_arn: arn.clone(),
        target_key_id: alias.key.rsplit('/').next().unwrap_or_default().to_owned(),
        creation_date: alias.created,
        last_updated_date: alias.updated,
    };
    Ok(ListOutput { aliases: found.into_iter().map(entry).collect(), truncated: next_marker.is_some(), next_marker })
}
