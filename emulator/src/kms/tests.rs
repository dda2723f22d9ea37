//! Keys through the front door.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::{Value, json};

use crate::Error;
use crate::cloud::{Call, Caller, Cloud};

async fn call(cloud: &Cloud, operation: &str, input: Value) -> Result<Value, Error> {
    let caller = Caller::root(&cloud.scope().account);
    let call = Call::new("kms", operation, caller, cloud.scope().clone(), input);
    cloud.call(call).await.map(|reply| reply.output)
}

async fn create(cloud: &Cloud) -> String {
    let made = call(cloud, "CreateKey", json!({"Description": "mine"})).await.unwrap();
    made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

async fn state(cloud: &Cloud, id: &str) -> Value {
    call(cloud, "DescribeKey", json!({"KeyId": id})).await.unwrap()["KeyMetadata"]["KeyState"].clone()
}

#[tokio::test]
async fn a_key_is_deleted_when_its_days_are_over() {
    let cloud = Cloud::builder().build();
    let id = create(&cloud).await;
    call(&cloud, "CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": id})).await.unwrap();
    call(&cloud, "DisableKey", json!({"KeyId": id})).await.unwrap();
    assert_eq!(state(&cloud, "alias/a").await, "Disabled");
    call(&cloud, "ScheduleKeyDeletion", json!({"KeyId": id, "PendingWindowInDays": 7})).await.unwrap();
    let refused = call(&cloud, "EnableKey", json!({"KeyId": id})).await.unwrap_err();
    assert_eq!(refused.code(), "KMSInvalidStateException");
    call(&cloud, "CancelKeyDeletion", json!({"KeyId": id})).await.unwrap();
    cloud.advance(Duration::from_secs(40 * 86_400)).await.unwrap();
    assert_eq!(state(&cloud, &id).await, "Disabled");
    call(&cloud, "ScheduleKeyDeletion", json!({"KeyId": id, "PendingWindowInDays": 7})).await.unwrap();
    cloud.advance(Duration::from_secs(7 * 86_400)).await.unwrap();
    for name in [id.as_str(), "alias/a"] {
        let gone = call(&cloud, "DescribeKey", json!({"KeyId": name})).await.unwrap_err();
        assert_eq!(gone.code(), "NotFoundException", "{name}");
    }
}

#[tokio::test]
async fn the_key_of_dynamodb_is_there_once_a_table_needs_it() {
    let cloud = Cloud::builder().build();
    assert_eq!(call(&cloud, "ListAliases", json!({})).await.unwrap()["Aliases"], json!([]));
    let table = json!({
        "TableName": "t", "BillingMode": "PAY_PER_REQUEST", "SSESpecification": {"Enabled": true},
        "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
    });
    let caller = Caller::root(&cloud.scope().account);
    let made = cloud.call(Call::new("dynamodb", "CreateTable", caller, cloud.scope().clone(), table)).await.unwrap();
    let arn = &made.output["TableDescription"]["SSEDescription"]["KMSMasterKeyArn"];
    cloud.settle().await.unwrap();
    let aliases = call(&cloud, "ListAliases", json!({})).await.unwrap();
    assert_eq!(aliases["Aliases"][0]["AliasName"], "alias/aws/dynamodb");
    let key = call(&cloud, "DescribeKey", json!({"KeyId": "alias/aws/dynamodb"})).await.unwrap();
    assert_eq!((&key["KeyMetadata"]["Arn"], &key["KeyMetadata"]["KeyManager"]), (arn, &json!("AWS")));
    let refused = call(&cloud, "DisableKey", json!({"KeyId": arn})).await.unwrap_err();
    assert_eq!(refused.code(), "AccessDeniedException");
}

#[tokio::test]
async fn tags_and_policies_are_kept_and_pages_have_markers() {
    let cloud = Cloud::builder().build();
    let id = create(&cloud).await;
    let tags = json!([{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "2"}]);
    call(&cloud, "TagResource", json!({"KeyId": id, "Tags": tags})).await.unwrap();
    let page = call(&cloud, "ListResourceTags", json!({"KeyId": id, "Limit": 1})).await.unwrap();
    assert_eq!((&page["Tags"][0], &page["Truncated"]), (&tags[0], &json!(true)));
    let rest = call(&cloud, "ListResourceTags", json!({"KeyId": id, "Marker": page["NextMarker"]})).await.unwrap();
    assert_eq!(rest["Tags"], json!([tags[1]]));
    let refused = call(&cloud, "PutKeyPolicy", json!({"KeyId": id, "Policy": "{"})).await.unwrap_err();
    assert_eq!(refused.code(), "MalformedPolicyDocumentException");
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}]}"#;
    call(&cloud, "PutKeyPolicy", json!({"KeyId": id, "Policy": policy})).await.unwrap();
    assert_eq!(call(&cloud, "GetKeyPolicy", json!({"KeyId": id})).await.unwrap()["Policy"], policy);
}

#[tokio::test]
async fn keys_and_signatures_repeat_with_the_seed() {
    let run = async || {
        let cloud = Cloud::builder().build();
        let spec = json!({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"});
        let made = call(&cloud, "CreateKey", spec).await.unwrap();
        let id = &made["KeyMetadata"]["KeyId"];
        let input = json!({"KeyId": id, "Message": "YQ==", "SigningAlgorithm": "RSASSA_PSS_SHA_256"});
        call(&cloud, "Sign", input).await.unwrap()["Signature"].clone()
    };
    assert_eq!(run().await, run().await);
}
