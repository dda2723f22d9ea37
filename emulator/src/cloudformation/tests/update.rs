//! Changing stacks: in place, by replacement, and back again.

use serde_json::json;

use super::*;

#[tokio::test]
async fn nothing_to_do_is_an_error() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    let input = json!({ "StackName": "clock", "UsePreviousTemplate": true });
    let refused = cfn(&cloud, "UpdateStack", input).await;
    assert_eq!(message(refused), "ValidationError (400): No updates are to be performed.");
    let missing = cfn(&cloud, "UpdateStack", json!({ "StackName": "no", "TemplateBody": CLOCKWORK })).await;
    assert_eq!(message(missing), "ValidationError (400): Stack [no] does not exist");
}

#[tokio::test]
async fn a_resource_changes_in_place() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    let before = physical(&cloud, "clock", "Function").await.unwrap();
    let input = json!({
        "StackName": "clock", "UsePreviousTemplate": true,
        "Parameters": [{ "ParameterKey": "Timeout", "ParameterValue": "9" }, { "ParameterKey": "Secret", "UsePreviousValue": true }],
    });
    cfn(&cloud, "UpdateStack", input).await.unwrap();
    cloud.settle().await.unwrap();
    let told = events(&cloud, "clock").await;
    assert_eq!(
        told[told.len() - 5..],
        [
            "clock UPDATE_IN_PROGRESS: User Initiated",
            "Function UPDATE_IN_PROGRESS",
            "Function UPDATE_COMPLETE",
            "clock UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "clock UPDATE_COMPLETE",
        ]
    );
    assert_eq!(physical(&cloud, "clock", "Function").await.unwrap(), before);
    let found = call(&cloud, "lambda", "GetFunctionConfiguration", json!({ "FunctionName": before })).await.unwrap();
    assert_eq!(found["Timeout"], 9);
    let stack = stack(&cloud, "clock").await;
    assert_eq!(stack["Parameters"][0]["ParameterValue"], "9");
    assert!(stack["LastUpdatedTime"].is_number());
}

#[tokio::test]
async fn a_change_that_cannot_be_made_in_place_replaces_and_what_refers_to_it_follows() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    let before = physical(&cloud, "clock", "Function").await.unwrap();
    let template = CLOCKWORK.replace("      Handler: bootstrap", "      Handler: bootstrap\n      FunctionName: named");
    assert_eq!(update(&cloud, "clock", &template).await["StackStatus"], "UPDATE_COMPLETE");
    assert_eq!(physical(&cloud, "clock", "Function").await.unwrap(), "named");
    let functions = call(&cloud, "lambda", "ListFunctions", json!({})).await.unwrap();
    assert_eq!(functions["Functions"].as_array().unwrap().len(), 1, "the old one is deleted: {before}");
    let (name, group) = (physical(&cloud, "clock", "Schedule").await, physical(&cloud, "clock", "Group").await);
    let input = json!({ "Name": name, "GroupName": group });
    let schedule = call(&cloud, "scheduler", "GetSchedule", input).await.unwrap();
    assert!(schedule["Target"]["Arn"].as_str().unwrap().ends_with(":function:named"));
}

#[tokio::test]
async fn resources_come_and_go() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    let more = CLOCKWORK.replace(
        "Outputs:",
        "  Second:\n    Type: AWS::Scheduler::ScheduleGroup\n    Properties: {Name: second}\nOutputs:",
    );
    update(&cloud, "clock", &more).await;
    call(&cloud, "scheduler", "GetScheduleGroup", json!({ "Name": "second" })).await.unwrap();
    update(&cloud, "clock", CLOCKWORK).await;
    assert!(call(&cloud, "scheduler", "GetScheduleGroup", json!({ "Name": "second" })).await.is_err());
    assert_eq!(physical(&cloud, "clock", "Second").await, None);
}

#[tokio::test]
async fn a_failed_update_is_undone() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    let function = physical(&cloud, "clock", "Function").await.unwrap();
    let bad = CLOCKWORK.replace("Default: 5", "Default: 11").replace("rate(1 hour)", "rate(never)").replace(
        "  Group:\n    Type",
        "  Extra:\n    Type: AWS::Scheduler::ScheduleGroup\n    Properties: {Name: extra}\n  Group:\n    Type",
    );
    let stack = update(&cloud, "clock", &bad).await;
    assert_eq!(stack["StackStatus"], "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(stack["Parameters"][0]["ParameterValue"], "5");
    let told = events(&cloud, "clock").await;
    let reason = "clock UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to update: [Schedule]. ";
    assert!(told.iter().any(|event| event == reason), "{told:#?}");
    let found = call(&cloud, "lambda", "GetFunctionConfiguration", json!({ "FunctionName": function })).await.unwrap();
    assert_eq!(found["Timeout"], 5);
    assert!(call(&cloud, "scheduler", "GetScheduleGroup", json!({ "Name": "extra" })).await.is_err());
    assert_eq!(physical(&cloud, "clock", "Extra").await, None);
    // A stack that was rolled back can be updated again.
    let good = CLOCKWORK.replace("Default: 5", "Default: 12");
    assert_eq!(update(&cloud, "clock", &good).await["StackStatus"], "UPDATE_COMPLETE");
}

#[tokio::test]
async fn a_failed_replacement_leaves_the_old_resource() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    let before = physical(&cloud, "clock", "Function").await;
    let bad = CLOCKWORK
        .replace("      Handler: bootstrap", "      Handler: bootstrap\n      FunctionName: named")
        .replace("rate(1 hour)", "rate(never)");
    assert_eq!(update(&cloud, "clock", &bad).await["StackStatus"], "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(physical(&cloud, "clock", "Function").await, before);
    let functions = call(&cloud, "lambda", "ListFunctions", json!({})).await.unwrap();
    let functions = functions["Functions"].as_array().unwrap();
    assert_eq!(functions.len(), 1);
    assert_eq!(functions[0]["FunctionName"].as_str(), before.as_deref());
}

#[tokio::test]
async fn a_named_resource_cannot_be_replaced_under_its_name() {
    let cloud = cloud();
    let named = CLOCKWORK.replace("      Handler: bootstrap", "      Handler: bootstrap\n      FunctionName: named");
    create(&cloud, "clock", &named).await;
    let other = named.replace("      FunctionName: named", "      FunctionName: named\n      PackageType: Zip");
    assert_eq!(update(&cloud, "clock", &other).await["StackStatus"], "UPDATE_ROLLBACK_COMPLETE");
    let told = events(&cloud, "clock").await;
    let reason = "Function UPDATE_FAILED: CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename named and update the stack again.";
    assert!(told.iter().any(|event| event == reason), "{told:#?}");
}
