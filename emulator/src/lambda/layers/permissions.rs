//! Who else may use a version of a layer. The policy is kept and shown; there are no other accounts' functions here that it would
//! let in.
//! <https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html>

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{LayerVersion, OfVersion, arn_in, arn_of, bare, number, on_layer, own};
use crate::cloud::{Cx, Service, Target};
use crate::lambda::Functions;
use crate::lambda::policy::FunctionPolicy;
use crate::lambda::qualifier::absent;
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .op(
            "AddLayerVersionPermission",
            |at, i: &Add| Target::on(format!("{}:{}", arn_in(at, &i.layer_name), i.version_number)),
            add,
        )
        .op(
            "RemoveLayerVersionPermission",
            |at, i: &Remove| Target::on(format!("{}:{}", arn_in(at, &i.layer_name), i.version_number)),
            remove,
        )
        .op("GetLayerVersionPolicy", |at, i: &OfVersion| on_layer(at, i), get)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Add {
    layer_name: String,
    version_number: i64,
    statement_id: String,
    action: String,
    principal: String,
    organization_id: Option<String>,
    revision_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Added {
    statement: String,
    revision_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Remove {
    layer_name: String,
    version_number: i64,
    statement_id: String,
    revision_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    policy: Arc<str>,
    revision_id: String,
}

/// The version, and its ARN.
fn find<'a>(cx: &'a mut Cx<Functions>, layer: &str, given: i64) -> Result<(&'a mut LayerVersion, String)> {
    own(cx, layer)?;
    let number = number(given)?;
    let arn = format!("{}:{number}", arn_of(cx, layer));
    let layer = cx.state.layers.get_mut(bare(layer));
    let version = layer.and_then(|layer| layer.versions.get_mut(&number)).filter(|version| !version.is_deleted);
    match version {
        Some(version) => Ok((version, arn)),
        None => Err(absent(format!("Layer version {arn} does not exist."))),
    }
}

fn check_revision(wanted: Option<&str>, policy: Option<&FunctionPolicy>) -> Result<()> {
    match wanted {
        Some(wanted) if policy.is_none_or(|policy| policy.revision != wanted) => {
            let text = "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve \
                        the latest Revision Id";
            Err(Error::new(412, "PreconditionFailedException", text).with("Type", "User"))
        }
        _ => Ok(()),
    }
}

fn add(cx: &mut Cx<Functions>, input: Add) -> Result<Added> {
    let revision = cx.ids().uuid();
    let (version, arn) = find(cx, &input.layer_name, input.version_number)?;
    let policy = version.policy.clone();
    check_revision(input.revision_id.as_deref(), policy.as_ref())?;
    let mut policy = policy.unwrap_or_else(|| FunctionPolicy::new(String::new()));
    let statement = input.statement(&arn);
    policy.add(input.statement_id, statement.clone(), revision.clone())?;
    version.policy = Some(policy);
    Ok(Added { statement: statement.to_string(), revision_id: revision })
}

impl Add {
    fn statement(&self, arn: &str) -> Value {
        let principal = match self.principal.as_str() {
            "*" => json!("*"),
            arn if arn.starts_with("arn:") => json!({ "AWS": arn }),
            account => json!({ "AWS": format!("arn:aws:iam::{account}:root") }),
        };
        let mut statement = json!({
            "Sid": self.statement_id,
            "Effect": "Allow",
            "Principal": principal,
            "Action": self.action,
            "Resource": arn,
        });
        if let Some(organization) = &self.organization_id {
            statement["Condition"] = json!({ "StringEquals": { "aws:PrincipalOrgID": organization } });
        }
        statement
    }
}

fn remove(cx: &mut Cx<Functions>, input: Remove) -> Result<()> {
    let revision = cx.ids().uuid();
    let (version, _) = find(cx, &input.layer_name, input.version_number)?;
    check_revision(input.revision_id.as_deref(), version.policy.as_ref())?;
    let mut policy = version.policy.clone().unwrap_or_else(|| FunctionPolicy::new(String::new()));
    policy.remove(&input.statement_id, revision)?;
    version.policy = (!policy.is_empty()).then_some(policy);
    cx.answer_status(204);
    Ok(())
}

fn get(cx: &mut Cx<Functions>, input: OfVersion) -> Result<Policy> {
    let (version, _) = find(cx, &input.layer_name, input.version_number)?;
    let policy = version.policy.as_ref();
    let policy = policy.ok_or_else(|| absent("No policy is associated with the given resource."))?;
    Ok(Policy { policy: policy.document.clone(), revision_id: policy.revision.clone() })
}
