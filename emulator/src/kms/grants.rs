//! Grants: who may use a key besides those whom policies let.
//!
//! A grant is good as soon as it is made; at AWS its token bridges the minutes until then.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>

use std::ops::Bound;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::cipher::Context;
use super::{Keys, dry_run, find_key, not_found, on_key, page};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// `ListGrants` answers so many, if the request does not say.
const PAGE: usize = 50;
/// Characters of a token.
const TOKEN: usize = 204;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op("CreateGrant", to_create, create)
        .op("ListGrants", |at, i: &ListGrants| on_key(at, &i.key_id), list)
        .op("ListRetirableGrants", |_, _: &ListRetirable| Target::any(), list_retirable)
        .op("RevokeGrant", |at, i: &Revoke| on_key(at, &i.key_id), revoke)
        .op("RetireGrant", to_retire, retire)
}

/// A grant. Its id is the key of the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Grant {
    /// The key's ARN.
    pub key: String,
    token: String,
    created: Timestamp,
    /// The account that made it, as an ARN.
    issuer: String,
    terms: Terms,
}

/// What was granted, as `CreateGrant` takes it and `ListGrants` tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Terms {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grantee_principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grantee_service_principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retiring_principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retiring_service_principal: Option<String>,
    operations: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<Constraints>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Constraints {
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_context_subset: Option<Context>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_context_equals: Option<Context>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_arn: Option<String>,
}

/// The grants of a key.
pub(super) fn of_key<'a>(state: &'a Keys, key: &'a str) -> impl Iterator<Item = (&'a String, &'a Grant)> {
    state.grants.iter().filter(move |(_, grant)| grant.key == key)
}

impl Grant {
    /// The grant as statements of a key policy: one for who may use the key, one for who may retire the grant.
    pub fn statements(&self) -> Vec<Value> {
        let terms = &self.terms;
        let actions = terms.operations.iter().map(|operation| format!("kms:{operation}")).collect();
        let conditions = terms.constraints.as_ref().map(Constraints::conditions).unwrap_or_default();
        let grantee = principal(&terms.grantee_principal, &terms.grantee_service_principal);
        let retiring = principal(&terms.retiring_principal, &terms.retiring_service_principal);
        let retire = vec!["kms:RetireGrant".to_owned()];
        let parts = [(grantee, actions, conditions), (retiring, retire, Map::new())];
        let statement = |(principal, actions, conditions): (Option<Value>, Vec<String>, Map<String, Value>)| {
            let principal = principal?;
            let mut statement =
                json!({ "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*" });
            if !conditions.is_empty() {
                statement["Condition"] = conditions.into();
            }
            Some(statement)
        };
        parts.into_iter().filter_map(statement).collect()
    }

    fn told(&self, id: &str) -> Result<Value> {
        let mut told = json!({
            "KeyId": self.key, "GrantId": id, "CreationDate": self.created, "IssuingAccount": self.issuer,
        });
        if let (Some(told), Value::Object(terms)) = (told.as_object_mut(), serde_json::to_value(&self.terms)?) {
            told.extend(terms);
        }
        Ok(told)
    }
}

fn principal(arn: &Option<String>, service: &Option<String>) -> Option<Value> {
    match (arn, service) {
        (Some(arn), _) => Some(json!({ "AWS": arn })),
        (None, Some(service)) => Some(json!({ "Service": service })),
        (None, None) => None,
    }
}

impl Constraints {
    /// <https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html>
    fn conditions(&self) -> Map<String, Value> {
        let mut equal = Map::new();
        let mut conditions = Map::new();
        for context in [&self.encryption_context_subset, &self.encryption_context_equals].into_iter().flatten() {
            equal.extend(context.iter().map(|(name, value)| (format!("kms:EncryptionContext:{name}"), json!(value))));
        }
        if let Some(exact) = &self.encryption_context_equals {
            let names: Vec<&String> = exact.keys().collect();
            conditions.insert("ForAllValues:StringEquals".into(), json!({ "kms:EncryptionContextKeys": names }));
        }
        if !equal.is_empty() {
            conditions.insert("StringEquals".into(), equal.into());
        }
        if let Some(source) = &self.source_arn {
            conditions.insert("ArnEquals".into(), json!({ "aws:SourceArn": source }));
        }
        conditions
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    key_id: String,
    name: Option<String>,
    grantee_principal: Option<String>,
    grantee_service_principal: Option<String>,
    retiring_principal: Option<String>,
    retiring_service_principal: Option<String>,
    operations: Vec<String>,
    constraints: Option<Constraints>,
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

fn to_create(at: &At<Keys>, input: &Create) -> Target {
    let mut target = on_key(at, &input.key_id);
    target.context.push(("kms:GrantOperations".into(), input.operations.clone()));
    let principals =
        [("kms:GranteePrincipal", &input.grantee_principal), ("kms:RetiringPrincipal", &input.retiring_principal)];
    for (key, principal) in principals {
        if let Some(principal) = principal {
            target = target.context(key, principal.as_str());
        }
    }
    let kind = input.constraints.as_ref().and_then(|constraints| match constraints {
        Constraints { encryption_context_equals: Some(_), .. } => Some("EncryptionContextEquals"),
        Constraints { encryption_context_subset: Some(_), .. } => Some("EncryptionContextSubset"),
        _ => None,
    });
    kind.into_iter().fold(target, |target, kind| target.context("kms:GrantConstraintType", kind))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    grant_id: String,
    grant_token: String,
}

fn create(cx: &mut Cx<Keys>, input: Create) -> Result<Created> {
    if input.grantee_principal.is_some() == input.grantee_service_principal.is_some() {
        let message = "Exactly one of GranteePrincipal and GranteeServicePrincipal must be specified.";
        return Err(Error::client("ValidationException", message));
    }
    let (id, token) = (cx.ids().hex(64), cx.ids().mixed(TOKEN));
    let (key, found) = find_key(cx, &input.key_id)?;
    found.check_enabled(&key)?;
    dry_run(input.dry_run)?;
    let terms = Terms {
        name: input.name,
        grantee_principal: input.grantee_principal,
        grantee_service_principal: input.grantee_service_principal,
        retiring_principal: input.retiring_principal,
        retiring_service_principal: input.retiring_service_principal,
        operations: input.operations,
        constraints: input.constraints,
    };
    // A request that is made again with the same name means the same grant.
    let same = |grant: &Grant| grant.terms.name.is_some() && grant.terms == terms;
    if let Some((id, grant)) = of_key(cx.state, &key).find(|(_, grant)| same(grant)) {
        return Ok(Created { grant_id: id.clone(), grant_token: grant.token.clone() });
    }
    let issuer = format!("arn:aws:iam::{}:root", cx.scope.account);
    let grant = Grant { key, token: token.clone(), created: cx.now, issuer, terms };
    cx.state.grants.insert(id.clone(), grant);
    Ok(Created { grant_id: id, grant_token: token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListGrants {
    key_id: String,
    grant_id: Option<String>,
    grantee_principal: Option<String>,
    grantee_service_principal: Option<String>,
    limit: Option<usize>,
    marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    grants: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

fn listed<'a>(grants: impl Iterator<Item = (&'a String, &'a Grant)>, limit: Option<usize>) -> Result<Listed> {
    let (found, next_marker) = page(grants, limit, PAGE);
    let grants = found.into_iter().map(|(id, grant)| grant.told(id)).collect::<Result<_>>()?;
    Ok(Listed { grants, truncated: next_marker.is_some(), next_marker })
}

fn list(cx: &mut Cx<Keys>, input: ListGrants) -> Result<Listed> {
    let (key, _) = find_key(cx, &input.key_id)?;
    let start = input.marker.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let found = cx.state.grants.range::<_, str>((start, Bound::Unbounded)).filter(|(id, grant)| {
        let is = |wanted: &Option<String>, there: &Option<String>| wanted.is_none() || wanted == there;
        grant.key == key
            && input.grant_id.as_ref().is_none_or(|wanted| wanted == *id)
            && is(&input.grantee_principal, &grant.terms.grantee_principal)
            && is(&input.grantee_service_principal, &grant.terms.grantee_service_principal)
    });
    listed(found, input.limit)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRetirable {
    retiring_principal: Option<String>,
    retiring_service_principal: Option<String>,
    limit: Option<usize>,
    marker: Option<String>,
}

/// Those of the account's keys in this region that the principal may retire.
fn list_retirable(cx: &mut Cx<Keys>, input: ListRetirable) -> Result<Listed> {
    let start = input.marker.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let found = cx.state.grants.range::<_, str>((start, Bound::Unbounded)).filter(|(_, grant)| {
        let here = cx.state.keys.get(&grant.key).is_some_and(|key| key.scope == *cx.scope);
        let named = input.retiring_principal.is_some() && grant.terms.retiring_principal == input.retiring_principal;
        let service = &input.retiring_service_principal;
        here && (named || (service.is_some() && grant.terms.retiring_service_principal == *service))
    });
    listed(found, input.limit)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Revoke {
    key_id: String,
    grant_id: String,
    dry_run: Option<bool>,
}

fn no_grant(id: &str) -> Error {
    not_found(format!("Grant ID {id} not found"))
}

fn revoke(cx: &mut Cx<Keys>, input: Revoke) -> Result<()> {
    let (key, _) = find_key(cx, &input.key_id)?;
    let known = cx.state.grants.get(&input.grant_id).is_some_and(|grant| grant.key == key);
    if !known {
        return Err(no_grant(&input.grant_id));
    }
    dry_run(input.dry_run)?;
    cx.state.grants.remove(&input.grant_id);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Retire {
    grant_token: Option<String>,
    key_id: Option<String>,
    grant_id: Option<String>,
    dry_run: Option<bool>,
}

/// The grant that is named by its token, or by its key and its id.
fn named<'a>(state: &'a Keys, input: &Retire) -> Option<(&'a String, &'a Grant)> {
    match (&input.grant_token, &input.grant_id) {
        (Some(token), _) => state.grants.iter().find(|(_, grant)| grant.token == *token),
        (None, Some(id)) => state.grants.get_key_value(id),
        (None, None) => None,
    }
}

fn to_retire(at: &At<Keys>, input: &Retire) -> Target {
    match (named(at.state, input), &input.key_id) {
        (Some((_, grant)), _) => super::on(at, &grant.key),
        (None, Some(key)) => on_key(at, key),
        (None, None) => Target::any(),
    }
}

fn retire(cx: &mut Cx<Keys>, input: Retire) -> Result<()> {
    if input.grant_token.is_none() && (input.key_id.is_none() || input.grant_id.is_none()) {
        let message = "A grant token or key ID and grant ID must be specified.";
        return Err(Error::client("ValidationException", message));
    }
    let key = input.key_id.as_ref().filter(|_| input.grant_token.is_none());
    let key = key.map(|name| cx.state.find_key(cx.scope, name)).transpose()?;
    let found = named(cx.state, &input).filter(|(_, grant)| key.as_ref().is_none_or(|key| grant.key == *key));
    let Some(id) = found.map(|(id, _)| id.clone()) else {
        return Err(match &input.grant_id {
            Some(id) => no_grant(id),
            None => Error::client("InvalidGrantTokenException", ""),
        });
    };
    dry_run(input.dry_run)?;
    cx.state.grants.remove(&id);
    Ok(())
}
