//! What stacks export to each other.

use serde_json::json;

use super::*;

const IMPORTER: &str = r#"
Resources:
  Schedule:
    Type: AWS::Scheduler::Schedule
    Properties:
      ScheduleExpression: rate(1 hour)
      FlexibleTimeWindow: {Mode: "OFF"}
      Target: {Arn: !ImportValue clock-arn, RoleArn: "arn:aws:iam::123456789012:role/any"}
"#;

#[tokio::test]
async fn an_export_is_imported_and_then_held() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    assert_eq!(create(&cloud, "user", IMPORTER).await["StackStatus"], "CREATE_COMPLETE");
    let name = physical(&cloud, "user", "Schedule").await.unwrap();
    let schedule = call(&cloud, "scheduler", "GetSchedule", json!({ "Name": name })).await.unwrap();
    let exports = cfn(&cloud, "ListExports", json!({})).await.unwrap();
    assert_eq!(exports["Exports"][0]["Name"], "clock-arn");
    assert_eq!(exports["Exports"][0]["Value"], schedule["Target"]["Arn"]);
    let imports = cfn(&cloud, "ListImports", json!({ "ExportName": "clock-arn" })).await.unwrap();
    assert_eq!(imports["Imports"], json!(["user"]));

    cfn(&cloud, "DeleteStack", json!({ "StackName": "clock" })).await.unwrap();
    cloud.settle().await.unwrap();
    let held = stack(&cloud, "clock").await;
    assert_eq!(held["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(held["StackStatusReason"], "Delete canceled. Cannot delete export clock-arn as it is in use by user.");
    let without = CLOCKWORK.replace(", Export: {Name: !Sub \"${AWS::StackName}-arn\"}", "");
    let updated = update(&cloud, "clock", &without).await;
    assert_eq!(updated["StackStatus"], "UPDATE_ROLLBACK_COMPLETE");
    let told = events(&cloud, "clock").await;
    let reason = "clock UPDATE_ROLLBACK_IN_PROGRESS: Export clock-arn cannot be deleted as it is in use by user";
    assert!(told.iter().any(|event| event == reason), "{told:#?}");

    cfn(&cloud, "DeleteStack", json!({ "StackName": "user" })).await.unwrap();
    cloud.settle().await.unwrap();
    cfn(&cloud, "DeleteStack", json!({ "StackName": "clock" })).await.unwrap();
    cloud.settle().await.unwrap();
    assert_eq!(cfn(&cloud, "ListExports", json!({})).await.unwrap()["Exports"], json!([]));
}

#[tokio::test]
async fn a_missing_export_and_a_taken_name_fail_the_stack() {
    let cloud = cloud();
    create(&cloud, "early", IMPORTER).await;
    let told = events(&cloud, "early").await;
    assert_eq!(
        told[1..],
        [
            "early ROLLBACK_IN_PROGRESS: No export named clock-arn found. Rollback requested by user.",
            "early ROLLBACK_COMPLETE"
        ]
    );
    let template = CLOCKWORK.replace("!Sub \"${AWS::StackName}-arn\"", "taken");
    create(&cloud, "first", &template).await;
    create(&cloud, "second", &template).await;
    let told = events(&cloud, "second").await;
    let reason = "second ROLLBACK_IN_PROGRESS: Export with name taken is already exported by stack first. Rollback requested by user.";
    assert!(told.iter().any(|event| event == reason), "{told:#?}");
    assert_eq!(stack(&cloud, "second").await["StackStatus"], "ROLLBACK_COMPLETE");
}
