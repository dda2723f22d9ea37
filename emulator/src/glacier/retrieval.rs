//! Data retrieval policies: how much may come out of the vaults of an account in a region.
//!
//! <https://docs.aws.amazon.com/amazonglacier/latest/dev/data-retrieval-policy.html>

use std::time::Duration;

use imbl::Vector;
use serde::{Deserialize, Serialize};

use super::{Vaults, check_account, invalid, required};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result, Timestamp};

const HOUR: Duration = Duration::from_secs(3600);
/// No limit.
const NONE: &str = "None";
const BYTES_PER_HOUR: &str = "BytesPerHour";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Vaults>) -> Service<Vaults> {
    service.op("SetDataRetrievalPolicy", |_, _: &Set| Target::any(), set).op(
        "GetDataRetrievalPolicy",
        |_, _: &Get| Target::any(),
        get,
    )
}

/// What may come out, and what did in the last hour.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Retrieval {
    bytes_per_hour: Option<u64>,
    latest: Vector<(Timestamp, u64)>,
}

/// Lets a job of so many bytes begin.
///
/// # Errors
/// `PolicyEnforcedException`.
pub(super) fn allow(cx: &mut Cx<Vaults>, bytes: u64) -> Result<()> {
    let now = cx.now;
    let retrieval = &mut cx.state.retrieval;
    let Some(limit) = retrieval.bytes_per_hour else { return Ok(()) };
    let latest: Vector<(Timestamp, u64)> =
        retrieval.latest.iter().filter(|(at, _)| now.since(*at) < HOUR).copied().collect();
    let sum: u64 = latest.iter().map(|(_, bytes)| bytes).sum();
    if sum.saturating_add(bytes) > limit {
        let message = "InitiateJob request denied by current data retrieval policy.";
        return Err(Error::client("PolicyEnforcedException", message));
    }
    retrieval.latest = latest;
    retrieval.latest.push_back((now, bytes));
    Ok(())
}

/// `DataRetrievalPolicy` of the API.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    strategy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_per_hour: Option<u64>,
}

#[derive(Deserialize)]
struct Set {
    #[serde(rename = "accountId")]
    account_id: String,
    #[serde(rename = "Policy")]
    policy: Option<Policy>,
}

/// What is free of charge goes by an account's month, which is not counted here.
fn set(cx: &mut Cx<Vaults>, input: Set) -> Result<()> {
    check_account(cx.scope, &input.account_id)?;
    let policy = input.policy.ok_or_else(|| required("Policy"))?;
    let [rule] = policy.rules.as_slice() else { return Err(invalid("A data retrieval policy has one rule.")) };
    let strategy = rule.strategy.as_deref().ok_or_else(|| required("Strategy"))?;
    let limit = match (strategy, rule.bytes_per_hour) {
        (BYTES_PER_HOUR, Some(bytes)) if bytes > 0 => Some(bytes),
        (NONE, None) => None,
        ("FreeTier", None) => {
            return Err(Error::not_implemented("the data retrieval strategy FreeTier of S3 Glacier"));
        }
        (BYTES_PER_HOUR | NONE | "FreeTier", _) => {
            return Err(invalid(format!("Invalid BytesPerHour for the strategy {strategy}.")));
        }
        (other, _) => return Err(invalid(format!("Invalid strategy: {other}"))),
    };
    cx.state.retrieval.bytes_per_hour = limit;
    Ok(())
}

#[derive(Deserialize)]
struct Get {
    #[serde(rename = "accountId")]
    account_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    policy: Policy,
}

fn get(cx: &mut Cx<Vaults>, input: Get) -> Result<Shown> {
    check_account(cx.scope, &input.account_id)?;
    let bytes_per_hour = cx.state.retrieval.bytes_per_hour;
    let strategy = if bytes_per_hour.is_some() { BYTES_PER_HOUR } else { NONE };
    Ok(Shown { policy: Policy { rules: vec![Rule { strategy: Some(strategy.to_owned()), bytes_per_hour }] } })
}
