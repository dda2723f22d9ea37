//! Deleting stacks.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_deleted_stack_is_gone_and_can_be_described_by_its_id() {
    let cloud = cloud();
    let id = create(&cloud, "clock", CLOCKWORK).await["StackId"].as_str().unwrap().to_owned();
    cfn(&cloud, "DeleteStack", json!({ "StackName": "clock" })).await.unwrap();

    let missing = cfn(&cloud, "DescribeStacks", json!({ "StackName": "clock" })).await;
    assert_eq!(message(missing), "ValidationError (400): Stack with id clock does not exist");
    assert_eq!(stack(&cloud, &id).await["StackStatus"], "DELETE_COMPLETE");
    let deleted: Vec<String> =
        events(&cloud, &id).await.into_iter().filter(|event| event.contains("DELETE_COMPLETE")).collect();
    let expected =
        ["Schedule DELETE_COMPLETE", "Group DELETE_COMPLETE", "Function DELETE_COMPLETE", "clock DELETE_COMPLETE"];
    assert_eq!(deleted, expected);
    let functions = call(&cloud, "lambda", "ListFunctions", json!({})).await.unwrap();
    assert_eq!(functions["Functions"], json!([]));
    let listed = cfn(&cloud, "ListStacks", json!({ "StackStatusFilter": ["DELETE_COMPLETE"] })).await.unwrap();
    assert_eq!(listed["StackSummaries"][0]["StackId"], json!(id));
    // Again, and what never was: both succeed.
    cfn(&cloud, "DeleteStack", json!({ "StackName": "clock" })).await.unwrap();
    cfn(&cloud, "DeleteStack", json!({ "StackName": "never" })).await.unwrap();
    create(&cloud, "clock", CLOCKWORK).await;
}

#[tokio::test]
async fn what_is_to_be_retained_stays() {
    let cloud = cloud();
    let template =
        CLOCKWORK.replace("Type: AWS::Lambda::Function", "Type: AWS::Lambda::Function\n    DeletionPolicy: Retain");
    let id = create(&cloud, "clock", &template).await["StackId"].as_str().unwrap().to_owned();
    cfn(&cloud, "DeleteStack", json!({ "StackName": "clock" })).await.unwrap();
    cloud.settle().await.unwrap();
    assert!(events(&cloud, &id).await.contains(&"Function DELETE_SKIPPED".to_owned()));
    assert_eq!(stack(&cloud, &id).await["StackStatus"], "DELETE_COMPLETE");
    let functions = call(&cloud, "lambda", "ListFunctions", json!({})).await.unwrap();
    assert_eq!(functions["Functions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_gone_already_counts_as_deleted() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    let function = physical(&cloud, "clock", "Function").await.unwrap();
    call(&cloud, "lambda", "DeleteFunction", json!({ "FunctionName": function })).await.unwrap();
    cfn(&cloud, "DeleteStack", json!({ "StackName": "clock" })).await.unwrap();
    cloud.settle().await.unwrap();
    assert!(cfn(&cloud, "DescribeStacks", json!({ "StackName": "clock" })).await.is_err());
}

const BUCKET: &str = "Resources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: full}}}";

#[tokio::test]
async fn what_cannot_be_deleted_can_be_left_behind() {
    let cloud = cloud();
    assert_eq!(create(&cloud, "store", BUCKET).await["StackStatus"], "CREATE_COMPLETE");
    let put = Call::new(
        "s3",
        "PutObject",
        Caller::root(ACCOUNT),
        cloud.scope().clone(),
        json!({"Bucket": "full", "Key": "k"}),
    );
    cloud.call(put.with_body("x")).await.unwrap();
    cfn(&cloud, "DeleteStack", json!({ "StackName": "store" })).await.unwrap();
    cloud.settle().await.unwrap();
    let failed = stack(&cloud, "store").await;
    assert_eq!(failed["StackStatus"], "DELETE_FAILED");
    assert_eq!(failed["StackStatusReason"], "The following resource(s) failed to delete: [B]. ");
    let told = events(&cloud, "store").await;
    assert!(told.iter().any(|event| event.starts_with("B DELETE_FAILED") && event.contains("not empty")), "{told:#?}");

    let input = json!({ "StackName": "store", "RetainResources": ["B"] });
    cfn(&cloud, "DeleteStack", input).await.unwrap();
    cloud.settle().await.unwrap();
    assert!(cfn(&cloud, "DescribeStacks", json!({ "StackName": "store" })).await.is_err());
    call(&cloud, "s3", "HeadBucket", json!({ "Bucket": "full" })).await.unwrap();
}

#[tokio::test]
async fn a_protected_stack_stays() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    let protect = |on: bool| json!({ "StackName": "clock", "EnableTerminationProtection": on });
    cfn(&cloud, "UpdateTerminationProtection", protect(true)).await.unwrap();
    let refused = cfn(&cloud, "DeleteStack", json!({ "StackName": "clock" })).await;
    assert_eq!(
        message(refused),
        "ValidationError (400): Stack [clock] cannot be deleted while TerminationProtection is enabled"
    );
    cfn(&cloud, "UpdateTerminationProtection", protect(false)).await.unwrap();
    cfn(&cloud, "DeleteStack", json!({ "StackName": "clock" })).await.unwrap();
}
