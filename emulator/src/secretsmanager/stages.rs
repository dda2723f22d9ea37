//! `UpdateSecretVersionStage`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::on;
use super::store::{CURRENT, Secret, Secrets, invalid_parameter, not_found};
use crate::Result;
use crate::cloud::{Cx, Service};

pub(super) fn operations(service: Service<Secrets>) -> Service<Secrets> {
    service.op("UpdateSecretVersionStage", |at, i: &UpdateSecretVersionStage| on(at, &i.secret_id), update)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateSecretVersionStage {
    secret_id: String,
    version_stage: String,
    remove_from_version_id: Option<String>,
    move_to_version_id: Option<String>,
}

/// The answer of operations that only tell which secret they changed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Changed {
    #[serde(rename = "ARN")]
    arn: Arc<str>,
    name: Arc<str>,
}

impl Changed {
    pub fn of(secret: &Secret) -> Self {
        Self { arn: secret.arn.clone(), name: secret.name.clone() }
    }
}

fn update(cx: &mut Cx<Secrets>, input: UpdateSecretVersionStage) -> Result<Changed> {
    let mut secret = cx.state.to_change(cx.scope, &input.secret_id)?;
    let stage = &input.version_stage;
    let versions = [&input.remove_from_version_id, &input.move_to_version_id];
    if versions.into_iter().flatten().any(|id| secret.version(id).is_none()) {
        return Err(not_found());
    }
    let holder = secret.staged(stage).map(|version| version.id.to_string());
    let staying = holder.is_some() && holder == input.move_to_version_id;
    if !staying && let Some(holder) = holder {
        match &input.remove_from_version_id {
            None => {
                return Err(invalid_parameter(format!(
                    "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to \
                     version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
                )));
            }
            Some(from) if *from != holder => {
                return Err(invalid_parameter(format!(
                    "Staging label {stage} is currently attached to version {holder}, so you must explicitly reference \
                     that version in RemoveFromVersionId."
                )));
            }
            Some(_) => {}
        }
    }
    if stage == CURRENT && input.move_to_version_id.is_none() {
        return Err(invalid_parameter(
            "You can only move staging label AWSCURRENT to a different secret version. It can\u{2019}t be completely removed.",
        ));
    }
    secret.stage(stage, input.move_to_version_id.as_deref());
    secret.changed = cx.now;
    let answer = Changed::of(&secret);
    cx.state.save(secret);
    Ok(answer)
}
