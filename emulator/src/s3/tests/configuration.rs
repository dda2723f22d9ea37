//! What is configured on a bucket.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_new_bucket_is_closed_and_encrypted() {
    let s3 = S3::new().await;
    let block = s3.ok("GetPublicAccessBlock", with(json!({}))).await;
    assert_eq!(block["PublicAccessBlockConfiguration"]["BlockPublicPolicy"], true);
    let ownership = s3.ok("GetBucketOwnershipControls", with(json!({}))).await;
    assert_eq!(ownership, json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}));
    let encryption = s3.ok("GetBucketEncryption", with(json!({}))).await;
    let rule = &encryption["ServerSideEncryptionConfiguration"]["Rules"][0];
    assert_eq!(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256");
    for (operation, code) in [
        ("GetBucketPolicy", "NoSuchBucketPolicy"),
        ("GetBucketTagging", "NoSuchTagSet"),
        ("GetBucketCors", "NoSuchCORSConfiguration"),
        ("GetBucketLifecycleConfiguration", "NoSuchLifecycleConfiguration"),
        ("GetBucketWebsite", "NoSuchWebsiteConfiguration"),
        ("GetBucketReplication", "ReplicationConfigurationNotFoundError"),
        ("GetObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"),
    ] {
        is(&s3.err(operation, with(json!({}))).await, 404, code);
    }
    assert_eq!(s3.ok("GetBucketLogging", with(json!({}))).await, json!({}));
    assert_eq!(s3.ok("GetBucketRequestPayment", with(json!({}))).await, json!({"Payer": "BucketOwner"}));
}

#[tokio::test]
async fn a_policy_is_kept_as_it_was_written() {
    let s3 = S3::new().await;
    let statement = json!({
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bkt/*"
    });
    let policy = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    s3.ok("PutBucketPolicy", with(json!({"Policy": policy}))).await;
    assert_eq!(s3.ok("GetBucketPolicy", with(json!({}))).await, json!({"Policy": policy}));
    assert_eq!(s3.ok("GetBucketPolicyStatus", with(json!({}))).await, json!({"PolicyStatus": {"IsPublic": false}}));
    s3.ok("DeleteBucketPolicy", with(json!({}))).await;
    is(&s3.err("GetBucketPolicy", with(json!({}))).await, 404, "NoSuchBucketPolicy");
}

#[tokio::test]
async fn a_policy_is_checked() {
    let s3 = S3::new().await;
    let statement = |resource: &str, principal: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": resource});
    let account = json!({"AWS": "999999999999"});
    let put = |statement: Value| {
        with(json!({"Policy": json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()}))
    };
    is(&s3.err("PutBucketPolicy", with(json!({"Policy": "nope"}))).await, 400, "MalformedPolicy");
    let foreign = s3.err("PutBucketPolicy", put(statement("arn:aws:s3:::bkt2/*", account.clone()))).await;
    is(&foreign, 400, "MalformedPolicy");
    assert_eq!(foreign.message(), "Policy has invalid resource");
    let bare = json!({"Effect": "Allow", "Principal": "*", "Resource": "arn:aws:s3:::bkt"});
    assert_eq!(s3.err("PutBucketPolicy", put(bare)).await.message(), "Missing required field Action");
    // A public one is blocked, unless a condition fixes who, or the block is lifted.
    is(&s3.err("PutBucketPolicy", put(statement("arn:aws:s3:::bkt/*", json!("*")))).await, 403, "AccessDenied");
    let mut narrowed = statement("arn:aws:s3:::bkt/*", json!("*"));
    narrowed["Condition"] = json!({"StringEquals": {"aws:PrincipalOrgID": "o-123"}});
    s3.ok("PutBucketPolicy", put(narrowed)).await;
    s3.ok("DeletePublicAccessBlock", with(json!({}))).await;
    s3.ok("PutBucketPolicy", put(statement("arn:aws:s3:::bkt/*", json!({"AWS": "*"})))).await;
    assert_eq!(s3.ok("GetBucketPolicyStatus", with(json!({}))).await["PolicyStatus"]["IsPublic"], true);
}

#[tokio::test]
async fn acls_are_off_unless_ownership_says_otherwise() {
    let s3 = S3::new().await;
    s3.put("k", "v").await;
    let off = s3.err("PutObject", with(json!({"Key": "k", "ACL": "public-read"}))).await;
    is(&off, 400, "AccessControlListNotSupported");
    assert_eq!(off.message(), "The bucket does not allow ACLs");
    // To the owner a private list says what is so anyway.
    s3.ok("PutObject", with(json!({"Key": "k", "ACL": "private"}))).await;
    for acl in ["private", "public-read"] {
        is(&s3.err("PutBucketAcl", with(json!({"ACL": acl}))).await, 400, "AccessControlListNotSupported");
    }
    s3.ok("PutObject", with(json!({"Key": "k", "ACL": "bucket-owner-full-control"}))).await;
    let rules = json!({"Rules": [{"ObjectOwnership": "ObjectWriter"}]});
    s3.ok("PutBucketOwnershipControls", with(json!({"OwnershipControls": rules}))).await;
    s3.ok("PutObject", with(json!({"Key": "k", "ACL": "private"}))).await;
    s3.ok("PutObjectAcl", with(json!({"Key": "k", "ACL": "private"}))).await;
    s3.ok("PutBucketAcl", with(json!({"ACL": "private"}))).await;
    // Ownership lets lists count; public ones are blocked all the same, until that is lifted.
    is(&s3.err("PutObject", with(json!({"Key": "k", "ACL": "public-read"}))).await, 403, "AccessDenied");
    for (operation, input) in [("GetBucketAcl", json!({})), ("GetObjectAcl", json!({"Key": "k"}))] {
        let acl = s3.ok(operation, with(input)).await;
        assert_eq!(acl["Grants"][0]["Permission"], "FULL_CONTROL");
        assert_eq!(acl["Grants"][0]["Grantee"]["ID"], acl["Owner"]["ID"]);
    }
}

#[tokio::test]
async fn cors_tags_and_encryption_are_kept_and_answered() {
    let s3 = S3::new().await;
    let cors = json!({"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 5}]});
    s3.ok("PutBucketCors", with(json!({"CORSConfiguration": cors}))).await;
    assert_eq!(s3.ok("GetBucketCors", with(json!({}))).await, cors);
    let patch = json!({"CORSRules": [{"AllowedMethods": ["PATCH"], "AllowedOrigins": ["*"]}]});
    let error = s3.err("PutBucketCors", with(json!({"CORSConfiguration": patch}))).await;
    assert_eq!(error.message(), "Found unsupported HTTP method in CORS config. Unsupported method is PATCH");
    let tags = json!({"TagSet": [{"Key": "team", "Value": "pix"}]});
    s3.ok("PutBucketTagging", with(json!({"Tagging": tags}))).await;
    assert_eq!(s3.ok("GetBucketTagging", with(json!({}))).await, tags);
    let kms = json!({"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]});
    s3.ok("PutBucketEncryption", with(json!({"ServerSideEncryptionConfiguration": kms}))).await;
    assert_eq!(s3.put("k", "v").await["ServerSideEncryption"], "aws:kms");
    let aes = json!({"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]});
    s3.ok("PutBucketEncryption", with(json!({"ServerSideEncryptionConfiguration": aes}))).await;
}

#[tokio::test]
async fn notifications_are_tried_out_before_they_are_kept() {
    let s3 = S3::new().await;
    s3.ok("PutBucketNotificationConfiguration", with(json!({"NotificationConfiguration": {}}))).await;
    let queue = json!({"QueueConfigurations": [{"QueueArn": "arn:aws:sqs:us-east-1:123456789012:q", "Events": ["s3:ObjectCreated:*"]}]});
    let refused = s3.err("PutBucketNotificationConfiguration", with(json!({"NotificationConfiguration": queue}))).await;
    is(&refused, 400, "InvalidArgument");
    assert_eq!(refused.members()["ArgumentValue1"], "The destination queue does not exist");
    assert_eq!(s3.ok("GetBucketNotificationConfiguration", with(json!({}))).await, json!({}));
}

#[tokio::test]
async fn a_policy_counts_for_each_key_of_a_batch_and_for_the_source_of_a_copy() {
    let s3 = S3::new().await;
    s3.put("kept", "a").await;
    s3.put("gone", "b").await;
    let deny = |action: &str| json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "arn:aws:s3:::bkt/kept"});
    let policy = json!({"Version": "2012-10-17", "Statement": [deny("s3:DeleteObject"), deny("s3:GetObject")]});
    s3.ok("PutBucketPolicy", with(json!({"Policy": policy.to_string()}))).await;

    let both = json!({"Delete": {"Objects": [{"Key": "kept"}, {"Key": "gone"}]}});
    let answer = s3.ok("DeleteObjects", with(both)).await;
    assert_eq!(answer["Deleted"], json!([{"Key": "gone"}]));
    assert_eq!((&answer["Errors"][0]["Key"], &answer["Errors"][0]["Code"]), (&json!("kept"), &json!("AccessDenied")));
    let copy = with(json!({"Key": "copy", "CopySource": "bkt/kept"}));
    is(&s3.err("CopyObject", copy).await, 403, "AccessDenied");
}
