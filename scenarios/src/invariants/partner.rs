//! What must hold of partner-data: a table is taken over whole or not at all, and nothing is purged without the password.

use std::collections::BTreeSet;

use bytes::Bytes;
use garoa::scenario::run::{Invariants, Run};
use handlers::bucket_purge::password::{self, Verdict};
use handlers::bucket_purge::request::Request;
use serde_json::{Value, json};

const SOURCE: &str = "apiparceiro";
const DESTINATION: &str = "apiparceiro-dados";
const REFRESH: &str = "data-refresh";
const PURGE: &str = "bucket-purge";
const SECRET: &str = "purge-password";

/// Adds the invariants of partner-data.
pub fn register(invariants: Invariants) -> Invariants {
    invariants.always("tables-are-whole", tables_are_whole).always("purged-by-password-only", purged_by_password_only)
}

/// Every table that data-refresh wrote is, to the byte, what the partner delivered as that table.
///
/// # Errors
/// Names the first that is not.
pub fn tables_are_whole(run: &Run) -> Result<(), String> {
    let written = run.calls().filter(|(_, call)| {
        let by_refresh = call.invocation.as_ref().is_some_and(|made| &*made.function == REFRESH);
        by_refresh && call.operation == "PutObject" && call.took_effect()
    });
    for (_, call) in written {
        let key = call.input["Key"].as_str().unwrap_or_default();
        let table = key.strip_prefix("dados_").and_then(|key| key.strip_suffix(".csv"));
        let table = table.ok_or_else(|| format!("data-refresh wrote `{key}`, which is no table's name"))?;
        if call.input["Bucket"] != DESTINATION {
            return Err(format!("data-refresh wrote `{key}` to {}", call.input["Bucket"]));
        }
        if !deliveries(run, table)?.contains(&call.body) {
            return Err(format!("`{key}` is nothing that the partner delivered as {table}"));
        }
    }
    Ok(())
}

/// What there is of a table in the partner's bucket.
fn deliveries(run: &Run, table: &str) -> Result<Vec<Bytes>, String> {
    let ask = |operation: &str, input: Value| {
        run.call("s3", operation, input).map_err(|error| format!("s3://{SOURCE}/{table}/: {error}"))
    };
    let listed = ask("ListObjectVersions", json!({ "Bucket": SOURCE, "Prefix": format!("{table}/") }))?.output;
    let versions = listed["Versions"].as_array().into_iter().flatten();
    let read = |version: &Value| {
        let input = json!({ "Bucket": SOURCE, "Key": version["Key"], "VersionId": version["VersionId"] });
        Ok(ask("GetObject", input)?.body.unwrap_or_default())
    };
    versions.map(read).collect()
}

/// bucket-purge has deleted only in buckets that it was asked to empty with the right password.
///
/// # Errors
/// Names the first bucket in which it deleted without.
pub fn purged_by_password_only(run: &Run) -> Result<(), String> {
    let deleted = run.calls().filter(|(_, call)| {
        let by_purge = call.invocation.as_ref().is_some_and(|made| &*made.function == PURGE);
        by_purge && call.service == "s3" && call.operation.starts_with("Delete") && call.took_effect()
    });
    let mut authorised = None;
    for (record, call) in deleted {
        let bucket = call.input["Bucket"].as_str().unwrap_or_default();
        if !authorised.get_or_insert_with(|| asked_rightly(run)).contains(bucket) {
            return Err(format!("at {} {PURGE} deleted in `{bucket}` without the password", record.at.to_iso_millis()));
        }
    }
    Ok(())
}

/// The buckets whose purge was asked for with the right password.
fn asked_rightly(run: &Run) -> BTreeSet<String> {
    let secret = run.call("secretsmanager", "GetSecretValue", json!({ "SecretId": SECRET }));
    let secret = secret.map(|reply| reply.output).unwrap_or_default();
    let hash = secret["SecretString"].as_str().unwrap_or_default();
    let asked = run.calls().filter(|(_, call)| call.operation == "Invoke" && call.service == "lambda");
    let requests = asked.filter_map(|(_, call)| Request::read(&serde_json::from_slice(&call.body).ok()?).ok());
    let right = requests.filter(|request| password::compare(hash, &request.password) == Verdict::Right);
    right.map(|request| request.bucket).collect()
}

#[cfg(test)]
#[path = "partner_tests.rs"]
mod tests;
