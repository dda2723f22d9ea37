//! The invariants of partner-data, each shown failing on a trace in which something went wrong.
#![allow(clippy::unwrap_used)]

use garoa::Error;
use garoa::cloud::{CallRecord, InvocationRef, Reply};

use super::super::testing::trace;
use super::*;

/// Argon2id of `senha`, with little memory.
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$yCODZfDJCXYfz2cbBhc9rA$nJPig8YQ3W/3uvsd09pBKQ2Q+W1fMTVNhdgx/pvbPdg";

fn s3(function: &str, operation: &str, input: Value, body: &'static str) -> CallRecord {
    CallRecord {
        service: "s3".to_owned(),
        operation: operation.to_owned(),
        action: format!("s3:{operation}"),
        invocation: Some(InvocationRef { function: function.into(), number: 1 }),
        input,
        body: Bytes::from(body),
        status: Some(200),
        ..CallRecord::default()
    }
}

fn table(bucket: &str, key: &str, body: &'static str) -> CallRecord {
    s3(REFRESH, "PutObject", json!({ "Bucket": bucket, "Key": key }), body)
}

fn purge(bucket: &str) -> CallRecord {
    s3(PURGE, "DeleteObjects", json!({ "Bucket": bucket }), "")
}

fn asked(bucket: &str, password: &str) -> CallRecord {
    let body = json!({ "bucket_name": bucket, "password": password }).to_string();
    CallRecord {
        service: "lambda".to_owned(),
        operation: "Invoke".to_owned(),
        body: Bytes::from(json!({ "body": body }).to_string()),
        status: Some(200),
        ..CallRecord::default()
    }
}

/// A run that made these calls; the partner delivered `id` as its table `sale`.
fn run(calls: Vec<CallRecord>) -> Run {
    Run::new(trace(calls), |call| {
        let output = match &*call.operation {
            "ListObjectVersions" if call.input["Prefix"] == "sale/" => {
                json!({ "Versions": [{ "Key": "sale/2026-03-01.csv", "VersionId": "1" }] })
            }
            "ListObjectVersions" => json!({}),
            "GetObject" => return Ok(Reply::output(json!({})).with_body("id")),
            "GetSecretValue" => json!({ "SecretString": HASH }),
            other => return Err(Error::not_implemented(other)),
        };
        Ok(Reply::output(output))
    })
}

#[test]
fn a_good_run_holds_them_all() {
    let good = run(vec![
        table(DESTINATION, "dados_sale.csv", "id"),
        asked("apiparceiro", "wrong"),
        asked("apiparceiro", "senha"),
        purge("apiparceiro"),
    ]);
    assert_eq!(tables_are_whole(&good), Ok(()));
    assert_eq!(purged_by_password_only(&good), Ok(()));
}

#[test]
fn a_table_that_nobody_delivered_is_found() {
    let told = |call| tables_are_whole(&run(vec![call])).unwrap_err();
    assert_eq!(
        told(table(DESTINATION, "dados_sale.csv", "i")),
        "`dados_sale.csv` is nothing that the partner delivered as sale"
    );
    assert_eq!(
        told(table(DESTINATION, "dados_category.csv", "id")),
        "`dados_category.csv` is nothing that the partner delivered as category"
    );
    assert_eq!(told(table(SOURCE, "dados_sale.csv", "id")), "data-refresh wrote `dados_sale.csv` to \"apiparceiro\"");
    assert_eq!(told(table(DESTINATION, "sale.csv", "id")), "data-refresh wrote `sale.csv`, which is no table's name");
}

#[test]
fn a_purge_without_the_password_is_found() {
    let told = |calls| purged_by_password_only(&run(calls)).unwrap_err();
    let at = "at 1970-01-01T00:00:00.000Z";
    assert_eq!(
        told(vec![purge("apiparceiro")]),
        format!("{at} bucket-purge deleted in `apiparceiro` without the password")
    );
    for (bucket, password) in [("apiparceiro", "wrong"), ("apiparceiro", ""), ("another", "senha")] {
        let found = purged_by_password_only(&run(vec![purge("apiparceiro"), asked(bucket, password)]));
        assert!(found.is_err(), "{bucket} {password}");
    }
}
