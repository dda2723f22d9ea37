//! Secrets through the front door: time, rotation, accounts, regions, permissions.
#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_types::SdkConfig;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use tower::service_fn;

use crate::cloud::{Call, Caller, Cloud, IamMode, Scope};
use crate::lambda::{FunctionFactory, handler};
use crate::{Error, Result};

const ACCOUNT: &str = "123456789012";
const DAY: Duration = Duration::from_secs(86_400);
const LAMBDA: &str = "arn:aws:lambda:us-east-1:123456789012:function:rotate";

fn cloud() -> Cloud {
    Cloud::builder().iam(IamMode::Off).build()
}

async fn call_in(cloud: &Cloud, scope: &Scope, operation: &str, input: Value) -> Result<Value> {
    let caller = Caller::root(&scope.account);
    let call = Call::new("secretsmanager", operation.to_owned(), caller, scope.clone(), input);
    cloud.call(call).await.map(|reply| reply.output)
}

async fn call(cloud: &Cloud, operation: &str, input: Value) -> Result<Value> {
    call_in(cloud, cloud.scope(), operation, input).await
}

fn token(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

async fn create(cloud: &Cloud, name: &str, text: &str) -> String {
    let input = json!({ "Name": name, "SecretString": text, "ClientRequestToken": token(1) });
    call(cloud, "CreateSecret", input).await.unwrap()["ARN"].as_str().unwrap().to_owned()
}

async fn read(cloud: &Cloud, id: &str, stage: &str) -> Result<Value> {
    let answer = call(cloud, "GetSecretValue", json!({ "SecretId": id, "VersionStage": stage })).await?;
    Ok(answer["SecretString"].clone())
}

fn text(error: Error) -> String {
    format!("{}: {}", error.code(), error.message())
}

#[tokio::test]
async fn a_deleted_secret_can_be_restored_until_its_window_is_over() {
    let cloud = cloud();
    let arn = create(&cloud, "db", "x").await;
    let deleted = call(&cloud, "DeleteSecret", json!({ "SecretId": "db", "RecoveryWindowInDays": 7 })).await.unwrap();
    assert_eq!(deleted["DeletionDate"], json!((cloud.now() + 7 * DAY).millis()));
    let refused = text(read(&cloud, "db", "AWSCURRENT").await.unwrap_err());
    assert!(refused.ends_with("because it was marked for deletion."), "{refused}");
    cloud.advance(6 * DAY).await.unwrap();
    call(&cloud, "RestoreSecret", json!({ "SecretId": &arn[..arn.len() - 7] })).await.unwrap();
    cloud.advance(10 * DAY).await.unwrap();
    assert_eq!(read(&cloud, &arn, "AWSCURRENT").await.unwrap(), "x");

    call(&cloud, "DeleteSecret", json!({ "SecretId": "db" })).await.unwrap();
    cloud.advance(30 * DAY - Duration::from_millis(1)).await.unwrap();
    assert!(call(&cloud, "DescribeSecret", json!({ "SecretId": "db" })).await.is_ok());
    cloud.advance(Duration::from_millis(1)).await.unwrap();
    let gone = call(&cloud, "DescribeSecret", json!({ "SecretId": "db" })).await.unwrap_err();
    assert_eq!(text(gone), "ResourceNotFoundException: Secrets Manager can't find the specified secret.");
}

#[tokio::test]
async fn versions_take_turns() {
    let cloud = cloud();
    create(&cloud, "db", "one").await;
    let put = |number: u32, text: &'static str, stages: Value| {
        let input = json!({
            "SecretId": "db", "SecretString": text, "ClientRequestToken": token(number), "VersionStages": stages,
        });
        call(&cloud, "PutSecretValue", input)
    };
    put(2, "two", json!(["AWSPENDING"])).await.unwrap();
    assert_eq!(read(&cloud, "db", "AWSCURRENT").await.unwrap(), "one");
    let moved = json!({ "SecretId": "db", "VersionStage": "AWSCURRENT", "MoveToVersionId": token(2) });
    let refused = call(&cloud, "UpdateSecretVersionStage", moved.clone()).await.unwrap_err();
    assert!(refused.message().contains("currently attached to version 00000000-0000-4000-8000-000000000001"));
    let mut moved = moved;
    moved["RemoveFromVersionId"] = token(1).into();
    call(&cloud, "UpdateSecretVersionStage", moved).await.unwrap();
    assert_eq!(read(&cloud, "db", "AWSCURRENT").await.unwrap(), "two");
    assert_eq!(read(&cloud, "db", "AWSPREVIOUS").await.unwrap(), "one");
    // The same request again changes nothing; another value under the same token is refused.
    put(3, "three", Value::Null).await.unwrap();
    put(3, "three", Value::Null).await.unwrap();
    assert_eq!(put(3, "four", Value::Null).await.unwrap_err().code(), "ResourceExistsException");
    let listed = call(&cloud, "ListSecretVersionIds", json!({ "SecretId": "db", "IncludeDeprecated": true })).await;
    let stages: Vec<Value> =
        listed.unwrap()["Versions"].as_array().unwrap().iter().map(|one| one["VersionStages"].clone()).collect();
    assert_eq!(stages, [Value::Null, json!(["AWSPREVIOUS"]), json!(["AWSCURRENT"])]);
    // However many versions are made, the old ones go.
    for number in 4..150 {
        put(number, "more", Value::Null).await.unwrap();
    }
    let all = json!({ "SecretId": "db", "IncludeDeprecated": true });
    let all = call(&cloud, "ListSecretVersionIds", all).await.unwrap();
    assert_eq!((all["Versions"].as_array().unwrap().len(), all.get("NextToken")), (102, None));
    let page = json!({ "SecretId": "db", "IncludeDeprecated": true, "MaxResults": 100 });
    let page = call(&cloud, "ListSecretVersionIds", page).await.unwrap();
    assert_eq!((page["Versions"].as_array().unwrap().len(), page["NextToken"].is_string()), (100, true));
}

/// The code of a rotation as AWS's template has it, with a switch that makes it fail.
fn rotation(cloud: Arc<OnceLock<Cloud>>, fails: bool) -> FunctionFactory {
    handler(move |_: &SdkConfig, _| {
        let cloud = cloud.clone();
        Ok::<_, Infallible>(service_fn(move |event: LambdaEvent<Value>| {
            let cloud = cloud.get().unwrap().clone();
            async move { step(&cloud, &event.payload, fails).await }
        }))
    })
}

async fn step(cloud: &Cloud, event: &Value, fails: bool) -> Result<Value, Diagnostic> {
    let (id, token) = (&event["SecretId"], &event["ClientRequestToken"]);
    let made = match event["Step"].as_str().unwrap() {
        "createSecret" => {
            let text = format!("rotated at {}", cloud.now());
            let stages = ["AWSPENDING"];
            let input = json!({
                "SecretId": id, "ClientRequestToken": token, "SecretString": text, "VersionStages": stages,
            });
            call(cloud, "PutSecretValue", input).await
        }
        "finishSecret" => {
            let described = call(cloud, "DescribeSecret", json!({ "SecretId": id })).await.unwrap();
            let versions = described["VersionIdsToStages"].as_object().unwrap();
            let is_current = |stages: &Value| stages.as_array().unwrap().contains(&json!("AWSCURRENT"));
            let current = versions.iter().find(|(_, stages)| is_current(stages)).unwrap().0;
            let input = json!({
                "SecretId": id, "VersionStage": "AWSCURRENT", "MoveToVersionId": token, "RemoveFromVersionId": current,
            });
            call(cloud, "UpdateSecretVersionStage", input).await
        }
        "testSecret" if fails => Err(Error::internal("no connection")),
        _ => Ok(Value::Null),
    };
    made.map_err(|error| Diagnostic { error_type: "Failed".to_owned(), error_message: error.to_string() })
}

async fn rotating(fails: bool) -> Cloud {
    let known = Arc::new(OnceLock::new());
    let cloud = Cloud::builder().iam(IamMode::Off).function("rotate", rotation(known.clone(), fails)).build();
    known.set(cloud.clone()).ok().unwrap();
    let input = json!({
        "FunctionName": "rotate", "Role": "arn:aws:iam::123456789012:role/any", "Runtime": "provided.al2023",
        "Handler": "bootstrap", "Code": { "S3Bucket": "code", "S3Key": "rotate" },
    });
    let create_function = Call::new("lambda", "CreateFunction", Caller::root(ACCOUNT), cloud.scope().clone(), input);
    cloud.call(create_function).await.unwrap();
    create(&cloud, "db", "first").await;
    cloud
}

fn rotate(lambda: Option<&str>) -> Value {
    json!({
        "SecretId": "db", "ClientRequestToken": token(2), "RotationLambdaARN": lambda,
        "RotationRules": { "AutomaticallyAfterDays": 10 },
    })
}

#[tokio::test]
async fn a_function_rotates_a_secret_now_and_every_ten_days() {
    let cloud = rotating(false).await;
    let refused = call(&cloud, "RotateSecret", rotate(None)).await.unwrap_err();
    assert_eq!(
        text(refused),
        "InvalidRequestException: No Lambda rotation function ARN is associated with this secret."
    );
    let refused = call(&cloud, "RotateSecret", rotate(Some(&LAMBDA.replace(":rotate", ":other")))).await.unwrap_err();
    assert_eq!(refused.code(), "AccessDeniedException");
    let described = call(&cloud, "DescribeSecret", json!({ "SecretId": "db" })).await.unwrap();
    assert_eq!(described.get("RotationEnabled"), None);

    let start = cloud.now();
    assert_eq!(call(&cloud, "RotateSecret", rotate(Some(LAMBDA))).await.unwrap()["VersionId"], token(2));
    cloud.settle().await.unwrap();
    assert_eq!(read(&cloud, "db", "AWSCURRENT").await.unwrap(), format!("rotated at {start}"));
    assert_eq!(read(&cloud, "db", "AWSPREVIOUS").await.unwrap(), "first");
    let described = call(&cloud, "DescribeSecret", json!({ "SecretId": "db" })).await.unwrap();
    assert_eq!(described["NextRotationDate"], json!((start + 10 * DAY).millis()));
    assert_eq!(described["LastRotatedDate"], json!(start.millis()));

    cloud.advance(21 * DAY).await.unwrap();
    assert_eq!(read(&cloud, "db", "AWSCURRENT").await.unwrap(), format!("rotated at {}", start + 20 * DAY));
    call(&cloud, "CancelRotateSecret", json!({ "SecretId": "db" })).await.unwrap();
    cloud.advance(20 * DAY).await.unwrap();
    assert_eq!(read(&cloud, "db", "AWSCURRENT").await.unwrap(), format!("rotated at {}", start + 20 * DAY));
}

#[tokio::test]
async fn a_rotation_that_fails_is_pending_and_tried_again_under_its_token() {
    let cloud = rotating(true).await;
    call(&cloud, "RotateSecret", rotate(Some(LAMBDA))).await.unwrap();
    cloud.settle().await.unwrap();
    assert_eq!(read(&cloud, "db", "AWSCURRENT").await.unwrap(), "first");
    let mut again = rotate(None);
    again["ClientRequestToken"] = token(3).into();
    let refused = text(call(&cloud, "RotateSecret", again).await.unwrap_err());
    assert!(refused.starts_with("InvalidRequestException: A previous rotation isn't complete."), "{refused}");
    cloud.advance(11 * DAY).await.unwrap();
    let described = call(&cloud, "DescribeSecret", json!({ "SecretId": "db" })).await.unwrap();
    assert_eq!(described["VersionIdsToStages"], json!({ token(1): ["AWSCURRENT"], token(2): ["AWSPENDING"] }));
}

#[tokio::test]
async fn replicas_follow_the_primary_secret() {
    let cloud = cloud();
    let arn = create(&cloud, "db", "one").await;
    let west = Scope::new(ACCOUNT, "us-west-2");
    let regions = json!([{ "Region": "us-west-2" }]);
    call(&cloud, "ReplicateSecretToRegions", json!({ "SecretId": arn, "AddReplicaRegions": regions })).await.unwrap();
    let update = json!({ "SecretId": "db", "SecretString": "two", "ClientRequestToken": token(2) });
    call(&cloud, "UpdateSecret", update.clone()).await.unwrap();
    let there = call_in(&cloud, &west, "GetSecretValue", json!({ "SecretId": "db" })).await.unwrap();
    assert_eq!(there["SecretString"], "two");
    assert_eq!(there["ARN"], arn.replace("us-east-1", "us-west-2"));
    let refused = call_in(&cloud, &west, "UpdateSecret", update).await.unwrap_err();
    assert!(refused.message().starts_with("Operation not permitted on a replica secret."));
    let refused = call(&cloud, "DeleteSecret", json!({ "SecretId": "db" })).await.unwrap_err();
    assert!(refused.message().ends_with("that still has replica regions [us-west-2]"));
    call_in(&cloud, &west, "StopReplicationToReplica", json!({ "SecretId": "db" })).await.unwrap();
    call(&cloud, "DeleteSecret", json!({ "SecretId": "db" })).await.unwrap();
    let there = call_in(&cloud, &west, "GetSecretValue", json!({ "SecretId": "db" })).await.unwrap();
    assert_eq!(there["SecretString"], "two");
}

/// A key of KMS that these accounts may use.
async fn customers_key(cloud: &Cloud, accounts: &[&str]) -> Value {
    let roots: Vec<String> = accounts.iter().map(|account| format!("arn:aws:iam::{account}:root")).collect();
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": roots }, "Action": "kms:*", "Resource": "*",
    }] });
    let input = json!({ "Policy": policy.to_string() });
    let call = Call::new("kms", "CreateKey", Caller::root(ACCOUNT), cloud.scope().clone(), input);
    cloud.call(call).await.unwrap().output["KeyMetadata"]["Arn"].clone()
}

#[tokio::test]
async fn another_account_reads_what_the_policy_and_the_key_let_it_read() {
    let cloud = Cloud::builder().iam(IamMode::Enforce).build();
    let arn = create(&cloud, "db", "one").await;
    let other = Scope::new("999999999999", "us-east-1");
    let wanted = json!({ "SecretId": arn });
    let denied = call_in(&cloud, &other, "GetSecretValue", wanted.clone()).await.unwrap_err();
    assert_eq!(denied.code(), "AccessDeniedException");
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::999999999999:root" }, "Action": "secretsmanager:*",
        "Resource": "*",
    }] });
    let put = json!({ "SecretId": arn, "ResourcePolicy": policy.to_string() });
    call(&cloud, "PutResourcePolicy", put).await.unwrap();
    let refused = text(call_in(&cloud, &other, "GetSecretValue", wanted.clone()).await.unwrap_err());
    assert!(refused.contains("You can't access a secret from a different AWS account"), "{refused}");
    let own = customers_key(&cloud, &[ACCOUNT]).await;
    call(&cloud, "UpdateSecret", json!({ "SecretId": arn, "KmsKeyId": own })).await.unwrap();
    let refused = text(call_in(&cloud, &other, "GetSecretValue", wanted.clone()).await.unwrap_err());
    assert_eq!(refused, "AccessDeniedException: Access to KMS is not allowed");
    let shared = customers_key(&cloud, &[ACCOUNT, "999999999999"]).await;
    call(&cloud, "UpdateSecret", json!({ "SecretId": arn, "KmsKeyId": shared })).await.unwrap();
    assert_eq!(call_in(&cloud, &other, "GetSecretValue", wanted).await.unwrap()["SecretString"], "one");
}

#[tokio::test]
async fn passwords_hold_what_is_asked_for_and_lists_have_pages() {
    let cloud = cloud();
    for length in [4, 32, 4096] {
        let wanted = json!({ "PasswordLength": length, "ExcludeCharacters": "abcdefgh01234'\"" });
        let password = call(&cloud, "GetRandomPassword", wanted).await.unwrap()["RandomPassword"].clone();
        let password = password.as_str().unwrap();
        assert_eq!(password.len(), length);
        assert!(!password.contains(['a', 'h', '0', '\'', '"']));
        let kinds: [fn(&char) -> bool; 4] =
            [char::is_ascii_lowercase, char::is_ascii_uppercase, char::is_ascii_digit, char::is_ascii_punctuation];
        assert!(kinds.iter().all(|kind| password.chars().any(|one| kind(&one))), "{password}");
    }
    let short = call(&cloud, "GetRandomPassword", json!({ "PasswordLength": 3 })).await.unwrap_err();
    assert_eq!(text(short), "InvalidParameterException: Password length 3 is too short based on the required types.");
    for name in ["a", "c", "b", "d", "e"] {
        create(&cloud, name, "x").await;
    }
    let mut names = Vec::new();
    let mut next = Value::Null;
    loop {
        let mut input = json!({ "MaxResults": 2, "SortBy": "name", "SortOrder": "desc" });
        if !next.is_null() {
            input["NextToken"] = next;
        }
        let page = call(&cloud, "ListSecrets", input).await.unwrap();
        names.extend(page["SecretList"].as_array().unwrap().iter().map(|one| one["Name"].clone()));
        match page.get("NextToken") {
            Some(token) => next = token.clone(),
            None => break,
        }
    }
    assert_eq!(names, ["e", "d", "c", "b", "a"]);
    let bad = call(&cloud, "ListSecrets", json!({ "NextToken": "bad" })).await.unwrap_err();
    assert_eq!(bad.code(), "InvalidNextTokenException");
}
