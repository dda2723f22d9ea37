//! `DeleteSecret` and `RestoreSecret`.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rotate;
use super::stages::Changed;
use super::store::{Secrets, check_name, invalid_parameter, not_found};
use super::{Named, on};
use crate::cloud::{Cx, Service};
use crate::{Result, Timestamp};

/// How many days a deleted secret may be restored, unless it is said, and how many may be said.
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>
const WINDOW: i64 = 30;
const WINDOWS: std::ops::RangeInclusive<i64> = 7..=30;
const DAY: u64 = 86_400;

pub(super) fn operations(service: Service<Secrets>) -> Service<Secrets> {
    service
        .op("DeleteSecret", |at, i: &DeleteSecret| on(at, &i.secret_id), delete)
        .op("RestoreSecret", |at, i: &Named| on(at, &i.secret_id), restore)
        .event("Delete", delete_for_good)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteSecret {
    secret_id: String,
    recovery_window_in_days: Option<i64>,
    #[serde(default)]
    force_delete_without_recovery: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Deleted {
    #[serde(rename = "ARN")]
    arn: Arc<str>,
    name: Arc<str>,
    deletion_date: Timestamp,
}

fn delete(cx: &mut Cx<Secrets>, input: DeleteSecret) -> Result<Deleted> {
    if input.force_delete_without_recovery && input.recovery_window_in_days.is_some() {
        return Err(invalid_parameter(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ));
    }
    let days = input.recovery_window_in_days.unwrap_or(WINDOW);
    if !WINDOWS.contains(&days) {
        return Err(invalid_parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
    }
    let Ok(secret) = cx.state.get(cx.scope, &input.secret_id) else { return delete_nothing(cx, &input) };
    secret.check_primary()?;
    if !secret.replicas.is_empty() {
        let regions: Vec<&str> = secret.replicas.iter().map(|replica| &*replica.region).collect();
        return Err(invalid_parameter(format!(
            "You can't delete secret {} that still has replica regions [{}]",
            secret.arn,
            regions.join(", ")
        )));
    }
    let mut secret = secret.clone();
    let key = secret.key();
    let (arn, name) = (secret.arn.clone(), secret.name.clone());
    if input.force_delete_without_recovery {
        cx.state.secrets.remove(&key);
        cx.cancel_timer("Delete", &*key);
        rotate::cancel(cx, &key);
        return Ok(Deleted { arn, name, deletion_date: cx.now });
    }
    secret.check_kept()?;
    let deletion_date = cx.now + Duration::from_secs(DAY * days.unsigned_abs());
    secret.deletion = Some(deletion_date);
    cx.state.save(secret);
    cx.set_timer("Delete", &*key, deletion_date);
    rotate::cancel(cx, &key);
    Ok(Deleted { arn, name, deletion_date })
}

/// Who forces the deletion of what does not exist is told that it is gone.
fn delete_nothing(cx: &mut Cx<Secrets>, input: &DeleteSecret) -> Result<Deleted> {
    let id = &input.secret_id;
    if !id.starts_with("arn:") {
        check_name(id)?;
    }
    if !input.force_delete_without_recovery {
        return Err(not_found());
    }
    let (arn, name) = match id.splitn(7, ':').nth(6) {
        Some(name) if id.starts_with("arn:") => (id.clone(), name.to_owned()),
        _ => {
            let suffix = cx.ids().mixed(6);
            (cx.scope.arn("secretsmanager", format_args!("secret:{id}-{suffix}")), id.clone())
        }
    };
    Ok(Deleted { arn: arn.into(), name: name.into(), deletion_date: cx.now })
}

/// The recovery window is over.
fn delete_for_good(cx: &mut Cx<Secrets>, key: &str) -> Result<()> {
    let now = cx.now;
    if cx.state.secrets.get(key).is_some_and(|secret| secret.deletion.is_some_and(|due| due <= now)) {
        cx.state.secrets.remove(key);
    }
    Ok(())
}

fn restore(cx: &mut Cx<Secrets>, input: Named) -> Result<Changed> {
    let secret = cx.state.get(cx.scope, &input.secret_id)?;
    secret.check_primary()?;
    let mut secret = secret.clone();
    if secret.deletion.take().is_some() {
        cx.cancel_timer("Delete", secret.key());
        rotate::plan(cx, &secret);
    }
    let answer = Changed::of(&secret);
    cx.state.save(secret);
    Ok(answer)
}
