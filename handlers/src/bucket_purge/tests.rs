//! The function as a whole, with scripted answers of AWS.
#![allow(clippy::unwrap_used)]

use aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{DeleteMarkerEntry, Error, ObjectVersion};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::service::Purge;
use super::settings::Settings;

/// Argon2id of `senha`, with little memory: tests hash often.
pub(super) const HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$yCODZfDJCXYfz2cbBhc9rA$nJPig8YQ3W/3uvsd09pBKQ2Q+W1fMTVNhdgx/pvbPdg";

fn page(keys: std::ops::Range<usize>, next: Option<&'static str>) -> Rule {
    mock!(aws_sdk_s3::Client::list_object_versions).then_output(move || {
        let version = |key: usize| ObjectVersion::builder().key(key.to_string()).version_id("v").build();
        ListObjectVersionsOutput::builder()
            .set_versions(Some(keys.clone().map(version).collect()))
            .delete_markers(DeleteMarkerEntry::builder().key("gone").version_id("m").build())
            .is_truncated(next.is_some())
            .set_next_key_marker(next.map(str::to_owned))
            .build()
    })
}

fn deleted(errors: &'static [(&'static str, &'static str)]) -> Rule {
    mock!(aws_sdk_s3::Client::delete_objects).then_output(move || {
        let error = |(key, code): &(&str, &str)| Error::builder().key(*key).code(*code).message("why").build();
        DeleteObjectsOutput::builder().set_errors(Some(errors.iter().map(error).collect())).build()
    })
}

async fn answered(s3: &[&Rule], event: &Value) -> Value {
    let secret = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
        .then_output(|| GetSecretValueOutput::builder().secret_string(HASH).build());
    let purge = Purge {
        settings: Settings { secret: "purge".to_owned() },
        s3: mock_client!(aws_sdk_s3, RuleMode::Sequential, s3),
        secrets: mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, &[&secret]),
    };
    purge.answer(event).await.document()
}

fn asked(password: &str) -> Value {
    json!({ "body": json!({ "bucket_name": "invoices", "password": password }).to_string() })
}

#[tokio::test]
async fn every_page_goes_and_the_answer_is_the_document_s() {
    let rules = [page(0..1000, Some("999")), deleted(&[]), page(1000..1500, None), deleted(&[])];
    let answer = answered(&rules.iter().collect::<Vec<_>>(), &asked("senha")).await;
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(answer["body"], "All objects in bucket 'invoices' deleted successfully");
    assert!(rules.iter().all(|rule| rule.num_calls() == 1));
}

#[tokio::test]
async fn a_deletion_refused_within_a_success_is_a_failure_and_the_rest_goes_on() {
    let rules = [page(0..2, Some("1")), deleted(&[("1", "AccessDenied")]), page(2..3, None), deleted(&[])];
    let answer = answered(&rules.iter().collect::<Vec<_>>(), &asked("senha")).await;
    assert_eq!(answer["statusCode"], 500);
    assert_eq!(answer["body"], "AccessDenied: why; 1 keys were not deleted: 1");
    assert_eq!(rules[3].num_calls(), 1);
}

#[tokio::test]
async fn bad_requests_and_wrong_passwords_touch_nothing() {
    let listing = page(0..1, None);
    assert_eq!(answered(&[&listing], &json!({ "body": "{" })).await["statusCode"], 400);
    let refused = answered(&[&listing], &asked("Senha")).await;
    assert_eq!((&refused["statusCode"], &refused["body"]), (&json!(401), &json!("Unauthorized")));
    assert_eq!(listing.num_calls(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// No request without the right password ever reaches S3.
    #[test]
    fn nothing_is_deleted_without_the_password(bucket in ".{0,8}", password in ".{0,8}", proxied in any::<bool>()) {
        prop_assume!(password != "senha");
        let body = json!({ "bucket_name": bucket, "password": password });
        let event = if proxied { json!({ "body": body.to_string() }) } else { body };
        let (listing, deletion) = (page(0..1, None), deleted(&[]));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(answered(&[&listing, &deletion], &event));
        prop_assert!(answer["statusCode"] == 401 || answer["statusCode"] == 400, "{}", answer);
        prop_assert_eq!(listing.num_calls() + deletion.num_calls(), 0);
    }
}
